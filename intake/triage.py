"""What staff do with a case: one function an act, each ends in events and, where a provider hears of it, in the outbox.

Every act names who does it and the version of the case that they saw; `Conflict` means that somebody else was quicker, and
then nothing was written. Acts never read a clock or a mailbox of their own. A sentence that a person must read comes back as
`NotNow`: the act is right, but not now, and the sentence says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from intake.case_reading import (
    edition_of,
    needs_second,
    open_questions,
    waiting_for_second,
)
from intake.domain import clocks
from intake.domain.errors import IntakeError
from intake.domain.marks import CONFLICT, SECOND_PERSON, UNKNOWN_PROVIDER
from intake.domain.model import CaseKind, Status
from intake.domain.roles import READERS, SEE_CONFLICTS, WORKERS
from intake.mail_text import Composer
from intake.ports import CaseView, Clock, QueueRow, RegistryStore, Staff, StaffStore, TriageStore

MOST_QUESTIONS = 12  # in one mail; more is a form, not a question
MOST_LETTERS = 10_000  # of one note, message or reason

OUTCOMES: Mapping[CaseKind, Mapping[str, str]] = {
    CaseKind.BREACH_NOTICE: {
        "provider_told_opc": "The provider told the Commissioner",
        "ministry_told_opc": "The Ministry told the Commissioner",
        "assessed_not_serious": "Serious harm is not likely",
        "referred_police": "Passed on to Police",
        "not_a_breach": "It was not a breach",
        "duplicate": "The same as another case",
        "withdrawn": "The provider took it back",
    },
    CaseKind.SELF_ASSESSMENT: {
        "accepted": "Accepted",
        "accepted_with_plan": "Accepted, with a plan",
        "superseded": "A newer one took its place",
        "withdrawn": "The provider took it back",
        "not_required": "It was not needed",
    },
    CaseKind.OTHER: {
        "answered": "Answered",
        "not_for_us": "Not for us, passed on",
        "duplicate": "The same as another case",
        "withdrawn": "Taken back",
    },
}

# Statuses that a person may set by hand; the others have an act of their own.
BY_HAND = (Status.OPEN, Status.WAITING_PROVIDER, Status.WAITING_OTHER, Status.DECIDED, Status.PLAN_RUNNING)


class NotNow(IntakeError):
    """An act that cannot be done as asked, with a sentence for the person who asked."""


class Store(TriageStore, RegistryStore, StaffStore, Protocol):
    """What the acts need of the database."""


class Desk(Protocol):
    """What the acts work with."""

    @property
    def store(self) -> Store: ...

    @property
    def composer(self) -> Composer: ...

    @property
    def clock(self) -> Clock: ...


# ---- who may ----------------------------------------------------------------------------------------------------------


def kinds_seen(role: str) -> tuple[str, ...] | None:
    """The kinds of case that a role may open: None for all of them, () for none. An operator (admin) opens no case."""
    return None if role in READERS else ()


def may_see(staff: Staff, row: QueueRow) -> bool:
    """The one answer to "may this person open this case?", for lists, pages, downloads and acts alike."""
    if not staff.active or staff.role not in READERS:
        return False
    return CONFLICT not in row.marks or staff.role in SEE_CONFLICTS


def hidden_marks(role: str) -> tuple[str, ...]:
    """Marks of cases that a list for this role leaves out."""
    return () if role in SEE_CONFLICTS else (CONFLICT,)


def may_work(staff: Staff) -> bool:
    """Whether this person may change cases at all; records and auditors read."""
    return staff.active and staff.role in WORKERS


# ---- who has it -------------------------------------------------------------------------------------------------------


def assign(desk: Desk, staff: Staff, row: QueueRow, version: int, to: Staff | None) -> int:
    """Give the case to somebody who may work, or to nobody. Returns the new version."""
    if to is not None and not (may_work(to) and may_see(to, row)):
        raise NotNow("That person cannot take this case. Choose somebody of triage or a lead.")
    action = "assigned" if to else "unassigned"
    text = f"Given to {to.name or to.address}" if to else "Given to nobody"
    return desk.store.change(
        row.reference, version, staff.address, action, text, {"assignee": to.address if to else None}
    )


def choose_provider(desk: Desk, staff: Staff, row: QueueRow, version: int, slug: str) -> int:
    """Say which provider a case belongs to, when the sender did not settle it."""
    provider = desk.store.provider(slug)
    if provider is None:
        raise NotNow("Choose a provider of the register.")
    case = desk.store.case(row.reference)
    changes: dict[str, object] = {"provider": slug, "marks": tuple(m for m in row.marks if m != UNKNOWN_PROVIDER)}
    if case is not None:
        changes["reasons"] = tuple(r for r in case.reasons if r.code != UNKNOWN_PROVIDER)
    text = f"Provider set to {provider.name}"
    return desk.store.change(row.reference, version, staff.address, "provider", text, changes)


def lock(desk: Desk, staff: Staff, row: QueueRow, version: int, reason: str) -> int:
    """Close a case that names a colleague to the desk: only those of `SEE_CONFLICTS` open it from now on."""
    if CONFLICT in row.marks:
        raise NotNow("This case is closed to the desk already.")
    words = words_of(reason, "Say whom it names or why, so that the privacy lead understands.")
    changes: dict[str, object] = {"marks": (*row.marks, CONFLICT)}
    holder = desk.store.staff_member(row.assignee) if row.assignee else None
    if holder is None or holder.role not in SEE_CONFLICTS:
        changes["assignee"] = None
    return desk.store.change(row.reference, version, staff.address, "locked", f"Closed to the desk. {words}", changes)


def unlock(desk: Desk, staff: Staff, row: QueueRow, version: int, reason: str) -> int:
    """Open a case to the desk again; only who may see it gets here."""
    if CONFLICT not in row.marks:
        raise NotNow("This case is open to the desk.")
    words = words_of(reason, "Say why the desk may see it now.")
    marks = tuple(m for m in row.marks if m != CONFLICT)
    text = f"Open to the desk again. {words}"
    return desk.store.change(row.reference, version, staff.address, "unlocked", text, {"marks": marks})


def let_through(desk: Desk, staff: Staff, row: QueueRow, version: int, reason: str) -> int:
    """Open a held case: a person says why this sender may be relied on. The verdict itself stays as it was."""
    if row.status != Status.HELD:
        raise NotNow("This case is not held any more.")
    return desk.store.change(
        row.reference,
        version,
        staff.address,
        "let_through",
        "Let through. " + words_of(reason, "Say why this sender may be relied on."),
        {"status": Status.OPEN},
    )


def change_status(desk: Desk, staff: Staff, row: QueueRow, version: int, status: Status) -> int:
    """Open, waiting or decided. Held, needs a person and closed have acts of their own."""
    if status not in BY_HAND:
        raise NotNow("That status has a step of its own on the case page.")
    if row.status == Status.HELD:
        raise NotNow("This case is held. Let it through first, with a reason.")
    again = row.status == Status.CLOSED
    changes: dict[str, object] = {"status": status}
    if again:
        changes |= {"outcome": "", "outcome_reason": ""}
    text = f"{'Opened again' if again else 'Status'}: {status.value.replace('_', ' ')}"
    return desk.store.change(row.reference, version, staff.address, "reopened" if again else "status", text, changes)


# ---- words ------------------------------------------------------------------------------------------------------------


def note(desk: Desk, staff: Staff, row: QueueRow, kind: str, words: str) -> None:
    """A note for staff, or the record of a call (which is a human contact)."""
    if kind not in ("note", "call"):
        raise NotNow("Choose a note or the record of a call.")
    desk.store.add_note(row.reference, staff.address, kind, words_of(words, "Write what there is to know."))


def write(desk: Desk, staff: Staff, row: QueueRow, version: int, to: str, words: str) -> None:
    """A mail of a member of staff to a registered contact; it goes through the outbox."""
    contact, said = _registered(desk, row, to), words_of(words, "Write what you want to say.")
    # A button pressed twice sends once. Sending leaves the version as it is, and the same words count again in another hour.
    hour = desk.clock().isoformat(timespec="hours")
    same = sha256(f"{contact}\n{said}\n{hour}".encode()).hexdigest()[:16]
    mail = desk.composer.from_staff(
        dedupe=f"write:{row.reference}:{version}:{same}", to=contact, reference=row.reference, words=said
    )
    desk.store.queue_mail(row.reference, mail, staff.address)


def ask_for_more(desk: Desk, staff: Staff, case: CaseView, version: int, to: str, questions: Sequence[str]) -> datetime:
    """Ask a registered contact open questions in the form's own words; returns when to ask again if nothing comes."""
    edition = edition_of(case)
    known = [q.id for q in open_questions(case)]
    chosen = [q for q in known if q in set(questions)]
    if edition is None or not chosen:
        raise NotNow("Choose at least one question that is still open.")
    if len(chosen) > MOST_QUESTIONS:
        raise NotNow(f"Ask at most {MOST_QUESTIONS} questions at a time. Choose those that matter most.")
    row, now = case.row, desk.clock()
    again = chase_at(case, now)
    mail = desk.composer.ask_for_more(
        dedupe=f"ask:{row.reference}:{version}",
        to=_registered(desk, row, to),
        reference=row.reference,
        form=edition.name,
        questions=chosen,
        answer_by=again,
        now=now,
    )
    changes: dict[str, object] = {} if row.status == Status.HELD else {"status": Status.WAITING_PROVIDER}
    detail = {"questions": chosen, "chaser": again.isoformat()}
    text = f"Asked the provider for {', '.join(chosen)}"
    desk.store.change(row.reference, version, staff.address, "asked", text, changes, detail, mail)
    return again


