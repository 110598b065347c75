"""Jobs: claimed by lease, fenced by attempt, healed by the sweeper. Redis only rings the bell for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, literal, literal_column, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base
from intake.adapters.store.receiving import PRIORITY, PROCESS
from intake.ports import Delivery, Job, StaleJob

_j, _d = t.jobs.c, t.deliveries.c
_DUE: ColumnElement[str] = literal_column("'due'")
_DONE: ColumnElement[str] = literal_column("'done'")  # literal: a partial index serves no bound value
_HAND_OVER = timedelta(minutes=2)  # for whoever gives a job to a person; after that the sweeper takes it up again


def _claiming(skip_locked: bool) -> ReturningUpdate[tuple[object, ...]]:
    due = (
        select(_j.id)
        .where(_j.state == _DUE, _j.due_at <= bindparam("now"), _j.task.in_(bindparam("tasks", expanding=True)))
        .order_by(_j.priority, _j.due_at, _j.id)
        .limit(bindparam("most"))
    )
    # SQLite has one writer, and SKIP LOCKED would vanish there without a word. PostgreSQL needs the CTE: in a plain
    # sub-query the planner may run it again for each row and claim more than `most`.
    chosen = (due.with_for_update(skip_locked=True) if skip_locked else due).cte("chosen")
    return (
        update(t.jobs)
        .where(_j.id.in_(select(chosen.c.id)))
        .values(state="leased", attempt=_j.attempt + 1, lease_until=bindparam("until"), worker=bindparam("who"))
        .returning(_j.id, _j.task, _j.subject, _j.attempt, _j.priority, _j.due_at)
    )


_CLAIM = {"sqlite": _claiming(skip_locked=False), "postgresql": _claiming(skip_locked=True)}
_MINE = and_(_j.id == bindparam("job"), _j.attempt == bindparam("mine"), _j.state != _DONE)
_FINISH = update(t.jobs).where(_MINE).values(state="done", lease_until=None, error="")
_END_OF_DELIVERY = (  # a command files outside a worker: nobody else may take the job up
    update(t.jobs)
    .where(_j.task == PROCESS, _j.subject == bindparam("delivery"))
    .values(state="done", lease_until=None, attempt=_j.attempt + 1)
)
_LATER = (
    update(t.jobs)
    .where(_MINE)
    .values(
        state=bindparam("to"),
        due_at=bindparam("at"),
        lease_until=bindparam("until"),
        error=bindparam("why"),
        worker="",
    )
)
_EXPIRED = (
    update(t.jobs)
    .where(
        or_(_j.state == literal_column("'leased'"), and_(_j.state == literal_column("'person'"), _j.task == PROCESS)),
        _j.state != _DONE,
        _j.lease_until < bindparam("now"),
    )
    .values(state="due", lease_until=None, worker="", due_at=bindparam("now"))
)
_WITHOUT_JOB = (
    insert(t.jobs)
    .returning(_j.id)
    .from_select(
        ["task", "subject", "priority", "state", "due_at", "attempt", "worker", "error"],
        select(
            literal(PROCESS),
            _d.id,
            literal(PRIORITY[PROCESS]),
            literal("due"),
            bindparam("now", type_=t.jobs.c.due_at.type),
            literal(0),
            literal(""),
            literal(""),
        ).where(
            _d.outcome.is_(None),
            ~select(_j.id).where(_j.task == PROCESS, _j.subject == _d.id).exists(),
        ),
    )
)
_ENDED_TOO_SOON = (  # done, and its delivery still without an outcome: must not happen, and would be a loss if it did
    update(t.jobs)
    .where(
        _j.task == PROCESS,
        _j.state == _DONE,
        _j.subject.in_(select(_d.id).where(_d.outcome.is_(None))),
    )
    .values(state="due", due_at=bindparam("now"))
)
_MAILS_EXPIRED = (
    update(t.outbox)
    .where(t.outbox.c.state == literal_column("'sending'"), t.outbox.c.lease_until < bindparam("now"))
    .values(state="queued", lease_until=None, due_at=bindparam("now"))
)


class JobStore(Base):
    def claim(self, tasks: Sequence[str], limit: int, lease_seconds: int, worker: str) -> tuple[Job, ...]:
        """Jobs that are due, most urgent first, each for one worker.

        `attempt` counts from 1 and goes up with every claim, after a crash too: a job with more attempts than the
        caller's limit is one that kills its workers; give it to a person without trying it.
        """
        now = self._clock()
        until = now + timedelta(seconds=lease_seconds)
        values = {"now": now, "tasks": list(tasks), "most": limit, "until": until, "who": worker}
        with self._write() as connection:
            rows = connection.execute(_CLAIM[self.engine.dialect.name], values).all()
        rows = sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))
        return tuple(Job(row.id, row.task, row.subject, row.attempt, until) for row in rows)

    def finish(self, job: Job) -> bool:
        with self._write() as connection:
            return connection.execute(_FINISH, {"job": job.id, "mine": job.attempt}).rowcount == 1

    def try_later(self, job: Job, error: str, delay_seconds: float, limit: int) -> str:
        """ "due" when it will be tried again, "person" when that was the last attempt (the caller now gives it
        to a person), "stale" when the job is not the caller's any more."""
        now = self._clock()
        last = job.attempt >= limit
        at = now if last else now + timedelta(seconds=delay_seconds)
        values = {
            "job": job.id,
            "mine": job.attempt,
            "to": "person" if last else "due",
            "at": at,
            "until": now + _HAND_OVER if last else None,
            "why": error[:500],
        }
        with self._write() as connection:
            held = connection.execute(_LATER, values).rowcount == 1
        return str(values["to"]) if held else "stale"

    def sweep(self) -> int:
        now = {"now": self._clock()}
        with self._write() as connection:
            return sum(  # PostgreSQL counts INSERT ... SELECT only when rows come back
                len(done.all()) if (done := connection.execute(healing, now)).returns_rows else done.rowcount
                for healing in (_EXPIRED, _WITHOUT_JOB, _ENDED_TOO_SOON, _MAILS_EXPIRED)
            )

    def _end_job(self, connection: Connection, delivery: Delivery, job: Job | None) -> None:
        if job is None:
            connection.execute(_END_OF_DELIVERY, {"delivery": delivery.id})
        elif connection.execute(_FINISH, {"job": job.id, "mine": job.attempt}).rowcount != 1:
            raise StaleJob(job.id)
