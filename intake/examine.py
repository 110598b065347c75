"""Steps 3 to 8 of a message's way: from bytes to everything that is decided about it. Writes nothing.

`pipeline.process` files what this returns; `provider-intake explain` prints it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from forms import load
from forms.schema import Problem
from intake import belonging
from intake.belonging import Found, Lookups
from intake.case_reading import edition_for
from intake.domain import drafts, probes, text_answers, web_submission
from intake.domain.envelope import open_envelope
from intake.domain.errors import CannotRead
from intake.domain.kind import KindGuess
from intake.domain.marks import POSSIBLE_FOLLOW_UP
from intake.domain.model import (
    CaseDraft,
    CaseKind,
    Envelope,
    OutcomeCode,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    VerdictCode,
)
from intake.domain.own_checks import OwnChecks
from intake.domain.registry import is_own
from intake.domain.routing import ends_as
from intake.domain.sender import check_again, check_sender, forwards_something
from intake.domain.signatures import DkimResult
from intake.domain.stamps import stamp_of
from intake.domain.too_large import PART_HEADER
from intake.domain.trust import Trust
from intake.mail_documents import read_documents, typed, typed_form
from intake.opening import Opened, open_mail
from intake.ports import DocumentReading

_LOGO = 50_000  # bytes; a photo of a form has more
_UNREAD = frozenset(
    {
        "not_read_yet", "no_text_layer", "marks_only", "encrypted", "encrypted_mail", "corrupt", "too_large", "too_costly",
        "no_tnef", "wrapper_damaged", "too_deep",
    }
)  # fmt: skip


class Parts(Protocol):
    @property
    def lookups(self) -> Lookups: ...

    @property
    def documents(self) -> DocumentReading: ...

    @property
    def own_domains(self) -> tuple[str, ...]: ...

    def trust(self, mailbox: str) -> Trust: ...
    def probe_letter(self, mailbox: str, message_id: str) -> str: ...
    def dkim(self, raw: bytes, from_domain: str | None) -> DkimResult | None: ...
    def own_checks(self, raw: bytes, envelope: Envelope, trust: Trust) -> OwnChecks: ...


@dataclass(frozen=True, slots=True)
class Examination:
    kind: CaseKind
    outcome: OutcomeCode
    sender: SenderCheck
    documents: tuple[Found, ...]
    drafts: tuple[CaseDraft, ...]
    subject: str = ""
    body: str = ""
    message_id: str = ""
    update: str | None = None
    duplicate_of: str | None = None
    came_back: tuple[str, ...] = ()  # Message-IDs that a bounce names: of our mails, when we sent them
    marks: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    echo: bool = False  # our own mail, by which the way to the mailbox is proven
    probe: tuple[str, str] | None = None  # a forgery of our own: its letter, and what it shows, "" for nothing bad
    stamp: str | None = None  # the shape of what our own side wrote about the sender; None: nothing is to be expected

    @property
    def suggest(self) -> bool:
        """A flat PDF that is not ours may hold suggestions for a person; they are placed later, at low priority."""
        return any(f.read.media_type == "application/pdf" and f.read.form is None for f in self.documents)


def examine(parts: Parts, raw: bytes, channel: str, mailbox: str, received_at: datetime) -> Examination:
    """Everything that is decided about one message.

    received_at: aware UTC, when the server (or the web form) took it; clocks count from it.
    Never raises for any bytes of a mail; CannotRead when a web submission is not what we wrote.
    """
    if channel == web_submission.CHANNEL:
        return _examine_web(parts, raw, received_at)
    opened = open_mail(parts.documents, raw)
    sender = _check_sender(parts, opened.envelope, raw, mailbox, received_at)
    found = (_part_of_a_mail(raw),) if raw.startswith(PART_HEADER) else read_documents(parts.documents, opened)
    examined = _decide(parts, opened, sender, found, mailbox, received_at)
    return replace(examined, stamp=stamp_of(opened.envelope.headers, parts.trust(mailbox)))


# ---- a mail -----------------------------------------------------------------------------------------------------------


def _check_sender(parts: Parts, envelope: Envelope, raw: bytes, mailbox: str, at: datetime) -> SenderCheck:
    inner = []
    if forwards_something(envelope, parts.own_domains):
        # Inside a forward only a signature that we check ourselves is evidence (docs/sender-check.md).
        for mail in envelope.inner:
            opened = open_envelope(mail.raw, alone=True)
            inner.append((opened, parts.dkim(mail.raw, opened.from_domain)))
    trust = parts.trust(mailbox)
    return check_sender(
        envelope,
        parts.lookups.registry(),
        trust,
        parts.own_checks(raw, envelope, trust),
        parts.own_domains,
        at.astimezone(ZoneInfo("Pacific/Auckland")).date(),
        inner,
    )


def sender_again(parts: Parts, raw: bytes, mailbox: str, received_at: datetime, before: SenderCheck) -> SenderCheck:
    """The sender check of a mail that was examined before, with the register as it is now. Never raises for any bytes."""
    envelope = open_envelope(raw)
    day = received_at.astimezone(ZoneInfo("Pacific/Auckland")).date()
    again = check_again(envelope, before, parts.lookups.registry(), parts.own_domains, day)
    return again or _check_sender(parts, open_mail(parts.documents, raw).envelope, raw, mailbox, received_at)


def _part_of_a_mail(raw: bytes) -> Found:
    """A mail too large to be kept whole: its attachments are cut, so none is opened, and a person looks on the server."""
    whole = "the whole mail lies in the folder Held of the mailbox"
    if b"folder=held" not in raw.partition(b"\n")[0]:  # a mail server handed it over, and has it no longer
        whole = "the rest is not: ask the sender for the files, or to use the web form"
    text = f"The mail is too large. Its beginning is kept here, {whole}."
    read = ReadDocument("", "message/rfc822", "none", problems=(Problem("", "too_large", text),))
    return Found("whole", len(raw), hashlib.sha256(raw).hexdigest(), read)


def _decide(
    parts: Parts, opened: Opened, sender: SenderCheck, found: tuple[Found, ...], mailbox: str, at: datetime
) -> Examination:
    envelope = opened.envelope
    guess = _guess(opened, found, parts.own_domains)
    base = Examination(
        kind=CaseKind.OTHER,
        outcome=OutcomeCode.AUTOMATIC,
        sender=sender,
        documents=found,
        drafts=(),
        subject=envelope.subject,
        body=envelope.body,
        message_id=envelope.message_id,
        came_back=belonging.came_back(envelope),
    )
    if belonging.is_echo(parts.lookups, envelope):
        return replace(base, echo=True)
    if letter := parts.probe_letter(mailbox, envelope.message_id):
        shown = probes.judge(letter, envelope.headers, parts.trust(mailbox), envelope.from_domain)
        return replace(base, probe=(letter, shown))
    has_form = any(f.read.form for f in found)
    if sender.verdict is VerdictCode.AUTOMATIC and not envelope.to_many and not has_form:
        # A bounce of our own mail quotes our words, and is noted on its case; what is none of ours may be a notice all the same.
        own = belonging.own_case(parts.lookups, envelope) if envelope.bounce else None
        if own or not _tells(envelope, guess, found):
            return replace(base, update=own)
    reference, reasons = belonging.follow_up(parts.lookups, envelope, sender)
    if reference:
        found = _with_reply(parts, reference, envelope.body, found)
        made = drafts.of_mail(_reads(found), guess, sender, at)
        if not belonging.is_another_matter(parts.lookups, reference, made):
            whole = _together(parts, reference, made[0], found, guess)
            update = replace(base, documents=found, outcome=OutcomeCode.CASE_UPDATED, update=reference)
            left = drafts.not_whole(envelope.notes)
            return replace(update, kind=whole.kind, drafts=(whole,), reasons=left, marks=tuple(r.code for r in left))
        reasons = (belonging.follows(reference),)
    return _on_its_own(parts, base, guess, at, (*reasons, *drafts.not_whole(envelope.notes)))


def _on_its_own(
    parts: Parts, base: Examination, guess: KindGuess, at: datetime, reasons: tuple[Reason, ...]
) -> Examination:
    """A message that adds to no case: it opens its own, or is the same form from the same account once more."""
    sender, reads = base.sender, _reads(base.documents)
    before = belonging.sent_before(parts.lookups, base.documents, sender, at)
    if before and (
        guess.danger
        or not belonging.says_nothing_new(parts.lookups, before, sender, base.documents, base.subject, base.body)
    ):
        # The file is known, and something beside it is not: nobody may have to find that in a duplicate.
        reasons = (*reasons, Reason(POSSIBLE_FOLLOW_UP, f"The same form came before, as {before}."))
        before = None
    elif not before:
        same = parts.lookups.reference_for_message_id((base.message_id,)) if base.message_id else None
        if same:  # a copy that differs in what it proves, or somebody who took its number
            reasons = (
                *reasons,
                Reason(POSSIBLE_FOLLOW_UP, f"A mail with the same Message-ID came before, as {same}."),
            )
    made = drafts.of_mail(reads, guess, sender, at, reasons)
    if before:
        return replace(base, kind=made[0].kind, outcome=OutcomeCode.DUPLICATE, drafts=made, duplicate_of=before)
    return replace(
        base,
        kind=made[0].kind,
        outcome=ends_as(made[0].status),
        drafts=made,
        marks=made[0].marks,
        reasons=made[0].reasons,
    )


def _tells(envelope: Envelope, guess: KindGuess, found: Sequence[Found]) -> bool:
    """Whether a mail that calls itself automatic may be a notice all the same. A mail server writes of wrong addresses and of mail
    that went back to its sender in every bounce: of a bounce, only danger or the word breach itself counts."""
    if guess.danger or any(map(_may_be_a_form, found)):
        return True
    if envelope.bounce:
        return drafts.says_breach(envelope.subject, envelope.body)
    return guess.kind is CaseKind.BREACH_NOTICE


def _may_be_a_form(found: Found) -> bool:
    """A file that no program here could read, beside what a machine or a list sent: a person looks. Small pictures are logos."""
    if found.read.media_type.startswith("image/") and found.size < _LOGO:
        return False
    return found.read.quarantined or any(p.code in _UNREAD for p in found.read.problems)


def _reads(found: Sequence[Found]) -> tuple[ReadDocument, ...]:
    return tuple(f.read for f in found)


def _guess(opened: Opened, found: Sequence[Found], own_domains: Sequence[str]) -> KindGuess:
    """What the words suggest: of a mail that holds mails, the most telling of them. The subject of a machine's answer is that of
    what it answers, which is ours: there its own text counts, the names of its files, and mails inside that are not ours, since a
    machine may pass on what somebody wrote. A bounce holds what its reader sent."""
    names = [f.read.name for f in found if f.read.name]
    envelope = opened.envelope
    if envelope.automatic and not envelope.to_many:
        passed_on = (
            () if envelope.bounce else (m for _, m in opened.mails[1:] if not is_own(m.from_domain or "", own_domains))
        )
        return drafts.most_telling([("", envelope.body), *((m.subject, m.body) for m in passed_on)], names)
    mails = [(mail.subject, mail.body) for _, mail in opened.mails]
    return drafts.most_telling(mails, names, envelope.to_many)


def _with_reply(parts: Parts, reference: str, body: str, found: tuple[Found, ...]) -> tuple[Found, ...]:
    """The documents of a message that adds to a case. One answer typed under its question's number is enough there."""
    row = parts.lookups.case_row(reference)
    form = edition_for(CaseKind(row.kind)) if row else None
    if form is None:
        return found
    told = typed(form, text_answers.reply_answers(form, body, parts.lookups.case_answers(reference)))
    kept = tuple(f for f in found if not (f.path == "text" and f.read.form == form.kind))
    if not told.answers and not told.problems:
        return kept
    return (*kept, Found("text", len(body), hashlib.sha256(body.encode()).hexdigest(), told))


