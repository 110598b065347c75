"""The only place that chooses adapters: from settings to the parts that the doors and use cases work with.

Each part is built when it is first asked for, so that a command pays for what it uses. `build` migrates the database and makes
the folder and, outside production, the key.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from forms.schema import Problem
from intake.config import MAILBOX_KINDS, MailboxSettings, Settings
from intake.desk import Desk
from intake.domain import routing
from intake.domain.domain_records import DomainRecords
from intake.domain.errors import Misconfigured
from intake.domain.health import Health
from intake.domain.model import Envelope, Provider, ReadAnswer
from intake.domain.own_checks import NOT_LOOKED_AT, OwnChecks
from intake.domain.probes import PROBE_ID, letter_of
from intake.domain.registry import Registry
from intake.domain.signatures import DkimResult
from intake.domain.trust import Trust, shorthand, trust_from_settings
from intake.health import findings
from intake.mail_text import Composer
from intake.ports import Clock, Doorbell, Mailbox, MailDoor, MailSender, QueueRow, SentBefore

if TYPE_CHECKING:
    from intake.adapters.blobs import FileBlobs
    from intake.adapters.dns import Dns
    from intake.adapters.documents.runner import DocumentReader
    from intake.adapters.store import SqlStore


_SIGNED = re.compile(rb"(?im)^dkim-signature[ \t]*:")
_HEAD = 262_144  # bytes: the header block that is looked at (docs/sender-check.md, Limits)


def now() -> datetime:
    return datetime.now(UTC)


class Lookups:
    """What the examination asks of the store. The registry is built again only when its version has changed."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._known: tuple[int, Registry] | None = None

    def registry(self) -> Registry:
        version = self._store.registry_version()
        if self._known is None or self._known[0] != version:
            self._known = (version, Registry(self._store.providers()))
        return self._known[1]

    def case_row(self, reference: str) -> QueueRow | None:
        return self._store.case_row(reference)

    def case_answers(self, reference: str) -> Mapping[str, ReadAnswer]:
        return self._store.case_answers(reference)

    def case_problems(self, reference: str) -> tuple[Problem, ...]:
        return self._store.case_problems(reference)

    def reference_for_message_id(self, message_ids: Sequence[str]) -> str | None:
        return self._store.reference_for_message_id(message_ids) if message_ids else None

    def case_with_document(self, sha256: Sequence[str], address: str, since: datetime) -> str | None:
        return self._store.case_with_document(sha256, address, since)

    def sent_to_case(self, reference: str, address: str) -> SentBefore:
        return self._store.sent_to_case(reference, address)

    def echo(self, message_id: str) -> str | None:
        return self._store.echo(message_id)


class NoLookups:
    """A register and a queue that are empty: `explain` on a machine where nothing was received yet."""

    def __init__(self, providers: tuple[Provider, ...] = ()) -> None:
        self._registry = Registry(providers)

    def registry(self) -> Registry:
        return self._registry

    def case_row(self, reference: str) -> QueueRow | None:
        return None

    def case_answers(self, reference: str) -> Mapping[str, ReadAnswer]:
        return {}

    def case_problems(self, reference: str) -> tuple[Problem, ...]:
        return ()

    def reference_for_message_id(self, message_ids: Sequence[str]) -> str | None:
        return None

    def case_with_document(self, sha256: Sequence[str], address: str, since: datetime) -> str | None:
        return None

    def sent_to_case(self, reference: str, address: str) -> SentBefore:
        return SentBefore()

    def echo(self, message_id: str) -> str | None:
        return None


