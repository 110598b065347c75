"""An OpenDocument text (.odt): content controls, fields and bookmarks by their names, lines and tables. Runs in the child.

LibreOffice keeps the controls of our Word file when it saves it so, and the properties that name the form.
"""

from __future__ import annotations

from forms.schema import Form, question_of
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.markup import walk
from intake.adapters.documents.matching import Pair, told
from intake.adapters.documents.named import Found, cells, document, form_of, given_names, nothing
from intake.adapters.documents.opendocument_text import SPACES, OpenText
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import ODT
from intake.adapters.documents.word import boxes_lost, choose, differs, has_boxes, missed, under_labels, value_of
from intake.adapters.documents.zipped import Package, Refused
from intake.domain.model import ReadDocument

_HOLDS = ("basic/", "scripts/", "object ", "objectreplacements/")
MOST_STYLES = 100_000  # elements of the part that holds looks, and what stands at the foot of pages
_HIDDEN = ("_form", "_edition")


def read_odt(raw: bytes, limits: Limits) -> ReadDocument:
    """Answers of a form of ours; of any other text that it is none. Raises MemoryError and nothing else."""
    try:
        package = Package(raw)
        text, found = _read(package)
    except Refused as refused:
        return nothing(ODT, refused.code)
    form = form_of(found)
    if form is None:
        return document(ODT, "odt", found)
    own = [box for box in text.boxes if _is_field(form, box.name)]
    if not own or not has_boxes(found, form):
        return boxes_lost(ODT, found, form)
    choose(found, own, form)
    return document(ODT, "odt", found, tuple(missed(form, found, text.beside, text.pictures)))


def _is_field(form: Form, name: str) -> bool:
    return bool(name) and form.question(question_of(name)) is not None


def find_odt(raw: bytes) -> Found:
    """All that may answer something. Raises Refused."""
    text, found = _read(Package(raw))
    form = form_of(found)
    if form is not None and not has_boxes(found, form):
        return under_labels(form, text.lines + [cell for row in text.rows for cell in row])
    found.pairs += [Pair(box.title, box.text) for box in text.boxes if box.title]
    found.pairs += [pair for pair in map(cells, text.rows) if pair]
    found.pairs += told(text.lines)
    return found


def _read(package: Package) -> tuple[OpenText, Found]:
    content = package.read("content.xml")
    if not content:
        raise Refused("corrupt")
    text, feet, said, found = OpenText(), OpenText(), OpenText(), Found()
    walk(content, text, SPACES)
    for name, walker in (("styles.xml", feet), ("meta.xml", said)):
        if part := package.read(name):
            walk(part, walker, SPACES, MOST_STYLES)
    for box in text.boxes:
        if box.name and box.name not in _HIDDEN:
            found.add(box.name, value_of(box))
    named = {b.name: b.text.strip() for part in (feet, text) for b in part.boxes if b.name in _HIDDEN}
    given_names(found, said.named, named)
    if text.runs or feet.runs or any(name.startswith(_HOLDS) for name in package.names()):
        found.flags.append(problem("active_content"))
    if text.changed:
        found.flags.append(problem("tracked_changes"))
    if text.cut or feet.cut:
        found.flags.append(problem("too_many_fields"))
    found.flags += [problem("shown_differs", b.name[:300]) for b in text.boxes if b.name and differs(b)]
    return text, found
