"""Sender checks that DNS gave no answer for: which they are, and when each is tried again by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from intake.domain.model import SenderCheck
from intake.domain.sender import NOT_CHECKED

# After filing. Most silences are over in minutes; a domain that is dark for a day is for a person.
TRIES = (timedelta(minutes=15), timedelta(hours=3), timedelta(hours=20))


def unanswered(check: SenderCheck) -> bool:
    """Whether a part that could still prove the sender was not answered, in the mail itself or in the one inside."""
    open_part = check.standing != "pass" and any(e.code in NOT_CHECKED for e in check.evidence)
    return open_part or (check.inner is not None and unanswered(check.inner))


def next_try(filed_at: datetime, now: datetime) -> datetime | None:
    """When a check that was not answered is tried next; None when it was tried often enough.

    It follows from the time of filing alone, so no try is lost with a process, and none is made twice.
    """
    return next((filed_at + wait for wait in TRIES if filed_at + wait > now), None)
