"""What a person sees of a Word part, event by event: content controls with their tags, lines, rows of tables.

Deleted and hidden words are not there, inserted ones are. Words stand with the innermost control that has a tag; what stands in
none is kept apart, because there nobody looks for an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from forms.word.controls import OFF, ON
from intake.adapters.documents.markup import Enough
from intake.adapters.documents.named import LONGEST, MOST_FIELDS

_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
SPACES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "",
    _STRICT: "",
    "http://schemas.microsoft.com/office/word/2010/wordml": "w14:",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc:",
}
MOST_LINES = 20_000
_SKIPPED = frozenset({"moveFrom", "mc:Fallback"})
_LETTERS = {"br": "\n", "cr": "\n", "tab": "\t", "ptab": "\t", "noBreakHyphen": "\u2011"}
_NOT_SO = ("0", "false", "off")
_BOXES = {"F0FE": ON, "F0FD": ON, "F052": ON, "F053": ON, "F0A8": OFF, "F06F": OFF, "F0A3": OFF}  # of Wingdings


@dataclass(slots=True)
class Box:
    """A content control."""

    name: str = ""
    title: str = ""
    texts: list[str] = field(default_factory=list)
    inviting: bool = False  # it shows what to do instead of an answer
    on: bool | None = None  # of a box to tick
    items: dict[str, str] = field(default_factory=dict)  # of a list: label to code
    paragraphs: int = 0
    room: int = LONGEST + 1  # characters that are still kept

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def add(self, text: str) -> None:
        if self.room > 0:
            self.texts.append(text[: self.room])
            self.room -= len(text)


class WordText:
    """The walker of one part. `changed` when it keeps changes, `cut` when there were more controls than we read."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.lines: list[str] = []
        self.beside: list[str] = []  # of each paragraph what stands in no control
        self.rows: list[list[str]] = []
        self.instructions: list[str] = []  # of fields, which may fetch or run
        self.changed = self.pictures = self.cut = False
        self._names: list[str] = []  # of the elements that are open
        self._open: list[Box] = []
        self._line: list[str] = []
        self._outside: list[str] = []
        self._tables: list[list[list[str]]] = []  # rows that are open: cells of lines
        self._skipped = 0  # how deep the element is whose content is not there, or 0
        self._hidden = self._joined = False
        self._starts: dict[str, Callable[[Mapping[str, str]], None]] = {
            "sdt": lambda given: self._open.append(Box()), "tag": self._tag, "alias": self._alias, "listItem": self._item,
            "showingPlcHdr": self._inviting, "w14:checked": self._checked, "checked": self._checked, "p": self._paragraph,
            "tr": lambda given: self._tables.append([]), "tc": self._cell, "vanish": self._vanish, "sym": self._symbol,
            "ins": self._change, "del": self._deleted, "fldSimple": self._field, "moveFrom": self._change, "drawing": self._picture,
            "pict": self._picture,
        }  # fmt: skip
        self._ends: dict[str, Callable[[], None]] = {
            "sdt": self._close, "p": self._end_line, "tr": self._end_row, "r": self._end_run,
        }  # fmt: skip

    # ---- what lxml tells ----

    def start(self, name: str, given: Mapping[str, str]) -> None:
        self._names.append(name)
        if self._skipped:
            return
        started = self._starts.get(name)
        if started is not None:
            started(given)
        elif name in _LETTERS and self._parent() == "r":
            self._say(_LETTERS[name])
        if name in _SKIPPED:
            self._skipped = len(self._names)

    def end(self, name: str) -> None:
        if not self._skipped:
            ended = self._ends.get(name)
            if ended is not None:
                ended()
        elif self._skipped == len(self._names):
            self._skipped = 0
        self._names.pop()

    def data(self, text: str) -> None:
        if self._skipped or not self._names:
            return
        if self._names[-1] == "t":
            self._say(text)
        elif self._names[-1] == "instrText" and len(self.instructions) < MOST_LINES:
            self.instructions.append(text)

    # ---- words ----

    def _parent(self, above: int = 2) -> str:
        return self._names[-above] if len(self._names) >= above else ""

    def _say(self, text: str) -> None:
        if self._hidden:
            return
        held = self._innermost()
        if held is None:
            if not any(box.inviting for box in self._open):
                self._outside.append(text)
                self._line.append(text)
            return
        within = self._open[self._open.index(held) :]
        if not any(box.inviting for box in within):
            held.add(text)
            self._line.append(text)

    def _innermost(self) -> Box | None:
        return next((box for box in reversed(self._open) if box.name), None)

    def _symbol(self, given: Mapping[str, str]) -> None:
        self._say(_BOXES.get(_value(given, "char").upper(), ""))

    def _vanish(self, given: Mapping[str, str]) -> None:
        if self._parent(3) == "r" and _value(given) not in _NOT_SO:
            self._hidden = True

    def _picture(self, given: Mapping[str, str]) -> None:
        self.pictures = True

    def _end_run(self) -> None:
        self._hidden = False

    def _field(self, given: Mapping[str, str]) -> None:
        self.instructions.append(_value(given, "instr"))

    # ---- changes that are kept ----

    def _change(self, given: Mapping[str, str]) -> None:
        self.changed = True

    def _deleted(self, given: Mapping[str, str]) -> None:
        """Deleted words; or, in the properties of a paragraph, its end: then it is one with the next."""
        self.changed = True
        if self._parent() == "rPr" and self._parent(3) == "pPr":
            self._joined = True
        elif self._parent() not in ("rPr", "trPr"):
            self._skipped = len(self._names)

    # ---- controls ----

    def _tag(self, given: Mapping[str, str]) -> None:
        if self._open and self._parent() == "sdtPr":
            self._open[-1].name = _value(given)

    def _alias(self, given: Mapping[str, str]) -> None:
        if self._open and self._parent() == "sdtPr":
            self._open[-1].title = _value(given)

    def _inviting(self, given: Mapping[str, str]) -> None:
        if self._open and self._parent() == "sdtPr":
            self._open[-1].inviting = _value(given) not in _NOT_SO

    def _item(self, given: Mapping[str, str]) -> None:
        if self._open:
            code = _value(given, "value")
            self._open[-1].items.setdefault(_value(given, "displayText") or code, code)

    def _checked(self, given: Mapping[str, str]) -> None:
        if self._open and self._parent() == "w14:checkbox":
            self._open[-1].on = _value(given) not in _NOT_SO

    def _close(self) -> None:
        if not self._open:
            return
        box = self._open.pop()
        if len(self.boxes) >= MOST_FIELDS:
            self.cut = True
            raise Enough
        if box.name or box.title:
            self.boxes.append(box)

    # ---- paragraphs and tables ----

    def _paragraph(self, given: Mapping[str, str]) -> None:
        held = self._innermost()
        if held is not None:
            held.paragraphs += 1
            if held.paragraphs > 1 and not self._joined:
                held.add("\n")
        self._joined = False

    def _end_line(self) -> None:
        if self._joined:
            return
        line, beside = "".join(self._line), "".join(self._outside)
        self._line, self._outside = [], []
        if beside.strip() and len(self.beside) < MOST_LINES:
            self.beside.append(beside)
        if self._tables and self._tables[-1]:
            self._tables[-1][-1].append(line)
        elif len(self.lines) < MOST_LINES:
            self.lines += line.split("\n")

    def _cell(self, given: Mapping[str, str]) -> None:
        if self._tables:
            self._tables[-1].append([])

    def _end_row(self) -> None:
        cells = ["\n".join(lines) for lines in self._tables.pop()] if self._tables else []
        if len(cells) > 1 and len(self.rows) < MOST_LINES:
            self.rows.append(cells)
        elif len(self.lines) < MOST_LINES:
            self.lines += [line for cell in cells for line in cell.split("\n")]


def _value(given: Mapping[str, str], name: str = "val") -> str:
    """An attribute in whatever space it stands; a switch without a value is on."""
    return next((v for k, v in given.items() if k.rpartition(":")[2] == name), "")
