"""The bytes of a mail that leaves, whatever server takes it.

Its headers are ours: a value with a control character or an encoded word in it is refused before anything is
written (CVE-2024-6923 makes a header out of one), and a program that can't refuse it does not start. The
Message-ID is the same on every try, and stands in a line of our own as well: a service that gives the mail another
one (some do) still carries that line, and a bounce shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from intake.domain.errors import Misconfigured, Refused
from intake.ports import OWN_ID, Clock, OutgoingMail

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


class OutgoingMime:
    """Composes for one sender. Raises Misconfigured when its address cannot work, or the self-test fails."""

    def __init__(self, sender: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
        if not _ADDRESS.fullmatch(sender):
            raise Misconfigured("INTAKE_SENDER_ADDRESS is not one plain mail address.")
        self._sender = sender
        self._clock = clock
        self_test(self.compose)

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
            (OWN_ID, mail.message_id),
            *mail.headers,
        ]
        message = EmailMessage(policy=SMTP)
        for name, value in headers:
            _check_header(name, value)
            message[name] = value
        body = mail.body.replace("\r\n", "\n").replace("\r", "\n")
        message.set_content(body, charset="utf-8", cte="quoted-printable")
        return message.as_bytes(policy=_UNFOLDED)


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
    known = name.lower() in _HEADERS or name in {"From", "To", "Subject", "Date", "Message-ID", OWN_ID}
    if not known or _NEVER_IN_A_HEADER.search(value) or len(value) > 900:
        raise Refused("The mail has a header that may not leave. It was not sent.")


def automatic(mail: OutgoingMail) -> bool:
    """Whether no person wrote it, so that nothing may answer it."""
    return any(name.lower() == "auto-submitted" and value != "no" for name, value in mail.headers)
