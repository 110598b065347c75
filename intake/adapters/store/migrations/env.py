"""Alembic's entry. Used through `upgrade.py`, and by the `alembic` command when a new revision is written."""

from __future__ import annotations

from alembic import context

from intake.adapters.store.engine import connect
from intake.adapters.store.tables import metadata


def run() -> None:
    engine = context.config.attributes.get("engine") or connect(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,  # SQLite changes a column by copying its table
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
