"""Our own door for mail, open in this process on a data folder of its own, and a client that says whatever a test wants."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from intake.domain.envelope import open_envelope
from intake.ports import Delivery
from intake.wiring import Parts
from tests.support.ports import free_ports
from tests.support.running import Site, until
from workers import doors

RECIPIENT = "breach@ministry.example"
SENDER = "aroha@provider.example"


class OpenDoor:
    """A door with the parts behind it; `port` is 0 for a Unix socket."""

    def __init__(self, parts: Parts, listen: str) -> None:
        self.parts, self.listen = parts, listen
        self.port = 0 if listen.startswith("/") else int(listen.rpartition(":")[2])

    def kept(self) -> list[Delivery]:
        return list(self.parts.store.deliveries_waiting(10_000))

    def raws(self) -> list[bytes]:
        """The bytes of every delivery, in order."""
        return [self.parts.blobs.get(delivery.raw.blob) for delivery in self.kept()]

    def one(self) -> bytes:
        (raw,) = self.raws()
        return raw

    def talk(self) -> Talk:
        return Talk(self.listen)


def options(folder: Path, **more: object) -> dict[str, Any]:
    return {"kind": "smtp", "listen": f"127.0.0.1:{free_ports(1)[0]}", "recipients": [RECIPIENT], **more}


@contextmanager
def opened(
    folder: Path,
    *,
    boxes: Mapping[str, Mapping[str, Any]] | None = None,
    prepare: Callable[[Parts], object] = lambda parts: None,
    **more: object,
) -> Iterator[OpenDoor]:
    """The door of one mailbox `breach` with `more` options, or of all `boxes`, which must share one address."""
    boxes = boxes or {"breach": options(folder, **more)}
    parts = Site(folder, boxes).parts()
    assert parts.store.outcomes()["messages"] == 0
    prepare(parts)
    stop = threading.Event()
    (thread,) = doors.start(parts, stop)
    name = next(iter(boxes))
    until(lambda: parts.store.mailbox_state(name).last_contact is not None, 10, "an open door")
    try:
        yield OpenDoor(parts, str(boxes[name]["listen"]))
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def written(raw: bytes) -> bytes:
    """What the sender wrote: below the two lines of the door."""
    return raw[raw.index(b"\n", raw.index(b"\r\n\t", raw.index(b"\r\n\tby ") + 1) + 3) + 1 :]


def headers(raw: bytes) -> dict[str, bytes]:
    return {name.lower(): value for name, value in reversed(open_envelope(raw).headers)}


class Broken:
    """Blobs on a disk that fails for some contents."""

    def __init__(self, parts: Parts, failure: Exception, fails: Callable[[bytes], bool] = lambda content: True) -> None:
        self._real, self.failure, self.fails = parts.blobs, failure, fails
        parts.__dict__["blobs"] = self

    def put_many(self, contents: list[bytes]) -> tuple[str, ...]:
        if any(map(self.fails, contents)):
            raise self.failure
        return self._real.put_many(contents)

    def get(self, key: str) -> bytes:
        return self._real.get(key)


class Talk:
    """A client by hand. Each `say` returns the whole answer, its lines joined by LF."""

    def __init__(self, listen: str, timeout: float = 10.0) -> None:
        if listen.startswith("/"):
            self.socket: socket.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(listen)
        else:
            host, _, port = listen.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self._left = b""
        self.greeting = self.answer()

    def say(self, line: str | bytes) -> str:
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.answer()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def answer(self) -> str:
        """The next whole answer; "" when the other side has closed."""
        lines = []
        while True:
            while b"\r\n" not in self._left:
                more = self._receive()
                if not more:
                    return "\n".join(lines)
                self._left += more
            line, _, self._left = self._left.partition(b"\r\n")
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65_536)
        except ConnectionError:
            return b""

    def start_mail(self, sender: str = "<aroha@provider.example>", helo: str = "EHLO mx.provider.example") -> None:
        """Up to the answer to DATA."""
        for line in (helo, f"MAIL FROM:{sender}", f"RCPT TO:<{RECIPIENT}>"):
            answer = self.say(line)
            assert answer.startswith("250"), (line, answer)
        assert self.say("DATA").startswith("354")

    def start_tls(self, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *gone: object) -> None:
        self.close()
