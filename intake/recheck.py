"""Checks the sender of a case again: when the register changed, and when DNS gave no answer the first time. On the bytes as kept, with
what was proven when the mail came.

Whoever registers a domain sees its backlog open. The old verdict stays in the history. What a person decided stays: a provider that
somebody chose, a case that somebody let through. A case is never held or closed by this, and its clocks count from when it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from intake.domain import routing, web_submission
from intake.domain.errors import TryLater
from intake.domain.later import next_try, unanswered
from intake.domain.marks import CHECK_FIRST, UNREADABLE
from intake.domain.model import CaseKind, OutcomeCode, Reason, SenderCheck, Status, VerdictCode
from intake.examine import Parts as ExamineParts
from intake.examine import sender_again
from intake.mail_text import Composer
from intake.ports import Blobs, CaseView, Clock, Conflict, Job, NewMail, TriageStore
from intake.receive import is_history

SENDER_CHANGED = "SENDER_CHANGED"
_ACTOR = "system"
_TRIES = 3
_CHOSEN = "provider"  # the action of a person who said whose case it is


class RecheckStore(TriageStore, Protocol):
    def case_reference(self, case_id: int) -> str | None: ...
    def finish(self, job: Job) -> bool: ...
    def try_later(self, job: Job, error: str, delay_seconds: float, limit: int) -> str: ...
    def registry_version(self) -> int: ...


class Parts(ExamineParts, Protocol):
    """What a recheck works with."""

    @property
    def store(self) -> RecheckStore: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def composer(self) -> Composer: ...

    def may_acknowledge(self, address: str, proven: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of one case. `opened`: it was held, and is not any more."""

    reference: str
    before: VerdictCode
    after: VerdictCode
    provider: str | None
    opened: bool


def recheck(parts: Parts, job: Job) -> None:
    """The case that the job names, and the end of the job, or its next try. Running it twice writes nothing more."""
    reference = parts.store.case_reference(job.subject)
    again = None
    if reference:
        recheck_case(parts, reference)
        again = _next_try(parts, reference)
    if again is None:
        parts.store.finish(job)
    else:
        wait = (again - parts.clock()).total_seconds()
        parts.store.try_later(job, "DNS gave no answer, so the sender is checked again.", wait, job.attempt + 1)


def _next_try(parts: Parts, reference: str) -> datetime | None:
    """When a sender that DNS still gave no answer for is looked at again; it was last tried when it was filed, or now."""
    view = parts.store.case(reference)
    if view is None or view.row.status == Status.CLOSED or not view.events or not unanswered(view.sender):
        return None
    return next_try(view.events[0].at, parts.clock())


def recheck_case(parts: Parts, reference: str) -> Rechecked | None:
    """Check once more who sent the first message of a case; None when nothing changed. KeyError is never raised for a reference.

    Raises TryLater when people keep changing the case meanwhile.
    """
    for _ in range(_TRIES):
        view = parts.store.case(reference)
        if view is None or view.row.status == Status.CLOSED or view.raw.channel == web_submission.CHANNEL:
            return None
        raw = parts.blobs.get(view.raw.blob)
        after = sender_again(parts, raw, view.raw.mailbox, view.row.received_at, view.sender)
        if _same(view.sender, after):
            return None
        try:
            return _write(parts, view, after)
        except Conflict:
            continue
    raise TryLater(f"Case {reference} is being changed by people; its sender is checked again later.")


def _same(before: SenderCheck, after: SenderCheck) -> bool:
    """Whether they come to the same; sentences may name a provider by another name now, and an answer of DNS is news."""
    ours, theirs = ((c.verdict, c.provider, c.suggested, unanswered(c)) for c in (before, after))
    if ours != theirs or (before.inner is None) != (after.inner is None):
        return False
    return before.inner is None or after.inner is None or _same(before.inner, after.inner)


def _write(parts: Parts, view: CaseView, after: SenderCheck) -> Rechecked:
    row = view.row
    chosen = any(event.action == _CHOSEN for event in view.events)
    provider = row.provider if chosen else _provider(after) or row.provider  # to take it away is for a person
    opened = row.status == Status.HELD and _accepted(after)
    changes: dict[str, object] = {"sender": after, **_marks(view, after, provider)}
    if provider != row.provider:
        changes["provider"] = provider
    if opened:
        changes["status"] = Status.NEEDS_PERSON if UNREADABLE in row.marks else Status.OPEN
    before = view.sender.verdict
    detail: Mapping[str, object] = {
        "verdict": [before.value, after.verdict.value],
        "provider": [row.provider, provider],
        "register": parts.store.registry_version(),
    }
    why = "DNS has answered now" if unanswered(view.sender) and not unanswered(after) else "The register changed"
    text = f"{why}, and the sender was checked again: {_said(before)} before, {_said(after.verdict)} now."
    mail = _mail(parts, view, after) if opened and not _history(view) else None
    parts.store.change(row.reference, row.version, _ACTOR, "sender_rechecked", text, changes, detail, mail)
    return Rechecked(row.reference, before, after.verdict, provider, opened)


def _provider(check: SenderCheck) -> str | None:
    return check.provider or (check.inner.provider if check.inner else None)


def _accepted(check: SenderCheck) -> bool:
    return all(v in routing.ACCEPTED for v in (check.verdict, check.inner.verdict if check.inner else None) if v)


def _marks(view: CaseView, after: SenderCheck, provider: str | None) -> dict[str, object]:
    """Marks and reasons of the new verdict in the place of the old one's. A sender who may be relied on less is for a person."""
    inner = after.inner.verdict if after.inner else None
    new = routing.of_sender(after.verdict, inner, provider is not None)
    if _accepted(view.sender) and not _accepted(after):
        text = f"The sender was {_said(view.sender.verdict)} when it came, and is {_said(after.verdict)} by the register of now."
        new = (Reason(SENDER_CHANGED, text), *new)
    kept = tuple(r for r in view.reasons if r.code not in routing.OF_SENDER and r.code != SENDER_CHANGED)
    codes = [m for m in view.row.marks if m not in routing.OF_SENDER and m != SENDER_CHANGED]
    codes += [r.code for r in new] + ([CHECK_FIRST] if any(r.code == SENDER_CHANGED for r in new) else [])
    return {"reasons": (*new, *kept), "marks": tuple(dict.fromkeys(codes))}


def _history(view: CaseView) -> bool:
    return bool(view.events) and is_history(view.raw.channel, view.row.received_at, view.events[0].at)


def _mail(parts: Parts, view: CaseView, after: SenderCheck) -> NewMail | None:
    """What the sender would have been told, had the register been so when it came; nobody is told the same twice."""
    kind = CaseKind(view.row.kind)
    template = routing.acknowledge(after.verdict, kind, OutcomeCode.CASE_OPENED)
    told = routing.acknowledge(view.sender.verdict, kind, OutcomeCode.HELD)
    if (
        not template
        or template == told
        or not after.address
        or not parts.may_acknowledge(after.address, after.verdict in routing.RELIABLE)
    ):
        return None
    return parts.composer.acknowledgement(
        template=template,
        dedupe=f"ack:{view.raw.content_key}:{template}",
        to=after.address,
        reference=view.row.reference,
        kind=kind,
        received_at=view.row.received_at,
        due=view.due,
    )


def _said(verdict: VerdictCode) -> str:
    return verdict.value.replace("_", " ")
