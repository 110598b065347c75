"""Writes compound files (MS-CFB), the file system inside an Outlook file: storages are folders, streams are files."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Folder = Mapping[str, Any]  # bytes of a stream, or a Folder


@dataclass
class _Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    content: bytes = b""
    left: int = FREE
    right: int = FREE
    child: int = FREE
    start: int = END
    size: int = 0


@dataclass
class _Sectors:
    """Chains of sectors of one size, and the table that links them."""

    size: int
    table: list[int] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def add(self, content: bytes) -> int:
        count = -(-len(content) // self.size)
        if not count:
            return END
        start = len(self.table)
        self.table += [*range(start + 1, start + count), END]
        self.parts.append(content.ljust(count * self.size, b"\0"))
        return start


def compound_file(folder: Folder) -> bytes:
    """The bytes of a file with these streams and storages, by their names."""
    entries = [_Entry("Root Entry", 5)]
    entries[0].child = _added(entries, folder)
    big, small = _Sectors(SECTOR), _Sectors(MINI)
    for entry in entries:
        if entry.kind == 2:
            entry.size = len(entry.content)
            entry.start = (small if entry.size < CUTOFF else big).add(entry.content)
    mini = b"".join(small.parts)
    entries[0].start, entries[0].size = big.add(mini), len(mini)
    mini_table = big.add(_numbers(small.table, SECTOR // 4))
    directory = b"".join(map(_packed, entries))
    directory += _packed(_Entry("", 0)) * (-len(entries) % 4)
    directory_start = big.add(directory)
    return _file(big, directory_start, mini_table, -(-len(small.table) // 128))


def _added(entries: list[_Entry], folder: Folder) -> int:
    numbers = []
    for name, content in sorted(folder.items(), key=lambda item: (len(item[0]), item[0].upper())):
        entries.append(_Entry(name, 2, content) if isinstance(content, bytes) else _Entry(name, 1))
        number = len(entries) - 1
        numbers.append(number)
        if not isinstance(content, bytes):
            entries[number].child = _added(entries, content)
    return _balanced(entries, numbers)


def _balanced(entries: list[_Entry], numbers: list[int]) -> int:
    if not numbers:
        return FREE
    middle = len(numbers) // 2
    entries[numbers[middle]].left = _balanced(entries, numbers[:middle])
    entries[numbers[middle]].right = _balanced(entries, numbers[middle + 1 :])
    return numbers[middle]


def _packed(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2 if name else 0, entry.kind, 1)
    links = struct.pack("<III", entry.left, entry.right, entry.child)
    return head + links + bytes(16 + 4 + 16) + struct.pack("<IQ", entry.start, entry.size)


def _numbers(table: list[int], whole: int) -> bytes:
    return struct.pack(f"<{len(table)}I", *table) + struct.pack("<I", FREE) * (-len(table) % whole)


def _file(big: _Sectors, directory: int, mini_table: int, mini_count: int) -> bytes:
    used = len(big.table)
    fat_count = 1
    while fat_count * 128 < used + fat_count + _difat(fat_count):
        fat_count += 1
    difat_count = _difat(fat_count)
    table = [*big.table, *[FAT] * fat_count, *[0xFFFFFFFC] * difat_count]
    places = list(range(used, used + fat_count))
    difat = b""
    for n in range(difat_count):
        here = places[109 + 127 * n : 109 + 127 * (n + 1)]
        after = used + fat_count + n + 1 if n + 1 < difat_count else END
        difat += struct.pack("<127I", *here, *[FREE] * (127 - len(here))) + struct.pack("<I", after)
    first = [*places[:109], *[FREE] * (109 - len(places[:109]))]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack(
        "<IIIIIIIII",
        0,
        fat_count,
        directory,
        0,
        CUTOFF,
        mini_table,
        mini_count,
        used + fat_count if difat_count else END,
        difat_count,
    )
    head += struct.pack("<109I", *first)
    return head + b"".join(big.parts) + _numbers(table, fat_count * 128) + difat


def _difat(fat_count: int) -> int:
    return -(-max(0, fat_count - 109) // 127)
