"""Our own door for mail: a mail server hands us a mail by SMTP or LMTP and hears 250 only when the mail is durable here.

aiosmtpd speaks the protocol; this module is the only one that knows it. What is done differently from it: the data are read in
blocks up to the one true end mark (CRLF . CRLF), a line may have any length, memory is bounded for all connections together, and no
word of a mail or of its envelope is logged. Anything that goes wrong on our side is a 451, so the sender keeps the mail and tries
again; nothing is ever bounced by us.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from aiosmtpd.lmtp import LMTP as LmtpProtocol
from aiosmtpd.smtp import SMTP as SmtpProtocol
from aiosmtpd.smtp import Envelope, Session

from intake.adapters.smtp_in_body import TAKEN_UP_TO, Body, Room
from intake.adapters.smtp_in_options import LMTP, DoorOptions
from intake.adapters.smtp_in_tls import Certificate
from intake.adapters.smtp_in_trace import Hop, trace
from intake.domain.errors import TryLater
from intake.domain.model import Arrival
from intake.domain.too_large import part_of
from intake.ports import Clock

_log = logging.getLogger("intake.smtp_in")
logging.getLogger("mail.log").disabled = True  # aiosmtpd's: it writes addresses and whatever a client says

CHANNEL = "smtp"
_AT_ONCE = 4  # times max_message_bytes in memory for all connections together
_BLOCK = 65_536  # bytes that are read at once
_END = b"\r\n.\r\n"  # nothing else ends a mail: other marks are how one mail is made into two
_RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8
_DATA_PATIENCE = 10  # times timeout_seconds for the data of one mail, however steadily they drip
_KEEP_SECONDS = 600.0  # senders wait as long for the answer to the end of the data (RFC 5321 section 4.5.3.2.6)
_LOOK_SECONDS = 0.2
_CALLS = {"*": 50, "MAIL": 1_000, "RCPT": 20_000, "DATA": 1_000, "RSET": 2_000}  # of one connection, then 421
_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*+"|[^">])*+)>')  # a quoted name may hold the bracket that ends a path
_PATH_AS_IT_IS = re.compile(r"<([^>]*)>")
_LATER = "451 4.3.0 Not kept; please try again later"

Take = Callable[[Sequence[Arrival]], "Future[None]"]


class SmtpDoor:
    """`intake.ports.MailDoor` by aiosmtpd."""

    def __init__(self, options: DoorOptions, clock: Clock) -> None:
        self.mailboxes = options.mailboxes
        self.listen = options.listen
        self._options = options
        self._clock = clock
        self._certificate = Certificate(options) if options.tls_certificate_file else None

    def serve(self, take: Take, stop: threading.Event, opened: Callable[[], None]) -> None:
        """Listen until `stop`, in the calling thread; `opened` is called once the address is ours.

        Raises TryLater when the address cannot be had.
        """
        asyncio.run(self._serve(take, stop, opened))

    async def _serve(self, take: Take, stop: threading.Event, opened: Callable[[], None]) -> None:
        reception = _Reception(self._options, take, self._clock)
        try:
            server = await self._listening(lambda: self._protocol(reception))
        except OSError as error:
            raise TryLater(f"Nothing can listen at {self.listen} ({error.strerror or error}).") from error
        try:
            opened()
            while not stop.is_set():
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            server.close()
            await reception.finish()
            if self._options.is_unix:
                with suppress(OSError):
                    os.unlink(self.listen)

    async def _listening(self, protocol: Callable[[], SmtpProtocol]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if not self._options.is_unix:
            return await loop.create_server(protocol, *self._options.address)
        _refuse_second_listener(self.listen)
        server = await loop.create_unix_server(protocol, self.listen)
        os.chmod(self.listen, 0o660)  # the folder says who may come near; its group is the mail server's
        return server

    def _protocol(self, reception: _Reception) -> SmtpProtocol:
        options = self._options
        kind = _Lmtp if options.protocol == LMTP else _Smtp
        return kind(
            reception,
            data_size_limit=options.max_message_bytes * TAKEN_UP_TO,
            enable_SMTPUTF8=True,
            hostname=options.hostname,
            ident=f"{'' if options.protocol == LMTP else 'E'}{options.protocol.upper()} ready",
            tls_context=self._certificate.context() if self._certificate else None,
            require_starttls=options.require_tls,
            timeout=options.timeout_seconds,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=_CALLS,
        )


class _Reception:
    """What all connections of one door share, and what is decided about a mail. For one event loop."""

    def __init__(self, options: DoorOptions, take: Take, clock: Clock) -> None:
        self.options = options
        self.connections = 0
        self._take = take
        self._clock = clock
        self._room = Room(max(options.max_message_bytes * _AT_ONCE, 2 * _BLOCK))
        self._keeping: set[asyncio.Future[None]] = set()

    def refusal(self, client: str) -> str:
        """Why this client cannot be served, as an answer, or ""."""
        if not self.options.may_connect(client):
            _log.warning("client_refused client=%s", client)
            return "554 5.7.1 You may not connect here"
        if self.connections >= self.options.max_connections:
            _log.warning("too_many_connections limit=%d", self.options.max_connections)
            return "421 4.3.2 Too many connections; please try again later"
        return ""

    def new_body(self) -> Body:
        return Body(self._room, self.options.max_message_bytes)

    async def keep(self, body: Body, session: Session, envelope: Envelope) -> str:
        """The answer to the end of the data: 250 only when the mail is durable here."""
        if body.too_large:
            return "552 5.3.4 The mail is too large"
        if body.no_room:
            return "452 4.3.1 Too much mail at this moment; please try again later"
        name = secrets.token_hex(16)
        try:
            kept = asyncio.wrap_future(self._take(self._arrivals(name, body, session, envelope)))
            self._keeping.add(kept)
            kept.add_done_callback(self._keeping.discard)
            await kept
        except Exception as error:  # noqa: BLE001 - a door: whatever it is, the sender still has the mail and comes again
            _log.error("not_kept size=%d error=%s", body.size, type(error).__name__)
            return _LATER
        _log.info("kept id=%s size=%d part=%s", name, body.size, body.is_part)
        return f"250 2.0.0 Kept as {name}"

    def _arrivals(self, name: str, body: Body, session: Session, envelope: Envelope) -> list[Arrival]:
        at, options = self._clock(), self.options
        mail_from = (envelope.mail_from or "").removeprefix("<>")
        hop = Hop(
            helo=session.host_name or "",
            client=_client(session.peer),
            mail_from=mail_from,
            protocol="LMTP" if options.protocol == LMTP else "ESMTP" if session.extended_smtp else "SMTP",
            tls=session.ssl is not None,
            utf8=envelope.smtp_utf8,
            hostname=options.hostname,
            id=name,
            at=at,
        )
        raw = trace(hop) + body.take_out()
        if body.is_part:
            raw = part_of(raw, body.size, in_held=False)
        boxes = dict.fromkeys(options.mailbox_for(recipient) for recipient in envelope.rcpt_tos)
        return [Arrival(raw, CHANNEL, box, name, at) for box in boxes if box]

    async def finish(self) -> None:
        """Let what is being kept come to its answer."""
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=2.0)
            await asyncio.sleep(0.05)  # the answers are written by those who waited

    # ---- called by aiosmtpd --------------------------------------------------------------------

    async def handle_HELO(self, server: Any, session: Session, envelope: Envelope, name: str) -> str:
        session.host_name = name
        return f"250 {self.options.hostname}"

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        said = [a for a in answers if not a.startswith(("250-AUTH", "250 HELP"))]
        return [*said, "250 PIPELINING"]

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.options.mailbox_for(address) is None:
            return "550 5.1.1 No such address here"
        if len(envelope.rcpt_tos) >= _RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_VRFY(self, server: Any, session: Session, envelope: Envelope, address: str) -> str:
        return "252 2.5.2 Send a mail to find out"

    async def handle_exception(self, error: Exception) -> str:
        _log.error("connection_failed error=%s", type(error).__name__)
        return _LATER


class _Smtp(SmtpProtocol):
    """aiosmtpd's protocol with our own way of reading data, and our own limits."""

    line_length_limit = _BLOCK  # of its buffer, too
    event_handler: _Reception

    async def _handle_client(self) -> None:
        reception = self.event_handler
        refused = reception.refusal(_client(self.session.peer) if self.session else "")
        if refused:
            await self.push(refused)
            self._writer.close()
            return
        reception.connections += 1
        try:
            await super()._handle_client()
        finally:
            reception.connections -= 1

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The text between the brackets, whatever it is: real senders have odd addresses, and their notices count too."""
        text = arg.strip()
        found = _PATH.match(text) or _PATH_AS_IT_IS.match(text)
        if not found:
            return super()._getaddr(arg)
        inner = found[1].strip()
        if inner.startswith("@"):
            inner = inner.partition(":")[2]  # a source route, which RFC 5321 says to pass over
        return inner or "<>", text[found.end() :]

    async def smtp_AUTH(self, arg: str) -> None:
        await self.push("502 5.5.1 Not offered here")

    async def smtp_DATA(self, arg: str) -> None:
        if await self.check_helo_needed():
            return
        assert self.session is not None and self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Send RCPT first")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        body = self.event_handler.new_body()
        try:
            await self._read_data(body)
            self._reset_timeout(_KEEP_SECONDS)
            answer = await self.event_handler.keep(body, self.session, self.envelope)
        finally:
            body.release()
        recipients = len(self.envelope.rcpt_tos)
        self.envelope = self._create_envelope()
        self._reset_timeout()
        await self.push(self._answers(answer, recipients))

    def _answers(self, answer: str, recipients: int) -> str:
        return answer

    async def _read_data(self, body: Body) -> None:
        """Blocks of data into `body`, without the dots that the client put before dots (RFC 5321 section 4.5.2)."""
        # The end mark begins with the end of a line, which for a mail without any line is that of the command.
        self._reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
        deadline = self.loop.time() + self._timeout_duration * _DATA_PATIENCE
        left, ended, skip = b"", False, 2
        while not ended:
            self._reset_timeout(max(0.01, min(self._timeout_duration, deadline - self.loop.time())))
            try:
                text, ended = left + (await self._reader.readuntil(_END))[:-3], True
                stop = len(text)
            except asyncio.LimitOverrunError as full:
                text = left + await self._reader.readexactly(full.consumed)
                stop = len(text) - (2 if text.endswith(b"\r\n") else 1 if text.endswith(b"\r") else 0)
            body.add(text[:stop].replace(b"\r\n.", b"\r\n")[skip:])
            left, skip = text[stop:], 0


class _Lmtp(_Smtp, LmtpProtocol):
    """One answer for each recipient (RFC 2033 section 4.2); they share it, because they are kept together or not at all."""

    def _answers(self, answer: str, recipients: int) -> str:
        return "\r\n".join([answer] * recipients)


def _client(peer: object) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _refuse_second_listener(path: str) -> None:
    """A socket file that a kill left is taken away; one at which somebody answers is not. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as look:
        try:
            look.connect(path)
        except OSError:
            return
    raise OSError(98, "another program listens there")
