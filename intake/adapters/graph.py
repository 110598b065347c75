"""A mailbox of Exchange Online, by Microsoft Graph. The only module, with `graph_account` and `graph_send`, that knows it.

Changes come from the delta query of the folder, asked for every `poll_seconds`; `rounds` says when it begins anew. A
mail that somebody moves out and back again never shows in the changes (the ids are immutable), and a place that is
too old is answered 410: both are why.

Sources: the vendor's pages on delta queries and immutable ids; docs/decisions/0012-exchange-online-by-graph.md.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from intake.adapters.access import StateStore
from intake.adapters.graph_account import Denied, Gone, GraphAccount, GraphService, TooOld, graph_account
from intake.adapters.rounds import Mail, RoundMailbox
from intake.domain.errors import Refused, TryLater
from intake.ports import Clock

_MOST_PAGES = 10_000


def graph_from_settings(name: str, options: Mapping[str, Any], store: StateStore, clock: Clock) -> RoundMailbox:
    """Raises Misconfigured when the options of the mailbox cannot work."""
    account = graph_account(name, options)
    return RoundMailbox(name, "graph", account.folders, GraphFolder(account, store), clock)


class GraphFolder:
    """`intake.adapters.rounds.RemoteFolder`."""

    def __init__(self, account: GraphAccount, store: StateStore) -> None:
        self._account = account
        self._service = GraphService(account, store)
        self._folders: dict[str, str] = {}  # as the settings name it -> its id
        self._place = ""  # the delta link: where the changes go on

    def everything(self) -> Mapping[str, datetime | None]:
        # In no order of ours: the service knows only the newest first here (https://learn.microsoft.com/graph/api/message-delta).
        return self._follow(
            f"{self._url(self._account.folders.folder)}/messages/delta", **{"$select": "receivedDateTime"}
        )[0]

    def since(self) -> tuple[Mapping[str, datetime | None], Collection[str]] | None:
        try:
            return self._follow(self._place) if self._place else None
        except TooOld:
            return None

    def fetch(self, item: str, limit: int) -> Mail | None:
        try:
            return Mail(*self._service.read(f"{self._service.base}/messages/{item}/$value", limit))
        except Gone:
            return None

    def taken_at(self, item: str) -> datetime | None:
        try:
            found = self._service.get(f"{self._service.base}/messages/{item}", **{"$select": "receivedDateTime"})
        except Gone:
            return None
        return _instant(found.get("receivedDateTime"))

    def move(self, item: str, target: str) -> None:
        url = f"{self._service.base}/messages/{item}"
        try:
            if not self._moved(url, target) and not self._is_gone(url):
                self._folders.clear()  # the mail is there, so it was the folder that somebody removed
                self._moved(url, target)
        except Denied as error:
            raise Refused(
                f"Mail of mailbox {self._account.name} is kept here, and the service does not let us move it to {target}. "
                "Look at the rights of the application and the space of the mailbox."
            ) from error

    def wait(self, seconds: float) -> bool:
        """The service tells nothing by itself to a machine behind a firewall: the changes are asked for after `poll_seconds`."""
        time.sleep(min(seconds, self._account.poll_seconds))
        return True

    def count(self) -> tuple[int, int]:
        sizes = [
            int(self._service.get(self._url(name), **{"$select": "totalItemCount"})["totalItemCount"])
            for name in (self._account.folders.folder, self._account.folders.processed, self._account.folders.held)
        ]
        return sizes[0], sizes[1] + sizes[2]

    def close(self) -> None:
        self._service.close()

    # ---- changes -------------------------------------------------------------------------------

    def _follow(self, url: str, **params: str) -> tuple[dict[str, datetime | None], set[str]]:
        """Page by page to the place where the next changes begin. It counts only when all pages were read."""
        came, went = dict[str, datetime | None](), set[str]()
        self._place, before = "", ""
        try:
            for _ in range(_MOST_PAGES):
                answer, params = self._service.get(url, **params), {}
                _note(answer.get("value", ()), came, went)
                if place := answer.get("@odata.deltaLink"):
                    self._place = str(place)
                    return came, went
                url, before = str(answer.get("@odata.nextLink", "")), url
                if not url or url == before:
                    break
        except Gone as error:
            self._folders.clear()
            raise self._no_folder() from error
        raise TryLater(
            f"The service of mailbox {self._account.name} does not come to the end of its changes. Mail waits there."
        )

    # ---- moving and folders --------------------------------------------------------------------

    def _moved(self, url: str, target: str) -> bool:
        try:
            self._service.post(f"{url}/move", {"destinationId": self._id(target)})
        except Gone:
            return False
        return True

    def _is_gone(self, url: str) -> bool:
        try:
            self._service.get(url, **{"$select": "id"})
        except Gone:
            return True
        return False

    def _url(self, name: str) -> str:
        return f"{self._service.base}/mailFolders/{self._id(name)}"

    def _id(self, name: str) -> str:
        """Of a folder. Those that mail goes to are made when they are missing; that which is read is not."""
        if name not in self._folders:
            found = self._found(name)
            if found is None:
                if name == self._account.folders.folder:
                    raise self._no_folder()
                found = str(self._service.post(f"{self._service.base}/mailFolders", {"displayName": name})["id"])
            self._folders[name] = found
        return self._folders[name]

    def _no_folder(self) -> TryLater:
        return TryLater(
            f"The folder {self._account.folders.folder} of mailbox {self._account.name} is not there.", after=60.0
        )

    def _found(self, name: str) -> str | None:
        base = f"{self._service.base}/mailFolders"
        try:
            if name.casefold() == "inbox":
                return str(self._service.get(f"{base}/inbox", **{"$select": "id"})["id"])
            quoted = name.replace("'", "''")
            answer = self._service.get(base, **{"$filter": f"displayName eq '{quoted}'", "$select": "id"})
        except Gone as error:
            raise TryLater(
                f"There is no mailbox at the address of {self._account.name}, or the application may not see it. "
                "Mail waits there.",
                after=60.0,
            ) from error
        found = answer.get("value") or ()
        return str(found[0]["id"]) if found else None


def _note(items: Any, came: dict[str, datetime | None], went: set[str]) -> None:
    """What one page says; the last word about a mail counts."""
    for item in items:
        name = str(item.get("id", ""))
        if "@removed" in item:
            came.pop(name, None)
            went.add(name)
        elif name:
            went.discard(name)
            came[name] = _instant(item.get("receivedDateTime"))


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except ValueError:
        return None
