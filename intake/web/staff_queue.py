"""The queue: what is due first, why, who sent it, who has it. Filters live in the address, every one of them can be removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, render_template, request, session
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from intake import case_reading, triage
from intake.domain import nz_words
from intake.domain.marks import KEY_GAP_NO_PLAN, SECOND_PERSON
from intake.domain.model import Status
from intake.domain.reference import find_in
from intake.ports import Conflict, QueueFilter, QueueRow
from intake.web import present, staff
from intake.web.auth import me
from intake.web.parts import Parts
from intake.web.queue_row import draw

PAGE = 25  # with its stylesheet such a page weighs less than 100 kB
_QUEUE = "/queue"
MANY = 1000  # counts above it are said as "more than"

# Views of the side column: their filters as they stand in the address, and the name of their count.
VIEWS: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("My work", {"own": "you"}, "mine"),
    ("Everything open", {}, "open"),
    ("Breach notices", {"kind": "breach_notice"}, "breach_notice"),
    ("Nobody has it", {"own": "nobody"}, "nobody"),
    ("Held senders", {"status": "held"}, "held"),
    ("Needs a person to read", {"status": "needs_person"}, "needs_person"),
    ("Needs a second person", {"mark": SECOND_PERSON}, "second_person"),
    ("Waiting on provider", {"status": "waiting_provider"}, "waiting_provider"),
    ("Self-assessments", {"kind": "self_assessment"}, "self_assessment"),
    ("Other mail", {"kind": "other"}, "other"),
    ("Key gap, no plan", {"mark": KEY_GAP_NO_PLAN}, "key_gap"),
    ("Overdue", {"due": "overdue"}, "overdue"),
    ("Closed", {"status": "closed"}, "closed"),
)

OWN = {"": "Anybody", "nobody": "Nobody", "you": "You"}
DUE = {"": "Any time", "overdue": "Overdue", "today": "Today", "week": "This week"}
DUTY = {"": "Anybody", **present.DUTIES}
_SENDER_WORDS = {key: words for key, (words, _) in present.SENDERS.items()}
_STATUS_WORDS = {str(key): words for key, words in present.STATUSES.items()}
_MARK_WORDS = {key: badge.word for key, badge in present.MARKS.items()}

# Each filter: its name in the address, its title, its values with their words. Those of `_MANY` may be ticked several at a time.
FILTERS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("kind", "Kind", {str(k): v for k, v in present.KINDS.items()}),
    ("band", "Band", {key: badge.word for key, badge in present.BANDS.items()}),
    ("sender", "Sender", _SENDER_WORDS),
    ("status", "Status", _STATUS_WORDS),
    ("mark", "Mark", _MARK_WORDS),
    ("own", "Who has it", OWN),
    ("due", "Due", DUE),
    ("duty", "Who must tell the Commissioner", DUTY),
)
_OTHER_PARTS = frozenset({"q", "closed", "after", "since"})  # of the address, beside filters
_MANY = ("kind", "band", "sender", "status", "mark")

BULK = {
    "assign": "Assign to me",
    "open": "Mark as open",
    "waiting_provider": "Mark as waiting on provider",
    "waiting_other": "Mark as waiting on others",
}


class Chip(NamedTuple):
    words: str
    without: str  # address of the list without this filter


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("queue", __name__)

    @pages.get("/queue")
    def page() -> str:
        return render_template("staff/queue.html", **_page(parts, request.args))

    @pages.post("/queue")
    def bulk() -> Response:
        return _bulk(parts)

    @pages.post("/queue/undo")
    def undo() -> Response:
        return _undo(parts)

    return pages


# ---- reading ----------------------------------------------------------------------------------------------------------


def wanted(args: MultiDict[str, str], now: datetime, own: str) -> QueueFilter:
    """The filter that an address asks for. What it does not know is left out, never an error."""
    chosen = {name: tuple(v for v in args.getlist(name) if v in values) for name, _, values in FILTERS}
    verdicts = tuple(str(v) for key in chosen["sender"] for v in present.SENDERS[key][1])
    duty = args.get("duty", "")
    return QueueFilter(
        kinds=chosen["kind"],
        bands=chosen["band"],
        statuses=chosen["status"],
        verdicts=verdicts,
        assignee={"nobody": "nobody", "you": own}.get(args.get("own", ""), ""),
        duty=duty if duty in present.DUTIES else "",
        due_before=_due_before(args.get("due", ""), now),
        text=args.get("q", "").strip()[:200],
        marks=chosen["mark"],
        include_closed=args.get("closed") == "1" or "closed" in chosen["status"],
    )


def _due_before(due: str, now: datetime) -> datetime | None:
    midnight = nz_words.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"today": 1, "week": 7 - midnight.weekday()}
    if due == "overdue":
        return now
    # The wall clock of New Zealand: days are added before it is an instant again.
    return midnight + timedelta(days=days[due]) if due in days else None


def _page(parts: Parts, args: MultiDict[str, str]) -> dict[str, Any]:
    now, who = parts.clock(), me()
    filters = replace(wanted(args, now, who.address), without_marks=triage.hidden_marks(who.role))
    kinds = triage.kinds_seen(who.role)
    rows = parts.store.queue(filters, kinds, PAGE + 1, args.get("after") or None)
    since = present.parse_instant(args.get("since", ""))
    others = any(row.assignee not in (None, who.address) for row in rows)
    names = staff.names_of(parts.store) if others else {}
    shown = [_said_of(parts, row) for row in rows[:PAGE] if triage.may_see(who, row)]  # the list asked for no others
    lines = [present.line(row, now, who.address, names, since) for row in shown]
    counts = parts.store.counts(who.address, kinds, not filters.without_marks)
    g.open_cases = counts.get("open", 0)
    title, count = _view(args, counts)
    chips = _chips(args)
    return {
        "title": title,
        "count": count,
        "groups": _drawn(lines, triage.may_work(who)),
        "shown": len(lines),
        "next": _address(args, after=rows[PAGE - 1].reference) if len(rows) > PAGE else "",
        "later": bool(args.get("after")),
        "first": _address(args, after=None),
        "views": _views(args, counts),
        "chips": chips,
        "filters_on": len(chips),
        "narrowed": sum(not chip.words.startswith(("Status: not closed", "Search:")) for chip in chips),
        "unknown": _unknown(args),
        "filters": _offered(filters.without_marks),
        "many": _MANY,
        "chosen": {name: args.getlist(name) for name, _, _ in FILTERS},
        "q": filters.text,
        "without_filters": f"{_QUEUE}?{urlencode({'q': filters.text})}",
        "closed_too": filters.include_closed,
        "opened_at": nz_words.clock(now),
        "now_words": nz_words.full(now),
        "check_again": _address(args, since=now.isoformat(timespec="seconds")),
        "changed": parts.store.changed_since(since) if since else None,
        "since_words": nz_words.clock(since) if since else "",
        "here": request.full_path.rstrip("?"),
        "bulk": BULK,
        "icons_used": _icons(lines),
    }


def _offered(hidden: Sequence[str]) -> list[tuple[str, str, Mapping[str, str]]]:
    """The filters without marks of cases that this person may not open: nothing would ever be found."""
    return [(n, title, {k: w for k, w in known.items() if k not in hidden}) for n, title, known in FILTERS]


def _said_of(parts: Parts, row: QueueRow) -> QueueRow:
    return replace(row, reasons=tuple(staff.without_hidden(parts, reason) for reason in row.reasons))


def _drawn(lines: list[present.Line], may_work: bool) -> list[tuple[str, list[Markup]]]:
    """The rows under the titles of their groups."""
    return [(title, [draw(each, may_work) for each in group]) for title, group in present.grouped(lines)]


def _icons(lines: list[present.Line]) -> list[str]:
    """The shapes that this list draws, each once."""
    used = {"new", "pencil", "search", "tray", "warn", "x"}
    for each in lines:
        used |= {each.verdict.icon, *(m.icon for m in each.marks)}
        if each.band:
            used.add(each.band.icon)
    return sorted(used - {"tick"})


def _view(args: MultiDict[str, str], counts: Mapping[str, int]) -> tuple[str, str]:
    """The title of the list and its count, when it is one that is counted."""
    asked = _asked(args)
    for name, view, key in VIEWS:
        if asked == view:
            return name, _count(counts.get(key, 0))
    return "Cases you filtered", ""


def _asked(args: MultiDict[str, str]) -> dict[str, str]:
    """The filters of an address without paging, when no filter is there twice."""
    names = [n for n, _, _ in FILTERS] + ["q", "closed"]
    return {n: ",".join(args.getlist(n)) for n in names if "".join(args.getlist(n))}


def _count(number: int) -> str:
    return f"more than {MANY:,}" if number > MANY else f"{number:,}"


def _views(args: MultiDict[str, str], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    asked = _asked(args)
    return [
        {
            "name": name,
            "address": f"{_QUEUE}?{urlencode(view)}" if view else _QUEUE,
            "count": f"{MANY:,}+" if counts.get(key, 0) > MANY else counts.get(key, 0),
            "current": asked == view,
        }
        for name, view, key in VIEWS
    ]


def _chips(args: MultiDict[str, str]) -> list[Chip]:
    """Every filter that is on, also the one that is on by default."""
    chips = []
    if args.get("closed") != "1" and "closed" not in args.getlist("status"):
        chips.append(Chip("Status: not closed", _address(args, closed="1", after=None)))
    for name, title, values in FILTERS:
        for value in args.getlist(name):
            if value and value in values:
                rest = [v for v in args.getlist(name) if v != value]
                chips.append(Chip(f"{title}: {values[value]}", _address(args, **{name: rest}, after=None)))
    if args.get("q", "").strip():
        chips.append(Chip(f"Search: {args['q'].strip()[:60]}", _address(args, q=None, after=None)))
    return chips


def _unknown(args: MultiDict[str, str]) -> tuple[str, str] | None:
    """Filters of the address that do not exist, in words, and the address without them."""
    values = {name: set(known) for name, _, known in FILTERS}
    wrong = {
        name: [v for v in args.getlist(name) if v and v not in values.get(name, ())]
        for name in args
        if name not in _OTHER_PARTS
    }
    said = [f"{name} {value[:40]}" for name, each in wrong.items() for value in each]
    if not said:
        return None
    right = {name: [v for v in args.getlist(name) if v not in wrong[name]] for name in wrong}
    return ", ".join(said[:5]), _address(args, **right)


def _address(args: MultiDict[str, str], /, **changes: str | list[str] | None) -> str:
    """This address with some of its parts changed; None takes one out."""
    kept = {k: v for k, v in args.to_dict(flat=False).items() if k not in changes and k != "since"}
    wanted_parts = {**kept, **{k: v for k, v in changes.items() if v}}
    query = urlencode([(k, v) for k, vs in wanted_parts.items() for v in (vs if isinstance(vs, list) else [vs])])
    return f"{_QUEUE}?{query}" if query else _QUEUE


# ---- acting on several ------------------------------------------------------------------------------------------------


def _bulk(parts: Parts) -> Response:
    form = request.form
    if "take" in form:
        return _act(parts, [form["take"]], "assign", one=True)
    return _act(parts, form.getlist("case")[:PAGE], form.get("action", ""))


def _act(parts: Parts, chosen: list[str], action: str, one: bool = False) -> Response:
    """Act on what is selected. S1 and S2 are worked one at a time: taking one with its own button is that.

    chosen: each a reference, a full stop and the version that the list showed.
    """
    if action not in BULK or not chosen:
        staff.say_done("Nothing was selected. Tick the cases first, then choose what to do with them.")
        return redirect(_back(), 303)
    done: list[dict[str, Any]] = []
    left: list[str] = []
    for reference, version in map(_seen, chosen):
        row = staff.row_seen(parts, reference)
        if row is None:  # closed to the desk since, or never there: the others are done all the same
            left += find_in(reference)
            continue
        if not one and (row.band in case_reading.NEEDS_TWO or row.status == Status.CLOSED):
            left.append(row.reference)
            continue
        before = {"reference": row.reference, "assignee": row.assignee, "status": str(row.status)}
        try:
            done.append({**before, "version": _one(parts, row, version, action)})
        except (Conflict, triage.NotNow):
            left.append(row.reference)
    staff.say_done(_said(len(done), action, left), [d["reference"] for d in done], done)
    return redirect(_back(), 303)


def _seen(value: str) -> tuple[str, int]:
    """Reference and version; a version that is not there is stale."""
    reference, _, version = value.partition(".")
    return reference, int(version) if version.isascii() and version.isdigit() else -1


def _one(parts: Parts, row: QueueRow, version: int, action: str) -> int:
    if action == "assign":
        return triage.assign(parts, me(), row, version, me())
    return triage.change_status(parts, me(), row, version, Status(action))


def _said(count: int, action: str, left: list[str]) -> str:
    cases = "1 case" if count == 1 else f"{count} cases"
    verb = "is" if count == 1 else "are"
    what = f"{cases} {verb} yours now." if action == "assign" else f"{cases}: {BULK[action].removeprefix('Mark as ')}."
    if left:
        why = "they are S1 or S2 or closed (do these one at a time), are held, or somebody saved before you"
        what += f" Left as they were: {', '.join(left)}. Either {why}."
    return what


def _undo(parts: Parts) -> Response:
    """Put back who had them and their status, unless somebody has changed a case since."""
    note = session.get("done") or {}
    back, left = [], []
    for was in note.get("undo", []):
        row = staff.row_seen(parts, was["reference"])
        if row is None:  # closed to the desk since
            left.append(was["reference"])
            continue
        try:
            _put_back(parts, row, was)
            back.append(row.reference)
        except Conflict:
            left.append(row.reference)
    text = f"{len(back)} put back as {'it was' if len(back) == 1 else 'they were'}."
    staff.say_done(text + (f" Changed by somebody since, so left alone: {', '.join(left)}." if left else ""), back)
    return redirect(_back(), 303)


def _put_back(parts: Parts, row: QueueRow, was: Mapping[str, Any]) -> None:
    changes: dict[str, object] = {}
    if was["assignee"] != row.assignee:
        changes["assignee"] = was["assignee"]
    if was["status"] != row.status:
        changes["status"] = Status(was["status"])
    parts.store.change(row.reference, int(was["version"]), me().address, "undone", "Put back as it was", changes)


def _back() -> str:
    """The list from which somebody acted: our own path only."""
    here = request.form.get("here", "")
    return here if here.partition("?")[0] == _QUEUE else _QUEUE


__all__ = ["blueprint", "wanted"]
