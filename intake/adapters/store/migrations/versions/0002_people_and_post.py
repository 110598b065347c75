"""What leaves, people with their sessions and drafts, notes and registers of a case, counters.

Locks nothing: only new tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.adapters.store.types import Identity, UTCDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _counters()
    _drafts()
    _mailboxes()
    _one_time_links()
    _settings()
    _staff()
    _sessions()
    _case_links()
    _devices()
    _grants()
    _notes()
    _outbox()
    _plan_items()


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("n", Identity, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("answers_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", UTCDateTime, nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_drafts")),
    )


def _mailboxes() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("uid_validity", Identity, nullable=True),
        sa.Column("last_uid", Identity, nullable=False),
        sa.Column("last_contact", UTCDateTime, nullable=True),
        sa.Column("last_message", UTCDateTime, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mailboxes")),
    )


def _one_time_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("binding_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        sa.Column("used_at", UTCDateTime, nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_links")),
    )


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean(name="active"), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_staff")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("started_at", UTCDateTime, nullable=False),
        sa.Column("seen_at", UTCDateTime, nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["address"], ["staff.address"], name=op.f("fk_sessions_address")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )


def _case_links() -> None:
    op.create_table(
        "case_links",
        sa.Column("low", Identity, nullable=False),
        sa.Column("high", Identity, nullable=False),
        sa.ForeignKeyConstraint(["high"], ["cases.id"], name=op.f("fk_case_links_high")),
        sa.ForeignKeyConstraint(["low"], ["cases.id"], name=op.f("fk_case_links_low")),
        sa.PrimaryKeyConstraint("low", "high", name=op.f("pk_case_links")),
    )
    op.create_index(op.f("ix_case_links_high"), "case_links", ["high"])


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("how_many", sa.Integer, nullable=True),
        sa.Column("controlled_by", sa.String(length=40), nullable=False),
        sa.Column("used_by_role", sa.Text, nullable=False),
        sa.Column("mitigations", sa.Text, nullable=False),
        sa.Column("review_by", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_devices_case_id")),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_devices")),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", Identity, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("granted_by", sa.String(length=320), nullable=False),
        sa.Column("granted_at", UTCDateTime, nullable=False),
        sa.Column("until", UTCDateTime, nullable=True),
        sa.ForeignKeyConstraint(["address"], ["staff.address"], name=op.f("fk_grants_address")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_grants_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_address"), "grants", ["address"])


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", Identity, nullable=False),
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_notes_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_case_id"), "notes", ["case_id"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Identity, nullable=False),
        sa.Column("dedupe", sa.String(length=300), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("case_id", Identity, nullable=True),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("to_address", sa.Text, nullable=False),
        sa.Column("to_key", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("template", sa.String(length=80), nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", UTCDateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", UTCDateTime, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("sent_at", UTCDateTime, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_outbox_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_outbox_dedupe")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    op.create_index(op.f("ix_outbox_case_id"), "outbox", ["case_id"])
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"])
    op.create_index(
        "ix_outbox_queued",
        "outbox",
        ["due_at", "id"],
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_outbox_sending",
        "outbox",
        ["lease_until"],
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index("ix_outbox_to_key", "outbox", ["to_key", "created_at"])


def _plan_items() -> None:
    op.create_table(
        "plan_items",
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("control", sa.String(length=60), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("by_when", sa.String(length=10), nullable=False),
        sa.Column("cost", sa.Boolean(name="cost"), nullable=False),
        sa.Column("interim", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_plan_items_case_id")),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_plan_items")),
    )
