"""The issued PDF of an edition: made again the same, small, complete, and with all that reading it back needs."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
import zxingcpp

from forms import load
from forms.canonical import flat
from forms.pdf import blank as kept
from forms.pdf.font import code_table
from forms.pdf.plan import Control, plan
from forms.schema import Form, Kind
from tests.pdf.programs import skip_without
from tests.pdf.try_out import FORM as TRY_OUT

FORMS = load.forms()
EDITIONS = pytest.mark.parametrize("form", FORMS, ids=[f.name for f in FORMS])
MOST = {"breach-notice": 250_000, "it-self-assessment": 500_000}


def need_typesetter() -> None:
    try:
        import typst  # noqa: F401
    except ImportError:
        skip_without("typst, of the publish extra, is not installed")


@EDITIONS
def test_publishing_an_edition_again_gives_the_issued_bytes(form: Form) -> None:
    need_typesetter()
    from forms.pdf.font import field_font
    from forms.pdf.publish import as_text, publish, stored

    pdf, boxes = publish(form)
    assert pdf == kept.blank(form)
    beside = Path(kept.EDITIONS) / form.kind / f"{form.edition}.boxes.json"
    assert as_text(stored(pdf, boxes, field_font())) == beside.read_text(encoding="utf-8")


def test_a_form_kind_of_somebody_else_is_published_from_its_questions_alone() -> None:
    need_typesetter()
    from forms.pdf.publish import publish

    pdf, boxes = publish(TRY_OUT)
    assert publish(TRY_OUT) == (pdf, boxes)
    assert {b.name for b in boxes} >= {"A08.at", "B08.health", "DEV[2].mitigations.encryption", "L1-ACCT-01-why"}


@EDITIONS
def test_an_issued_form_is_small(form: Form) -> None:
    assert len(kept.blank(form)) <= MOST[form.kind]


@EDITIONS
def test_every_question_has_its_boxes_in_the_order_of_the_form(form: Form) -> None:
    boxes = kept.boxes(form)
    assert [(b.name, b.code) for b in boxes] == [(f.name, f.code) for f in plan(form).fields]
    asked = dict.fromkeys(re.split(r"[.\[]", b.name)[0] for b in boxes)
    assert set(asked) == {q.id for q in form.questions}
    assert list(asked) == [q.id for q in form.questions]


@EDITIONS
def test_every_field_that_an_answer_can_have_is_on_the_form(form: Form) -> None:
    names = {b.name for b in kept.boxes(form)}
    for question in form.questions:
        if question.kind is Kind.MULTI:
            answers = {question.id: [c.code for c in question.choices]}
            assert set(flat(form, answers)) <= names
        if question.kind is Kind.CHOICE:
            codes = {b.code for b in kept.boxes(form) if b.name == question.id}
            assert codes == {c.code for c in question.choices}


@EDITIONS
def test_boxes_do_not_touch_each_other_and_lie_on_the_page(form: Form) -> None:
    by_page: dict[int, list[tuple[float, float, float, float]]] = {}
    for box in kept.boxes(form):
        left, top, right, low = box.rect
        assert 40 < left < right < 555 and 40 < top < low < 790
        for other in by_page.setdefault(box.page, []):
            apart = left >= other[2] or right <= other[0] or top >= other[3] or low <= other[1]
            assert apart, (box, other)
        by_page[box.page].append(box.rect)


@EDITIONS
def test_no_printed_word_stands_inside_a_box(form: Form) -> None:
    document = pdfium.PdfDocument(kept.blank(form))
    for number, page in enumerate(document):
        layer = page.get_textpage()
        for box in kept.boxes(form):
            if box.page == number + 1:
                left, top, right, low = box.rect
                height = page.get_height()
                text = layer.get_text_bounded(left, height - low - 2, right, height - top + 2)
                assert not text.strip("\u200b\ufffe \r\n"), (box.name, text)
        layer.close()
        page.close()
    document.close()


@EDITIONS
def test_each_page_carries_its_code_its_footer_and_four_corner_squares(form: Form) -> None:
    from intake.adapters.documents.layout import FOOTER
    from intake.adapters.documents.register import register

    document = pdfium.PdfDocument(kept.blank(form))
    count = len(document)
    for number in range(1, count + 1):
        page = document[number - 1]
        image = page.render(scale=2, grayscale=True).to_pil().convert("L")
        assert [c.text for c in zxingcpp.read_barcodes(image)] == [f"PI1:{form.name}:{number}/{count}"]
        assert register(image).found
        text = page.get_textpage().get_text_range()
        assert FOOTER.findall(text) == [(form.kind, form.edition, str(number), str(count))]
        page.close()
    document.close()


@EDITIONS
def test_the_first_page_says_what_nobody_may_overlook(form: Form) -> None:
    document = pdfium.PdfDocument(kept.blank(form))
    text = " ".join(document[0].get_textpage().get_text_range().split())
    assert "Do not write clients’ names" in text or "Do not write clients' names" in text
    assert "from an account that your organisation controls" in text
    assert ("call 111" in text) == any(s.stage for s in form.sections)
    assert " ".join(form.about.split())[:60] in text
    document.close()


@EDITIONS
def test_the_fields_hold_the_font_that_keeps_macrons_in_every_viewer(form: Form) -> None:
    with pikepdf.open(io.BytesIO(kept.blank(form))) as pdf:
        acro = pdf.Root.AcroForm
        assert "/NeedAppearances" not in acro and "/XFA" not in acro
        assert list(acro.DR.Font.keys()) == ["/Wingdings"]
        font = acro.DR.Font.Wingdings
        assert font.Subtype == pikepdf.Name.TrueType and len(font.Widths) == 256
        assert str(acro.DA) == "/Wingdings 10 Tf 0 g"
        assert b"<8D> <0101>" in font.ToUnicode.read_bytes()
    assert set("ĀāĒēĪīŌōŪū–“”‘’éü") <= set(code_table().values())


@EDITIONS
def test_what_was_kept_belongs_to_the_issued_file(form: Form) -> None:
    issued = kept.issued(form)
    assert issued.sha256 == hashlib.sha256(kept.blank(form)).hexdigest()
    with pikepdf.open(io.BytesIO(kept.blank(form))) as pdf:
        assert len(pdf.pages) == issued.pages
        hidden = {str(f.T): str(f.V) for f in pdf.Root.AcroForm.Fields if str(f.T).startswith("_")}
    assert hidden == {"_form": form.kind, "_edition": form.edition}


def test_an_edition_without_an_issued_pdf_says_how_to_make_one() -> None:
    with pytest.raises(kept.NotPublished, match=r"forms\.pdf\.publish try-out@2026\.1"):
        kept.blank(TRY_OUT)


def test_the_plan_makes_one_box_for_each_choice_and_row() -> None:
    fields = plan(TRY_OUT).fields
    names = [f.name for f in fields]
    assert names.count("A07") == 3 and names.count("B16.threats") == 5
    assert [n for n in names if n.startswith("DEV[")][:2] == ["DEV[1].kind", "DEV[1].role"]
    drop_down = next(f for f in fields if f.name == "DEV[1].kind")
    assert drop_down.control is Control.DROP_DOWN and drop_down.options[0] == ("laptop", "Laptop")


def test_a_box_of_several_lines_states_how_much_it_takes() -> None:
    notice = load.form("breach-notice")
    story = next(f for f in plan(notice).fields if f.name == "A06")
    assert story.max_length == 8 * 70 and "Up to 560 characters" in json.dumps(plan(notice).sections)
