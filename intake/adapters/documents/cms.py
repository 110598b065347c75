"""The wrapping of S/MIME (CMS, RFC 5652), read strictly: what is signed is taken out, what is encrypted is described.

A walker of its own, because `cryptography` offers no way into signed data. It reads DER, and BER as far as mail programs write it
(lengths that are not stated, strings in pieces). Every length is checked against what is there, and the number of elements and
their depth are limited. Nothing is verified: who signed is information, and a signature that we do not check proves nothing.
Runs in the child.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from intake.domain.words import base64_bytes

MOST_ELEMENTS, DEEPEST = 200_000, 30

SIGNED = "1.2.840.113549.1.7.2"
ENVELOPED = "1.2.840.113549.1.7.3"
COMPRESSED = "1.2.840.113549.1.9.16.1.9"
AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.23"

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
_CONSTRUCTED, _FIRST, _FIRST_PLAIN, _SECOND = 0x20, 0xA0, 0x80, 0xA1


class Broken(ValueError):
    """The bytes are not what S/MIME has."""


@dataclass(frozen=True, slots=True)
class Element:
    """Its content stands in [start, end); the next element begins at `after`."""

    tag: int
    begin: int
    start: int
    end: int
    after: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom a content key was encrypted: issuer and serial of a certificate, or the id of its key."""

    issuer: bytes
    serial: int
    key_id: bytes
    algorithm: str
    parameters: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted content. `mac` and `also`: what authenticated encryption proves beside the content."""

    recipients: tuple[Recipient, ...]
    algorithm: str
    parameters: bytes
    content: bytes
    mac: bytes = b""
    also: bytes = b""


class Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._known: dict[int, Element] = {}

    def at(self, begin: int, end: int, depth: int = 0) -> Element:
        """The element that begins there and ends before `end`. Raises Broken."""
        if begin in self._known:
            return self._known[begin]
        if depth > DEEPEST or len(self._known) >= MOST_ELEMENTS or begin + 2 > end:
            raise Broken
        tag, first = self.raw[begin], self.raw[begin + 1]
        if tag & 0x1F == 0x1F:
            raise Broken
        if first == 0x80:
            found = self._open_ended(tag, begin, end, depth)
        else:
            size, start = first, begin + 2
            if first > 0x80:
                start += first & 0x7F
                if first > 0x84 or start > end:
                    raise Broken
                size = int.from_bytes(self.raw[begin + 2 : start], "big")
            if start + size > end:
                raise Broken
            found = Element(tag, begin, start, start + size, start + size)
        self._known[begin] = found
        return found

    def _open_ended(self, tag: int, begin: int, end: int, depth: int) -> Element:
        if not tag & _CONSTRUCTED:
            raise Broken
        place = begin + 2
        while self.raw[place : place + 2] != b"\x00\x00":
            place = self.at(place, end, depth + 1).after
        if place + 2 > end:
            raise Broken
        return Element(tag, begin, begin + 2, place, place + 2)

    def inside(self, element: Element) -> Iterator[Element]:
        place = element.start
        while place < element.end:
            found = self.at(place, element.end)
            yield found
            place = found.after

    def octets(self, element: Element, depth: int = 0) -> bytes:
        """The bytes of an octet string, in one piece or in several."""
        if not element.tag & _CONSTRUCTED:
            return self.raw[element.start : element.end]
        if depth > 3:
            raise Broken
        return b"".join(self.octets(piece, depth + 1) for piece in self.inside(element))

    def oid(self, element: Element) -> str:
        if element.tag != OID or not 0 < element.end - element.start < 40:
            raise Broken
        first, *rest = self.raw[element.start : element.end]
        numbers, value = [first // 40, first % 40], 0
        for byte in rest:
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(value)
                value = 0
        return ".".join(map(str, numbers))

    def whole(self, element: Element) -> bytes:
        return self.raw[element.begin : element.after]


def content_info(raw: bytes) -> tuple[str, Reader, Element]:
    """The kind of a wrapping (an object id), and the element that is wrapped. Raises Broken."""
    reader = Reader(der(raw))
    kind, holder = _first(reader.inside(_is(reader.at(0, len(reader.raw)), SEQUENCE)), 2)
    (element,) = _first(reader.inside(_is(holder, _FIRST)), 1)
    return reader.oid(kind), reader, _is(element, SEQUENCE)


def der(raw: bytes) -> bytes:
    """The bytes themselves, or what stands in them as base64 (PEM, or a transfer encoding that was applied twice)."""
    if raw[:1] == b"\x30":
        return raw
    body = re.sub(rb"-----[A-Z0-9 ]{1,40}-----", b"", raw[:100]) + raw[100:]
    body = body.rpartition(b"-----END")[0] or body
    if not re.match(rb"\s*M[I-L]", body):
        raise Broken
    return base64_bytes(body)[0]


def signed_content(reader: Reader, signed: Element) -> bytes:
    """What SignedData holds; b"" when the signature stands beside what it signs. Raises Broken."""
    _, digests, holder = _first(reader.inside(signed), 3)
    _is(digests, SET)
    return _encapsulated(reader, holder)


def compressed_content(reader: Reader, compressed: Element) -> bytes:
    _, _, holder = _first(reader.inside(compressed), 3)
    return _encapsulated(reader, holder)


def _encapsulated(reader: Reader, holder: Element) -> bytes:
    parts = list(reader.inside(_is(holder, SEQUENCE)))
    if len(parts) < 2:
        return b""
    (content,) = _first(reader.inside(_is(parts[1], _FIRST)), 1)
    return reader.octets(content)


def sealed(reader: Reader, enveloped: Element) -> Sealed:
    """What EnvelopedData and AuthEnvelopedData say of themselves. Raises Broken."""
    parts = [e for e in reader.inside(enveloped) if e.tag != INTEGER]
    if parts and parts[0].tag == _FIRST:
        parts = parts[1:]  # certificates of the sender
    recipients, holder = _first(iter(parts), 2)
    _, cipher, content = _first(reader.inside(_is(holder, SEQUENCE)), 3)
    if content.tag not in (_FIRST, _FIRST_PLAIN):
        raise Broken
    algorithm, parameters = _algorithm(reader, cipher)
    also = next((b"\x31" + reader.whole(e)[1:] for e in parts[2:] if e.tag == _SECOND), b"")
    mac = next((reader.octets(e) for e in parts[2:] if e.tag == OCTETS), b"")
    found = tuple(_recipient(reader, e) for e in reader.inside(_is(recipients, SET)) if e.tag == SEQUENCE)
    return Sealed(found[:50], algorithm, parameters, reader.octets(content), mac, also)


def _recipient(reader: Reader, element: Element) -> Recipient:
    _, who, how, key = _first(reader.inside(element), 4)
    issuer, serial, key_id = b"", 0, b""
    if who.tag == SEQUENCE:
        name, number = _first(reader.inside(who), 2)
        issuer, serial = (
            reader.whole(name),
            int.from_bytes(reader.octets(_is(number, INTEGER))[:64], "big", signed=True),
        )
    else:
        key_id = reader.octets(_is(who, _FIRST_PLAIN))
    return Recipient(issuer, serial, key_id, *_algorithm(reader, how), reader.octets(_is(key, OCTETS)))


def _algorithm(reader: Reader, element: Element) -> tuple[str, bytes]:
    parts = list(reader.inside(_is(element, SEQUENCE)))[:2]
    if not parts:
        raise Broken
    return reader.oid(parts[0]), reader.whole(parts[1]) if len(parts) > 1 else b""


def _is(element: Element, tag: int) -> Element:
    if element.tag != tag:
        raise Broken
    return element


def _first(elements: Iterator[Element], count: int) -> list[Element]:
    found = list(islice(elements, count))
    if len(found) < count:
        raise Broken
    return found
