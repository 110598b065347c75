"""Take responsibility for a message: its bytes are durable, and a job is due, before anybody is told "yes".

Order (RFC 5321 section 4.2.5 in spirit): bytes to the blob store with fsync, then ONE transaction with the message, its delivery
and its job. Only after `keep` has returned may a door answer 250, 200 or exit 0, or a mail be moved on its server.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from intake.domain.automatic import MACHINE_HEADERS
from intake.domain.model import Arrival
from intake.ports import Blobs, Delivery, Doorbell, Store, ToKeep

IMPORT = "import"  # the channel of files that somebody brought over from elsewhere
_OLD = timedelta(days=7)

# Written by machines on the way: two deliveries of one mail may differ in them and in nothing else.
_TRANSPORT = (
    b"received",
    b"delivered-to",
    b"return-path",
    b"received-spf",
    b"dkim-filter",
    b"dmarc-filter",
    b"envelope-to",
    b"delivery-date",
    b"x-",
    b"arc-",
)
# Of those, what a decision rests on. Without them in the key, a copy that somebody sends first without the gateway's word, or as an
# automatic mail, would decide for the real one that comes after it.
_DECIDES = (
    *(name.encode() + b":" for name in MACHINE_HEADERS),
    b"x-ms-exchange-organization-auth",
    b"x-intake-kept:",
)
TOGETHER = 20  # mails made durable by one commit ...
TOGETHER_BYTES = 8 * 1024 * 1024  # ... and bytes held in memory for it


_HEAD = (
    1_048_576  # bytes; what comes after that is no header of any mail, and to go through it line by line costs seconds
)

# Addresses as relays note them in brackets, and those that never are outside (RFC 1918, RFC 4193, loopback, link-local).
_NOTED = re.compile(rb"[\[(](?:IPv6:)?([0-9A-Fa-f]{0,4}[:.][0-9A-Fa-f:.]{2,40})[\])]")
_INSIDE = re.compile(
    rb"10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd][0-9a-f]{2}:|fe80:", re.I
)


class Parts(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def doorbell(self) -> Doorbell: ...


def keep(parts: Parts, arrivals: Sequence[Arrival]) -> tuple[Delivery, ...]:
    """Keep every arrival durably and say for each which delivery it is; raises when it could not, and then nothing is promised."""
    return tuple(delivery for delivery, _ in keep_in_hand(parts, arrivals))


def keep_in_hand(parts: Parts, arrivals: Sequence[Arrival]) -> tuple[tuple[Delivery, bytes | None], ...]:
    """The same, each with the bytes that are kept of its message; None when that came before by another way, since its transport
    headers may differ.
    """
    blobs = parts.blobs.put_many([a.raw for a in arrivals])
    kept = parts.store.keep([_to_keep(a, blob) for a, blob in zip(arrivals, blobs, strict=True)])
    parts.doorbell.ring()
    return tuple(
        (delivery, arrival.raw if delivery.raw.blob == blob else None)
        for arrival, blob, delivery in zip(arrivals, blobs, kept, strict=True)
    )


def in_groups(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Arrivals that are kept together: by one commit, and with so many bytes in memory."""
    group, size = list[Arrival](), 0
    try:
        for arrival in arrivals:
            group.append(arrival)
            size += len(arrival.raw)
            if len(group) == TOGETHER or size >= TOGETHER_BYTES:
                yield group
                group, size = [], 0
    except Exception:
        if group:
            yield group  # one mail that cannot be had does not hold up those before it
        raise
    if group:
        yield group


def _to_keep(arrival: Arrival, blob: str) -> ToKeep:
    return ToKeep(
        content_key=content_key(arrival.raw),
        sha256=hashlib.sha256(arrival.raw).hexdigest(),
        size=len(arrival.raw),
        blob=blob,
        channel=arrival.channel,
        mailbox=arrival.mailbox,
        remote_id=arrival.remote_id,
        received_at=arrival.received_at,
    )


def is_history(channel: str, received_at: datetime, filed_at: datetime) -> bool:
    """Old mail that somebody brought over from elsewhere: nobody is answered or woken because of it. It stands in the queue, overdue."""
    return channel == IMPORT and filed_at - received_at > _OLD


def content_key(raw: bytes) -> str:
    """Equal for the same message by whatever way it came: SHA-256 hex over the bytes without the headers that transport adds.

    The Message-ID stays in, and so does everything that the writer wrote: a stranger who sends a mail with the Message-ID of
    another one cannot make that one look like a duplicate. So do authentication results, with their place among the others, and the
    outside addresses in the lines of relays: who handed a mail in decides about its sender (SPF), and nobody chooses their own.
    """
    head, separator, body = _split(raw)
    if len(head) > _HEAD:
        end = raw.rfind(b"\n", 0, _HEAD) + 1 or _HEAD
        head, body = raw[:end], raw[end:]
    digest = hashlib.sha256()
    skipping, kept_before = False, False
    relays = set[bytes]()
    for line in head.splitlines():
        if line[:1] not in b" \t":
            name = line.lower()
            begins = not skipping
            skipping = name.startswith(_TRANSPORT) and not name.startswith(_DECIDES)
            if skipping and begins and kept_before:
                digest.update(b"\0")  # results above and below the lines of a relay are not the same
            if name.startswith(b"return-path:") and not name[12:].strip(b" \t<>"):
                digest.update(b"return-path:<>\n")
        if not skipping:
            kept_before = True
            digest.update(line.rstrip() + b"\n")
        elif b"[" in line or b"(" in line:
            relays |= {found for found in _NOTED.findall(line) if not _INSIDE.match(found)}
    digest.update(b" ".join(sorted(relays)))
    digest.update(b"\n" if separator else b"")
    # Line ends of the body differ between an IMAP server and a file on disk; the words do not.
    digest.update(body.translate(None, b"\r"))
    return digest.hexdigest()


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    crlf = raw.find(b"\r\n\r\n")
    if crlf < 0 or raw.find(b"\n\n", 0, crlf) >= 0:
        return raw.partition(b"\n\n")
    return raw[:crlf], b"\r\n\r\n", raw[crlf + 4 :]
