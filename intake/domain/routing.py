"""Where a case goes and why, and whether its sender is told by itself.

Two rules stand above the rest: a breach notice is always opened, whatever the sender check says; and
nobody gets an automatic mail who may be somebody else. Reasons are sentences; their codes are the marks
that staff filter by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forms.schema import Problem
from intake.domain.clocks import MarkerState
from intake.domain.marks import CHECK_FIRST, KEY_GAP_NO_PLAN, POSSIBLE_DANGER, READ_FIRST, UNKNOWN_PROVIDER, UNREADABLE
from intake.domain.model import (
    CaseKind,
    GapScore,
    OutcomeCode,
    Reason,
    Severity,
    Status,
    VerdictCode,
)
from intake.domain.severity_facts import Answers, code, codes


@dataclass(frozen=True, slots=True)
class Route:
    """The state that a case starts in, the codes that staff see on it, and each code's sentence, the gravest first."""

    status: Status
    marks: tuple[str, ...]
    reasons: tuple[Reason, ...]


V = VerdictCode
RELIABLE = frozenset({V.VERIFIED_ACCOUNT, V.VERIFIED_DOMAIN, V.EXCEPTION_ADDRESS})
ACCEPTED = RELIABLE | {V.PROBABLE, V.STAFF_FORWARD}
WRONG_VERSION = frozenset({"wrong_version", "old_edition", "unknown_edition"})
# Beside a form that was read, a picture or somebody's own PDF is an enclosure; alone, it may be the notice itself.
_ENCLOSURES = frozenset({"no_text_layer", "not_our_form", "foreign_form", "not_read_yet", "active_content", "empty"})

_SENDER = {
    V.MALFORMED: "The mail does not name one clear sender. Programs would disagree on who sent it.",
    V.AUTOMATIC: "A machine sent this mail, and it still holds something that a person must see.",
    V.PROBABLE: "Only weak evidence speaks for the sender.",
    V.UNAUTHENTICATED: "Nothing that we trust shows that the provider sent this. Call back on our own number for it.",
    V.AUTH_FAILED: "The mail failed the check that its own domain asks for. Call back on the number in our register.",
    V.PERSONAL_ACCOUNT: "It came from an account that no provider controls. Call back on the number in our register.",
    V.LOOKALIKE: "The sender’s name is close to that of a provider, and it is not the provider. Call the real one.",
    V.UNKNOWN_DOMAIN: "The sender’s domain belongs to no provider that we know.",
    V.UNKNOWN_UNVERIFIED: "The sender’s domain belongs to no provider that we know, and nothing shows who sent this.",
}


def route(
    kind: CaseKind,
    sender_verdict: VerdictCode,
    severity: Severity | None = None,
    score: GapScore | None = None,
    answers: Mapping[str, object] | None = None,
    documents_problems: Sequence[Problem] = (),
    provider_known: bool = False,
    *,
    has_form: bool = True,
    danger_words: bool = False,
    inner_verdict: VerdictCode | None = None,
    marker: MarkerState = MarkerState.CALM,
) -> Route:
    """The first state of a new case with its reasons.

    documents_problems: what could not be read of the documents; those with an empty id are about a whole document.
    has_form: a form of ours was found and read. danger_words: the mail's words sound like danger to somebody.
    inner_verdict: of a mail that a colleague forwarded, the check of the mail inside.
    marker: how far the 72 hours have gone on arrival.
    """
    given = answers or {}
    problems = {problem.code for problem in documents_problems if not problem.id}
    wrong_version = bool(problems & WRONG_VERSION)
    unreadable = bool(problems - {"wrong_version", "old_edition"} - (_ENCLOSURES if has_form else frozenset()))
    reasons = (
        *_from_notice(kind, given, severity, danger_words, marker),
        *_from_assessment(score),
        *_from_sender(sender_verdict, inner_verdict, provider_known),
        *_from_documents(unreadable, wrong_version),
    )
    marks = [reason.code for reason in reasons]
    if kind is CaseKind.BREACH_NOTICE and not has_form:
        marks.append(READ_FIRST)
    if severity is not None and severity.flags:
        marks.append(CHECK_FIRST)
    status = _status(kind, sender_verdict, inner_verdict, unreadable, POSSIBLE_DANGER in marks)
    return Route(status, tuple(dict.fromkeys(marks)), reasons)


def _status(kind: CaseKind, verdict: VerdictCode, inner: VerdictCode | None, unreadable: bool, danger: bool) -> Status:
    doubtful = verdict not in ACCEPTED or (inner is not None and inner not in ACCEPTED)
    if doubtful and kind is not CaseKind.BREACH_NOTICE and not danger:
        return Status.HELD
    return Status.NEEDS_PERSON if unreadable else Status.OPEN


def ends_as(status: Status) -> OutcomeCode:
    """The outcome of a message that opened a case in this state."""
    ends = {Status.HELD: OutcomeCode.HELD, Status.NEEDS_PERSON: OutcomeCode.NEEDS_PERSON}
    return ends.get(status, OutcomeCode.CASE_OPENED)


# ---- reasons -------------------------------------------------------------------------------------


