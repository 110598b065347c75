"""Instants in the words of New Zealand, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain import nz_words

NOW = datetime(2026, 11, 22, 20, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        (datetime(2026, 11, 22, 20, 58, tzinfo=UTC), "9:58 am"),
        (datetime(2026, 11, 22, 11, 0, tzinfo=UTC), "12:00 am"),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), "12:00 pm"),
        (datetime(2026, 11, 25, 4, 0, tzinfo=UTC), "Wed 25 Nov, 5:00 pm"),
        (datetime(2026, 11, 22, 7, 10, tzinfo=UTC), "Sun 22 Nov, 8:10 pm"),
        (datetime(2026, 12, 18, 4, 0, tzinfo=UTC), "18 December 2026, 5:00 pm"),
    ],
)
def test_a_time_is_said_as_shortly_as_is_clear(instant: datetime, words: str) -> None:
    assert nz_words.short(instant, NOW) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=16, seconds=59), "16 min"),
        (timedelta(hours=13, minutes=32), "13 h 32 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=72), "72 h"),
        (timedelta(days=5, hours=3), "5 days 3 h"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_a_length_of_time_is_said_in_hours_and_minutes(length: timedelta, words: str) -> None:
    assert nz_words.span(length) == words


def test_a_promise_names_today_tomorrow_or_the_day() -> None:
    assert nz_words.by(NOW + timedelta(hours=1), NOW) == "10:42 am today"
    assert nz_words.by(NOW + timedelta(days=1), NOW) == "9:42 am tomorrow"
    assert nz_words.by(NOW + timedelta(days=3), NOW) == "9:42 am on Thursday 26 November 2026"


def test_a_day_on_which_clocks_change_keeps_its_own_hours() -> None:
    before = datetime(2026, 9, 26, 13, 59, tzinfo=UTC)  # 1:59 am NZST, and the next minute is 3:00 am NZDT
    assert nz_words.clock(before) == "1:59 am"
    assert nz_words.clock(before + timedelta(minutes=1)) == "3:00 am"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_the_words_never_depend_on_the_zone_of_the_machine(instant: datetime) -> None:
    shifted = instant.astimezone(nz_words.NEW_ZEALAND)
    assert nz_words.full(instant) == nz_words.full(shifted)
