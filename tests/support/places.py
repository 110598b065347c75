"""Mailboxes of every kind, each with its server, as a sender, staff and our reader meet them. The contract tests, the scenarios and
the kills run on all of them.

A new kind is one class here and one line in `PLACES`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from imapclient import IMAPClient

from intake.adapters.exchange import exchange_from_settings
from intake.adapters.graph import graph_from_settings
from intake.adapters.imap import imap_from_settings
from intake.adapters.maildrop import MaildropMailbox, drop
from intake.ports import Mailbox, MailboxState
from tests.support import dovecot as imap_server
from tests.support.dovecot import Dovecot
from tests.support.exchange_server import ExchangeServer
from tests.support.graph_server import GraphServer

_numbers = itertools.count(1)
NEW, PROCESSED, HELD = "new", "processed", "held"


class RememberedState:
    """The part of the store that a mailbox reader keeps its place in."""

    def __init__(self) -> None:
        self.states: dict[str, MailboxState] = {}

    def mailbox_state(self, name: str) -> MailboxState:
        return self.states.get(name, MailboxState(name))

    def set_mailbox_state(self, name: str, **fields: object) -> None:
        self.states[name] = replace(self.mailbox_state(name), **fields)  # type: ignore[arg-type]


class Place(Protocol):
    """One mailbox on its server. A place is made anew for each test; the server may be shared by all of them."""

    kind: str
    name: str
    state: RememberedState
    folders: tuple[str, ...]  # NEW, and where mail goes from there: a maildrop has no HELD
    keeps_dates: bool  # a sender can choose the time at which the server took a mail

    @property
    def options(self) -> Mapping[str, object]:
        """What stands in `[mailboxes.NAME]`, with the kind."""

    def open(self, **options: object) -> Mailbox:
        """A reader as after a start of our process: it knows `state` and nothing else."""

    def deliver(self, *mails: bytes, at: datetime | None = None) -> None: ...
    def lying(self, folder: str = NEW) -> list[bytes]: ...
    def take_away(self) -> None:
        """Staff remove every mail that lies in NEW."""

    def move_back(self) -> None:
        """Staff move everything from PROCESSED to NEW."""

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server does not answer, or answers that it cannot."""


class MaildropPlace:
    kind, folders, keeps_dates = "maildrop", (NEW, PROCESSED), False

    def __init__(self, folder: Path) -> None:
        self.name = f"drop{next(_numbers)}"
        self.state = RememberedState()
        self._folder = folder / self.name
        self._paths = {NEW: self._folder / "new", PROCESSED: self._folder / "done"}
        for path in self._paths.values():
            path.mkdir(parents=True)

    @property
    def options(self) -> Mapping[str, object]:
        return {"kind": self.kind, "folder": str(self._folder)}

    def open(self, **options: object) -> Mailbox:
        return MaildropMailbox(self.name, self._folder)

    def deliver(self, *mails: bytes, at: datetime | None = None) -> None:
        for mail in mails:
            drop(self._folder, mail)

    def lying(self, folder: str = NEW) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self._paths[folder].iterdir())]

    def take_away(self) -> None:
        for path in self._paths[NEW].iterdir():
            path.unlink()

    def move_back(self) -> None:
        for path in self._paths[PROCESSED].iterdir():
            path.rename(self._paths[NEW] / path.name)

    @contextmanager
    def away(self) -> Iterator[None]:
        hidden = self._folder.with_suffix(".away")
        self._folder.rename(hidden)
        self._folder.write_text("in the way of a folder")
        yield
        self._folder.unlink()
        hidden.rename(self._folder)


