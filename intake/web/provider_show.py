"""What the templates of the provider's pages are given: problems by field, rows of a register, answers to check, progress."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forms.check import applies
from forms.reach import out_of_reach
from forms.schema import Answers, Form, Kind, Question, Required, Section
from forms.shown import shown
from forms.web import Placed, Typed, fields_of, row_keys, rows_of
from intake.domain import nz_words
from intake.web.form_pages import Ask, anchor, row_of

_PER_QUESTION = 1.0  # minutes for one question of the long form
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_PLAN_CODES = frozenset({"plan_missing", "plan_incomplete"})
_TABLE_KINDS = (Kind.CHOICE, Kind.MULTI, Kind.MONTH, Kind.DATE)


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    title: str
    cells: tuple[str, ...]
    needs: tuple[bool, ...]  # whether an empty cell is a gap
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Register:
    """The rows so far, and the row that is open for typing ("" for none)."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    open: str
    open_title: str
    fields: tuple[Ask, ...]
    more: bool  # another row may be added
    known: bool  # the open row holds something


@dataclass(frozen=True, slots=True)
class Page:
    """What some questions need besides what was typed."""

    registers: Mapping[str, Register]
    danger: str = ""  # the question one of whose answers means: call 111 now
    danger_code: str = ""  # that answer
    year: str = ""  # stands in the year of a time that nobody typed yet


def summary(problems: Sequence[Placed]) -> list[tuple[str, str]]:
    """Where each problem's link goes, and its sentence."""
    return [(anchor(p.name), p.message) for p in problems]


def by_field(problems: Sequence[Placed]) -> dict[str, str]:
    return {p.name: p.message for p in problems}


def registers(form: Form, asks: Iterable[Ask], typed: Typed, open_row: str) -> dict[str, Register]:
    """For each register of the page. open_row: "REGISTER N", or empty."""
    found: dict[str, Register] = {}
    for ask in asks:
        if ask.look == "register":
            found[ask.name] = _register(form, ask.question, typed, open_row)
        for opened in ask.opened:
            found |= registers(form, opened.asks, typed, open_row)
    return found


def _register(form: Form, register: Question, typed: Typed, open_row: str) -> Register:
    keys = [k for k in row_keys(register, typed) if k.isdigit()]
    name, _, wanted = open_row.partition(" ")
    key = wanted if name == register.id and wanted.isdigit() else ""
    key = key if key and 1 <= int(key) <= register.max_rows else ""
    key = key or ("1" if not keys else "")
    columns = [c for c in register.columns if c.kind in _TABLE_KINDS or c is register.columns[0]][:5]
    read_rows = rows_of(form, register, typed)
    listed = tuple(_row(form, register, columns, k, read_rows[k]) for k in keys)
    title = next((r.title for r in listed if r.key == key), "")
    return Register(
        heads=tuple(c.short for c in columns),
        rows=listed,
        open=key,
        open_title=f"Finish: {title}" if title else "Add one",
        fields=row_of(form.name, register.id, key) if key else (),
        more=len(keys) < register.max_rows,
        known=key in keys,
    )


def _row(form: Form, register: Question, columns: Sequence[Question], key: str, row: Mapping[str, object]) -> Row:
    number = next((c for c in register.columns if c.kind is Kind.NUMBER), None)
    title = shown(columns[0], row.get(columns[0].id)) or f"Row {key}"
    if number is not None and row.get(number.id):
        title = f"{title}: {row[number.id]}"
    must = {c.id for c in register.columns if c.required is Required.ALWAYS and applies(form, c, dict(row))}
    needed = tuple(c.id in must for c in columns[1:])
    missing = any(i not in row for i in must)
    return Row(key, title, tuple(shown(c, row.get(c.id)) for c in columns[1:]), needed, missing)


# ---- check your answers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    short: str
    said: tuple[str, ...]  # lines of text; empty: not given
    unread: str  # what was typed and could not be read
    anchor: str
    note: str = ""  # the zone of a time
    doubt: str = ""  # why nobody may be reached with it


def answers_of(form: Form, section: Section, typed: Typed, answers: Answers, given_only: bool = False) -> list[Line]:
    """The lines of one section, each with where it can be changed."""
    plan = form.plan
    lines: list[Line] = []
    for question in section.questions:
        if question is plan or question.id.endswith("-about") or not applies(form, question, answers):
            continue
        said = _said(form, question, answers)
        unread = "" if said else written(question, typed)
        if said or unread or not given_only:
            first = f"{question.id}.{question.parts[0].id}" if question.parts else question.id
            value = answers.get(question.id)
            doubt = out_of_reach(question, value)
            lines.append(Line(question.short, said, unread, anchor(first), _zone(value), doubt))
        if plan is not None and question.control:
            lines += _plan_lines(plan, question, answers)
    return lines


