"""What a page says when something is not as it should be: what is safe, what to do, a code for support."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from flask import Flask, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from intake.domain.errors import IntakeError, TryLater
from intake.judging import KINDS
from intake.ports import Conflict
from intake.triage import OUTCOMES, NotNow
from intake.web import present

log = logging.getLogger("intake.web")

_SAID = {
    400: ("We could not read that", "Go back and try again. What you typed is still in your browser."),
    404: ("There is no such page", "It may have moved, the address may be mistyped, or it is not open to you."),
    405: ("There is no such page", "It may have moved, or the address may be mistyped."),
    413: ("That is too large", "Send less at a time, or call us."),
    429: ("That was too often", "Wait a few minutes, then try again."),
}


def install(app: Flask) -> None:
    """Every way in which a request can fail gets a page of its own. This is the one door with a broad `except`."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(Conflict, _conflict)
    app.register_error_handler(NotNow, _not_now)
    app.register_error_handler(TryLater, _later)
    app.register_error_handler(Exception, _bug)


_TOKENS = frozenset({"csrf_token", "version", "here"})
_CHOICES = ("outcome", "to", "contact", "status", "band", "provider", "question", "kind")
_BUTTONS = ("confirmed", "corrected", "unreadable", "agree", "action", "case", "take")
_NOT_TYPED = _TOKENS | {*_CHOICES, *_BUTTONS}


_CHOSEN: Mapping[str, Mapping[str, str]] = {
    "outcome": {code: words for of_kind in OUTCOMES.values() for code, words in of_kind.items()},
    "status": present.STATUSES,
    "band": {code: badge.word for code, badge in present.BANDS.items()},
    "kind": {str(kind): words for kind, words in KINDS.items()},
}  # words of a code; what is not here is told as it was sent


def kept() -> dict[str, list[tuple[str, str]]]:
    """What the person typed or ticked, and what they chose beside it, each in a line, so that it can be given back. Buttons and
    what was ticked in the queue are no choice to keep."""
    sent = [(name, ", ".join(v for v in values if v.strip())) for name, values in request.form.lists()]
    return {
        "typed": [(name, words) for name, words in sent if words and name not in _NOT_TYPED],
        "chosen": [(name, _words(name)) for name, words in sent if words and name in _CHOICES],
    }


def _words(name: str) -> str:
    known = _CHOSEN.get(name, {})
    return ", ".join(known.get(v, v) for v in request.form.getlist(name) if v)


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code >= 500:
        return _bug(error)
    if code < 400 or error.response is not None:
        response = error.get_response()
        return make_response(response)
    title, text = _SAID.get(code, _SAID[400])
    given = {} if code == 413 else kept()  # what is too large was not read
    return make_response(render_template("staff/error.html", title=title, text=text, **given), code)


def _csrf(error: CSRFError) -> Response:
    title = "This page was open for too long"
    text = "Nothing was saved. Go back, load the page again and send it once more. Your text is below."
    return make_response(render_template("staff/error.html", title=title, text=text, **kept()), 400)


def _conflict(error: Conflict) -> Response:
    back = request.path.rsplit("/", 1)[0] if request.path.startswith("/case/") else "/queue"
    page = render_template("staff/conflict.html", **kept(), back=back)
    return make_response(page, 409)


def _not_now(error: IntakeError) -> Response:
    back = request.path.rsplit("/", 1)[0] if request.path.startswith("/case/") else "/queue"
    page = render_template("staff/not_now.html", text=error.for_staff, **kept(), back=back)
    return make_response(page, 422)


def _later(error: TryLater) -> Response:
    page = render_template("staff/broken.html", code=_support_code(error), **kept())
    response = make_response(page, 503)
    response.headers["Retry-After"] = str(max(5, int(error.after)))
    return response


def _bug(error: Exception) -> Response:
    return make_response(render_template("staff/broken.html", code=_support_code(error), **kept()), 500)


def _support_code(error: Exception) -> str:
    code = f"{secrets.token_hex(2)}-{secrets.token_hex(1)}"
    # The class and the place only: what an exception says may hold what somebody submitted.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{place.tb_lineno}" if place else "-"
    log.error("page_failed code=%s endpoint=%s error=%s at=%s", code, request.endpoint, type(error).__name__, where)
    g.support_code = code
    return code
