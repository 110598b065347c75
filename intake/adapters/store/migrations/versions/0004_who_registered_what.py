"""Who said that a domain or an address is a provider's, how they know, who agreed; and the history of the register.

Locks nothing: both are new tables. `register_events` refuses UPDATE and DELETE by trigger, like `case_events`; `register_head`
starts with the one row that says where its chain ends.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.adapters.store.types import Identity, UTCDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _registrations()
    _register_events()
    op.create_table(
        "register_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", Identity, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_head")),
    )
    op.execute("INSERT INTO register_head (id, seq, hash) VALUES (1, 0, '')")
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


_TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER register_events_no_{verb.lower()} BEFORE {verb} ON register_events "
        "BEGIN SELECT RAISE(ABORT, 'register_events is append only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION register_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'register_events is append only'; END $$",
        "CREATE TRIGGER register_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON register_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION register_events_append_only()",
    ],
}


def _registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", Identity, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=320), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("proven_on", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("proposed_by", sa.String(length=320), nullable=False),
        sa.Column("proposed_at", UTCDateTime, nullable=False),
        sa.Column("decided_by", sa.String(length=320), nullable=False),
        sa.Column("decided_at", UTCDateTime, nullable=True),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.ForeignKeyConstraint(["provider"], ["providers.slug"], name=op.f("fk_registrations_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
    )
    op.create_index("ix_registrations_provider", "registrations", ["provider"])
    op.create_index(
        "ix_registrations_waiting",
        "registrations",
        ["kind", "provider", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )


def _register_events() -> None:
    op.create_table(
        "register_events",
        sa.Column("seq", Identity, nullable=False, autoincrement=False),
        sa.Column("about", sa.String(length=400), nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_register_events")),
    )
    op.create_index("ix_register_events_about", "register_events", ["about"])
