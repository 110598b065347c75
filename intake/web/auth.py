"""Sign-in by a one-time link, sessions in the database, and the one guard that stands before every route.

A link: ask with an address (the answer is always the same) -> mail through the outbox -> a page with a button; only the press
uses it up, so a mail scanner that opens it does no harm. It is good once, for minutes, in the browser that asked. Tokens have
128 bits; the database holds their SHA-256 only. Too many tries are refused (sign-in fails closed), and logs carry no address.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, abort, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from intake.ports import Clock, Staff
from intake.web.access import ANYBODY, roles_for
from intake.web.errors import kept
from intake.web.parts import Parts

log = logging.getLogger("intake.web.auth")

_TOKEN_BYTES = 16  # 128 bits
_UNBOUND = hashlib.sha256(b"any browser").hexdigest()  # links that the operator made at the keyboard
# An hour. Asking for somebody else's address must not lock them out, so five are counted for each client.
_ASKS_PER_ADDRESS, _MAILS_PER_ADDRESS, _ASKS_PER_CLIENT, _TRIES_PER_CLIENT = 5, 40, 20, 30


class Limits:
    """How often something was done within the last hour, in memory, bounded: a flood of keys pushes the oldest out."""

    def __init__(self, clock: Clock, hours: float = 1.0, most_keys: int = 20_000) -> None:
        self._clock = clock
        self._window = timedelta(hours=hours)
        self._most_keys = most_keys
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()

    def allows(self, key: str, most: int) -> bool:
        """Count one more; False when it is one too many."""
        now = self._clock()
        times = self._seen.setdefault(key, deque(maxlen=most + 1))
        self._seen.move_to_end(key)
        while len(self._seen) > self._most_keys:
            self._seen.popitem(last=False)
        while times and now - times[0] > self._window:
            times.popleft()
        times.append(now)
        return len(times) <= most


def install(app: Flask, parts: Parts) -> None:
    """Put the guard before every route and the sign-in pages into the application."""
    app.extensions["limits"] = Limits(parts.clock)
    app.before_request(lambda: _guard(parts))
    app.register_blueprint(_pages(parts))


def me() -> Staff:
    """Who is signed in. Only behind the guard."""
    found: Staff = g.staff
    return found


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def sign_in_link(parts: Parts, address: str, binding: str = "") -> str:
    """A fresh one-time link for a member of staff; without a binding it opens in any browser (the operator's keyboard)."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    until = parts.clock() + timedelta(minutes=parts.settings.link_minutes)
    parts.store.add_link(token_hash(token), address, token_hash(binding) if binding else _UNBOUND, until)
    return f"{str(parts.settings.base_url).rstrip('/')}/sign-in/{token}"


_FRAMED = ("demo", "auth")  # pages for anybody that show the staff frame to those who are signed in


# ---- the guard --------------------------------------------------------------------------------------------------------


def _guard(parts: Parts) -> Response | None:
    g.staff = None
    if request.url_rule is None or request.endpoint is None:
        return None  # no such page: the error handler says so
    roles = roles_for(request.endpoint)
    if roles >= ANYBODY:
        if request.blueprint in _FRAMED:
            g.staff = _signed_in(parts)
        return None
    g.staff = _signed_in(parts)
    if g.staff is None:
        return _ask_to_sign_in()
    if g.staff.role not in roles:
        log.info("route_refused endpoint=%s role=%s", request.endpoint, g.staff.role)
        abort(404)
    return None


def _signed_in(parts: Parts) -> Staff | None:
    token = request.cookies.get(cookie_name("staff"))
    if not token:
        return None
    idle = int(parts.settings.session_idle_minutes) * 60
    session = parts.store.session(token_hash(token), parts.clock(), idle)
    return session.staff if session else None


def _ask_to_sign_in() -> Response:
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("auth.ask", to=request.full_path.rstrip("?")), 303)
    page = render_template("staff/sign_in.html", **kept(), to=_back(request.referrer))
    return make_response(page, 401)


# ---- cookies ----------------------------------------------------------------------------------------------------------


def cookie_name(name: str) -> str:
    """In production browsers then refuse the cookie over plain HTTP and from a neighbouring host."""
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=seconds,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _drop(response: Response, name: str) -> None:
    _set(response, name, "", 0)


# ---- the pages --------------------------------------------------------------------------------------------------------


