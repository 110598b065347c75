"""One case with all that belongs to it, as the case page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from intake.adapters.store import tables as t
from intake.adapters.store.base import CASE_BY_REFERENCE, LINKED_AWARE_AT, Base
from intake.adapters.store.case_rows import queue_row, sender_line
from intake.adapters.store.codec import (
    decode,
    to_document,
    to_due,
    to_problems,
    to_reasons,
    to_score,
    to_sender,
    to_severity,
)
from intake.adapters.store.events import VIEWED
from intake.adapters.store.lookups import read_answers
from intake.domain.model import RawMessage
from intake.ports import CaseDocument, CaseMessage, CaseView, Correction, Event

_c, _s, _doc, _l = t.cases.c, t.submissions.c, t.documents.c, t.case_links.c
_WHOLE = CASE_BY_REFERENCE.add_columns(LINKED_AWARE_AT)
_CASE: BindParameter[int] = bindparam("case")
_RAW = select(t.raw_messages).where(t.raw_messages.c.id == bindparam("raw"))
_CORRECTIONS = select(t.answers).where(t.answers.c.case_id == _CASE).order_by(t.answers.c.id)
_RAWS_OF_CASE = select(_s.raw_id).where(_s.case_id == _CASE)
_DOCUMENTS = select(t.documents).where(_doc.raw_id.in_(_RAWS_OF_CASE)).order_by(_doc.id)
_IN = (
    select(_s.delivery_id, _s.subject, _s.body, _s.sender, t.deliveries.c.received_at)
    .join(t.deliveries, _s.delivery_id == t.deliveries.c.id)
    .where(_s.raw_id.in_(_RAWS_OF_CASE), _s.n == 0)
)
_OUT = select(t.outbox).where(t.outbox.c.case_id == _CASE)
_NOTES = select(t.notes).where(t.notes.c.case_id == _CASE)
_EVENTS = (
    select(t.case_events)
    .where(t.case_events.c.case_id == _CASE, t.case_events.c.action != VIEWED)
    .order_by(t.case_events.c.seq)
)
_LINKED = (
    select(_c.reference)
    .where(
        _c.id.in_(
            select(_l.high).where(_l.low == _CASE).union(select(_l.low).where(_l.high == _CASE)).scalar_subquery()
        )
    )
    .order_by(_c.id)
)
_TOGETHER = select(_c.reference).where(_c.raw_id == bindparam("raw"), _c.id != _CASE).order_by(_c.id)
_DOCUMENT = select(t.documents).where(_doc.id == bindparam("document"))
_OF_DOCUMENT = (
    select(_c.reference)
    .join(t.submissions, _s.case_id == _c.id)
    .where(_s.raw_id == bindparam("raw"))
    .order_by(_s.n)
    .limit(1)
)


class CasePages(Base):
    def case(self, reference: str) -> CaseView | None:
        with self._read() as connection:
            row = connection.execute(_WHOLE, {"reference": reference}).mappings().one_or_none()
            return None if row is None else _view(connection, row)

    def document(self, document_id: int) -> tuple[CaseDocument, str] | None:
        with self._read() as connection:
            row = connection.execute(_DOCUMENT, {"document": document_id}).mappings().one_or_none()
            if row is None:
                return None
            reference = connection.scalar(_OF_DOCUMENT, {"raw": row["raw_id"]})
        return (_document(row), reference) if reference else None


def _view(connection: Connection, row: Mapping[Any, Any]) -> CaseView:
    here = {"case": row["id"]}

    def rows(statement: Any) -> list[Mapping[Any, Any]]:
        return list(connection.execute(statement, here).mappings())

    raw = connection.execute(_RAW, {"raw": row["raw_id"]}).mappings().one()
    linked = connection.scalars(_LINKED, here).all()
    together = connection.scalars(_TOGETHER, {**here, "raw": row["raw_id"]}).all()
    messages = [*map(_came, rows(_IN)), *map(_went, rows(_OUT)), *map(_noted, rows(_NOTES))]
    return CaseView(
        row=queue_row(row),
        raw=RawMessage(**raw),
        sender=to_sender(row["sender"]),
        severity=to_severity(row["severity"]),
        score=to_score(row["score"]),
        due=to_due(row["due"]),
        form=row["form"],
        edition=row["edition"],
        answers=read_answers(connection, row["reference"]),
        corrections=tuple(_correction(c) for c in rows(_CORRECTIONS)),
        problems=to_problems(row["problems"]),
        reasons=to_reasons(row["reasons"]),
        documents=tuple(_document(d) for d in rows(_DOCUMENTS)),
        messages=tuple(sorted(messages, key=attrgetter("at"))),
        events=tuple(_event(e) for e in rows(_EVENTS)),
        linked=tuple(dict.fromkeys([*together, *linked])),
        outcome=row["outcome"],
        outcome_reason=row["outcome_reason"],
        suggestions=tuple(decode(row["suggestions"])),
    )


def _correction(row: Mapping[Any, Any]) -> Correction:
    value, old = decode(row["value"]), decode(row["old"])
    return Correction(row["question"], value, old, row["by"], row["at"], row["how"])


def _document(row: Mapping[Any, Any]) -> CaseDocument:
    return CaseDocument(
        id=row["id"],
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["sha256"],
        path=row["path"],
        delivery=row["delivery_id"],
        read=to_document(row["read_as"], row["answers"]),
    )


def _event(row: Mapping[Any, Any]) -> Event:
    return Event(row["seq"], row["at"], row["actor"], row["action"], row["text"], decode(row["detail"]))


def _came(row: Mapping[Any, Any]) -> CaseMessage:
    who = sender_line(to_sender(row["sender"]))
    return CaseMessage(row["received_at"], "in", who, row["subject"], row["body"], "", row["delivery_id"])


def _went(row: Mapping[Any, Any]) -> CaseMessage:
    return CaseMessage(row["created_at"], "out", row["to_address"], row["subject"], row["body"], row["state"])


def _noted(row: Mapping[Any, Any]) -> CaseMessage:
    return CaseMessage(row["at"], row["kind"], row["actor"], "", row["text"])
