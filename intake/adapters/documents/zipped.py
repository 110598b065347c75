"""What lies in an office file that is a ZIP: its parts, unpacked in memory with an end to every size. Nothing is written anywhere.

What a file says of itself is looked at first, and what really comes out is counted as well: a bomb lies about its size.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

MOST_ENTRIES = 1_000
MOST_MARKS = 20_000  # places that look like an entry of the list: the list itself would fill the memory
MOST_PART = 20_000_000  # bytes of one part, unpacked; the largest honest one of our test sets has 0.4 million
MOST_UNPACKED = 40_000_000  # bytes of all parts that are read
MOST_RATIO, SMALL = 300, 1_000_000  # how often smaller a part may be packed, when it is larger than so many bytes
STEP = 1 << 16
_WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ODD = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, NotImplementedError, IndexError)


class Refused(Exception):
    """Why a file is not read, as the code of a problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Package:
    """The parts by name. Names count without their case, as office programs take them."""

    def __init__(self, raw: bytes) -> None:
        if raw.count(b"PK\x01\x02") > MOST_MARKS:
            raise Refused("too_costly")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
            entries = self._zip.infolist()
        except _ODD as error:
            raise Refused("corrupt") from error
        if len(entries) > MOST_ENTRIES:
            raise Refused("too_costly")
        if any(e.flag_bits & 1 for e in entries):
            raise Refused("encrypted")
        self._by_name = {e.filename.casefold().lstrip("/"): e for e in entries}
        # Two parts of one name, or something before the first: two programs would read two different files.
        if not entries or len(self._by_name) < len(entries) or min(e.header_offset for e in entries):
            raise Refused("corrupt")
        self._room = MOST_UNPACKED

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def read(self, name: str) -> bytes:
        """A part, or nothing when it is not there. Raises Refused."""
        entry = self._by_name.get(name.casefold().lstrip("/"))
        if entry is None:
            return b""
        size = entry.file_size
        if size > min(MOST_PART, self._room) or (size > SMALL and size > MOST_RATIO * max(1, entry.compress_size)):
            raise Refused("too_costly")
        if entry.compress_type not in _WAYS:
            raise Refused("corrupt")
        try:
            content = b"".join(self._pieces(entry))
        except _ODD as error:
            raise Refused("corrupt") from error
        self._room -= len(content)
        return content

    def _pieces(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        left = min(MOST_PART, self._room)
        with self._zip.open(entry) as opened:
            while piece := opened.read(STEP):
                left -= len(piece)
                if left < 0:
                    raise Refused("too_costly")
                yield piece

    def parts(self, suffixes: tuple[str, ...]) -> dict[str, bytes]:
        """The parts whose names end so, by their names as they are written. Raises Refused."""
        named = [(e.filename.lstrip("/"), name) for name, e in self._by_name.items() if name.endswith(suffixes)]
        return {written: self.read(name) for written, name in named}


def stored(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP of our own without packing: for a library that would unpack a stranger's without an end."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as clean:
        for name, content in parts.items():
            clean.writestr(name, content)
    return out.getvalue()
