"""Our own form printed flat: answers by the boxes of the issued edition, text from the text layer, marks by darkness.

Runs in the child. The page is laid over the issued one by its four corner squares, so that a print that was scaled or moved
is read too. The inside of every box of the blank is white, so a mark is what is dark there.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from forms.canonical import canonical
from forms.pdf.blank import Issued, NotPublished, issued
from forms.schema import Box, Choice, Form, Kind, Problem, Question, question_of
from intake.adapters.documents.editions import edition_flags, known_form, question_places
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.register import Registration, aligned, darkness, register
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import PDF
from intake.domain.model import ReadAnswer, ReadDocument

FOOTER = re.compile(r"form\s+([a-z0-9-]{1,60}),\s+edition\s+([0-9.]{1,20}),\s+page\s+(\d{1,3})\s+of\s+(\d{1,3})")
FIRST_PAGES = 3  # a covering page or two may stand before the form
SCALE = 2.0  # 144 dots per inch
MOST_PIXELS = 9_000_000
STRONG, WEAK = 0.09, 0.03  # darkness of a mark that is sure, and of one that is not nothing
SURE_MARK, FAINT_MARK, TWO_MARKS = 0.99, 0.5, 0.4
SURE_TEXT, CLIPPED_TEXT = 0.95, 0.5
EDGE = 1.5  # points: text that comes so near to the right or lower edge may be cut there


@dataclass(slots=True)
class Found:
    """What the boxes of the pages held, by field name."""

    values: dict[str, str] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    pages: set[int] = field(default_factory=set)

    def keep(self, name: str, value: str, sure: float, code: str = "") -> None:
        self.values[name] = value
        self.sure[name] = sure
        if code:
            self.problems.append(problem(code, name))


def read_layout(raw: bytes, flags: list[Problem], limits: Limits) -> ReadDocument:
    """A PDF without fields. Gives `how` layout for a form of ours, else none with the reason."""
    try:
        document = pdfium.PdfDocument(raw)
    except pdfium.PdfiumError:
        return ReadDocument("", PDF, "none", problems=(*flags, problem("corrupt")))
    try:
        pages = len(document)
        form, page_of, has_text = _our_form(document, limits)
        if form is None:
            code = "not_our_form" if has_text else "no_text_layer"
            return _none(flags, code, pages)
        return _read_form(document, form, page_of, flags, pages)
    finally:
        document.close()


def _none(flags: list[Problem], code: str, pages: int) -> ReadDocument:
    return ReadDocument("", PDF, "none", problems=(*flags, problem(code)), pages=pages)


def _our_form(document: Any, limits: Limits) -> tuple[Form | None, dict[int, int], bool]:
    """The form by the footers, the issued page that each page shows, and whether there was any text."""
    form: Form | None = None
    shows: dict[int, int] = {}
    has_text = False
    for index in range(min(len(document), limits.pages)):
        if form is None and index >= FIRST_PAGES:
            break
        text = _page_text(document, index)
        has_text = has_text or len(text.strip()) > 20
        for kind, edition, number, _ in FOOTER.findall(text):
            form = form or known_form(kind, edition)
            if form is not None and (kind, edition) == (form.kind, form.edition):
                shows.setdefault(int(number), index)
    return form, shows, has_text


def _page_text(document: Any, index: int) -> str:
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            return str(text_page.get_text_range())
        finally:
            text_page.close()
    finally:
        page.close()


def _picture(page: Any, scale: float) -> Image.Image:
    width, height = page.get_size()
    scale = min(scale, (MOST_PIXELS / max(1.0, width * height)) ** 0.5)
    image: Image.Image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
    return image.convert("L")


def _read_form(document: Any, form: Form, page_of: Mapping[int, int], flags: list[Problem], pages: int) -> ReadDocument:
    try:
        kept = issued(form)
    except NotPublished:
        return ReadDocument("", PDF, "none", problems=(*flags, problem("unknown_edition")), pages=pages)
    found = Found()
    by_page: dict[int, list[Box]] = {}
    for box in kept.boxes:
        by_page.setdefault(box.page, []).append(box)
    for number, boxes in by_page.items():
        if number in page_of:
            _read_page(document, page_of[number], boxes, form, kept, found)
            found.pages.add(number)
    if len(found.pages) < len(by_page):
        flags.append(problem("missing_pages"))
    flags += edition_flags(form)
    return answered("layout", PDF, form, found, flags, pages, {})


def answered(
    how: str,
    media_type: str,
    form: Form,
    found: Found,
    flags: list[Problem],
    pages: int,
    doubts: Mapping[str, float],
) -> ReadDocument:
    """What the boxes held as answers. doubts: how sure an answer is at most, by question."""
    answers, wrong = canonical(form, found.values)
    places = question_places(form, found.values)
    sure = dict(doubts)
    for name, value in found.sure.items():
        question = question_of(name)
        sure[question] = min(sure.get(question, 1.0), value)
    read = {q: ReadAnswer(v, how, *places.get(q, (None, None)), sure.get(q, SURE_TEXT)) for q, v in answers.items()}
    return ReadDocument("", media_type, how, form.kind, form.edition, read, (*flags, *found.problems, *wrong), pages)


# ---- one page ---------------------------------------------------------------------------------------------------------


def _read_page(document: Any, index: int, boxes: list[Box], form: Form, kept: Issued, found: Found) -> None:
    page = document[index]
    try:
        image = _picture(page, SCALE)
        laid = register(image)
        if not aligned(image, laid, boxes):
            found.problems.append(problem("not_aligned"))
            return
        text_page = page.get_textpage()
        try:
            texts = [b for b in boxes if not is_button(b, form)]
            reader = _Texts(page, text_page, image.size, laid)
            for box in texts:
                _read_text(reader, box, form, kept, found)
        finally:
            text_page.close()
    finally:
        page.close()
    read_marks(image, laid, [b for b in boxes if is_button(b, form)], found)


def is_button(box: Box, form: Form) -> bool:
    if box.code:
        return True
    question = field_question(form, box.name)
    return question is not None and question.kind is Kind.TICK


def field_question(form: Form, name: str) -> Question | None:
    """The question, part or column that a field name stands for."""
    question = form.question(question_of(name))
    if question is None or "." not in name:
        return question
    part = name.split(".")[1]
    inner = question.columns or question.parts
    return next((q for q in inner if q.id == part), question)


# ---- marks ------------------------------------------------------------------------------------------------------------


def read_marks(
    image: Image.Image, laid: Registration, boxes: list[Box], found: Found, solid: float = 1.1, paper: float = 0.0
) -> None:
    """solid: the darkness from which a box may as well have been struck out by hand. paper: that of a box without a mark."""
    groups: dict[str, list[tuple[float, Box]]] = {}
    for box in boxes:
        groups.setdefault(box.name, []).append((darkness(image, laid, box.rect) - paper, box))
    for name, measured in groups.items():
        measured.sort(key=lambda m: -m[0])
        dark, box = measured[0]
        if dark < WEAK:
            continue
        value = box.code if len(measured) > 1 else "yes"
        if len(measured) > 1 and measured[1][0] >= WEAK:
            found.keep(name, value, TWO_MARKS, "two_marks")
        elif dark < STRONG:
            found.keep(name, value, FAINT_MARK, "weak_mark")
        elif dark > solid:
            found.keep(name, value, FAINT_MARK, "filled_box")
        else:
            found.keep(name, value, SURE_MARK)


# ---- text -------------------------------------------------------------------------------------------------------------


class _Texts:
    """The text of a page by boxes of the issued form."""

    def __init__(self, page: Any, text_page: Any, pixels: tuple[int, int], laid: Registration) -> None:
        self.page = page
        self.text_page = text_page
        self.pixels = pixels
        self.laid = laid
        self.runs = [text_page.get_rect(i) for i in range(min(text_page.count_rects(), 5000))]

    def area(self, rect: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """The box in the page's own space: left, low, right, high."""
        x0, y0 = self._point(rect[0], rect[1])
        x1, y1 = self._point(rect[2], rect[3])
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _point(self, left: float, top: float) -> tuple[float, float]:
        x, y = ctypes.c_double(), ctypes.c_double()
        px = round((self.laid.ax * left + self.laid.bx) * 8)
        py = round((self.laid.ay * top + self.laid.by) * 8)
        width, height = self.pixels
        pdfium_c.FPDF_DeviceToPage(self.page, 0, 0, width * 8, height * 8, 0, px, py, x, y)
        return x.value, y.value

    def text(self, area: tuple[float, float, float, float]) -> str:
        return str(self.text_page.get_text_bounded(*area))

    def clipped(self, area: tuple[float, float, float, float]) -> bool:
        """Whether a line of the box reaches its right or lower edge."""
        left, low, right, high = area
        for x0, y0, x1, y1 in self.runs:
            inside = x0 < right and x1 > left and y0 < high and y1 > low
            if inside and (x1 > right - EDGE or (y0 + y1) / 2 < low + EDGE + 2):
                return True
        return False