def _beside(draft: CaseDraft, reason: Reason) -> CaseDraft:
    return replace(draft, reasons=(*draft.reasons, reason), marks=tuple(dict.fromkeys((*draft.marks, reason.code))))


def _together(
    parts: Parts, reference: str, new: CaseDraft, found: Sequence[Found], guess: KindGuess | None = None
) -> CaseDraft:
    """What all answers of the case together come to, when a message adds to it; clocks still count from the first message."""
    row = parts.lookups.case_row(reference)
    form = edition_for(CaseKind(row.kind)) if row else None
    if row is None or form is None:
        return new
    answers = dict(parts.lookups.case_answers(reference))
    stood = {q: a.value for q, a in answers.items()}
    if new.form in (None, form.kind):
        answers |= new.answers
    told = tuple(p for f in found for p in f.read.problems)
    again = {*new.answers, *(p.question for p in told)}
    problems = (*told, *drafts.still_unread(form, parts.lookups.case_problems(reference), stood, again))
    read = ReadDocument("", "", "none", form.kind, form.edition, answers, problems)
    return drafts.draft_of_form(read, new.document, new.sender, row.received_at, guess)


# ---- a web submission -------------------------------------------------------------------------------------------------


def _examine_web(parts: Parts, raw: bytes, at: datetime) -> Examination:
    sent = web_submission.decode(raw)
    form = load.form(sent.form)
    named = web_submission.organisation(form.kind, sent.answers)
    sender = web_submission.check_web_sender(named, tuple(parts.lookups.registry().providers.values()))
    read = ReadDocument(
        name="",
        media_type="application/json",
        how="web",
        form=form.kind,
        edition=form.edition,
        answers={q: ReadAnswer(value, "web") for q, value in sent.answers.items()},
    )
    made = drafts.of_web(read, sender, at)
    found = Found("web", len(raw), hashlib.sha256(raw).hexdigest(), read)
    row = parts.lookups.case_row(sent.updates) if sent.updates else None
    update = row.reference if row and row.kind == made[0].kind.value else None
    if row and not update:
        made = tuple(_beside(draft, belonging.follows(row.reference)) for draft in made)
    if update:
        made = (_together(parts, update, made[0], (found,)),)
    return Examination(
        kind=made[0].kind,
        outcome=OutcomeCode.CASE_UPDATED if update else ends_as(made[0].status),
        sender=sender,
        documents=(found,),
        drafts=made,
        update=update,
        message_id=sent.id,
        marks=made[0].marks,
        reasons=made[0].reasons,
    )


__all__ = ["CannotRead", "Examination", "Found", "Lookups", "Parts", "examine", "typed_form"]
