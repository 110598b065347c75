"""What is due next on a case, for every kind and status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from intake.domain.model import CaseKind, Due, Severity, Status
from intake.domain.next_due import added_to, next_due

CAME = datetime(2026, 9, 1, 20, 0, tzinfo=UTC)
CONTACT, DECISION, READ, PLAN = (CAME + timedelta(hours=h) for h in (4, 48, 120, 480))
NOTICE = Due(first_contact=CONTACT, decision=DECISION, marker_72h=CAME + timedelta(hours=72), rule="clocks 2026.1")
ASSESSMENT = Due(read_by=READ, plan_by=PLAN)
BREACH, SELF, OTHER = CaseKind.BREACH_NOTICE, CaseKind.SELF_ASSESSMENT, CaseKind.OTHER


@pytest.mark.parametrize(
    ("kind", "status", "due", "contacted", "expected"),
    [
        (BREACH, Status.OPEN, NOTICE, False, (CONTACT, "first_contact")),
        (BREACH, Status.NEEDS_PERSON, NOTICE, False, (CONTACT, "first_contact")),
        (BREACH, Status.OPEN, NOTICE, True, (DECISION, "decision")),
        (BREACH, Status.WAITING_PROVIDER, NOTICE, True, (DECISION, "decision")),
        (BREACH, Status.OPEN, Due(), False, (CAME, "first_contact")),
        (BREACH, Status.OPEN, Due(), True, (CAME, "decision")),
        (BREACH, Status.DECIDED, NOTICE, True, (None, "")),
        (BREACH, Status.CLOSED, NOTICE, False, (None, "")),
        (SELF, Status.OPEN, ASSESSMENT, False, (READ, "read")),
        (SELF, Status.OPEN, ASSESSMENT, True, (PLAN, "plan")),
        (SELF, Status.HELD, ASSESSMENT, False, (READ, "check_sender")),
        (SELF, Status.PLAN_RUNNING, ASSESSMENT, True, (PLAN, "plan")),
        (SELF, Status.DECIDED, ASSESSMENT, True, (PLAN, "plan")),
        (SELF, Status.CLOSED, ASSESSMENT, True, (None, "")),
        (OTHER, Status.OPEN, Due(read_by=READ), False, (READ, "read")),
        (OTHER, Status.OPEN, Due(read_by=READ), True, (READ, "read")),
        (OTHER, Status.NEEDS_PERSON, Due(), False, (CAME, "read")),
        (OTHER, Status.HELD, Due(), False, (CAME, "check_sender")),
        (OTHER, Status.WAITING_PROVIDER, Due(read_by=READ), True, (None, "")),
    ],
)
def test_the_next_thing_follows_from_kind_status_and_clocks(
    kind: CaseKind, status: Status, due: Due, contacted: bool, expected: tuple[datetime | None, str]
) -> None:
    assert next_due(kind, status, due, CAME, contacted) == expected


@pytest.mark.parametrize("kind", list(CaseKind))
@pytest.mark.parametrize("status", [Status.HELD, Status.NEEDS_PERSON, Status.OPEN])
def test_a_case_that_nobody_has_touched_is_always_due(kind: CaseKind, status: Status) -> None:
    for due in (Due(), NOTICE, ASSESSMENT, Due(plan_by=PLAN), Due(decision=DECISION)):
        assert next_due(kind, status, due, CAME)[0] is not None


def severity(band: str, by: str = "rule") -> Severity:
    return Severity(band, (), (), (), "likely", "2026.1", by)


def test_more_of_a_notice_may_make_a_case_more_urgent() -> None:
    sooner = replace(NOTICE, first_contact=CAME + timedelta(hours=1), decision=DECISION + timedelta(hours=9))

    assert added_to(severity("S3", "ana"), NOTICE, severity("S1"), sooner) == (
        severity("S1"),
        replace(NOTICE, first_contact=sooner.first_contact),
    )


@pytest.mark.parametrize("more", [None, severity("S4"), severity("S2")])
def test_more_of_a_notice_never_makes_a_case_calmer(more: Severity | None) -> None:
    later = Due(first_contact=CAME + timedelta(days=9), rule="clocks 2027.1")

    assert added_to(severity("S2", "ana"), NOTICE, more, later) == (severity("S2", "ana"), NOTICE)


def test_the_first_reading_of_a_case_without_a_band_is_taken() -> None:
    assert added_to(None, Due(read_by=READ), severity("S4"), NOTICE) == (
        severity("S4"),
        replace(NOTICE, read_by=READ),
    )
