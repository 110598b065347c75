"""Answers written onto the issued blank."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2 as pdfium

from forms import load
from forms.canonical import canonical
from forms.pdf.blank import blank
from forms.pdf.stamp import fill, stamp
from intake.adapters.documents.shown import compare_shown
from tests.pdf.programs import by_pikepdf, texts_in_boxes

NOTICE = load.form("breach-notice")


def test_a_stamped_form_shows_what_it_holds() -> None:
    answers, _ = canonical(NOTICE, {"A01": "Ngā Whāriki Trust", "A06": "One.\nTwo.", "A07": "no", "B10.n": "12"})
    assert compare_shown(stamp(NOTICE, answers), NOTICE) == ()


def test_a_page_that_shows_something_else_is_noticed() -> None:
    stamped = fill(NOTICE, {"A01": "Ngā Whāriki Trust", "A02": "Mere"})
    with pikepdf.open(io.BytesIO(stamped)) as pdf:
        node = next(f for f in pdf.Root.AcroForm.Fields if str(f.T) == "A01")
        node.V = pikepdf.String("Another Trust")
        out = io.BytesIO()
        pdf.save(out)
    assert [(p.id, p.code) for p in compare_shown(out.getvalue(), NOTICE)] == [("A01", "shown_differs")]


def test_values_that_a_script_set_without_drawing_them_are_noticed() -> None:
    assert [p.id for p in compare_shown(by_pikepdf(NOTICE, {"A02": "Mere"}), NOTICE)] == ["A02"]


def test_long_text_is_made_smaller_until_it_fits() -> None:
    story = " ".join(["whānau"] * 150)
    shown = texts_in_boxes(_flat(fill(NOTICE, {"A06": story})), NOTICE)
    assert shown["A06"] == "whānau" * 150


def test_a_letter_that_the_font_has_not_is_drawn_as_a_question_mark_and_kept_as_value() -> None:
    stamped = fill(NOTICE, {"A02": "Łukasz 日本"})
    with pikepdf.open(io.BytesIO(stamped)) as pdf:
        assert "Łukasz 日本" in [str(f.get("/V")) for f in pdf.Root.AcroForm.Fields]
    assert texts_in_boxes(_flat(stamped), NOTICE)["A02"] == "?ukasz??"
    assert compare_shown(stamped, NOTICE) == ()


def test_stamping_nothing_leaves_the_blank_as_it_was() -> None:
    with pikepdf.open(io.BytesIO(stamp(NOTICE, {}))) as pdf, pikepdf.open(io.BytesIO(blank(NOTICE))) as issued:
        assert len(pdf.objects) == len(issued.objects)


def test_stamping_twice_gives_the_same_bytes() -> None:
    values = {"A01": "Te Whare", "A07": "yes"}
    assert fill(NOTICE, values) == fill(NOTICE, values)


def _flat(filled: bytes) -> bytes:
    from tests.pdf.programs import flat_by_chrome_engine

    flat = flat_by_chrome_engine(filled)
    assert len(pdfium.PdfDocument(flat)) > 0
    return flat
