"""A zip archive as a mail that holds its files. Runs in the child.

Only what people pack counts: what a Mac or Windows adds to every archive is left away unsaid. Nothing is written anywhere, so a path in
a name leads nowhere; a name is its last part.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from intake.adapters.documents.as_mail import Held, Unwrapped, write
from intake.adapters.documents.outlook import LEFT_OUT

MOST_FILES = 60  # of one archive: as many as are read of one message
_PIECE = 1 << 16
_SHELL = frozenset({"[Content_Types].xml", "mimetype", "Index/Document.iwa", "META-INF/MANIFEST.MF"})
_ADDED = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


class OneDocument(Exception):
    """It is the shell of one document (Office, OpenDocument, Apple, Java), whatever its first file is called."""


class Locked(Exception):
    """A file in the archive needs a password."""


class Damaged(Exception):
    """It is no archive, or nothing in it can be read."""


class TooLarge(Exception):
    """Its files together are larger than a mail may be."""


def unwrap(raw: bytes, most: int) -> Unwrapped:
    """most: bytes that all files together may have once unpacked, whatever the archive states. Raises OneDocument, Locked,
    Damaged, TooLarge."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise Damaged from error
    with archive:
        if any(name in _SHELL for name in archive.namelist()):
            raise OneDocument
        entries = [e for e in archive.infolist() if not e.is_dir() and not _added(e.filename)]
        if any(e.flag_bits & 1 for e in entries):
            raise Locked
        held, lost = _files(archive, entries[:MOST_FILES], most)
    if entries and not held:
        raise Damaged
    notes = (LEFT_OUT,) if lost or len(entries) > MOST_FILES else ()
    return Unwrapped(write((), "", b"", "", held), notes)


def _added(name: str) -> bool:
    low = name.lower()
    return low.startswith(_ADDED[0]) or low.rpartition("/")[2] in _ADDED


def _files(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], most: int) -> tuple[list[Held], int]:
    """What could be unpacked, and how many could not."""
    held: list[Held] = []
    lost = 0
    for entry in entries:
        try:
            content = _content(archive, entry, most)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError, zlib.error):
            lost += 1
            continue
        most -= len(content)
        name = _name(entry)
        held.append(Held(name, "message/rfc822" if name.lower().endswith(".eml") else "", content))
    return held, lost


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    out = bytearray()
    with archive.open(entry) as opened:
        while piece := opened.read(_PIECE):
            out += piece
            if len(out) > most:
                raise TooLarge
    return bytes(out)


def _name(entry: zipfile.ZipInfo) -> str:
    """The last part of its path. Many programs write UTF-8 without saying so, which is then taken for code page 437."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    return name.replace("\\", "/").rpartition("/")[2] or "file"
