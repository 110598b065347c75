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

from sqlalchemy import Connection, Table, insert, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base
from intake.adapters.store.codec import encode, storable

SYSTEM = "system"
VIEWED = "viewed"
_PAGE = 2000  # events in memory at a time


class Chain:
    """One chain of events in a table, with the row that says where it ends. `about` is the column that says whose they are."""

    def __init__(self, events: Table, head: Table, about: str) -> None:
        self.about = about
        self._end = select(head.c.seq, head.c.hash)
        self._head, self._move = self._end.with_for_update(), update(head)
        self._insert = insert(events)
        self._all, self._seq = select(events).order_by(events.c.seq), events.c.seq

    def append(self, connection: Connection, events: Sequence[NewEvent], at: datetime) -> None:
        """Add to the chain. The head row is locked first, so on PostgreSQL too there is one order of events."""
        head = connection.execute(self._head).one()
        seq, before = head.seq, head.hash
        rows = []
        for e in events:
            seq += 1
            words, detail = storable(e.text), encode(e.detail)
            row: dict[str, Any] = {
                "seq": seq,
                self.about: e.about,
                "at": at,
                "actor": e.actor,
                "action": e.action,
                "text": words,
                "detail": detail,
                "digest": digest(words, detail),
            }
            before = row["hash"] = chained(before, row, self.about)
            rows.append(row)
        connection.execute(self._insert, rows)
        connection.execute(self._move, {"seq": seq, "hash": before})

    def verify(self, connection: Connection) -> tuple[int, str | None]:
        """How many events hold, and a sentence about the first one that does not."""
        head = connection.execute(self._end).one()
        seq, before = 0, ""
        for row in self._pages(connection):
            seq += 1
            wrong = _wrong(seq, before, row, self.about)
            if wrong:
                return seq - 1, wrong
            before = row["hash"]
        if (seq, before) != (head.seq, head.hash):
            return seq, f"The last events are missing: the chain ends at {seq} and its head is at {head.seq}."
        return seq, None

    def _pages(self, connection: Connection) -> Iterator[Mapping[Any, Any]]:
        last = 0
        while True:
            page = connection.execute(self._all.where(self._seq > last).limit(_PAGE)).mappings().all()
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["seq"]


class NewEvent(NamedTuple):
    about: int | str  # the id of a case, or the slug of a provider
    actor: str
    action: str
    text: str
    detail: Mapping[str, object] = {}


_CASES = Chain(t.case_events, t.event_head, "case_id")


class EventStore(Base):
    def _append(self, connection: Connection, events: Sequence[NewEvent], at: datetime) -> None:
        _CASES.append(connection, events, at)

    def verify_events(self) -> tuple[int, str | None]:
        with self._read() as connection:
            return _CASES.verify(connection)


def _wrong(seq: int, before: str, row: Mapping[Any, Any], about: str) -> str | None:
    if row["seq"] != seq:
        return f"Event {seq} is missing."
    if row["digest"] != digest(row["text"], row["detail"]):
        return f"The words of event {seq} were changed."
    if row["hash"] != chained(before, row, about):
        return f"Event {seq} was changed, or one before it was replaced."
    return None


def digest(text: str, detail: str) -> str:
    return hashlib.sha256(f"{len(text)}:{text}{detail}".encode()).hexdigest()


def chained(before: str, row: Mapping[Any, Any], about: str) -> str:
    """The hash of a row: SHA-256 hex over the hash before it and the row as JSON, times in UTC to the microsecond."""
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps([row["seq"], row[about], at, row["actor"], row["action"], row["digest"]])
    return hashlib.sha256((before + canonical).encode()).hexdigest()
