"""Dates, months, times and numbers as people in New Zealand write them.

Day before month, 12 or 24 hours, month names in English or te reo Māori. Pure functions of text. What can be read in
one way only is read; anything else is None, and the caller asks the person again.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOME = "Pacific/Auckland"

_LONGEST = 100  # characters; no date or number is longer, and patterns stay quick on hostile text
_YEARS = range(1900, 2201)
_MOST_DIGITS = 12

_ENGLISH = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MAORI = (
    "kohitatea", "huitanguru", "poututerangi", "paengawhawha", "haratua", "pipiri",
    "hongongoi", "hereturikoka", "mahuru", "whiringa-a-nuku", "whiringa-a-rangi", "hakihea",
)  # fmt: skip
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS = "mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday"

_ABOUT = re.compile(r"(?:\b(?:about|around|roughly|approximately|approx|circa)\b\.?|~|≈)\s*")
_NOISE = re.compile(rf"\b(?:{_DAYS}|on|of|the)\b\.?")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_SEP = r"\s*[-/.\s]\s*"
_YMD = re.compile(rf"(\d{{4}}){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})(?:t00:00(?::00)?)?")
_DMY = re.compile(rf"(\d{{1,2}}){_SEP}(\d{{1,2}}){_SEP}(\d{{4}}|\d{{2}})")
_D_NAME_Y = re.compile(r"(\d{1,2})[-/.\s]*([a-z][a-z-]*?)\.?[-/.\s]*(\d{4}|\d{2})")
_NAME_D_Y = re.compile(r"([a-z][a-z-]*)\.?\s+(\d{1,2})\s+(\d{4})")
_YM = re.compile(rf"(\d{{4}}){_SEP}(\d{{1,2}})")
_MY = re.compile(rf"(\d{{1,2}}){_SEP}(\d{{4}}|\d{{2}})")
_NAME_Y = re.compile(r"([a-z][a-z-]*?)\.?[-/.\s]*(\d{4}|\d{2})")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-]\d\d:\d\d)")
_ISO_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)t(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?")
_CLOCK = (
    r"(?:\d{1,2}[:.h]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\b\.?)?|\d{1,2}\s*[ap]\.?m\b\.?|\d{4}\s*(?:hrs|hours|h)\b"
    r"|noon|midday|midnight)"
)
_DATE_CLOCK = re.compile(rf"(.+?)(?:[\s,]+|\s*-\s+)(?:at\s+)?({_CLOCK})")
_CLOCK_DATE = re.compile(rf"({_CLOCK})[\s,]+(.+)")
_NUMBER = re.compile(r"(\d{1,3}(?:[,\s]\d{3})+|\d+)(?:\.0+)?\s*(?:\+|or so|or more|ish|people|persons)?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as it was written: `at` has the offset of its place, seconds and no fraction."""

    at: datetime
    about: bool = False  # written with "about", or without a time of day
    time_missing: bool = False  # the day alone was written: `at` is its start


def read_date(text: str) -> date | None:
    """22/11/2026, 22.11.26, 22 11 2026, 22 November 2026, Sunday 22nd Nov 2026, 2026-11-22."""
    plain = _plain(text)
    if found := _YMD.fullmatch(plain):
        return _date(found[1], found[2], found[3])
    if found := _DMY.fullmatch(plain):
        return _date(found[3], found[2], found[1])
    if found := _D_NAME_Y.fullmatch(plain):
        return _date(found[3], _month_named(found[2]), found[1])
    if found := _NAME_D_Y.fullmatch(plain):
        return _date(found[3], _month_named(found[1]), found[2])
    return None


def read_month(text: str) -> str | None:
    """06/2027, 6/27, June 2027, 2027-06, or a whole date: its month. As YYYY-MM."""
    plain = _plain(text)
    found = None
    if ym := _YM.fullmatch(plain):
        found = _date(ym[1], ym[2], "1")
    elif my := _MY.fullmatch(plain):
        found = _date(my[2], my[1], "1")
    elif named := _NAME_Y.fullmatch(plain):
        found = _date(named[2], _month_named(named[1]), "1")
    found = found or read_date(text)
    return f"{found.year:04d}-{found.month:02d}" if found else None


def read_number(text: str) -> int | None:
    """40, 1,200, 1 200, about 40, 40 or so. A range, a fraction or a number below zero is None."""
    found = _NUMBER.fullmatch(_ABOUT.sub("", _lower(text)).strip())
    digits = re.sub(r"\D", "", found[1]) if found else ""
    return int(digits) if 0 < len(digits) <= _MOST_DIGITS else None


