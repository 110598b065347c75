"""When something is due. Three calendars that are never mixed: elapsed hours, working days, statutory working days.

Instants are aware UTC, in and out; a datetime without a zone is refused. The numbers are data
(`clock_rules/`); how each is counted, with examples, is in docs/clocks.md. New Zealand time decides
which day it is; sums of hours are made in UTC, because adding hours to a local time counts the wall
clock, which jumps twice a year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from intake.domain.clock_rules_file import ClockRules, Count, clock_rules
from intake.domain.model import Due

_DAY = timedelta(days=1)
_HOLIDAYS = Path(__file__).parent / "lists" / "nz_holidays.txt"


class MarkerState(StrEnum):
    """How far the 72 hours have gone."""

    CALM = "calm"
    AMBER = "amber"
    RED = "red"
    PASSED = "passed"


class Marker(NamedTuple):
    """Hours since the provider became aware (never below zero), and what that means."""

    hours: float
    state: MarkerState


# ---- what is due ---------------------------------------------------------------------------------


def due_for_notice(
    band: str, received_at: datetime, aware_at: datetime | None, aware_about: bool = False, rule: str = ""
) -> Due:
    """First contact and decision count from receipt, the 72-hour marker from when the provider knew.

    When that is not known, the marker counts from receipt and says "about". Raises ValueError for a
    time without a zone, KeyError for a band that there is not. Source: Privacy Act 2020 ss 11, 114;
    the Commissioner's "How long is 72 hours".
    """
    rules = clock_rules(rule)
    return Due(
        first_contact=_after(rules.first_contact[band], received_at, rules),
        decision=_after(rules.decision[band], received_at, rules),
        marker_72h=marker_ends(aware_at or received_at, rule),
        marker_about=aware_about or aware_at is None,
        rule=rules.rule,
    )


def due_for_assessment(received_at: datetime, rule: str = "") -> Due:
    """When a self-assessment is to be read, and when its plan is to be agreed."""
    rules = clock_rules(rule)
    return Due(
        read_by=_after(rules.read_assessment, received_at, rules),
        plan_by=_after(rules.plan_assessment, received_at, rules),
        rule=rules.rule,
    )


def due_for_other(received_at: datetime, rule: str = "") -> Due:
    """When a person must have read a mail that is neither: it may be a notice in plain words."""
    rules = clock_rules(rule)
    return Due(read_by=_after(rules.read_other, received_at, rules), rule=rules.rule)


def chaser(band: str, asked_at: datetime, rule: str = "") -> datetime:
    """When to ask a silent provider again, counted from when the question was sent."""
    rules = clock_rules(rule)
    return _after(rules.chaser[band], asked_at, rules)


def escalation(band: str, received_at: datetime, rule: str = "") -> tuple[datetime, tuple[str, ...]] | None:
    """When, and which roles, to tell that nobody has opened the case; None for a band without."""
    rules = clock_rules(rule)
    count = rules.escalation.get(band)
    return None if count is None else (_after(count, received_at, rules), count.tell)


def marker_state(aware_at: datetime, now: datetime, rule: str = "") -> Marker:
    """Elapsed hours since the provider knew, and whether that is calm, amber, red or past the 72."""
    amber, red, passed = clock_rules(rule).marker
    hours = max(0.0, (_utc(now) - _utc(aware_at)) / timedelta(hours=1))
    if hours >= passed:
        return Marker(hours, MarkerState.PASSED)
    if hours >= red:
        return Marker(hours, MarkerState.RED)
    return Marker(hours, MarkerState.AMBER if hours >= amber else MarkerState.CALM)


def marker_ends(aware_at: datetime, rule: str = "") -> datetime:
    """When the Commissioner's 72 elapsed hours are over."""
    return _utc(aware_at) + timedelta(hours=clock_rules(rule).marker[2])


