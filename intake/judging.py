"""Acts after which a case is judged anew: an answer checked, a band set by hand, what kind of message it is.

Band, clocks, marks and duty follow in the same transaction. `intake.triage` has the other acts, and their rules hold here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forms.canonical import canonical
from forms.schema import Form, Problem, Question, question_of
from intake.case_reading import edition_for, edition_of, standing, waiting_for_second
from intake.domain import breach, clocks
from intake.domain.drafts import RuleNumbers, draft_of_form, of_mail, still_unread
from intake.domain.kind import KindGuess
from intake.domain.marks import CONFLICT, OF_THE_MAIL, QUARANTINED, READ_FIRST, SECOND_PERSON, UNKNOWN_PROVIDER
from intake.domain.model import BY_PERSON, CaseDraft, CaseKind, ReadAnswer, ReadDocument, Status
from intake.ports import CaseView, Correction, Staff
from intake.triage import Desk, NotNow, words_of

BANDS = ("S1", "S2", "S3", "S4")
KINDS: Mapping[CaseKind, str] = {
    CaseKind.BREACH_NOTICE: "a breach notice",
    CaseKind.SELF_ASSESSMENT: "a self-assessment",
    CaseKind.OTHER: "neither of the two",
}


# ---- answers ----------------------------------------------------------------------------------------------------------


def answer(
    desk: Desk, staff: Staff, case: CaseView, version: int, question_id: str, how: str, typed: Mapping[str, object]
) -> int:
    """Confirm, correct or give up on one answer; band, clocks, marks and duty are decided again and written with it.

    how: confirmed, corrected (or entered, when there was none), unreadable.
    typed: fields of this one question as the form names them (`ID`, `ID.part`), when it is corrected.
    """
    edition = edition_of(case)
    question = edition.question(question_id) if edition else None
    if edition is None or question is None:
        raise NotNow("This form has no such question.")
    old = standing(case).get(question_id)
    value = _new_value(edition, question, how, old, typed)
    entered = "entered" if how == "corrected" and old is None else how
    row, now = case.row, desk.clock()
    correction = Correction(question_id, value, old.value if old else None, staff.address, now, entered)
    draft = judged(case, edition, _with(case, question_id, value), question_id)
    follows = _follows(case, draft)
    return desk.store.correct(
        row.reference, version, staff.address, correction, draft.severity, draft.due, draft.reasons, follows
    )


def _new_value(
    edition: Form, question: Question, how: str, old: ReadAnswer | None, typed: Mapping[str, object]
) -> object:
    if how == "confirmed":
        if old is None:
            raise NotNow("There is no answer to confirm. Type it in, or leave it open.")
        return old.value
    if how == "unreadable":
        return None
    if how != "corrected":
        raise NotNow("Choose whether you confirm the answer, correct it, or cannot read it.")
    own = {k: v for k, v in typed.items() if question_of(k) == question.id}
    answers, problems = canonical(edition, own)
    if problems:
        raise NotNow(problems[0].message)
    if question.id not in answers:
        raise NotNow(f"Write an answer to “{question.short}”, or choose “Cannot be read”.")
    return answers[question.id]


def _with(case: CaseView, question_id: str, value: object) -> dict[str, ReadAnswer]:
    """The answers as they stand with this one."""
    kept = standing(case)
    kept.pop(question_id, None)
    if value is not None:
        kept[question_id] = ReadAnswer(value, BY_PERSON)
    return kept


def judged(case: CaseView, edition: Form, answers: Mapping[str, ReadAnswer], changed: str = "") -> CaseDraft:
    """What the rules that the case was judged by say of these answers. A band set by hand stays, and its clocks with it.

    changed: the question on which a person has just said a word; what was wrong with it is settled.
    """
    stood = {q: a.value for q, a in standing(case).items()}
    left = (*_of_files(case), *still_unread(edition, case.problems, stood, (changed,)))
    read = ReadDocument("", "", BY_PERSON, edition.kind, edition.edition, answers, left)
    rules = RuleNumbers(case.severity.rule_set if case.severity else "", case.due.rule)
    draft = _with_told(case, draft_of_form(read, None, case.sender, case.row.received_at, rules=rules))
    by_hand = case.severity if case.severity and case.severity.by != "rule" else None
    if by_hand is None or draft.severity is None:
        return draft
    at, about = breach.aware_at({q: a.value for q, a in answers.items()})
    due = clocks.due_for_notice(by_hand.band, case.row.received_at, at, about, case.due.rule)
    return replace(draft, severity=replace(draft.severity, band=by_hand.band, by=by_hand.by), due=due)


def _of_files(case: CaseView) -> tuple[Problem, ...]:
    """Problems of whole documents."""
    return tuple(p for p in case.problems if not p.id)


def _with_told(case: CaseView, draft: CaseDraft) -> CaseDraft:
    """With what the mail told beside its answers, such as that not all of it could be read; whose it is, a person may have said."""
    known = {r.code for r in draft.reasons}
    told = (r for r in case.reasons if r.code in OF_THE_MAIL and r.code not in known)
    reasons = (*draft.reasons, *told)
    if case.row.provider is None:
        return replace(draft, reasons=reasons)
    marks = tuple(m for m in draft.marks if m != UNKNOWN_PROVIDER)
    return replace(draft, reasons=tuple(r for r in reasons if r.code != UNKNOWN_PROVIDER), marks=marks)


def _follows(case: CaseView, draft: CaseDraft) -> dict[str, object]:
    """Columns that change with the answers, beside band and clocks. Marks that no answer can take away stay."""
    row = case.row
    # No answer takes READ_FIRST away; to say what the case is does.
    kept = tuple(m for m in row.marks if m in _KEPT_MARKS or m == READ_FIRST)
    marks = tuple(dict.fromkeys((*draft.marks, *kept)))
    now: dict[str, object] = {"duty": draft.duty, "marks": marks, "service": draft.service or row.service}
    before: dict[str, object] = {"duty": row.duty, "marks": row.marks, "service": row.service}
    changes = {key: value for key, value in now.items() if value != before[key]}
    if row.aware_at != draft.aware_at and row.kind == CaseKind.BREACH_NOTICE:
        changes["aware_at"] = draft.aware_at
    if draft.score is not None and draft.score != case.score:
        changes["score"] = draft.score
    if draft.problems != case.problems:
        changes["problems"] = draft.problems
    return changes


_KEPT_MARKS = OF_THE_MAIL | {CONFLICT, SECOND_PERSON, QUARANTINED}


# ---- the band ---------------------------------------------------------------------------------------------------------


def set_band(desk: Desk, staff: Staff, case: CaseView, version: int, band: str, reason: str) -> int:
    """Set the band by hand, with a reason; clocks follow it. The rule's own reasons stay beside it."""
    if case.severity is None or case.row.kind != CaseKind.BREACH_NOTICE:
        raise NotNow("Only a breach notice has a band.")
    if band not in BANDS:
        raise NotNow("Choose one of the four bands.")
    words = words_of(reason, "Say why, so that it can be understood a year from now.")
    at, about = breach.aware_at({q: a.value for q, a in standing(case).items()})
    due = clocks.due_for_notice(band, case.row.received_at, at, about, case.due.rule)
    by_hand = replace(case.severity, band=band, by=staff.address)
    text = f"Band {band} set by hand, was {case.severity.band}. {words}"
    changes: dict[str, object] = {"severity": by_hand, "due": due}
    detail = {"was": case.severity.band, "band": band}
    return desk.store.change(case.row.reference, version, staff.address, "band", text, changes, detail)


