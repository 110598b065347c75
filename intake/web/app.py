"""The application: parts in, Flask out. Pages are deny-by-default, say where nothing may be loaded from, and keep no copy.

create_app(parts) -> Flask
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from flask import Blueprint, Flask, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from intake.health import NEEDED_FOR_FORMS
from intake.mail_text import TEMPLATES
from intake.web import (
    auth,
    demo,
    errors,
    staff,
    staff_case,
    staff_keys,
    staff_onboarding,
    staff_providers,
    staff_queue,
    staff_system,
    staff_work,
)
from intake.web.parts import Parts

MOST_BYTES = 2 * 1024 * 1024  # of one request; forms carry text, files come by mail

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def create_app(parts: Parts) -> Flask:
    """The pages for providers and for staff, on these parts."""
    app = Flask("intake.web", template_folder=str(TEMPLATES), static_folder="static", static_url_path="/static")
    production = parts.settings.production
    app.config.update(
        SECRET_KEY=hmac.new(parts.secret, b"web cookies", hashlib.sha256).digest(),
        SESSION_COOKIE_NAME="__Host-form" if production else "form",
        SESSION_COOKIE_SECURE=production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=int(parts.settings.session_hours)),
        MAX_CONTENT_LENGTH=MOST_BYTES,
        WTF_CSRF_TIME_LIMIT=None,  # a form may stand open for a day; the token ends with its cookie
        WTF_CSRF_SSL_STRICT=production,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    errors.install(app)
    auth.install(app, parts)
    staff.install(app, parts)
    for blueprint in _blueprints(parts):
        app.register_blueprint(blueprint)
    app.after_request(lambda response: _headers(response, production))
    return app


def _blueprints(parts: Parts) -> list[Blueprint]:
    from intake.web.provider import blueprint as provider_pages

    pages = [
        _health(parts),
        provider_pages(parts.desk),
        staff_queue.blueprint(parts),
        staff_case.blueprint(parts),
        staff_providers.blueprint(parts),
        staff_onboarding.blueprint(parts),
        staff_system.blueprint(parts),
        staff_keys.blueprint(parts),
    ]
    staff_work.add_to(pages[3], parts)
    if parts.settings.demo and not parts.settings.production:
        pages.append(demo.blueprint(parts))
    return pages


def _headers(response: Response, production: bool) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if production:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return response


def _health(parts: Parts) -> Blueprint:
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> ResponseReturnValue:
        """The process answers."""
        return {"alive": True}

    @pages.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """It can take a form: a proxy that sends nobody here any more because a mailbox is in trouble would refuse notices. Names of
        parts only, nothing of what is in them.
        """
        broken = [h.name for h in parts.health() if h.state == "bad"]
        g.broken = broken
        ready = not set(broken) & NEEDED_FOR_FORMS
        return {"ready": ready, "broken": broken}, 200 if ready else 503

    return pages
