"""Providers, messages, jobs, cases and their history.

Locks nothing: there is nothing yet. `case_events` refuses UPDATE and DELETE by trigger on both engines; `event_head`
starts with the one row that says where the chain ends.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.adapters.store.types import Identity, UTCDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    _providers()
    _controlled_domains()
    _accounts()
    _raw_messages()
    _deliveries()
    _jobs()
    _documents()
    _cases()
    _submissions()
    _answers()
    _event_head()
    _case_events()
    op.execute("INSERT INTO event_head (id, seq, hash) VALUES (1, 0, '')")
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


_TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER case_events_no_{verb.lower()} BEFORE {verb} ON case_events "
        "BEGIN SELECT RAISE(ABORT, 'case_events is append only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION case_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'case_events is append only'; END $$",
        "CREATE TRIGGER case_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION case_events_append_only()",
    ],
}


def _providers() -> None:
    op.create_table(
        "providers",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("services", sa.Text, nullable=False),
        sa.Column("relationship_manager", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_providers")),
    )


def _controlled_domains() -> None:
    op.create_table(
        "controlled_domains",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["provider"], ["providers.slug"], name=op.f("fk_controlled_domains_provider")),
        sa.PrimaryKeyConstraint("provider", "domain", name=op.f("pk_controlled_domains")),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["provider"], ["providers.slug"], name=op.f("fk_accounts_provider")),
        sa.PrimaryKeyConstraint("provider", "kind", "address", name=op.f("pk_accounts")),
    )


def _raw_messages() -> None:
    op.create_table(
        "raw_messages",
        sa.Column("id", Identity, nullable=False),
        sa.Column("content_key", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", Identity, nullable=False),
        sa.Column("blob", sa.String(length=120), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("mailbox", sa.String(length=120), nullable=False),
        sa.Column("received_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_messages")),
        sa.UniqueConstraint("content_key", name=op.f("uq_raw_messages_content_key")),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Identity, nullable=False),
        sa.Column("raw_id", Identity, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("mailbox", sa.String(length=120), nullable=False),
        sa.Column("remote_id", sa.String(length=300), nullable=False),
        sa.Column("received_at", UTCDateTime, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_messages.id"], name=op.f("fk_deliveries_raw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("channel", "mailbox", "remote_id", name=op.f("uq_deliveries_channel_mailbox_remote_id")),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["id"],
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", Identity, nullable=False),
        sa.Column("task", sa.String(length=40), nullable=False),
        sa.Column("subject", Identity, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", UTCDateTime, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", UTCDateTime, nullable=True),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("task", "subject", name=op.f("uq_jobs_task_subject")),
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["priority", "due_at", "id"],
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["state", "lease_until"],
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", Identity, nullable=False),
        sa.Column("raw_id", Identity, nullable=False),
        sa.Column("delivery_id", Identity, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", Identity, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("read_as", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_documents_delivery_id")),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_messages.id"], name=op.f("fk_documents_raw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_raw_id"), "documents", ["raw_id"])
    op.create_index(op.f("ix_documents_sha256"), "documents", ["sha256"])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", Identity, nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("raw_id", Identity, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("closed", sa.SmallInteger, nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=True),
        sa.Column("provider_name", sa.Text, nullable=False),
        sa.Column("says_provider", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("band", sa.String(length=4), nullable=True),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("sender_line", sa.Text, nullable=False),
        sa.Column("first_reasons", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("next_due", UTCDateTime, nullable=True),
        sa.Column("next_due_what", sa.String(length=20), nullable=False),
        sa.Column("due_order", UTCDateTime, nullable=False),
        sa.Column("received_at", UTCDateTime, nullable=False),
        sa.Column("aware_at", UTCDateTime, nullable=True),
        sa.Column("contacted_at", UTCDateTime, nullable=True),
        sa.Column("assignee", sa.String(length=320), nullable=True),
        sa.Column("duty", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=True),
        sa.Column("edition", sa.String(length=20), nullable=True),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=True),
        sa.Column("score", sa.Text, nullable=True),
        sa.Column("due", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("outcome_reason", sa.Text, nullable=False),
        sa.CheckConstraint("closed IN (0, 1)", name=op.f("ck_cases_closed")),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_messages.id"], name=op.f("fk_cases_raw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("raw_id", "n", name=op.f("uq_cases_raw_id_n")),
        sa.UniqueConstraint("reference", name=op.f("uq_cases_reference")),
    )
    op.create_index("ix_cases_assignee_queue", "cases", ["closed", "assignee", "due_order", "id"])
    op.create_index("ix_cases_changed_at", "cases", ["changed_at"])
    op.create_index("ix_cases_kind_queue", "cases", ["closed", "kind", "due_order", "id"])
    op.create_index("ix_cases_provider_queue", "cases", ["provider", "closed", "due_order", "id"])
    op.create_index("ix_cases_queue", "cases", ["closed", "due_order", "id"])


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", Identity, nullable=False),
        sa.Column("raw_id", Identity, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("delivery_id", Identity, nullable=False),
        sa.Column("case_id", Identity, nullable=True),
        sa.Column("filed_at", UTCDateTime, nullable=False),
        sa.Column("message_id", sa.String(length=1000), nullable=False),
        sa.Column("sender_address", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=True),
        sa.Column("edition", sa.String(length=20), nullable=True),
        sa.Column("document", sa.Integer, nullable=True),
        sa.Column("answers", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_submissions_case_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_submissions_delivery_id")),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_messages.id"], name=op.f("fk_submissions_raw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("raw_id", "n", name=op.f("uq_submissions_raw_id_n")),
    )
    op.create_index(op.f("ix_submissions_case_id"), "submissions", ["case_id"])
    op.create_index(
        "ix_submissions_message_id",
        "submissions",
        ["message_id"],
        sqlite_where=sa.text("message_id <> ''"),
        postgresql_where=sa.text("message_id <> ''"),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", Identity, nullable=False),
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_answers_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_case_id"), "answers", ["case_id"])


def _event_head() -> None:
    op.create_table(
        "event_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", Identity, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_head")),
    )


def _case_events() -> None:
    op.create_table(
        "case_events",
        sa.Column("seq", Identity, autoincrement=False, nullable=False),
        sa.Column("case_id", Identity, nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_case_events")),
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"])
