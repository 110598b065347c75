"""Steps 6 to 8: from what was read to the cases that it makes, each with band, route, clocks and what is still open.

One case a form, the breach notice first; a mail without a readable form makes one case of the kind that its words suggest, for a
person to read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from forms import load
from forms.check import check
from forms.schema import Answers, Form, Problem
from intake.domain import assessment, breach, clocks, kind, routing
from intake.domain.kind import KindGuess
from intake.domain.marks import CHECK_FIRST, MAIL_NOTE, NOT_ALL_READ, POSSIBLE_NOTICE, QUARANTINED, READ_FIRST
from intake.domain.model import (
    FORMS,
    CaseDraft,
    CaseKind,
    Due,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
    Status,
)
from intake.domain.page_pictures import joined
from intake.domain.severity import decide
from intake.domain.web_submission import organisation

SURE = 0.9  # below it a person confirms the answer first
_NO_WORDS, _NAME_AND_NUMBER = 4, 25  # words: a greeting, no more; and what stands below it
_SIGNATURE = re.compile(r"^--\s*$|\n\s*\n", re.MULTILINE)
_BREACH = re.compile(r"(?<![^\W_])(?:privacy|data)?[\W_]*breach", re.IGNORECASE)
_LEFT_OUT = re.compile(r"not (?:read|opened|be whole)|only .{0,8}beginning", re.IGNORECASE)
_KINDS = {form: kind for kind, form in FORMS.items()}
_ORDER = {CaseKind.BREACH_NOTICE: 0, CaseKind.SELF_ASSESSMENT: 1, CaseKind.OTHER: 2}


@dataclass(frozen=True, slots=True)
class RuleNumbers:
    """By which rule sets a case is judged; "" is the latest. A case keeps those that it was judged by."""

    severity: str = ""
    clock: str = ""


LATEST = RuleNumbers()


def of_mail(
    reads: Sequence[ReadDocument],
    guess: KindGuess,
    sender: SenderCheck,
    received_at: datetime,
    reasons: tuple[Reason, ...] = (),
) -> tuple[CaseDraft, ...]:
    """The cases of one mail, the breach notice first; at least one.

    reads: its documents in order. guess: what the mail's own words suggest. received_at: aware UTC.
    """
    reads = joined(reads)
    forms = _forms_of(reads)
    if forms:
        beside = tuple(p for read in reads if not read.form for p in read.problems)
        made = [draft_of_form(_with(reads[i], beside), i, sender, received_at, guess, reasons) for i in forms]
        if guess.kind is CaseKind.BREACH_NOTICE and not any(d.kind is CaseKind.BREACH_NOTICE for d in made):
            made = [_may_be_a_notice(draft, guess) for draft in made]
    else:
        made = [_without_form(reads, guess, sender, received_at, reasons)]
    marks = (*(r.code for r in reasons), *((QUARANTINED,) if any(r.quarantined for r in reads) else ()))
    made = [replace(d, marks=tuple(dict.fromkeys((*d.marks, *marks)))) for d in made]
    return tuple(sorted(made, key=lambda d: _ORDER[d.kind]))


def most_telling(mails: Sequence[tuple[str, str]], names: Sequence[str], to_many: bool = False) -> KindGuess:
    """What the words of a mail, or of the mails inside it, suggest.

    mails: subject and body of each. names: of the attachments. A mail without words of its own that calls itself a breach, in its
    subject or in the name of a file, is taken for a notice: whoever reads it finds out, and nobody waits for it.
    """
    notice = CaseKind.BREACH_NOTICE
    guesses = [kind.of_mail(subject, body, names, to_many) for subject, body in mails]
    best = max(guesses, key=lambda g: (g.kind is notice, g.danger, g.kind is not CaseKind.OTHER, g.score))
    silent = all(map(_says_nothing, (body for _, body in mails)))
    if best.kind is CaseKind.OTHER and silent and says_breach(*(s for s, _ in mails), *names):
        return replace(best, kind=notice, words=("breach",))
    return best


def _says_nothing(body: str) -> bool:
    """Whether a text is a greeting, and a name below it."""
    return (
        len(_SIGNATURE.split(body.strip(), maxsplit=1)[0].split()) <= _NO_WORDS
        and len(body.split()) <= _NAME_AND_NUMBER
    )


def says_breach(*words: str) -> bool:
    return any(map(_BREACH.search, words))


def not_whole(notes: Sequence[str]) -> tuple[Reason, ...]:
    """What staff should know of how a mail could be opened. notes: sentences of its envelope."""
    return tuple(Reason(NOT_ALL_READ if _LEFT_OUT.search(note) else MAIL_NOTE, note) for note in notes)


def of_web(read: ReadDocument, sender: SenderCheck, received_at: datetime) -> tuple[CaseDraft, ...]:
    return (draft_of_form(read, 0, sender, received_at, None, ()),)


def draft_of_form(
    read: ReadDocument,
    index: int | None,
    sender: SenderCheck,
    received_at: datetime,
    guess: KindGuess | None = None,
    reasons: tuple[Reason, ...] = (),
    rules: RuleNumbers = LATEST,
) -> CaseDraft:
    """The case that one read form makes."""
    form = load.form(f"{read.form}@{read.edition}")
    kind = _KINDS.get(form.kind, CaseKind.OTHER)
    answers = {question: a.value for question, a in read.answers.items()}
    severity = decide(answers, rules.severity, unsure(read.answers)) if kind is CaseKind.BREACH_NOTICE else None
    score = assessment.score(form, answers) if kind is CaseKind.SELF_ASSESSMENT else None
    aware_at, about = breach.aware_at(answers) if kind is CaseKind.BREACH_NOTICE else (None, False)
    route = routing.route(
        kind,
        sender.verdict,
        severity,
        score,
        answers,
        read.problems,
        _provider(sender) is not None,
        danger_words=bool(guess and guess.danger),
        inner_verdict=sender.inner.verdict if sender.inner else None,
        marker=clocks.marker_state(aware_at or received_at, received_at).state,
    )
    marks = route.marks if not unsure(read.answers) else tuple(dict.fromkeys((*route.marks, CHECK_FIRST)))
    return CaseDraft(
        kind=kind,
        status=route.status,
        provider=_provider(sender),
        service=_service(answers),
        duty=breach.duty(answers) if kind is CaseKind.BREACH_NOTICE else "not_known",
        sender=sender,
        severity=severity,
        score=score,
        due=_due(kind, severity, received_at, aware_at, about, rules.clock),
        aware_at=aware_at,
        marks=marks,
        reasons=(*route.reasons, *reasons),
        answers=read.answers,
        form=form.kind,
        edition=form.edition,
        document=index,
        says_provider=organisation(form.kind, answers),
        problems=_problems(form, answers, read.problems),
    )


def _provider(sender: SenderCheck) -> str | None:
    """Whose account sent it; of a mail that a colleague forwarded, whose account sent the mail inside."""
    return sender.provider or (sender.inner.provider if sender.inner else None)


def unsure(answers: Mapping[str, ReadAnswer]) -> tuple[str, ...]:
    """Ids of the answers that a person confirms first."""
    return tuple(q for q, a in answers.items() if a.confidence < SURE)


def still_unread(
    form: Form, problems: Sequence[Problem], answers: Answers, again: Collection[str]
) -> tuple[Problem, ...]:
    """Of what a case has kept, the answers that stand in a document and could not be read, until there is a word on them.

    answers: as they stood when the problems were kept; what `check` says of them is asked anew. again: questions on which there is
    a word now.
    """
    asked = {(p.id, p.code) for p in check(form, answers)}
    return tuple(
        p for p in problems if form.question(p.question) and p.question not in again and (p.id, p.code) not in asked
    )


def _with(read: ReadDocument, beside: tuple[Problem, ...]) -> ReadDocument:
    """The form with what is wrong with the files beside it: one that nobody could open must not go unseen."""
    return replace(read, problems=(*read.problems, *(p for p in beside if not p.id))) if beside else read


def _forms_of(reads: Sequence[ReadDocument]) -> list[int]:
    """Indexes of the documents that are a form; the same answers twice (the file and its print) count once."""
    chosen: list[int] = []
    for i, read in enumerate(reads):
        if not read.form:
            continue
        same = [j for j in chosen if reads[j].form == read.form and _values(reads[j]) == _values(read)]
        if not same:
            chosen.append(i)
    return chosen


def _values(read: ReadDocument) -> Answers:
    return {question: a.value for question, a in read.answers.items()}


def _may_be_a_notice(draft: CaseDraft, guess: KindGuess) -> CaseDraft:
    """A self-assessment whose covering words may tell of a breach: a person reads it first, and it is not held."""
    text = f"The words around the form may tell of a breach: {', '.join(guess.words[:4])}. Read the mail first."
    return replace(
        draft,
        status=Status.OPEN if draft.status is Status.HELD else draft.status,
        marks=tuple(dict.fromkeys((*draft.marks, READ_FIRST))),
        reasons=(Reason(POSSIBLE_NOTICE, text), *draft.reasons),
    )


def _without_form(
    reads: Sequence[ReadDocument],
    guess: KindGuess,
    sender: SenderCheck,
    received_at: datetime,
    reasons: tuple[Reason, ...],
) -> CaseDraft:
    problems = tuple(p for read in reads for p in read.problems)
    severity = _nothing_answered() if guess.kind is CaseKind.BREACH_NOTICE else None
    route = routing.route(
        guess.kind,
        sender.verdict,
        severity,
        None,
        {},
        problems,
        _provider(sender) is not None,
        has_form=False,
        danger_words=guess.danger,
        inner_verdict=sender.inner.verdict if sender.inner else None,
    )
    return CaseDraft(
        kind=guess.kind,
        status=route.status,
        provider=_provider(sender),
        service="",
        duty="not_known",
        sender=sender,
        severity=severity,
        score=None,
        due=_due(guess.kind, severity, received_at, None, True),
        aware_at=None,
        marks=route.marks,
        reasons=(*route.reasons, *guess.reasons, *reasons),
        answers={},
        form=None,
        edition=None,
        document=None,
        problems=problems,
    )


@cache
def _nothing_answered() -> Severity:
    """Most notices in plain words end here, and what would change the band is dear to find out."""
    return decide({})


def _due(
    kind: CaseKind,
    severity: Severity | None,
    received_at: datetime,
    aware_at: datetime | None,
    about: bool,
    rule: str = "",
) -> Due:
    if kind is CaseKind.BREACH_NOTICE and severity:
        return clocks.due_for_notice(severity.band, received_at, aware_at, about, rule)
    if kind is CaseKind.SELF_ASSESSMENT:
        return clocks.due_for_assessment(received_at, rule)
    return clocks.due_for_other(received_at, rule)


def _service(answers: Answers) -> str:
    for question in ("B07", "P_SERVICES"):
        value = answers.get(question)
        if isinstance(value, list) and value:
            return ",".join(str(v) for v in value)
    return ""


def _problems(form: Form, answers: Answers, read: tuple[Problem, ...]) -> tuple[Problem, ...]:
    known = {(p.id, p.code) for p in read}
    return (*read, *(p for p in check(form, answers) if (p.id, p.code) not in known))


__all__ = ["RuleNumbers", "draft_of_form", "most_telling", "not_whole", "of_mail", "of_web", "unsure"]
