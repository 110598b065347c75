"""`form` and `decide`: the forms' other faces, and the decision for any answers."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forms import load
from forms.edition import FormError
from forms.schema import Form
from intake.cli import show
from intake.domain import breach, clocks
from intake.domain.errors import CannotRead
from intake.domain.model import Due
from intake.domain.severity import decide as severity_of

BANDS = ("S1", "S2", "S3", "S4")
_SELF_ASSESSMENT = "self_assessment"


def form(given: argparse.Namespace) -> int:
    try:
        return _form(given)
    except FormError as error:  # says file, line and reason
        raise CannotRead(f"{str(error).rstrip(chr(46))}.") from error


def _form(given: argparse.Namespace) -> int:
    if given.what == "list":
        for found in load.forms():
            text = {"form": found.kind, "edition": found.edition, "name": found.name, "title": found.title}
            show.line(text) if given.json else print(f"{found.name}  {found.title}")
        return 0
    if not given.name:
        names = ", ".join(f.name for f in load.forms())
        raise CannotRead(f"Say which form: provider-intake form {given.what} FORM@EDITION. There are: {names}.")
    chosen = load.form(given.name)
    if given.what == "schema":
        from forms.jsonschema import schema

        content = (json.dumps(schema(chosen), ensure_ascii=False, indent=2) + "\n").encode()
    elif given.what == "docx":
        from forms.word.blank import blank as word

        content = word(chosen)
    else:
        content = _pdf(chosen)
    if given.output:
        try:
            Path(given.output).write_bytes(content)
        except OSError as error:
            raise CannotRead(f"{given.output} cannot be written: {error.strerror}.") from error
    else:
        sys.stdout.buffer.write(content)
    return 0


def _pdf(chosen: Form) -> bytes:
    from forms.pdf.blank import NotPublished, blank

    try:
        return blank(chosen)
    except NotPublished as error:  # says what to run
        raise CannotRead(f"{error}.") from error


def decide(given: argparse.Namespace) -> int:
    for asked in _asked(given.path):
        decided = _decided(asked)
        if given.json:
            show.line(decided)
        else:
            print(f"{decided['id'] or '-'}  {decided['band'] or '-'}")
            for reason in decided["reasons"]:
                print(f"    {reason['text']}")
    return 0


def _asked(path: str) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        asked = json.loads(text)
    except (OSError, ValueError) as error:
        raise CannotRead(f"{path} is not a JSON list of cases: {error}") from error
    if isinstance(asked, dict):
        asked = [asked]
    if not isinstance(asked, list) or not all(isinstance(a, dict) for a in asked):
        raise CannotRead(f"{path} must hold a list of objects with id, kind and answers.")
    for one in asked:  # answers that stand in the wrong place would be judged as if nothing were known
        if one.get("kind") != _SELF_ASSESSMENT and not isinstance(one.get("answers"), dict):
            raise CannotRead(f"{path}: case {one.get('id') or '-'} has no “answers”, an object of question ids.")
    return asked


def _decided(asked: dict[str, Any]) -> dict[str, Any]:
    given = asked.get("answers")
    answers: dict[str, Any] = given if isinstance(given, dict) else {}
    received = _instant(asked.get("received_at")) or datetime.now(UTC)
    if asked.get("kind") == _SELF_ASSESSMENT:
        return _line(asked, None, [], [], None, [], clocks.due_for_assessment(received))
    severity = severity_of(answers)
    band = str(asked.get("band") or severity.band)
    if band not in BANDS:
        raise CannotRead(f"“{band}” is not a band; it is one of {', '.join(BANDS)}.")
    aware = _instant(asked.get("aware_at"))
    about = False
    if aware is None:
        aware, about = breach.aware_at(answers)
    due = clocks.due_for_notice(band, received, aware, about)
    reasons = [{"code": r.code, "text": r.text} for r in severity.reasons]
    if asked.get("band"):
        reasons.insert(
            0, {"code": "BY_HAND", "text": f"A person set the band to {band}; the rule says {severity.band}."}
        )
    changes = [{"question": c.question, "answer": c.answer, "band": c.band} for c in severity.changes]
    flags = [{"code": f.code, "text": f.text, "questions": list(f.questions)} for f in severity.flags]
    return _line(asked, band, reasons, changes, severity.notifiable, flags, due)


def _line(
    asked: dict[str, Any],
    band: str | None,
    reasons: list[dict[str, Any]],
    changes: list[dict[str, Any]],
    notifiable: str | None,
    flags: list[dict[str, Any]],
    due: Due,
) -> dict[str, Any]:
    return {
        "id": asked.get("id"),
        "band": band,
        "reasons": reasons,
        "changes": changes,
        "notifiable": notifiable,
        "flags": flags,
        "due": show.due(due),
    }


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value)) if value else None
    except ValueError as error:
        raise CannotRead(f"“{value}” is not an RFC 3339 time.") from error
    if at is not None and at.tzinfo is None:
        raise CannotRead(f"“{value}” has no offset; write one, like +13:00.")
    return at.astimezone(UTC) if at else None
