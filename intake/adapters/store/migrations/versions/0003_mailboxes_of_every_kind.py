"""Where a mailbox of any kind stands: who opened it, when the access ends, and what lies in it.

Locks the table of mailboxes for an instant; it has one row a mailbox.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.adapters.store.types import UTCDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("mailboxes", sa.Column("account", sa.String(length=320), nullable=True))
    op.add_column("mailboxes", sa.Column("access_ends", UTCDateTime, nullable=True))
    op.add_column("mailboxes", sa.Column("counted", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("counted_before", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("ledger", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("counted_at", UTCDateTime, nullable=True))
    op.add_column("mailboxes", sa.Column("echo_sent_at", UTCDateTime, nullable=True))
    op.add_column("mailboxes", sa.Column("echo_seen_at", UTCDateTime, nullable=True))
    op.add_column("mailboxes", sa.Column("unstamped", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("shapes", sa.Text, nullable=True))
