"""One message's way, top to bottom. Running it twice is safe; a kill between any two lines loses nothing.

    1 filed already?  2 fetch the raw bytes  3-8 examine (open, check sender, read, check, decide)
    9 ONE transaction: case, answers, events, outbox, job done   10 (the caller) only now file the mail in its mailbox

A breach notice is never refused, dropped or delayed by a check, and every message ends in exactly one visible place.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from intake import mail_text, paging
from intake.domain import routing
from intake.domain.model import CaseKind, OutcomeCode
from intake.domain.reference import make
from intake.domain.verdicts import HOST_CHECK_FAILED
from intake.examine import Examination, examine
from intake.examine import Parts as ExamineParts
from intake.ports import Blobs, Clock, Delivery, Filing, Job, NewMail, ReferenceTaken, Store
from intake.receive import is_history
from intake.stamping import note_stamp

_CHANCE: random.Random = secrets.SystemRandom()


class Parts(ExamineParts, paging.Parts, Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def composer(self) -> mail_text.Composer: ...

    def may_acknowledge(self, address: str, proven: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Done:
    """Where one delivery ended."""

    outcome: OutcomeCode
    cases: tuple[str, ...]
    examination: Examination | None  # None when it was filed before, or is a second copy of the same message


def process(parts: Parts, delivery_id: int, job: Job | None = None) -> Done:
    """Take one kept delivery to its end. Raises TryLater when something outside is away; the job is then tried again."""
    return process_kept(parts, parts.store.delivery(delivery_id), None, job)


def process_kept(parts: Parts, delivery: Delivery, raw: bytes | None = None, job: Job | None = None) -> Done:
    """The same for whoever has just kept it. raw: what was kept, when it is still at hand."""
    if delivery.outcome:
        if job:
            parts.store.finish(job)
        return Done(delivery.outcome, parts.store.filed(delivery.id) or (), None)
    first = parts.store.note_duplicate(delivery, job)
    if first is not None:
        ended = parts.store.delivery(delivery.id).outcome  # a worker may have filed this very delivery meanwhile
        return Done(ended or OutcomeCode.DUPLICATE, (first,) if first else (), None)
    raw = parts.blobs.get(delivery.raw.blob) if raw is None else raw
    register = parts.store.registry_version()  # before the check: if it changes until then, the filing checks again
    found = examine(parts, raw, delivery.channel, delivery.mailbox, delivery.received_at)
    references = _file(parts, delivery, job, found, register)
    if found.stamp is not None:
        note_stamp(parts, delivery.mailbox, found.stamp)
    if found.probe is not None:
        letter, shown = found.probe
        parts.store.remember(f"probe:{delivery.mailbox}:{letter}", f"{parts.clock().isoformat()} {shown}")
    if found.echo:
        parts.store.set_mailbox_state(delivery.mailbox, echo_seen_at=parts.clock())
    return Done(found.outcome, references, found)


def _file(parts: Parts, delivery: Delivery, job: Job | None, found: Examination, register: int) -> tuple[str, ...]:
    """One transaction."""

    def file(references: tuple[str, ...]) -> tuple[str, ...]:
        return parts.store.file(replace(_filing(parts, delivery, job, found, references), register=register))

    return with_references([draft.kind for draft in found.drafts], file)


def with_references(kinds: Sequence[CaseKind], file: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
    """What `file` answers to new references, one for each kind. One that is taken is drawn again, with more digits each time."""
    for crowding in (0.0, 0.0, 0.06, 0.06, 0.5):
        try:
            return file(tuple(make(kind, _CHANCE, crowding) for kind in kinds))
        except ReferenceTaken:
            continue
    raise RuntimeError("no free reference in five draws")


def _filing(
    parts: Parts, delivery: Delivery, job: Job | None, found: Examination, references: tuple[str, ...]
) -> Filing:
    return Filing(
        delivery=delivery,
        job=job,
        outcome=found.outcome,
        documents=tuple((f.path, f.size, f.sha256, f.read) for f in found.documents),
        sender=found.sender,
        subject=found.subject,
        body=found.body,
        message_id=found.message_id,
        drafts=tuple(zip(references, found.drafts, strict=True)),
        update=found.update,
        duplicate_of=found.duplicate_of,
        mails=() if is_old(parts, delivery) else _told(parts, delivery, found, references),
        reasons=found.reasons,
        marks=found.marks,
        suggest=found.suggest,
        came_back=found.came_back,
    )


def is_old(parts: Parts, delivery: Delivery) -> bool:
    """Nobody is answered or woken because of it."""
    return is_history(delivery.channel, delivery.received_at, parts.clock())


def _told(
    parts: Parts, delivery: Delivery, found: Examination, references: tuple[str, ...]
) -> tuple[tuple[int, NewMail], ...]:
    return (*_mails(parts, delivery, found, references), *paging.pages(parts, delivery, found, references))


def _mails(
    parts: Parts, delivery: Delivery, found: Examination, references: tuple[str, ...]
) -> tuple[tuple[int, NewMail], ...]:
    """At most one acknowledgement a message, to the address that was checked, never to a Reply-To."""
    if not found.drafts or found.outcome in (OutcomeCode.AUTOMATIC, OutcomeCode.DUPLICATE):
        return ()
    draft = found.drafts[0]
    template = routing.acknowledge(found.sender.verdict, draft.kind, found.outcome)
    forged = any(e.code == HOST_CHECK_FAILED for e in found.sender.evidence)
    if not template or forged or not found.sender.address:
        return ()
    if not parts.may_acknowledge(found.sender.address, found.sender.verdict in routing.RELIABLE):
        return ()
    reference = found.update or references[0]
    mail = parts.composer.acknowledgement(
        template=template,
        dedupe=f"ack:{delivery.raw.content_key}",
        to=found.sender.address,
        reference=reference,
        kind=draft.kind,
        received_at=delivery.received_at,
        due=draft.due,
        in_reply_to=found.message_id,
    )
    return ((-1 if found.update else 0, mail),)


__all__ = ["Done", "Parts", "is_old", "process", "process_kept", "with_references"]