class Parts:
    """Everything, built on demand. `clock` may be given: tests and the demo tell their own time."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        self.settings = settings
        self.clock = clock

    # ---- state ---------------------------------------------------------------------------------

    @cached_property
    def store(self) -> SqlStore:
        from intake.adapters.store import migrate, open_store

        self.settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate(self.settings.database)
        domain = str(self.settings.sender_address).rpartition("@")[2]
        return open_store(self.settings.database, self.clock, domain)

    @cached_property
    def blobs(self) -> FileBlobs:
        from intake.adapters.blobs import FileBlobs

        return FileBlobs(self.settings.blob_folder, self.secret)

    @cached_property
    def secret(self) -> bytes:
        return _secret(self.settings)

    @cached_property
    def lookups(self) -> Lookups | NoLookups:
        return Lookups(self.store)

    # ---- reading -------------------------------------------------------------------------------

    @cached_property
    def documents(self) -> DocumentReader:
        from intake.adapters.documents.keys import MailKeys
        from intake.adapters.documents.runner import DocumentReader

        keys = MailKeys(self.settings.smime)
        keys.check()
        return DocumentReader(keys=keys)

    @cached_property
    def fences(self) -> tuple[str, ...]:
        """What stands around a child that reads, on this machine: asked of a real one, once."""
        from intake.adapters.documents.runner import DocumentReader

        with DocumentReader() as reader:
            return reader.fences()

    @property
    def own_domains(self) -> tuple[str, ...]:
        return self.settings.domains

    @property
    def duty_addresses(self) -> tuple[str, ...]:
        return self.settings.duty

    def trust(self, mailbox: str) -> Trust:
        table, box = self.settings.trust(mailbox), self.settings.mailbox(mailbox)
        trust = trust_from_settings(table) if table else shorthand(self.settings.authserv_ids)
        if box is None or box.kind != "smtp":
            return trust
        from intake.adapters.smtp_in_options import door_trust

        return door_trust(box.name, box.options, trust)

    def probe_letter(self, mailbox: str, message_id: str) -> str:
        return letter_of(self.secret, mailbox, message_id) if message_id.startswith(PROBE_ID) else ""

    def dkim(self, raw: bytes, from_domain: str | None) -> DkimResult | None:
        """Our own check of a mail's signatures; None for a mail that carries none or names no sender."""
        if from_domain is None or not _SIGNED.search(raw[:_HEAD]):
            return None
        from intake.adapters.dkim import verify
        from intake.adapters.dns import DnsForOneMail

        return verify(raw, DnsForOneMail(self._dns))

    def own_checks(self, raw: bytes, envelope: Envelope, trust: Trust) -> OwnChecks:
        """DKIM, and where the mailbox's trust table names our machines SPF and DMARC, on the bytes as kept."""
        if envelope.from_domain is None:
            return NOT_LOOKED_AT
        if (trust.kind == "none" or trust.shorthand) and not _SIGNED.search(raw[:_HEAD]):
            return NOT_LOOKED_AT  # nothing to check, and nothing imported for it
        from intake.adapters.own_checks import check_own

        return check_own(raw, envelope.headers, envelope.from_domain, trust, self._dns)

    def domain_records(self, domain: str) -> DomainRecords:
        """What a domain's DNS says about its mail. Never raises; takes seconds when nobody answers."""
        from intake.adapters.domain_records import records_of

        return records_of(domain, self._dns)

    @cached_property
    def _dns(self) -> Dns:
        from intake.adapters.dns import DnsNetwork, DnsZoneFile

        return DnsZoneFile(self.settings.dns_file) if self.settings.dns_file else DnsNetwork()

    # ---- sending -------------------------------------------------------------------------------

    @cached_property
    def composer(self) -> Composer:
        return Composer(self.settings)

    def may_acknowledge(self, address: str, proven: bool) -> bool:
        """False when this address, or everybody together, got as many mails in the last hour as the settings allow. Of senders who
        are proven only their own answers count: mail that is forged in their name, or a wave of it, uses up none of them.
        """
        since, counted = self.clock() - timedelta(hours=1), routing.FULL if proven else ""
        if self.store.mails_to(address, since, counted) >= self.settings.acks_per_address_hour:
            return False
        return self.store.mails_to("", since, counted) < int(self.settings.acks_per_hour)

    def pages_left(self, address: str, proven: bool) -> int:
        """How many more pages a duty address may get within this hour. Strangers can use up theirs, and never those that are
        kept for senders who are proven.
        """
        sent = self.store.mails_to(address, self.clock() - timedelta(hours=1), "page")
        return max(0, int(self.settings.pages_per_hour) * (2 if proven else 1) - sent)

    @cached_property
    def mail_sender(self) -> MailSender | None:
        """None when neither a server nor a mailbox to send by is set: mails stay in the outbox, where staff see them."""
        box = self.settings.mailbox(str(self.settings.send_by))
        if box is not None:
            given = (box.name, self._options(box), self.settings.sender_address, self.store, self.clock)
            return _SENDERS[box.kind](*given)
        if not self.settings.smtp_url:
            return None
        from intake.adapters.smtp import SmtpSender

        return SmtpSender(self.settings.smtp_url, self.settings.sender_address)

    # ---- doors ---------------------------------------------------------------------------------

    @cached_property
    def doorbell(self) -> Doorbell:
        from intake.adapters import doorbell

        return doorbell.RqDoorbell(self.redis_url) if self.redis_url else doorbell.NullDoorbell()

    @property
    def redis_url(self) -> str:
        return str(self.settings.redis_url) or os.environ.get("INTAKE_EMBEDDED_REDIS_URL", "")

    @cached_property
    def desk(self) -> Desk:
        return Desk(self, self.store)

    def health(self) -> Sequence[Health]:
        return findings(self)

    def demo_choices(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        if not self.settings.demo:
            return {}
        from intake.adapters.demo.send import choices

        return choices()

    def send_demo_mail(self, sender: str, form: str, attachment: str) -> str:
        """Put one invented mail into the demo mailbox; its subject. Raises ValueError for a choice that there is not."""
        from intake.adapters.demo.send import drop

        return drop(self.settings.folder / "mail", self.clock(), sender, form, attachment)

    def mailboxes(self) -> Iterator[Mailbox]:
        """Those that we read; the others hand us their mail at `mail_doors`."""
        for box in self.settings.mailboxes:
            if box.kind in _READERS:
                yield _READERS[box.kind](box.name, self._options(box), self.store, self.clock)

    def mail_doors(self) -> Iterator[MailDoor]:
        boxes = [box for box in self.settings.mailboxes if box.kind == "smtp"]
        if not boxes:
            return
        from intake.adapters.smtp_in import SmtpDoor
        from intake.adapters.smtp_in_options import doors_from_settings

        for options in doors_from_settings((box.name, self._options(box)) for box in boxes):
            yield SmtpDoor(options, self.clock)

    def check_mailbox(self, name: str) -> None:
        """Raises Misconfigured, with what to mend, for options of a mailbox that cannot work. Nothing is connected to."""
        box = self.settings.mailbox(name)
        if box is not None and box.kind in _READERS:
            _READERS[box.kind](box.name, self._options(box), self.store, self.clock).close()
        elif box is not None and box.kind == "smtp":
            from intake.adapters.smtp_in_options import door_from_options

            door_from_options(box.name, self._options(box))
        elif box is not None:
            from intake.adapters.mailbox_options import only_known

            only_known(box.name, box.options, ())

    def _options(self, box: MailboxSettings) -> Mapping[str, object]:
        """With what the general settings say for all of its kind."""
        general = {name: self.settings.values[name] for name in MAILBOX_KINDS[box.kind].general}
        return {**general, **box.options}


def build(settings: Settings, clock: Clock = now) -> Parts:
    return Parts(settings, clock)


# ---- mailboxes by kind: each is imported only where it is used ----------------------------------


def _imap(name: str, options: Mapping[str, object], store: SqlStore, clock: Clock) -> Mailbox:
    from intake.adapters.imap import imap_from_settings

    return imap_from_settings(name, options, store, clock)


def _exchange(name: str, options: Mapping[str, object], store: SqlStore, clock: Clock) -> Mailbox:
    from intake.adapters.exchange import exchange_from_settings

    return exchange_from_settings(name, options, store, clock)


def _graph(name: str, options: Mapping[str, object], store: SqlStore, clock: Clock) -> Mailbox:
    from intake.adapters.graph import graph_from_settings

    return graph_from_settings(name, options, store, clock)


def _maildrop(name: str, options: Mapping[str, object], store: SqlStore, clock: Clock) -> Mailbox:
    from intake.adapters.maildrop import maildrop_from_settings

    return maildrop_from_settings(name, options)


def _by_exchange(name: str, options: Mapping[str, object], sender: str, store: SqlStore, clock: Clock) -> MailSender:
    from intake.adapters.exchange_send import ExchangeSender

    return ExchangeSender(name, options, sender, store, clock)


def _by_graph(name: str, options: Mapping[str, object], sender: str, store: SqlStore, clock: Clock) -> MailSender:
    from intake.adapters.graph_send import GraphSender

    return GraphSender(name, options, sender, store, clock)


_READERS = {"imap": _imap, "exchange": _exchange, "graph": _graph, "maildrop": _maildrop}
_SENDERS = {"exchange": _by_exchange, "graph": _by_graph}


def _secret(settings: Settings) -> bytes:
    """32 bytes. Made once outside production; a new one could read nothing that is kept, so then a missing key stops the start."""
    path = settings.secret_file
    if not path.exists():
        if settings.production or any(settings.blob_folder.glob("*/*/*")):
            raise Misconfigured(f"The key file {path} is missing. Put it back from where you keep it.")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) < 32:
        raise Misconfigured(f"The key file {path} holds {len(key)} bytes; it needs 32.")
    return key[:32]
