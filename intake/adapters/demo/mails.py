"""Mails as a gateway of the invented Ministry would hand them over: bytes built from a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

GATEWAY = "mx.ministry.example"
MAILBOX = "breach@intake.ministry.example"
NOTE = "This is an invented example. No such person or organisation exists."


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Gateway:
    """What our gateway stamps on top: `results` is the value after its own id, empty when it stamps nothing."""

    results: str = ""
    client: str = "192.0.2.10"
    helo: str = "mail.example"


def passes(domain: str) -> Gateway:
    return Gateway(
        f"spf=pass smtp.mailfrom={domain};\r\n dkim=pass header.d={domain} header.s=s1;"
        f"\r\n dmarc=pass (p=reject) header.from={domain}",
        helo=f"mail.{domain}",
    )


def fails(domain: str) -> Gateway:
    return Gateway(
        f"spf=fail smtp.mailfrom={domain};\r\n dkim=none; dmarc=fail (p=reject) header.from={domain}",
        "198.51.100.7",
        "unknown.invalid",
    )


def spf_only(domain: str) -> Gateway:
    return Gateway(
        f"spf=pass smtp.mailfrom={domain};\r\n dkim=none; dmarc=none header.from={domain}", helo=f"mail.{domain}"
    )


def write(
    *,
    sender: str,
    subject: str,
    body: str,
    at: datetime,
    identity: str,
    files: Sequence[File] = (),
    inside: bytes = b"",
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """One mail as its writer sent it, without our gateway's lines. `identity` makes its Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = MAILBOX
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{identity}@mail.example>"
    for name, value in headers:
        mail[name] = value
    mail.set_content(f"{body}\n\n--\n{NOTE}\n")
    for file in files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    if inside:
        mail.add_attachment(inside, maintype="application", subtype="octet-stream", filename="forwarded.eml")
    return mail.as_bytes()


def delivered(raw: bytes, at: datetime, gateway: Gateway) -> bytes:
    """The same mail with the lines that our gateway puts on top."""
    lines = ""
    if gateway.results:
        lines = f"Authentication-Results: {GATEWAY};\r\n {gateway.results}\r\n"
    lines += (
        f"Received: from {gateway.helo} ({gateway.helo} [{gateway.client}])\r\n"
        f" by {GATEWAY} with ESMTPS id demo; {format_datetime(at)}\r\n"
    )
    return lines.encode() + raw
