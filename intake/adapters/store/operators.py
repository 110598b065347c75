"""What operators ask: is anything stuck, is anything missing, where does each mailbox stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base
from intake.adapters.store.receiving import PROCESS
from intake.domain.model import OutcomeCode
from intake.ports import MailboxState

_d, _j, _m = t.deliveries.c, t.jobs.c, t.mailboxes.c
_OPEN_JOBS = (
    select(_j.state, _j.due_at, func.count().label("n"))
    .where(_j.state != literal_column("'done'"))
    .group_by(_j.state, _j.due_at)
)
_OPEN_OF_TASK = _OPEN_JOBS.where(_j.task == bindparam("task"))
_WAITING = select(func.count()).select_from(t.deliveries).where(_d.outcome.is_(None))
_HAS_JOB = select(_j.id).where(_j.task == PROCESS, _j.subject == _d.id, _j.state != literal_column("'done'")).exists()
_MISSING = _WAITING.where(~_HAS_JOB)
_BY_OUTCOME = select(_d.outcome, func.count()).where(_d.outcome.is_not(None)).group_by(_d.outcome)
_NEWEST_BLOB = select(t.raw_messages.c.blob).order_by(t.raw_messages.c.id.desc()).limit(1)
_OLDEST = select(func.min(_d.received_at)).where(_d.outcome.is_(None))
_BROUGHT = ("import", "pipe")  # by somebody's hand: such mail never lay in a folder that is counted
_KEPT_FROM = (
    select(func.count())
    .select_from(t.deliveries)
    .where(_d.mailbox == bindparam("mailbox"), _d.channel.not_in(_BROUGHT))
)
_OLDEST_FROM = _OLDEST.where(_d.mailbox == bindparam("mailbox"))
_STATE_FIELDS = frozenset(f.name for f in fields(MailboxState)) - {"name"}


class OperatorRows(Base):
    def mailbox_state(self, name: str) -> MailboxState:
        with self._read() as connection:
            row = connection.execute(select(t.mailboxes).where(_m.name == name)).mappings().one_or_none()
        return MailboxState(name) if row is None else MailboxState(**row)

    def set_mailbox_state(self, name: str, **changes: object) -> None:
        if "error" in changes:
            changes["error_since"] = func.coalesce(_m.error_since, self._clock()) if changes["error"] else None
        unknown = set(changes) - _STATE_FIELDS
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        with self._write() as connection:
            connection.execute(self._upserts.mailbox, {"name": name, "last_uid": 0, "error": ""})
            if changes:
                connection.execute(update(t.mailboxes).where(_m.name == name).values(**changes))

    def mailbox_states(self) -> tuple[MailboxState, ...]:
        with self._read() as connection:
            rows = connection.execute(select(t.mailboxes).order_by(_m.name)).mappings()
            return tuple(MailboxState(**row) for row in rows)

    def remember(self, name: str, value: str) -> None:
        with self._write() as connection:
            connection.execute(self._upserts.setting, {"name": name, "value": value})

    def remembered(self, beginning: str) -> Mapping[str, str]:
        found = select(t.settings).where(t.settings.c.name.startswith(beginning, autoescape=True))
        with self._read() as connection:
            return {row.name: row.value for row in connection.execute(found)}

    def kept_from(self, mailbox: str) -> int:
        with self._read() as connection:
            return connection.scalar(_KEPT_FROM, {"mailbox": mailbox}) or 0

    def waiting_from(self, mailbox: str) -> datetime | None:
        with self._read() as connection:
            oldest: datetime | None = connection.scalar(_OLDEST_FROM, {"mailbox": mailbox})
            return oldest

    def job_counts(self, task: str = "") -> Mapping[str, int]:
        now = self._clock()
        counts = {"due": 0, "later": 0, "leased": 0, "person": 0}
        with self._read() as connection:
            for row in connection.execute(_OPEN_OF_TASK, {"task": task}) if task else connection.execute(_OPEN_JOBS):
                counts["later" if row.state == "due" and row.due_at > now else row.state] += row.n
        return counts

    def outcomes(self) -> Mapping[str, object]:
        with self._read() as connection:
            ended: dict[str, int] = dict(connection.execute(_BY_OUTCOME).all())
            waiting = connection.scalar(_WAITING) or 0
            found: dict[str, Any] = {
                "messages": connection.scalar(select(func.count()).select_from(t.raw_messages)) or 0,
                "deliveries": sum(ended.values()) + waiting,
                "waiting": waiting,
                "missing": connection.scalar(_MISSING) or 0,
                "outcomes": {code.value: ended.get(code.value, 0) for code in OutcomeCode},
            }
        return found

    def newest_blob(self) -> str | None:
        with self._read() as connection:
            newest: str | None = connection.scalar(_NEWEST_BLOB)
        return newest

    def oldest_waiting(self) -> datetime | None:
        with self._read() as connection:
            oldest: datetime | None = connection.scalar(_OLDEST)
        return oldest
