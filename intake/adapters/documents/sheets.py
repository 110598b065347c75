"""Sheets (.xlsx, .xls, .ods). A row of ours begins with a question's id or a field's name and holds the answer. Runs in the child.

The layout: columns `id`, `question`, `answer`, with that line at the top, and two rows `_form` and `_edition` whose answers name
the edition. Without the line at the top the answer is the third cell, or the second of a sheet with two columns.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine

from intake.adapters.documents.limits import Limits
from intake.adapters.documents.markup import walk
from intake.adapters.documents.matching import Pair
from intake.adapters.documents.named import Found, TooMany, cells, document, form_of, given_names, nothing
from intake.adapters.documents.opendocument_text import SPACES, OpenText
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import ODS, XLS
from intake.adapters.documents.word import boxes_lost, calls_out, has_boxes
from intake.adapters.documents.zipped import Package, Refused, stored
from intake.domain.model import ReadDocument

MOST_SHEETS = 20
MOST_ROWS, MOST_COLUMNS = 5_000, 50  # of one sheet that are looked at
MOST_CELLS = 1_000_000  # of the rectangle around all cells: the library makes room for each
MOST_TEXT = 400_000_000  # characters, if every cell held the longest text
MOST_RECORDS = 500_000  # of an old workbook
_HIDDEN = ("_form", "_edition")
_PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{1,3})([0-9]{1,7})""")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_CELL_RECORDS = frozenset({0x0006, 0x00BD, 0x00BE, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x0207, 0x027E})
Row = Sequence[object]


def read_sheet(media_type: str, raw: bytes, limits: Limits) -> ReadDocument:
    """Answers of a form of ours; of any other sheet that it is none. Raises MemoryError and nothing else."""
    try:
        found = find_sheet(media_type, raw)
    except Refused as refused:
        return nothing(media_type, refused.code)
    form = form_of(found)
    if form is not None and not has_boxes(found, form):
        return boxes_lost(media_type, found, form)
    return document(media_type, "xlsx", found)


def find_sheet(media_type: str, raw: bytes) -> Found:
    """All that may answer something. Raises Refused."""
    found = Found()
    sheets = _opened(media_type, raw, found)
    hidden: dict[str, str] = {}
    try:
        for rows in sheets:
            _take(rows, found, hidden)
    except TooMany:
        found.flags.append(problem("too_many_fields"))
    given_names(found, hidden, {})
    return found


def _take(rows: Sequence[Row], found: Found, hidden: dict[str, str]) -> None:
    """The named answers of one sheet, and pairs of its words."""
    at = _answers_at(rows)
    for row in rows:
        name = _text(row[0]).strip() if row else ""
        answer = row[at] if at < len(row) else ""
        if name in _HIDDEN:
            told = (_text(c).strip() for c in (answer, *row[1:]))
            hidden[name] = next((t for t in told if t), "")[:300]
        elif name and len(name) <= 100:
            found.add(name, _value(answer))
        pair = cells([_text(c) for c in row])
        if pair is not None:
            found.pairs += [pair, Pair(_text(row[1]), _text(answer))] if at > 1 and len(row) > at else [pair]


def _answers_at(rows: Sequence[Row]) -> int:
    """The column of the answers, from 0."""
    for row in rows[:10]:
        titles = [_text(c).strip().casefold() for c in row]
        if titles and titles[0] == "id" and "answer" in titles:
            return titles.index("answer")
    return 2 if max((len(row) for row in rows), default=0) > 2 else 1


def _value(cell: object) -> object:
    """A cell as `forms.canonical` takes it."""
    if isinstance(cell, datetime | time | timedelta) and not _is_midnight(cell):
        return _text(cell)
    return cell if isinstance(cell, str | bool | int | float | date) else _text(cell)


def _is_midnight(cell: object) -> bool:
    return isinstance(cell, datetime) and cell.time() == time()


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if _is_midnight(cell) else cell.isoformat(" ", "minutes")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


# ---- the three kinds --------------------------------------------------------------------------------------------------


def _opened(media_type: str, raw: bytes, found: Found) -> Iterator[Sequence[Row]]:
    if media_type == XLS:
        _check_old(raw)
        return _calamine(raw)
    package = Package(raw)
    if calls_out(package):
        found.flags.append(problem("active_content"))
    return iter([_open_rows(package, found)]) if media_type == ODS else _calamine(_checked(package))


def _open_rows(package: Package, found: Found) -> Sequence[Row]:
    content = package.read("content.xml")
    if not content:
        raise Refused("corrupt")
    text = OpenText()
    walk(content, text, SPACES)
    if text.runs:
        found.flags.append(problem("active_content"))
    return [row[:MOST_COLUMNS] for row in text.rows]


def _checked(package: Package) -> bytes:
    """The workbook's parts, unpacked within our limits, when no sheet is wider or longer than there is room for."""
    parts = package.parts((".xml", ".rels"))
    longest = max((len(text) for c in parts.values() if b"<sst" in c[:2000] for text in c.split(b"<si")), default=0)
    for content in parts.values():
        if b"sheetData" in content:
            places = _PLACE.findall(content)
            if len(_CELL.findall(content)) > len(places):  # cells that do not say where they stand
                raise Refused("too_costly")
            if longest * len(places) > MOST_TEXT:  # each cell gets a copy of the text that it names
                raise Refused("too_costly")
            _check_room((int(row), _column(letters)) for letters, row in places)
    return stored(parts)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _check_room(places: Iterator[tuple[int, int]]) -> None:
    most_row = most_column = 1
    for row, column in places:
        most_row, most_column = max(most_row, row), max(most_column, column)
    if most_row * most_column > MOST_CELLS:
        raise Refused("too_costly")


def _check_old(raw: bytes) -> None:
    """An old workbook is a list of records; those of cells begin with their row and column."""
    from olefile import OleFileIO

    try:
        with OleFileIO(io.BytesIO(raw)) as opened:
            name = next((n for n in ("Workbook", "Book") if opened.exists(n)), "")
            stream = opened.openstream(name).read() if name else b""
    except (OSError, ValueError, IndexError, TypeError, struct.error, AttributeError, RecursionError) as error:
        raise Refused("corrupt") from error
    if not stream:
        raise Refused("corrupt")
    _check_room(_old_places(stream))


def _old_places(stream: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    for _ in range(MOST_RECORDS):
        if at + 4 > len(stream):
            return
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind in _CELL_RECORDS and size >= 4 and at + 8 <= len(stream):
            row, column = struct.unpack_from("<HH", stream, at + 4)
            yield row + 1, column + 1
        at += 4 + size
    raise Refused("too_costly")


def _calamine(raw: bytes) -> Iterator[Sequence[Row]]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        for number, _ in zip(range(MOST_SHEETS), workbook.sheet_names, strict=False):
            yield _rows(workbook.get_sheet_by_index(number))
    except python_calamine.PasswordError as error:
        raise Refused("encrypted") from error
    except (MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the library is no Exception, and a damaged file is no fault of ours
        raise Refused("corrupt") from error


def _rows(sheet: Any) -> list[Row]:
    rows: list[Row] = []
    for row in sheet.to_python(skip_empty_area=False, nrows=MOST_ROWS):
        rows.append(row[:MOST_COLUMNS])
    return rows