# ---- the kind ---------------------------------------------------------------------------------------------------------


def may_become(case: CaseView) -> tuple[CaseKind, ...]:
    """The kinds that a person may say a case is. A form says itself what it is; words and pictures need a reader."""
    if case.form is not None or case.row.status == Status.CLOSED or waiting_for_second(case):
        return ()
    return tuple(kind for kind in KINDS if kind != case.row.kind)


def set_kind(desk: Desk, staff: Staff, case: CaseView, version: int, kind: str, reason: str) -> int:
    """Say what a mail without a form is; its clocks count from when it came. The reference stays, as the sender has it."""
    if waiting_for_second(case):  # how it ended is said in the words of the kind that it is now
        raise NotNow("Somebody waits for a second person. Answer the request to close first.")
    chosen = next((k for k in may_become(case) if k == kind), None)
    if chosen is None:
        raise NotNow("Choose what it is. A case with a form that was read is what the form says.")
    words = words_of(reason, "Say how you know, so that it can be understood a year from now.")
    text = f"Read by a person: it is {KINDS[chosen]}. {words}"
    changes: dict[str, object] = {"kind": chosen, **_judged_as(case, chosen)}
    detail = {"was": case.row.kind, "kind": chosen.value}
    return desk.store.change(case.row.reference, version, staff.address, "kind", text, changes, detail)


def _judged_as(case: CaseView, kind: CaseKind) -> dict[str, object]:
    row, edition = case.row, edition_for(kind)
    draft = judged(case, edition, standing(case)) if edition else _as_other(case)
    kept = tuple(m for m in row.marks if m in _KEPT_MARKS)
    changes: dict[str, object] = {
        "severity": draft.severity,
        "reasons": draft.reasons,
        "score": draft.score,
        "aware_at": draft.aware_at,
        "duty": draft.duty,
        "due": draft.due,
        "marks": tuple(dict.fromkeys((*draft.marks, *kept))),
        "problems": draft.problems,
    }
    # A notice is never held: whoever sent it, the call to the provider does not wait.
    freed = kind == CaseKind.BREACH_NOTICE and row.status == Status.HELD
    return changes | ({"status": draft.status} if freed else {})


def _as_other(case: CaseView) -> CaseDraft:
    """The case as other mail, by the clock rules that it was judged by."""
    read = ReadDocument("", "", BY_PERSON, None, None, {}, _of_files(case))
    (draft,) = of_mail((read,), _NEITHER, case.sender, case.row.received_at)
    due = clocks.due_for_other(case.row.received_at, case.due.rule)
    return replace(_with_told(case, draft), due=due)


_NEITHER = KindGuess(CaseKind.OTHER, 0.0, (), danger=False, reasons=())