def chase_at(case: CaseView, now: datetime) -> datetime:
    """When a question sent now is asked again. A case without a band is chased like a low one."""
    return clocks.chaser(case.row.band or "S4", now)


def _registered(desk: Desk, row: QueueRow, address: str) -> str:
    """The address, when it is a contact of the case's provider: nothing is ever sent to another one."""
    provider = desk.store.provider(row.provider) if row.provider else None
    if provider is None:
        raise NotNow("Say first which provider this is. Mail goes to registered contacts only.")
    for contact in provider.contacts:
        if contact.address.casefold() == address.casefold():
            return contact.address
    raise NotNow("Choose one of the registered contacts.")


# ---- the end ----------------------------------------------------------------------------------------------------------


def close(desk: Desk, staff: Staff, case: CaseView, version: int, outcome: str, reason: str) -> bool:
    """Close with an outcome and a reason, or ask a second person to. Returns whether the case is closed now."""
    if case.row.status == Status.CLOSED:
        raise NotNow("This case is closed already.")
    named = OUTCOMES[CaseKind(case.row.kind)].get(outcome)
    if named is None:
        raise NotNow("Choose how it ended.")
    words = words_of(reason, "Give your reasons in a sentence or two. They must stand up a year from now.")
    changes: dict[str, object] = {"outcome": outcome, "outcome_reason": words}
    two = needs_second(case)
    if two:
        changes["marks"] = tuple(dict.fromkeys((*case.row.marks, SECOND_PERSON)))
    else:
        changes["status"] = Status.CLOSED
    action = "close_asked" if two else "closed"
    said = f"Asked a second person to close: {named}" if two else f"Closed: {named}"
    text = f"{said}. {words}"  # the columns are emptied on a refusal or reopening; history is not
    desk.store.change(case.row.reference, version, staff.address, action, text, changes)
    return not two


