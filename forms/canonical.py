"""Answers in one form: from the fields of any face to canonical answers, and back to fields, bytes and words.

Field names are those of every fillable face: `ID`, `ID.part`, `ID.code` for the box of a multiple choice,
`ID[n].column` and `ID[n].column.code` for a register, n from 1. Nothing here raises on what somebody wrote: what cannot
be read is not answered, and a problem says so.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from forms.check import which_times
from forms.schema import Answers, Form, Kind, Problem, Question
from forms.shown import shown
from forms.written import HOME, read_date, read_moment, read_month, read_number

__all__ = ["canonical", "encode", "flat", "shown"]

_FIELD = re.compile(r"([A-Za-z0-9_-]+)(?:\[([0-9]{1,4})\])?(?:\.(.+))?", re.DOTALL)
_ON = frozenset({"yes", "on", "true", "1", "x", "y", "ja", "✓", "✔", "☑", "☒", "✗", "✘"})
_OFF = frozenset({"", "off", "no", "false", "0", "n", "☐"})
_DONT_KNOW = ("dont_know", "dont_know_yet", "not_sure")
_DONT_KNOW_LABELS = ("i don't know", "i don't know yet", "don't know", "don't know yet")
_NEW_LINES = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f]")
_MOST_SHOWN = 500  # characters of what could not be read that go with the problem
_LONE_HALF = re.compile(r"[\ud800-\udfff]")


def canonical(form: Form, raw: Mapping[str, object]) -> tuple[Answers, tuple[Problem, ...]]:
    """The canonical answers that the fields of `raw` hold, and what could not be read.

    A value is the text of a field, a list of texts, a bool, or a canonical answer already, which passes unchanged.
    Fields of another form are ignored. Codes of problems: unreadable, unknown_choice, time_missing, which_time.
    """
    problems: list[Problem] = []
    answers = _Group(form.questions, _Fields.of(raw), "", problems).answers()
    rows = answers.get(form.plan.id) if form.plan else None
    if isinstance(rows, list):  # the order of the controls, whatever order its rows were filled in
        order = {q.id: n for n, q in enumerate(form.questions) if q.control}
        rows.sort(key=lambda row: order.get(row.get("control"), len(form.questions)))
    return answers, (*problems, *which_times(form, answers))


def flat(form: Form, answers: Answers) -> dict[str, str | list[str] | bool]:
    """The fields that hold these answers, which `canonical` reads back to the same. Boxes not ticked are left out."""
    return dict(f for q in form.questions if q.id in answers for f in _fields(q, answers[q.id], q.id))


def encode(answers: Answers) -> bytes:
    """The answers as bytes, the same for the same answers: JSON with sorted keys, without spaces, in UTF-8."""
    return json.dumps(answers, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _fields(question: Question, value: object, name: str) -> Iterable[tuple[str, str | list[str] | bool]]:
    if question.kind is Kind.MULTI and isinstance(value, list):
        return [(f"{name}.{code}", True) for code in value]
    if question.kind is Kind.PARTS and isinstance(value, dict):
        return [f for p in question.parts if p.id in value for f in _fields(p, value[p.id], f"{name}.{p.id}")]
    if question.kind is Kind.REGISTER and isinstance(value, list):
        rows = [(n, row) for n, row in enumerate(value, 1) if isinstance(row, dict)]
        cells = [(n, c, row[c.id]) for n, row in rows for c in question.columns if c.id in row]
        return [f for n, c, cell in cells for f in _fields(c, cell, f"{name}[{n}].{c.id}")]
    return [(name, True if value is True else str(value))]


# ---------------------------------------------------------------- fields, sorted by question


@dataclass(slots=True)
class _Field:
    """All that was sent under one question: its own value, values inside it by name, rows by number."""

    whole: object = None
    inside: dict[str, object] = field(default_factory=dict)
    rows: dict[int, dict[str, object]] = field(default_factory=dict)

    def row(self, n: int) -> dict[str, object]:
        return self.rows.setdefault(n, {})


class _Fields(dict[str, _Field]):
    @classmethod
    def of(cls, raw: Mapping[str, object]) -> _Fields:
        made = cls()
        for name, value in raw.items():
            found = _FIELD.fullmatch(name) if isinstance(name, str) else None
            if found is None:
                continue
            own = made.setdefault(found[1], _Field())
            if found[2] is not None and found[3] is not None:
                own.row(int(found[2]))[found[3]] = value
            elif found[2] is not None and isinstance(value, Mapping):
                own.row(int(found[2])).update(value)
            elif found[3] is not None:
                own.inside[found[3]] = value
            else:
                own.whole = value
        return made


@dataclass(slots=True)
class _Group:
    """Questions that stand together: the form's, the parts of one question, or the columns of one row."""

    questions: Sequence[Question]
    fields: _Fields
    before: str  # what stands before their names in a problem
    problems: list[Problem]
    about: bool = False  # a time was written as "about"
    heading: str = ""  # what a person reads above its time, whose own label no page shows

    def answers(self) -> Answers:
        done: Answers = {}
        for question in self.questions:
            sent = self.fields.get(question.id)
            value = self.read(question, sent) if sent else None
            if value is not None:
                done[question.id] = value
        if self.about and self.before and any(q.id == "about" and q.kind is Kind.TICK for q in self.questions):
            done["about"] = True
        return {q.id: done[q.id] for q in self.questions if q.id in done}

    def read(self, question: Question, sent: _Field) -> object:
        at = self.before + question.id
        if question.kind is Kind.PARTS:
            return self.parts(question, sent, at)
        if question.kind is Kind.REGISTER:
            return self.register(question, sent, at)
        if question.kind is Kind.MULTI:
            return self.multi(question, sent, at)
        value = self.single(question, sent.whole, at)
        if value is None or value == "":
            return None
        if question.kind is Kind.CHOICE:
            return self.code(question, value, at)
        if question.kind is Kind.TICK:
            return self.tick(question, value, at)
        if question.kind is Kind.TIME:
            return self.moment(question, value, at)
        return self.plain(question, value, at)

    def parts(self, question: Question, sent: _Field, at: str) -> object:
        inner = dict(sent.whole) if isinstance(sent.whole, Mapping) else {}
        if not isinstance(sent.whole, Mapping) and sent.whole not in (None, ""):
            inner = {question.parts[0].id: sent.whole}  # one box where there should be several
        inner.update(sent.inside)
        group = _Group(question.parts, _Fields.of(inner), f"{at}.", self.problems, heading=question.label)
        return group.answers() or None

    def register(self, question: Question, sent: _Field, at: str) -> object:
        rows: dict[int, dict[str, object]] = {}
        if isinstance(sent.whole, list | tuple):
            rows = {n: dict(row) for n, row in enumerate(sent.whole, 1) if isinstance(row, Mapping)}
        listed = isinstance(sent.whole, list | tuple)
        if (not listed and sent.whole not in (None, "")) or len(rows) < _count(sent.whole):
            self.unreadable(question, at, sent.whole)
        for n, row in sent.rows.items():
            rows[n] = rows.get(n, {}) | row
        read = [
            _Group(question.columns, _Fields.of(rows[n]), f"{at}[{n}].", self.problems).answers() for n in sorted(rows)
        ]
        return [row for row in read if row] or None

    def multi(self, question: Question, sent: _Field, at: str) -> object:
        given = [*_several(question, sent.whole)]
        boxes = dict(sent.inside) | (dict(sent.whole) if isinstance(sent.whole, Mapping) else {})
        given += [code for code, value in boxes.items() if _is_on(value)]
        if sent.whole is not None and not isinstance(sent.whole, str | list | tuple | set | frozenset | Mapping | bool):
            self.unreadable(question, at, sent.whole)
        codes = {self.code(question, g, at) for g in given if g is not None and g != ""}
        return sorted(c for c in codes if c is not None) or None

    # ------------------------------------------------------------ one value

    def single(self, question: Question, value: object, at: str) -> object:
        """The one value of a field; the same text sent several times counts once."""
        if isinstance(value, str):
            return clean(value, one_line=question.kind is not Kind.LONG_TEXT)
        if isinstance(value, list | tuple):
            different = list(dict.fromkeys(clean(v, True) for v in value if isinstance(v, str) and v.strip()))
            if len(different) == 1 and all(isinstance(v, str) for v in value):
                return different[0]
            if value and different != []:
                message = f"Give one answer to “{question.label}”, not several."
                self.problems.append(Problem(at, "unreadable", message, _written(value)))
            elif value and not all(isinstance(v, str) for v in value):
                self.unreadable(question, at, value)
            return None
        if value is None or isinstance(value, bool | int | float | date):
            return value
        self.unreadable(question, at, value)
        return None

    def code(self, question: Question, value: object, at: str) -> str | None:
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        found = _code(question, text)
        if found is None and _fold(text) not in _OFF - {"no", "0", "n"}:
            shown_text = clean(text, True)[:40]
            message = f"“{shown_text}” is not one of the answers to “{question.label}”. Choose one of them."
            self.problems.append(Problem(at, "unknown_choice", message, _written(text)))
        return found

    def tick(self, question: Question, value: object, at: str) -> bool | None:
        if not _is_on(value) and not _is_off(value):
            self.unreadable(question, at, value)
        return True if _is_on(value) else None

    def moment(self, question: Question, value: object, at: str) -> str | None:
        text = value.isoformat() if isinstance(value, date) else value
        found = read_moment(text, self.zone()) if isinstance(text, str) else None
        if found is None:
            self.unreadable(question, at, value)
            return None
        self.about = self.about or found.about
        if found.time_missing:
            message = "Give the time of day too. A guess is fine. Until then we count from the start of that day."
            self.problems.append(Problem(at, "time_missing", message, _written(text)))
        return found.at.isoformat()

    def zone(self) -> str:
        asked = next((q for q in self.questions if q.id == "zone"), None)
        sent = self.fields.get("zone")
        return (_code(asked, str(sent.whole)) if asked and sent else None) or HOME

    def plain(self, question: Question, value: object, at: str) -> object:
        found = _plain(question.kind, value)
        if found is None:
            self.unreadable(question, at, value)
        return found

    def unreadable(self, question: Question, at: str, value: object) -> None:
        how = {
            Kind.DATE: "Write it as day, month and year, for example 22 11 2026.",
            Kind.MONTH: "Write it as month and year, for example 06 2027.",
            Kind.TIME: "Write the date and the time, for example 22 11 2026, 8:10 pm.",
            Kind.NUMBER: "Write one whole number, for example 40.",
        }
        mend = how.get(question.kind, "Please write it again.")
        label = self.heading if self.heading and question.kind is Kind.TIME else question.label
        self.problems.append(Problem(at, "unreadable", f"We could not read “{label}”. {mend}", _written(value)))


