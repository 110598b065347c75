"""The tables, as SQLAlchemy Core sees them. The Alembic line in `migrations/` makes them; a test compares both.

Lists and objects are JSON text: nothing filters on what is inside. Every filter of the queue has a column and an index.
Constraints have names, so that a clash can be told apart and a migration can change them on both engines.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from intake.adapters.store.types import Identity, UTCDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _partial(name: str, where: str, *columns: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), info={"where": where})


def also_for_postgresql() -> None:
    """Say to PostgreSQL too where a partial index holds. Apart, because to name that dialect is to load it: 70 ms."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info["where"])


# ---- the register of providers -------------------------------------------------------------------

providers = Table(
    "providers",
    metadata,
    Column("slug", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("services", Text, nullable=False),
    Column("relationship_manager", Text, nullable=False),
    Column("phone", Text, nullable=False),
)

controlled_domains = Table(
    "controlled_domains",
    metadata,
    Column("provider", ForeignKey("providers.slug"), primary_key=True),
    Column("domain", String(255), primary_key=True),
    Column("place", Integer, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("provider", ForeignKey("providers.slug"), primary_key=True),
    Column("kind", String(20), primary_key=True),  # contact, exception
    Column("address", String(320), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", String(10), nullable=False),
)

registrations = Table(
    "registrations",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("kind", String(20), nullable=False),  # domain, exception
    Column("provider", ForeignKey("providers.slug"), nullable=False, index=True),
    Column("subject", String(320), nullable=False),  # the domain or the address
    Column("state", String(12), nullable=False),  # proposed, registered, refused, withdrawn
    Column("method", String(20), nullable=False),
    Column("proven_on", String(10), nullable=False),
    Column("words", Text, nullable=False),
    Column("until", String(10), nullable=False),
    Column("proposed_by", String(320), nullable=False),
    Column("proposed_at", UTCDateTime, nullable=False),
    Column("decided_by", String(320), nullable=False),
    Column("decided_at", UTCDateTime),
    Column("decision", Text, nullable=False),
    Column("version", Integer),  # of the register, from which on it holds
    _partial("ix_registrations_waiting", "state = 'proposed'", "kind", "provider", "subject", unique=True),
)

register_events = Table(
    "register_events",
    metadata,
    Column("seq", Identity, primary_key=True, autoincrement=False),  # without a gap
    Column("about", String(400), nullable=False, index=True),  # the provider's slug, "" for an import of many
    Column("at", UTCDateTime, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("action", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", String(64), nullable=False),  # of text and detail
    Column("hash", String(64), nullable=False),  # of the hash before, and this row
)

register_head = Table(
    "register_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Identity, nullable=False),
    Column("hash", String(64), nullable=False),
)

# ---- what arrived --------------------------------------------------------------------------------

raw_messages = Table(
    "raw_messages",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("content_key", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Identity, nullable=False),
    Column("blob", String(120), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("mailbox", String(120), nullable=False),
    Column("received_at", UTCDateTime, nullable=False),
    UniqueConstraint("content_key"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("raw_id", ForeignKey("raw_messages.id"), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("mailbox", String(120), nullable=False),
    Column("remote_id", String(300), nullable=False),
    Column("received_at", UTCDateTime, nullable=False),
    Column("outcome", String(20)),  # null while it waits
    UniqueConstraint("channel", "mailbox", "remote_id"),
    _partial("ix_deliveries_waiting", "outcome IS NULL", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("task", String(40), nullable=False),
    Column("subject", Identity, nullable=False),  # a delivery or a case
    Column("priority", SmallInteger, nullable=False),  # the smaller goes first
    Column("state", String(10), nullable=False),  # due, leased, person, done
    Column("due_at", UTCDateTime, nullable=False),
    Column("attempt", Integer, nullable=False),  # the fencing token
    Column("lease_until", UTCDateTime),
    Column("worker", String(120), nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("task", "subject"),
    _partial("ix_jobs_due", "state = 'due'", "priority", "due_at", "id"),
    _partial("ix_jobs_open", "state <> 'done'", "state", "lease_until"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("raw_id", ForeignKey("raw_messages.id"), nullable=False, index=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size", Identity, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("read_as", Text, nullable=False),  # JSON: what was read, but for the answers
    Column("answers", Text, nullable=False),  # JSON: {question: [value, how, page, box, confidence]}
)

# ---- cases ---------------------------------------------------------------------------------------

cases = Table(
    "cases",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("reference", String(20), nullable=False),
    Column("raw_id", ForeignKey("raw_messages.id"), nullable=False),
    Column("n", Integer, nullable=False),  # a message may open a breach notice and a self-assessment
    Column("kind", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("closed", SmallInteger, nullable=False),  # 0 or 1
    Column("provider", String(80)),
    Column("provider_name", Text, nullable=False),
    Column("says_provider", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("band", String(4)),
    Column("verdict", String(30), nullable=False),
    Column("sender_line", Text, nullable=False),
    Column("first_reasons", Text, nullable=False),  # JSON: at most two sentences for the queue
    Column("marks", Text, nullable=False),  # JSON: codes
    Column("next_due", UTCDateTime),
    Column("next_due_what", String(20), nullable=False),
    Column("due_order", UTCDateTime, nullable=False),  # next_due, or far away: no null in a keyset
    Column("received_at", UTCDateTime, nullable=False),
    Column("aware_at", UTCDateTime),
    Column("contacted_at", UTCDateTime),  # the first human contact
    Column("assignee", String(320)),
    Column("duty", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
    Column("search", Text, nullable=False),  # folded: no case, no macrons
    Column("form", String(40)),
    Column("edition", String(20)),
    Column("sender", Text, nullable=False),  # this and the next: JSON of the model's value
    Column("severity", Text),
    Column("score", Text),
    Column("due", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("outcome_reason", Text, nullable=False),
    UniqueConstraint("reference"),
    UniqueConstraint("raw_id", "n"),
    CheckConstraint("closed IN (0, 1)", name="closed"),
    Index("ix_cases_queue", "closed", "due_order", "id"),
    Index("ix_cases_kind_queue", "closed", "kind", "due_order", "id"),
    Index("ix_cases_assignee_queue", "closed", "assignee", "due_order", "id"),
    Index("ix_cases_provider_queue", "provider", "closed", "due_order", "id"),
    Index("ix_cases_changed_at", "changed_at"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("raw_id", ForeignKey("raw_messages.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("case_id", ForeignKey("cases.id"), index=True),
    Column("filed_at", UTCDateTime, nullable=False),
    Column("message_id", String(1000), nullable=False),
    Column("sender_address", Text, nullable=False),
    Column("sender", Text, nullable=False),  # JSON; like subject and body kept with n = 0 only
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("form", String(40)),
    Column("edition", String(20)),
    Column("document", Integer),  # documents.n that the answers come from
    Column("answers", Text, nullable=False),  # JSON as in documents; as read, never changed
    UniqueConstraint("raw_id", "n"),
    _partial("ix_submissions_message_id", "message_id <> ''", "message_id"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("question", String(60), nullable=False),
    Column("value", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("by", String(320), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("how", String(20), nullable=False),  # confirmed, corrected, unreadable, entered
)

case_events = Table(
    "case_events",
    metadata,
    Column("seq", Identity, primary_key=True, autoincrement=False),  # without a gap
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("action", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", String(64), nullable=False),  # of text and detail
    Column("hash", String(64), nullable=False),  # of the hash before, and this row
)

event_head = Table(
    "event_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Identity, nullable=False),
    Column("hash", String(64), nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("kind", String(10), nullable=False),  # note, call
    Column("text", Text, nullable=False),
)

case_links = Table(
    "case_links",
    metadata,
    Column("low", ForeignKey("cases.id"), primary_key=True),
    Column("high", ForeignKey("cases.id"), primary_key=True, index=True),
)

plan_items = Table(
    "plan_items",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("control", String(60), nullable=False),
    Column("what", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("by_when", String(10), nullable=False),  # YYYY-MM
    Column("cost", Boolean(name="cost"), nullable=False),
    Column("interim", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("how_many", Integer),
    Column("controlled_by", String(40), nullable=False),
    Column("used_by_role", Text, nullable=False),
    Column("mitigations", Text, nullable=False),  # JSON: codes
    Column("review_by", String(10), nullable=False),  # YYYY-MM
)

# ---- what leaves ---------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("dedupe", String(300), nullable=False),
    Column("message_id", String(200), nullable=False),
    Column("case_id", ForeignKey("cases.id"), index=True),
    Column("actor", String(320), nullable=False),
    Column("to_address", Text, nullable=False),
    Column("to_key", String(320), nullable=False),  # in lower case without +detail, to count by
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("template", String(80), nullable=False),
    Column("headers", Text, nullable=False),
    Column("state", String(10), nullable=False),  # queued, sending, sent, failed, bounced
    Column("due_at", UTCDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("error", Text, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("sent_at", UTCDateTime),
    UniqueConstraint("dedupe"),
    UniqueConstraint("message_id"),
    _partial("ix_outbox_queued", "state = 'queued'", "due_at", "id"),
    _partial("ix_outbox_sending", "state = 'sending'", "lease_until"),
    Index("ix_outbox_to_key", "to_key", "created_at"),
    Index("ix_outbox_created_at", "created_at"),
)

# ---- people and their drafts ---------------------------------------------------------------------

staff = Table(
    "staff",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Boolean(name="active"), nullable=False),
)

grants = Table(  # access to one case beyond the role
    "grants",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("address", ForeignKey("staff.address"), nullable=False, index=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_by", String(320), nullable=False),
    Column("granted_at", UTCDateTime, nullable=False),
    Column("until", UTCDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("address", ForeignKey("staff.address"), nullable=False),
    Column("started_at", UTCDateTime, nullable=False),
    Column("seen_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("address", String(320), nullable=False),
    Column("binding_hash", String(64), nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("used_at", UTCDateTime),
)

drafts = Table(
    "drafts",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("form", String(60), nullable=False),
    Column("answers_cipher", LargeBinary, nullable=False),
    Column("saved_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
)

# ---- the house itself ----------------------------------------------------------------------------

counters = Table(
    "counters",
    metadata,
    Column("name", String(400), primary_key=True),
    Column("n", Identity, nullable=False),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("uid_validity", Identity),
    Column("last_uid", Identity, nullable=False),
    Column("last_contact", UTCDateTime),
    Column("last_message", UTCDateTime),
    Column("error", Text, nullable=False),
    Column("error_since", UTCDateTime),
    Column("account", String(320)),
    Column("access_ends", UTCDateTime),
    Column("counted", Integer),
    Column("counted_before", Integer),
    Column("ledger", Integer),
    Column("counted_at", UTCDateTime),
    Column("echo_sent_at", UTCDateTime),
    Column("echo_seen_at", UTCDateTime),
    Column("unstamped", Integer),
    Column("shapes", Text),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)
