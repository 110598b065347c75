"""One person at one half-filled form: found by the code of the page or the cookie, kept, and shown again.

What was typed lies on the server, sealed under a code that only this person has. The code travels in a cookie; a browser that
keeps no cookies carries it, signed, in a hidden field of each page.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from flask import Response, current_app, g, request
from flask_wtf.csrf import validate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import ValidationError

from forms import load
from forms.edition import FormError
from forms.schema import Form
from forms.web import Reading, Typed, read
from intake.domain.reference import ALPHABET
from intake.web.desk import Desk

log = logging.getLogger("intake.web.provider")

KINDS = ("breach-notice", "it-self-assessment")
_SENT_FOR = timedelta(hours=1)  # “it was sent” is for the way back, not for the next person at this computer


@dataclass(slots=True)
class Sitting:
    form: Form
    code: str
    typed: Typed = field(default_factory=dict)
    known: bool = False  # it is kept under its code already
    kept_at: datetime | None = None
    place: str = ""  # the section that was open last
    sent: str = ""  # the token of the receipt, once it was sent
    updates: str = ""  # the token of the receipt of the case that this adds to
    _reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        if self._reading is None:
            self._reading = read(self.form, self.typed)
        return self._reading

    def write(self, typed: Typed) -> None:
        self.typed, self._reading = typed, None

    def signed(self) -> str:
        """The code as it stands in the page: nobody can make one up and try it here."""
        return str(_signer("code").dumps(self.code))


class Sittings:
    """Finds and keeps them for the request at hand."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def at(self, kind: str) -> Sitting:
        """The sitting that the page or the cookie names, else a new one that is not kept yet."""
        code = self._code_of_page() or _unsigned(request.cookies.get(cookie_name(kind), ""))
        found = self.of(code) if code else None
        if found is not None and found.form.kind == kind:
            return found
        fresh = self.new(kind)
        if request.method == "POST" and self._code_of_page():
            fresh.code = code  # the code that the person was shown
        return fresh

    def new(self, kind: str) -> Sitting:
        return Sitting(load.form(kind), new_code())

    def of(self, code: str) -> Sitting | None:
        """What is kept under a code; None when it is unknown, over, or of an edition that is not there any more."""
        kept = self.desk.draft(code)
        if kept is None:
            return None
        try:
            form = load.form(kept[0])
        except FormError:
            return None
        own = {k: v for k, v in kept[1].items() if k.startswith("_")}
        typed = {k: v for k, v in kept[1].items() if not k.startswith("_")}
        at = own.get("_kept")
        return Sitting(
            form,
            code,
            cast(Typed, typed),
            known=True,
            kept_at=datetime.fromisoformat(at) if isinstance(at, str) else None,
            place=str(own.get("_place", "")),
            sent=str(own.get("_sent", "")),
            updates=str(own.get("_updates", "")),
        )

    def keep(self, sitting: Sitting) -> bool:
        """False when it could not be kept: the page then says so and holds every word itself."""
        now = self.desk.clock()
        own = {"_kept": now.astimezone(UTC).isoformat(), "_place": sitting.place}
        own |= {"_sent": sitting.sent} if sitting.sent else {}
        own |= {"_updates": sitting.updates} if sitting.updates else {}
        try:
            sitting.code = self.desk.save_draft(sitting.code, sitting.form.name, {**sitting.typed, **own})
        except Exception as error:  # noqa: BLE001 - a door: whatever broke, nobody's words are lost over it
            log.error("draft_not_kept error=%s", type(error).__name__)
            return False
        sitting.known, sitting.kept_at = True, now
        self.remember(sitting)
        return True

    def remember(self, sitting: Sitting) -> None:
        """The cookie goes out with this answer."""
        g.draft_cookies = {**g.get("draft_cookies", {}), sitting.form.kind: sitting.code}

    def forget(self, kind: str) -> None:
        g.draft_cookies = {**g.get("draft_cookies", {}), kind: ""}

    def remember_sent(self, kind: str, token: str) -> None:
        """So that the way back says that it was sent; of what was sent the browser keeps nothing."""
        g.sent_cookies = {**g.get("sent_cookies", {}), kind: token}

    def just_sent(self, kind: str) -> str:
        """The token of the receipt of what this browser sent a moment ago, or ""."""
        token = request.cookies.get(sent_cookie_name(kind), "")
        values = unseal(token) if token else None
        if values is None or values.get("kind") != kind:
            return ""
        received = datetime.fromisoformat(str(values["received_at"]))
        return token if self.desk.clock() - received <= _SENT_FOR else ""

    def _code_of_page(self) -> str:
        return _unsigned(request.form.get("code", ""))

    def cookies(self, response: Response) -> Response:
        """For `after_request`."""
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])

        def put(name: str, value: str, age: int) -> None:
            response.set_cookie(name, value, max_age=age, httponly=True, samesite="Lax", secure=secure, path="/")

        for kind, code in g.get("draft_cookies", {}).items():
            signed = str(_signer("code").dumps(code)) if code else ""  # a cookie is no place to try codes
            put(cookie_name(kind), signed, int(self.desk.settings.draft_days) * 86400 if code else 0)
        for kind, token in g.get("sent_cookies", {}).items():
            put(sent_cookie_name(kind), token, int(_SENT_FOR.total_seconds()))
        return response


def new_code() -> str:
    digits = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{digits[:4]}-{digits[4:]}"


def cookie_name(kind: str) -> str:
    return _own_host(f"draft-{kind}")


def sent_cookie_name(kind: str) -> str:
    return _own_host(f"sent-{kind}")


def _own_host(name: str) -> str:
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


def keeps_cookies() -> bool:
    """Whether this browser sent back the cookie that came with the page."""
    return str(current_app.config["SESSION_COOKIE_NAME"]) in request.cookies


def is_fresh() -> bool:
    """Whether a post comes from a page of ours.

    With cookies the token must fit. Without any cookie there is nothing that another site could make use of: the code in the
    page is all that counts, so only a post that the browser itself calls foreign is turned back.
    """
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        draft = any(cookie_name(kind) in request.cookies for kind in KINDS)
        foreign = request.headers.get("Sec-Fetch-Site", "same-origin") in ("cross-site", "same-site")
        return not (keeps_cookies() or draft or foreign)
    return True


def _unsigned(text: str) -> str:
    """The code that we signed, "" for anything else."""
    try:
        return str(_signer("code").loads(text))
    except BadSignature:
        return ""


def _signer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"provider {salt}")


def seal(values: dict[str, object]) -> str:
    """The token of a receipt: times and the reference, no word of what was sent."""
    return str(_signer("receipt").dumps(values))


def unseal(token: str) -> dict[str, object] | None:
    try:
        values = _signer("receipt").loads(token)
    except BadSignature:
        return None
    return dict(values)