def official_information_due(received_on: date, rule: str = "") -> date:
    """The last day to decide on a request, 20 statutory working days after receipt.

    Source: Official Information Act 1982 ss 2, 15.
    """
    rules = clock_rules(rule)
    return _nth(received_on, rules.official_information.working_days, lambda day: is_statutory_working_day(day, rule))


# ---- calendars -----------------------------------------------------------------------------------


def is_working_day(day: date, rule: str = "") -> bool:
    """Monday to Friday without a public holiday, national or of the region where the queue is worked."""
    return day.weekday() < 5 and day not in _holidays(day.year, clock_rules(rule).region)


def is_statutory_working_day(day: date, rule: str = "") -> bool:
    """A working day of the Official Information Act 1982 s 2.

    25 December to 15 January never count; a regional anniversary is a working day like any other.
    """
    rules = clock_rules(rule)
    in_year = (day.month, day.day)
    closed = in_year >= rules.closed_from or in_year <= rules.closed_to
    return day.weekday() < 5 and not closed and day not in _holidays(day.year, "")


@cache
def _holidays(year: int, region: str) -> frozenset[date]:
    known = _listed_holidays().get(f"{year} {region or 'NZ'}")
    if known is not None:
        return frozenset(date.fromisoformat(f"{year}-{day}") for day in known)
    from holidays import country_holidays

    return frozenset(country_holidays("NZ", subdiv=region or None, years=year, observed=True))


@cache
def _listed_holidays() -> Mapping[str, Sequence[str]]:
    """Days as MM-DD by year and region."""
    lines = (line.split() for line in _HOLIDAYS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {f"{year} {region}": days for year, region, *days in lines}


def new_zealand_day(instant: datetime, rule: str = "") -> date:
    """The calendar day of an instant in New Zealand."""
    return _utc(instant).astimezone(ZoneInfo(clock_rules(rule).zone)).date()


def local_instants(wall: datetime, zone: str) -> tuple[datetime, ...]:
    """The instants that a wall-clock time may mean, earliest first: one, or two when clocks change.

    wall has no zone. A time that occurs twice gives both; one that does not exist gives what it would be
    by the clock before and after the change. Raises ZoneInfoNotFoundError for a zone that there is not.
    """
    if wall.tzinfo is not None:
        raise ValueError("A wall-clock time has no zone of its own.")
    place = ZoneInfo(zone)
    both = {wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(both))


# ---- counting ------------------------------------------------------------------------------------


def _after(count: Count, start: datetime, rules: ClockRules) -> datetime:
    start = _utc(start)
    if count.working_days:
        return _close_of_day(start, count.working_days, rules)
    if count.open_hours:
        return _in_open_hours(start, timedelta(hours=count.hours), rules)
    return start + timedelta(hours=count.hours)


def _close_of_day(start: datetime, days: int, rules: ClockRules) -> datetime:
    edition = rules.rule.removeprefix("clocks ")
    received_on = new_zealand_day(start, edition)
    last = _nth(received_on, days, lambda day: is_working_day(day, edition))
    return _at_hour(last, rules.closes, rules)


def _nth(start: date, days: int, counts: Callable[[date], bool]) -> date:
    """The n-th day that counts after the start day, which is never counted itself."""
    day = start
    while days:
        day += _DAY
        days -= counts(day)
    return day


def _in_open_hours(start: datetime, left: timedelta, rules: ClockRules) -> datetime:
    day = start.astimezone(ZoneInfo(rules.zone)).date()
    while True:
        opens, shuts = _at_hour(day, rules.opens, rules), _at_hour(day, rules.shuts, rules)
        begin = max(start, opens)
        if begin < shuts and begin + left <= shuts:
            return begin + left
        left -= max(timedelta(0), shuts - begin)
        day += _DAY


def _at_hour(day: date, hour: int, rules: ClockRules) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(rules.zone)).astimezone(UTC)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("An instant needs its zone: a time without one is refused.")
    return instant.astimezone(UTC)
