"""Mails from the command line: .eml files, folders of them, Maildir folders, mbox files, and a mail on standard
input.

A file keeps its identity by path and content, so that an import that was broken off goes on where it was when
it is started again. Each mail on standard input is a delivery of its own. What a file is, its content says, not
its name. A mail counts from when a server took it, as far as it says so, and not from when it is imported.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from intake.adapters.mbox import split_mbox
from intake.domain.errors import CannotRead
from intake.domain.model import Arrival
from intake.ports import Clock
from intake.receive import IMPORT

PIPE = "pipe"
_TAKEN = frozenset({".eml", ".mbox"})  # of a folder
_MAILDIR_TIME = re.compile(r"(\d{9,10})\.")
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_HEAD = 65_536  # bytes in which the line of the last server stands
# The first line of the kind, with its continuation: written by the server that delivered the mail.
_STAMPS = tuple(
    re.compile(rb"^" + name + rb":((?:.*\r?\n[ \t])*.*)", re.MULTILINE | re.IGNORECASE)
    for name in (b"received", b"delivery-date")
)
_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"(\xb5/\xfd": "unzstd",
    b"PK\x03\x04": "unzip",
}

Problem = Callable[[str], None]


def arrivals(
    paths: Sequence[str],
    mailbox: str,
    clock: Clock,
    problem: Problem | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Arrival]:
    """Every mail under `paths`, in order, one at a time; `-` is one mail on standard input.

    What cannot be read, or holds no mail, is told to `problem` in a sentence, and the others go on. Raises CannotRead for it when
    there is no `problem`.
    """
    for path in paths:
        if path == "-":
            yield _piped((stdin or sys.stdin.buffer).read(), mailbox, clock)
            continue
        try:
            files = _files(Path(path))
        except (CannotRead, OSError) as error:
            _tell(problem, path, error)
            continue
        for file in files:
            try:
                yield from _mails(file, mailbox, clock)
            except (CannotRead, OSError) as error:
                _tell(problem, file, error)


def _tell(problem: Problem | None, place: str | Path, error: CannotRead | OSError) -> None:
    why = error.for_staff if isinstance(error, CannotRead) else f"{place}: {error.strerror}."
    if problem is None:
        raise CannotRead(why) from error
    problem(why)


def size_of(paths: Sequence[str]) -> int:
    """Bytes under `paths`, for whoever tells how long it will take. 0 for standard input and for what cannot be read."""
    total = 0
    for path in paths:
        try:
            total += sum(file.stat().st_size for file in _files(Path(path)))
        except (OSError, CannotRead):
            continue
    return total


def _piped(raw: bytes, mailbox: str, clock: Clock) -> Arrival:
    if raw.startswith(b"From "):  # some mail servers put the line of an mbox before a piped mail
        raw = raw.partition(b"\n")[2]
    if not raw.strip():
        raise CannotRead("There was no mail on standard input.")
    return Arrival(raw, PIPE, mailbox, secrets.token_hex(16), clock(), label="-")


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise CannotRead(f"{place} does not exist.")
    if _is_maildir(place):
        found = [p for part in ("new", "cur") for p in (place / part).iterdir() if not p.name.startswith(".")]
        return sorted((p for p in found if p.is_file()), key=lambda p: p.name)
    found = [p for p in place.rglob("*") if p.suffix.lower() in _TAKEN and p.is_file()]
    if not found:
        raise CannotRead(f"{place} holds no .eml and no .mbox file, and is not a Maildir folder.")
    return sorted(found)


def passed_over(paths: Sequence[str]) -> int:
    """How many files of the folders among `paths` are not taken because of their names."""
    folders = [Path(path) for path in paths if path != "-" and Path(path).is_dir() and not _is_maildir(Path(path))]
    names = (p for folder in folders for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return sum(p.suffix.lower() not in _TAKEN for p in names)


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _mails(path: Path, mailbox: str, clock: Clock) -> Iterator[Arrival]:
    if path.parent.name in ("cur", "new") and _is_maildir(path.parent.parent):
        # The flags after the colon change when somebody reads the mail, and so does the folder; it stays the same mail.
        place = str(path.parent.parent.resolve() / path.name.partition(":")[0])
        yield _imported(path.read_bytes(), mailbox, place, _maildir_time(path, clock), str(path))
        return
    with path.open("rb") as file:
        if _begins_as_mbox(file, path):
            yield from _mbox(file, path, mailbox, clock)
            return
        raw = file.read()
    at = _server_time(raw, clock) or _plausible(datetime.fromtimestamp(path.stat().st_mtime, UTC), clock)
    yield _imported(raw, mailbox, str(path.resolve()), at, str(path))


def _begins_as_mbox(file: BinaryIO, path: Path) -> bool:
    """Whether it is an mbox; the file then stands at its first `From `, else at its beginning."""
    begin = file.read(4_096)
    for mark, tool in _PACKED.items():
        if begin.startswith(mark):
            raise CannotRead(f"{path} is packed. Unpack it first ({tool}), then give the file that comes out.")
    content = begin.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t\0")
    if not content:
        raise CannotRead(f"{path} is empty.")
    is_mbox = content.startswith(b"From ")
    if not is_mbox and path.suffix.lower() == ".mbox":
        raise CannotRead(f"{path} is no mbox: it does not begin with a line “From ”.")
    file.seek(len(begin) - len(content) if is_mbox else 0)
    return is_mbox


def _mbox(file: BinaryIO, path: Path, mailbox: str, clock: Clock) -> Iterator[Arrival]:
    place, seen = str(path.resolve()), dict[bytes, int]()
    for number, (head, raw) in enumerate(split_mbox(file), 1):
        content = hashlib.sha256(raw).digest()[:16]
        copy = seen[content] = seen.get(content, 0) + 1
        at = _server_time(raw, clock) or _from_line_time(head, clock)
        yield _imported(raw, mailbox, f"{place}#{copy}", at, f"{path}#{number}")


def _imported(raw: bytes, mailbox: str, place: str, at: datetime, label: str) -> Arrival:
    where = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return Arrival(raw, IMPORT, mailbox, where + hashlib.sha256(raw).hexdigest()[:32], at, label=label)


# ---- when a server took it ------------------------------------------------------------------------


def _server_time(raw: bytes, clock: Clock) -> datetime | None:
    """What the last server wrote into the mail, with its zone; None when there is no such line, or no time in it."""
    head = raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for stamp in _STAMPS:
        if found := stamp.search(head):
            text = found[1].decode("ascii", "replace").rpartition(";")[2]
            try:
                at = parsedate_to_datetime(" ".join(text.split()))
                return _plausible((at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), clock)
            except (ValueError, IndexError, TypeError, OverflowError):  # what the parser says to what is no date
                continue
    return None


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
