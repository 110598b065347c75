"""A Word file (.docx): the values of its content controls by their tags; of any other its lines and tables. Runs in the child.

What a person would see counts: a choice is the words that stand there, and a control that still shows its invitation is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from forms import load
from forms.pdf.plan import plan
from forms.schema import Form, Problem, question_of
from forms.word.blank import blank
from forms.word.controls import CHOOSE, OFF, ON, WRITE
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.markup import walk
from intake.adapters.documents.matching import Pair, told
from intake.adapters.documents.named import Found, cells, document, field_question, form_of, given_names, nothing
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import DOCX
from intake.adapters.documents.word_text import SPACES, Box, WordText
from intake.adapters.documents.zipped import Package, Refused
from intake.domain.model import ReadDocument

MAIN = "word/document.xml"
MOST_FEET = 12  # parts with what stands at the foot or head of pages
MOST_RELATIONS = 50  # parts that name other files
FEW = 5_000  # elements of a part that is small in any honest file
_FOOT = re.compile(r"word/(footer|header)\d*\.xml")
_RUNS = re.compile(r"\bDDE(AUTO)?\b", re.IGNORECASE)
_HOLDS = re.compile(
    r"/embeddings/|/activex|vbaproject|/externallinks/|/afchunk|/macrosheets/|/connections\.xml|/customui/"
)
_HIDDEN = ("_form", "_edition")
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/"
_PROPERTIES = {_OFFICE + "custom-properties": "own:", _STRICT + "customProperties": "own:"}
_RELATED = {"http://schemas.openxmlformats.org/package/2006/relationships": "rel:"}


def read_docx(raw: bytes, limits: Limits) -> ReadDocument:
    """Answers of a form of ours; of any other Word file that it is none. Raises MemoryError and nothing else."""
    try:
        package = Package(raw)
        text, found = _read(package)
    except Refused as refused:
        return nothing(DOCX, refused.code)
    form = form_of(found)
    if form is None:
        return document(DOCX, "docx", found)
    if not has_boxes(found, form):
        return boxes_lost(DOCX, found, form)
    choose(found, text.boxes, form)
    pasted = text.pictures or "word/comments.xml" in package.names()
    return document(DOCX, "docx", found, tuple(missed(form, found, text.beside, pasted)))


def find_docx(raw: bytes) -> Found:
    """All that may answer something. Raises Refused."""
    text, found = _read(Package(raw))
    form = form_of(found)
    if form is not None and not has_boxes(found, form):
        return under_labels(form, text.lines + [cell for row in text.rows for cell in row])
    for box in text.boxes:
        found.pairs.append(Pair(box.title, box.text))
    found.pairs += [pair for pair in map(cells, text.rows) if pair]
    found.pairs += told(text.lines)
    return found


def _read(package: Package) -> tuple[WordText, Found]:
    """The main part, and what the whole file says of itself."""
    relations = _relations(package)
    text, found = WordText(), Found()
    walk(_main(package, relations), text, SPACES)
    feet = _feet(package)
    for box in text.boxes:
        if box.name and box.name not in _HIDDEN:
            found.add(box.name, value_of(box))
    named = {b.name: b.text.strip() for part in (feet, text) for b in part.boxes if b.name in _HIDDEN}
    given_names(found, _properties(package), named)
    if calls_out(package, relations) or _RUNS.search("".join(text.instructions + feet.instructions)):
        found.flags.append(problem("active_content"))
    if text.changed:
        found.flags.append(problem("tracked_changes"))
    if text.cut or feet.cut:
        found.flags.append(problem("too_many_fields"))
    found.flags += [problem("shown_differs", b.name[:300]) for b in text.boxes if b.name and differs(b)]
    return text, found


def calls_out(package: Package, relations: Sequence[Relation] | None = None) -> bool:
    """Whether an office file holds another that can be opened, or fetches something when it is opened itself."""
    known = _relations(package) if relations is None else relations
    return any(r.calls_out for r in known) or any(_HOLDS.search(f"/{name}") for name in package.names())


def _feet(package: Package) -> WordText:
    """What stands at the foot and head of pages, where the line is that names the form."""
    text = WordText()
    names = [name for name in package.names() if _FOOT.fullmatch(name)]
    for name in sorted(names)[:MOST_FEET]:
        walk(package.read(name), text, SPACES, 4 * FEW)
    return text


# ---- values -----------------------------------------------------------------------------------------------------------


def value_of(box: Box) -> str:
    if box.on is not None:
        return "yes" if box.on else ""
    return "" if box.inviting or box.text.strip() in (WRITE, CHOOSE) else box.text


def differs(box: Box) -> bool:
    """A box to tick whose mark says something else than its state: one of the two is not what was meant."""
    shown = box.text.strip()
    return box.on is not None and shown in (ON, OFF) and (shown == ON) is not box.on


def choose(found: Found, boxes: list[Box], form: Form) -> None:
    """The code of a choice where the words are the form's own for that code; else the words stay, and must speak for themselves."""
    for box in boxes:
        question = field_question(form, box.name) if box.items else None
        choice = question.choice(box.items.get(box.text, "")) if question else None
        if choice is not None and choice.label == box.text:
            held = found.fields[box.name[:300]]
            held[:] = [choice.code if v == box.text else v for v in held]


