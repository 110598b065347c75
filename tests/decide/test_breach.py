"""Whose duty it is, since when the provider knew, and what is still open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forms import load
from intake.domain import breach


@pytest.mark.parametrize(
    ("held_for", "whose"),
    [
        ("for_our_own_service", "provider"),
        ("only_for_ministry", "ministry"),
        ("both", "both"),
        ("dont_know", "not_known"),
        (None, "not_known"),
        (["both"], "not_known"),
    ],
)
def test_the_duty_to_tell_the_commissioner_follows_what_the_information_is_held_for(held_for: object, whose: str):
    assert breach.duty({"B17": held_for}) == whose
    assert "(B17)" in breach.duty_sentence(whose)


def test_the_time_of_knowing_is_an_instant_with_its_doubt():
    exact = breach.aware_at({"A08": {"at": "2026-11-22T20:10:00+13:00", "zone": "Pacific/Auckland"}})
    about = breach.aware_at({"A08": {"at": "2026-11-22T20:10:00+13:00", "about": True, "zone": "Pacific/Auckland"}})
    chatham = breach.aware_at({"A08": {"at": "2026-11-22T20:55:00+13:45", "zone": "Pacific/Chatham"}})

    instant = datetime(2026, 11, 22, 7, 10, tzinfo=UTC)
    assert exact == (instant, False)
    assert about == (instant, True)
    assert chatham == (instant, False)


@pytest.mark.parametrize(
    ("written", "earlier"),
    [
        ("2026-09-27T02:30:00+12:00", datetime(2026, 9, 26, 13, 30, tzinfo=UTC)),
        ("2027-04-04T02:30:00+12:00", datetime(2027, 4, 3, 13, 30, tzinfo=UTC)),
        ("2027-04-04T02:30:00+13:00", datetime(2027, 4, 3, 13, 30, tzinfo=UTC)),
    ],
)
def test_T21_a_time_that_clocks_skipped_or_showed_twice_counts_from_the_earlier_instant(
    written: str, earlier: datetime
):
    assert breach.aware_at({"A08": {"at": written, "zone": "Pacific/Auckland"}}) == (earlier, True)


def test_a_time_in_utc_has_no_doubt_even_in_the_hour_of_the_change():
    assert breach.aware_at({"A08": {"at": "2027-04-03T14:30:00Z"}}) == (datetime(2027, 4, 3, 14, 30, tzinfo=UTC), False)


def test_a_time_without_an_offset_is_new_zealand_time_and_about():
    assert breach.aware_at({"A08": {"at": "2026-11-22T20:10:00"}}) == (datetime(2026, 11, 22, 7, 10, tzinfo=UTC), True)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        "soon",
        7,
        {"at": None},
        {"at": "2026-13-99T00:00:00+13:00"},
        {"at": "2026-11-22T20:10:00+13:00", "zone": "Mars/Base"},
    ],
)
def test_an_unusable_time_is_not_known(answer: object):
    assert breach.aware_at({"A08": answer}) == (None, True)


def test_open_questions_ask_only_what_is_not_answered_yet():
    form = load.form("breach-notice@2026.1")

    before = {problem.id for problem in breach.open_questions(form, {})}
    after = {problem.id for problem in breach.open_questions(form, {"B17": "both", "A07": "no"})}

    assert {"A07", "B17", "B10"} <= before
    assert before - after == {"B17", "A07"}
