"""A small EWS server over HTTPS that the real exchangelib talks to: folders, SyncFolderItems with its state, MIME, moves, sending, and
streaming notifications. Sign-in by Basic, NTLM and tokens.

Shapes of the answers: the vendor's reference of Exchange Web Services, as far as exchangelib reads them.
"""

from __future__ import annotations

import secrets
import threading
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import spnego

from tests.support.https import HttpsServer

USER, PASSWORD = "MINISTRY\\svc-intake", "correct-horse-8"
_M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
_T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_PAGE = 10


@dataclass
class Item:
    id: str
    raw: bytes
    at: datetime
    folder: str


@dataclass
class Box:
    """One mailbox. `log`: (folder, item id, was it removed). The id of a folder is ADDRESS|NAME."""

    address: str
    folders: set[str] = field(default_factory=lambda: {"root", "msgfolderroot", "inbox"})
    items: dict[str, Item] = field(default_factory=dict)
    log: list[tuple[str, str, bool]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    subscriptions: dict[str, threading.Event] = field(default_factory=dict)


class ExchangeServer:
    """`fails` is used up one by one: an HTTP status, the name of an EWS error, "cut" or "garbage"."""

    def __init__(self, folder: Path) -> None:
        self.boxes: dict[str, Box] = {}
        self.fails: deque[int | str] = deque()
        self.asked: list[str] = []
        self.away = False
        self.no_moves = False
        self.streaming = True
        self.good_tokens: set[str] = set()
        self.ntlm = False  # instead of Basic: three messages on one connection (MS-NLMP)
        self.watch: Callable[[str, str], None] = lambda phase, asked: None  # "before" it is done, "after", unanswered
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self.https = HttpsServer(folder, lambda *given: _Handler(self, *given))  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopping.set()
        self.https.stop()

    def options(self, address: str, /, **more: object) -> dict[str, object]:
        """The options of `[mailboxes.NAME]`."""
        return {
            "host": f"localhost:{self.https.port}",
            "account": address,
            "username": USER,
            "auth": "basic",
            "password_file": str(self.password_file),
            "ca_file": str(self.https.ca_file),
        } | more

    # ---- what tests do with it -----------------------------------------------------------------

    def box(self, address: str) -> Box:
        with self.lock:
            return self.boxes.setdefault(address, Box(address))

    def deliver(self, address: str, *mails: bytes, at: datetime | None = None) -> None:
        box = self.box(address)
        with self.lock:
            for raw in mails:
                self._put(box, Item(_new_id(), raw, at or datetime.now(UTC), "inbox"))
            for rung in box.subscriptions.values():
                rung.set()

    def _put(self, box: Box, item: Item) -> None:
        box.items[item.id] = item
        box.log.append((item.folder, item.id, False))

    def lying(self, address: str, folder: str) -> list[bytes]:
        box = self.box(address)
        with self.lock:
            return [item.raw for item in box.items.values() if item.folder == folder]

    def take_away(self, address: str) -> None:
        box = self.box(address)
        with self.lock:
            for item in [i for i in box.items.values() if i.folder == "inbox"]:
                del box.items[item.id]
                box.log.append((item.folder, item.id, True))

    def move_back(self, address: str) -> None:
        box = self.box(address)
        with self.lock:
            for item in [i for i in box.items.values() if i.folder == "Processed"]:
                self.move(box, item, "inbox")

    def move(self, box: Box, item: Item, target: str) -> Item:
        """The id of an item is another one in its new folder."""
        del box.items[item.id]
        box.log.append((item.folder, item.id, True))
        moved = Item(_new_id(), item.raw, item.at, target)
        self._put(box, moved)
        return moved


def _new_id() -> str:
    return "AAMkAD" + b64encode(secrets.token_bytes(84)).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def __init__(self, server: ExchangeServer, *given: object) -> None:
        self._exchange = server
        super().__init__(*given)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """Tests read what we log, not what the fake does."""

    def do_POST(self) -> None:
        body = ElementTree.fromstring(self.rfile.read(int(self.headers["Content-Length"]))).find(f"{_SOAP}Body")
        assert body is not None
        request = body[0]
        name = request.tag.removeprefix(_M)
        exchange = self._exchange
        with exchange.lock:
            exchange.asked.append(name)
            if exchange.away:
                return self._send(503, b"")
            asks = self._ntlm() if exchange.ntlm else "" if self._signed_in() else 'Basic realm="ews"'
            if asks:
                self.send_response(401)
                self.send_header("WWW-Authenticate", asks)
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if exchange.fails and self._fails(name):
                return None
            if name != "GetStreamingEvents":
                exchange.watch("before", name)
                answer = getattr(self, f"_{name}")(request)
                exchange.watch("after", name)
                return self._soap(answer)
        return self._stream(request)

    def _signed_in(self) -> bool:
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            return word in self._exchange.good_tokens
        return kind == "Basic" and b64decode(word).decode() == f"{USER}:{PASSWORD}"

    def _ntlm(self) -> str:
        """What is still to be answered on this connection, "" when it is signed in; by a real acceptor of the protocol."""
        if getattr(self, "_context", None) is not None and self._context.complete:
            return ""
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        if kind != "NTLM":
            return "NTLM"
        self._context = getattr(self, "_context", None) or spnego.server(protocol="ntlm")
        try:
            answer = self._context.step(b64decode(word))
        except spnego.exceptions.SpnegoError:
            self._context = None
            return "NTLM"
        return "" if self._context.complete else f"NTLM {b64encode(answer or b'').decode()}"

    def _fails(self, name: str) -> bool:
        how = self._exchange.fails.popleft()
        if how == "cut":
            self.close_connection = True
        elif how == "garbage":
            self._send(200, b"<html>not what you asked for</html>")
        elif isinstance(how, int):
            self._send(how, b"")
        else:
            state = "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
            self._soap(_message(name, state if name == "SyncFolderItems" and "Sync" in how else "", how))
        return True

    def _stream(self, request: ElementTree.Element) -> None:
        """Holds the answer open and writes one document when mail comes, as long as the client asked for."""
        exchange = self._exchange
        minutes = int(_text(request, f"{_M}ConnectionTimeout"))
        subscription = _text(request, f".//{_T}SubscriptionId")
        rung = next(
            (b.subscriptions[subscription] for b in exchange.boxes.values() if subscription in b.subscriptions), None
        )
        if rung is None or not exchange.streaming:
            return self._soap(_message("GetStreamingEvents", "", "ErrorSubscriptionNotFound"))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        end = time.monotonic() + minutes * 60
        event = "<t:NewMailEvent><t:TimeStamp>2026-11-20T00:00:00Z</t:TimeStamp><t:ItemId Id='x' ChangeKey='y'/><t:ParentFolderId Id='z'/></t:NewMailEvent>"
        while time.monotonic() < end and not exchange.stopping.is_set() and not exchange.away:
            said = f"<t:SubscriptionId>{subscription}</t:SubscriptionId>" + (event if rung.wait(0.05) else "")
            if rung.is_set():
                rung.clear()
                inside = f"<m:Notifications><m:Notification>{said}</m:Notification></m:Notifications>"
                self.wfile.write(
                    _envelope(_message("GetStreamingEvents", inside + "<m:ConnectionStatus>OK</m:ConnectionStatus>"))
                )
                self.wfile.flush()

    # ---- operations ----------------------------------------------------------------------------

    def _found(self, request: ElementTree.Element) -> list[tuple[Box, str]]:
        """The folders that are named: a distinguished one with its mailbox, any other by an id that names both."""
        found = []
        for each in request.iter():
            if each.tag == f"{_T}DistinguishedFolderId":
                found.append((self._exchange.boxes[_text(each, f".//{_T}EmailAddress")], each.attrib["Id"]))
            elif each.tag == f"{_T}FolderId":
                address, _, name = each.attrib["Id"].partition("|")
                found.append((self._exchange.boxes[address], name))
        return found

    def _item(self, request: ElementTree.Element) -> tuple[Box, Item] | None:
        wanted = request.find(f".//{_T}ItemId")
        assert wanted is not None
        boxes = self._exchange.boxes.values()
        return next(((box, box.items[wanted.attrib["Id"]]) for box in boxes if wanted.attrib["Id"] in box.items), None)

    def _GetFolder(self, request: ElementTree.Element) -> str:
        try:
            ((box, name),) = self._found(request)
        except KeyError:
            return _message("GetFolder", "", "ErrorNonExistentMailbox")
        if name not in box.folders:
            return _message("GetFolder", "", "ErrorFolderNotFound")
        return _message("GetFolder", f"<m:Folders>{_folder(box, name)}</m:Folders>")

    def _FindFolder(self, request: ElementTree.Element) -> str:
        ((box, _),) = self._found(request)
        wanted = request.find(f".//{_T}Constant")
        name = wanted.attrib["Value"] if wanted is not None else ""
        found = _folder(box, name) if name in box.folders else ""
        inside = f"<m:RootFolder TotalItemsInView='{int(bool(found))}' IncludesLastItemInRange='true'><t:Folders>{found}</t:Folders></m:RootFolder>"
        return _message("FindFolder", inside)

    def _CreateFolder(self, request: ElementTree.Element) -> str:
        ((box, _),) = self._found(request)
        name = _text(request, f".//{_T}DisplayName")
        box.folders.add(name)
        return _message("CreateFolder", f"<m:Folders>{_folder(box, name)}</m:Folders>")

    def _SyncFolderItems(self, request: ElementTree.Element) -> str:
        """A state is ROUND-START:END: how much of the log the client has seen."""
        ((box, folder),) = self._found(request)
        state = _text(request, f"{_M}SyncState")
        if folder not in box.folders:
            return _message("SyncFolderItems", "", "ErrorSyncFolderNotFound")
        seen = int(state) if state.isdigit() else 0
        if state and (not state.isdigit() or seen > len(box.log)):
            return _message("SyncFolderItems", "", "ErrorInvalidSyncStateData")
        until = min(len(box.log), seen + _PAGE)
        changes = "".join(_change(box, *each, first=not state) for each in box.log[seen:until] if each[0] == folder)
        last = str(until == len(box.log)).lower()
        inside = f"<m:SyncState>{until}</m:SyncState><m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>"
        return _message("SyncFolderItems", inside)

    def _GetItem(self, request: ElementTree.Element) -> str:
        found = self._item(request)
        if found is None:
            return _message("GetItem", "", "ErrorItemNotFound")
        item = found[1]
        asked = {each.attrib["FieldURI"] for each in request.iter(f"{_T}FieldURI")}
        inside = _item_id(item)
        if "item:MimeContent" in asked:
            inside = f"<t:MimeContent CharacterSet='UTF-8'>{b64encode(item.raw).decode()}</t:MimeContent>" + inside
        if "item:InternetMessageHeaders" in asked:
            head = item.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            lines = (line.partition(": ") for line in head)
            inside += (
                "<t:InternetMessageHeaders>"
                + "".join(
                    f"<t:InternetMessageHeader HeaderName='{escape(name)}'>{escape(value)}</t:InternetMessageHeader>"
                    for name, _, value in lines
                )
                + "</t:InternetMessageHeaders>"
            )
        if "item:TextBody" in asked:
            text = item.raw.partition(b"\r\n\r\n")[2].decode()
            inside += f"<t:TextBody BodyType='Text'>{escape(text)}</t:TextBody>"
        return _message("GetItem", f"<m:Items><t:Message>{inside}</t:Message></m:Items>")

    def _MoveItem(self, request: ElementTree.Element) -> str:
        ((box, target),) = self._found(request)
        found = self._item(request)
        if self._exchange.no_moves:
            return _message("MoveItem", "", "ErrorAccessDenied")
        if found is None:
            return _message("MoveItem", "", "ErrorItemNotFound")
        if target not in box.folders:
            return _message("MoveItem", "", "ErrorToFolderNotFound")
        moved = self._exchange.move(box, found[1], target)
        return _message("MoveItem", f"<m:Items><t:Message>{_item_id(moved)}</t:Message></m:Items>")

    def _CreateItem(self, request: ElementTree.Element) -> str:
        assert request.attrib["MessageDisposition"] == "SendOnly"
        next(iter(self._exchange.boxes.values())).sent.append(b64decode(_text(request, f".//{_T}MimeContent")))
        return _message("CreateItem", "<m:Items/>")

    def _Subscribe(self, request: ElementTree.Element) -> str:
        ((box, _),) = self._found(request)
        if not self._exchange.streaming:
            return _message("Subscribe", "", "ErrorAccessDenied")
        name = secrets.token_hex(8)
        box.subscriptions[name] = threading.Event()
        return _message("Subscribe", f"<m:SubscriptionId>{name}</m:SubscriptionId>")

    def _Unsubscribe(self, request: ElementTree.Element) -> str:
        for box in self._exchange.boxes.values():
            box.subscriptions.pop(_text(request, f".//{_M}SubscriptionId"), None)
        return _message("Unsubscribe", "")

    # ---- answers -------------------------------------------------------------------------------

    def _soap(self, message: str) -> None:
        self._send(200, _envelope(message))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.find(path)
    return (found.text or "") if found is not None else ""


def _message(name: str, inside: str, error: str = "") -> str:
    kind, code = ("Error", error) if error else ("Success", "NoError")
    text = "<m:MessageText>Scripted.</m:MessageText>" if error else ""
    return (
        f"<m:{name}Response><m:ResponseMessages><m:{name}ResponseMessage ResponseClass='{kind}'>{text}"
        f"<m:ResponseCode>{code}</m:ResponseCode>{inside}</m:{name}ResponseMessage></m:ResponseMessages></m:{name}Response>"
    )


def _envelope(message: str) -> bytes:
    return (
        "<?xml version='1.0' encoding='utf-8'?><s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' "
        f"xmlns:m='{_M.strip('{}')}' xmlns:t='{_T.strip('{}')}'><s:Header><t:ServerVersionInfo MajorVersion='15' MinorVersion='2' "
        f"MajorBuildNumber='1544' MinorBuildNumber='4' Version='Exchange2016'/></s:Header><s:Body>{message}</s:Body></s:Envelope>"
    ).encode()


def _folder(box: Box, name: str) -> str:
    lying = sum(item.folder == name for item in box.items.values())
    return (
        f"<t:Folder><t:FolderId Id='{escape(box.address)}|{escape(name)}' ChangeKey='k'/><t:ParentFolderId Id='{escape(box.address)}|msgfolderroot'/>"
        f"<t:FolderClass>IPF.Note</t:FolderClass><t:DisplayName>{escape(name)}</t:DisplayName><t:TotalCount>{lying}</t:TotalCount>"
        "<t:ChildFolderCount>0</t:ChildFolderCount></t:Folder>"
    )


def _item_id(item: Item) -> str:
    at = item.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"<t:ItemId Id='{item.id}' ChangeKey='k'/><t:DateTimeReceived>{at}</t:DateTimeReceived><t:Size>{len(item.raw)}</t:Size>"


def _change(box: Box, folder: str, item: str, removed: bool, first: bool) -> str:
    there = item in box.items and box.items[item].folder == folder
    if not removed and there:
        return f"<t:Create><t:Message>{_item_id(box.items[item])}</t:Message></t:Create>"
    return "" if first or not removed else f"<t:Delete><t:ItemId Id='{item}' ChangeKey='k'/></t:Delete>"
