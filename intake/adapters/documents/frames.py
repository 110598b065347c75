"""The talk between parent and child: one JSON head and one body of bytes each way, lengths first. Nothing is ever unpickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from forms.schema import Problem
from intake.domain.model import ReadAnswer, ReadDocument

HEAD = struct.Struct("!II")  # bytes of the JSON head, bytes of the body


def packed(head: Mapping[str, object], body: bytes = b"") -> bytes:
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return HEAD.pack(len(text), len(body)) + text + body


def as_plain(document: ReadDocument) -> dict[str, object]:
    """A ReadDocument as JSON values; the name stays with the parent."""
    return {
        "media_type": document.media_type,
        "how": document.how,
        "form": document.form,
        "edition": document.edition,
        "answers": {
            q: [a.value, a.how, a.page, list(a.box) if a.box else None, a.confidence]
            for q, a in document.answers.items()
        },
        "problems": [[p.id, p.code, p.message, p.written] for p in document.problems],
        "pages": document.pages,
        "quarantined": document.quarantined,
    }


class Nonsense(ValueError):
    """The child's answer is not of the agreed shape: it is treated as a child that broke."""


def from_plain(name: str, plain: object) -> ReadDocument:
    """The parent's side of `as_plain`. Believes nothing: raises Nonsense on any other shape."""
    try:
        return _document(name, plain)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Nonsense("the child's answer has another shape") from error


def _document(name: str, plain: object) -> ReadDocument:
    if not isinstance(plain, dict):
        raise TypeError
    answers = {
        str(q): ReadAnswer(value, str(how), _page(page), _box(box), min(1.0, max(0.0, float(sure))))
        for q, (value, how, page, box, sure) in plain["answers"].items()
    }
    return ReadDocument(
        name=name,
        media_type=str(plain["media_type"]),
        how=str(plain["how"]),
        form=_text(plain["form"]),
        edition=_text(plain["edition"]),
        answers=answers,
        problems=tuple(Problem(str(i), str(c), str(m), str(w)) for i, c, m, w in plain["problems"]),
        pages=_page(plain["pages"]),
        quarantined=plain["quarantined"] is True,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _page(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _box(value: object) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list):
        return None
    left, top, right, bottom = (float(v) for v in value)
    return left, top, right, bottom
