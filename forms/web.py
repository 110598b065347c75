"""The web face of a form: names of its fields in a page, what was typed in them, and the answers and problems that this comes to.

A page asks in smaller pieces than an answer has: a date is day, month and year, a plan stands under its own gap. `typed` is what
a person wrote, piece by piece and unchanged, so that a page can always give it back; `read` brings it into canonical answers with
`forms.canonical` and `forms.check`, the same as for every other face. No field refuses anything. The one importer of wtforms.

Names: those of `forms.canonical`, and of the pieces `NAME:d`, `NAME:m`, `NAME:y`, `NAME:t` (day, month, year, time of day). A row of
the plan is named by its control, `PLAN[L1-DEV-03].what`, and gets its number when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import wtforms

from forms.canonical import canonical
from forms.check import applies, check, gaps
from forms.load import form as load_form
from forms.schema import Answers, Form, Kind, Problem, Question, question_of

Typed = dict[str, str | list[str]]

PIECES: Mapping[Kind, tuple[str, ...]] = {
    Kind.DATE: ("d", "m", "y"),
    Kind.MONTH: ("m", "y"),
    Kind.TIME: ("d", "m", "y", "t"),
}
_ROW = re.compile(r"([A-Za-z0-9_-]+)\[([A-Za-z0-9_-]+)\]\.(.+)", re.DOTALL)
_DIGITS = re.compile(r"(\d{1,2})(\d{2})(\s*[ap]\.?m\.?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placed:
    """A problem, and the field of a page that it belongs to."""

    name: str  # of the field; of a date or time without its piece
    section: str
    question: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the typed fields come to. Answers to questions that do not apply are left out: nobody sends what is not shown."""

    answers: Answers
    problems: tuple[Placed, ...]

    def of(self, sections: Iterable[str]) -> tuple[Placed, ...]:
        wanted = frozenset(sections)
        return tuple(p for p in self.problems if p.section in wanted)


# ---- names ----------------------------------------------------------------------------------------------------------


def fields_of(question: Question, name: str = "") -> Iterator[tuple[str, Question]]:
    """The fields of one question in a page, with the innermost question that each is for. Rows of registers are left out."""
    name = name or question.id
    if question.kind is Kind.PARTS:
        for part in question.parts:
            yield from fields_of(part, f"{name}.{part.id}")
    elif question.kind in PIECES:
        for piece in PIECES[question.kind]:
            yield f"{name}:{piece}", question
    elif question.kind is not Kind.REGISTER:
        yield name, question


def fields_of_row(register: Question, key: str) -> Iterator[tuple[str, Question]]:
    """The fields of one row. `key` is its number from 1, or for a plan the id of its control."""
    for column in register.columns:
        if not (column.id == "control" and not key.isdigit()):
            yield from fields_of(column, f"{register.id}[{key}].{column.id}")


@lru_cache(maxsize=16)
def _places(kind: str, edition: str) -> dict[str, tuple[str, Question]]:
    form = _loaded(kind, edition)
    return {q.id: (s.id, q) for s in form.sections for q in s.questions}


def _loaded(kind: str, edition: str) -> Form:
    return load_form(f"{kind}@{edition}")


def row_keys(register: Question, typed: Mapping[str, object]) -> list[str]:
    """Keys of the rows in which something was typed, numbers in their order."""
    before = f"{register.id}["
    found = {m[2] for name, value in typed.items() if name.startswith(before) and value and (m := _ROW.fullmatch(name))}
    return sorted(found, key=lambda k: (not k.isdigit(), int(k) if k.isdigit() else 0, k))


def without_row(register: Question, typed: Typed, key: str) -> Typed:
    """The same without that row; the rows after it move up."""
    made: Typed = {}
    for name, value in typed.items():
        found = _ROW.fullmatch(name)
        if found is None or found[1] != register.id or not found[2].isdigit():
            made[name] = value
        elif found[2] != key:
            n = int(found[2])
            made[f"{register.id}[{n - 1 if n > int(key) else n}].{found[3]}"] = value
    return made


# ---- from what was typed to answers ---------------------------------------------------------------------------------


def read(form: Form, typed: Mapping[str, str | list[str]]) -> Reading:
    """Canonical answers and problems, in the form's order; one problem a field."""
    fields, rows = _combined(form, typed)
    answers, unread = canonical(form, fields)
    plan = form.plan
    if plan is not None:
        open_gaps = {q.id for q in gaps(form, answers)}
        rows[plan.id] = [key for key in row_keys(plan, typed) if key in open_gaps]
        rows[plan.id].sort(key=[q.id for q in form.questions].index)
        plan_fields = dict(_plan_fields(plan, rows[plan.id], typed))
        planned, more = canonical(form, plan_fields) if plan_fields else ({}, ())
        answers |= planned
        unread = (*unread, *more)
    answers = _applying(form, answers)
    problems: dict[str, Placed] = {}
    for problem in (*(p for p in unread if p.question in answers or _asked(form, p, answers)), *check(form, answers)):
        placed = _placed(form, problem, rows)
        problems.setdefault(placed.name, placed)
    order = {i: n for n, i in enumerate(_places(form.kind, form.edition))}
    return Reading(answers, tuple(sorted(problems.values(), key=lambda p: order[p.question])))


