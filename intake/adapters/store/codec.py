"""Values of the model as JSON text and back. Every message is encoded on its way: one pass of the C encoder."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any

from intake.domain.model import (
    Change,
    Due,
    Evidence,
    Flag,
    GapScore,
    ReadAnswer,
    ReadDocument,
    ReadProblem,
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


# ---- back ----------------------------------------------------------------------------------------


def to_answers(text: str) -> dict[str, ReadAnswer]:
    return {question: _answer(a) for question, a in decode(text).items()}


def _answer(a: dict[str, Any]) -> ReadAnswer:
    box = a["box"]
    return ReadAnswer(a["value"], a["how"], a["page"], None if box is None else tuple(box), a["confidence"])


def to_document(text: str) -> ReadDocument:
    d = decode(text)
    d["answers"] = {question: _answer(a) for question, a in d["answers"].items()}
    d["problems"] = tuple(ReadProblem(**p) for p in d["problems"])
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
