"""A real SMTP server on loopback that keeps what it is sent and answers as a test scripts it."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.ports import free_ports


@dataclass
class Taken:
    sender: str
    recipients: list[str]
    content: bytes
    tls: bool

    @property
    def message(self) -> Message:
        return message_from_bytes(self.content)


@dataclass
class Script:
    """Answers for the next recipients and contents, used up one by one; then all is accepted. "cut" drops the line."""

    recipients: deque[str] = field(default_factory=deque)
    contents: deque[str] = field(default_factory=deque)
    taken: list[Taken] = field(default_factory=list)
    cut_after_taking: int = 0  # so many mails are taken and the answer is never given
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.recipients.popleft() if self.recipients else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.contents.popleft() if self.contents else "250 OK"
        if answer == "cut":
            server.transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            self.taken.append(
                Taken(
                    envelope.mail_from.strip("<>"),
                    list(envelope.rcpt_tos),
                    envelope.content,
                    server.transport.get_extra_info("sslcontext") is not None,
                )
            )
            if self.cut_after_taking:
                self.cut_after_taking -= 1
                server.transport.abort()
        return answer


@contextmanager
def sink(certificates: Path | None = None, tls: str = "none", password: str = "") -> Iterator[Script]:
    """tls: none, tls or starttls, with `server.pem` and `server.key` of the folder. password: then "intake" must sign in."""
    script = Script(port=free_ports(1)[0])
    context = None
    if certificates is not None and tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given == LoginPassword(b"intake", password.encode())
        return AuthResult(success=right, handled=right)

    options: dict[str, Any] = {}
    if tls == "starttls":
        options["tls_context"] = context
    if password:
        options |= {"authenticator": authenticator, "auth_required": True}
    controller = Controller(
        script, hostname="127.0.0.1", port=script.port, ssl_context=context if tls == "tls" else None, **options
    )
    controller.start()
    try:
        yield script
    finally:
        controller.stop()
