"""Triage as use cases: what each act decides, on a real store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from intake import case_reading, judging, triage
from intake.domain.errors import Misconfigured
from intake.domain.model import Status
from intake.ports import Conflict, Staff
from tests.web.staff.office import CALM, GRAVE, Office, address_of

ME = Staff(address_of("triage"), "triage", "A. Example")
LEAD = Staff(address_of("privacy_lead"), "privacy_lead", "K. Example")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.parametrize(
    ("role", "sees", "works"),
    [
        ("triage", True, True),
        ("privacy_lead", True, True),
        ("security_lead", True, True),
        ("manager", True, True),
        ("records", True, False),
        ("auditor", True, False),
        ("admin", False, False),
        ("somebody", False, False),
    ],
)
def test_each_role_sees_and_works_what_it_should(office: Office, role: str, sees: bool, works: bool) -> None:
    row = office.case(office.notice(CALM)).row
    staff = Staff("x@ministry.example", role, "X")
    assert triage.may_see(staff, row) is sees
    assert triage.may_work(staff) is works
    gone = Staff("x@ministry.example", role, "X", active=False)
    assert not triage.may_see(gone, row) and not triage.may_work(gone)


def test_T41_a_case_that_names_a_colleague_is_hidden_from_the_desk(office: Office) -> None:
    reference = office.notice(CALM)
    row = office.case(reference).row
    office.store.change(reference, row.version, ME.address, "locked", "Names a colleague", {"marks": ("CONFLICT",)})
    row = office.case(reference).row
    assert not triage.may_see(ME, row)
    assert triage.may_see(LEAD, row)
    with pytest.raises(triage.NotNow):
        triage.assign(office.parts, LEAD, row, row.version, ME)


def test_T09_more_is_asked_of_the_registered_contact_with_a_time_to_ask_again(office: Office) -> None:
    reference = office.notice(GRAVE)
    case = office.case(reference)
    again = triage.ask_for_more(office.parts, ME, case, case.row.version, "OFFICE@kowhai-trust.example", ["B10"])
    assert (again - office.clock()).total_seconds() == 4 * 3600
    after = office.case(reference)
    assert after.row.status == Status.WAITING_PROVIDER
    asked = next(e for e in after.events if e.action == "asked")
    assert asked.detail["questions"] == ["B10"] and asked.detail["chaser"] == again.isoformat()


def test_an_answered_question_or_a_foreign_one_is_never_asked(office: Office) -> None:
    case = office.case(office.notice(GRAVE))
    with pytest.raises(triage.NotNow):
        triage.ask_for_more(
            office.parts, ME, case, case.row.version, "office@kowhai-trust.example", ["A10", "nonsense"]
        )
    assert not [m for m in office.store.mails(5) if m.template == "ask_for_more"]


def test_a_stale_page_changes_nothing(office: Office) -> None:
    reference = office.notice(GRAVE)
    seen = office.case(reference)
    triage.assign(office.parts, LEAD, seen.row, seen.row.version, LEAD)
    for act in (
        lambda: triage.assign(office.parts, ME, seen.row, seen.row.version, ME),
        lambda: judging.answer(office.parts, ME, seen, seen.row.version, "A07", "confirmed", {}),
        lambda: triage.close(office.parts, ME, seen, seen.row.version, "not_a_breach", "Nothing left."),
        lambda: judging.set_band(office.parts, ME, seen, seen.row.version, "S4", "No."),
        lambda: triage.ask_for_more(office.parts, ME, seen, seen.row.version, "office@kowhai-trust.example", ["B10"]),
    ):
        with pytest.raises(Conflict):
            act()
    assert office.case(reference).row.assignee == LEAD.address
    assert not [m for m in office.store.mails(5) if m.template == "ask_for_more"]


def test_a_flagged_answer_comes_before_an_unsure_one_and_confirming_settles_it(office: Office) -> None:
    reference = office.notice({**CALM, "A10": "professional", "B12": ["other_party_in_case"]})
    case = office.case(reference)
    wanted = case_reading.doubtful(case)
    assert set(wanted) >= {"A10", "B12"}
    judging.answer(office.parts, ME, case, case.row.version, "A10", "confirmed", {})
    assert "A10" not in case_reading.doubtful(office.case(reference))


def test_what_staff_change_is_judged_by_the_rules_of_the_case_and_not_by_newer_ones(office: Office) -> None:
    case = office.case(office.notice(GRAVE))
    assert case.severity is not None and case.due.rule
    of_once = replace(case, severity=replace(case.severity, rule_set="1999.1"))
    with pytest.raises(Misconfigured, match=r"no severity rule set '1999\.1'"):
        judging.answer(office.parts, ME, of_once, case.row.version, "A10", "confirmed", {})
    counted_once = replace(case, due=replace(case.due, rule="clocks 1999.1"))
    for act in (
        lambda: judging.answer(office.parts, ME, counted_once, case.row.version, "A10", "confirmed", {}),
        lambda: judging.set_band(office.parts, ME, counted_once, case.row.version, "S2", "Called them."),
    ):
        with pytest.raises(Misconfigured, match=r"no clock rule set '1999\.1'"):
            act()


def test_confirming_keeps_value_band_and_clocks(office: Office) -> None:
    reference = office.notice(GRAVE)
    before = office.case(reference)
    judging.answer(office.parts, ME, before, before.row.version, "A10", "confirmed", {})
    after = office.case(reference)
    assert (after.row.band, after.due) == (before.row.band, before.due)
    assert case_reading.standing(after)["A10"].value == "fear"


def test_whose_duty_it_is_follows_the_answer(office: Office) -> None:
    reference = office.notice(GRAVE)
    case = office.case(reference)
    judging.answer(office.parts, ME, case, case.row.version, "B17", "corrected", {"B17": "only_for_ministry"})
    assert office.case(reference).row.duty == "ministry"


def test_T21_a_time_that_clocks_showed_twice_counts_as_the_earlier(office: Office) -> None:
    reference = office.notice(GRAVE)
    case = office.case(reference)
    with pytest.raises(triage.NotNow, match="first"):
        judging.answer(
            office.parts, ME, case, case.row.version, "A08", "corrected", {"A08.at": "4 April 2027, 2:30 am"}
        )


def test_a_correction_cannot_reach_into_another_question(office: Office) -> None:
    reference = office.notice(GRAVE)
    case = office.case(reference)
    judging.answer(
        office.parts, ME, case, case.row.version, "A09", "corrected", {"A09": "contained", "A10": "nobody_outside"}
    )
    assert case_reading.standing(office.case(reference))["A10"].value == "fear"


def test_T13_two_notices_of_one_breach_are_linked_by_a_person_and_stay_two(office: Office) -> None:
    one, other = office.notice(GRAVE), office.notice({**GRAVE, "A06": "The contractor tells it too."}, subject="Same")
    triage.link(office.parts, ME, office.case(one).row, office.case(other).row)
    assert office.case(one).linked == (other,) and office.case(other).linked == (one,)
    with pytest.raises(triage.NotNow):
        triage.link(office.parts, ME, office.case(one).row, office.case(one).row)


def test_no_act_sends_mail_to_an_address_that_is_not_registered(office: Office) -> None:
    reference = office.notice(GRAVE, sender="Pat <pat.example@gmail.com>")
    case = office.case(reference)
    with pytest.raises(triage.NotNow, match="which provider"):
        triage.write(office.parts, ME, case.row, case.row.version, "pat.example@gmail.com", "Hello")
    triage.choose_provider(office.parts, ME, case.row, case.row.version, "kowhai")
    row = office.case(reference).row
    with pytest.raises(triage.NotNow, match="registered contacts"):
        triage.write(office.parts, ME, row, row.version, "pat.example@gmail.com", "Hello")