def _pages(parts: Parts) -> Blueprint:
    pages = Blueprint("auth", __name__)

    @pages.get("/sign-in")
    def ask() -> str:
        return render_template("staff/sign_in.html", typed=[], to=_back(request.args.get("to")))

    @pages.post("/sign-in")
    def send() -> Response:
        return _send(parts)

    @pages.get("/sign-in/<token>")
    def open_link(token: str) -> str:
        return render_template("staff/sign_in_link.html", token=token, to=_back(request.args.get("to")))

    @pages.post("/sign-in/<token>")
    def use_link(token: str) -> Response:
        return _use(parts, token)

    @pages.post("/sign-out")
    def sign_out() -> Response:
        parts.store.end_session(token_hash(request.cookies.get(cookie_name("staff"), "")))
        response = redirect(url_for("auth.ask"), 303)
        _drop(response, "staff")
        return response

    return pages


def _send(parts: Parts) -> Response:
    address = request.form.get("address", "").strip()[:320]
    limits: Limits = current_app.extensions["limits"]
    if not limits.allows(f"ask client {request.remote_addr}", _ASKS_PER_CLIENT):
        log.warning("sign_in_limited what=client")
        return make_response(render_template("staff/too_many.html"), 429)
    binding = request.cookies.get(cookie_name("binding")) or secrets.token_urlsafe(_TOKEN_BYTES)
    staff = parts.store.staff_member(address) if "@" in address else None
    asked = address.casefold()
    often = not limits.allows(f"ask address {asked} from {request.remote_addr}", _ASKS_PER_ADDRESS)
    if often or not limits.allows(f"ask address {asked}", _MAILS_PER_ADDRESS):
        log.warning("sign_in_limited what=address")
    elif staff is not None and staff.active:
        _mail_link(parts, staff, binding)
    log.info("sign_in_asked known=%s", staff is not None)
    page = render_template("staff/sign_in_sent.html", minutes=parts.settings.link_minutes)
    response = make_response(page, 200)
    _set(response, "binding", binding, int(parts.settings.link_minutes) * 60 + 60)
    return response


def _mail_link(parts: Parts, staff: Staff, binding: str) -> None:
    link = sign_in_link(parts, staff.address, binding)
    to = _back(request.form.get("to"))
    link = (
        f"{link}?to={quote(to, safe='')}" if to != "/queue" else link
    )  # a stranger may have typed it: one word, no address
    mail = parts.composer.sign_in(dedupe=f"sign-in:{secrets.token_hex(12)}", to=staff.address, link=link)
    parts.store.queue_mail(None, mail, staff.address)
    parts.doorbell.ring()


def _use(parts: Parts, token: str) -> Response:
    limits: Limits = current_app.extensions["limits"]
    if not limits.allows(f"use client {request.remote_addr}", _TRIES_PER_CLIENT):
        return make_response(render_template("staff/too_many.html"), 429)
    now, hashed = parts.clock(), token_hash(token)
    binding = request.cookies.get(cookie_name("binding"), "")
    address = parts.store.use_link(hashed, token_hash(binding), now) if binding else None
    address = address or parts.store.use_link(hashed, _UNBOUND, now)
    staff = parts.store.staff_member(address) if address else None
    if staff is None or not staff.active:
        log.info("sign_in_refused")
        return make_response(render_template("staff/link_over.html", minutes=parts.settings.link_minutes), 410)
    session = secrets.token_urlsafe(_TOKEN_BYTES)
    seconds = int(parts.settings.session_hours) * 3600
    parts.store.add_session(token_hash(session), staff.address, now + timedelta(seconds=seconds))
    log.info("signed_in role=%s", staff.role)
    to = _back(request.form.get("to"))
    response = redirect("/system" if staff.role == "admin" and to == "/queue" else to, 303)
    _set(response, "staff", session, seconds)
    _drop(response, "binding")
    return response


def _back(address: str | None) -> str:
    """A path of our own to go to after signing in; anything else is the queue."""
    parsed = urlsplit(address or "")
    path = parsed.path
    own = (
        path.startswith(("/queue", "/case/", "/providers", "/system", "/keys"))
        and "\\" not in path
        and "//" not in path
    )
    if not own or (parsed.netloc and parsed.netloc != request.host):
        return "/queue"
    return f"{path}?{parsed.query}" if parsed.query and path == "/queue" else path