def _said(form: Form, question: Question, answers: Answers) -> tuple[str, ...]:
    value = answers.get(question.id)
    if isinstance(value, dict) and set(value) == {"about"}:
        return ()  # "about" alone says nothing
    text = shown(question, value)
    if text and answers.get(f"{question.id}-about") is True:
        text = f"{text} (about)"
    if question.kind in (Kind.TIME, Kind.PARTS):
        text = re.sub(r" (am|pm)\b", "\u00a0\\1", text)  # a time of day is never broken over two lines
    return tuple(text.split("\n")) if text else ()


def _zone(value: object) -> str:
    """Which time it is, for an answer that is a time of New Zealand."""
    at = value.get("at") if isinstance(value, dict) else value
    if not isinstance(at, str) or not _INSTANT.fullmatch(at) or (isinstance(value, dict) and "zone" in value):
        return ""
    return "New Zealand daylight time" if at.endswith("+13:00") else "New Zealand standard time"


def _plan_lines(plan: Question, control: Question, answers: Answers) -> list[Line]:
    rows = answers.get(plan.id)
    own = [r for r in rows if isinstance(r, dict) and r.get("control") == control.id] if isinstance(rows, list) else []
    columns = [c for c in plan.columns if c.id != "control"]
    said = [f"{c.short}: {shown(c, r[c.id])}" for r in own for c in columns if c.id in r]
    return [Line("Plan", tuple(said), "", anchor(f"{plan.id}[{control.id}].what"))] if said else []


def written(question: Question, typed: Typed) -> str:
    """What stands in the fields of a question, as it was typed; a year that the page put there alone is nothing."""
    names = [n for n, inner in fields_of(question) if inner.id not in ("about", "zone")]
    found = [(n, v) for n in names if isinstance(v := typed.get(n), str) and v.strip()]
    only_year = all(n.endswith(":y") for n, _ in found)
    return "" if only_year else " ".join(v.strip() for _, v in found)


# ---- progress -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the long form, for this person."""

    section: Section
    done: int
    of: int
    plans: int  # gaps whose plan is missing or not whole
    others: int  # anything else that is open beside an answer

    @property
    def tone(self) -> str:
        return "ok" if self.of and self.done == self.of and not self.left else "" if self.done else "line"

    @property
    def left(self) -> int:
        return self.plans + self.others

    @property
    def words(self) -> str:
        if self.done == self.of and self.plans:
            return f"{self.plans} {'plan' if self.plans == 1 else 'plans'} open"
        if self.done == self.of:
            return "Look again" if self.others else "Done"
        return f"{self.done} of {self.of}" if self.done else "Not started"


@dataclass(frozen=True, slots=True)
class Progress:
    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        return sum(s.done for s in self.steps)

    @property
    def of(self) -> int:
        return sum(s.of for s in self.steps)

    @property
    def left(self) -> int:
        """What is open although its question is answered."""
        return sum(s.left for s in self.steps)

    @property
    def still_open(self) -> str:
        """The same in words: "9 plans for gaps and 1 answer to look at again"."""
        plans, others = sum(s.plans for s in self.steps), sum(s.others for s in self.steps)
        said = ["1 plan for a gap" if plans == 1 else f"{plans} plans for gaps"] if plans else []
        said += [f"{others} {'answer' if others == 1 else 'answers'} to look at again"] if others else []
        return " and ".join(said)

    @property
    def share(self) -> int:
        return round(100 * self.done / (self.of + self.left)) if self.of else 0

    @property
    def minutes(self) -> int:
        """Rounded up to five."""
        return -int(-(self.of - self.done + self.left) * _PER_QUESTION // 5) * 5

    def after(self, section_id: str) -> Step | None:
        ids = [s.section.id for s in self.steps]
        n = ids.index(section_id) + 1 if section_id in ids else 0
        return self.steps[n] if n < len(self.steps) else None

    def before(self, section_id: str) -> Step | None:
        ids = [s.section.id for s in self.steps]
        n = ids.index(section_id) if section_id in ids else 0
        return self.steps[n - 1] if n else None


def progress(form: Form, answers: Answers, problems: Sequence[Placed]) -> Progress:
    """The parts in which something applies. A question counts when it must be answered, a gap until it has its plan."""
    plan = form.plan
    steps: list[Step] = []
    for section in form.sections:
        must = [
            q
            for q in section.questions
            if q is not plan and q.required is Required.ALWAYS and applies(form, q, answers)
        ]
        if must:
            unanswered = {q.id for q in must if q.id not in answers}
            open_here = [p for p in problems if p.section == section.id and p.question not in unanswered]
            plans = {p.question for p in open_here if p.code in _PLAN_CODES}
            others = sum(p.code not in _PLAN_CODES for p in open_here)
            steps.append(Step(section, len(must) - len(unanswered), len(must), len(plans), others))
    return Progress(tuple(steps))


def greeting(now: datetime) -> str:
    hour = nz_words.local(now).hour
    return "Good morning" if 4 <= hour < 12 else "Good afternoon" if 12 <= hour < 18 else "Good evening"
