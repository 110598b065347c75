"""Hands mails to the Ministry's own SMTP server.

TLS with a verified certificate, always, unless the server is this very machine. Automatic mail has the null sender
on its envelope, so nothing can answer it (RFC 3834 section 3.3).
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from intake.adapters.mailbox_options import is_loopback
from intake.adapters.outgoing import OutgoingMime, automatic
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.ports import Clock, OutgoingMail

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
        self._server = server_from_url(url)
        self._sender = sender
        self._mails = OutgoingMime(sender, clock)

    def send(self, mail: OutgoingMail) -> None:
        """Hand one mail over; returns when the server has taken responsibility for it.

        Raises Refused when the server, or our own check, says no for good; TryLater for everything else, also when the
        answer got lost: then the mail goes out again under the same Message-ID.
        """
        content = self._mails.compose(mail)
        envelope_sender = "" if automatic(mail) else self._sender
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