def _from_notice(
    kind: CaseKind, answers: Answers, severity: Severity | None, danger_words: bool, marker: MarkerState
) -> Iterator[Reason]:
    if code(answers, "A07") == "yes":
        yield _reason("DANGER", "Somebody is in danger now (A07). Police on 111 first, then call the provider.", "A07")
        yield _reason(POSSIBLE_DANGER, "Read this first: somebody may be at risk.")
    elif danger_words:
        yield _reason(POSSIBLE_DANGER, "The words of the mail sound like danger to somebody. Read this first.")
    if kind is not CaseKind.BREACH_NOTICE:
        return
    for name, holds, text, *questions in _statements(answers):
        if holds:
            yield _reason(name, text, *questions)
    if severity is not None and any(reason.code == "TOO_LITTLE_KNOWN" for reason in severity.reasons):
        yield _reason(
            "TOO_LITTLE_KNOWN",
            "Neither who may have it nor what it tells is known (A10, A11). Call and ask.",
            "A10",
            "A11",
        )
    if marker is not MarkerState.CALM:
        yield _reason("CLOCK_72H", "More than a day of the 72 hours had passed when it came (A08).", "A08")


def _statements(answers: Answers) -> tuple[tuple[str, bool, str, *tuple[str, ...]], ...]:
    cause, kinds, people = code(answers, "B05"), codes(answers, "B08"), codes(answers, "B11")
    secret_place = code(answers, "A11") == "where_when" or "address_kept_secret" in kinds
    ordered = code(answers, "B09") in ("suppression", "by_law", "protection_order", "family_court")
    child = "child" in kinds or "children_u16" in people
    supplier = cause == "supplier_hit" or code(answers, "B04") == "our_supplier"
    return (
        ("LOCATION", secret_place, "It tells where somebody is who needs to be safe (A11, B08).", "A11", "B08"),
        ("RANSOM", cause == "ransomware", "Files are locked by somebody who may have copied them (B05).", "B05"),
        ("COURT_ORDER", ordered, "A court order or a suppression covers it (B09).", "B09"),
        ("CHILD_INVOLVED", child, "A child’s information is in it (B08, B11).", "B08", "B11"),
        (
            "SUPPLIER_CHAIN",
            supplier,
            "It happened at a supplier, so other providers may be hit too (B04, B05).",
            "B04",
            "B05",
        ),
        (
            "PROVIDER_SAYS_SERIOUS",
            code(answers, "B18") == "serious_likely",
            "The provider says that serious harm is likely (B18).",
            "B18",
        ),
    )


def _from_assessment(score: GapScore | None) -> Iterator[Reason]:
    if score is not None and score.key_gaps_without_plan:
        named = ", ".join(score.key_gaps_without_plan)
        many = len(score.key_gaps_without_plan)
        text = f"{many} key gap{'s have' if many > 1 else ' has'} no plan: {named}. Ask for what, who and by when."
        yield _reason(KEY_GAP_NO_PLAN, text, *score.key_gaps_without_plan)


def of_sender(verdict: VerdictCode, inner: VerdictCode | None, provider_known: bool) -> tuple[Reason, ...]:
    """What a sender check puts on a case; none of it stays when another check takes its place."""
    return tuple(_from_sender(verdict, inner, provider_known))


OF_SENDER = frozenset({"LOOKALIKE", "SENDER_UNVERIFIED", UNKNOWN_PROVIDER})


def _from_sender(verdict: VerdictCode, inner: VerdictCode | None, provider_known: bool) -> Iterator[Reason]:
    for checked in (verdict, inner):
        if checked is V.LOOKALIKE:
            yield _reason("LOOKALIKE", _SENDER[checked])
        elif checked is not None and checked in _SENDER:
            yield _reason("SENDER_UNVERIFIED", _SENDER[checked])
    if not provider_known:
        yield _reason(UNKNOWN_PROVIDER, "We don’t know yet which provider this is about.")


def _from_documents(unreadable: bool, wrong_version: bool) -> Iterator[Reason]:
    if unreadable:
        yield _reason(UNREADABLE, "A document could not be read by the system. A person must read it.")
    if wrong_version:
        yield _reason("WRONG_VERSION", "The form is of another edition. Ask only what is new.")


def _reason(name: str, text: str, *questions: str) -> Reason:
    return Reason(code=name, text=text, questions=questions)


# ---- what the sender is told ---------------------------------------------------------------------

FULL = "acknowledgement_full"  # reference, what happens next, due time
PLAIN = "acknowledgement_plain"  # reference, without details
NEUTRAL = "acknowledgement_neutral"  # somebody wrote to us in your name; no reference
ADVICE = "acknowledgement_advice"  # neutral, and how to send from an account that the provider controls
STAFF = "acknowledgement_staff"  # to the colleague who forwarded it

_TEMPLATES = {
    V.VERIFIED_ACCOUNT: FULL,
    V.VERIFIED_DOMAIN: FULL,
    V.EXCEPTION_ADDRESS: FULL,
    V.PROBABLE: PLAIN,
    V.UNAUTHENTICATED: NEUTRAL,
    V.PERSONAL_ACCOUNT: ADVICE,
    V.UNKNOWN_DOMAIN: NEUTRAL,
    V.STAFF_FORWARD: STAFF,
}
_SILENT = frozenset({OutcomeCode.AUTOMATIC, OutcomeCode.DUPLICATE})


def acknowledge(verdict: VerdictCode, kind: CaseKind, outcome: OutcomeCode) -> str | None:
    """The template of the one automatic answer to a message, or None for silence.

    It goes to the address that was checked and to no other: the verified sender, and for a staff forward the
    colleague, never the mail inside. Nobody is answered whose mail failed its check, imitates a provider, is
    malformed, automatic, or unknown and unverified. Whether a cap is reached is asked elsewhere.
    """
    return None if outcome in _SILENT else _TEMPLATES.get(verdict)
