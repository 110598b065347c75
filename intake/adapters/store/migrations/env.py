"""Alembic's entry. Used through `upgrade.py`, and by the `alembic` command when a new revision is written."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from intake.adapters.store.engine import connect
from intake.adapters.store.tables import also_for_postgresql, metadata

_LOCK = 7_217_301  # any number, the same for every process that migrates


def run() -> None:
    """All revisions in one transaction, on both engines; of two that start together one waits and finds it done."""
    engine = context.config.attributes.get("engine") or connect(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            also_for_postgresql()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,  # SQLite changes a column by copying its table
            transactional_ddl=True,  # SQLite can, since `engine.py` begins its transactions itself
        )
        with context.begin_transaction():
            context.run_migrations()


run()
