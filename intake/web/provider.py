"""The provider's side of the web: front door, notice, self-assessment, blank forms. No account, no sign-in.

    blueprint(desk) -> Blueprint

Posts here look after their own token (`provider_sitting.is_fresh`), so that an old page gives every word back instead of an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, abort, current_app, jsonify, make_response, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from forms import load
from forms.edition import FormError
from forms.jsonschema import schema
from forms.pdf.blank import NotPublished, blank
from forms.schema import Form
from forms.word import blank as word
from intake.config import Settings
from intake.web import provider_assessment, provider_breach
from intake.web.auth import Limits
from intake.web.desk import Desk
from intake.web.form_pages import anchor
from intake.web.provider_pages import Pages
from intake.web.provider_show import greeting
from intake.web.provider_sitting import KINDS, Sitting, is_fresh, keeps_cookies

STATIC = Path(__file__).parent / "static"
_TRIES_PER_CLIENT = 20  # an hour: a code is guessed slowly


@dataclass(frozen=True, slots=True)
class Site:
    """What the frame of every page names."""

    ministry: str
    phone: str
    phone_overseas: str
    breach_address: str
    assessment_address: str
    exit_url: str
    draft_days: int
    demo: bool
    css: str
    js: str


def site_of(settings: Settings) -> Site:
    return Site(
        ministry=str(settings.ministry),
        phone=str(settings.phone),
        phone_overseas=str(settings.phone_overseas),
        breach_address=str(settings.breach_address),
        assessment_address=str(settings.assessment_address),
        exit_url=str(settings.exit_url),
        draft_days=int(settings.draft_days),
        demo=bool(settings.demo),
        css=_static("site.css"),
        js=_static("site.js"),
    )


def _static(name: str) -> str:
    """With a mark of its content, so that a browser never mixes an old look with a new page."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]}"


def blueprint(desk: Desk) -> Blueprint:
    made = Blueprint("provider", __name__)
    pages = Pages(desk)
    site = site_of(desk.settings)
    made.app_context_processor(lambda: {"site": site})
    made.after_request(pages.sittings.cookies)
    made.add_app_template_filter(anchor, "anchor")
    made.record_once(lambda state: _own_token(state, made))
    show = {
        provider_breach.KIND: provider_breach.routes(made, pages),
        provider_assessment.KIND: provider_assessment.routes(made, pages),
    }
    _plain_pages(made, desk)
    _resume(made, pages, show)
    return made


def _own_token(state: BlueprintSetupState, made: Blueprint) -> None:
    guard = state.app.extensions.get("csrf")
    if guard is not None:
        guard.exempt(made)


# ---- front door, blank forms ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blank:
    title: str
    name: str
    edition: str
    size: str  # "" when no PDF was issued
    word: str  # size of the Word file


@lru_cache(maxsize=8)
def _blank_row(name: str) -> Blank:
    form = load.form(name)
    title = {"breach-notice": "Privacy-breach notice"}.get(form.kind, form.title)
    try:
        size = _size(blank(form))
    except NotPublished:
        size = ""
    return Blank(title, form.name, form.edition, size, _size(word.blank(form)))


def _size(content: bytes) -> str:
    return f"{max(1, round(len(content) / 1000))} kB"


def blanks() -> list[Blank]:
    return [_blank_row(load.form(kind).name) for kind in KINDS]


def _plain_pages(made: Blueprint, desk: Desk) -> None:
    @made.get("/")
    def home() -> ResponseReturnValue:
        return render_template("provider/home.html", greeting=greeting(desk.clock()), blanks=blanks())

    @made.get("/privacy")
    def privacy() -> ResponseReturnValue:
        return render_template("provider/privacy.html")

    @made.get("/accessibility")
    def accessibility() -> ResponseReturnValue:
        return render_template("provider/accessibility.html")

    @made.get("/forms/<name>.pdf")
    def blank_pdf(name: str) -> ResponseReturnValue:
        form = _form(name)
        try:
            content = blank(form)
        except NotPublished:
            abort(404)
        return _download(content, "application/pdf", f"{form.kind}-{form.edition}.pdf")

    @made.get("/forms/<name>.docx")
    def blank_word(name: str) -> ResponseReturnValue:
        form = _form(name)
        return _download(word.blank(form), word.MEDIA_TYPE, f"{form.kind}-{form.edition}.docx")

    @made.get("/forms/<name>.json")
    def form_schema(name: str) -> ResponseReturnValue:
        return jsonify(schema(_form(name)))


def _download(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _form(name: str) -> Form:
    try:
        return load.form(name)
    except FormError:
        abort(404)


# ---- come back with the code ----------------------------------------------------------------------------------------


def _resume(made: Blueprint, pages: Pages, show: Mapping[str, Callable[[Sitting], Response]]) -> None:
    own_limits = Limits(pages.desk.clock)

    def again(code: str = "", error: str = "", status: int = 200) -> Response:
        page = render_template("provider/resume.html", code=code, error=error)
        return make_response(page, status)

    @made.get("/resume")
    def resume() -> ResponseReturnValue:
        return again()

    @made.post("/resume")
    def resume_post() -> ResponseReturnValue:
        code = request.form.get("typed_code", "")[:40]
        limits: Limits = current_app.extensions.get("limits", own_limits)
        if not is_fresh():
            return again(code, "This page was open for long. Please press the button again.", 422)
        if not limits.allows(f"resume {request.remote_addr}", _TRIES_PER_CLIENT):
            return again(code, "That was too often. Wait a while, or call us and we help you.", 429)
        sitting = pages.sittings.of(code)
        if sitting is None or sitting.sent:
            return again(code, "We do not know this code. Look at each letter and number; codes end after a week.", 422)
        pages.sittings.remember(sitting)
        return redirect(_place(sitting), 303) if keeps_cookies() else show[sitting.form.kind](sitting)


def _place(sitting: Sitting) -> str:
    if sitting.form.kind == provider_breach.KIND:
        return f"/breach/details/{sitting.place}" if sitting.place else "/breach"
    return f"/assessment/{sitting.place}" if sitting.place else "/assessment"


__all__ = ["Site", "blanks", "blueprint", "site_of"]
