"""What a page says when something is not as it should be: what is safe, what to do, a code for support."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from intake.domain.errors import IntakeError, TryLater
from intake.ports import Conflict
from intake.triage import NotNow

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


def typed_text() -> list[tuple[str, str]]:
    """What the person typed, so that it can be given back."""
    return [(k, v) for k, v in request.form.items() if k not in _NOT_TYPED and v.strip()]


def chosen_words() -> list[tuple[str, str]]:
    """What the person chose beside it, each in a line; buttons and what was ticked in the queue are no choice to keep."""
    return [(k, ", ".join(v for v in request.form.getlist(k) if v)) for k in _CHOICES if request.form.get(k)]


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code >= 500:
        return _bug(error)
    if code < 400 or error.response is not None:
        response = error.get_response()
        return make_response(response)
    title, text = _SAID.get(code, _SAID[400])
    typed = [] if code == 413 else typed_text()  # what is too large was not read
    return make_response(render_template("staff/error.html", title=title, text=text, typed=typed), code)


def _csrf(error: CSRFError) -> Response:
    title = "This page was open for too long"
    text = "Nothing was saved. Go back, load the page again and send it once more. Your text is below."
    return make_response(render_template("staff/error.html", title=title, text=text, typed=typed_text()), 400)


def _conflict(error: Conflict) -> Response:
    back = request.path.rsplit("/", 1)[0] if request.path.startswith("/case/") else "/queue"
    page = render_template("staff/conflict.html", typed=typed_text(), chosen=chosen_words(), back=back)
    return make_response(page, 409)


def _not_now(error: IntakeError) -> Response:
    back = request.path.rsplit("/", 1)[0] if request.path.startswith("/case/") else "/queue"
    page = render_template(
        "staff/not_now.html", text=error.for_staff, typed=typed_text(), chosen=chosen_words(), back=back
    )
    return make_response(page, 422)


def _later(error: TryLater) -> Response:
    page = render_template("staff/broken.html", code=_support_code(error), typed=typed_text())
    response = make_response(page, 503)
    response.headers["Retry-After"] = str(max(5, int(error.after)))
    return response


def _bug(error: Exception) -> Response:
    return make_response(render_template("staff/broken.html", code=_support_code(error), typed=typed_text()), 500)


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
