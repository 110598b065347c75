"""How a connection is made, and what a transaction is, on each engine.

SQLite: WAL, synchronous FULL (a commit is on the disk before it is said), foreign keys on, five seconds of patience
with another writer, and BEGIN IMMEDIATE for whatever writes: reading first and writing later in one deferred
transaction ends in "database is locked" without any patience.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import InterfaceError, OperationalError

from intake.domain.errors import TryLater

READING = "intake_reading"  # an execution option: this connection writes nothing
_BUSY_MS = 5000
RETRY_SECONDS = 5.0
_UNREACHABLE = (
    "The database cannot be reached or has no room. Nothing was written; it is tried again. "
    "Start the server or mend INTAKE_DATABASE_URL."
)
# BEGIN goes to the driver by the shortest way (see `_sqlite`), so a lock that lasts comes as the driver says it.
_AWAY = (OperationalError, InterfaceError, sqlite3.OperationalError)


@contextmanager
def reachable() -> Iterator[None]:
    """Raises TryLater for a database that is away, locked for too long, or full."""
    try:
        yield
    except _AWAY as error:
        raise TryLater(_UNREACHABLE, RETRY_SECONDS) from error


def connect(url: str) -> Engine:
    """An engine for the URL; nothing is opened yet."""
    parsed = make_url(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def _postgresql(url: URL) -> Engine:
    # pre_ping: a server that was restarted costs one look, not an error for whoever comes next.
    return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("The database must be a file: several threads and processes share it.")
    engine = create_engine(url, hide_parameters=True)  # an error must not print what somebody wrote

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _: object) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself; `begun` below does
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        # Straight to the driver: through SQLAlchemy this one word costs as much as a whole look-up.
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def revision(engine: Engine) -> str | None:
    """The revision that the database stands at; None when it has no tables of ours."""
    with engine.execution_options(**{READING: True}).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found
