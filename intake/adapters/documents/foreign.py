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

from forms.schema import Form
from intake.adapters.documents.matching import AFTER, ASKS, Pair, Rect, suggested

GAP = 14.0  # points between words that stand in two columns
MOST_WORDS = 20_000  # of one page


@dataclass(frozen=True, slots=True)
class Line:
    pieces: tuple[tuple[str, Rect], ...]  # text between wide gaps, left to right

    @property
    def text(self) -> str:
        return " ".join(t for t, _ in self.pieces)


def suggestions(raw: bytes, form: Form, most_pages: int = 20) -> list[dict[str, object]]:
    """The best place for each question, in the form's order: {question, text, page, box, confidence}."""
    return suggested(_pairs(raw, most_pages), form)


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
    match = re.match(ASKS + r"\s*(.*)", first)
    if match is None:
        return None
    return match[1], match[2], first_box


def _under(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        if len(line.pieces) > 1 or re.match(ASKS + r"(\s|$)", line.text):
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
