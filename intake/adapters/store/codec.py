"""Values of the model as JSON text and back. Every message is encoded on its way: one pass of the C encoder."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any

from forms.schema import Problem
from intake.domain.model import (
    Change,
    Due,
    Evidence,
    Flag,
    GapScore,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
    VerdictCode,
)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL; neither engine takes half a character


def _plain(value: object) -> object:
    slots = getattr(value, "__slots__", None)
    if slots is not None and is_dataclass(value):
        return {name: getattr(value, name) for name in slots}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


encode = json.JSONEncoder(default=_plain, separators=(",", ":")).encode
decode = json.loads


def storable(words: str) -> str:
    """Text that both engines take: what they refuse becomes the replacement character."""
    return _UNSTORABLE.sub("\ufffd", words) if _UNSTORABLE.search(words) else words


def fold(words: str) -> str:
    """For search: without case and macrons, so that `kowhai` finds `Kōwhai`."""
    if words.isascii():
        return words.lower()
    apart = unicodedata.normalize("NFKD", words)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def answers_text(answers: Mapping[str, ReadAnswer]) -> str:
    """Answers as rows without names: there are dozens in each message, and each is written once."""
    return encode({question: (a.value, a.how, a.page, a.box, a.confidence) for question, a in answers.items()})


def document_text(read: ReadDocument) -> str:
    """All of a document but its answers, which have a column of their own."""
    return encode(
        {
            "name": read.name,
            "media_type": read.media_type,
            "how": read.how,
            "form": read.form,
            "edition": read.edition,
            "problems": read.problems,
            "pages": read.pages,
            "quarantined": read.quarantined,
        }
    )


# ---- back ----------------------------------------------------------------------------------------


def to_answers(text: str) -> dict[str, ReadAnswer]:
    return {
        question: ReadAnswer(value, how, page, None if box is None else (box[0], box[1], box[2], box[3]), confidence)
        for question, (value, how, page, box, confidence) in decode(text).items()
    }


def of_problems(problems: Sequence[Problem]) -> str:
    return encode([(p.id, p.code, p.message, p.written) for p in problems])


def to_problems(text: str) -> tuple[Problem, ...]:
    """Of what a case kept; the first cases kept no `written`."""
    return tuple(Problem(*each) for each in decode(text))


def to_document(text: str, answers: str) -> ReadDocument:
    d = decode(text)
    d["answers"] = to_answers(answers)
    d["problems"] = tuple(Problem(**p) for p in d["problems"])
    return ReadDocument(**d)


def to_sender(text: str) -> SenderCheck:
    return _sender(decode(text))


def _sender(s: dict[str, Any]) -> SenderCheck:
    s["verdict"] = VerdictCode(s["verdict"])
    s["evidence"] = tuple(Evidence(**e) for e in s["evidence"])
    s["suggested"] = tuple(s["suggested"])
    s["inner"] = _sender(s["inner"]) if s["inner"] else None
    return SenderCheck(**s)


def to_reasons(text: str) -> tuple[Reason, ...]:
    return tuple(_reason(r) for r in decode(text))


def _reason(r: dict[str, Any]) -> Reason:
    return Reason(r["code"], r["text"], r["band"], tuple(r["questions"]))


def to_severity(text: str | None) -> Severity | None:
    if text is None:
        return None
    s = decode(text)
    s["reasons"] = tuple(_reason(r) for r in s["reasons"])
    s["changes"] = tuple(Change(**c) for c in s["changes"])
    s["flags"] = tuple(Flag(f["code"], f["text"], tuple(f["questions"])) for f in s["flags"])
    return Severity(**s)


def to_score(text: str | None) -> GapScore | None:
    if text is None:
        return None
    s = decode(text)
    s["key_gaps_without_plan"] = tuple(s["key_gaps_without_plan"])
    return GapScore(**s)


_INSTANTS = ("first_contact", "decision", "marker_72h", "read_by", "plan_by")


def to_due(text: str) -> Due:
    d = decode(text)
    for name in _INSTANTS:
        d[name] = datetime.fromisoformat(d[name]) if d[name] else None
    return Due(**d)
