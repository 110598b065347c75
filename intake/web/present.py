"""Values for templates: a row of the queue, a case, a time, a badge, each as a person reads it.

Pure functions of the model and of now; templates only place what stands here. Anything submitted stays plain text and is
escaped where it is shown; `Markup` is built here from fixed words and numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from markupsafe import Markup

from intake.domain import nz_words
from intake.domain.clocks import MarkerState, marker_state
from intake.domain.marks import (
    CONFLICT,
    KEY_GAP_NO_PLAN,
    MAIL_NOTE,
    NOT_ALL_READ,
    POSSIBLE_DANGER,
    POSSIBLE_FOLLOW_UP,
    QUARANTINED,
    READ_FIRST,
    SECOND_PERSON,
    UNREADABLE,
)
from intake.domain.model import CaseKind, Status, VerdictCode
from intake.ports import QueueRow

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Badge(NamedTuple):
    """A word with its shape and colour. `tone` is ok, warn, bad or empty."""

    icon: str
    word: str
    tone: str = ""


BANDS: Mapping[str, Badge] = {
    "S1": Badge("m4", "S1 Critical", "s1"),
    "S2": Badge("m3", "S2 High", "s2"),
    "S3": Badge("m2", "S3 Moderate", "s3"),
    "S4": Badge("m1", "S4 Low", "s4"),
}

VERDICTS: Mapping[str, Badge] = {
    VerdictCode.VERIFIED_ACCOUNT: Badge("verified", "Verified account", "ok"),
    VerdictCode.VERIFIED_DOMAIN: Badge("domain", "Verified domain", "ok"),
    VerdictCode.EXCEPTION_ADDRESS: Badge("exception", "Exception address", "ok"),
    VerdictCode.PROBABLE: Badge("probable", "Probable"),
    VerdictCode.UNAUTHENTICATED: Badge("unauth", "Not authenticated", "warn"),
    VerdictCode.AUTH_FAILED: Badge("failed", "Authentication failed", "bad"),
    VerdictCode.PERSONAL_ACCOUNT: Badge("person", "Personal account", "warn"),
    VerdictCode.LOOKALIKE: Badge("lookalike", "Lookalike", "bad"),
    VerdictCode.UNKNOWN_DOMAIN: Badge("unknown", "Unknown domain", "warn"),
    VerdictCode.UNKNOWN_UNVERIFIED: Badge("unknown", "Unknown, not verified", "warn"),
    VerdictCode.MALFORMED: Badge("malformed", "Malformed sender", "bad"),
    VerdictCode.AUTOMATIC: Badge("auto", "Automatic mail"),
    VerdictCode.STAFF_FORWARD: Badge("forward", "Forwarded by staff"),
}

# Groups of verdicts as the filter offers them.
SENDERS: Mapping[str, tuple[str, tuple[VerdictCode, ...]]] = {
    "good": (
        "We can rely on it",
        (VerdictCode.VERIFIED_ACCOUNT, VerdictCode.VERIFIED_DOMAIN, VerdictCode.EXCEPTION_ADDRESS),
    ),
    "weak": (
        "Weak or none",
        (
            VerdictCode.PROBABLE,
            VerdictCode.UNAUTHENTICATED,
            VerdictCode.PERSONAL_ACCOUNT,
            VerdictCode.UNKNOWN_DOMAIN,
            VerdictCode.UNKNOWN_UNVERIFIED,
            VerdictCode.STAFF_FORWARD,
            VerdictCode.AUTOMATIC,
        ),
    ),
    "bad": ("Suspicious", (VerdictCode.AUTH_FAILED, VerdictCode.LOOKALIKE, VerdictCode.MALFORMED)),
}

KINDS: Mapping[str, str] = {
    CaseKind.BREACH_NOTICE: "Breach notice",
    CaseKind.SELF_ASSESSMENT: "Self-assessment",
    CaseKind.OTHER: "Other mail",
}

STATUSES: Mapping[str, str] = {
    Status.HELD: "Held",
    Status.NEEDS_PERSON: "Needs a person to read",
    Status.OPEN: "Open",
    Status.WAITING_PROVIDER: "Waiting on provider",
    Status.WAITING_OTHER: "Waiting on others",
    Status.DECIDED: "Decided",
    Status.PLAN_RUNNING: "Plan running",
    Status.CLOSED: "Closed",
}

DUTIES: Mapping[str, str] = {
    "provider": "Provider",
    "ministry": "Ministry",
    "both": "Ministry and provider",
    "not_known": "Not known",
}

MARKS: Mapping[str, Badge] = {
    KEY_GAP_NO_PLAN: Badge("key", "Key gap, no plan", "bad"),
    QUARANTINED: Badge("lock", "Quarantined", "bad"),
    "LOOKALIKE": Badge("lookalike", "Lookalike", "bad"),
    POSSIBLE_DANGER: Badge("warn", "Possible danger", "bad"),
    "SENDER_CHANGED": Badge("warn", "Sender in doubt now", "warn"),
    READ_FIRST: Badge("eye", "Read first", "warn"),
    "CHECK_FIRST": Badge("flag", "Check first", "warn"),
    UNREADABLE: Badge("eye", "Could not be read", "warn"),
    "WRONG_VERSION": Badge("clock", "Old edition"),
    NOT_ALL_READ: Badge("eye", "Not all read", "warn"),
    MAIL_NOTE: Badge("flag", "Odd mail, see why", "warn"),
    POSSIBLE_FOLLOW_UP: Badge("forward", "May belong to a case", "warn"),
    CONFLICT: Badge("lock", "Named people only"),
    SECOND_PERSON: Badge("person", "Needs a second person", "warn"),
}

# What comes next, as a duty; the second word is how it reads before a time.
_NEXT: Mapping[str, tuple[str, str]] = {
    "first_contact": ("first contact", "Call by"),
    "decision": ("decision on notifiability", "By"),
    "read": ("read it", "By"),
    "check_sender": ("check the sender", "By"),
    "plan": ("agree the plan", "By"),
    "": ("nothing is due", "By"),
}

_WAITING = frozenset({Status.WAITING_PROVIDER, Status.WAITING_OTHER, Status.PLAN_RUNNING, Status.DECIDED})

GROUPS: Mapping[str, str] = {
    "now": "Overdue or due within the hour",
    "today": "Today",
    "week": "Later this week",
    "later": "Later",
    "waiting": "Waiting for others",
    "closed": "Closed",
}


# ---- times ------------------------------------------------------------------------------------------------------------


def moment(instant: datetime | None, now: datetime) -> Markup:
    """A `time` element: short words, the exact value with its offset for machines."""
    if instant is None:
        return Markup("not known")
    exact = nz_words.local(instant).isoformat(timespec="minutes")
    return Markup('<time datetime="{}">{}</time>').format(exact, nz_words.short(instant, now))


def long_moment(instant: datetime | None) -> Markup:
    """The same with the whole date."""
    if instant is None:
        return Markup("not known")
    exact = nz_words.local(instant).isoformat(timespec="minutes")
    return Markup('<time datetime="{}">{}</time>').format(exact, nz_words.full(instant))


class NextDue(NamedTuple):
    """What is due next, in words: the head line, the small line, and whether that is late or soon."""

    head: str
    small: str
    tone: str  # late, soon or empty
    group: str  # key of GROUPS


def next_due(row: QueueRow, now: datetime) -> NextDue:
    what, before = _NEXT.get(row.next_due_what, (row.next_due_what.replace("_", " "), "By"))
    if row.next_due_what == "read":
        what = "read the form" if row.kind == CaseKind.SELF_ASSESSMENT else "read it"
    if row.next_due_what == "first_contact" and row.band not in ("S1", "S2"):
        before = "By"
    if row.next_due is None:
        return NextDue(
            STATUSES.get(row.status, "Open"), what, "", "closed" if row.status == Status.CLOSED else "waiting"
        )
    left = row.next_due - now
    if left <= timedelta(0):
        over = f" {nz_words.span(-left)}" if -left >= MINUTE else ""
        return NextDue(f"Overdue{over}", what, "late", "now")
    day = nz_words.short_day(row.next_due, now)
    group = _group(row, left, day, now)
    if left <= HOUR:
        tone = "late" if row.band == "S1" else "soon"
        until = f"in {nz_words.span(left)}" if left >= MINUTE else "now"
        return NextDue(f"{before} {nz_words.clock(row.next_due)}", f"{until} · {what}", tone, group)
    return NextDue(day or f"{before} {nz_words.clock(row.next_due)}", what, "", group)


def _group(row: QueueRow, left: timedelta, day: str, now: datetime) -> str:
    if left <= HOUR:
        return "now"
    if row.status in _WAITING and row.next_due_what not in ("first_contact", "decision"):
        return "waiting"
    if not day:
        return "today"
    sunday = nz_words.local(now).date() + timedelta(days=6 - nz_words.local(now).weekday())
    due_day = nz_words.local(row.next_due or now).date()
    return "week" if due_day <= sunday else "later"


# ---- the 72-hour bar --------------------------------------------------------------------------------------------------

_SAYS = {MarkerState.CALM: "", MarkerState.AMBER: "amber", MarkerState.RED: "red"}
_TONES = {MarkerState.CALM: "", MarkerState.AMBER: "soon", MarkerState.RED: "late", MarkerState.PASSED: "late"}


class Marker(NamedTuple):
    """The 72 hours since the provider knew: a picture, its sentence, and its tone."""

    bar: Markup
    words: str
    tone: str
    hours: float
    spent: str
    since: str


def marker(row: QueueRow, now: datetime) -> Marker | None:
    """None for a case that has no such clock."""
    if row.kind != CaseKind.BREACH_NOTICE:
        return None
    hours, state = marker_state(row.known_since, now)
    spent = nz_words.span(timedelta(hours=hours))
    told = row.aware_at or row.linked_aware_at == row.known_since
    since = "since the provider knew" if told else "since it came"
    if state is MarkerState.PASSED:
        words = f"72 h passed {nz_words.span(timedelta(hours=hours - 72))} ago"
    elif state is MarkerState.CALM:
        words = f"{spent} {since}"
    else:
        words = f"{spent}: {_SAYS[state]}"
    words = words.replace("the provider", "they")
    said = (
        words
        if state is MarkerState.PASSED
        else f"{spent} of 72 {since}" + (f": {_SAYS[state]}" if _SAYS[state] else "")
    )
    return Marker(_bar(round(min(hours, 72) / 72 * 120, 1), said), words, _TONES[state], hours, spent, since)


def _bar(width: float, said: str) -> Markup:
    """Elapsed time over the three zones, which the page draws once. `said` is made of numbers and our own words."""
    return Markup(
        '<svg class="h72" viewBox="0 0 120 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{said}"><use href="#zones"/><rect class="zm" width="{width}" height="4"/></svg>'
    )


def clock_figure(hours: float) -> Markup:
    """The large drawing of the same clock for the case page, with its table of words beside it."""
    hours = min(hours, 72.0)
    x = round(1 + hours / 72 * 260, 1)
    anchor = "start" if x < 150 else "end"
    spent = nz_words.span(timedelta(hours=hours))
    zone = "amber from 24 hours, red from 48 hours"
    return Markup(
        f'<svg class="fig clock" viewBox="0 0 262 60" role="img" aria-label="72-hour marker: {spent} have passed, {zone}">'
        '<rect class="z1" x="1" y="20" width="86" height="16"/><rect class="z2" x="87" y="20" width="87" height="16"/>'
        '<rect class="z3" x="174" y="20" width="87" height="16"/><rect class="edge" x="1.5" y="20.5" width="259" height="15"/>'
        f'<rect class="kt" x="1" y="26" width="{round(x - 1, 1)}" height="4"/><path class="kt" d="M{x} 19l-6-8h12z"/>'
        f'<text x="{x + 10 if anchor == "start" else x - 10}" y="14" text-anchor="{anchor}">now, {spent}</text>'
        '<text class="m" x="0" y="53">knew</text><text class="m" x="87" y="53" text-anchor="middle">24 h</text>'
        '<text class="m" x="174" y="53" text-anchor="middle">48 h</text>'
        '<text class="m" x="261" y="53" text-anchor="end">72 h</text></svg>'
    )


# ---- a row of the queue -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the queue, ready to be placed."""

    reference: str
    version: int
    tone: str
    due: NextDue
    marker: Marker | None
    provider: str
    kind: str
    band: Badge | None
    marks: tuple[Badge, ...]
    badges: Markup  # band and marks, drawn
    reasons: tuple[str, ...]
    verdict: Badge
    verdict_badge: Markup
    sender: str
    who: str  # empty: nobody
    status: str
    duty: str
    changed: str  # "9:39 am", when it changed since the reader opened the list