def read_moment(text: str, zone: str = HOME) -> Moment | None:
    """RFC 3339 with its offset; or a date and a time of day at a place: "22/11/2026 8:10 pm", "20:10, 22 Nov 2026".

    A time of day that the clocks skipped or showed twice is the earlier instant of the two; `doubt` tells of it.
    """
    plain = _lower(text).strip()
    if _RFC3339.fullmatch(plain):
        return _rfc3339(plain)
    about = _ABOUT.search(plain) is not None
    plain = _ABOUT.sub("", plain).strip(" ,")
    for day_text, clock_text in _splits(plain):
        day, clock = read_date(day_text), _clock(clock_text)
        if day and clock:
            return Moment(_earlier(datetime.combine(day, clock), zone), about)
    alone = read_date(plain)
    if alone:
        return Moment(_earlier(datetime.combine(alone, time()), zone), about=True, time_missing=True)
    return None


def doubt(at: str, zone: str = HOME) -> str:
    """Why the local time of `at` (RFC 3339) may be one of two instants, as a sentence; empty when there is no doubt.

    Only the earlier of two readings is in doubt: the later one, or an instant in UTC, has been chosen on purpose.
    """
    try:
        given = datetime.fromisoformat(at)
        wall = given.replace(tzinfo=None)
        first, second = (wall.replace(tzinfo=_zone(zone), fold=fold).utcoffset() for fold in (0, 1))
    except (ValueError, OverflowError, KeyError):
        return ""
    if first is None or second is None or first == second or given.utcoffset() != max(first, second):
        return ""
    day, clock = long_date(wall.date()), clock_text(wall)
    if first < second:
        return (
            f"The clocks went forward on {day} and skipped {clock}. Please check the time. "
            "Until then we count from the earlier time that it can mean."
        )
    return (
        f"The clocks went back on {day}, so {clock} came twice. Was it the first or the second? "
        "Until you say, we count from the first."
    )


def long_date(day: date) -> str:
    """22 November 2026."""
    return f"{day.day} {_ENGLISH[day.month - 1].capitalize()} {day.year}"


def clock_text(at: datetime) -> str:
    """7:30 am."""
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}"


def month_text(month: str) -> str:
    """2027-06 as June 2027."""
    return f"{_ENGLISH[int(month[5:7]) - 1].capitalize()} {month[:4]}"


def weekday(day: date) -> str:
    """Sunday."""
    return _WEEK[day.weekday()]


def _lower(text: str) -> str:
    lowered = unicodedata.normalize("NFC", text[:_LONGEST]).casefold() if len(text) <= _LONGEST else ""
    return re.sub(r"\s+", " ", lowered)


def _plain(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", _lower(text)) if not unicodedata.combining(c))
    bare = _ORDINAL.sub("", _NOISE.sub(" ", _ABOUT.sub(" ", bare).replace(",", " ")))
    return re.sub(r"\s+", " ", bare).strip(" .")


def _date(year: str, month: str, day: str) -> date | None:
    number = int(year) + (2000 if len(year) == 2 else 0)
    try:
        return date(number, int(month), int(day)) if number in _YEARS else None
    except ValueError:
        return None


def _month_named(name: str) -> str:
    bare = name.replace(" ", "-")
    for names in (_ENGLISH, _MAORI):
        fits = [n for n, full in enumerate(names, 1) if bare == full or (names is _ENGLISH and bare in _short(full))]
        if fits:
            return str(fits[0])
    return "0"


def _short(full: str) -> tuple[str, ...]:
    return (full[:3], "sept") if full == "september" else (full[:3],)


def _splits(plain: str) -> list[tuple[str, str]]:
    """The ways to part a text into a day and a time of day."""
    found: list[tuple[str, str]] = []
    if iso := _ISO_LOCAL.fullmatch(plain):
        found.append((iso[1], iso[2]))
    if after := _DATE_CLOCK.fullmatch(plain):
        found.append((after[1], after[2]))
    if before := _CLOCK_DATE.fullmatch(plain):
        found.append((before[2], before[1]))
    return found


def _clock(text: str) -> time | None:
    if text in ("noon", "midday"):
        return time(12)
    if text == "midnight":
        return time(0)
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    if len(numbers) == 1 and text[:4].isdigit():
        numbers = [numbers[0] // 100, numbers[0] % 100]
    hour, minute, second = (*numbers, 0, 0)[:3]
    half = re.search(r"([ap])\.?m", text)
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    elif half and half[1] == "a":
        return None
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _rfc3339(plain: str) -> Moment | None:
    try:
        at = datetime.fromisoformat(plain.upper().replace(" ", "T")).replace(microsecond=0)
        at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Moment(at) if at.year in _YEARS else None


def _earlier(wall: datetime, zone: str) -> datetime:
    """The wall time with its offset; of two readings the earlier instant, which is the one with the larger offset."""
    offsets = (wall.replace(tzinfo=_zone(zone), fold=fold).utcoffset() for fold in (0, 1))
    ahead = max(offset or timedelta() for offset in offsets)
    return datetime.fromisoformat(wall.isoformat() + _sign(ahead))


def _sign(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
