"""Mail that a colleague passed on inline: the quoted header block is a claim of who wrote it, and no more."""

from __future__ import annotations

import re

from intake.domain.address import Mailbox, addresses_in, parse_mailbox

_FROM = re.compile(r"^[\s>|*_]*(?:From|Nā|Na)[*_]*\s*:[*_]*\s*(.{3,300})$", re.I)
_NEXT = re.compile(r"^[\s>|*_]*(?:Sent|Date|To|Subject|Cc|Reply-To)[*_]*\s*:", re.I)
_LINES = 2_000


def forwarded_senders(body: str) -> tuple[Mailbox, ...]:
    """The senders that quoted header blocks name, the latest first, at most five. A block is a "From:" line and one
    more header within the next six lines; a name without an address is passed over.
    """
    lines = body.splitlines()[:_LINES]
    found: list[Mailbox] = []
    for number, line in enumerate(lines):
        match = _FROM.match(line[:400])
        if not match or not any(_NEXT.match(after[:400]) for after in lines[number + 1 : number + 7]):
            continue
        mailbox = _claimed(match[1])
        if mailbox is not None:
            found.append(mailbox)
        if len(found) == 5:
            break
    return tuple(found)


def _claimed(text: str) -> Mailbox | None:
    plain = text.replace("[mailto:", "<").replace("<mailto:", "<").replace("]", ">").strip(" *_")
    strict = parse_mailbox(plain)
    if strict.address:
        return strict
    seen = addresses_in(plain)
    if not seen:
        return None
    display = plain.split("<", 1)[0].strip(" \"'*_")
    return Mailbox(seen[0], seen[0].rpartition("@")[2], display, "")