def _written(value: object) -> str:
    if isinstance(value, list | tuple):
        return " | ".join(filter(None, map(_written, value)))[:_MOST_SHOWN]
    return clean(value, True)[:_MOST_SHOWN] if isinstance(value, str) else ""


def clean(text: str, one_line: bool = False) -> str:
    """Text as it is kept: NFC, LF line ends, no control characters, no space at its end; one line has no breaks."""
    text = _LONE_HALF.sub("\ufffd", _NOT_TEXT.sub("", _NEW_LINES.sub("\n", text)))
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"\s*\n\s*", " ", text).strip() if one_line else text.rstrip()


def _plain(kind: Kind, value: object) -> object:
    """Text, a date, a month or a number; None when the value is no such thing."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, datetime):
        value = value.date().isoformat()
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, float):
        value = str(int(value)) if value.is_integer() else str(value)
    elif isinstance(value, int):
        value = str(value) if abs(value) < 10**15 else None
    if not isinstance(value, str):
        return None
    if kind is Kind.DATE:
        day = read_date(value)
        return day.isoformat() if day else None
    if kind is Kind.MONTH:
        return read_month(value)
    return read_number(value) if kind is Kind.NUMBER else value


def _code(question: Question, text: str) -> str | None:
    """The choice meant by its code or label, in any capitals. "I don't know" finds the choice that says so."""
    if question.choice(text):
        return text
    wanted = _fold(text)
    for choice in question.choices:
        if wanted in (_fold(choice.code), _fold(choice.label)):
            return choice.code
    if wanted in _DONT_KNOW or wanted in _DONT_KNOW_LABELS:
        unsure = (c.code for c in question.choices if c.code in _DONT_KNOW or _fold(c.label) in _DONT_KNOW_LABELS)
        return next(unsure, None)
    return None


def _several(question: Question, value: object) -> Iterable[object]:
    """What a multiple choice was answered with: a list, or one text that may name several."""
    if isinstance(value, list | tuple | set | frozenset):
        return [v for v in value if isinstance(v, str)]
    if not isinstance(value, str) or not value.strip():
        return []
    return [value] if _code(question, value) else [p.strip() for p in re.split(r"[;\n]|,\s", value) if p.strip()]


def _count(value: object) -> int:
    return len(value) if isinstance(value, list | tuple) else 0


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFC", clean(text, True).casefold()).replace("’", "'").replace("‘", "'")
    return re.sub(r"\s+", " ", folded).strip(" .")


def _is_on(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(_is_on(v) for v in value)
    return value is True or (isinstance(value, str) and _fold(value) in _ON) or (type(value) is int and value == 1)


def _is_off(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str) and _fold(value) in _OFF) or value == 0
