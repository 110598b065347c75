"""Since when a mailbox is in trouble, so that operators are told of trouble that lasts. Locks `mailboxes` for a moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.adapters.store.types import UTCDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("mailboxes", sa.Column("error_since", UTCDateTime, nullable=True))
