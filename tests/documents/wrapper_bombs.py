"""Wrappers made to be expensive: each is a name, the name of a file, and its bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from tests.documents import bombs
from tests.support.wrapped import Attached, element, outlook, outlook_inside, signed, winmail

WINMAIL_HEAD = struct.pack("<IH", 0x223E9F78, 1)
SIGNED_OID = bytes.fromhex("06092a864886f70d010702")
DATA_OID = bytes.fromhex("06092a864886f70d010701")
ENVELOPED_OID = bytes.fromhex("06092a864886f70d010703")
COMPRESSED_OID = bytes.fromhex("060b2a864886f70d0109100109")
CBC = bytes.fromhex("0609608648016503040102")


def wrapper_bombs() -> Iterator[tuple[str, str, bytes]]:
    for name, content in _outlook():
        yield f"msg: {name}", "mail.msg", content
    for name, content in _winmail():
        yield f"winmail: {name}", "winmail.dat", content
    for name, content in _smime():
        yield f"p7m: {name}", "smime.p7m", content


# ---- Outlook files: the file system inside ----------------------------------------------------------------------------


def _entries(file: bytes) -> list[int]:
    """Where the entries of the directory stand."""
    place = 512 + 512 * int(struct.unpack_from("<I", file, 48)[0])
    return [at for at in range(place, len(file) - 127, 128) if 0 < struct.unpack_from("<H", file, at + 64)[0] <= 64]


def _changed(file: bytes, kind: int, offset: int, value: int, most: int = 99_999) -> bytes:
    """The file with one number of every entry of a kind (1 storage, 2 stream, 5 root) replaced."""
    out = bytearray(file)
    for at in [at for at in _entries(file) if file[at + 66] == kind][:most]:
        struct.pack_into("<I", out, at + offset, value)
    return bytes(out)


def _outlook() -> Iterator[tuple[str, bytes]]:
    plain = outlook(body="hello " * 2_000, files=[Attached("a.pdf", b"%PDF" * 5_000)])
    yield "streams that claim 4 GB", _changed(plain, 2, 120, 0xFFFFFFF0)
    yield "siblings in a circle", _changed(plain, 2, 68, 1)
    yield "a storage inside itself", _changed(plain, 1, 76, 1)
    yield "the root inside a storage", _changed(plain, 1, 76, 0)
    table = 512 + 512 * int(struct.unpack_from("<I", plain, 76)[0])
    yield "sectors in a circle", plain[:table] + struct.pack("<I", 0) * 128 + plain[table + 512 :]
    many = outlook(files=[Attached(f"{n}", b"") for n in range(300)], html=b"x" * 20_000_000)
    large = next(at for at in _entries(many) if struct.unpack_from("<I", many, at + 120)[0] == 20_000_000)
    start, size = struct.unpack_from("<II", many, large + 116)
    yield "a thousand streams in the same 20 MB", _changed(_changed(many, 2, 116, start), 2, 120, size)
    yield "cut in the middle", plain[: len(plain) // 2]
    yield "only a head", plain[:512] + "__properties_version1.0".encode("utf-16-le")
    yield "5,000 attachments", outlook(files=[Attached(f"{n}.pdf", b"%PDF-1.4") for n in range(5_000)])
    yield "10 MB of header lines", outlook(header="Received: from a by b; now\r\n" * 350_000)
    yield "30 MB of text", outlook(body="word " * 3_000_000)
    inside: dict[str, Any] = outlook_inside(body="deep")
    for _ in range(60):
        inside = outlook_inside(files=[Attached(inside=inside)])
    yield "sixty mails deep", outlook(files=[Attached(inside=inside)])
    yield "a zip bomb in a mail in it", outlook(files=[Attached("m.eml", _mail("z.zip", _zip()), "message/rfc822")])
    yield "forty costly PDFs", outlook(files=[Attached(f"{n}.pdf", bombs.rectangles()) for n in range(40)])
    deep = outlook(body="innermost")
    for _ in range(30):
        deep = outlook(files=[Attached("next.msg", deep)])
    yield "thirty files in one another", deep


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.eml", bytes(300_000_000))
    return out.getvalue()


def _mail(name: str, content: bytes) -> bytes:
    head = f"From: a@b.nz\r\nContent-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return head.encode() + content


# ---- winmail.dat ------------------------------------------------------------------------------------------------------


def _attribute(level: int, tag: int, content: bytes, size: int | None = None) -> bytes:
    return struct.pack("<BII", level, tag, len(content) if size is None else size) + content + b"\0\0"


def _winmail() -> Iterator[tuple[str, bytes]]:
    page = _attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    yield "a length of 4 GB", WINMAIL_HEAD + page + _attribute(1, 0x00069003, b"hello", 0xFFFFFFFF)
    yield (
        "4,000,000,000 recipients",
        WINMAIL_HEAD + page + _attribute(1, 0x00069004, b"\xff\xff\xff\xff" + bytes(30_000)),
    )
    yield (
        "4,000,000,000 properties",
        WINMAIL_HEAD + page + _attribute(1, 0x00069003, b"\xff\xff\xff\x7f" + bytes(3_000_000)),
    )
    one = struct.pack("<I", 1) + struct.pack("<HHI", 0x1000 | 0x001E, 0x1000, 0xFFFFFFFF)
    yield "4,000,000,000 values of one", WINMAIL_HEAD + page + _attribute(1, 0x00069003, one + bytes(2_000_000))
    yield "two million attributes", WINMAIL_HEAD + page + _attribute(1, 0x00060000, b"") * 2_000_000
    yield (
        "a hundred thousand attributes of 100 bytes",
        WINMAIL_HEAD + page + _attribute(1, 0x00060000, bytes(100)) * 100_000,
    )
    yield "10,000 files", WINMAIL_HEAD + page + _attribute(2, 0x00069002, bytes(14)) * 10_000
    yield "a file before there is one", WINMAIL_HEAD + page + _attribute(2, 0x0006800F, b"x") * 3
    deep = winmail("innermost")
    for _ in range(300):
        deep = winmail(files=[Attached("m", inside=deep)])
    yield "three hundred mails deep", deep
    yield "30 MB in one file", winmail(files=[Attached("a.bin", bytes(30_000_000))])


# ---- S/MIME -----------------------------------------------------------------------------------------------------------


def _wrapped(oid: bytes, content: bytes) -> bytes:
    return element(0x30, oid + element(0xA0, content))


def _signed_of(holder: bytes) -> bytes:
    return _wrapped(SIGNED_OID, element(0x30, b"\x02\x01\x01" + element(0x31, b"") + element(0x30, DATA_OID + holder)))


def _smime() -> Iterator[tuple[str, bytes]]:
    yield "a length of 4 GB", b"\x30\x84\xff\xff\xff\xff" + bytes(100)
    yield "a length of 126 bytes", b"\x30\xfe" + b"\xff" * 200
    yield "a million open ends", b"\x30\x80" * 1_000_000
    yield "elements of no length", element(0x30, b"\x30\x00" * 5_000_000)
    yield "ten million empty pieces", _signed_of(element(0xA0, b"\x24\x80" + b"\x04\x00" * 10_000_000 + b"\0\0"))
    yield "pieces in pieces", _signed_of(element(0xA0, b"\x24\x80" * 500_000 + b"\0\0" * 500_000))
    yield "a kind of 20 MB", element(0x30, element(0x06, b"\xff" * 20_000_000))
    yield "a high tag", b"\x3f" + b"\xff" * 1_000_000
    packed = zlib.compress(bytes(300_000_000), 9)
    yield "300 MB in a compressed part", _wrapped(
        COMPRESSED_OID, element(0x30, b"\x02\x01\x00" + element(0x30, b"") + element(0x30, DATA_OID + element(0xA0, element(0x04, packed))))
    )  # fmt: skip
    key = element(0x30, element(0x30, b"") + b"\x02\x01\x05")
    one = element(0x30, b"\x02\x01\x00" + key + element(0x30, b"\x06\x01\x2a") + element(0x04, b"k" * 8))
    held = element(0x30, DATA_OID + element(0x30, CBC + element(0x04, bytes(16))) + element(0x80, bytes(64)))
    yield (
        "100,000 recipients",
        _wrapped(ENVELOPED_OID, element(0x30, b"\x02\x01\x00" + element(0x31, one * 100_000) + held)),
    )
    yield "headers without end", signed(b"Content-Type: text/plain\r\n" + b"X-A: b\r\n" * 100_000)
    yield "base64 without end", b"MIIB" + b"A!" * 10_000_000
    deep = b"Content-Type: text/plain\r\n\r\nhello"
    for _ in range(25):
        deep = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + signed(deep)
    yield "signed twenty-five times", signed(deep)
    large = b"Content-Type: application/pdf; name=a.pdf\r\n\r\n" + b"x" * 20_000_000
    for _ in range(6):
        large = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + signed(large)
    yield "20 MB signed six times", signed(large)
