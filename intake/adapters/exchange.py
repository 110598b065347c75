"""A mailbox of Exchange Server on premises, by Exchange Web Services and exchangelib. The only module, with
`exchange_account` and `exchange_send`, that knows it.

What is new comes from SyncFolderItems; `rounds` says when it begins anew. Streaming notifications only ring: a stream
says what happens now, and nothing of what happened before it was opened. The stream has a thread of its own, since a
question asked inside of one can wait for ever.

Sources: docs/decisions/0013-exchange-server-by-ews.md.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from intake.adapters.access import StateStore
from intake.adapters.exchange_account import ExchangeAccount, ExchangeSignIn, exchange_account, failures
from intake.adapters.rounds import Mail, RoundMailbox
from intake.domain.errors import Refused, TryLater
from intake.ports import Clock

_log = logging.getLogger("intake.exchange")
_Answer = TypeVar("_Answer")

_STREAM_MINUTES = 1  # of one stream; then a new one is opened
_bells = itertools.count(1)
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 300.0  # seconds between streams that fail


def exchange_from_settings(name: str, options: Mapping[str, Any], store: StateStore, clock: Clock) -> RoundMailbox:
    """Raises Misconfigured when the options of the mailbox cannot work."""
    account = exchange_account(name, options)
    return RoundMailbox(name, "exchange", account.folders, ExchangeFolder(account, store), clock)


class ExchangeFolder:
    """`intake.adapters.rounds.RemoteFolder`."""

    def __init__(self, account: ExchangeAccount, store: StateStore) -> None:
        self._account = account
        self._store = store
        self._sign_in = ExchangeSignIn(account, store, "ask")
        self._opened: Any = None
        self._folders: dict[str, Any] = {}
        self._place = ""  # the SyncState
        self._sizes: dict[str, int] = {}
        self._bell: Bell | None = None

    def everything(self) -> Mapping[str, datetime | None]:
        self._place = ""
        self._sizes.clear()
        return self._asked(self._synced)[0]

    def since(self) -> tuple[Mapping[str, datetime | None], Collection[str]] | None:
        from exchangelib import errors

        if not self._place:
            return None
        try:
            return self._asked(self._synced, errors.ErrorInvalidSyncStateData, errors.ErrorSyncFolderNotFound)
        except (errors.ErrorInvalidSyncStateData, errors.ErrorSyncFolderNotFound):
            self._folders.clear()
            return None

    def fetch(self, item: str, limit: int) -> Mail | None:
        from exchangelib import errors

        def ask() -> Mail | None:
            size = self._sizes.get(item) or self._got(item, "size").size or 0
            if size > limit:  # the server hands over a whole MIME or none
                return Mail(self._beginning(item), size)
            raw: bytes = self._got(item, "mime_content").mime_content
            return Mail(raw, len(raw))

        try:
            return self._asked(ask, errors.ErrorItemNotFound)
        except errors.ErrorItemNotFound:
            return None

    def taken_at(self, item: str) -> datetime | None:
        return _instant(self._asked(lambda: self._got(item, "datetime_received").datetime_received))

    def move(self, item: str, target: str) -> None:
        from exchangelib import errors

        refused = (errors.ErrorAccessDenied, errors.ErrorMoveCopyFailed, errors.ErrorQuotaExceeded)
        removed = (errors.ErrorToFolderNotFound, errors.ErrorFolderNotFound)
        try:
            try:
                self._asked(lambda: self._move(item, target), errors.ErrorItemNotFound, *refused, *removed)
            except removed:
                self._folders.clear()
                self._asked(lambda: self._move(item, target), errors.ErrorItemNotFound, *refused)
        except errors.ErrorItemNotFound:
            return
        except refused as error:
            raise Refused(
                f"Mail of mailbox {self._account.name} is kept here, and the server does not let us move it to {target}. "
                "Look at the rights and the space of that folder."
            ) from error

    def wait(self, seconds: float) -> bool:
        if self._bell is None and self._account.streaming and self._opened is not None:
            self._bell = Bell(self._account, ExchangeSignIn(self._account, self._store, f"ring {next(_bells)}"))
        if self._bell is not None and self._bell.listening:
            return self._bell.wait(seconds)
        time.sleep(min(seconds, self._account.poll_seconds))
        return True

    def count(self) -> tuple[int, int]:
        def sizes() -> tuple[int, int]:
            found = []
            for name in (self._account.folders.folder, self._account.folders.processed, self._account.folders.held):
                folder = self._folder(name)
                folder.refresh()
                found.append(int(folder.total_count))
            return found[0], found[1] + found[2]

        return self._asked(sizes)

    def close(self) -> None:
        if self._bell is not None:
            self._bell.stop()
            self._bell = None
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.protocol.close()

    # ---- questions -----------------------------------------------------------------------------

    def _asked(self, question: Callable[[], _Answer], *known: type[Exception]) -> _Answer:
        """Ask, and once more with a fresh token when the server refuses the last one. Everything unexpected is TryLater."""
        from exchangelib import errors

        try:
            with failures(self._account.name, *known):
                try:
                    return self._open(question)
                except errors.UnauthorizedError:
                    if self._account.auth != "oauth":
                        raise
                    self._forget()
                    return self._open(question, fresh=True)
        except TryLater:
            self._forget()
            raise

    def _open(self, question: Callable[[], _Answer], fresh: bool = False) -> _Answer:
        if self._opened is None:
            self._opened = self._sign_in(fresh)
        return question()

    def _forget(self) -> None:
        opened, self._opened = self._opened, None
        self._folders.clear()
        self._place = ""
        if opened is not None:
            opened.protocol.close()

    def _synced(self) -> tuple[dict[str, datetime | None], set[str]]:
        """Page by page to the end; the place counts only then."""
        folder = self._folder(self._account.folders.folder)
        came, went = dict[str, datetime | None](), set[str]()
        folder.item_sync_state = None
        fields = ["datetime_received", "size"]
        for change, item in folder.sync_items(sync_state=self._place or None, only_fields=fields):
            if change == "create":
                went.discard(item.id)
                came[item.id] = _instant(item.datetime_received)
                self._sizes[item.id] = item.size or 0
            elif change == "delete":
                came.pop(item.id, None)
                self._sizes.pop(item.id, None)
                went.add(item.id)
        self._place = str(folder.item_sync_state)
        return came, went

    def _got(self, item: str, *fields: str) -> Any:
        """One mail with these fields. Raises what the server says of it."""
        (found,) = self._opened.fetch([(item, None)], only_fields=list(fields))
        if isinstance(found, Exception):
            raise found
        return found

    def _beginning(self, item: str) -> bytes:
        """The header and the text of a mail that is above the limit."""
        found = self._got(item, "headers", "text_body")
        lines = [f"{header.name}: {header.value}" for header in found.headers or ()]
        return "\r\n".join([*lines, "", found.text_body or ""]).encode("utf-8", "replace")

    def _move(self, item: str, target: str) -> None:
        for moved in self._opened.bulk_move([(item, None)], to_folder=self._folder(target)):
            if isinstance(moved, Exception):
                raise moved

    def _folder(self, name: str) -> Any:
        """Those that mail goes to are made when they are missing; that which is read is not."""
        if name not in self._folders:
            self._folders[name] = self._found(name)
        return self._folders[name]

    def _found(self, name: str) -> Any:
        from exchangelib import errors
        from exchangelib.folders import Folder
        from exchangelib.services import CreateFolder

        if name.casefold() == "inbox":
            return self._opened.inbox
        top = self._opened.msg_folder_root
        try:
            return top // name
        except errors.ErrorFolderNotFound:
            if name == self._account.folders.folder:
                raise TryLater(f"The folder {name} of mailbox {self._account.name} is not there.", after=60.0) from None
            # `Folder.save` would ask for every folder of the mailbox first.
            CreateFolder(account=self._opened).get(parent_folder=top, folders=[Folder(root=top.root, name=name)])
            return top // name


class Bell:
    """A stream of notifications in a thread of its own, and a flag that it raises."""

    def __init__(self, account: ExchangeAccount, sign_in: ExchangeSignIn) -> None:
        self.listening = True  # False while streams fail: then somebody must look by himself
        self._name, self._folder, self._sign_in = account.name, account.folders.folder, sign_in
        self._rung, self._stop = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name=f"bell-{account.name}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def stop(self) -> None:
        """The thread ends with its stream, within a minute; it holds nothing."""
        self._stop.set()

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._stop.is_set():
            try:
                with failures(self._name):
                    self._listen()
                wait = _FIRST_WAIT
            except TryLater:
                _log.warning("stream_failed mailbox=%s", self._name)
                self.listening = False
                self._rung.set()
                self._stop.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _listen(self) -> None:
        """One stream. What came between two of them is not in either: so each one rings when it is opened."""
        account = self._sign_in()
        folder = account.inbox if self._folder.casefold() == "inbox" else account.msg_folder_root // self._folder
        with folder.streaming_subscription(event_types=["NewMailEvent", "CreatedEvent", "MovedEvent"]) as subscription:
            self.listening = True
            self._rung.set()
            for _ in folder.get_streaming_events(subscription, connection_timeout=_STREAM_MINUTES):
                self._rung.set()
                if self._stop.is_set():
                    return


def _instant(at: Any) -> datetime | None:
    return datetime.fromtimestamp(at.timestamp(), UTC) if at is not None else None
