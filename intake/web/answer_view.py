"""Answers as staff read and correct them: where each was read, how surely, what a person did to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from forms.canonical import flat
from forms.schema import Form, Kind, Question
from forms.shown import shown
from intake import case_reading
from intake.domain import nz_words
from intake.domain.model import ReadAnswer
from intake.ports import CaseView

_HOW = {
    "acroform": "field of the form",
    "xfa": "field of the form",
    "layout": "read by its place on the page",
    "ocr": "read from a picture",
    "docx": "Word form",
    "xlsx": "spreadsheet",
    "odt": "text document",
    "text": "typed into the mail",
    "web": "web form",
    "person": "entered by staff",
    "none": "not read",
}
_HOW_CORRECTED = {
    "confirmed": "confirmed",
    "corrected": "corrected",
    "entered": "entered",
    "unreadable": "cannot be read",
}


class Field(NamedTuple):
    """One control of a correction form."""

    name: str
    label: str
    kind: str  # text, lines, choice, tick
    value: Any
    choices: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """An answer with where it came from."""

    id: str
    label: str
    short: str
    words: str
    how: str
    sure: str  # "62 % sure", or empty
    doubt: str  # why a person must look, or empty
    written: str = ""  # what stood there and could not be read
    fields: tuple[Field, ...] = ()
    changed: str = ""  # what a person did to it
    can_fix: bool = True


def answers_of(
    case: CaseView, edition: Form | None, names: Mapping[str, str], now: datetime, fix: str
) -> tuple[list[Answer], list[Answer]]:
    """Those that need a person, and the rest, in the form's order."""
    if edition is None:
        return [], []
    wanted, standing = case_reading.doubtful(case), case_reading.standing(case)
    why, written = _doubts(case), _written(case)
    changed = _changed(case, edition, names, now)
    doubtful = [
        _answer(q, standing.get(q.id), why.get(q.id, ""), edition, changed.get(q.id, ""), True)._replace(
            written=written.get(q.id, "")
        )
        for q in (edition.question(i) for i in wanted)
        if q is not None
    ]
    rest = [
        _answer(q, standing.get(q.id), "", edition, changed.get(q.id, ""), q.id == fix)
        for q in edition.questions
        if q.id not in wanted and (q.id in standing or q.id in changed)
    ]
    return doubtful, rest


def _doubts(case: CaseView) -> dict[str, str]:
    why: dict[str, str] = {}
    for problem in case.problems:
        why.setdefault(problem.question, problem.message)
    for flag in case.severity.flags if case.severity else ():
        for question in flag.questions:
            why[question] = flag.text
    return why


def _written(case: CaseView) -> dict[str, str]:
    """By question, what the documents say where we could not read it."""
    words: dict[str, dict[str, None]] = {}
    for problem in case.problems:
        if problem.id and problem.written:
            words.setdefault(problem.question, {})[problem.written] = None
    return {question: " · ".join(each) for question, each in words.items()}


def _changed(case: CaseView, edition: Form, names: Mapping[str, str], now: datetime) -> dict[str, str]:
    """What people did to each answer, in order, with what it said before."""
    said: dict[str, str] = {}
    for c in case.corrections:
        words = f"{_HOW_CORRECTED.get(c.how, c.how)} by {names.get(c.by, c.by)}, {nz_words.short(c.at, now)}"
        question = edition.question(c.question)
        if question is not None and c.old is not None and c.old != c.value:
            words += f"; it said: {shown(question, c.old)}"
        said[c.question] = " · ".join(x for x in (said.get(c.question, ""), words) if x)
    return said


def typing(case: CaseView, edition: Form | None, fix: str) -> Answer | None:
    """The open question that somebody wants to type in now."""
    question = edition.question(fix) if edition else None
    if edition is None or question is None or fix in case_reading.standing(case):
        return None
    return _answer(question, None, "", edition, "", True)


def _answer(
    question: Question, given: ReadAnswer | None, doubt: str, edition: Form, changed: str, controls: bool
) -> Answer:
    """controls: with fields to correct it; the others get a link, so that the page stays light."""
    sure = f"{given.confidence * 100:.0f} % sure" if given and given.confidence < 1 else ""
    how = _HOW.get(given.how, given.how) if given else ""
    if given and given.page:
        how += f", page {given.page}"
    words = shown(question, given.value) if given else ""
    return Answer(
        id=question.id,
        label=question.label,
        short=question.short or question.label,
        words=words,
        how=how,
        sure=sure,
        doubt=doubt,
        fields=fields(edition, question, given.value if given else None) if controls else (),
        changed=changed,
        can_fix=question.kind is not Kind.REGISTER,
    )


def fields(edition: Form, question: Question, value: object) -> tuple[Field, ...]:
    """Controls to correct one answer. A register is corrected as a whole on the document, not here."""
    if question.kind is Kind.REGISTER:
        return ()
    filled = flat(edition, {question.id: value}) if value is not None else {}
    parts = question.parts or (question,)
    return tuple(_field(question, part, filled) for part in parts)


def _field(question: Question, part: Question, filled: Mapping[str, Any]) -> Field:
    name = question.id if part is question else f"{question.id}.{part.id}"
    label = part.short or part.label
    value = filled.get(name, "")
    if part.kind is Kind.CHOICE:
        return Field(name, label, "choice", value, case_reading.choices_of(part))
    if part.kind is Kind.MULTI:
        chosen = value if isinstance(value, list) else [value] if value else []
        chosen = [*chosen, *(k.removeprefix(f"{name}.") for k in filled if k.startswith(f"{name}."))]
        return Field(name, label, "many", chosen, case_reading.choices_of(part))
    if part.kind is Kind.TICK:
        return Field(name, label, "tick", bool(value))
    if part.kind is Kind.TIME and isinstance(value, str) and value:
        return Field(name, label, "text", _time_words(value))
    return Field(name, label, "lines" if part.kind is Kind.LONG_TEXT else "text", value)


def _time_words(value: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    local = nz_words.local(at)
    return f"{local.day} {local:%B} {local.year}, {nz_words.clock(at)}"


def suggestions(case: CaseView, edition: Form | None) -> list[tuple[str, str, str]]:
    """From documents that are not our form: question, what it may be, and how surely. Never taken by themselves."""
    found = []
    for each in case.suggestions:
        question = edition.question(str(each.get("question", ""))) if edition else None
        label = question.short if question else str(each.get("label", each.get("question", "")))
        value = each.get("value", each.get("text", ""))
        words = shown(question, value) if question else str(value)
        sure = each.get("confidence")
        found.append((label, words, f"{float(sure) * 100:.0f} % sure" if isinstance(sure, (int, float)) else ""))
    return found
