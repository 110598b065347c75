"""Anybody's flat PDF: which of its words may answer which of our questions. Suggestions for a person, never answers.

Runs in the child, and the only importer of pdfplumber, which is slow and hungry: never on the way of a message, page by page,
each page closed before the next.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from forms.schema import Form, Kind, Question

Rect = tuple[float, float, float, float]
GAP = 14.0  # points between words that stand in two columns
MOST_WORDS = 20_000  # of one page
LONGEST = 2_000  # characters of one suggestion
AFTER = 5  # lines under a label that may belong to its answer
LEAST = 0.5  # how alike words and question must be
DOUBT = 0.7  # a suggestion is never surer than this
STORY, STORY_AS_CHOICE = 80, 0.6  # characters of a text that is told, and how much less it fits a question with choices
OPEN = (Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL)
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are at by do does for have how if in is it its of on or our the their they this to us was we what when where "
        "which who why will with you your",
    )
)


@dataclass(frozen=True, slots=True)
class Line:
    pieces: tuple[tuple[str, Rect], ...]  # text between wide gaps, left to right

    @property
    def text(self) -> str:
        return " ".join(t for t, _ in self.pieces)


@dataclass(frozen=True, slots=True)
class Pair:
    """Words that ask and words that may answer them."""

    label: str
    text: str
    page: int
    box: Rect  # of the answer


def suggestions(raw: bytes, form: Form, most_pages: int = 20) -> list[dict[str, object]]:
    """The best place for each question, in the form's order: {question, text, page, box, confidence}."""
    words = list(_ways(form))
    best: dict[str, dict[str, object]] = {}
    for pair in _pairs(raw, most_pages):
        asked = _words(pair.label)
        if not asked or not pair.text.strip():
            continue
        score, question = _closest(asked, words, len(pair.text))
        if question is None or score < LEAST:
            continue
        sure = round(score * DOUBT, 2)
        held = best.get(question.id)
        if held is None or sure > float(str(held["confidence"])):
            best[question.id] = {
                "question": question.id,
                "text": pair.text.strip()[:LONGEST],
                "page": pair.page,
                "box": [round(v, 1) for v in pair.box],
                "confidence": sure,
            }
    return [best[q.id] for q in form.questions if q.id in best]


def _pairs(raw: bytes, most_pages: int) -> Iterator[Pair]:
    import pdfplumber

    with pdfplumber.open(io.BytesIO(raw)) as document:
        for page in document.pages[:most_pages]:
            try:
                tables = page.find_tables()
                yield from _of_tables(tables, page.page_number)
                yield from _of_lines(_lines(page, [t.bbox for t in tables]), page.page_number)
            finally:
                page.close()


def _of_tables(tables: Iterable[Any], page: int) -> Iterator[Pair]:
    """Rows of ruled tables: the first cell asks, the others answer."""
    for table in tables:
        for row, cells in zip(table.rows, table.extract(), strict=False):
            filled = [(text.strip(), box) for text, box in zip(cells, row.cells, strict=False) if text and box]
            if len(filled) >= 2:
                rest = filled[1:]
                yield Pair(filled[0][0], " ".join(t for t, _ in rest), page, _around(b for _, b in rest))


def _of_lines(lines: list[Line], page: int) -> Iterator[Pair]:
    """A label, then its answer after a colon, a question mark or a wide gap, or on the next lines."""
    for index, line in enumerate(lines):
        split = _split(line)
        if split is None:
            continue
        label, text, box = split
        if not text:
            under = list(_under(lines[index + 1 : index + 1 + AFTER]))
            if not under:
                continue
            text = "\n".join(u.text for u in under)
            box = _around(b for u in under for _, b in u.pieces)
        yield Pair(label, text, page, box)


def _split(line: Line) -> tuple[str, str, Rect] | None:
    first, first_box = line.pieces[0]
    if len(line.pieces) > 1:
        return first, " ".join(t for t, _ in line.pieces[1:]), _around(b for _, b in line.pieces[1:])
    match = re.match(r"(.{3,160}?[:?])\s*(.*)", first)
    if match is None:
        return None
    return match[1], match[2], first_box


def _under(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        if len(line.pieces) > 1 or re.match(r".{3,160}?[:?](\s|$)", line.text):
            return
        yield line


def _lines(page: Any, tables: list[Rect]) -> list[Line]:
    """Words of the page outside its tables as lines from the top, each cut at wide gaps."""
    rows: dict[int, list[Any]] = {}
    for word in page.extract_words(x_tolerance=2, y_tolerance=2)[:MOST_WORDS]:
        if any(_within(word, table) for table in tables):
            continue
        rows.setdefault(round(float(word["bottom"]) / 4), []).append(word)
    lines = []
    for _, words in sorted(rows.items()):
        words.sort(key=lambda w: float(w["x0"]))
        lines.append(Line(tuple(_cut(words))))
    return lines


def _within(word: Any, table: Rect) -> bool:
    x, y = (float(word["x0"]) + float(word["x1"])) / 2, (float(word["top"]) + float(word["bottom"])) / 2
    return table[0] <= x <= table[2] and table[1] <= y <= table[3]


def _cut(words: list[Any]) -> Iterator[tuple[str, Rect]]:
    piece: list[Any] = []
    for word in words:
        if piece and float(word["x0"]) - float(piece[-1]["x1"]) > GAP:
            yield _joined(piece)
            piece = []
        piece.append(word)
    if piece:
        yield _joined(piece)


def _joined(words: list[Any]) -> tuple[str, Rect]:
    boxes = ((float(w["x0"]), float(w["top"]), float(w["x1"]), float(w["bottom"])) for w in words)
    return unicodedata.normalize("NFC", " ".join(str(w["text"]) for w in words)), _around(boxes)


def _around(boxes: Iterable[Any]) -> Rect:
    held = [tuple(float(v) for v in b) for b in boxes]
    return min(b[0] for b in held), min(b[1] for b in held), max(b[2] for b in held), max(b[3] for b in held)


def _ways(form: Form) -> Iterator[tuple[Question, list[frozenset[str]]]]:
    """Each question with the ways in which it may be asked: its label, its short name, and a story by its section's title."""
    for section in form.sections:
        for question in section.questions:
            if question.columns:
                continue
            ways = [_words(question.label), _words(question.short)]
            if question.kind is Kind.LONG_TEXT:
                ways.append(_words(section.title))
            yield question, [w for w in ways if w]


def _closest(
    asked: frozenset[str], words: list[tuple[Question, list[frozenset[str]]]], length: int
) -> tuple[float, Question | None]:
    """The question whose words are most alike; a story is no answer to a question with choices."""
    best: tuple[float, Question | None] = (0.0, None)
    for question, ways in words:
        told = STORY_AS_CHOICE if length > STORY and question.kind not in OPEN else 1.0
        for way in ways:
            shared = len(asked & way)
            score = told * 2 * shared / (len(asked) + len(way)) if shared else 0.0
            if score > best[0]:
                best = (score, question)
    return best


def _words(text: str) -> frozenset[str]:
    """The words that carry meaning, without case, macrons and plural s."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    found = (w.rstrip("s") if len(w) > 3 else w for w in re.findall(r"[a-z0-9]+", bare))
    return frozenset(w for w in found if w not in COMMON)