def line(row: QueueRow, now: datetime, me: str, names: Mapping[str, str], since: datetime | None = None) -> Line:
    """names: staff addresses to names. since: when the reader last saw the list."""
    due, found = next_due(row, now), marks(row)
    band = BANDS.get(row.band or "")
    verdict = VERDICTS.get(row.verdict, VERDICTS[VerdictCode.UNKNOWN_UNVERIFIED])
    service = words_of(row.service)
    about = f"says {row.says_provider}" if not row.provider_name and row.says_provider else service
    return Line(
        reference=row.reference,
        version=row.version,
        tone=due.tone,
        due=due,
        marker=marker(row, now),
        provider=row.provider_name or ("Not known yet" if row.kind == CaseKind.BREACH_NOTICE else "No provider yet"),
        kind=f"{KINDS.get(row.kind, 'Other mail')}{f' · {about}' if about else ''}",
        band=band,
        marks=found,
        badges=Markup(" ").join([*([drawn("band", band)] if band else []), *(drawn("tag", m) for m in found)]),
        reasons=tuple(_NAMED.sub("", r) for r in row.reasons),
        verdict=verdict,
        verdict_badge=drawn("ver", verdict),
        sender=row.sender_line,
        who="You" if row.assignee == me else names.get(row.assignee or "", row.assignee or ""),
        status=STATUSES.get(row.status, row.status),
        duty=DUTIES.get(row.duty, "Not known") if row.kind == CaseKind.BREACH_NOTICE else "",
        changed=nz_words.clock(row.changed_at) if since and row.changed_at > since else "",
    )


