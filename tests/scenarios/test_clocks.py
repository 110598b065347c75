"""Nights, holidays and the two days on which clocks change: what is due when, as staff see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from intake.domain import nz_words
from intake.domain.clocks import escalation
from tests.scenarios.world import World, acknowledged, notice_file

CHRISTMAS_NIGHT = datetime(2026, 12, 24, 13, 0, tzinfo=UTC)  # 2:00 am on 25 December in New Zealand


def nz(at: datetime | None) -> str:
    assert at is not None
    return at.astimezone(nz_words.NEW_ZEALAND).strftime("%Y-%m-%d %H:%M")


def test_T20_a_grave_notice_on_christmas_night_is_due_in_an_hour_and_its_72_hours_are_elapsed(world: World) -> None:
    world.at = CHRISTMAS_NIGHT
    done = world.send(files=[notice_file(CHRISTMAS_NIGHT, A07="yes", A10="fear", A11="where_when")])
    case = world.case(done)
    assert case.row.band == "S1"
    assert nz(case.due.first_contact) == "2026-12-25 03:00"
    assert nz(case.due.decision) == "2026-12-26 02:00"
    assert nz(case.due.marker_72h) == "2026-12-28 02:00"
    told = escalation("S1", case.row.received_at)
    assert told is not None
    assert nz(told[0]) == "2026-12-25 02:30"
    assert "privacy_lead" in told[1]
    acknowledged(world, done, "office@trust.org.nz", "full", "harbour ferry timetable")


def test_T20_an_s2_of_that_night_waits_for_seven_in_the_morning(world: World) -> None:
    world.at = CHRISTMAS_NIGHT
    done = world.send(
        files=[notice_file(CHRISTMAS_NIGHT, A07="dont_know", A09="dont_know", A10="dont_know", A11="dont_know")]
    )
    case = world.case(done)
    assert case.row.band == "S2"
    assert nz(case.due.first_contact) == "2026-12-25 11:00"


def test_T22_aware_on_friday_at_ten_to_five_ends_on_monday_at_ten_to_five(world: World) -> None:
    friday = datetime(2026, 11, 20, 3, 50, tzinfo=UTC)
    world.at = friday + timedelta(hours=2)
    done = world.send(files=[notice_file(friday)])
    case = world.case(done)
    assert nz(case.row.aware_at) == "2026-11-20 16:50"
    assert nz(case.due.marker_72h) == "2026-11-23 16:50"
    assert case.due.marker_72h is not None
    assert nz_words.full(case.due.marker_72h).startswith("Monday 23 November 2026")
    assert "4:50 pm" in nz_words.full(case.due.marker_72h)


def test_T43_clocks_count_from_when_the_server_took_the_mail_not_from_when_we_read_it(world: World) -> None:
    taken = world.at
    raw = world.mail(files=[notice_file(taken, A10="attacker", A11="private", A09="ongoing")])
    world.later(hours=6)
    done = world.arrives(raw, at=taken)
    case = world.case(done)
    assert case.row.received_at == taken
    assert case.due.marker_72h == taken + timedelta(hours=72)
    assert case.row.next_due is not None
    assert case.row.next_due < world.at
    assert case.events[0].at == world.at
