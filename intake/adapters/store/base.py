"""What every part of the store shares: the engine, the clock, transactions, counters, upserts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Table, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.exc import IntegrityError

from intake.adapters.store import tables as t
from intake.adapters.store.engine import READING, reachable
from intake.adapters.store.types import UTCDateTime
from intake.domain.model import CaseKind
from intake.ports import Clock

FAR = 1000  # rows of one IN list
REGISTRY_VERSION = "registry_version"  # the row of `settings` that holds it


class Base:
    def __init__(self, engine: Engine, clock: Clock, mail_domain: str = "intake.invalid") -> None:
        self.engine = engine
        self._clock = clock
        self._mail_domain = mail_domain
        self._reader = engine.execution_options(**{READING: True})
        self._upserts = Upserts(engine)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """One transaction: all of it or, on any exception, nothing."""
        with reachable(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with reachable(), self._reader.connect() as connection:
            yield connection

    def _change_case(self, connection: Connection, before: Mapping[Any, Any], after: Mapping[str, Any]) -> None:
        """Write the columns in which the two differ."""
        changed = {key: value for key, value in after.items() if value != before[key]}
        if changed:
            connection.execute(_CHANGE_CASE, {"case": before["id"], **changed})

    def _count(self, connection: Connection, changes: Counter[str]) -> None:
        """Add to the counters. In the order of their names: two writers that wait for each other's row never meet."""
        rows = [{"name": name, "n": n} for name, n in sorted(changes.items()) if n]
        if rows:
            connection.execute(self._upserts.count, rows)


class Upserts:
    """INSERT ... ON CONFLICT, which both engines speak and SQLAlchemy spells by engine. Made once, compiled once."""

    def __init__(self, engine: Engine) -> None:
        insert = _inserter(engine)
        count = insert(t.counters)
        self.count = count.on_conflict_do_update(index_elements=["name"], set_={"n": t.counters.c.n + count.excluded.n})
        self.raw = insert(t.raw_messages).on_conflict_do_nothing(index_elements=["content_key"])
        self.delivery = (
            insert(t.deliveries)
            .on_conflict_do_nothing(index_elements=["channel", "mailbox", "remote_id"])
            .returning(t.deliveries.c.id)
        )
        self.job = insert(t.jobs).on_conflict_do_nothing(index_elements=["task", "subject"])
        again = insert(t.jobs)
        # A job that is being worked on is begun anew under a new attempt, which fences its worker off; one that is over has all its
        # attempts again.
        running = (t.jobs.c.state == literal_column("'leased'"), t.jobs.c.attempt + 1)
        self.job_again = again.on_conflict_do_update(
            index_elements=["task", "subject"],
            set_={"state": "due", "due_at": again.excluded.due_at, "attempt": case(running, else_=0)},
        )
        # Without a target: the same dedupe key gives the same Message-ID, and either may be seen first.
        mail = insert(t.outbox).on_conflict_do_nothing()
        self.mail = mail.returning(t.outbox.c.case_id, t.outbox.c.template)
        self.link = insert(t.case_links).on_conflict_do_nothing(index_elements=["low", "high"])
        self.setting = _replacing(insert, t.settings, ["name"])
        self.draft = _replacing(insert, t.drafts, ["code_hash"])
        self.mailbox = insert(t.mailboxes).on_conflict_do_nothing(index_elements=["name"])
        self.provider = _replacing(insert, t.providers, ["slug"])


def _inserter(engine: Engine) -> Any:
    if engine.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as on_sqlite

        return on_sqlite
    from sqlalchemy.dialects.postgresql import insert as on_postgresql

    return on_postgresql


def _replacing(insert: Any, table: Table, key: Sequence[str]) -> Insert:
    new = insert(table)
    others = {c.name: new.excluded[c.name] for c in table.c if c.name not in key}
    replacing: Insert = new.on_conflict_do_update(index_elements=key, set_=others)
    return replacing


def clashes_on(error: IntegrityError, table: str, column: str) -> bool:
    """Whether a unique constraint beginning with this column refused. SQLite names columns, PostgreSQL constraints."""
    said = str(error.orig)
    return f"{table}.{column}" in said or f"uq_{table}_{column}" in said


def batches(values: Iterable[Any], size: int = FAR) -> Iterator[list[Any]]:
    whole = list(values)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


CASE_BY_REFERENCE = select(t.cases).where(t.cases.c.reference == bindparam("reference"))
_linked, _other = t.case_links.alias(), t.cases.alias()
# Beside a row of `cases`: when the first of the notices that a person linked to it was known of.
LINKED_AWARE_AT = (
    select(func.min(func.coalesce(_other.c.aware_at, _other.c.received_at), type_=UTCDateTime))
    .select_from(_linked)
    .join(_other, _other.c.id == _linked.c.low + _linked.c.high - t.cases.c.id)
    .where(or_(_linked.c.low == t.cases.c.id, _linked.c.high == t.cases.c.id), _other.c.kind == CaseKind.BREACH_NOTICE)
    .correlate(t.cases)
    .scalar_subquery()
    .label("linked_aware_at")
)
CASE_TO_CHANGE = CASE_BY_REFERENCE.with_for_update()
_CHANGE_CASE = update(t.cases).where(t.cases.c.id == bindparam("case"))
