"""What is due next on a case, and when: the one column by which the queue is sorted.

Also what a message that is added to a case may do to its clocks. Pure functions; times are aware UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from intake.domain.model import CaseKind, Due, Severity, Status


def next_due(
    kind: CaseKind, status: Status, due: Due, received_at: datetime, contacted: bool = False
) -> tuple[datetime | None, str]:
    """When the next thing is due and what it is: check_sender, read, first_contact, decision, plan, or nothing ("").

    contacted: a person of the Ministry has spoken or written to the provider. A case on which somebody must act and for
    which no time was counted is due since it came: it stands at the top and is not forgotten at the bottom. The 72-hour
    marker is a mark on the case, never the queue's order. Source: docs/clocks.md.
    """
    if status is Status.CLOSED:
        return None, ""
    if status is Status.HELD:
        return due.read_by or due.first_contact or received_at, "check_sender"
    if status is Status.NEEDS_PERSON and not due.first_contact:
        return due.read_by or received_at, "read"
    if status in (Status.DECIDED, Status.PLAN_RUNNING):
        return (due.plan_by, "plan") if due.plan_by else (None, "")
    if kind is CaseKind.BREACH_NOTICE or due.first_contact:
        return _notice(due, received_at, contacted)
    if contacted and due.plan_by:
        return due.plan_by, "plan"
    if contacted and status in (Status.WAITING_PROVIDER, Status.WAITING_OTHER):
        return None, ""
    return due.read_by or received_at, "read"


def _notice(due: Due, received_at: datetime, contacted: bool) -> tuple[datetime | None, str]:
    if not contacted:
        return due.first_contact or received_at, "first_contact"
    return due.decision or received_at, "decision"


def added_to(severity: Severity | None, due: Due, more: Severity | None, more_due: Due) -> tuple[Severity | None, Due]:
    """Severity and clocks of a case after another message of its provider was added: more urgent perhaps, never calmer.

    more: what the rule says of all answers together. A band set by a person stays, unless the rule now finds worse:
    no incoming mail can talk a case down. The 72 hours count from the earliest time of knowing that was ever told.
    """
    due = _known_earlier(due, more_due)
    if more is None or (severity is not None and more.band >= severity.band):
        return severity, due
    return more, replace(
        due,
        first_contact=_earlier(due.first_contact, more_due.first_contact),
        decision=_earlier(due.decision, more_due.decision),
        rule=more_due.rule or due.rule,
    )


def _known_earlier(due: Due, more: Due) -> Due:
    """A time of knowing that is now told takes the place of one that was only about, and an earlier one of a later one."""
    told = more.marker_72h is not None and not more.marker_about
    if told and (due.marker_about or due.marker_72h is None):
        return replace(due, marker_72h=_earlier(due.marker_72h, more.marker_72h), marker_about=False)
    return replace(due, marker_72h=_earlier(due.marker_72h, more.marker_72h))


def back_before_staff(status: Status) -> Status:
    """The state after its provider wrote again: what waited for them, or was closed, is work for staff once more."""
    return Status.OPEN if status in (Status.WAITING_PROVIDER, Status.CLOSED) else status


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    times = [t for t in (one, other) if t is not None]
    return min(times, default=None)
