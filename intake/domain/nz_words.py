"""Instants and counts as people in New Zealand say them: "9:58 am", "Wed 25 Nov", "13 h 32 min", "1 mail".

Pure functions; instants are aware, and the place is Pacific/Auckland. Nothing here counts a deadline: `clocks` does.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NEW_ZEALAND = ZoneInfo("Pacific/Auckland")

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def local(instant: datetime) -> datetime:
    """The same instant with the wall clock of New Zealand."""
    return instant.astimezone(NEW_ZEALAND)


def clock(instant: datetime) -> str:
    """9:58 am."""
    at = local(instant)
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}"


def long_day(instant: datetime) -> str:
    """Monday 23 November 2026."""
    return _long(local(instant).date())


def day(text: str) -> str:
    """23 November 2026, of a date like 2026-11-23; anything else as it is."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def full(instant: datetime) -> str:
    """Monday 23 November 2026, 9:05 am."""
    return f"{long_day(instant)}, {clock(instant)}"


def short(instant: datetime, now: datetime) -> str:
    """As little as is clear: "9:58 am" today, "Wed 25 Nov, 5:00 pm" within a week, else "25 November 2026, 5:00 pm"."""
    return f"{day}, {clock(instant)}" if (day := short_day(instant, now)) else clock(instant)


def short_day(instant: datetime, now: datetime) -> str:
    """Empty today, "Wed 25 Nov" within a week of now, else "25 November 2026"."""
    day, today = local(instant).date(), local(now).date()
    if day == today:
        return ""
    if abs((day - today).days) < 7:
        return f"{_DAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1][:3]}"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def by(instant: datetime, now: datetime) -> str:
    """For a promise: "10:05 am today", "10:05 am tomorrow", "5:00 pm on Wednesday 25 November 2026"."""
    days = (local(instant).date() - local(now).date()).days
    if days in (0, 1):
        return f"{clock(instant)} {'tomorrow' if days else 'today'}"
    return f"{clock(instant)} on {long_day(instant)}"


def span(length: timedelta) -> str:
    """ "16 min", "13 h 32 min", "3 days 4 h"; never below zero, whole minutes, rounded down."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 100:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def count(number: int, word: str) -> str:
    """“1 mail”, “1,200 mails”."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _long(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
