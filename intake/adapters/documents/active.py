"""Does a PDF hold something that can run or open other files? Runs in the child.

A search of the bytes answers "surely not" for nearly every file; only what it leaves open is walked, object by object, with
an end. A finding is a flag for staff, never a reason to refuse: many harmless forms add up numbers with a script.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice

from pikepdf import Array, Dictionary, Object, Pdf, PdfError

_MARKS = (b"/JS", b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia", b"/SubmitForm", b"/ImportData")
_ESCAPED = re.compile(rb"/[^\s/<>\[\]()]{0,60}#[0-9A-Fa-f]{2}[^\s/<>\[\]()]{0,60}")
_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_KEYS = ("/JS", "/EmbeddedFiles", "/RichMediaContent", "/RichMediaSettings")
_ACTIONS = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/RichMediaExecute")
MOST_UNPACKED = 32_000_000  # bytes of packed objects that are searched
MOST_OBJECTS = 20_000
DEEPEST, MOST_INSIDE = 4, 200  # levels of objects inside one another, and objects of one list


def has_active_content(raw: bytes, pdf: Pdf) -> bool:
    if surely_not(raw):
        return False
    try:
        return any(_acts(o) for o in islice(_objects(pdf), MOST_OBJECTS))
    except (PdfError, ValueError, TypeError, RuntimeError, AttributeError):
        return True  # it cannot be told, so staff are told to take care


def surely_not(raw: bytes) -> bool:
    """True when no mark stands in the file's objects, packed ones included; False when that cannot be told by a search."""
    room = MOST_UNPACKED
    for plain, packed in _parts(raw):
        if _marked(plain):
            return False
        if packed:
            try:
                unpacked = zlib.decompressobj().decompress(packed, room)
            except zlib.error:
                return False
            room -= len(unpacked)
            if room <= 0 or _marked(unpacked):
                return False
    return True


def _parts(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands outside streams, and with it the stream that follows when it holds packed objects (else nothing)."""
    at = 0
    while True:
        start = raw.find(b"stream", at)
        end = raw.find(b"endstream", start + 6) if start >= 0 else -1
        if end < 0:
            yield raw[at:], b""
            return
        plain = raw[at:start]
        body = start + (8 if raw[start + 6 : start + 8] == b"\r\n" else 7)
        yield plain, raw[body:end] if b"/ObjStm" in plain else b""
        at = end + 9


def _marked(part: bytes) -> bool:
    if any(mark in part for mark in _MARKS):
        return True
    if b"#" not in part:
        return False
    return any(_plain(name).startswith(_MARKS) for name in _ESCAPED.findall(part))


def _plain(name: bytes) -> bytes:
    return _HEX.sub(lambda m: bytes([int(m[1], 16)]), name)


def _objects(pdf: Pdf) -> Iterator[object]:
    yield from pdf.objects


def _acts(found: object, depth: int = DEEPEST) -> bool:
    """Whether an object, or one that stands inside it and not on its own, is such an action or file."""
    if isinstance(found, Array):
        return depth > 0 and any(_acts(inner, depth - 1) for inner in islice(found, MOST_INSIDE) if _own(inner))
    if not isinstance(found, Dictionary):
        return False
    if any(key in found for key in _KEYS) or str(found.get("/Type", "")) == "/EmbeddedFile":
        return True
    if str(found.get("/S", "")) in _ACTIONS:
        return True
    return depth > 0 and any(_acts(inner, depth - 1) for inner in found.values() if _own(inner))


def _own(inner: object) -> bool:
    """Stands inside its holder; an object that stands on its own is looked at in its turn."""
    return isinstance(inner, Object) and not inner.is_indirect
