"""The counting rule as frozen values, read strictly from `clock_rules/EDITION.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from intake.domain.errors import Misconfigured
from intake.domain.rule_set import editions, exact_keys, number_of, read_toml, table_of, text_of, texts_of

BANDS = ("S1", "S2", "S3", "S4")
_PREFIX = "clocks "  # the rule of a file 2026.1.toml is "clocks 2026.1"
_TOP = (
    "rule", "zone", "open_hours", "working_day", "statutory", "first_contact", "decision", "chaser", "escalation",
    "self_assessment", "other", "marker", "official_information",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """How long: so many hours (elapsed, or within the open hours), or so many working days. `tell` names roles."""

    hours: float = 0.0
    open_hours: bool = False
    working_days: int = 0
    tell: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockRules:
    """One edition of the counting rule. Hours of the day are New Zealand time."""

    rule: str
    zone: str
    opens: int
    shuts: int
    closes: int
    region: str
    closed_from: tuple[int, int]  # month, day
    closed_to: tuple[int, int]
    first_contact: Mapping[str, Count]
    decision: Mapping[str, Count]
    chaser: Mapping[str, Count]
    escalation: Mapping[str, Count]
    read_assessment: Count
    plan_assessment: Count
    read_other: Count
    marker: tuple[int, int, int]  # hours: amber, red, passed
    official_information: Count


@cache
def clock_rules(edition: str = "") -> ClockRules:
    """The counting rule of a number, or of the name that a case keeps; the latest without one.

    Raises Misconfigured when there is none, or it is not whole.
    """
    edition = edition.removeprefix(_PREFIX) or editions("clock")[-1]
    return _rules(read_toml("clock", edition), edition)


def _rules(raw: Mapping[str, object], edition: str) -> ClockRules:
    name = f"clock rule {edition}"
    exact_keys(raw, _TOP, name)
    if raw["rule"] != _PREFIX + edition:  # a case could not say by which of two files it was counted
        raise Misconfigured(f"The file of {name} calls itself {raw['rule']!r}; it must be {_PREFIX + edition!r}.")
    tables = {key: table_of(raw[key], f"{name}, {key}") for key in _TOP[2:]}
    hours, marker = tables["open_hours"], tables["marker"]
    working_day, statutory = tables["working_day"], tables["statutory"]
    exact_keys(hours, ("from", "to"), f"{name}, open_hours")
    exact_keys(working_day, ("closes", "region"), f"{name}, working_day")
    exact_keys(statutory, ("closed_from", "closed_to"), f"{name}, statutory")
    exact_keys(marker, ("amber", "red", "passed"), f"{name}, marker")
    exact_keys(tables["self_assessment"], ("read", "plan"), f"{name}, self_assessment")
    return ClockRules(
        rule=text_of(raw["rule"], name),
        zone=text_of(raw["zone"], name),
        opens=number_of(hours["from"], name),
        shuts=number_of(hours["to"], name),
        closes=number_of(working_day["closes"], name),
        region=text_of(working_day["region"], name),
        closed_from=_month_day(statutory["closed_from"], name),
        closed_to=_month_day(statutory["closed_to"], name),
        first_contact=_by_band(tables["first_contact"], f"{name}, first_contact"),
        decision=_by_band(tables["decision"], f"{name}, decision"),
        chaser=_by_band(tables["chaser"], f"{name}, chaser"),
        escalation={band: _count(each, name) for band, each in tables["escalation"].items()},
        read_assessment=_count(tables["self_assessment"]["read"], name),
        plan_assessment=_count(tables["self_assessment"]["plan"], name),
        read_other=_count(tables["other"]["read"], name),
        marker=(number_of(marker["amber"], name), number_of(marker["red"], name), number_of(marker["passed"], name)),
        official_information=_count(tables["official_information"]["decision"], name),
    )


def _by_band(table: Mapping[str, object], where: str) -> Mapping[str, Count]:
    exact_keys(table, BANDS, where)
    return {band: _count(each, where) for band, each in table.items()}


def _count(value: object, where: str) -> Count:
    raw = table_of(value, where)
    if not set(raw) <= {"hours", "open_hours", "working_days", "tell"} or ("hours" in raw) == ("working_days" in raw):
        raise Misconfigured(f"{where}: a count has either hours or working_days.")
    hours = raw.get("hours", 0)
    if isinstance(hours, bool) or not isinstance(hours, (int, float)):
        raise Misconfigured(f"{where}: hours are a number.")
    return Count(
        hours=float(hours),
        open_hours=raw.get("open_hours") is True,
        working_days=number_of(raw.get("working_days", 0), where),
        tell=texts_of(raw.get("tell", []), where),
    )


def _month_day(value: object, where: str) -> tuple[int, int]:
    month, dash, day = text_of(value, where).partition("-")
    if not (dash and month.isdigit() and day.isdigit()):
        raise Misconfigured(f"{where}: a day of the year is written MM-DD.")
    return int(month), int(day)
