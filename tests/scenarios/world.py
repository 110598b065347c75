"""A whole intake in a temporary folder: mails go into a mailbox, forms are posted, staff and senders are what is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intake import config, receive
from intake.adapters.demo.mails import File, Gateway, delivered, passes, write
from intake.cli.show import case_view
from intake.domain.model import Arrival, OutcomeCode
from intake.pipeline import Done, process
from intake.ports import CaseView, QueueFilter, QueueRow, SentMail
from intake.registry_file import read_registry
from intake.wiring import Parts

REGISTER = """slug,name,services,relationship_manager,domains,contacts,exceptions,phone
kowhai,Kōwhai Example Trust,family_violence,R. Example,trust.org.nz,Office <office@trust.org.nz>;Mere <mere@trust.org.nz>,,+64 4 000 0001
totara,Tōtara Whānau,parenting,R. Example,tōtara.org.nz,Office <office@tōtara.org.nz>,,+64 4 000 0002
rata,Rātā Law,community_law,S. Example,,Principal <rata.law@xtra.co.nz>,rata.law@xtra.co.nz|Own domain is coming|2027-03-31,+64 4 000 0003
nikau,Nīkau Interpreting,interpreting,S. Example,group.org.nz,,,+64 4 000 0004
kauri,Kauri Contact,supervised_contact,S. Example,group.org.nz,,,+64 4 000 0005
ponga,Ponga Serving,process_serving,S. Example,group.org.nz,,,+64 4 000 0006
"""
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # Tuesday 24 November, 9:00 am in New Zealand
OFFICE = "Office <office@trust.org.nz>"


@dataclass
class World:
    folder: Path
    at: datetime = NOW
    sent: int = 0
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        zone = self.folder / "zone.json"
        zone.write_text(json.dumps({}))
        settings = self.folder / "intake.toml"
        settings.write_text(
            'own_domains = "ministry.example"\n[mailboxes.breach]\nkind = "maildrop"\n'
            f'folder = "{self.folder / "drop"}"\n[mailboxes.breach.trust]\nkind = "own"\n'
            'ids = ["mx.ministry.example"]\nborder = ["mx.ministry.example"]\nstamp = "above"\nstrips = "no"\n'
        )
        env = {
            "INTAKE_CONFIG": str(settings),
            "INTAKE_DATA_DIR": str(self.folder / "var"),
            "INTAKE_DNS_FILE": str(zone),
        }
        self.parts = Parts(config.load(env), lambda: self.at)
        self.parts.store.save_providers(read_registry(REGISTER))

    def close(self) -> None:
        self.parts.documents.close()

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
            sender=sender, subject=subject, body=body, at=self.at, identity=f"m{self.sent}", files=files,
            headers=headers, inside=inside,
        )
        return delivered(raw, self.at, gateway if gateway is not None else passes(domain))

    def arrives(self, raw: bytes, mailbox: str = "breach") -> Done:
        """Deliver bytes to a mailbox and let the worker do its work."""
        self.sent += 1
        (delivery,) = receive.keep(self.parts, [Arrival(raw, "maildrop", mailbox, f"r{self.sent}", self.at)])
        return process(self.parts, delivery.id)

    def send(self, **mail: Any) -> Done:
        return self.arrives(self.mail(**mail))

    # ---- what staff see ----------------------------------------------------------------------------------------------

    def case(self, done: Done, number: int = 0) -> CaseView:
        view = self.parts.store.case(done.cases[number])
        assert view is not None
        return view

    def shown(self, done: Done, number: int = 0) -> dict[str, Any]:
        return case_view(self.case(done, number))

    def queue(self) -> tuple[QueueRow, ...]:
        return self.parts.store.queue(QueueFilter(), limit=200)

    def outbox(self) -> tuple[SentMail, ...]:
        return self.parts.store.mails(200)

    def sentences(self, done: Done) -> str:
        view = self.case(done)
        reasons = (*view.reasons, *(view.severity.reasons if view.severity else ()))
        return " ".join(r.text for r in reasons)

    def codes(self, done: Done) -> set[str]:
        view = self.case(done)
        reasons = (*view.reasons, *(view.severity.reasons if view.severity else ()))
        return {r.code for r in reasons} | set(view.row.marks)


def answered(view: CaseView) -> Mapping[str, object]:
    return {question: a.value for question, a in view.answers.items()}


def assert_nothing_submitted(mail: SentMail, submitted: str) -> None:
    """No word of four letters or more that the sender wrote may stand in a mail of ours, but for words of our own templates."""
    ours = set(re.findall(r"\w{4,}", (Path(__file__).parents[2] / "templates" / "mail").joinpath(f"{mail.template}.txt").read_text()))
    theirs = set(re.findall(r"\w{4,}", submitted)) - ours
    assert not theirs & set(re.findall(r"\w{4,}", mail.body + mail.subject))


__all__ = ["NOW", "OFFICE", "File", "Gateway", "OutcomeCode", "World", "answered", "assert_nothing_submitted"]
