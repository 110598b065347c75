"""Mails out of an mbox file, one at a time, however large the file is.

A mail begins at a line `From ` after an empty line. That such a line is no sentence is seen by its date, or by a header in the next
line: not every program quotes a sentence that begins so. A Content-Length header is not believed, because whoever sent the mail may
have written it, and could hide the next mail behind a long one. One `>` is taken from before a quoted `From `, which gives the bytes
back of what mboxrd and mboxo write; only a line that somebody wrote as `>From ` loses its mark when the file is an mboxo. Line ends
stay as they are in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_WITH_DATE = re.compile(rb"From .*\d{1,2}:\d\d.*\d{4}|From .*\d{4}.*\d{1,2}:\d\d")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:[ \t\r\n]")


def split_mbox(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(its `From ` line, the mail) for each. lines: from the first `From ` on, each with its line end."""
    head, mail = b"", list[bytes]()
    for begins, line in _marked(lines):
        if begins:
            if head:
                yield head, _mail(mail)
            head, mail = line, []
        else:
            mail.append(line)
    if head:
        yield head, _mail(mail)


def _marked(lines: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Each line, and whether a mail begins with it."""
    waiting, after_empty = b"", True
    for line in lines:
        if waiting:
            yield bool(_HEADER.match(line)), waiting
            waiting = b""
            after_empty = False
        if after_empty and line.startswith(b"From "):
            if _WITH_DATE.match(line):
                yield True, line
            else:
                waiting = line
                continue
        else:
            yield False, line
        after_empty = line in (b"\n", b"\r\n")
    if waiting:
        yield False, waiting


def _mail(lines: list[bytes]) -> bytes:
    """The empty line before the next `From ` belongs to the mbox, not to the mail."""
    if len(lines) > 1 and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return _QUOTED.sub(rb"\1", b"".join(lines))
