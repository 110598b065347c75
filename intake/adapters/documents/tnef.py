"""A winmail.dat as a mail. Runs in the child; the only importer of tnefparse, which is LGPL and so an extra that a site may leave out.

Its text is often in Outlook's own format only (RTF); then the plain text of the mail that carries it says the same.
"""

from __future__ import annotations

from typing import Any

from intake.adapters.documents.as_mail import Held, Unwrapped, write
from intake.adapters.documents.outlook import DEEPEST, LEFT_OUT, MOST_FILES, TEXT_IN_RTF
from intake.domain.words import decode

try:  # here and not at the first file: a child can open no module any more
    from tnefparse import TNEF
except ImportError:
    TNEF = None

_MIME_TAG, _CONTENT_ID = 0x370E, 0x3712


class NotInstalled(Exception):
    """The extra `tnef` was left out."""


def unwrap(raw: bytes) -> Unwrapped:
    """What stands in a winmail.dat. Raises NotInstalled, and for a damaged file whatever the library meets."""
    if TNEF is None:
        raise NotInstalled
    notes: list[str] = []
    # It sums up every byte in Python to compare a checksum of 16 bits, which proves nothing and costs a second for a large file.
    return Unwrapped(_mail(TNEF(raw, do_checksum=False), notes, 0), tuple(dict.fromkeys(notes)))


def _mail(opened: Any, notes: list[str], depth: int) -> bytes:
    page = opened.htmlbody or b""
    plain = _text(opened.body)
    if not plain.strip() and not page and opened._rtfbody:
        notes.append(TEXT_IN_RTF)
    charset = "utf-8" if isinstance(page, str) else ""
    files = []
    for count, given in enumerate(opened.attachments):
        if count >= MOST_FILES or depth >= DEEPEST:
            notes.append(LEFT_OUT)
            break
        files.append(_file(given, notes, depth))
    return write((), plain, page.encode("utf-8", "replace") if isinstance(page, str) else page, charset, files)


def _file(given: Any, notes: list[str], depth: int) -> Held:
    inside = getattr(given, "embed", None)
    if inside is not None:
        return Held("", "message/rfc822", _mail(inside, notes, depth + 1))
    more = {a.name: _text(a.data) for a in given.mapi_attrs if a.name in (_MIME_TAG, _CONTENT_ID)}
    long = next((_text(a.data) for a in given.mapi_attrs if a.name == 0x3707), "")
    content = given.data if isinstance(given.data, bytes) else bytes(given.data)
    return Held(long or _text(given._name), more.get(_MIME_TAG, ""), content, more.get(_CONTENT_ID, ""))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = decode(value)
    return value.strip("\0") if isinstance(value, str) else ""


__all__ = ["NotInstalled", "unwrap"]
