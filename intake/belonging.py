"""To which case a message belongs: by its thread, its bounce, its reference, or because the same form came before.

Strangers can write any reference and answer any mail: only the case's own provider, on reliable evidence, adds to a case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from forms.schema import Problem
from intake.domain.envelope import header_values, open_envelope
from intake.domain.marks import POSSIBLE_FOLLOW_UP
from intake.domain.model import (
    CaseDraft,
    CaseKind,
    Envelope,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Status,
    VerdictCode,
)
from intake.domain.reference import find_in
from intake.domain.registry import Registry
from intake.domain.routing import RELIABLE
from intake.domain.words import decode_header
from intake.ports import OWN_ID, QueueRow, SentBefore

# Weak evidence is what strangers may have written, too: it opens a case of its own and changes no other.
_MAY_ADD = RELIABLE | {VerdictCode.STAFF_FORWARD}
_GREETING = 4  # words that say nothing of a breach
_MAILS_IN_A_BOUNCE = 3
_HEADERS_ONLY = frozenset({"text/rfc822-headers", "message/global-headers"})
_COPIED_ID = re.compile(rf"^[ \t>]*(?:Message-ID|{OWN_ID}):[ \t]*(<[^<>\s]{{3,990}}>)", re.I | re.M)
_COPY = 200_000  # characters of a bounce in which the mail that came back is looked for
SAME_FORM_DAYS = 14  # the same file from the same account within this is the same notice, sent again


class Lookups(Protocol):
    """What the examination asks of the store; read only."""

    def registry(self) -> Registry: ...
    def case_row(self, reference: str) -> QueueRow | None: ...
    def case_answers(self, reference: str) -> Mapping[str, ReadAnswer]: ...
    def case_problems(self, reference: str) -> tuple[Problem, ...]: ...
    def reference_for_message_id(self, message_ids: Sequence[str]) -> str | None: ...
    def case_with_document(self, sha256: Sequence[str], address: str, since: datetime) -> str | None: ...
    def sent_to_case(self, reference: str, address: str) -> SentBefore: ...
    def echo(self, message_id: str) -> str | None: ...


_MOST_ECHO = 2_000  # characters: our sentence, and what servers on the way put around it


def is_echo(lookups: Lookups, envelope: Envelope) -> bool:
    """Whether it is the mail by which we prove the way to a mailbox: its number was drawn at random and is known to us alone."""
    if envelope.attachments or len(envelope.body) > _MOST_ECHO:
        return False
    ours = next(filter(None, map(lookups.echo, _ids(envelope))), None)
    return bool(ours) and " ".join(str(ours).split()) in " ".join(envelope.body.split())


def _ids(envelope: Envelope) -> tuple[str, ...]:
    """The Message-IDs of a mail: that of the server, and the one that we gave a mail of ours."""
    own = [decode_header(v, 1_000).strip() for v in header_values(envelope.headers, OWN_ID.lower())[:1]]
    return tuple(dict.fromkeys(i for i in (envelope.message_id, *own) if i))


@dataclass(frozen=True, slots=True)
class Found:
    """A document of the message: where it stood, and what was read."""

    path: str
    size: int
    sha256: str
    read: ReadDocument


def follow_up(lookups: Lookups, envelope: Envelope, sender: SenderCheck) -> tuple[str | None, tuple[Reason, ...]]:
    """The case that this mail belongs to: a reference alone is a hint; only the case's own provider may add to it."""
    reference = own_case(lookups, envelope)
    if not reference:
        return None, ()
    row = lookups.case_row(reference)
    if row is None:
        return None, ()
    if sender.provider and sender.provider == row.provider and sender.verdict in _MAY_ADD:
        if row.status != Status.CLOSED:
            return reference, ()
        return None, (Reason(POSSIBLE_FOLLOW_UP, f"It came as an answer to {reference}, which is closed."),)
    return None, (
        Reason(
            POSSIBLE_FOLLOW_UP,
            f"It names {reference}, and it was not sent by an account of that case’s provider that we could verify. "
            "It stands as a case of its own; link them if they belong together.",
        ),
    )


def is_another_matter(lookups: Lookups, reference: str, made: tuple[CaseDraft, ...]) -> bool:
    """A breach notice in a reply about something else, or a second form, is never swallowed by the case it answers."""
    row = lookups.case_row(reference)
    if row is None or len(made) > 1:
        return True
    return made[0].kind.value != row.kind and (made[0].form is not None or made[0].kind is CaseKind.BREACH_NOTICE)


def follows(reference: str) -> Reason:
    """Why something that came as an answer stands as a case of its own."""
    return Reason(POSSIBLE_FOLLOW_UP, f"It came as an answer to {reference} and is another matter.")


def came_back(envelope: Envelope) -> tuple[str, ...]:
    """What a bounce says was not delivered: it answers that mail, or holds it, or its headers (RFC 3464, RFC 6522). Servers that
    know no reports copy the mail into their text."""
    if not envelope.bounce:
        return ()
    inside = [i.raw for i in envelope.inner]
    inside += [a.content for a in envelope.attachments if a.declared_type in _HEADERS_ONLY]
    held = [i for raw in inside[:_MAILS_IN_A_BOUNCE] for i in _ids(open_envelope(raw, alone=True))]
    copied = _COPIED_ID.findall(envelope.body[:_COPY])[: 2 * _MAILS_IN_A_BOUNCE]
    return tuple(dict.fromkeys(i for i in (*envelope.in_reply_to, *envelope.references, *held, *copied) if i))


def own_case(lookups: Lookups, envelope: Envelope) -> str | None:
    """The case that a mail is about by its own word, whoever wrote it: its thread, then a reference; None for none."""
    thread = came_back(envelope) if envelope.bounce else (*envelope.in_reply_to, *envelope.references)
    by_thread = lookups.reference_for_message_id(thread)
    if by_thread:
        return by_thread
    named = find_in(envelope.subject) or (find_in(envelope.body[:20_000]) if envelope.bounce else ())
    return next((r for r in named if lookups.case_row(r)), None)


def says_nothing_new(
    lookups: Lookups, before: str, sender: SenderCheck, found: Sequence[Found], subject: str, body: str
) -> bool:
    """Whether all that a mail holds lies in an open case already, sent by the same account on evidence that is as good. A form
    alone proves little: the blank one is the same file for everybody, and another notice may stand beside an old form."""
    row = lookups.case_row(before)
    if row is None or row.status == Status.CLOSED or row.verdict != sender.verdict.value:
        return False
    sent = lookups.sent_to_case(before, sender.address or "")
    subjects, bodies = (
        ({_folded(words) for words in each} for each in zip(*sent.words, strict=True)) if sent.words else ((), ())
    )
    return (
        all(f.sha256 in sent.files for f in found)
        and (_folded(body) in bodies or len(body.split()) <= _GREETING)
        and (_folded(subject) in subjects or len(subject.split()) <= _GREETING)
    )


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())


def sent_before(lookups: Lookups, found: tuple[Found, ...], sender: SenderCheck, at: datetime) -> str | None:
    """The case in which a form of this mail lies already, sent by the same address within `SAME_FORM_DAYS`."""
    files = [f.sha256 for f in found if f.read.form and f.read.how != "text"]
    if not files or not sender.address:
        return None
    return lookups.case_with_document(files, sender.address, at - timedelta(days=SAME_FORM_DAYS))
