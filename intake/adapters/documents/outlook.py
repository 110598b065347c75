"""An Outlook file (.msg) as a mail. Runs in the child; the only importer of oxmsg, which reads the file system inside the file.

Its properties are read here and not by oxmsg, which gives up a whole mail for one letter in a wrong code page. No line that could
prove anything is carried over: a .msg was written by a program on somebody's desk, and its signature can hold no more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from intake.adapters.documents.as_mail import (
    Held,
    Unwrapped,
    date_header,
    id_header,
    sender_header,
    text_header,
    write,
)
from intake.domain.mime import Headers, Limits, split_headers
from intake.domain.words import decode

if TYPE_CHECKING:
    from oxmsg.storage import Storage

DEEPEST = 6  # mails in mails in the file
MOST_FILES = 190  # of one mail: the reader of mails takes no more
TEXT_IN_RTF, LEFT_OUT, A_LINK = "text_in_rtf", "left_out", "a_link"

# Lines of the mail's own header that say who, what and when. Never one that vouches for it.
_CARRIED = frozenset(
    {
        "from", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted", "precedence",
        "return-path", "list-id",
    }
)  # fmt: skip
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_BY_VALUE, _EMBEDDED = 1, 5
_NAMES = (0x3707, 0x3704, 0x3001)  # long name, short name, display name


def unwrap(raw: bytes) -> Unwrapped:
    """The mail that an Outlook file holds. Raises ValueError and KeyError for a file that is none."""
    import io

    from olefile import OleFileIO
    from oxmsg.storage import Storage

    with OleFileIO(io.BytesIO(raw)) as opened:
        root = Storage.from_ole(opened)
    notes: list[str] = []
    return Unwrapped(_mail(root, 32, notes, 0), tuple(dict.fromkeys(notes)))


class _Properties:
    """The properties of a mail or of an attachment: texts and bytes as streams, numbers in one stream of 16 bytes each."""

    def __init__(self, storage: Storage, header: int, code_page: str = "") -> None:
        self.streams: Mapping[str, bytes] = {s.name.upper(): s.bytes_ for s in storage.streams}
        numbers = self.streams["__PROPERTIES_VERSION1.0"][header:]
        whole = len(numbers) - len(numbers) % 16
        self.numbers = {tag >> 16: value for tag, _, value in struct.iter_unpack("<II8s", numbers[:whole])}
        self.code_page = code_page or _charset(self.number(0x3FFD))

    def number(self, tag: int) -> int:
        return int.from_bytes(self.numbers.get(tag, b"")[:4], "little")

    def text(self, tag: int) -> str:
        wide = self.streams.get(f"__SUBSTG1.0_{tag:04X}001F")
        if wide is not None:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        return decode(self.streams.get(f"__SUBSTG1.0_{tag:04X}001E", b""), self.code_page).rstrip("\0")

    def octets(self, tag: int) -> bytes:
        return self.streams.get(f"__SUBSTG1.0_{tag:04X}0102", b"")

    def instant(self, tag: int) -> datetime | None:
        ticks = int.from_bytes(self.numbers.get(tag, b"")[:8], "little")
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).replace(microsecond=0) if ticks else None
        except OverflowError:
            return None


def _mail(storage: Storage, header: int, notes: list[str], depth: int) -> bytes:
    told = _Properties(storage, header)
    page = told.octets(0x1013)
    charset = _charset(told.number(0x3FDE)) if page else "utf-8"
    page = page or told.text(0x1013).encode("utf-8", "replace")
    plain = told.text(0x1000)
    if not plain.strip() and not page.strip() and told.octets(0x1009):
        notes.append(TEXT_IN_RTF)
    return write(list(_headers(told)), plain, page, charset, list(_files(storage, told, notes, depth)))


def _headers(told: _Properties) -> Iterator[bytes]:
    """Those that it came with; of a mail that was never sent, what Outlook shows."""
    lines = told.text(0x007D).encode("utf-8", "replace")
    came: Headers = split_headers(lines + b"\r\n\r\n", 0, len(lines) + 4, Limits())[0] if lines.strip() else ()
    names = {name.strip().lower() for name, _ in came}
    for name, value in came:
        if name.strip().lower() in _CARRIED:
            yield name.encode() + b":" + value
    if "from" not in names:
        address = told.text(0x5D01) or told.text(0x5D02) or told.text(0x0C1F) or told.text(0x0065)
        yield sender_header(told.text(0x0C1A) or told.text(0x0042), address.strip())
    if "subject" not in names and told.text(0x0037):
        yield text_header("Subject", told.text(0x0037))
    if "date" not in names:
        yield from date_header(told.instant(0x0039) or told.instant(0x0E06))
    for name, tag in (("Message-ID", 0x1035), ("In-Reply-To", 0x1042), ("References", 0x1039)):
        if name.lower() not in names:
            yield from id_header(name, told.text(tag))


def _files(storage: Storage, told: _Properties, notes: list[str], depth: int) -> Iterator[Held]:
    signed = told.text(0x001A).upper().startswith("IPM.NOTE.SMIME.MULTIPARTSIGNED")
    for count, attachment in enumerate(storage.iter_attachment_storages()):
        if count >= MOST_FILES:
            notes.append(LEFT_OUT)
            return
        given = _Properties(attachment, 8, told.code_page)
        how, kind = given.number(0x3705), given.text(0x370E).strip().lower()
        if how == _EMBEDDED:
            inside = next((s for s in attachment.storages if s.name.upper() == "__SUBSTG1.0_3701000D"), None)
            if inside is None or depth >= DEEPEST:
                notes.append(LEFT_OUT)
                continue
            yield Held("", "message/rfc822", _mail(inside, 24, notes, depth + 1))
        elif how == _BY_VALUE or given.octets(0x3701):
            whole = signed and kind == "multipart/signed"
            name = next((n for n in map(given.text, _NAMES) if n.strip()), "")
            yield Held(name, kind, given.octets(0x3701), given.text(0x3712).strip(), whole)
        else:
            notes.append(A_LINK if how in (2, 4, 7) else LEFT_OUT)


def _charset(code_page: int) -> str:
    """A name for Windows' number of a code page."""
    if 28591 <= code_page <= 28606:
        return f"iso-8859-{code_page - 28590}"
    named = {
        20127: "us-ascii",
        65001: "utf-8",
        20866: "koi8-r",
        21866: "koi8-u",
        51932: "euc-jp",
        51949: "euc-kr",
        54936: "gb18030",
    }
    if 50220 <= code_page <= 50222:
        return "iso-2022-jp"
    return named.get(code_page, f"cp{code_page}" if 0 < code_page < 1400 else "")
