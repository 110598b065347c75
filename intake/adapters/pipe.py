"""Mails from the command line: .eml files, folders of them, Maildir folders, mbox files, and a mail on standard
input.

A file keeps its identity by path and content, so that an import that was broken off goes on where it was when
it is started again. Each mail on standard input is a delivery of its own. What a file is, its content says, not
its name.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from intake.domain.errors import CannotRead
from intake.domain.model import Arrival
from intake.ports import Clock

PIPE, IMPORT = "pipe", "import"
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_MAILDIR_TIME = re.compile(r"(\d{9,10})\.")
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)

Progress = Callable[[int], None]


def arrivals(
    paths: Sequence[str],
    mailbox: str,
    clock: Clock,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Arrival]:
    """Every mail under `paths`, in order, one at a time; `-` is one mail on standard input.

    A mail that a server delivered before (Maildir, mbox) keeps that time as `received_at`; all others are received now.
    `progress` is told the number of mails so far. Raises CannotRead for a path that does not exist or holds no mail.
    """
    count = 0
    for path in paths:
        for arrival in _of(path, mailbox, clock, stdin):
            yield arrival
            count += 1
            if progress:
                progress(count)


def _of(path: str, mailbox: str, clock: Clock, stdin: BinaryIO | None) -> Iterator[Arrival]:
    if path == "-":
        yield _piped((stdin or sys.stdin.buffer).read(), mailbox, clock)
        return
    place = Path(path)
    if place.is_dir():
        yield from _folder(place, mailbox, clock)
    elif place.is_file():
        yield from _file(place, mailbox, clock)
    else:
        raise CannotRead(f"{path} does not exist.")


def _piped(raw: bytes, mailbox: str, clock: Clock) -> Arrival:
    if raw.startswith(b"From "):  # some mail servers put the line of an mbox before a piped mail
        raw = raw.partition(b"\n")[2]
    if not raw.strip():
        raise CannotRead("There was no mail on standard input.")
    return Arrival(raw, PIPE, mailbox, secrets.token_hex(16), clock(), label="-")


def _folder(folder: Path, mailbox: str, clock: Clock) -> Iterator[Arrival]:
    if (folder / "cur").is_dir() and (folder / "new").is_dir():
        for path in sorted((*(folder / "new").iterdir(), *(folder / "cur").iterdir()), key=lambda p: p.name):
            if path.is_file() and not path.name.startswith("."):
                # The flags after the colon change when somebody reads the mail; it stays the same mail.
                place = str(folder.resolve() / path.name.partition(":")[0])
                at = _maildir_time(path, clock)
                yield _imported(path.read_bytes(), mailbox, place, at, str(path))
        return
    found = [p for p in folder.rglob("*") if p.suffix.lower() in {".eml", ".mbox"} and p.is_file()]
    if not found:
        raise CannotRead(f"{folder} holds no .eml and no .mbox file, and is not a Maildir folder.")
    for path in sorted(found):
        yield from _file(path, mailbox, clock)


def _file(path: Path, mailbox: str, clock: Clock) -> Iterator[Arrival]:
    with path.open("rb") as file:
        if file.read(5) == b"From ":
            file.seek(0)
            yield from _mbox(file, path, mailbox, clock)
            return
        file.seek(0)
        yield _imported(file.read(), mailbox, str(path.resolve()), clock(), str(path))


def _mbox(lines: Iterable[bytes], path: Path, mailbox: str, clock: Clock) -> Iterator[Arrival]:
    """By the `From ` lines after an empty line; one `>` is taken from before a quoted `From ` (the mboxrd rule)."""
    place, seen = str(path.resolve()), dict[str, int]()
    for number, (head, raw) in enumerate(_split(lines), 1):
        raw = _QUOTED_FROM.sub(rb"\1", raw)
        content = hashlib.sha256(raw).hexdigest()
        copy = seen[content] = seen.get(content, 0) + 1
        yield _imported(raw, mailbox, f"{place}#{copy}", _from_line_time(head, clock), f"{path}#{number}")


def _split(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    head, mail, after_empty = b"", list[bytes](), True
    for line in lines:
        if after_empty and line.startswith(b"From "):
            if head:
                yield head, _without_last_empty(mail)
            head, mail = line, []
        else:
            mail.append(line)
        after_empty = line in (b"\n", b"\r\n")
    yield head, _without_last_empty(mail)


def _without_last_empty(lines: list[bytes]) -> bytes:
    """The empty line before the next `From ` belongs to the mbox, not to the mail."""
    if len(lines) > 1 and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return b"".join(lines)


def _imported(raw: bytes, mailbox: str, place: str, at: datetime, label: str) -> Arrival:
    where = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return Arrival(raw, IMPORT, mailbox, where + hashlib.sha256(raw).hexdigest()[:32], at, label=label)


def _maildir_time(path: Path, clock: Clock) -> datetime:
    """A Maildir name begins with the second of delivery."""
    found = _MAILDIR_TIME.match(path.name)
    seconds = float(found[1]) if found else path.stat().st_mtime
    return _plausible(datetime.fromtimestamp(seconds, UTC), clock)


def _from_line_time(line: bytes, clock: Clock) -> datetime:
    """`From sender Sat Jan  3 01:05:34 1996`: in UTC by custom."""
    words = line.decode("ascii", "replace").split()
    try:
        at = datetime.strptime(" ".join([*words[-4:], "+0000"]), "%b %d %H:%M:%S %Y %z")
    except ValueError:
        return clock()
    return _plausible(at, clock)


def _plausible(at: datetime, clock: Clock) -> datetime:
    now = clock()
    return at if _OLDEST < at <= now else now