def _read_text(reader: _Texts, box: Box, form: Form, kept: Issued, found: Found) -> None:
    area = reader.area(box.rect)
    written = unicodedata.normalize("NFC", reader.text(area)).replace("\r\n", "\n").replace("\r", "\n")
    written = written.replace("\ufffe", "").strip()
    if not written:
        return
    question = field_question(form, box.name)
    several = question is not None and question.lines > 1
    if question is not None and question.kind is Kind.CHOICE:
        written = _whole_label(question.choices, written)
    elif several:
        written = rejoined(written, box.rect[2] - box.rect[0], kept)
    else:
        written = " ".join(written.split("\n"))
    clipped = reader.clipped(area)
    found.keep(box.name, written, CLIPPED_TEXT if clipped else SURE_TEXT, "clipped" if clipped else "")


def _whole_label(choices: tuple[Choice, ...], written: str) -> str:
    """A drop-down's label may be cut at the edge of its box: the one label that begins so."""
    start = "".join(written.split())
    fitting = [c for c in choices if "".join(c.label.split()).startswith(start)]
    exact = [c for c in fitting if "".join(c.label.split()) == start]
    only = exact or fitting
    return only[0].code if len(only) == 1 else written


def rejoined(written: str, width: float, kept: Issued) -> str:
    """Lines that ended only because the box did become one again; a line that had room left was ended by the writer."""
    lines = written.split("\n")
    widths = [_width(line, kept) for line in lines]
    room = max(width / 10.0 - 0.8, max(widths, default=0.0))
    out = lines[0]
    for before, line, used in zip(lines, lines[1:], widths, strict=False):
        first = line.split(" ", 1)[0]
        fitted = used + _width(" " + first, kept) <= room
        joint = "\n" if fitted or not before else " "
        out = out.rstrip() + joint + line.lstrip()
    return out


def _width(text: str, kept: Issued) -> float:
    return sum(kept.widths[kept.codes.get(c, 0x3F)] for c in text) / 1000
