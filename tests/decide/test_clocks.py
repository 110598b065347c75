"""What is due when, with the examples that two people must count to the same minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays

from intake.domain import clocks
from intake.domain.clock_rules_file import clock_rules
from intake.domain.errors import Misconfigured
from intake.domain.rule_set import editions

NZ = ZoneInfo("Pacific/Auckland")


def nz(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NZ).astimezone(UTC)


def shown(instant: datetime | None) -> str:
    assert instant is not None and instant.utcoffset() == timedelta(0)
    return instant.astimezone(NZ).strftime("%Y-%m-%d %H:%M %Z")


@pytest.mark.parametrize(
    ("aware", "ends"),
    [
        ("2026-09-26 02:00", "2026-09-29 03:00 NZDT"),
        ("2027-04-03 02:00", "2027-04-06 01:00 NZST"),
        ("2026-12-25 02:00", "2026-12-28 02:00 NZDT"),
    ],
)
def test_72_hours_are_elapsed_hours_across_every_change_of_clocks(aware: str, ends: str):
    due = clocks.due_for_notice("S3", nz(aware), nz(aware), aware_about=False)

    assert shown(due.marker_72h) == ends
    assert not due.marker_about


def test_T20_a_notice_at_2_am_on_christmas_day_is_counted_like_any_other():
    night = nz("2026-12-25 02:00")

    due = clocks.due_for_notice("S1", night, None)

    assert shown(due.first_contact) == "2026-12-25 03:00 NZDT"
    assert shown(due.decision) == "2026-12-26 02:00 NZDT"
    assert shown(due.marker_72h) == "2026-12-28 02:00 NZDT"
    assert shown(clocks.due_for_notice("S2", night, night).first_contact) == "2026-12-25 11:00 NZDT"


def test_T21_a_wall_clock_time_that_does_not_exist_or_occurs_twice_gives_the_earlier_instant_first():
    missing = clocks.local_instants(datetime(2026, 9, 27, 2, 30), "Pacific/Auckland")
    twice = clocks.local_instants(datetime(2027, 4, 4, 2, 30), "Pacific/Auckland")
    plain = clocks.local_instants(datetime(2026, 11, 22, 20, 10), "Pacific/Chatham")

    assert [shown(instant) for instant in missing] == ["2026-09-27 01:30 NZST", "2026-09-27 03:30 NZDT"]
    assert [shown(instant) for instant in twice] == ["2027-04-04 02:30 NZDT", "2027-04-04 02:30 NZST"]
    assert [shown(instant) for instant in plain] == ["2026-11-22 19:25 NZDT"]


def test_T22_aware_on_friday_afternoon_ends_on_monday_at_the_same_time():
    friday = nz("2026-11-20 16:50")

    due = clocks.due_for_notice("S4", nz("2026-11-21 09:00"), friday)

    assert shown(due.marker_72h) == "2026-11-23 16:50 NZDT"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-24 18:00", "2026-11-24 22:00 NZDT"),
        ("2026-11-24 18:01", "2026-11-25 07:01 NZDT"),
        ("2026-11-24 21:00", "2026-11-25 10:00 NZDT"),
        ("2026-11-24 22:00", "2026-11-25 11:00 NZDT"),
        ("2026-11-24 23:30", "2026-11-25 11:00 NZDT"),
        ("2026-11-24 05:00", "2026-11-24 11:00 NZDT"),
        ("2026-11-28 21:00", "2026-11-29 10:00 NZDT"),
        ("2026-09-26 21:00", "2026-09-27 10:00 NZDT"),
        ("2027-04-03 23:59", "2027-04-04 11:00 NZST"),
    ],
)
def test_first_contact_of_s2_and_reading_of_other_mail_count_open_hours_of_every_day(received: str, due: str):
    assert shown(clocks.due_for_notice("S2", nz(received), None).first_contact) == due
    assert shown(clocks.due_for_other(nz(received)).read_by) == due


@pytest.mark.parametrize(
    ("band", "first", "decision"),
    [
        ("S1", "2026-11-23 09:58 NZDT", "2026-11-24 08:58 NZDT"),
        ("S2", "2026-11-23 12:58 NZDT", "2026-11-25 08:58 NZDT"),
        ("S3", "2026-11-24 17:00 NZDT", "2026-11-30 17:00 NZDT"),
        ("S4", "2026-11-26 17:00 NZDT", "2026-12-07 17:00 NZDT"),
    ],
)
def test_each_band_has_its_first_contact_and_its_decision_from_receipt(band: str, first: str, decision: str):
    long_known = nz("2026-11-20 08:00")

    due = clocks.due_for_notice(band, nz("2026-11-23 08:58"), long_known)

    assert (shown(due.first_contact), shown(due.decision)) == (first, decision)
    assert due.rule == "clocks 2026.1"


def test_working_days_start_on_the_day_after_receipt_in_new_zealand_time_whatever_the_hour():
    just_before_midnight = clocks.due_for_notice("S3", nz("2026-11-23 23:59"), None).first_contact
    just_after_midnight = clocks.due_for_notice("S3", nz("2026-11-24 00:01"), None).first_contact

    assert shown(just_before_midnight) == "2026-11-24 17:00 NZDT"
    assert shown(just_after_midnight) == "2026-11-25 17:00 NZDT"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-12-23 10:00", "2026-12-24 17:00 NZDT"),  # one day
        ("2026-12-24 10:00", "2026-12-29 17:00 NZDT"),  # Boxing Day is a Saturday, so Monday is off
        ("2026-07-09 10:00", "2026-07-13 17:00 NZST"),  # Matariki is Friday 10 July
        ("2027-06-24 10:00", "2027-06-28 17:00 NZST"),  # Matariki is Friday 25 June
        ("2027-01-22 10:00", "2027-01-26 17:00 NZDT"),  # Wellington Anniversary is Monday 25 January
        ("2038-04-22 10:00", "2038-04-27 17:00 NZST"),  # Good Friday; ANZAC Day falls into Easter, one Monday off only
    ],
)
def test_one_working_day_jumps_weekends_public_holidays_and_wellington_anniversary(received: str, due: str):
    assert shown(clocks.due_for_notice("S3", nz(received), None).first_contact) == due


def test_two_working_days_from_23_december_2026_end_on_29_december():
    days = [day for day in range(24, 32) if clocks.is_working_day(date(2026, 12, day))]

    assert days[:2] == [24, 29]


def test_the_kept_holidays_are_those_of_the_holidays_package_and_other_years_are_asked_there():
    for year in range(2019, 2054):
        off = country_holidays("NZ", subdiv="WGN", years=year, observed=True)
        national = country_holidays("NZ", years=year, observed=True)
        days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
        summer = [d for d in days if (d.month, d.day) >= (12, 25) or (d.month, d.day) <= (1, 15)]
        week = [d for d in days if d.weekday() < 5]

        assert [d for d in week if clocks.is_working_day(d) is (d in off)] == []
        assert [d for d in week if d not in summer and clocks.is_statutory_working_day(d) is (d in national)] == []


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 27), date(2027, 1, 18)),
        (date(2026, 11, 26), date(2026, 12, 24)),
        (date(2021, 1, 8), date(2021, 2, 15)),  # Ombudsman case 549341: Wellington Anniversary counts as a working day
    ],
)
def test_an_official_information_request_counts_statutory_working_days(received: date, due: date):
    assert clocks.official_information_due(received) == due


def test_the_ordinary_and_the_statutory_calendar_differ_in_the_summer_break():
    second_of_ordinary = date(2026, 12, 29)

    assert clocks.is_working_day(second_of_ordinary)
    assert not clocks.is_statutory_working_day(second_of_ordinary)
    assert clocks.is_statutory_working_day(date(2021, 1, 25))
    assert not clocks.is_working_day(date(2021, 1, 25))


def test_a_self_assessment_is_read_in_five_working_days_and_planned_in_twenty():
    due = clocks.due_for_assessment(nz("2026-11-02 10:00"))

    assert shown(due.read_by) == "2026-11-09 17:00 NZDT"
    assert shown(due.plan_by) == "2026-11-30 17:00 NZDT"
    assert due.first_contact is None and due.marker_72h is None


@pytest.mark.parametrize(
    ("band", "again"),
    [
        ("S1", "2026-11-23 12:00 NZDT"),
        ("S2", "2026-11-24 08:00 NZDT"),
        ("S3", "2026-11-26 17:00 NZDT"),
        ("S4", "2026-11-30 17:00 NZDT"),
    ],
)
def test_a_chaser_counts_from_when_the_question_was_sent(band: str, again: str):
    assert shown(clocks.chaser(band, nz("2026-11-23 08:00"))) == again


def test_an_unread_critical_case_is_told_to_two_people_after_half_an_hour():
    told = clocks.escalation("S1", nz("2026-11-23 08:58"))

    assert told is not None
    assert (shown(told[0]), told[1]) == ("2026-11-23 09:28 NZDT", ("privacy_lead", "duty_manager"))
    assert clocks.escalation("S4", nz("2026-11-23 08:58")) is None


@pytest.mark.parametrize(
    ("hours", "state"),
    [
        (-1, "calm"),
        (0, "calm"),
        (23.99, "calm"),
        (24, "amber"),
        (47.9, "amber"),
        (48, "red"),
        (71.9, "red"),
        (72, "passed"),
    ],
)
def test_the_marker_turns_amber_red_and_passed(hours: float, state: str):
    aware = nz("2026-11-22 20:10")

    marker = clocks.marker_state(aware, aware + timedelta(hours=hours))

    assert marker == (pytest.approx(max(0, hours)), state)


def test_a_marker_without_a_known_time_counts_from_receipt_and_says_about():
    received = nz("2026-11-23 08:58")

    unknown = clocks.due_for_notice("S2", received, None)
    about = clocks.due_for_notice("S2", received, received, aware_about=True)

    assert unknown.marker_about and about.marker_about
    assert unknown.marker_72h == received + timedelta(hours=72)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        clocks.due_for_other(datetime(2026, 11, 23, 9, 0))


def test_a_case_finds_the_rule_that_it_was_counted_by_and_each_file_bears_its_own_number() -> None:
    for edition in editions("clock"):
        assert clock_rules(edition).rule == f"clocks {edition}"  # a copy that keeps the old name stops here
        assert clock_rules(f"clocks {edition}") == clock_rules(edition)
    with pytest.raises(Misconfigured, match=r"no clock rule set '1999\.1'"):
        clock_rules("clocks 1999.1")
