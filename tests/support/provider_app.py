"""The provider's pages on a desk in memory: everything is real but the house behind the desk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from forms.schema import Answers
from intake.config import Settings, load
from intake.mail_text import TEMPLATES
from intake.web.app import POLICY
from intake.web.provider import blueprint
from intake.web.provider_sitting import new_code

NOW = datetime(2026, 11, 22, 20, 5, tzinfo=UTC)  # Monday 23 November 2026, 9:05 am in New Zealand


@dataclass(frozen=True, slots=True)
class Slip:
    reference: str | None
    receipt: str
    received_at: datetime
    first_contact: datetime | None = None
    marker_72h: datetime | None = None
    read_by: datetime | None = None
    held: bool = False


@dataclass
class MemoryDesk:
    """Keeps in memory what `intake.desk.Desk` keeps on disk. `broken` names what does not work: drafts, submit, reading."""

    settings: Settings = field(default_factory=lambda: load({"INTAKE_DEMO": "true"}))
    now: datetime = NOW
    broken: set[str] = field(default_factory=set)
    drafts: dict[str, tuple[str, str]] = field(default_factory=dict)
    sent: dict[str, tuple[str, Answers, bool, str | None]] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def submit(
        self, form_name: str, answers: Answers, token: str, as_it_is: bool = False, updates: str | None = None
    ) -> Slip:
        if "submit" in self.broken:
            raise OSError("the disk is full")
        self.sent.setdefault(token, (form_name, answers, as_it_is, updates))
        number = list(self.sent).index(token)
        notice = form_name.startswith("breach")
        reference = updates or ("BN-5R8M-6", "BN-4T7K-9", "BN-8F2K-3")[number % 3]
        return Slip(
            reference=None if "reading" in self.broken else reference if notice else "SA-1F5B-8",
            receipt=hashlib.sha256(token.encode()).hexdigest(),
            received_at=self.now,
            first_contact=self.now + timedelta(hours=1) if notice else None,
            marker_72h=self.now + timedelta(hours=70) if notice else None,
            read_by=None if notice else self.now + timedelta(days=7),
            held=not notice,
        )

    def save_draft(self, code: str | None, form_name: str, flat: Mapping[str, object]) -> str:
        if "drafts" in self.broken:
            raise OSError("the disk is full")
        kept = code or new_code()
        self.drafts[self._normal(kept)] = (form_name, json.dumps(dict(flat)))
        return kept

    def draft(self, code: str) -> tuple[str, dict[str, Any]] | None:
        found = self.drafts.get(self._normal(code))
        return (found[0], json.loads(found[1])) if found else None

    def drop_draft(self, code: str) -> None:
        self.drafts.pop(self._normal(code), None)

    @staticmethod
    def _normal(code: str) -> str:
        return "".join(code.upper().split()).replace("-", "").translate(str.maketrans("OIL", "011"))


def provider_app(desk: MemoryDesk) -> Flask:
    app = Flask("intake.web", template_folder=str(TEMPLATES), static_folder="static", static_url_path="/static")
    app.config.update(
        SECRET_KEY=b"a key of a test, not of anything else",
        SESSION_COOKIE_NAME="form",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=2_000_000,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    app.register_blueprint(blueprint(desk))

    @app.after_request
    def headers(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    return app
