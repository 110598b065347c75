"""What the staff pages share: the frame's values, the case behind an address, and the note about what was just done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, abort, g, request, session
from werkzeug.datastructures import MultiDict

from intake import triage
from intake.domain.reference import parse, put_for_each
from intake.ports import CaseView, QueueRow, Staff
from intake.web import present
from intake.web.parts import Parts, WebStore

KEYS, THEMES = ("on", "alt", "off"), ("auto", "light", "dark")


def install(app: Flask, parts: Parts) -> None:
    """Values that every page may use."""
    app.jinja_env.globals.update(icon=present.icon, size=present.size, words_of=present.words_of)
    app.context_processor(lambda: frame(parts))


def frame(parts: Parts) -> dict[str, Any]:
    """The values of the page frame. Counts are asked for only when somebody is signed in."""
    staff: Staff | None = g.get("staff")
    settings, shown = parts.settings, display()
    return {
        "ministry": settings.ministry,
        "phone": settings.phone,
        "phone_overseas": settings.phone_overseas,
        "demo": settings.demo,
        "me": staff,
        "may_work": staff is not None and triage.may_work(staff),
        "may_read": staff is not None and triage.kinds_seen(staff.role) is None,
        "display": shown,
        "theme": "" if shown["theme"] == "auto" else shown["theme"],
        "done": done_note() if staff else None,
        "open_cases": _open_cases(parts, staff),
    }


def _open_cases(parts: Parts, staff: Staff | None) -> int | None:
    """The number beside "Queue"; the queue itself has counted already."""
    if staff is None or triage.kinds_seen(staff.role) is not None:
        return None
    if g.get("open_cases") is None:
        g.open_cases = parts.store.counts(None, None, not triage.hidden_marks(staff.role)).get("open", 0)
    return int(g.open_cases)


def display() -> dict[str, str]:
    """Single keys and colours as this browser chose them; a cookie, since no two desks are alike."""
    keys, _, theme = request.cookies.get("display", "").partition(".")
    return {"single_keys": keys if keys in KEYS else "on", "theme": theme if theme in THEMES else "auto"}


def names_of(store: WebStore) -> Mapping[str, str]:
    """Staff addresses to the names that pages show."""
    return {s.address: s.name or s.address.partition("@")[0] for s in store.all_staff()}


# ---- the case behind an address ---------------------------------------------------------------------------------------


def row_of(parts: Parts, reference: str) -> QueueRow:
    """The case, or "no such page": the same answer for a case that is not there and one that this person may not open."""
    return row_seen(parts, reference) or abort(404)


def row_seen(parts: Parts, reference: str) -> QueueRow | None:
    """The case when whoever is signed in may open it."""
    read = parse(reference).reference
    row = parts.store.case_row(read) if read else None
    return row if row is not None and triage.may_see(g.staff, row) else None


def sees(parts: Parts, reference: str) -> bool:
    """Whether whoever is signed in may open that case: others do not even learn its reference."""
    return row_seen(parts, reference) is not None


def without_hidden(parts: Parts, text: str) -> str:
    """A sentence of ours about a case, that does not name another one which whoever is signed in may not open."""
    if not triage.hidden_marks(g.staff.role):
        return text
    return put_for_each(text, lambda reference: None if sees(parts, reference) else "another case")


def case_of(parts: Parts, reference: str) -> CaseView:
    row = row_of(parts, reference)
    case = parts.store.case(row.reference)
    if case is None:
        abort(404)
    return case


def version_seen(form: MultiDict[str, str]) -> int:
    """The version of the case on the page from which somebody acts."""
    try:
        return int(form["version"])
    except (KeyError, ValueError):
        abort(400)


# ---- what was just done -----------------------------------------------------------------------------------------------


def say_done(text: str, cases: list[str] | None = None, undo: list[dict[str, Any]] | None = None) -> None:
    """A note for the next page. `undo` is what it takes to go back; it lies in a signed cookie, ids and states only."""
    session["done"] = {"text": text, "cases": cases or [], "undo": undo or []}


def done_note() -> dict[str, Any] | None:
    """The note, once. What it takes to undo stays until the next note."""
    note = session.get("done")
    if not isinstance(note, dict) or note.get("shown") or request.method != "GET":
        return None
    session["done"] = {**note, "shown": True}
    return note
