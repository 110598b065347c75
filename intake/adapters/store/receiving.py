"""The durable accept: message, delivery and job in one transaction for many messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Row, Select, bindparam, select

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base, batches
from intake.domain.model import OutcomeCode, RawMessage
from intake.ports import Delivery, ToKeep

PROCESS, RECHECK, SUGGEST = "process", "recheck", "suggest"
PRIORITY = {PROCESS: 10, RECHECK: 50, SUGGEST: 90}

_d, _r = t.deliveries.c, t.raw_messages.c
_DELIVERIES: Select[tuple[object, ...]] = select(
    _d.id,
    _d.channel,
    _d.mailbox,
    _d.remote_id,
    _d.received_at,
    _d.outcome,
    _r.id.label("raw"),
    _r.content_key,
    _r.sha256,
    _r.size,
    _r.blob,
    _r.channel.label("raw_channel"),
    _r.mailbox.label("raw_mailbox"),
    _r.received_at.label("raw_received_at"),
).join(t.raw_messages, _d.raw_id == _r.id)
_ONE = _DELIVERIES.where(_d.id == bindparam("id"))
_OF_REMOTE = _DELIVERIES.where(
    _d.channel == bindparam("channel"),
    _d.mailbox == bindparam("mailbox"),
    _d.remote_id.in_(bindparam("remote_ids", expanding=True)),
)
_WAITING = _DELIVERIES.where(_d.outcome.is_(None)).order_by(_d.id).limit(bindparam("limit"))
_RAW_IDS = select(_r.content_key, _r.id).where(_r.content_key.in_(bindparam("keys", expanding=True)))


def new_job(task: str, subject: int, now: datetime) -> dict[str, object]:
    """A row of the jobs, due at once. subject: of "process" a delivery, else a case."""
    return {
        "task": task,
        "subject": subject,
        "priority": PRIORITY[task],
        "state": "due",
        "due_at": now,
        "attempt": 0,
        "worker": "",
        "error": "",
    }


class Receiving(Base):
    def keep(self, items: Sequence[ToKeep]) -> tuple[Delivery, ...]:
        kept: list[Delivery] = []
        with self._write() as connection:
            for batch in batches(items):
                kept += self._keep(connection, batch)
        return tuple(kept)

    def _keep(self, connection: Connection, items: Sequence[ToKeep]) -> list[Delivery]:
        connection.execute(self._upserts.raw, [_raw_values(i) for i in items])
        raws = dict(connection.execute(_RAW_IDS, {"keys": [i.content_key for i in items]}).all())
        rows = [_delivery_values(i, raws[i.content_key]) for i in items]
        new = {row.id for row in connection.execute(self._upserts.delivery, rows)}
        if new:
            now = self._clock()
            connection.execute(self._upserts.job, [new_job(PROCESS, delivery, now) for delivery in sorted(new)])
        known = _by_remote(connection, items)
        kept = []
        for i in items:
            row = known[i.channel, i.mailbox, i.remote_id]
            kept.append(_delivery(row, new=row.id in new))
            new.discard(row.id)  # the same delivery twice in one call: the second is known
        return kept

    def delivery(self, delivery_id: int) -> Delivery:
        with self._read() as connection:
            row = connection.execute(_ONE, {"id": delivery_id}).one_or_none()
        if row is None:
            raise KeyError(delivery_id)
        return _delivery(row)

    def deliveries_of(self, channel: str, mailbox: str, remote_ids: Sequence[str]) -> tuple[Delivery, ...]:
        found: list[Delivery] = []
        with self._read() as connection:
            for batch in batches(remote_ids):
                where = {"channel": channel, "mailbox": mailbox, "remote_ids": batch}
                found += [_delivery(row) for row in connection.execute(_OF_REMOTE, where)]
        return tuple(found)

    def deliveries_waiting(self, limit: int) -> tuple[Delivery, ...]:
        with self._read() as connection:
            return tuple(_delivery(row) for row in connection.execute(_WAITING, {"limit": limit}))


def _by_remote(connection: Connection, items: Sequence[ToKeep]) -> dict[tuple[str, str, str], Row[tuple[object, ...]]]:
    known = {}
    ways = sorted((i.channel, i.mailbox, i.remote_id) for i in items)
    for (channel, mailbox), group in groupby(ways, key=lambda way: way[:2]):
        where = {"channel": channel, "mailbox": mailbox, "remote_ids": [way[2] for way in group]}
        for row in connection.execute(_OF_REMOTE, where):
            known[row.channel, row.mailbox, row.remote_id] = row
    return known


def _raw_values(item: ToKeep) -> dict[str, object]:
    return {
        "content_key": item.content_key,
        "sha256": item.sha256,
        "size": item.size,
        "blob": item.blob,
        "channel": item.channel,
        "mailbox": item.mailbox,
        "received_at": item.received_at,
    }


def _delivery_values(item: ToKeep, raw_id: int) -> dict[str, object]:
    return {
        "raw_id": raw_id,
        "channel": item.channel,
        "mailbox": item.mailbox,
        "remote_id": item.remote_id,
        "received_at": item.received_at,
    }


def _delivery(row: Row[tuple[object, ...]], new: bool = False) -> Delivery:
    return Delivery(
        id=row.id,
        raw=RawMessage(
            id=row.raw,
            content_key=row.content_key,
            sha256=row.sha256,
            size=row.size,
            blob=row.blob,
            channel=row.raw_channel,
            mailbox=row.raw_mailbox,
            received_at=row.raw_received_at,
        ),
        channel=row.channel,
        mailbox=row.mailbox,
        remote_id=row.remote_id,
        received_at=row.received_at,
        outcome=OutcomeCode(row.outcome) if row.outcome else None,
        new=new,
    )
