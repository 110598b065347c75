"""The two lines that our own door writes on top of a mail: who the sending server said it was, and from which address it came.

They are the only trusted facts about a mail that came straight to us, so nothing that a client chose may change their shape: what is
out of shape is replaced, never repaired. `intake.domain.received.parse_hop` reads them.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

# A name, or an address literal. No blanks, brackets or comments: whoever reads the line must see one word.
_HELO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9.])?|\[(?:IPv6:)?[0-9A-Fa-f:.]{2,45}\]")
_WORDS_OF_THE_LINE = frozenset(("by", "from", "with", "id", "for", "via"))
_UNKNOWN_HELO = "unknown"
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,256}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?|\[(?:IPv6:)?[0-9A-Fa-f:.]{2,45}\]")
# Not <>: that would say that a machine sent it. No domain ends in .invalid (RFC 2606), so nobody is taken for its owner.
_UNREADABLE = "unreadable@invalid.invalid"


@dataclass(frozen=True, slots=True)
class Hop:
    """What is known of one mail's last step. `mail_from` is "" for the null sender."""

    helo: str
    client: str  # an IP address; "" for a Unix socket
    mail_from: str
    protocol: str  # SMTP, ESMTP, LMTP
    tls: bool
    utf8: bool  # the client asked for SMTPUTF8 (RFC 6531)
    hostname: str
    id: str  # the delivery's id, for whoever compares logs
    at: datetime


def trace(hop: Hop) -> bytes:
    """`Return-Path` and one `Received` line, with CRLF (RFC 5321 section 4.4)."""
    return (
        f"Return-Path: <{return_path(hop.mail_from, hop.utf8)}>\r\n"
        f"Received: from {_helo(hop.helo)} ([{_literal(hop.client)}])\r\n"
        f"\tby {hop.hostname} with {_with(hop)} id {hop.id};\r\n"
        f"\t{format_datetime(hop.at)}\r\n"
    ).encode()


def return_path(mail_from: str, utf8: bool) -> str:
    """The envelope sender as it may stand in a header: as given when it is in shape, "" for none, else a name of nobody."""
    if not mail_from:
        return ""
    local, _, domain = mail_from.rpartition("@")
    if utf8 and not mail_from.isascii():
        local, domain = _stand_ins(local), _stand_ins(domain)
    return mail_from if _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain) else _UNREADABLE


def _stand_ins(text: str) -> str:
    """Letters and digits of any script count as one; everything else stays and is judged."""
    return "".join("x" if not c.isascii() and (c.isalnum() or c.isidentifier()) else c for c in text)


def _helo(given: str) -> str:
    known = _HELO.fullmatch(given) and given.lower() not in _WORDS_OF_THE_LINE
    return given if known else _UNKNOWN_HELO


def _literal(client: str) -> str:
    if not client:
        return "127.0.0.1"  # a Unix socket: this machine
    at = ipaddress.ip_address(client.partition("%")[0])
    at = getattr(at, "ipv4_mapped", None) or at
    return f"IPv6:{at}" if at.version == 6 else str(at)


def _with(hop: Hop) -> str:
    """RFC 3848 and 6531: UTF8SMTP and UTF8LMTP imply the extended protocol."""
    base = f"UTF8{hop.protocol.removeprefix('E')}" if hop.utf8 else hop.protocol
    return f"{base}S" if hop.tls and base != "SMTP" else base
