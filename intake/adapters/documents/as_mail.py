"""What a wrapper held, written as a mail: then it is opened like any other, by the one reader of mails. Runs in the child.

Nothing is encoded that need not be, so that a wrapper of 30 MB does not grow beyond what a mail may have. The boundary is drawn at
random, so no file can hold it; names are written as RFC 2231 has it, so no name can write a header.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

NAME, SUBJECT = 250, 1_000  # letters that are kept
_WORD = 36  # letters of one encoded word
# Each line in one way only, so that what is no header block is given up at once.
_HEADERS = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}+:[^\n]{0,2000}+(?:\n[ \t][^\n]{0,2000}+)*+\n){1,200}?\r?\n")
_STATED = re.compile(rb"^(?:content-type|mime-version|from):", re.I | re.M)
_ADDRESS = re.compile(r"[^\s<>\"(),:;\\\x00-\x20]{1,120}@[^\s<>\"(),:;\\@\x00-\x20]{1,200}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]{0,60}/[A-Za-z0-9][\w.+-]{0,60}")


@dataclass(frozen=True, slots=True)
class Held:
    """One file or mail in a wrapper. `entity`: its content has headers of its own, and is a part as it stands."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""
    entity: bool = False


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What a wrapper held, as a mail, and codes of what of it could not be had."""

    mail: bytes
    notes: tuple[str, ...] = ()


def write(headers: Sequence[bytes], plain: str, html: bytes, charset: str, files: Sequence[Held]) -> bytes:
    """A mail. headers: whole lines without their end. charset: of the HTML, "" when nobody said."""
    boundary = secrets.token_hex(16).encode()
    out = [b"".join(line + b"\r\n" for line in headers)]
    out.append(b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="' + boundary + b'"\r\n')
    for part in (*_texts(plain, html, charset), *map(_part, files)):
        out += [b"\r\n--", boundary, b"\r\n", part]
    out += [b"\r\n--", boundary, b"--\r\n"]
    return b"".join(out)


def _texts(plain: str, html: bytes, charset: str) -> list[bytes]:
    if not html.strip():
        return [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + plain.encode("utf-8", "replace")]
    stated = f"; charset={charset}" if charset else ""
    page = f"Content-Type: text/html{stated}\r\n\r\n".encode("ascii", "replace") + html
    if not plain.strip():
        return [page]
    boundary = secrets.token_hex(16).encode()
    both = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n'
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + plain.encode("utf-8", "replace")
    return [
        both + b"".join(b"\r\n--" + boundary + b"\r\n" + t for t in (text, page)) + b"\r\n--" + boundary + b"--\r\n"
    ]


def _part(file: Held) -> bytes:
    if file.entity:
        return file.content
    kind = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else "application/octet-stream"
    if kind.lower().startswith(("multipart/", "message/")) and file.media_type != "message/rfc822":
        kind = "application/octet-stream"
    lines = [f"Content-Type: {kind}", "Content-Transfer-Encoding: binary"]
    shown = bool(re.fullmatch(r"[!-~]{1,250}", file.content_id))
    if shown:
        lines.append(f"Content-ID: <{file.content_id.strip('<>')}>")
    if kind != "message/rfc822":
        name = quote(file.name[:NAME].encode("utf-8", "replace"), safe="")
        lines.append(f"Content-Disposition: {'inline' if shown else 'attachment'}; filename*=utf-8''{name}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + file.content


def text_header(name: str, value: str) -> bytes:
    """A header line whose value is anybody's text."""
    words = [value[n : n + _WORD] for n in range(0, min(len(value), SUBJECT), _WORD)]
    return name.encode() + b": " + b"\r\n ".join(_word(w) for w in words)


def _word(text: str) -> bytes:
    return b"=?utf-8?b?" + base64.b64encode(text.encode("utf-8", "replace")) + b"?="


def sender_header(display: str, address: str) -> bytes:
    """A From line; without the address when that has not the shape of one, so that nobody is taken for the sender."""
    shown = text_header("From", display[:200] or "unknown")
    return shown + b"\r\n <" + address.encode() + b">" if _ADDRESS.fullmatch(address) and address.isascii() else shown


def date_header(at: datetime | None) -> list[bytes]:
    return [b"Date: " + format_datetime(at).encode()] if at else []


def id_header(name: str, value: str) -> list[bytes]:
    """A line of Message-IDs, when it holds nothing else."""
    plain = " ".join(value.split())
    return [f"{name}: {plain}".encode()] if re.fullmatch(r"(?:<[!-~]{1,500}> ?){1,20}", plain) else []


def entity_of(content: bytes, name: str) -> bytes:
    """Signed or decrypted bytes as a mail: mostly they are one already; a file that was signed on its own becomes its attachment."""
    if _HEADERS.match(content) and _STATED.search(content[:4_096]):
        return content
    plain = name[:-4] if name.lower().endswith(".p7m") else name
    return write((), "", b"", "", [Held(plain or "file", "application/octet-stream", content)])
