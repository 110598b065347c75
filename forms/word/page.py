"""From the plan of a form to the body of a Word file: headings, questions in reading order, one control for each field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forms.pdf.plan import Block, Control, PaperField, plan
from forms.schema import Form
from forms.word.controls import Controls
from forms.word.markup import paragraph, run, table

DANGER = (
    "If somebody is in danger, call 111 now.",
    " Then tell us. You do not need every answer to send this notice.",
)
ASKED, ANSWER, EACH_LINE = "What we ask", "Your answer", "One answer on each line"
LABELS = 0.38  # of the width of a table


def body(form: Form, controls: Controls) -> str:
    """All that stands between the margins."""
    made = plan(form)
    page = _Page(made.fields, controls)
    return "".join([*_top(form), *(page.section(s) for s in made.sections), *_end(form)])


def _top(form: Form) -> Iterator[str]:
    yield paragraph("Heading1", run(form.title))
    if form.paper.purpose:
        yield paragraph("Purpose", run(form.paper.purpose))
    if any(section.stage for section in form.sections):
        yield paragraph("Danger", run(DANGER[0], "Strong"), run(DANGER[1]))
    for lead, rest in form.paper.notes:
        yield paragraph("Note", run(lead, "Strong"), run(f" {rest}"))
    if form.about:
        yield paragraph("Hint", run(form.about))


def _end(form: Form) -> Iterator[str]:
    if form.attestation:
        yield paragraph("Note", run(form.attestation))


class _Page:
    """Draws the blocks of the plan, which name their fields by number."""

    def __init__(self, fields: list[PaperField], controls: Controls) -> None:
        self.fields = fields
        self.controls = controls

    def section(self, section: Block) -> str:
        part, depth = str(section["part"]), section["depth"]
        out = [paragraph("Heading2", run(part))] if part else []
        out.append(paragraph(f"Heading{depth}", run(str(section["title"]))))
        if section["intro"]:
            out.append(paragraph("Intro", run(str(section["intro"]))))
        return "".join([*out, *(self.block(b) for b in _all(section["blocks"]))])

    def block(self, block: Block, inner: bool = False) -> str:
        """One question with its answer. inner: a part of a question, whose id is said above."""
        kind = block["t"]
        if kind == "pair":
            return self.block(_one(block["left"]), inner) + self.block(_one(block["right"]), inner)
        if kind == "tick":
            return self.tick(block, inner)
        label = _label(block, inner)
        if kind == "grid":
            rows = [(paragraph("CellLabel", run(str(r["label"]))), self.answer(r, "Cell")) for r in _all(block["rows"])]
            return label + table((EACH_LINE, ANSWER), rows, LABELS)
        if kind == "parts":
            return label + "".join(self.block(row, inner=True) for row in _all(block["rows"]))
        if kind == "register":
            return label + "".join(self.row(row) for row in _all(block["rows"]))
        return label + self.answer(block) + (self.why(_one(block["why"])) if "why" in block else "")

    def why(self, block: Block) -> str:
        return paragraph("Hint", run(str(block["label"]))) + self.answer(block)

    def row(self, row: Block) -> str:
        """A row of a register as a table of its own: a line for each column, because they would not stand side by side."""
        cells = [c for line in _all(row["lines"]) for c in (_all(line["cells"]) if line["t"] == "line" else [line])]
        each = [(_label(c, inner=True, style="CellLabel"), self.answer(c, "Cell")) for c in cells]
        return table((str(row["title"]), ANSWER), each, LABELS)

    def tick(self, block: Block, inner: bool) -> str:
        style = "Option" if inner else "Tick"
        code = "" if inner else run(f"  {block['id']}", "Code")
        said = paragraph(style, self.controls.box(self.field(block)), run(f"\t{block['label']}"), code)
        return said + (paragraph("Hint", run(str(block["tip"]))) if block["tip"] else "")

    def answer(self, block: Block, style: str = "Answer") -> str:
        """The control or controls of one question, each in a paragraph."""
        if "options" in block:
            return self.options(block, style)
        field = self.field(block)
        if field.control is Control.CHECK:
            return paragraph(style, self.controls.box(field))
        if field.control is Control.DROP_DOWN:
            return paragraph(style, self.controls.choice(field, field.options))
        return paragraph(style, self.controls.text(field))

    def options(self, block: Block, style: str) -> str:
        options = _all(block["options"])
        fields = [self.field(o) for o in options]
        if fields[0].control is Control.CHECK:
            each = zip(fields, options, strict=True)
            return "".join(
                paragraph(
                    "Option", self.controls.box(field), run(f"\t{o['label']}"), run(_more(o["hint"]), "OptionHint")
                )
                for field, o in each
            )
        hints = "".join(paragraph("Hint", run(f"{o['label']}:{_more(o['hint'])}")) for o in options if o["hint"])
        choices = [(f.code, str(o["label"])) for f, o in zip(fields, options, strict=True)]
        group = PaperField(fields[0].name, Control.DROP_DOWN, fields[0].group)
        return hints + paragraph(style, self.controls.choice(group, choices))

    def field(self, block: Block) -> PaperField:
        return self.fields[int(str(block["field"]))]


def _label(block: Block, inner: bool = False, style: str = "") -> str:
    """The words that ask, with what helps to answer."""
    tags = block.get("tags")
    pieces = [run(str(block["label"]))]
    if not inner:
        pieces.append(run(f"  {block['id']}", "Code"))
    pieces += [run("  ") + run(f" {tag} ", "Tag") for tag in (tags if isinstance(tags, list) else [])]
    hints = [block["tip"]] + ([f"In place when: {block['in_place']}"] if block.get("in_place") else [])
    asked = style or ("PartLabel" if inner else "Label")
    return paragraph(asked, *pieces) + "".join(paragraph("Hint", run(str(h))) for h in hints if h)


def _more(hint: object) -> str:
    return f" {hint}" if hint else ""


def _all(blocks: Any) -> list[Block]:
    return list(blocks)


def _one(block: Any) -> Block:
    return dict(block)
