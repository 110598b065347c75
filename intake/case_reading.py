"""What a case says to the person who works it: its answers as they stand now, what is doubtful, open or still needed, and who waits.

Pure functions of a `CaseView`; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from forms.check import applies
from forms.load import FormError
from forms.load import form as load_form
from forms.schema import Form, Kind, Question
from intake.domain.drafts import SURE
from intake.domain.model import BY_PERSON, FORMS, CaseKind, ReadAnswer, Status
from intake.ports import CaseView, Event

NEEDS_TWO = ("S1", "S2")


# ---- answers --------------------------------------------------------------------------------------------------------


def edition_of(case: CaseView) -> Form | None:
    """The form edition that the case's answers belong to; a case without a form has the latest one of its kind."""
    if case.form is None:
        return edition_for(CaseKind(case.row.kind))
    try:
        return load_form(f"{case.form}@{case.edition}" if case.edition else case.form)
    except FormError:
        return None


def edition_for(kind: CaseKind) -> Form | None:
    """The latest form of a kind of case; other mail has none."""
    return load_form(FORMS[kind]) if kind in FORMS else None


def standing(case: CaseView) -> dict[str, ReadAnswer]:
    """The answers as they stand now: what was read, and over it what a person has confirmed, corrected or given up on."""
    answers = dict(case.answers)
    for fixed in case.corrections:
        if fixed.value is None:
            answers.pop(fixed.question, None)
        elif fixed.how == "confirmed" and fixed.question in answers:
            answers[fixed.question] = replace(answers[fixed.question], confidence=1.0)
        else:
            answers[fixed.question] = ReadAnswer(fixed.value, BY_PERSON)
    return answers


def settled(case: CaseView) -> frozenset[str]:
    """Questions that a person has confirmed, corrected, entered or given up on."""
    return frozenset(c.question for c in case.corrections)


def doubtful(case: CaseView) -> tuple[str, ...]:
    """Questions that need a person, those that move the band first: flagged, read unsurely, or with a problem."""
    edition = edition_of(case)
    if edition is None:
        return ()
    flagged = {q for f in (case.severity.flags if case.severity else ()) for q in f.questions}
    unsure = {q for q, a in standing(case).items() if a.confidence < SURE}
    problems = {p.question for p in case.problems if p.code != "missing" and not _lacks(p.code)}
    wanted = (flagged | unsure | problems) - settled(case)
    order = [q.id for q in edition.questions if q.id in wanted]
    return tuple(sorted(order, key=lambda q: (q not in flagged, q not in unsure)))


_DOUBTS = frozenset({"unreadable", "unknown_choice", "time_missing", "which_time", "too_long"})


def still_needed(case: CaseView) -> tuple[str, ...]:
    """What is missing before it can be closed, beside plain open questions: plans, reasons, the signature. In sentences."""
    return tuple(dict.fromkeys(p.message for p in case.problems if _lacks(p.code)))


def _lacks(code: str) -> bool:
    """Whether a problem says that something beside a well-read answer is not there; no look at the page can mend that."""
    return code not in _DOUBTS and code.endswith(("_missing", "_incomplete"))


def open_questions(case: CaseView) -> tuple[Question, ...]:
    """Questions that apply and have no answer, or "I don't know", in the form's order."""
    edition = edition_of(case)
    if edition is None:
        return ()
    values = {q: a.value for q, a in standing(case).items()}
    return tuple(q for q in edition.questions if applies(edition, q, values) and _is_open(q, values.get(q.id)))


def _is_open(question: Question, value: object) -> bool:
    if isinstance(value, dict):
        timeless = question.parts[0].kind is Kind.TIME and question.parts[0].id not in value
        return not value or timeless or value.get("kind") == "unknown"
    return value in (None, "", "dont_know", "dont_know_yet") or value in ([], ["dont_know"], ["unknown"])


def choices_of(question: Question) -> tuple[tuple[str, str], ...]:
    """Codes and labels of a question that offers choices."""
    return tuple((c.code, c.label) for c in question.choices) if question.kind in (Kind.CHOICE, Kind.MULTI) else ()


# ---- a second person ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants to close a case that needs a second person."""

    by: str
    at: datetime
    outcome: str
    reason: str


def waiting_for_second(case: CaseView) -> Asked | None:
    """The request to close that waits for a second person, if there is one."""
    asked = next((e for e in reversed(case.events) if e.action in _CLOSING), None)
    if asked is None or asked.action != "close_asked" or case.row.status == Status.CLOSED:
        return None
    return Asked(asked.actor, asked.at, case.outcome, case.outcome_reason)


_CLOSING = ("close_asked", "close_agreed", "close_refused", "close_taken_back", "closed", "reopened")


def needs_second(case: CaseView) -> bool:
    """Whether two people must agree: S1 and S2, also when a person has made the band calmer, by hand or by an answer."""
    return case.row.band in NEEDS_TWO or any(_band_before(e) in NEEDS_TWO for e in case.events)


def _band_before(event: Event) -> object:
    """The band that an act of a person changed, as it was; None when it changed none."""
    if event.action not in ("band", "answer_checked", "kind"):
        return None
    changes = event.detail.get("changes")
    bands = changes.get("band") if isinstance(changes, Mapping) else None
    return bands[0] if bands else None
