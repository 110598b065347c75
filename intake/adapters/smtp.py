"""Hands mails to the Ministry's own SMTP server.

TLS with a verified certificate, always, unless the server is this very machine. What leaves has headers that we
made: a value with a control character or an encoded word in it is refused before anything is written
(CVE-2024-6923 makes a header out of one), and a sender that can't refuse it does not start. Automatic mail has
the null sender on its envelope, so nothing can answer it (RFC 3834 section 3.3), and a Message-ID that is the
same on every try.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from intake.adapters.mailbox_options import is_loopback
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.ports import Clock, OutgoingMail

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,240}@[!-;=?A-~]{1,240}>")  # printable, no < > and no space
_NEVER_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|=\?")
_HEADERS = frozenset(
    {
        "auto-submitted",
        "x-auto-response-suppress",
        "importance",
        "content-language",
        "in-reply-to",
        "references",
        "reply-to",
    }
)
# Long ids must not be folded: the library would turn them into encoded words, and no program would find the thread.
_UNFOLDED = SMTP.clone(max_line_length=900)
_SECONDS = 30.0
_SETTINGS_ARE_WRONG = 300.0  # seconds to wait when only a person can mend it
_LOGIN_NEEDED = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Read from `INTAKE_SMTP_URL`: `smtp(s)://[user[:password]@]host[:port][?ca_file=FILE&password_file=FILE]`."""

    host: str
    port: int
    tls: str  # tls (from the first byte), starttls, or none: loopback only
    username: str = ""
    password: str = ""
    password_file: str = ""
    ca_file: str = ""


