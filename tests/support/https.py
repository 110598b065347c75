"""A small HTTPS server on a free loopback port, with the certificate of the test authority: what our fakes of web services run on."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.certificates import certificates


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error of ours."""


class HttpsServer:
    """`handler` is made for each request. `ca_file` is what a client must trust."""

    def __init__(self, folder: Path, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        certificates(folder)
        self.ca_file = folder / "ca.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._handler = handler
        self.port = 0
        self.start()
        self.url = f"https://localhost:{self.port}"

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self._handler)
        self.port = self._server.server_address[1]
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
