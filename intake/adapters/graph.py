"""A mailbox of Exchange Online, by Microsoft Graph. The only module, with `graph_account` and `graph_send`, that knows it.

What is new comes from the changes of the folder (delta), asked for every `poll_seconds`. At the start, every
`reconcile_minutes`, and when the service says that our place is too old (410), the round begins anew and names
everything that lies there. That is needed: a mail that somebody moves out and back again never shows in the
changes, and what was handed out and not kept must come again after a kill. A folder from which everything kept is
moved away is nearly empty, so such a round costs one request.

Sources: the vendor's pages on delta queries and immutable ids; docs/decisions/0012-exchange-online-by-graph.md.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from intake.adapters.access import StateStore
from intake.adapters.graph_account import Denied, Gone, GraphAccount, GraphService, TooOld, graph_account
from intake.adapters.too_large import part_of
from intake.domain.errors import Refused, TryLater
from intake.domain.model import Arrival, OutcomeCode
from intake.ports import Clock

_log = logging.getLogger("intake.graph")

CHANNEL = "graph"
_ID_LENGTH = 300  # of a remote id; theirs have about 150
_MOST_PAGES = 10_000


def graph_from_settings(name: str, options: Mapping[str, Any], store: StateStore, clock: Clock) -> GraphMailbox:
    """Raises Misconfigured when the options of the mailbox cannot work."""
    return GraphMailbox(graph_account(name, options), store, clock)


class GraphMailbox:
    """`intake.ports.Mailbox` over one folder."""

    def __init__(self, account: GraphAccount, store: StateStore, clock: Clock) -> None:
        self.name = account.name
        self._account = account
        self._clock = clock
        self._service = GraphService(account, store)
        self._folders: dict[str, str] = {}  # as the settings name it -> its id
        self._place = ""  # the delta link: where the changes go on
        self._full_at = 0.0  # monotonic; 0: at once
        self._lying: dict[str, datetime | None] = {}  # id -> when the server took it; not kept by us, as far as we know
        self._left: dict[str, str] = {}  # kept by us, and for some reason still in the folder: id -> target
        self._large: set[str] = set()

    # ---- the port ------------------------------------------------------------------------------

    def changes(self) -> Iterator[Arrival]:
        """What is in the folder and not known to be kept. Raises TryLater, or Refused after everything was yielded."""
        refused = self._move_left()
        self._look()
        first = datetime.min.replace(tzinfo=UTC)
        for item in sorted(self._lying, key=lambda i: self._lying[i] or first):
            arrival = self._fetched(item)
            if arrival is not None:
                yield arrival
        if refused:
            raise refused

    def done(self, remote_id: str, outcome: OutcomeCode | None = None) -> None:
        item = next((i for i in (*self._lying, *self._left) if _remote(i) == remote_id), None)
        if item is None:
            return  # it went away, or was moved before
        held = item in self._large or outcome is OutcomeCode.NEEDS_PERSON
        self._lying.pop(item, None)
        self._left[item] = self._account.held if held else self._account.processed
        self._move(item)

    def wait(self, seconds: float) -> bool:
        """The service tells nothing by itself to a machine behind a firewall: the changes are asked for after `poll_seconds`."""
        time.sleep(min(seconds, self._account.poll_seconds))
        return True

    def count(self) -> tuple[int, int]:
        sizes = [
            int(self._service.get(self._folder_url(name), **{"$select": "totalItemCount"})["totalItemCount"])
            for name in (self._account.folder, self._account.processed, self._account.held)
        ]
        return sizes[0], sizes[1] + sizes[2]

    def close(self) -> None:
        self._service.close()

    # ---- what is new ---------------------------------------------------------------------------

    def _look(self) -> None:
        whole = not self._place or time.monotonic() >= self._full_at
        if not whole:
            try:
                self._follow(self._place)
            except TooOld:
                _log.info("place_too_old mailbox=%s", self.name)
                whole = True
        if whole:
            self._lying.clear()
            fields = {"$select": "receivedDateTime", "$orderby": "receivedDateTime asc"}
            self._follow(f"{self._folder_url(self._account.folder)}/messages/delta", **fields)
            self._full_at = time.monotonic() + self._account.reconcile_minutes * 60

    def _follow(self, url: str, **params: str) -> None:
        """Page by page to the place where the next changes begin. The place counts only when all pages were read."""
        try:
            for _ in range(_MOST_PAGES):
                answer = self._service.get(url, **params)
                params = {}
                for item in answer.get("value", ()):
                    self._note(item)
                if place := answer.get("@odata.deltaLink"):
                    self._place = str(place)
                    return
                url, before = str(answer.get("@odata.nextLink", "")), url
                if not url or url == before:
                    break
        except Gone as error:
            self._folders.clear()
            raise TryLater(
                f"The folder {self._account.folder} of mailbox {self.name} is not there.", after=60.0
            ) from error
        except TryLater:
            self._place = ""  # pages that were read are not read again from the middle: everything is listed anew
            raise
        self._place = ""
        raise TryLater(f"The service of mailbox {self.name} does not come to the end of its changes. Mail waits there.")

    def _note(self, item: Mapping[str, Any]) -> None:
        name = str(item.get("id", ""))
        if "@removed" in item:
            self._lying.pop(name, None)
        elif name and name not in self._left:
            self._lying[name] = _instant(item.get("receivedDateTime")) or self._lying.get(name)

    def _fetched(self, item: str) -> Arrival | None:
        at = self._lying[item]
        url = f"{self._service.base}/messages/{item}"
        try:
            raw, size = self._service.read(f"{url}/$value", self._account.max_message_bytes)
            if at is None:  # a change that did not name it
                at = _instant(self._service.get(url, **{"$select": "receivedDateTime"}).get("receivedDateTime"))
        except Gone:
            _log.info("mail_gone mailbox=%s", self.name)  # somebody took it out of the folder
            self._lying.pop(item, None)
            return None
        if size > self._account.max_message_bytes:
            self._large.add(item)
            raw = part_of(raw, size)
            _log.warning("mail_too_large mailbox=%s size=%d", self.name, size)
        return Arrival(raw, CHANNEL, self.name, _remote(item), at or self._clock())

    # ---- moving --------------------------------------------------------------------------------

    def _move_left(self) -> Refused | None:
        """Once more for what a lost connection or a refusal left in the folder."""
        try:
            for item in list(self._left):
                self._move(item)
        except Refused as refused:
            return refused
        return None

    def _move(self, item: str) -> None:
        url = f"{self._service.base}/messages/{item}"
        try:
            if not self._moved(url, self._left[item]) and not self._is_gone(url):
                self._folders.clear()  # the mail is there, so it was the folder that somebody removed
                self._moved(url, self._left[item])
        except Denied as error:
            raise Refused(
                f"Mail of mailbox {self.name} is kept here, and the service does not let us move it to {self._left[item]}. "
                "Look at the rights of the application and the space of the mailbox."
            ) from error
        self._left.pop(item, None)
        self._large.discard(item)

    def _moved(self, url: str, target: str) -> bool:
        try:
            self._service.post(f"{url}/move", {"destinationId": self._folder(target)})
        except Gone:
            return False
        return True

    def _is_gone(self, url: str) -> bool:
        try:
            self._service.get(url, **{"$select": "id"})
        except Gone:
            return True
        return False

    # ---- folders -------------------------------------------------------------------------------

    def _folder_url(self, name: str) -> str:
        return f"{self._service.base}/mailFolders/{self._folder(name)}"

    def _folder(self, name: str) -> str:
        """Its id. Those that mail goes to are made when they are missing; that which is read is not."""
        if name not in self._folders:
            found = self._found(name)
            if found is None:
                if name == self._account.folder:
                    raise TryLater(f"The folder {name} of mailbox {self.name} is not there.", after=60.0)
                found = str(self._service.post(f"{self._service.base}/mailFolders", {"displayName": name})["id"])
            self._folders[name] = found
        return self._folders[name]

    def _found(self, name: str) -> str | None:
        base = f"{self._service.base}/mailFolders"
        try:
            if name.casefold() == "inbox":
                return str(self._service.get(f"{base}/inbox", **{"$select": "id"})["id"])
            quoted = name.replace("'", "''")
            answer = self._service.get(base, **{"$filter": f"displayName eq '{quoted}'", "$select": "id"})
        except Gone as error:
            raise TryLater(
                f"There is no mailbox at the address of {self.name}, or the application may not see it. Mail waits there.",
                after=60.0,
            ) from error
        found = answer.get("value") or ()
        return str(found[0]["id"]) if found else None


def _remote(item: str) -> str:
    return item if len(item) <= _ID_LENGTH else hashlib.sha256(item.encode()).hexdigest()


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except ValueError:
        return None
