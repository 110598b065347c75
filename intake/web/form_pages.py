"""What a page of a form looks like, worked out once for each section: which control, how wide, what opens under which choice.

The templates in `templates/provider/` place it; nothing here knows what anybody typed. Everything is derived from the edition's
text, so that another form needs no Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from forms import load
from forms.check import applies
from forms.schema import Answers, Choice, Form, Kind, Question, Section

_LETTERS = "abcdef"
_SELECT_FROM = 13  # choices without hints: from here on a list to pull down is easier than a column of buttons
_ACROSS = 44  # characters of all labels together that fit beside each other


@dataclass(frozen=True, slots=True)
class Opened:
    """What opens under a choice. `look` is plain or plan; `letter` joins it with the choices that open it."""

    letter: str
    look: str
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, part or column as it stands on a page."""

    question: Question
    name: str
    look: str  # text area radio across boxes select tick date month time parts register
    label: str
    choices: tuple[Choice, ...] = ()
    width: str = ""
    type: str = "text"
    autocomplete: str = "off"
    inner: tuple[Ask, ...] = ()  # parts, or the columns of a register
    opened: tuple[Opened, ...] = ()
    shows: Mapping[str, str] = field(default_factory=dict)  # choice code -> letters that it opens
    optional: bool = False
    columns: bool = False  # boxes side by side

    @property
    def anchor(self) -> str:
        return anchor(self.name)


@lru_cache(maxsize=4096)
def anchor(name: str) -> str:
    """The id of the element that a link to this field goes to."""
    return re.sub(r"\[(.+?)\]", r"-\1", name)


@dataclass(frozen=True, slots=True)
class PageOfForm:
    """A section: what it asks at the top level, in order."""

    section: Section
    asks: tuple[Ask, ...]


@lru_cache(maxsize=128)
def _page(name: str, section_id: str) -> PageOfForm:
    form = load.form(name)
    section = next(s for s in form.sections if s.id == section_id)
    return PageOfForm(section, _Builder(form, section).asks())


def page_of(form: Form, section_id: str) -> PageOfForm:
    """The page of one section. KeyError for an id that the form has not."""
    if all(s.id != section_id for s in form.sections):
        raise KeyError(section_id)
    return _page(form.name, section_id)


def asked(page: PageOfForm, form: Form, answers: Answers) -> tuple[Ask, ...]:
    """The questions that stand on the page for somebody who gave these answers; what opens under a choice comes with it."""
    return tuple(a for a in page.asks if applies(form, a.question, answers))


def shown_ids(asks: Sequence[Ask]) -> list[str]:
    """Ids of all questions that stand on the page, the opened ones too."""
    found: list[str] = []
    for ask in asks:
        found.append(ask.question.id)
        found += [p.name for p in ask.inner]
        for opened in ask.opened:
            found += [a.name.partition("[")[0] for a in opened.asks] + shown_ids(opened.asks)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=512)
def row_of(form_name: str, register_id: str, key: str) -> tuple[Ask, ...]:
    """The fields of one row of a register."""
    register = load.form(form_name).question(register_id)
    if register is None:
        raise KeyError(register_id)
    return tuple(_as_select(_ask(c, f"{register.id}[{key}].{c.id}", inside=True)) for c in register.columns)


# ---- how it is worked out -------------------------------------------------------------------------------------------


