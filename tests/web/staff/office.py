"""A whole house for the staff pages: SQLite on disk, the real pipeline, mails as bytes, a clock that stands."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask

from forms.schema import Answers
from intake import receive
from intake.adapters.demo.mails import File, Gateway, delivered, passes, write
from intake.config import load
from intake.domain.model import Arrival
from intake.domain.web_submission import WebSubmission, encode
from intake.pipeline import process
from intake.ports import CaseView
from intake.registry_file import read_registry
from intake.web.app import create_app
from intake.web.auth import sign_in_link
from intake.wiring import Parts
from tests.support.stores import SetClock, sqlite_url
from tests.web.staff.reading import Page, Person

NOW = datetime(2026, 11, 22, 20, 42, tzinfo=UTC)  # Monday 23 November 2026, 9:42 am in New Zealand
REGISTER = """slug,name,services,relationship_manager,domains,contacts,exceptions,phone
kowhai,Kōwhai Example Trust,family_violence,R. Example,kowhai-trust.example,Office <office@kowhai-trust.example>,,+64 4 000 0001
rimu,Rimu Example Parenting,parenting,S. Example,rimu-parenting.example,Manager <manager@rimu-parenting.example>,rimu@freemail.example|Own domain is coming|2026-12-31,+64 3 000 0004
"""
STAFF = {
    "triage": "A. Example",
    "privacy_lead": "K. Example",
    "security_lead": "L. Example",
    "manager": "R. Example",
    "records": "T. Example",
    "auditor": "N. Example",
    "admin": "O. Example",
}
GRAVE: Answers = {
    "A01": "Kōwhai Example Trust",
    "A06": "A mail with the new address went to the other party.",
    "A07": "dont_know",
    "A08": {"at": "2026-11-22T20:10:00+13:00"},
    "A09": "ongoing",
    "A10": "fear",
    "A11": "where_when",
    "B17": "for_our_own_service",
}
CALM: Answers = {
    "A01": "Kōwhai Example Trust",
    "A06": "A laptop was stolen. It is encrypted.",
    "A07": "no",
    "A08": {"at": "2026-11-22T20:10:00+13:00"},
    "A09": "contained",
    "A10": "stranger",
    "A11": "contact",
    "B14": "strong_encryption_key_safe",
}


def address_of(role: str) -> str:
    return f"{role}@ministry.example"


class Office:
    """`mode` production or development; `demo` with the demo page; `zone` is what DNS says, and all that it says."""

    def __init__(
        self, folder: Path, mode: str = "development", demo: bool = False, zone: Mapping[str, object] | None = None
    ) -> None:
        self.clock = SetClock(NOW)
        (folder / "zone.json").write_text(json.dumps(zone or {}), encoding="utf-8")
        key = folder / "key"
        key.write_bytes(b"k" * 32)
        variables = {
            "INTAKE_MODE": mode,
            "INTAKE_DEMO": str(demo).lower(),
            "INTAKE_DATA_DIR": str(folder),
            "INTAKE_DATABASE_URL": sqlite_url(folder),
            "INTAKE_SECRET_KEY_FILE": str(key),
            "INTAKE_CONFIG": str(_settings(folder)),
            "INTAKE_DNS_FILE": str(folder / "zone.json"),
        }
        if mode == "production":
            variables |= {"INTAKE_BASE_URL": "https://localhost", "INTAKE_SMTP_URL": "smtps://mail.example"}
            variables |= {"INTAKE_TRUSTED_PROXY": "127.0.0.1"}
        self.parts = Parts(load(variables), self.clock)
        self.store = self.parts.store
        self.store.save_providers(read_registry(REGISTER, "register.csv"))
        for role, name in STAFF.items():
            self.store.add_staff(address_of(role), role, name)
        self._numbers = itertools.count(1)

    def application(self) -> Flask:
        return create_app(self.parts)

    # ---- what arrives

    def web(self, answers: Answers, form: str = "breach-notice@2026.1") -> str:
        number = next(self._numbers)
        raw = encode(WebSubmission(f"web-{number}", form, answers))
        return self._process(raw, "web", "web", f"web-{number}")

    def mail(
        self,
        body: str,
        sender: str = "Office <office@kowhai-trust.example>",
        subject: str = "Privacy breach",
        files: tuple[File, ...] = (),
        gateway: Gateway | None = None,
    ) -> str:
        number = next(self._numbers)
        at = self.clock()
        raw = write(sender=sender, subject=subject, body=body, at=at, identity=f"m{number}", files=files)
        domain = sender.rpartition("@")[2].strip("> ")
        return self._process(delivered(raw, at, gateway or passes(domain)), "maildrop", "post", f"m{number}")

    def notice(self, answers: Answers, **more: object) -> str:
        """A breach notice typed into a mail, line by line, from the registered office."""
        return self.mail(typed(answers), **more)  # type: ignore[arg-type]

    def _process(self, raw: bytes, channel: str, mailbox: str, remote_id: str) -> str:
        (kept,) = receive.keep(self.parts, [Arrival(raw, channel, mailbox, remote_id, self.clock())])
        done = process(self.parts, kept.id)
        return done.cases[0] if done.cases else ""

    def case(self, reference: str) -> CaseView:
        case = self.store.case(reference)
        assert case is not None
        return case

    # ---- who reads

    def person(self, app: Flask, role: str = "triage") -> Person:
        """Somebody who has signed in by a link."""
        person = Person(app.test_client())
        link = sign_in_link(self.parts, address_of(role))
        page = person.open(link[link.index("/sign-in/") :])
        assert person.press(page, "Sign in").status == 200
        return person

    def stranger(self, app: Flask) -> Person:
        return Person(app.test_client())

    def later(self, **by: float) -> None:
        self.clock.at += timedelta(**by)


def typed(answers: Answers) -> str:
    """Answers as somebody types them into a mail."""
    lines = []
    for question, value in answers.items():
        if isinstance(value, dict):
            lines += [f"{question}.{part}: {each}" for part, each in value.items()]
        else:
            lines.append(f"{question}: {', '.join(value) if isinstance(value, list) else value}")
    return "\n".join(lines)


def _settings(folder: Path) -> Path:
    path = folder / "settings.toml"
    path.write_text(
        'own_domains = "ministry.example"\n[mailboxes.post]\nkind = "maildrop"\n'
        f'folder = "{folder / "post"}"\n[mailboxes.post.trust]\nkind = "own"\nids = ["mx.ministry.example"]\n'
        'border = ["mx.ministry.example"]\nstamp = "above"\nstrips = "no"\n',
        encoding="utf-8",
    )
    return path


__all__ = ["CALM", "GRAVE", "NOW", "STAFF", "Office", "Page", "Person", "address_of", "typed"]
