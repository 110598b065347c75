"""The history of cases: append only, and chained, so that an edit, a gap or a cut tail shows.

Each event has the hash of the one before and of its own canonical row. The row holds a digest of the words, not the
words: the day may come when a retention rule takes words away, and the chain still proves that the event stood there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base
from intake.adapters.store.codec import encode, storable

SYSTEM = "system"
VIEWED = "viewed"
_HEAD = select(t.event_head.c.seq, t.event_head.c.hash).with_for_update()
_MOVE_HEAD = update(t.event_head)
_APPEND = insert(t.case_events)
_ALL = select(t.case_events).order_by(t.case_events.c.seq)
_PAGE = 2000  # events in memory at a time


class NewEvent(NamedTuple):
    case_id: int
    actor: str
    action: str
    text: str
    detail: Mapping[str, object] = {}


class EventStore(Base):
    def _append(self, connection: Connection, events: Sequence[NewEvent], at: datetime) -> None:
        """Add to the chain. The head row is locked first, so on PostgreSQL too there is one order of events."""
        head = connection.execute(_HEAD).one()
        seq, before = head.seq, head.hash
        rows = []
        for e in events:
            seq += 1
            words, detail = storable(e.text), encode(e.detail)
            row: dict[str, Any] = {
                "seq": seq,
                "case_id": e.case_id,
                "at": at,
                "actor": e.actor,
                "action": e.action,
                "text": words,
                "detail": detail,
                "digest": digest(words, detail),
            }
            before = row["hash"] = chained(before, row)
            rows.append(row)
        connection.execute(_APPEND, rows)
        connection.execute(_MOVE_HEAD, {"seq": seq, "hash": before})

    def verify_events(self) -> tuple[int, str | None]:
        with self._read() as connection:
            head = connection.execute(select(t.event_head.c.seq, t.event_head.c.hash)).one()
            seq, before = 0, ""
            for row in _pages(connection):
                seq += 1
                wrong = _wrong(seq, before, row)
                if wrong:
                    return seq - 1, wrong
                before = row["hash"]
        if (seq, before) != (head.seq, head.hash):
            return seq, f"The last events are missing: the chain ends at {seq} and its head is at {head.seq}."
        return seq, None


def _pages(connection: Connection) -> Iterator[Mapping[Any, Any]]:
    last = 0
    while True:
        page = connection.execute(_ALL.where(t.case_events.c.seq > last).limit(_PAGE)).mappings().all()
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1]["seq"]


def _wrong(seq: int, before: str, row: Mapping[Any, Any]) -> str | None:
    if row["seq"] != seq:
        return f"Event {seq} is missing."
    if row["digest"] != digest(row["text"], row["detail"]):
        return f"The words of event {seq} were changed."
    if row["hash"] != chained(before, row):
        return f"Event {seq} was changed, or one before it was replaced."
    return None


def digest(text: str, detail: str) -> str:
    return hashlib.sha256(f"{len(text)}:{text}{detail}".encode()).hexdigest()


def chained(before: str, row: Mapping[Any, Any]) -> str:
    """The hash of a row: SHA-256 hex over the hash before it and the row as JSON, times in UTC to the microsecond."""
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps([row["seq"], row["case_id"], at, row["actor"], row["action"], row["digest"]])
    return hashlib.sha256((before + canonical).encode()).hexdigest()
