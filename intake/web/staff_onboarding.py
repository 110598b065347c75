"""Registering a domain: look at it, register it with a proof, or propose an exception that a second person agrees to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from intake import onboarding
from intake.domain import nz_words
from intake.onboarding import Look
from intake.ports import Conflict, Registration
from intake.triage import NotNow
from intake.web import onboarding_view as view
from intake.web import staff
from intake.web.auth import me
from intake.web.parts import Parts

_MOST_WAITING = 500  # proposals that one page shows
_FIELDS = ("provider", "method", "proven_on", "words", "sure", "reason", "until")
Act = Callable[[Parts, Look, Mapping[str, str]], tuple[int, str]]  # the number of the entry, and what to say
_ALREADY = "Somebody was quicker: it stands in the register, or waits for a second person already."


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("onboarding", __name__, url_prefix="/register")

    @pages.get("")
    def look() -> Response:
        text = request.args.get("of", "")
        return _page(parts, text, {"provider": request.args.get("provider", "")})

    @pages.post("/domain")
    def register() -> Response:
        return _act(parts, _register)

    @pages.post("/exception")
    def propose() -> Response:
        return _act(parts, _propose)

    @pages.get("/decisions")
    def decisions() -> str:
        names = staff.names_of(parts.store)
        waiting = [view.entry(parts, r, names) for r in parts.store.registrations("proposed", limit=_MOST_WAITING)]
        done = [view.entry(parts, r, names) for r in parts.store.registrations() if r.state != "proposed"]
        return render_template("staff/registrations.html", waiting=waiting, entries=done)

    @pages.get("/decisions/<int:number>")
    def one(number: int) -> str:
        return _entry_page(parts, _found(parts, number))

    @pages.post("/decisions/<int:number>")
    def decide(number: int) -> Response:
        proposal = _found(parts, number)
        try:
            staff.say_done(_decided(parts, proposal))
        except (NotNow, Conflict) as why:
            said = why.for_staff if isinstance(why, NotNow) else "Somebody was quicker: this was decided already."
            return make_response(_entry_page(parts, _found(parts, number), str(said)), 422)
        return redirect(url_for("onboarding.one", number=number), 303)

    return pages


# ---- looking ----------------------------------------------------------------------------------------------------------


def _page(parts: Parts, text: str, typed: Mapping[str, str], error: str = "") -> Response:
    """The page about what was pasted; `typed` is given back. 422 with a sentence that says what is missing."""
    values: dict[str, Any] = {}
    if text.strip():
        try:
            values = view.looked(parts, me(), _looked(parts, text))
        except NotNow as why:
            error = error or str(why.for_staff)
    page = render_template(
        "staff/onboarding.html",
        of=text,
        typed=typed,
        error=error,
        providers=sorted(parts.store.providers(), key=lambda p: p.name),
        methods=onboarding.METHODS,
        today=nz_words.local(parts.clock()).date().isoformat(),
        registrar=onboarding.may_register(me()),
        proposer=onboarding.may_propose(me()),
        icons_wanted=view.ICONS,
        **values,
    )
    return make_response(page, 422 if error else 200)


def _looked(parts: Parts, text: str) -> Look:
    return onboarding.look(parts.lookups.registry(), parts.own_domains, text)


# ---- acts -------------------------------------------------------------------------------------------------------------


def _act(parts: Parts, act: Act) -> Response:
    text = request.form.get("of", "")
    typed = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        number, said = act(parts, _looked(parts, text), typed)
    except NotNow as why:
        return _page(parts, text, typed, str(why.for_staff))
    except Conflict:
        return _page(parts, text, typed, _ALREADY)
    parts.doorbell.ring()
    staff.say_done(said)
    return redirect(url_for("onboarding.one", number=number), 303)


def _register(parts: Parts, found: Look, typed: Mapping[str, str]) -> tuple[int, str]:
    by_dns = typed["method"] == "dns" and not found.refusal
    number = onboarding.register_domain(
        parts,
        me(),
        found,
        typed["provider"],
        typed["method"],
        typed["proven_on"],
        typed["words"],
        sure=bool(typed["sure"]),
        records=parts.domain_records(found.domain) if by_dns else None,
        token=onboarding.token_for(parts.secret, found.domain),
    )
    return number, "It is registered. The senders of its open cases are checked again."


def _propose(parts: Parts, found: Look, typed: Mapping[str, str]) -> tuple[int, str]:
    number = onboarding.propose_exception(parts, me(), found, typed["provider"], typed["reason"], typed["until"])
    return number, "It is proposed. Another person must agree before it holds."


def _decided(parts: Parts, proposal: Registration) -> str:
    words = request.form.get("words", "")
    if "agree" in request.form:
        onboarding.agree(parts, me(), proposal, words)
        parts.doorbell.ring()
        return "You agreed, and it stands in the register."
    if "withdraw" in request.form:
        onboarding.withdraw(parts, me(), proposal)
        return "It is taken back."
    if "refuse" not in request.form:
        raise NotNow("Choose whether you agree.")
    onboarding.refuse(parts, me(), proposal, words)
    return "You did not agree. It stands in the history."


# ---- what was registered ----------------------------------------------------------------------------------------------


def _found(parts: Parts, number: int) -> Registration:
    # what no database can count to is no number of an entry
    return (parts.store.registration(number) if number < 2**31 else None) or abort(404)


def _entry_page(parts: Parts, one: Registration, error: str = "") -> str:
    cases = view.seen(parts, me(), one.subject)
    changed, waits = view.changed(one, cases)
    own = one.proposed_by == me().address
    return render_template(
        "staff/registration.html",
        entry=view.entry(parts, one, staff.names_of(parts.store)),
        cases=view.lines(parts, me(), cases),
        changed=changed,
        waits=waits,
        own=own and onboarding.may_propose(me()),
        may_decide=onboarding.may_register(me()) and not own,
        words=request.form.get("words", ""),
        error=error,
        icons_wanted=view.ICONS,
    )