# The queue says why in words; which question each rests on stands on the case page.
_NAMED = re.compile(r" \((?:[A-Z][A-Za-z0-9-]*\d{1,2}(?:, )?)+\)")


def marks(row: QueueRow) -> tuple[Badge, ...]:
    """Marks that staff see, the state that stops a case first. What a badge beside it says already is not said twice."""
    found, said = [], {"LOOKALIKE"}
    if row.status == Status.HELD:
        found.append(Badge("lock", "Held", "warn"))
    if row.status == Status.NEEDS_PERSON:
        found.append(Badge("eye", "Needs a person to read", "warn"))
        said.add(UNREADABLE)
    return (*found, *(MARKS[m] for m in row.marks if m in MARKS and m not in said))


def grouped(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """The lines under their group, in the order of the groups; order inside stays."""
    found: dict[str, list[Line]] = {}
    for each in lines:
        found.setdefault(each.due.group, []).append(each)
    return [(GROUPS[key], found[key]) for key in GROUPS if key in found]


def words_of(code: str) -> str:
    """A code of a data file as words: `family_violence` is "family violence"."""
    return code.replace("_", " ").replace(";", ", ")


def size(count: int) -> str:
    """214 kB, 3.1 MB."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


# ---- icons ------------------------------------------------------------------------------------------------------------


@cache
def icon(name: str) -> Markup:
    """An icon of this page; `staff/_icons.html` holds the shapes."""
    return Markup('<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><use href="#{}"/></svg>').format(name)


@cache
def drawn(kind: str, badge: Badge) -> Markup:
    """A badge as the queue shows it; kind is band, tag or ver. Made of our own words only."""
    return Markup('<span class="{} {}">{}{}</span>').format(kind, badge.tone, icon(badge.icon), badge.word)


def parse_instant(text: str) -> datetime | None:
    """An instant of an address (ISO, with its offset); None when it is not one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