def _applying(form: Form, answers: Answers) -> Answers:
    """Without what does not apply; an answer that goes may take the reason for another with it."""
    places = _places(form.kind, form.edition)
    kept = {i: value for i, value in answers.items() if applies(form, places[i][1], answers)}
    return kept if len(kept) == len(answers) else _applying(form, kept)


def _asked(form: Form, problem: Problem, answers: Answers) -> bool:
    question = form.question(problem.question)
    return question is not None and applies(form, question, answers)


def _combined(form: Form, typed: Mapping[str, str | list[str]]) -> tuple[dict[str, object], dict[str, list[str]]]:
    """Fields as `canonical` takes them, and which rows of each register they are."""
    fields: dict[str, object] = {}
    rows: dict[str, list[str]] = {}
    plan = form.plan
    for question in form.questions:
        if question is plan:
            continue
        if question.kind is Kind.REGISTER:
            rows[question.id] = row_keys(question, typed)
            for n, key in enumerate(rows[question.id], 1):
                for column in question.columns:
                    wanted, there = f"{question.id}[{n}].{column.id}", f"{question.id}[{key}].{column.id}"
                    fields.update(_joined(column, wanted, there, typed))
        else:
            fields.update(_joined(question, question.id, question.id, typed))
    return fields, rows


def _plan_fields(
    plan: Question, controls: Sequence[str], typed: Mapping[str, str | list[str]]
) -> Iterator[tuple[str, object]]:
    for n, control in enumerate(controls, 1):
        yield f"{plan.id}[{n}].control", control
        for column in plan.columns:
            if column.id != "control":
                yield from _joined(column, f"{plan.id}[{n}].{column.id}", f"{plan.id}[{control}].{column.id}", typed)


def _joined(
    question: Question, wanted: str, there: str, typed: Mapping[str, str | list[str]]
) -> Iterator[tuple[str, object]]:
    if question.kind is Kind.PARTS:
        for part in question.parts:
            yield from _joined(part, f"{wanted}.{part.id}", f"{there}.{part.id}", typed)
    elif question.kind in PIECES:
        text = _written(question.kind, [_text(typed.get(f"{there}:{p}")) for p in PIECES[question.kind]])
        if text:
            yield wanted, text
    elif typed.get(there):
        yield wanted, typed[there]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _written(kind: Kind, pieces: Sequence[str]) -> str:
    """The pieces as one text. A year alone is no answer: the page puts it there itself."""
    clock = pieces[3] if kind is Kind.TIME else ""
    day = [p for p in pieces[:3] if p]
    if not clock and day == [pieces[1] if kind is Kind.MONTH else pieces[2]]:
        return ""
    digits = _DIGITS.fullmatch(clock)
    clock = f"{digits[1]}:{digits[2]}{digits[3] or ''}" if digits else clock
    return ", ".join(p for p in (" ".join(day), clock) if p)


def _placed(form: Form, problem: Problem, rows: Mapping[str, Sequence[str]]) -> Placed:
    places, plan = _places(form.kind, form.edition), form.plan
    root = problem.question
    section, question = places[root]
    name = problem.id
    found = _ROW.fullmatch(problem.id) if "[" in problem.id else None
    keys = rows.get(root, ())
    if found and found[2].isdigit() and int(found[2]) <= len(keys):
        key = keys[int(found[2]) - 1]
        name = f"{root}[{key}].{found[3]}"
        if plan is not None and question is plan:
            section, question = places[key]
    elif problem.code == "plan_missing" and plan is not None:
        name = f"{plan.id}[{root}].what"
    elif question.kind is Kind.PARTS and name == root:
        name = f"{root}.{question.parts[0].id}"
    return Placed(name, section, question.id, problem.code, problem.message)


def rows_of(form: Form, register: Question, typed: Mapping[str, str | list[str]]) -> dict[str, dict[str, object]]:
    """The rows of a register by their key, read; a row in which nothing can be read is empty."""
    read_rows: dict[str, dict[str, object]] = {}
    for key in row_keys(register, typed):
        fields: dict[str, object] = {}
        for column in register.columns:
            name = f"{register.id}[1].{column.id}"
            fields.update(_joined(column, name, f"{register.id}[{key}].{column.id}", typed))
        answers, _ = canonical(form, fields)
        rows = answers.get(register.id)
        read_rows[key] = rows[0] if isinstance(rows, list) else {}
    return read_rows