def second(desk: Desk, staff: Staff, case: CaseView, version: int, agrees: bool, reason: str = "") -> None:
    """The second person agrees, and the case is closed, or does not, with a reason. The one who asked may take it back."""
    asked = waiting_for_second(case)
    if asked is None:
        raise NotNow("Nobody waits for a second person on this case.")
    own = asked.by == staff.address
    if agrees:
        if own:
            raise NotNow("You asked for this yourself. Another person must agree.")
        named = OUTCOMES[CaseKind(case.row.kind)].get(asked.outcome, asked.outcome)
        changes: dict[str, object] = {"status": Status.CLOSED}
        action, text = "close_agreed", f"Agreed, and closed: {named}"
    else:
        words = "" if own else words_of(reason, "Say why you do not agree.")
        changes = {"outcome": "", "outcome_reason": ""}
        action = "close_taken_back" if own else "close_refused"
        text = "Took the request to close back" if own else f"Did not agree to close. {words}"
    changes["marks"] = tuple(m for m in case.row.marks if m != SECOND_PERSON)
    desk.store.change(case.row.reference, version, staff.address, action, text, changes)


def link(desk: Desk, staff: Staff, row: QueueRow, other: QueueRow | None) -> None:
    """Say that two cases are about the same matter; each stays a case of its own."""
    if other is None or other.reference == row.reference:
        raise NotNow("Write the reference of another case.")
    desk.store.link(row.reference, other.reference, staff.address)


def words_of(text: str, missing: str) -> str:
    """What a person wrote; NotNow with the sentence `missing` when it is nothing, and when it is too long."""
    words = text.replace("\r\n", "\n").strip()
    if not words:
        raise NotNow(missing)
    if len(words) > MOST_LETTERS:
        raise NotNow(
            f"That has {len(words):,} letters and {MOST_LETTERS:,} fit. Nothing was kept: shorten it, or send it in parts."
        )
    return words
