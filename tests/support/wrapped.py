"""Wrappers for tests, made here: Outlook files, winmail.dat, S/MIME. None of them comes from anybody's mail."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import NameOID

from tests.support.compound_file import compound_file


@dataclass(frozen=True)
class Attached:
    """A file in a wrapper; `inside` instead of `content` when it is a mail, as the wrapper's own kind has mails."""

    name: str = ""
    content: bytes = b""
    kind: str = ""
    cid: str = ""
    inside: Any = None
    how: int = 1  # by value


# ---- Outlook files ----------------------------------------------------------------------------------------------------


def outlook(
    *,
    sender: str = "Office",
    address: str = "office@trust.org.nz",
    subject: str = "Our notice",
    body: str = "",
    html: bytes = b"",
    header: str = "",
    files: Sequence[Attached] = (),
    narrow: str = "",
    code_page: int = 0,
    rtf: bytes = b"",
    kind: str = "IPM.Note",
) -> bytes:
    """An Outlook file. header: the lines that the mail came with, "" for one that was never sent. narrow: the charset of its texts."""
    return compound_file(_message(32, **{k: v for k, v in locals().items()}))


def outlook_inside(**mail: Any) -> dict[str, Any]:
    """A mail attached to an Outlook file: the same streams, in a storage."""
    given = {"sender": "", "address": "", "subject": "", "body": "", "html": b"", "header": "", "files": (), "narrow": "", "code_page": 0, "rtf": b"", "kind": "IPM.Note"}  # fmt: skip
    return _message(24, **(given | mail))


def _message(head: int, *, sender: str, address: str, subject: str, body: str, html: bytes, header: str, files: Sequence[Attached], narrow: str, code_page: int, rtf: bytes, kind: str) -> dict[str, Any]:  # fmt: skip
    texts = {0x001A: kind, 0x0037: subject, 0x0C1A: sender, 0x5D01: address, 0x1000: body, 0x007D: header}
    numbers = {0x3FFD: (3, code_page), 0x3FDE: (3, code_page), 0x0039: (0x40, 134_142_048_000_000_000)}
    folder: dict[str, Any] = _streams(texts, narrow)
    for tag, octets in ((0x1013, html), (0x1009, rtf)):
        if octets:
            folder[f"__substg1.0_{tag:04X}0102"] = octets
    folder["__properties_version1.0"] = bytes(head) + _numbers({t: v for t, v in numbers.items() if v[1]})
    for number, file in enumerate(files):
        folder[f"__attach_version1.0_#{number:08X}"] = _attachment(file, narrow)
    return folder


def _attachment(file: Attached, narrow: str) -> dict[str, Any]:
    folder: dict[str, Any] = _streams({0x3707: file.name, 0x370E: file.kind, 0x3712: file.cid}, narrow)
    how = 5 if file.inside is not None else file.how
    if file.inside is not None:
        folder["__substg1.0_3701000D"] = file.inside
    elif how == 1:
        folder["__substg1.0_37010102"] = file.content
    folder["__properties_version1.0"] = bytes(8) + _numbers({0x3705: (3, how)})
    return folder


def _streams(texts: dict[int, str], narrow: str) -> dict[str, Any]:
    ending, charset = ("001E", narrow) if narrow else ("001F", "utf-16-le")
    return {f"__substg1.0_{tag:04X}{ending}": text.encode(charset) for tag, text in texts.items() if text}


def _numbers(values: dict[int, tuple[int, int]]) -> bytes:
    return b"".join(struct.pack("<HHIQ", kind, tag, 6, value) for tag, (kind, value) in values.items())


# ---- winmail.dat ------------------------------------------------------------------------------------------------------


def winmail(body: str = "", files: Sequence[Attached] = (), html: bytes = b"", rtf: bytes = b"") -> bytes:
    """A TNEF stream as Outlook writes it (MS-OXTNEF): attributes of a level, an id, a length, content and a checksum."""
    out = [struct.pack("<IH", 0x223E9F78, 1), _attribute(1, 0x00069007, struct.pack("<II", 1252, 0))]
    out.append(_attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0"))
    values = [(0x1000001F, body.encode("utf-16-le") + b"\0\0")] if body else []
    values += [(0x10130102, html)] if html else []
    values += [(0x10090102, rtf)] if rtf else []
    if values:
        out.append(_attribute(1, 0x00069003, _values(values)))
    for file in files:
        out.append(_attribute(2, 0x00069002, bytes(14)))
        if file.inside is None:
            out.append(_attribute(2, 0x0006800F, file.content))
        more = [(0x3707001F, file.name.encode("utf-16-le") + b"\0\0")]
        more += [(0x370E001F, file.kind.encode("utf-16-le") + b"\0\0")] if file.kind else []
        more += [(0x3712001F, file.cid.encode("utf-16-le") + b"\0\0")] if file.cid else []
        if file.inside is not None:
            more.append((0x3701000D, b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46" + file.inside))
        out.append(_attribute(2, 0x00069005, _values(more)))
    return b"".join(out)


def _attribute(level: int, tag: int, content: bytes) -> bytes:
    return struct.pack("<BII", level, tag, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)


def _values(values: Sequence[tuple[int, bytes]]) -> bytes:
    out = [struct.pack("<I", len(values))]
    for tag, content in values:
        out.append(struct.pack("<HHII", tag & 0xFFFF, tag >> 16, 1, len(content)) + content + bytes(-len(content) % 4))
    return b"".join(out)


# ---- S/MIME -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def written_to(self, folder: Path, name: str = "mailbox.pem") -> Path:
        """A PEM file with both, as the setting wants it."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = folder / name
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM) + key)
        return path


@cache
def pair(name: str = "breach@intake.ministry.example") -> Pair:
    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(
        who, who, key.public_key(), x509.random_serial_number(), at, at + timedelta(days=900)
    )
    return Pair(made.sign(key, hashes.SHA256()), key)


def signed(content: bytes) -> bytes:
    """An opaque signature: SignedData with the content inside."""
    who = pair("office@trust.org.nz")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(who.certificate, who.key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def encrypted(content: bytes, *for_whom: Pair) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content)
    for each in for_whom or (pair(),):
        builder = builder.add_recipient(each.certificate)
    return builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def in_pieces(der: bytes, content: bytes, size: int = 1000) -> bytes:
    """The same wrapping as mail programs write it while they send: the content as pieces, and no length said around it."""
    whole = element(4, content)
    pieces = b"".join(element(4, content[n : n + size]) for n in range(0, len(content), size))
    return _open_ended(der, der.index(whole), b"\x24\x80" + pieces + b"\0\0", len(whole))


def _open_ended(der: bytes, place: int, new: bytes, old: int) -> bytes:
    """`der` with an element replaced, and every element around it rewritten without its length."""
    starts = []
    at = 0
    while at < place:
        size = der[at + 1]
        head = 2 + (size & 0x7F if size & 0x80 else 0)
        length = int.from_bytes(der[at + 2 : at + head], "big") if size & 0x80 else size
        if at + head + length >= place + old and der[at] & 0x20:
            starts.append((at, at + head, at + head + length))
            at += head
        else:
            at += head + length
    out = new
    inner_start, inner_end = place, place + old
    for begin, start, end in reversed(starts):
        out = der[begin : begin + 1] + b"\x80" + der[start:inner_start] + out + der[inner_end:end] + b"\0\0"
        inner_start, inner_end = begin, end
    return out


def element(tag: int, content: bytes) -> bytes:
    """One element of DER."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content
