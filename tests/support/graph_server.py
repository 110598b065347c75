"""A fake of the part of Microsoft Graph that we use, over HTTPS: folders, changes with pages and places, MIME, moves, sending.

It behaves as the vendor's pages and the issues of its users say, also where that hurts: without `Prefer: IdType="ImmutableId"` the id of
a mail changes when it is moved; a mail that is moved out and back again never shows in the changes; an old place is answered 410.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.https import HttpsServer
from tests.support.token_server import TokenServer

PAGE = 10  # mails in one answer
IMMUTABLE = 'IdType="ImmutableId"'


@dataclass
class Item:
    id: str
    raw: bytes
    at: datetime
    folder: str


@dataclass
class Box:
    """One mailbox. `log` holds what happened to its folders: (folder, id, was it removed)."""

    folders: dict[str, str] = field(default_factory=lambda: {"Inbox": "folder-inbox"})  # name -> id
    items: dict[str, Item] = field(default_factory=dict)  # in the order of arrival
    log: list[tuple[str, str, bool]] = field(default_factory=list)
    oldest_place: int = 0  # a place before it is too old
    sent: list[bytes] = field(default_factory=list)


class GraphServer:
    """One service with several mailboxes. `fails` is used up one by one: a status, or (status, Retry-After), or "cut"."""

    def __init__(self, folder: Path) -> None:
        self.boxes: dict[str, Box] = {}
        self.fails: deque[int | tuple[int, str] | str] = deque()
        self.asked: list[str] = []  # method and path of each request
        self.without_immutable_ids = 0
        self.denied: set[str] = set()  # mailboxes that the application may not open
        self.no_moves = False
        self.broken: set[bytes] = set()  # mails that it shows and cannot hand over
        self.stuck: set[bytes] = set()  # mails that it cannot move
        self.away = False
        self.watch: Callable[[str, str], None] = lambda phase, asked: None  # "before" it is done, "after", unanswered
        self.lock = threading.RLock()
        self.good_tokens: set[str] = set()
        self.tokens = TokenServer(folder / "tokens")
        self.tokens.issue = self._issue
        self.https = HttpsServer(folder / "graph", lambda *given: _Handler(self, *given))  # type: ignore[arg-type]
        both = folder / "both.pem"
        both.write_bytes(self.tokens.https.ca_file.read_bytes() + self.https.ca_file.read_bytes())
        self._ca_file = both

    def _issue(self, scope: str) -> str:
        token = secrets.token_hex(16)
        self.good_tokens.add(token)
        return token

    def stop(self) -> None:
        self.https.stop()
        self.tokens.stop()

    def options(self, address: str, /, **more: object) -> dict[str, object]:
        """The options of `[mailboxes.NAME]`."""
        return {
            **self.tokens.options,
            "mailbox": address,
            "endpoint": f"{self.https.url}/v1.0",
            "ca_file": str(self._ca_file),
            "poll_seconds": 0.2,
        } | more

    # ---- what tests do with it -----------------------------------------------------------------

    def box(self, mailbox: str) -> Box:
        with self.lock:
            return self.boxes.setdefault(mailbox, Box())

    def deliver(self, mailbox: str, *mails: bytes, at: datetime | None = None) -> None:
        box = self.box(mailbox)
        with self.lock:
            for raw in mails:
                item = Item(_new_id(), raw, at or datetime.now(UTC), "folder-inbox")
                box.items[item.id] = item
                box.log.append((item.folder, item.id, False))

    def lying(self, mailbox: str, folder: str) -> list[bytes]:
        box = self.box(mailbox)
        with self.lock:
            wanted = box.folders.get(folder)
            return [item.raw for item in box.items.values() if item.folder == wanted]

    def take_away(self, mailbox: str) -> None:
        box = self.box(mailbox)
        with self.lock:
            for item in [i for i in box.items.values() if i.folder == "folder-inbox"]:
                del box.items[item.id]
                box.log.append((item.folder, item.id, True))

    def move_back(self, mailbox: str) -> None:
        """With immutable ids a mail that comes back into its folder is in no list of changes."""
        box = self.box(mailbox)
        with self.lock:
            for item in box.items.values():
                if item.folder == box.folders["Processed"]:
                    box.log.append((item.folder, item.id, True))
                    item.folder = "folder-inbox"

    def forget_places(self, mailbox: str) -> None:
        self.box(mailbox).oldest_place = len(self.box(mailbox).log) + 1


def _new_id() -> str:
    return "AAkALg" + secrets.token_urlsafe(108)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    _named = ""  # the last word of what is asked: delta, $value, move
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def __init__(self, server: GraphServer, *given: object) -> None:
        self._graph = server
        super().__init__(*given)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """Tests read what we log, not what the fake does."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        graph = self._graph
        with graph.lock:
            graph.asked.append(f"{self.command} {urlsplit(self.path).path}")
            if graph.away:
                return self._say(503, {"error": {"code": "Away"}})
            if self._fails():
                return None
            if self.headers.get("Authorization", "").removeprefix("Bearer ") not in graph.good_tokens:
                return self._say(401, {"error": {"code": "InvalidAuthenticationToken"}})
            graph.without_immutable_ids += self.headers.get("Prefer") != IMMUTABLE
            found = re.fullmatch(r"/v1\.0/users/([^/]+)(/.+)", urlsplit(self.path).path)
            mailbox = unquote(found[1]) if found else ""
            if not found or (mailbox not in graph.boxes and mailbox not in graph.denied):
                return self._say(404, {"error": {"code": "ErrorInvalidUser"}})
            if mailbox in graph.denied:
                return self._say(403, {"error": {"code": "ErrorAccessDenied"}})
            self._named = re.sub(r"/[^/]{60,}", "", found[2]).rpartition("/")[2]
            graph.watch("before", self._named)
            self._route(graph.boxes[mailbox], found[2], body)

    def _fails(self) -> bool:
        if not self._graph.fails:
            return False
        how = self._graph.fails.popleft()
        if how == "cut":
            self.close_connection = True
            return True
        if how == "garbage":
            self._send(200, b"<html>not what you asked for</html>", "text/html")
            return True
        status, wait = how if isinstance(how, tuple) else (how, "")
        self._say(int(status), {"error": {"code": "Scripted"}}, {"Retry-After": wait} if wait else {})
        return True

    def _route(self, box: Box, path: str, body: bytes) -> None:
        if path == "/mailFolders":
            return self._folders(box, body)
        if path == "/sendMail":
            box.sent.append(b64decode(body))
            return self._send(202, b"", "text/plain")
        if found := re.fullmatch(r"/mailFolders/([^/]+)", path):
            return self._folder(box, "folder-inbox" if found[1] == "inbox" else found[1])
        if found := re.fullmatch(r"/mailFolders/([^/]+)/messages/delta", path):
            return self._delta(box, found[1])
        found = re.fullmatch(r"/messages/([^/]+)(/move|/\$value)?", path)
        item = box.items.get(found[1]) if found else None
        if found is None or item is None:
            return self._say(404, {"error": {"code": "ErrorItemNotFound"}})
        if found[2] == "/$value" and item.raw in self._graph.broken:
            return self._say(500, {"error": {"code": "ErrorContentConversionFailed"}})
        if found[2] == "/$value":
            return self._send(200, item.raw, "text/plain")
        if found[2] == "/move":
            return self._move(box, item, json.loads(body)["destinationId"])
        return self._say(200, {"id": item.id, "receivedDateTime": _written(item.at)})

    def _folders(self, box: Box, body: bytes) -> None:
        if body:
            name = json.loads(body)["displayName"]
            box.folders[name] = f"folder-{secrets.token_hex(8)}"
            return self._say(201, {"id": box.folders[name]})
        wanted = re.fullmatch(r"displayName eq '(.*)'", self._query()["$filter"])
        name = wanted[1].replace("''", "'") if wanted else ""
        return self._say(200, {"value": [{"id": box.folders[name]}] if name in box.folders else []})

    def _folder(self, box: Box, folder: str) -> None:
        if folder not in box.folders.values():
            return self._say(404, {"error": {"code": "ErrorFolderNotFound"}})
        lying = sum(item.folder == folder for item in box.items.values())
        return self._say(200, {"id": folder, "totalItemCount": lying})

    def _delta(self, box: Box, folder: str) -> None:
        """A place is `since` in the log; `from` is where the next page of a round begins."""
        query = self._query()
        if query.get("$orderby", "receivedDateTime desc") != "receivedDateTime desc" or "$search" in query:
            return self._say(400, {"error": {"code": "ErrorInvalidUrlQuery"}})
        if folder not in box.folders.values():
            return self._say(404, {"error": {"code": "ErrorFolderNotFound"}})
        begun = int(query.get("$skiptoken", "0:0").partition(":")[2] or 0) or len(box.log)
        if since := query.get("$deltatoken"):
            if int(since) < box.oldest_place:
                return self._say(410, {"error": {"code": "SyncStateNotFound"}})
            changed = {i: gone for f, i, gone in box.log[int(since) :] if f == folder}
            found = [
                {"id": i, "@removed": {"reason": "deleted"}} if gone or i not in box.items else _shown(box.items[i])
                for i, gone in changed.items()
            ]
            return self._say(
                200, {"value": found, "@odata.deltaLink": self._link(folder, f"$deltatoken={len(box.log)}")}
            )
        start = int(query.get("$skiptoken", "0").partition(":")[0])
        every = [_shown(item) for item in box.items.values() if item.folder == folder]
        answer: dict[str, object] = {"value": every[start : start + PAGE]}
        if start + PAGE < len(every):
            answer["@odata.nextLink"] = self._link(folder, f"$skiptoken={start + PAGE}:{begun}")
        else:
            answer["@odata.deltaLink"] = self._link(folder, f"$deltatoken={begun}")
        return self._say(200, answer)

    def _move(self, box: Box, item: Item, target: str) -> None:
        if item.raw in self._graph.stuck:
            return self._say(500, {"error": {"code": "ErrorInternalServerError"}})
        if self._graph.no_moves:
            return self._say(403, {"error": {"code": "ErrorAccessDenied"}})
        if target not in box.folders.values():
            return self._say(404, {"error": {"code": "ErrorFolderNotFound"}})
        box.log.append((item.folder, item.id, True))
        item.folder = target
        if self.headers.get("Prefer") != IMMUTABLE:
            del box.items[item.id]
            item.id = _new_id()
            box.items[item.id] = item
        return self._say(201, _shown(item))

    def _query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def _link(self, folder: str, query: str) -> str:
        user = self.path.partition("/mailFolders/")[0]
        return f"{self._graph.https.url}{user}/mailFolders/{folder}/messages/delta?{query}"

    def _say(self, status: int, what: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(what).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self._graph.watch("after", self._named)
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _shown(item: Item) -> dict[str, object]:
    return {"id": item.id, "receivedDateTime": _written(item.at)}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
