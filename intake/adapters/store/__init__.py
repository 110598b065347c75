"""The database: one store for SQLite and PostgreSQL. Importing this is cheap; SQLAlchemy comes with the first open.

migrate(url)                     bring the tables up to date (at once when they are)
open_store(url, clock)           -> SqlStore, all of the store Protocols of intake.ports
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intake.adapters.store.sql import SqlStore as SqlStore  # for annotations elsewhere
    from intake.ports import Clock

HEAD = "0005"  # the newest revision in migrations/versions; a test compares


def open_store(url: str, clock: Clock, mail_domain: str = "intake.invalid") -> SqlStore:
    """A store on a database that is up to date (see `migrate`).

    url: an SQLAlchemy URL, `sqlite:///path` or `postgresql://...`. mail_domain: the right side of the Message-ID of
    each mail that leaves.
    """
    from intake.adapters.store.engine import connect
    from intake.adapters.store.sql import SqlStore

    return SqlStore(connect(url), clock, mail_domain)


def migrate(url: str) -> str | None:
    """Make the tables, or bring them to HEAD. Returns the revision that was found, None for an empty database.

    Raises TryLater when it cannot be reached. A database that is up to date costs one look and does not load Alembic.
    """
    from intake.adapters.store.engine import connect, reachable, revision

    engine = connect(url)
    try:
        with reachable():
            found = revision(engine)
        if found != HEAD:
            from intake.adapters.store.migrations.upgrade import upgrade

            upgrade(engine)
        return found
    finally:
        engine.dispose()