class _Builder:
    def __init__(self, form: Form, section: Section) -> None:
        self.form = form
        self.section = section
        self.plan = form.plan
        self.here = {q.id for q in section.questions}

    def asks(self) -> tuple[Ask, ...]:
        under = {q.id: self.parent(q) for q in self.section.questions if q is not self.plan}
        return tuple(
            self.with_opened(q, [c for c in self.section.questions if under.get(c.id) == q.id])
            for q in self.section.questions
            if q is not self.plan and not under[q.id]
        )

    def parent(self, question: Question) -> str:
        """The question of this page under whose choices this one opens; "" for none."""
        before = question.id.removesuffix("-about")
        if before != question.id and before in self.here:
            return before
        groups = question.applies.any_of
        if len(groups) == 1 and len(groups[0]) == 1 and groups[0][0][0] in self.here:
            return groups[0][0][0]
        return ""

    def with_opened(self, question: Question, under: Sequence[Question]) -> Ask:
        sets: dict[tuple[str, ...], list[Ask]] = {}
        ticks = tuple(_ask(q, q.id) for q in under if q.id == f"{question.id}-about")
        for child in under:
            if child.id != f"{question.id}-about":
                codes = child.applies.any_of[0][0][1]
                sets.setdefault(codes, []).append(_ask(child, child.id))
        if question.control and self.plan:
            row = [
                _ask(c, f"{self.plan.id}[{question.id}].{c.id}", inside=True)
                for c in self.plan.columns
                if c.id != "control"
            ]
            registers = sets.pop(self.form.gap_codes, [])
            opened = [Opened("", "plan", (*registers, *row))]
            gaps = [self.form.gap_codes]
        else:
            opened, gaps = [], []
        opened += [Opened(_LETTERS[n], "plain", tuple(asks)) for n, asks in enumerate(sets.values())]
        shows: dict[str, str] = {}
        for codes, each in zip([*gaps, *sets], opened, strict=True):
            for code in codes:
                shows[code] = f"{shows.get(code, '')} {each.letter or 'plan'}".strip()
        return _ask(question, question.id, opened=tuple(opened), shows=shows, ticks=ticks)


def _ask(
    question: Question,
    name: str,
    inside: bool = False,
    opened: tuple[Opened, ...] = (),
    shows: Mapping[str, str] | None = None,
    ticks: tuple[Ask, ...] = (),
) -> Ask:
    inner = tuple(_ask(p, f"{name}.{p.id}", inside=True) for p in question.parts) or ticks
    if len(question.parts) > 3:
        inner = tuple(_as_select(p) for p in inner)
    return Ask(
        question,
        name,
        "radio" if shows and _look(question) == "select" else _look(question),
        _label(question),
        _choices(question),
        width="" if question.id == "interim" else _width(question),
        type={Kind.EMAIL: "email", Kind.PHONE: "tel"}.get(question.kind, "text"),
        autocomplete=question.autocomplete or "off",
        inner=inner if question.kind is not Kind.REGISTER else (),
        opened=opened,
        shows=shows or {},
        optional=inside and question.id in ("interim", "residual_note"),
        columns=question.kind is Kind.MULTI and (len(question.choices) >= _SELECT_FROM or inside),
    )


def _as_select(ask: Ask) -> Ask:
    if ask.question.kind is not Kind.CHOICE:
        return ask
    return Ask(ask.question, ask.name, "select", ask.label, ask.choices, width="w24")


def _look(question: Question) -> str:
    simple = {
        Kind.LONG_TEXT: "area",
        Kind.MULTI: "boxes",
        Kind.TICK: "tick",
        Kind.DATE: "date",
        Kind.MONTH: "month",
        Kind.TIME: "time",
        Kind.PARTS: "parts",
        Kind.REGISTER: "register",
    }
    if question.kind is not Kind.CHOICE:
        return simple.get(question.kind, "text")
    if question.id == "zone" and len(question.choices) == 2:
        return "tick"
    labels = [c.label for c in question.choices]
    if any(c.hint for c in question.choices):
        return "radio"
    if len(labels) >= _SELECT_FROM:
        return "select"
    return "across" if sum(map(len, labels)) <= _ACROSS and len(labels) <= 5 else "radio"


def _choices(question: Question) -> tuple[Choice, ...]:
    """The zone of a time is a tick for the place that is not the usual one."""
    return question.choices[1:] if question.id == "zone" and len(question.choices) == 2 else question.choices


def _label(question: Question) -> str:
    if question.id == "zone" and len(question.choices) == 2:
        return f"I am in the {question.choices[1].label}"
    return re.sub(r" \(month and year\)$", "", question.label)


def _width(question: Question) -> str:
    if question.kind is Kind.NUMBER:
        return "w8"
    if question.kind is Kind.PHONE or 0 < question.max_length <= 60:
        return "w16"
    return "w24"
