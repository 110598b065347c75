"""From a form to what stands on paper: the fields, numbered, and the blocks that the page template draws.

Pure. The template knows a field only by its number in `Plan.fields`; names, codes and spoken labels stay here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from forms.schema import Form, Kind, Question, Section

LINE = 14.0  # points that one typed line takes in a box of several lines
PAD = 8.0  # points that such a box has beyond its lines
SINGLE = 21.0  # height in points of a box of one line
NARROW = 120  # a text of at most so many characters needs half the width
ACROSS = 102  # characters of label text that stand side by side at 9 points
WHOLE = 5.0  # widths of the cells of one line in a register row add up to this at most
PER_LINE = 70  # characters that surely fit in a line of a full-width box at 10 points
LONGEST_LINE = 200  # characters that a box of one line takes when the form names no limit

Block = dict[str, object]


class Control(StrEnum):
    TEXT = "text"
    DROP_DOWN = "drop_down"
    RADIO = "radio"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class PaperField:
    """One box on the page. A radio button is one of several with the same name."""

    name: str  # full name: ID, ID.part, ID.code, ID[n].column
    control: Control
    spoken: str  # what a screen reader says
    code: str = ""  # the choice that a radio or a box of a multiple choice stands for
    group: str = ""  # what a screen reader says for the whole radio group
    height: float = SINGLE
    lines: int = 1
    max_length: int = 0
    options: tuple[tuple[str, str], ...] = ()  # of a drop-down: code, label


@dataclass(slots=True)
class Plan:
    fields: list[PaperField] = field(default_factory=list)
    sections: list[Block] = field(default_factory=list)


SHORT = {Kind.DATE, Kind.MONTH, Kind.NUMBER, Kind.PHONE, Kind.TIME, Kind.EMAIL}
FORMATS = {
    Kind.DATE: "for example 30 11 2026",
    Kind.MONTH: "for example 11 2026",
    Kind.TIME: "for example 30 11 2026, 4:45 pm",
}


PARTS = {
    "A": "Part A: tell us now",
    "B": "Part B: details, when you have them",
}


def plan(form: Form) -> Plan:
    """The fields in reading order and the blocks of every section."""
    made = Plan()
    stage = ""
    for section in form.sections:
        depth = 3 if section.stage else 2
        part = PARTS.get(section.stage, "") if section.stage != stage else ""
        stage = section.stage
        blocks = [{**b, "depth": depth} for b in _pairs(_section_blocks(made, section))]
        made.sections.append(
            {"title": section.title, "intro": section.intro, "part": part, "depth": depth, "blocks": blocks}
        )
    return made


def _section_blocks(made: Plan, section: Section) -> Iterator[Block]:
    questions = list(section.questions)
    taken: set[str] = set()
    for question in questions:
        if question.id in taken:
            continue
        if question.control is None:
            yield _question(made, question)
            continue
        why = next((q for q in questions if q.id == f"{question.id}-why"), None)
        if why is not None:
            taken.add(why.id)
        yield _control(made, question, why)


def _pairs(blocks: Iterator[Block]) -> list[Block]:
    """Two narrow questions that follow each other share a line."""
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if before is not None and _beside(before, block):
            out[-1] = {"t": "pair", "left": before, "right": block}
        else:
            out.append(block)
    return out


def _beside(left: Block, right: Block) -> bool:
    if not left.get("narrow"):
        return False
    return bool(right.get("narrow")) or (right["t"] == "tick" and not right["hint"])


def _add(made: Plan, paper: PaperField) -> int:
    made.fields.append(paper)
    return len(made.fields) - 1


def _head(question: Question, example: bool = True) -> Block:
    """`tip` is the hint for faces whose boxes grow with their text."""
    hints = {"hint": _hint(question, example), "tip": _hint(question, example, question.max_length)}
    return {"id": question.id, "label": question.label, **hints}


def _hint(question: Question, example: bool = True, most: int | None = None) -> str:
    """The hint; with how a date is written unless the words above it say so already. `most`: characters, else what the box holds."""
    hints = [question.hint]
    if example and "example" not in question.hint:
        hints.append(FORMATS.get(question.kind, ""))
    most = _max_length(question) if most is None else most
    if question.lines > 1 and most:
        hints.append(f"Up to {most} characters.")
    return " ".join(_sentence(h) for h in hints if h)


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", ":")) else text + "."


def _max_length(question: Question) -> int:
    if question.lines > 1:
        fits = question.lines * PER_LINE
        return min(fits, question.max_length) if question.max_length else fits
    return question.max_length or LONGEST_LINE


def _question(made: Plan, question: Question) -> Block:
    if question.kind is Kind.REGISTER:
        return _register(made, question)
    if question.kind is Kind.PARTS:
        return _parts(made, question)
    if question.kind in (Kind.CHOICE, Kind.MULTI):
        return {"t": "options", **_head(question), **_options(made, question, question.id)}
    if question.kind is Kind.TICK:
        return {"t": "tick", **_head(question), "field": _tick(made, question, question.id, "")}
    return _text(made, question, question.id, "")


def _text(made: Plan, question: Question, name: str, before: str, example: bool = True) -> Block:
    height = SINGLE if question.lines == 1 else question.lines * LINE + PAD
    paper = PaperField(
        name=name,
        control=Control.TEXT,
        spoken=_spoken(before, question.label, _hint(question, example)),
        height=height,
        lines=question.lines,
        max_length=_max_length(question),
    )
    narrow = question.lines == 1 and (
        question.kind in SHORT or 0 < question.max_length <= NARROW or bool(question.autocomplete)
    )
    whole = question.autocomplete == "organization"
    return {
        "t": "text",
        **_head(question, example),
        "field": _add(made, paper),
        "height": height,
        "narrow": narrow and not whole,
        "half": question.kind in SHORT and question.kind is not Kind.EMAIL,
    }


def _spoken(*pieces: str) -> str:
    return ": ".join(p.rstrip(".: ") for p in pieces if p)


def _tick(made: Plan, question: Question, name: str, before: str) -> int:
    spoken = _spoken(before, question.label)
    return _add(made, PaperField(name=name, control=Control.CHECK, spoken=spoken))


def _options(made: Plan, question: Question, name: str, before: str = "") -> Block:
    """The boxes of a choice (radios) or of a multiple choice (one checkbox each)."""
    multi = question.kind is Kind.MULTI
    group = _spoken(before, question.label)
    options = [
        {
            "field": _add(
                made,
                PaperField(
                    name=f"{name}.{choice.code}" if multi else name,
                    control=Control.CHECK if multi else Control.RADIO,
                    spoken=_spoken(group, choice.label),
                    code=choice.code,
                    group=group,
                ),
            ),
            "label": choice.label,
            "hint": choice.hint,
        }
        for choice in question.choices
    ]
    flow = question.control is None and _fits_one_line(question)
    columns = len(options) if flow else _columns(question)
    return {"options": options, "columns": columns, "flow": flow}


def _fits_one_line(question: Question) -> bool:
    if any(c.hint for c in question.choices):
        return False
    return sum(len(c.label) + 7 for c in question.choices) <= ACROSS


def _columns(question: Question) -> int:
    """As many options side by side as the longest label lets; at most two when some of them have hints."""
    longest = max((len(c.label) for c in question.choices), default=0)
    room = next((n for n, most in ((5, 17), (4, 22), (3, 34), (2, 95)) if longest <= most), 1)
    if any(c.hint for c in question.choices):
        room = min(room, 2)
    count = len(question.choices)
    if room >= count:
        return count
    return 2 if count == 4 and room == 3 else room


def _control(made: Plan, question: Question, why: Question | None) -> Block:
    control = question.control
    assert control is not None
    block = {
        "t": "control",
        **_head(question),
        "tags": ["Key"] * control.key + ["Level 2"] * (control.level == 2),
        "in_place": control.in_place,
        **_options(made, question, question.id),
    }
    if why is not None:
        block["why"] = _text(made, why, why.id, question.id)
    return block


def _parts(made: Plan, question: Question) -> Block:
    example = "example" not in question.hint
    rows = [_part(made, part, f"{question.id}.{part.id}", question.label, example) for part in question.parts]
    alike = len({p.choices for p in question.parts}) == 1 and bool(question.parts[0].choices)
    if alike:
        return {"t": "grid", **_head(question), "rows": rows}
    return {"t": "parts", **_head(question), "rows": _pairs(iter(rows))}


def _part(made: Plan, part: Question, name: str, before: str, example: bool = True) -> Block:
    head = _head(part, example)
    if part.kind in (Kind.CHOICE, Kind.MULTI):
        return {"t": "options", **head, **_options(made, part, name, before)}
    if part.kind is Kind.TICK:
        return {"t": "tick", **head, "field": _tick(made, part, name, before)}
    return _text(made, part, name, before, example)


def _register(made: Plan, question: Question) -> Block:
    rows = []
    for n in range(1, question.max_rows + 1):
        spoken = f"{question.short or question.label}, row {n}"
        cells = [(c, _cell(made, c, f"{question.id}[{n}].{c.id}", spoken)) for c in question.columns]
        rows.append({"title": f"Row {n}", "lines": _lines(cells)})
    return {"t": "register", **_head(question), "rows": rows}


def _cell(made: Plan, column: Question, name: str, before: str) -> Block:
    if column.kind is not Kind.CHOICE:
        return _part(made, column, name, before)
    paper = PaperField(
        name=name,
        control=Control.DROP_DOWN,
        spoken=_spoken(before, column.label),
        options=tuple((c.code, c.label) for c in column.choices),
    )
    return {"t": "text", **_head(column), "field": _add(made, paper), "height": SINGLE}


def _lines(cells: list[tuple[Question, Block]]) -> list[Block]:
    """Cells side by side while they fit, each as wide as its kind of answer needs."""
    lines: list[Block] = []
    open_cells: list[Block] = []
    weights: list[float] = []
    for column, block in cells:
        weight = _weight(column)
        if open_cells and sum(weights) + weight > WHOLE:
            lines.append({"t": "line", "cells": open_cells, "weights": weights})
            open_cells, weights = [], []
        if weight >= WHOLE:
            lines.append(block)
        else:
            open_cells.append(block)
            weights.append(weight)
    if open_cells:
        lines.append({"t": "line", "cells": open_cells, "weights": weights})
    return lines


def _weight(column: Question) -> float:
    if column.kind is Kind.MULTI or column.lines > 1:
        return WHOLE
    if column.kind is Kind.CHOICE:
        longest = max((len(c.label) for c in column.choices), default=0)
        return 1.0 if longest <= 16 else 1.5 if longest <= 28 else WHOLE
    if column.kind in (Kind.DATE, Kind.MONTH, Kind.NUMBER):
        return 1.0
    return 1.5 if column.kind is Kind.TICK or 0 < column.max_length <= NARROW else 2.0