def server_from_url(url: str) -> SmtpServer:
    """Raises Misconfigured with a sentence; the password is never in it."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        port = parts.port
    except ValueError as error:
        raise Misconfigured("The port in INTAKE_SMTP_URL is not a number.") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise Misconfigured("INTAKE_SMTP_URL must look like smtp://HOST:587 or smtps://HOST:465.")
    unknown = sorted(set(options) - {"ca_file", "password_file"})
    if unknown:
        raise Misconfigured(f"INTAKE_SMTP_URL has no option “{unknown[0]}”; it has ca_file and password_file.")
    if options.get("ca_file") and not Path(options["ca_file"]).is_file():
        raise Misconfigured("The ca_file in INTAKE_SMTP_URL is not a file.")
    plain = is_loopback(parts.hostname) and not options.get("ca_file")
    return SmtpServer(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 25 if plain else 587),
        tls="tls" if parts.scheme == "smtps" else "none" if plain else "starttls",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        **options,
    )


class SmtpSender:
    """`intake.ports.MailSender`. Raises Misconfigured when the settings cannot work, or the self-test fails."""

    def __init__(self, url: str, sender: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
        if not _ADDRESS.fullmatch(sender):
            raise Misconfigured("INTAKE_SENDER_ADDRESS is not one plain mail address.")
        self._server = server_from_url(url)
        self._sender = sender
        self._clock = clock
        self_test(self.compose)

    def send(self, mail: OutgoingMail) -> None:
        """Hand one mail over; returns when the server has taken responsibility for it.

        Raises Refused when the server, or our own check, says no for good; TryLater for everything else, also when the
        answer got lost: then the mail goes out again under the same Message-ID.
        """
        content = self.compose(mail)
        envelope_sender = "" if _automatic(mail) else self._sender
        try:
            connection = self._connected()
            try:
                connection.sendmail(envelope_sender, [mail.to], content)
            finally:
                with suppress(smtplib.SMTPException, OSError):
                    connection.quit()
        except ssl.SSLCertVerificationError as error:
            raise TryLater(
                f"The SMTP server has a certificate that is not trusted ({error.verify_message}). Mails wait. "
                "Add ?ca_file=FILE to INTAKE_SMTP_URL when the authority is your own.",
                after=_SETTINGS_ARE_WRONG,
            ) from error
        except smtplib.SMTPException as error:
            raise _answer(error) from error
        except OSError as error:
            raise TryLater(f"The SMTP server cannot be reached ({type(error).__name__}). Mails wait.") from error

    def compose(self, mail: OutgoingMail) -> bytes:
        """The mail as it leaves. Raises Refused when an address or a header holds what no header may hold."""
        if not _ADDRESS.fullmatch(mail.to):
            raise Refused("The address is not one that a mail can be sent to from here.")
        if not _MESSAGE_ID.fullmatch(mail.message_id):
            raise Refused("The mail has no usable Message-ID.")
        headers = [
            ("From", self._sender),
            ("To", mail.to),
            ("Subject", mail.subject),
            ("Date", format_datetime(self._clock())),
            ("Message-ID", mail.message_id),
            *mail.headers,
        ]
        message = EmailMessage(policy=SMTP)
        for name, value in headers:
            _check_header(name, value)
            message[name] = value
        body = mail.body.replace("\r\n", "\n").replace("\r", "\n")
        message.set_content(body, charset="utf-8", cte="quoted-printable")
        return message.as_bytes(policy=_UNFOLDED)

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context(cafile=server.ca_file or None)
        if server.tls == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
        try:
            if server.tls == "starttls":
                connection.starttls(context=context)
            if server.username:
                connection.login(server.username, self._password())
        except BaseException:
            connection.close()
            raise
        return connection

    def _password(self) -> str:
        if not self._server.password_file:
            return self._server.password
        return Path(self._server.password_file).read_text(encoding="utf-8").rstrip("\r\n")


def self_test(compose: Callable[[OutgoingMail], bytes]) -> None:
    """Try to smuggle a header through every place that takes text. Raises Misconfigured when one comes out."""
    planted = ("x\r\nBcc: planted@example.org", "x\nBcc: planted@example.org", "=?utf-8?q?x=0D=0ABcc:_planted?=")
    plain = OutgoingMail(0, "<self-test@intake.invalid>", "nobody@example.org", "x", "x\n", None, 1)
    for value in planted:
        for mail in (
            OutgoingMail(0, plain.message_id, plain.to, value, "x\n", None, 1),
            OutgoingMail(0, plain.message_id, value, "x", "x\n", None, 1),
            OutgoingMail(0, value, plain.to, "x", "x\n", None, 1),
            OutgoingMail(0, plain.message_id, plain.to, "x", "x\n", None, 1, (("In-Reply-To", value),)),
        ):
            with suppress(Refused):
                compose(mail)
                raise Misconfigured("A header can be smuggled into mails that leave. Nothing is sent: update Python.")


def _check_header(name: str, value: str) -> None:
    known = name.lower() in _HEADERS or name in {"From", "To", "Subject", "Date", "Message-ID"}
    if not known or _NEVER_IN_A_HEADER.search(value) or len(value) > 900:
        raise Refused("The mail has a header that may not leave. It was not sent.")


def _automatic(mail: OutgoingMail) -> bool:
    return any(name.lower() == "auto-submitted" and value != "no" for name, value in mail.headers)


def _answer(error: smtplib.SMTPException) -> Refused | TryLater:
    """What an answer of the server means for this mail. Only a no to this sender, recipient or content is for good."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    elif isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        code = error.smtp_code
    elif isinstance(error, smtplib.SMTPAuthenticationError):
        return TryLater("The SMTP server refused our username or password. Mails wait.", after=_SETTINGS_ARE_WRONG)
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        return TryLater("The SMTP server offers no TLS. Nothing was sent to it; mails wait.", after=_SETTINGS_ARE_WRONG)
    else:
        return TryLater(f"The SMTP server broke off ({type(error).__name__}). The mail is tried again.")
    if code in _LOGIN_NEEDED:
        return TryLater("The SMTP server wants a username and password. Mails wait.", after=_SETTINGS_ARE_WRONG)
    if 500 <= code < 600:
        return Refused(f"The SMTP server refused the mail (code {code}).")
    return TryLater(f"The SMTP server asked us to try later (code {code}).")