def unread(form: Form, typed: Mapping[str, str | list[str]], reading: Reading) -> tuple[tuple[str, str], ...]:
    """What was typed and could not be read: the question's words, and the text as it stands. So that a person reads it."""
    fields, _ = _combined(form, typed)
    found: list[tuple[str, str]] = []
    for problem in reading.problems:
        text = fields.get(problem.name)
        question = form.question(problem.question)
        if problem.code in ("unreadable", "unknown_choice") and isinstance(text, str) and question is not None:
            found.append((question.label, text))
    return tuple(found)


# ---- the form of wtforms --------------------------------------------------------------------------------------------


class _OneOf(wtforms.RadioField):
    """Takes any code; whether it is a choice is said by the one check."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate_choice=False, choices=[], **kwargs)

    def process_data(self, value: object) -> None:
        self.data = value if isinstance(value, str) else None

    def pre_validate(self, form: wtforms.Form) -> None:
        return None


class _Several(wtforms.SelectMultipleField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate_choice=False, choices=[], **kwargs)

    def process_data(self, value: object) -> None:
        self.data = list(value) if isinstance(value, list) else []

    def pre_validate(self, form: wtforms.Form) -> None:
        return None


class _Tick(wtforms.StringField):
    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0] if valuelist else ""


class WebForm(wtforms.Form):
    """Fields of some sections. `typed` gives back what was sent, `validate` puts each problem to its field."""

    about: Form
    sections: tuple[str, ...]

    def typed(self, before: Mapping[str, str | list[str]], shown: Iterable[str]) -> Typed:
        """What was there before with what was sent over it.

        shown: ids of the questions that stood on the page. Boxes of others were not sent because they were not there.
        """
        on_page = frozenset(shown)
        made: Typed = dict(before)
        for name, field in self._fields.items():
            unsent = isinstance(field, _Several | _Tick) and not field.raw_data
            if unsent and question_of(name) not in on_page:
                continue
            made[name] = field.data or ""
        return {name: value for name, value in made.items() if value}

    def validate(self, extra_validators: object = None, before: Mapping[str, str | list[str]] | None = None) -> bool:
        """True when nothing in these sections is missing or wrong. `before`: what the other sections hold."""
        typed = self.typed(before or {}, [question_of(n) for n in self._fields])
        found = read(self.about, typed).of(self.sections)
        for problem in found:
            field = self._fields.get(problem.name) or self._fields.get(f"{problem.name}:d")
            field = field or self._fields.get(f"{problem.name}:m")
            if field is not None:
                field.errors = [*field.errors, problem.message]
        return not found


@lru_cache(maxsize=256)
def _class(name: str, sections: tuple[str, ...], rows: tuple[tuple[str, str], ...]) -> type[WebForm]:
    form = load_form(name)
    asked = [q for s in form.sections if s.id in sections for q in s.questions]
    fields = [f for q in asked for f in fields_of(q)]
    plan = form.plan
    fields += [f for q in asked if q.control and plan for f in fields_of_row(plan, q.id)]
    fields += [f for q in asked for register, key in rows if register == q.id for f in fields_of_row(q, key)]
    members: dict[str, Any] = {field: _field(question) for field, question in fields}
    return type("WebForm", (WebForm,), {"about": form, "sections": sections, **members})


def web_form(form: Form, section_ids: Sequence[str], rows: Sequence[tuple[str, str]] = ()) -> type[WebForm]:
    """A class of wtforms for these sections, made from the edition's text.

    rows: (register, number) of each row of a register that the page carries.
    """
    return _class(form.name, tuple(section_ids), tuple(rows))


def sent_rows(form: Form, section_ids: Sequence[str], sent: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Which rows of registers the names of a posted page belong to; numbers above a register's most are ignored."""
    plan = form.plan
    most = {
        q.id: q.max_rows
        for s in form.sections
        if s.id in section_ids
        for q in s.questions
        if q.kind is Kind.REGISTER and q is not plan
    }
    matches = (_ROW.fullmatch(name) for name in sent)
    rows = {(m[1], m[2]) for m in matches if m and m[1] in most and m[2].isdigit() and len(m[2]) < 4}
    return tuple(sorted((r, k) for r, k in rows if 1 <= int(k) <= most[r] and str(int(k)) == k))


def _field(question: Question) -> Any:
    if question.kind is Kind.MULTI:
        return _Several()
    if question.kind is Kind.TICK or (question.kind is Kind.CHOICE and question.id == "zone"):
        return _Tick()
    if question.kind is Kind.CHOICE:
        return _OneOf()
    return wtforms.TextAreaField() if question.kind is Kind.LONG_TEXT else wtforms.StringField()
