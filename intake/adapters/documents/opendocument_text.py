"""What a person sees of an OpenDocument part, event by event: named fields and controls, lines, rows of tables.

Texts and sheets are written alike, so one walker serves both. What was deleted and kept, notes and comments are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intake.adapters.documents.markup import Enough
from intake.adapters.documents.named import MOST_FIELDS
from intake.adapters.documents.word_text import MOST_LINES, Box

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
SPACES = {
    **{f"{_OASIS}{s}:1.0": f"{s}:" for s in ("text", "table", "form", "meta", "office", "script")},
    f"{_OASIS}drawing:1.0": "draw:",
    f"{_OASIS}svg-compatible:1.0": "svg:",
    "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0": "loext:",
}
MOST_REPEATS = 50  # of an empty cell: a sheet says in a few bytes that a row has a million of them
_SKIPPED = frozenset(
    {
        "text:tracked-changes",
        "office:annotation",
        "text:note",
        "text:ruby-text",
        "table:tracked-changes",
        "svg:desc",
        "svg:title",
    }
)
_RUNS = frozenset(
    {
        "script:event-listener", "text:dde-connection", "text:dde-connection-decl", "table:dde-link", "office:dde-source",
        "draw:plugin", "draw:applet", "draw:floating-frame", "draw:object-ole", "draw:object",
    }
)  # fmt: skip
_NAMED = {
    "loext:content-control": "loext:tag",
    "text:user-field-get": "text:name",
    "text:text-input": "text:description",
}
_BLANKS = re.compile(r"[ \t\r\n]+")


@dataclass(slots=True)
class _Cell:
    lines: list[str]
    value: str | None  # of a number, a date: as it is kept, not as it is shown
    repeats: int


class OpenText:
    """The walker of one part."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.lines: list[str] = []
        self.beside: list[str] = []
        self.rows: list[list[str]] = []
        self.named: dict[str, str] = {}  # what people added to the file's properties
        self.runs = self.changed = self.pictures = self.cut = False
        self._names: list[str] = []
        self._open: list[Box] = []  # controls and fields that words stand in, and bookmarks between their two ends
        self._line: list[str] = []
        self._outside: list[str] = []
        self._rows: list[list[_Cell]] = []
        self._deep = 0  # paragraphs that are open
        self._skipped = 0
        self._property = ""
        self._starts: dict[str, Callable[[Mapping[str, str]], None]] = {
            "text:p": self._paragraph, "text:h": self._paragraph, "text:s": self._spaces, "text:bookmark-start": self._mark,
            "text:bookmark-end": self._end_mark, "loext:list-item": self._item, "table:table-row": self._row,
            "table:table-cell": self._cell, "table:covered-table-cell": self._cell, "form:option": self._option,
            "meta:user-defined": self._added, "text:tab": lambda given: self._say("\t"),
            "text:line-break": lambda given: self._say("\n"), "draw:image": self._picture,
        }  # fmt: skip

    def start(self, name: str, given: Mapping[str, str]) -> None:
        self._names.append(name)
        if self._skipped:
            return
        if name in _SKIPPED:
            self._skipped = len(self._names)
            self.changed |= name == "text:tracked-changes"
        elif name in self._starts:
            self._starts[name](given)
        elif name in _NAMED:
            self._open.append(_control(given, given.get(_NAMED[name], "")))
        elif name.startswith("form:"):
            self._form_control(name, given)
        self.runs |= name in _RUNS

    def end(self, name: str) -> None:
        if self._skipped:
            if self._skipped == len(self._names):
                self._skipped = 0
        elif name in ("text:p", "text:h"):
            self._end_paragraph()
        elif name in _NAMED and self._open:
            self._keep(self._open.pop())
        elif name == "table:table-row":
            self._end_row()
        elif name == "meta:user-defined":
            self._property = ""
        self._names.pop()

    def data(self, text: str) -> None:
        if self._property and not self._skipped:
            self.named[self._property] = (self.named.get(self._property, "") + text)[:300]
        elif self._deep and not self._skipped:
            self._say(_BLANKS.sub(" ", text))

    # ---- words ----

    def _say(self, text: str) -> None:
        if not self._deep or any(box.inviting for box in self._open):
            return
        named = [box for box in self._open if box.name]
        for box in named:
            box.add(text)
        if not named:
            self._outside.append(text)
        self._line.append(text)

    def _spaces(self, given: Mapping[str, str]) -> None:
        count = given.get("text:c", "1")
        self._say(" " * min(int(count) if count.isdecimal() else 1, 100))

    def _picture(self, given: Mapping[str, str]) -> None:
        self.pictures = True

    def _paragraph(self, given: Mapping[str, str]) -> None:
        self._deep += 1
        for box in self._open:
            box.paragraphs += 1
            if box.texts:
                box.add("\n")

    def _end_paragraph(self) -> None:
        self._deep -= 1
        line, beside = "".join(self._line), "".join(self._outside)
        self._line, self._outside = [], []
        if beside.strip() and len(self.beside) < MOST_LINES:
            self.beside.append(beside)
        if self._rows and self._rows[-1]:
            self._rows[-1][-1].lines.append(line)
        elif len(self.lines) < MOST_LINES:
            self.lines += line.split("\n")

    # ---- fields and controls ----

    def _keep(self, box: Box) -> None:
        if len(self.boxes) >= MOST_FIELDS:
            self.cut = True
            raise Enough
        if box.name or box.title:
            self.boxes.append(box)

    def _mark(self, given: Mapping[str, str]) -> None:
        if len(self._open) < 20:  # bookmarks have ends of their own, so they may pile up
            self._open.append(Box(name=given.get("text:name", "")))

    def _end_mark(self, given: Mapping[str, str]) -> None:
        name = given.get("text:name", "")
        box = next((b for b in self._open if b.name == name), None)
        if box is not None:
            self._open.remove(box)
            self._keep(box)

    def _item(self, given: Mapping[str, str]) -> None:
        if self._open:
            code = given.get("loext:value", "")
            self._open[-1].items.setdefault(given.get("loext:display-text", "") or code, code)

    def _form_control(self, kind: str, given: Mapping[str, str]) -> None:
        """A control of a form lies beside the text and holds its value itself."""
        box = Box(name=given.get("form:name", ""))
        if kind == "form:checkbox":
            box.on = given.get("form:current-state", given.get("form:state", "")) == "checked"
        elif kind == "form:radio":
            chosen = given.get("form:current-selected", given.get("form:selected", "")) == "true"
            box.texts = [given.get("form:value", "")] if chosen else []
        else:
            box.texts = [given.get("form:current-value", given.get("form:value", ""))]
        if box.name and kind not in ("form:form", "form:properties", "form:property"):
            self._keep(box)

    def _option(self, given: Mapping[str, str]) -> None:
        """One choice of the list that was told of last."""
        if self.boxes and given.get("form:current-selected", given.get("form:selected", "")) == "true":
            self.boxes[-1].texts = [given.get("form:label", "") or given.get("form:value", "")]

    def _added(self, given: Mapping[str, str]) -> None:
        name = given.get("meta:name", "")
        self._property = name if name in ("_form", "_edition") else ""

    # ---- tables ----

    def _row(self, given: Mapping[str, str]) -> None:
        self._rows.append([])

    def _cell(self, given: Mapping[str, str]) -> None:
        if not self._rows:
            return
        count = given.get("table:number-columns-repeated", "1")
        kept = given.get("office:date-value") or given.get("office:boolean-value") or given.get("office:value")
        repeats = min(int(count) if count.isdecimal() else 1, MOST_REPEATS)
        if len(self._rows[-1]) < MOST_REPEATS:
            self._rows[-1].append(_Cell([], kept, repeats))

    def _end_row(self) -> None:
        row = self._rows.pop() if self._rows else []
        texts = [text for cell in row for text in [_told(cell)] * cell.repeats][:MOST_REPEATS]
        if any(texts) and len(self.rows) < MOST_LINES:
            self.rows.append(texts)


def _told(cell: _Cell) -> str:
    return cell.value if cell.value is not None else "\n".join(cell.lines)


def _control(given: Mapping[str, str], name: str) -> Box:
    box = Box(name=name, title=given.get("loext:alias", ""), inviting=given.get("loext:showing-place-holder") == "true")
    if given.get("loext:checkbox") == "true":
        box.on = given.get("loext:checked") == "true"
    return box
