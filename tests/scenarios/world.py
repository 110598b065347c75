"""A whole intake in a temporary folder: mails go into a mailbox, forms are posted, staff and senders are what is looked at.

Nothing is replaced but the clock: the store is SQLite on disk, documents are read in their child, mails are bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import cache, cached_property
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from forms import load
from forms.schema import Answers
from intake import config, receive
from intake.adapters.demo.answers import assessment, notice
from intake.adapters.demo.mails import File, Gateway, delivered, fails, passes, spf_only, write
from intake.adapters.demo.messages import filled
from intake.adapters.maildrop import drop
from intake.adapters.smtp import SmtpSender
from intake.cli.show import case_view
from intake.desk import Desk, Receipt
from intake.domain.model import Arrival, OutcomeCode
from intake.pipeline import Done, process
from intake.ports import CaseView, DocumentReading, Mailbox, QueueFilter, QueueRow, SentMail, Staff
from intake.registry_file import read_registry
from intake.web.app import create_app
from intake.web.auth import sign_in_link
from intake.wiring import Parts
from tests.support.places import Place
from tests.support.running import table
from tests.support.smtp_sink import sink
from tests.support.stores import sqlite_url
from tests.support.visitor import Visitor
from workers import collect, deliver, jobs

REGISTER = """slug,name,services,relationship_manager,domains,contacts,exceptions,phone
kowhai,Kōwhai Example Trust,family_violence,R. Example,trust.org.nz,Office <office@trust.org.nz>;Mere <mere@trust.org.nz>,,+64 4 000 0001
totara,Tōtara Whānau,parenting,R. Example,tōtara.org.nz,Office <office@tōtara.org.nz>,,+64 4 000 0002
rata,Rātā Law,community_law,S. Example,,Principal <rata.law@xtra.co.nz>,rata.law@xtra.co.nz|Own domain is coming|2027-03-31,+64 3 000 0003
nikau,Nīkau Interpreting,interpreting,S. Example,group.org.nz,,,+64 4 000 0004
kauri,Kauri Contact,supervised_contact,S. Example,group.org.nz,,,+64 4 000 0005
ponga,Ponga Serving,process_serving,S. Example,group.org.nz,,,+64 4 000 0006
"""
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # Tuesday 24 November, 9:00 am in New Zealand
OFFICE = "Office <office@trust.org.nz>"
KOWHAI, RATA = "Kōwhai Example Trust", "Rātā Law"
PDF = "application/pdf"
MAILBOXES = ("breach", "privacy")
BREACH, ASSESSMENT = "breach-notice", "it-self-assessment"
TRIAGE = Staff("kim@ministry.example", "triage", "Kim Example")
LEAD = Staff("lead@ministry.example", "privacy_lead", "Lee Example")

_TRUST = """
[mailboxes.{name}.trust]
kind = "own"
ids = ["mx.ministry.example"]
border = ["mx.ministry.example"]
stamp = "above"
strips = "no"
"""


class _Once:
    """A mailbox that is looked at once: where the reader would wait for more, it is told to stop."""

    def __init__(self, box: Mailbox, stop: Event) -> None:
        self.name, self._box, self._stop = box.name, box, stop
        self.changes, self.done, self.count, self.close = box.changes, box.done, box.count, box.close

    def wait(self, seconds: float) -> bool:
        self._stop.set()
        return False


@dataclass
class World:
    folder: Path
    reader: DocumentReading | None = None  # shared by the tests of a run: a child takes a while to start
    at: datetime = NOW
    more_settings: str = ""  # whole tables
    plain_settings: str = ""  # single lines
    places: Mapping[str, Place] = field(default_factory=dict)  # mailboxes on real servers, by name; else folders
    sent: int = 0
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        zone = self.folder / "zone.json"
        zone.write_text(json.dumps({}))
        settings = self.folder / "intake.toml"
        boxes = "".join(table(name, self._options(name)) + _TRUST.format(name=name) for name in MAILBOXES)
        settings.write_text(f'own_domains = "ministry.example"\n{self.plain_settings}{boxes}{self.more_settings}')
        env = {
            "INTAKE_CONFIG": str(settings),
            "INTAKE_DATA_DIR": str(self.folder / "var"),
            "INTAKE_DATABASE_URL": sqlite_url(self.folder),
            "INTAKE_DNS_FILE": str(zone),
        }
        self.parts = Parts(config.load(env), lambda: self.at)
        if self.reader is not None:
            self.parts.__dict__["documents"] = self.reader
        self.register(REGISTER)
        for one in (TRIAGE, LEAD):
            self.parts.store.add_staff(one.address, one.role, one.name)

    def _options(self, name: str) -> Mapping[str, object]:
        if name in self.places:
            return self.places[name].options
        return {"kind": "maildrop", "folder": (self.folder / f"drop-{name}").as_posix()}

    def register(self, text: str) -> None:
        self.parts.store.save_providers(read_registry(text))

    def close(self) -> None:
        if self.reader is None and "documents" in self.parts.__dict__:
            self.parts.documents.close()

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)

    # ---- senders -----------------------------------------------------------------------------------------------------

    def mail(
        self,
        sender: str = OFFICE,
        subject: str = "Our form",
        body: str = "Kia ora, our form is attached.",
        files: Sequence[File] = (),
        gateway: Gateway | None = None,
        headers: Sequence[tuple[str, str]] = (),
        inside: bytes = b"",
    ) -> bytes:
        """The bytes of one mail as the gateway hands it over; it passes for its From domain unless `gateway` says otherwise."""
        self.sent += 1
        domain = sender.rpartition("@")[2].strip("> ")
        raw = write(
            sender=sender,
            subject=subject,
            body=body,
            at=self.at,
            identity=f"m{self.sent}",
            files=files,
            headers=headers,
            inside=inside,
        )
        return delivered(raw, self.at, gateway if gateway is not None else passes(domain))

    def arrives(self, raw: bytes, mailbox: str = "breach", at: datetime | None = None) -> Done:
        """Bytes that a mailbox took (at the world's time, unless `at` says so), worked to their end."""
        self.sent += 1
        if mailbox in self.places:
            self.places[mailbox].deliver(raw, at=at or self.at)
            self.read_mailbox(next(box for box in self.parts.mailboxes() if box.name == mailbox))
            (delivery,) = self.parts.store.deliveries_waiting(10)
        else:
            arrival = Arrival(raw, "maildrop", mailbox, f"r{self.sent}", at or self.at)
            (delivery,) = receive.keep(self.parts, [arrival])
        return process(self.parts, delivery.id)

    def read_mailbox(self, box: Mailbox) -> None:
        """The reader of one mailbox, once around."""
        collect.read(self.parts, _Once(box, stop := Event()), stop)

    def send(self, mailbox: str = "breach", **mail: Any) -> Done:
        return self.arrives(self.mail(**mail), mailbox)

    def drop(self, raw: bytes, mailbox: str = "breach") -> None:
        """Put a mail into the folder of a mailbox, as a server or a person would."""
        drop(self.folder / f"drop-{mailbox}", raw)

    def collect(self) -> None:
        """The reader of the mailboxes and the worker, once around."""
        for box in self.parts.mailboxes():
            self.read_mailbox(box)
        jobs.drain(self.parts)

    def deliver(self) -> list[Message]:
        """Send what is due; the mails as our mail server took them, with the headers that went over the wire."""
        with sink() as server:
            sender = SmtpSender(f"smtp://127.0.0.1:{server.port}", str(self.parts.settings.sender_address))
            handed_over = sum(iter(lambda: deliver.send_due(self.parts, sender), 0))
            assert handed_over == len(server.taken)
        return [taken.message for taken in server.taken]

    def submit(self, form: str, answers: Answers, token: str = "", updates: str | None = None) -> Receipt:
        """A form sent by web, after its pages: what `intake.web` calls when the last button is pressed."""
        self.sent += 1
        desk = Desk(self.parts, self.parts.store)
        return desk.submit(load.form(form).name, answers, token or f"web-{self.sent}", updates=updates)

    @cached_property
    def app(self) -> Flask:
        return create_app(self.parts)

    def visitor(self) -> Visitor:
        """Somebody of a provider at the public pages, without scripts."""
        return Visitor(self.app.test_client())

    # ---- what staff see ----------------------------------------------------------------------------------------------

    def view(self, reference: str | None) -> CaseView:
        view = self.parts.store.case(reference or "")
        assert view is not None
        return view

    def case(self, done: Done, number: int = 0) -> CaseView:
        return self.view(done.cases[number])

    def shown(self, done: Done, number: int = 0) -> dict[str, Any]:
        """The case as `provider-intake case REF --json` prints it."""
        return case_view(self.case(done, number))

    def desk(self, staff: Staff = TRIAGE) -> Visitor:
        """A member of staff, signed in by a one-time link."""
        browser = Visitor(self.app.test_client())
        link = urlsplit(sign_in_link(self.parts, staff.address))
        return browser.open(link.path).press("Sign in")

    def page(self, reference: str | None, staff: Staff = TRIAGE) -> str:
        """The words of the case page as staff read them."""
        shown = self.desk(staff).open(f"/case/{reference}")
        assert shown.status == 200
        return shown.words

    def queue(self) -> tuple[QueueRow, ...]:
        return self.parts.store.queue(QueueFilter(), limit=200)

    def row(self, done: Done, number: int = 0) -> QueueRow:
        """The case's line in the queue that staff work; fails when it is not there."""
        (row,) = (r for r in self.queue() if r.reference == done.cases[number])
        return row

    def outbox(self) -> tuple[SentMail, ...]:
        return self.parts.store.mails(200)

    def mails_of(self, done: Done) -> tuple[SentMail, ...]:
        return tuple(m for m in self.outbox() if m.case in done.cases)

    def sentences(self, done: Done, number: int = 0) -> str:
        view = self.case(done, number)
        reasons = (*view.reasons, *(view.severity.reasons if view.severity else ()))
        evidence = (view.sender.reason, *(e.text for e in view.sender.evidence))
        return " ".join((*(r.text for r in reasons), *evidence, *(p.message for p in view.problems)))

    def codes(self, done: Done, number: int = 0) -> set[str]:
        """Marks and codes of the reasons."""
        view = self.case(done, number)
        reasons = (*view.reasons, *(view.severity.reasons if view.severity else ()))
        return {r.code for r in reasons} | set(view.row.marks)

    def history(self, done: Done, number: int = 0) -> list[str]:
        return [e.action for e in self.case(done, number).events]

    def answers(self, done: Done, number: int = 0) -> Mapping[str, object]:
        return answered(self.case(done, number))


def answered(view: CaseView) -> Mapping[str, object]:
    return {question: a.value for question, a in view.answers.items()}


# ---- files that providers send ----------------------------------------------------------------------------------------


def form_file(kind: str, answers: Answers, name: str = "form.pdf") -> File:
    return File(name, PDF, filled(kind, answers))


def notice_file(aware: datetime = NOW, name: str = "breach-notice.pdf", **more: object) -> File:
    return form_file(BREACH, notice(KOWHAI, aware, "A folder was left on a bus.", **more), name)


def assessment_file(organisation: str = KOWHAI, name: str = "self-assessment.pdf", **more: object) -> File:
    return form_file(ASSESSMENT, assessment(organisation, **more), name)


# ---- what the sender gets ---------------------------------------------------------------------------------------------


@cache
def _our_words() -> frozenset[str]:
    """Words of our own templates and settings; a sender may happen to use them too."""
    folder = Path(__file__).parents[2] / "templates" / "mail"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    texts += [str(s.default) for s in config.SETTINGS]
    texts += ["privacy-breach notice", "IT self-assessment", "message"]
    days = [datetime(2026, 1, 1) + timedelta(days=n) for n in range(366)]
    texts += sorted({f"{day:%A %B %Y}" for day in days} | {"2027"})
    return frozenset(re.findall(r"\w{4,}", " ".join(texts)))


def assert_nothing_submitted(mail: SentMail, submitted: str) -> None:
    """No word of four letters or more that the sender wrote stands in a mail of ours, but for words that are ours anyway."""
    theirs = set(re.findall(r"\w{4,}", submitted)) - _our_words()
    assert theirs, "the test must submit words that our templates do not use"
    assert not theirs & set(re.findall(r"\w{4,}", mail.body + mail.subject))


def acknowledged(world: World, done: Done, to: str, template: str, submitted: str) -> SentMail:
    """The one answer to a message: who gets it, which words, the reference, and nothing that was submitted."""
    (mail,) = world.mails_of(done)
    assert (mail.to, mail.template, mail.state) == (to, f"acknowledgement_{template}", "queued")
    assert done.cases[0] in mail.subject
    assert done.cases[0] in mail.body
    assert_nothing_submitted(mail, submitted)
    return mail


def silent(world: World, done: Done) -> bool:
    return not world.mails_of(done)


__all__ = [
    "ASSESSMENT", "BREACH", "KOWHAI", "LEAD", "NOW", "OFFICE", "PDF", "RATA", "REGISTER", "TRIAGE", "CaseView", "Done", "File",
    "Gateway", "OutcomeCode", "World", "acknowledged", "answered", "assert_nothing_submitted", "assessment",
    "assessment_file", "fails", "filled", "form_file", "notice", "notice_file", "passes", "silent", "spf_only",
]  # fmt: skip