# ---- what may be missed -----------------------------------------------------------------------------------------------


def has_boxes(found: Found, form: Form) -> bool:
    return any(form.question(question_of(name)) for name in found.fields)


def boxes_lost(media_type: str, found: Found, form: Form) -> ReadDocument:
    return ReadDocument("", media_type, "none", form.kind, form.edition, problems=(*found.flags, problem("boxes_lost")))


def under_labels(form: Form, lines: Sequence[str]) -> Found:
    """What stands under each question of a form whose boxes were dropped: whatever the blank does not say there itself."""
    own, asked, found = _own_words(form.name), "", dict[str, list[str]]()
    for line in map(_bare, lines):
        mark, _, label = line.partition(" ")
        if line in own:
            asked = next((w for w in reversed(line.split()) if form.question(w)), asked)
        elif mark in (ON, OFF) and label in own:
            found.setdefault(asked, []).extend([label] if mark == ON else [])
        elif line and line not in (WRITE, CHOOSE):
            found.setdefault(asked, []).append(line)
    return Found(fields={name: ["\n".join(told)] for name, told in found.items() if told})


def missed(form: Form, found: Found, beside: Sequence[str], pasted: bool = False) -> Iterator[Problem]:
    """What the file has less than the blank, or more. beside: words that stand in no box. pasted: a picture or a comment does."""
    if not _names(form.name) <= set(found.fields):
        yield problem("boxes_missing")
    if pasted or not {_bare(line) for line in beside} <= _own_words(form.name):
        yield problem("written_beside")


@lru_cache(maxsize=16)
def _names(name: str) -> frozenset[str]:
    """The fields that a form must have; people may take rows out of a register but its first."""
    every = (f.name for f in plan(load.form(name)).fields)
    return frozenset(n for n in every if "[" not in n or "[1]" in n)


@lru_cache(maxsize=16)
def _own_words(name: str) -> frozenset[str]:
    """The lines that stand beside the controls in the blank."""
    text = WordText()
    walk(Package(blank(load.form(name))).read(MAIN), text, SPACES)
    return frozenset(_bare(line) for line in text.beside)


def _bare(line: str) -> str:
    return " ".join(line.split())


# ---- the package ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relation:
    part: str  # that it belongs to
    kind: str
    target: str
    outside: bool

    @property
    def calls_out(self) -> bool:
        """Opens or fetches something when the file is opened. A link that a person must press does not."""
        kind = self.kind.rpartition("/")[2]
        if kind in ("attachedTemplate", "aFChunk", "oleObject", "control", "frame", "subDocument"):
            return True
        return self.outside and kind != "hyperlink"


@dataclass(slots=True)
class _Relations:
    part: str
    found: list[Relation] = field(default_factory=list)

    def start(self, name: str, given: Mapping[str, str]) -> None:
        if name == "rel:Relationship":
            outside = given.get("TargetMode", "").casefold() == "external"
            self.found.append(Relation(self.part, given.get("Type", ""), given.get("Target", ""), outside))

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


@dataclass(slots=True)
class _Properties:
    """What people and programs added to the file's properties."""

    found: dict[str, str] = field(default_factory=dict)
    name: str = ""

    def start(self, name: str, given: Mapping[str, str]) -> None:
        if name == "own:property":
            self.name = given.get("name", "")

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None:
        if self.name in _HIDDEN:
            self.found[self.name] = (self.found.get(self.name, "") + text)[:300]


def _relations(package: Package) -> list[Relation]:
    """Each relation of each part, looked at once and followed nowhere, so that a circle of them is no matter."""
    found: list[Relation] = []
    for name in [n for n in package.names() if n.endswith(".rels")][:MOST_RELATIONS]:
        walker = _Relations(name)
        walk(package.read(name), walker, _RELATED, FEW)
        found += walker.found
    return found


def _main(package: Package, relations: list[Relation]) -> bytes:
    """The part that Word shows: the one that the package names, which need not have the usual name."""
    named = (r.target for r in relations if r.part == "_rels/.rels" and r.kind.endswith("/officeDocument"))
    content = package.read(next(named, MAIN))
    if not content:
        raise Refused("corrupt")
    return content


def _properties(package: Package) -> dict[str, str]:
    walker = _Properties()
    content = package.read("docProps/custom.xml")
    if content:
        walk(content, walker, _PROPERTIES, FEW)
    return {name: text.strip() for name, text in walker.found.items()}
