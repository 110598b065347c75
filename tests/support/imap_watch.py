"""Stands between a reader and an IMAP server and tells of each command before it is handed on, and again before its answer is."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_COMMAND = re.compile(rb"^[A-Z0-9]+ (?:UID )?(\w+)(?: [^\r\n]*?(BODY\.PEEK))?", re.I | re.M)


class ImapWatch:
    """`watch("before", "MOVE")`, `watch("after", "MOVE")`; FETCH of bodies is told as BODY."""

    def __init__(self, port: int) -> None:
        self.watch: Callable[[str, str], None] = lambda phase, asked: None
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                named = [""]
                threading.Thread(target=self._up, args=(client, server, named), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client, named), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, named: list[str]) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if found := _COMMAND.match(data):
                    named[0] = "BODY" if found[2] else found[1].decode().upper()
                    self.watch("before", named[0])
                server.sendall(data)
        server.close()

    def _down(self, server: socket.socket, client: socket.socket, named: list[str]) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if named[0]:
                    self.watch("after", named[0])
                client.sendall(data)
        client.close()
