"""Acts on a case: each route reads its form, calls one use case and goes back to the case."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from intake import judging, triage
from intake.domain import nz_words
from intake.domain.model import Status
from intake.domain.reference import parse
from intake.ports import CaseView, Staff
from intake.web import staff
from intake.web.auth import me
from intake.web.parts import Parts

Act = Callable[[Parts, CaseView, int], str]  # returns what to say


def add_to(pages: Blueprint, parts: Parts) -> None:
    """Put the acts on the pages of a case."""
    acts: dict[str, tuple[Act, str]] = {
        "take": (_take, ""),
        "assign": (_assign, ""),
        "provider": (_provider, "sender"),
        "status": (_status, ""),
        "let-through": (_let_through, "sender"),
        "write": (_write, "messages"),
        "ask": (_ask, "messages"),
        "answer": (_answer, "answers"),
        "band": (_band, "why"),
        "close": (_close, "decision"),
        "second": (_second, "decision"),
        "link": (_link, "messages"),
        "kind": (_kind, ""),
        "lock": (_lock, ""),
        "unlock": (_unlock, ""),
    }
    for name, (act, place) in acts.items():
        endpoint = name.replace("-", "_")
        pages.add_url_rule(f"/{name}", endpoint, _route(parts, act, place), methods=["POST"])


def _route(parts: Parts, act: Act, place: str) -> Callable[[str], Response]:
    def post(reference: str) -> Response:
        case = staff.case_of(parts, reference)
        said = act(parts, case, staff.version_seen(request.form))
        row = parts.store.case_row(case.row.reference)
        if row is None or not triage.may_see(me(), row):  # closed to the desk by this very act
            staff.say_done(said, [])
            return redirect(url_for("queue.page"), 303)
        staff.say_done(said, [row.reference])
        return redirect(url_for("case.page", reference=case.row.reference, _anchor=place or None), 303)

    return post


def _colleague(parts: Parts, address: str) -> Staff | None:
    return parts.store.staff_member(address) if address else None


def _take(parts: Parts, case: CaseView, version: int) -> str:
    triage.assign(parts, me(), case.row, version, me())
    return "It is yours now."


def _assign(parts: Parts, case: CaseView, version: int) -> str:
    address = request.form.get("to", "")
    to = _colleague(parts, address)
    if address and to is None:
        raise triage.NotNow("Choose a person from the list.")
    triage.assign(parts, me(), case.row, version, to)
    return f"{to.name or to.address} has it now." if to else "Nobody has it now."


def _provider(parts: Parts, case: CaseView, version: int) -> str:
    triage.choose_provider(parts, me(), case.row, version, request.form.get("provider", ""))
    return "The provider is set."


def _status(parts: Parts, case: CaseView, version: int) -> str:
    asked = request.form.get("status", "")
    if asked not in [s.value for s in triage.BY_HAND]:
        raise triage.NotNow("Choose a status from the list.")
    triage.change_status(parts, me(), case.row, version, Status(asked))
    return "The status is changed."


def _let_through(parts: Parts, case: CaseView, version: int) -> str:
    triage.let_through(parts, me(), case.row, version, request.form.get("reason", ""))
    return "It is let through and open."


def _write(parts: Parts, case: CaseView, version: int) -> str:
    to, words = request.form.get("to", ""), request.form.get("text", "")
    if to in ("note", "call"):
        triage.note(parts, me(), case.row, to, words)
        return "The note is kept." if to == "note" else "The call is kept. It counts as first contact."
    triage.write(parts, me(), case.row, version, request.form.get("contact", ""), words)
    parts.doorbell.ring()
    return "Your message is on its way."


def _ask(parts: Parts, case: CaseView, version: int) -> str:
    chosen = request.form.getlist("question")
    again = triage.ask_for_more(parts, me(), case, version, request.form.get("contact", ""), chosen)
    parts.doorbell.ring()
    return f"Asked. If no answer comes, ask again {nz_words.by(again, parts.clock())}."


def _answer(parts: Parts, case: CaseView, version: int) -> str:
    form = request.form
    how = next((h for h in ("confirmed", "corrected", "unreadable") if h in form), "")
    question = form.get(how, "")
    typed: dict[str, object] = {
        k: v[0] if len(v) == 1 else v for k, v in form.to_dict(flat=False).items() if k not in ("version", "csrf_token")
    }
    before = case.row.band
    judging.answer(parts, me(), case, version, question, how, typed)
    row = parts.store.case_row(case.row.reference)
    said = {"confirmed": "Confirmed.", "corrected": "Kept, with the old value.", "unreadable": "Noted."}[how]
    if row is not None and row.band != before:
        said += f" The band is {row.band} now, and was {before}. Clocks were counted again."
    return said


def _band(parts: Parts, case: CaseView, version: int) -> str:
    judging.set_band(parts, me(), case, version, request.form.get("band", ""), request.form.get("reason", ""))
    return "The band is set by hand, and the clocks follow it."


def _kind(parts: Parts, case: CaseView, version: int) -> str:
    judging.set_kind(parts, me(), case, version, request.form.get("kind", ""), request.form.get("reason", ""))
    return "Kept. Its clocks count from when it came."


def _lock(parts: Parts, case: CaseView, version: int) -> str:
    triage.lock(parts, me(), case.row, version, request.form.get("reason", ""))
    return f"{case.row.reference} is closed to the desk. The privacy lead has it in the queue."


def _unlock(parts: Parts, case: CaseView, version: int) -> str:
    triage.unlock(parts, me(), case.row, version, request.form.get("reason", ""))
    return "The desk may open it again."


def _close(parts: Parts, case: CaseView, version: int) -> str:
    outcome, reason = request.form.get("outcome", ""), request.form.get("reason", "")
    done = triage.close(parts, me(), case, version, outcome, reason)
    return "The case is closed." if done else "Asked. Another person must agree before it is closed."


def _second(parts: Parts, case: CaseView, version: int) -> str:
    agrees = "agree" in request.form
    triage.second(parts, me(), case, version, agrees, request.form.get("reason", ""))
    return "You agreed, and the case is closed." if agrees else "The case stays open."


def _link(parts: Parts, case: CaseView, version: int) -> str:
    read = parse(request.form.get("other", ""))
    if read.reference is None:
        raise triage.NotNow(read.problem)
    other = parts.store.case_row(read.reference)
    if other is not None and not triage.may_see(me(), other):
        other = None
    triage.link(parts, me(), case.row, other)
    return f"Linked to {read.reference}."
