"""Prints that were scaled, moved, torn or marked by hand."""

from __future__ import annotations

import io

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from forms import load
from forms.pdf.blank import boxes
from forms.pdf.stamp import fill
from intake.adapters.documents.runner import DocumentReader
from tests.documents.test_reading_forms import answers_of, read_one
from tests.pdf.programs import flat_by_chrome_engine

NOTICE = load.form("breach-notice")
VALUES: dict[str, str | list[str] | bool] = {
    "A01": "Te Whare Āwhina",
    "A06": "It was posted to the wrong house.",
    "A07": "no",
    "A10": "stranger",
    "B08.health": True,
    "B16.threats": "high",
}
ANSWERS = {
    "A01": "Te Whare Āwhina",
    "A06": "It was posted to the wrong house.",
    "A07": "no",
    "A10": "stranger",
    "B08": ["health"],
    "B16": {"threats": "high"},
}


def flat() -> bytes:
    return flat_by_chrome_engine(fill(NOTICE, VALUES))


def changed(content: bytes, before: bytes, after: bytes, page: int | None = None) -> bytes:
    """The same pages with operators before and after their content."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for number, one in enumerate(pdf.pages, start=1):
            if page in (None, number):
                one.contents_add(before, prepend=True)
                one.contents_add(after)
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def drawn(content: bytes, name: str, code: str, operators: str) -> bytes:
    """Operators in the space of one box, whose left lower corner is the origin."""
    box = next(b for b in boxes(NOTICE) if (b.name, b.code) == (name, code))
    left, _, _, low = box.rect
    move = f"\nq 1 0 0 1 {left} {841.89 - low} cm {operators} Q\n"
    return changed(content, b"q ", b" Q " + move.encode(), box.page)


@pytest.mark.parametrize(
    "matrix", ["0.94 0 0 0.94 18 25 cm", "0.97 0 0 0.97 3 9 cm", "1 0 0 1 6 -5 cm"], ids=["fit", "smaller", "moved"]
)
def test_T18_a_print_that_was_scaled_or_moved_is_read(reader: DocumentReader, matrix: str) -> None:
    read = read_one(reader, changed(flat(), f"q {matrix} ".encode(), b" Q"))
    assert read.how == "layout"
    assert answers_of(read) == ANSWERS


def test_T18_a_print_on_letter_paper_is_read(reader: DocumentReader) -> None:
    with pikepdf.open(io.BytesIO(changed(flat(), b"q 0.93 0 0 0.93 29 4 cm ", b" Q"))) as pdf:
        for page in pdf.pages:
            page.mediabox = Array([0, 0, 612, 792])
        out = io.BytesIO()
        pdf.save(out)
    assert answers_of(read_one(reader, out.getvalue())) == ANSWERS


def test_T18_a_tick_that_is_a_letter_counts_as_a_mark(reader: DocumentReader) -> None:
    """Some printers write marks as letters of a symbol font."""
    content = drawn(flat(), "B08.child", "child", "BT /Zd 12 Tf 0.6 1.6 Td (4) Tj ET")
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for page in pdf.pages:
            fonts = page.obj.Resources.setdefault("/Font", Dictionary()) if "/Font" not in page.obj.Resources else None
            fonts = fonts if fonts is not None else page.obj.Resources.Font
            fonts["/Zd"] = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.ZapfDingbats)
        out = io.BytesIO()
        pdf.save(out)
    read = read_one(reader, out.getvalue())
    assert read.answers["B08"].value == ["child", "health"]


def test_a_faint_mark_is_kept_with_doubt(reader: DocumentReader) -> None:
    read = read_one(reader, drawn(flat(), "B08.child", "child", "0.93 g 0 0 11 11 re f"))
    assert read.answers["B08"].value == ["child", "health"]
    assert read.answers["B08"].confidence <= 0.5
    assert ("B08.child", "weak_mark") in [(p.id, p.code) for p in read.problems]


def test_a_speck_is_no_mark(reader: DocumentReader) -> None:
    read = read_one(reader, drawn(flat(), "B08.child", "child", "0 g 5 5 0.7 0.7 re f"))
    assert read.answers["B08"].value == ["health"]


def test_two_marks_where_one_is_asked_for_are_for_a_person(reader: DocumentReader) -> None:
    read = read_one(reader, drawn(flat(), "A07", "yes", "0 g 3 3 5 5 re f"))
    assert ("A07", "two_marks") in [(p.id, p.code) for p in read.problems]
    assert read.answers["A07"].confidence < 0.5


def test_text_that_reaches_the_edge_of_its_box_is_marked_as_clipped(reader: DocumentReader) -> None:
    content = flat_by_chrome_engine(fill(NOTICE, {"A02": "Mere " * 30}))
    read = read_one(reader, content)
    assert ("A02", "clipped") in [(p.id, p.code) for p in read.problems]
    assert read.answers["A02"].confidence == 0.5


def test_lines_that_the_box_broke_are_one_line_again(reader: DocumentReader) -> None:
    story = ("The letter went to the house next door and was opened there. " * 4).strip() + "\nThey gave it back."
    read = read_one(reader, flat_by_chrome_engine(fill(NOTICE, {"A06": story})))
    assert read.answers["A06"].value == story


def test_a_print_whose_corners_were_cut_off_and_moved_is_not_guessed_at(reader: DocumentReader) -> None:
    with pikepdf.open(io.BytesIO(changed(flat(), b"q 1.08 0 0 1.08 -30 20 cm ", b" Q"))) as pdf:
        out = io.BytesIO()
        pdf.save(out)
    read = read_one(reader, out.getvalue())
    assert (read.how, dict(read.answers)) == ("layout", {})
    assert {p.code for p in read.problems} == {"not_aligned"}


def test_pages_that_are_missing_are_said(reader: DocumentReader) -> None:
    with pikepdf.open(io.BytesIO(flat())) as pdf:
        del pdf.pages[2:]
        out = io.BytesIO()
        pdf.save(out)
    read = read_one(reader, out.getvalue())
    assert [p.code for p in read.problems] == ["missing_pages"]
    assert read.answers["A01"].value == "Te Whare Āwhina" and "B08" not in read.answers


def test_pages_in_another_order_behind_a_letter_are_read(reader: DocumentReader) -> None:
    with pikepdf.open(io.BytesIO(flat())) as pdf:
        pages = list(pdf.pages)
        pdf.pages.reverse()
        pdf.add_blank_page(page_size=(595, 842))
        pdf.pages.insert(0, pdf.pages[len(pages)])
        out = io.BytesIO()
        pdf.save(out)
    assert answers_of(read_one(reader, out.getvalue())) == ANSWERS