class ImapPlace:
    kind, folders, keeps_dates = "imap", (NEW, PROCESSED, HELD), True
    _names: ClassVar = {NEW: "INBOX", PROCESSED: "Processed", HELD: "Held"}

    def __init__(self, server: Dovecot) -> None:
        self.name = f"imap{next(_numbers)}"
        self.state = RememberedState()
        self._server = server
        self._port = server.imaps

    @property
    def options(self) -> Mapping[str, object]:
        return {"kind": self.kind, **self._server.options(self.name, port=self._port)}

    def open(self, **options: object) -> Mailbox:
        given: dict[str, Any] = {**self.options, **options}
        del given["kind"]
        return imap_from_settings(self.name, given, self.state, lambda: datetime.now(UTC))

    def deliver(self, *mails: bytes, at: datetime | None = None) -> None:
        if at is None:
            self._server.deliver(self.name, *mails)
            return
        for mail in mails:
            self._server.deliver_at(self.name, mail, at)

    def lying(self, folder: str = NEW) -> list[bytes]:
        with self._client() as client:
            if not client.folder_exists(self._names[folder]):
                return []
            client.select_folder(self._names[folder])
            found = [client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {}).get(b"BODY[]") for uid in client.search()]
            return [raw for raw in found if raw is not None]  # one may go while we look

    def take_away(self) -> None:
        with self._client() as client:
            client.select_folder("INBOX")
            client.delete_messages(client.search())
            client.expunge()

    def move_back(self) -> None:
        with self._client() as client:
            client.select_folder("Processed")
            client.move(client.search(), "INBOX")

    @contextmanager
    def away(self) -> Iterator[None]:
        self._server.pause()
        yield
        self._server.resume()

    @contextmanager
    def _client(self) -> Iterator[IMAPClient]:
        client = self._server.client(self.name)
        try:
            yield client
        finally:
            client.logout()


class ServedPlace:
    """A mailbox on one of our fakes of a service; both have the same handles."""

    kind, folders, keeps_dates = "", (NEW, PROCESSED, HELD), True
    _names: ClassVar = {NEW: "Inbox", PROCESSED: "Processed", HELD: "Held"}

    def __init__(self, server: GraphServer | ExchangeServer) -> None:
        self.name = f"{self.kind}{next(_numbers)}"
        self.state = RememberedState()
        self.address = f"{self.name}@ministry.example"
        self.server = server
        server.box(self.address)

    @property
    def options(self) -> Mapping[str, object]:
        return {"kind": self.kind, **self.server.options(self.address)}

    def deliver(self, *mails: bytes, at: datetime | None = None) -> None:
        self.server.deliver(self.address, *mails, at=at)

    def lying(self, folder: str = NEW) -> list[bytes]:
        return self.server.lying(self.address, self._names[folder])

    def take_away(self) -> None:
        self.server.take_away(self.address)

    def move_back(self) -> None:
        self.server.move_back(self.address)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.server.away = True
        yield
        self.server.away = False


class GraphPlace(ServedPlace):
    kind = "graph"

    def open(self, **options: object) -> Mailbox:
        given = {**self.server.options(self.address), **options}
        return graph_from_settings(self.name, given, self.state, lambda: datetime.now(UTC))


class ExchangePlace(ServedPlace):
    kind = "exchange"
    _names: ClassVar = {NEW: "inbox", PROCESSED: "Processed", HELD: "Held"}

    def open(self, **options: object) -> Mailbox:
        given = {**self.server.options(self.address), **options}
        return exchange_from_settings(self.name, given, self.state, lambda: datetime.now(UTC))


class Servers:
    """The servers of one test session, started when a place first needs them."""

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self._folder = folder
        self._running: dict[str, Any] = {}

    def dovecot(self) -> Dovecot:
        return self.running("dovecot", imap_server.start)  # type: ignore[no-any-return]

    def running(self, name: str, start: Callable[[Path], Any]) -> Any:
        """A server by its name; anything with `stop`."""
        if name not in self._running:
            self._running[name] = start(self._folder(name))
        return self._running[name]

    def stop(self) -> None:
        for server in self._running.values():
            server.stop()


PLACES: Mapping[str, Callable[[Servers, Path], Place]] = {
    "maildrop": lambda servers, folder: MaildropPlace(folder),
    "imap": lambda servers, folder: ImapPlace(servers.dovecot()),
    "exchange": lambda servers, folder: ExchangePlace(servers.running("exchange", ExchangeServer)),
    "graph": lambda servers, folder: GraphPlace(servers.running("graph", GraphServer)),
}
