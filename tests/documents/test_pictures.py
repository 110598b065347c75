"""A photo or a scan of a form: it says which page it is, its marks are read, its words are for a person."""

from __future__ import annotations

import io
import random

import pillow_heif
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageDraw

from forms import load
from forms.canonical import canonical
from forms.pdf.blank import issued
from forms.pdf.stamp import fill
from intake.adapters.documents.runner import DocumentReader
from intake.domain.drafts import SURE
from tests.documents.test_reading_forms import answers_of, read_one
from tests.support.scans import Taken, taken

NOTICE = load.form("breach-notice")
GOOD = fill(NOTICE, {"A01": "Te Whare", "A06": "A letter went astray.", "A07": "no"})


def page(number: int, dots: int) -> Image.Image:
    document = pdfium.PdfDocument(GOOD)
    try:
        document.init_forms()
        return document[number].render(scale=dots / 72).to_pil().convert("RGB")
    finally:
        document.close()


def saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(out, quality=60)
    else:
        image.save(out, kind, quality=70)
    return out.getvalue()


@pytest.mark.parametrize("dots", [150, 200, 300])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF"])
def test_T14_a_picture_of_a_page_gives_its_marks_and_says_where_words_stand(
    reader: DocumentReader, kind: str, dots: int
) -> None:
    read = read_one(reader, saved(page(0, dots), kind))
    assert (read.form, read.edition, read.how) == (NOTICE.kind, NOTICE.edition, "ocr")
    assert [(p.id, p.code) for p in read.problems] == [("", "marks_only"), ("A06", "words_on_paper")]
    assert answers_of(read) == {"A07": "no"}
    assert read.answers["A07"].confidence > 0.9 and read.answers["A07"].box is not None


@pytest.mark.parametrize("turn", [-4.0, 90.0, 178.0])
def test_T14_a_photo_that_is_turned_blurred_and_large_is_known(reader: DocumentReader, turn: float) -> None:
    photo = page(0, 300).rotate(turn, expand=True, fillcolor=(90, 80, 70))
    photo = photo.resize((photo.width * 4 // 3, photo.height * 4 // 3))
    assert answers_of(read_one(reader, saved(photo, "JPEG"))) == {"A07": "no"}


def test_a_picture_of_something_else_is_for_a_person(reader: DocumentReader) -> None:
    noise = Image.effect_noise((900, 700), 80).convert("RGB")
    read = read_one(reader, saved(noise, "JPEG"))
    assert read.form is None and [p.code for p in read.problems] == ["not_read_yet"]


def test_T25_a_picture_of_more_pixels_than_any_camera_has_is_not_opened(reader: DocumentReader) -> None:
    huge = saved(Image.new("1", (12_000, 12_000)), "PNG")
    read = read_one(reader, huge + bytes(30_000))
    assert [p.code for p in read.problems] == ["too_large"]
    assert read_one(reader, GOOD).form == NOTICE.kind


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
def test_a_damaged_picture_says_so_or_is_for_a_person(reader: DocumentReader, kind: str) -> None:
    whole = saved(page(0, 150), kind)
    read = read_one(reader, whole[:60] + bytes(40_000))
    assert read.form is None and read.problems[0].code in ("corrupt", "not_read_yet")


# ---- pages as scanners and phones make them ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", ["scan", "photo"])
def test_T15_marks_of_a_pen_on_a_spoiled_page_are_read_or_left_to_a_person_and_never_wrong_and_sure(
    reader: DocumentReader, how: str, seed: int
) -> None:
    form = load.forms()[seed % 2]
    one = taken(form, 2 + seed, random.Random(f"{how} {seed}"), how)
    read = read_one(reader, one.jpeg())
    assert (read.how, read.form) == ("ocr", form.kind)
    assert "not_aligned" not in [p.code for p in read.problems]
    wanted, _ = canonical(form, _given(one))
    found = answers_of(read)
    wrong = {q for q in wanted.keys() | found.keys() if wanted.get(q) != found.get(q)}
    assert {q for q in wrong if q in found and read.answers[q].confidence >= SURE} == set()
    assert len(wrong) <= 0.1 * len(wanted)


def _given(one: Taken) -> dict[str, object]:
    return {name: next(iter(codes)) for name, codes in one.marked.items()}


def test_T15_a_scan_of_all_pages_in_any_order_and_upside_down_is_one_form(reader: DocumentReader) -> None:
    pages = [page(n, 150).rotate(180 * (n % 2) + 1, expand=True, fillcolor="white") for n in (4, 0, 2, 1, 3, 7, 6, 5)]
    read = read_one(reader, as_pdf(pages))
    assert answers_of(read) == {"A07": "no"} and read.pages == 8
    assert {(p.id, p.code) for p in read.problems} == {
        ("", "marks_only"),
        ("A01", "words_on_paper"),
        ("A06", "words_on_paper"),
    }


def test_T15_a_scan_with_pages_missing_says_so(reader: DocumentReader) -> None:
    read = read_one(reader, as_pdf([page(0, 150), page(3, 150)]))
    assert answers_of(read) == {"A07": "no"}
    assert "missing_pages" in [p.code for p in read.problems]


def test_a_page_with_a_corner_cut_off_is_not_guessed_at(reader: DocumentReader) -> None:
    cut = page(0, 150)
    read = read_one(reader, saved(cut.crop((0, cut.height // 8, cut.width, cut.height)), "JPEG"))
    assert (read.form, answers_of(read)) == (NOTICE.kind, {})
    assert [p.code for p in read.problems] == ["marks_only", "not_aligned"]


def test_a_box_that_is_filled_in_may_be_struck_out_so_a_person_looks(reader: DocumentReader) -> None:
    black = page(0, 150)
    box = next(b for b in issued(NOTICE).boxes if b.name == "A09")
    ImageDraw.Draw(black).rectangle([v * 150 / 72 for v in box.rect], fill="black")
    read = read_one(reader, saved(black, "JPEG"))
    assert read.answers["A09"].confidence < SURE
    assert ("A09", "filled_box") in [(p.id, p.code) for p in read.problems]


def test_a_question_whose_words_nobody_read_is_no_more_than_a_draft(reader: DocumentReader) -> None:
    filled = fill(NOTICE, {"A08.at": "22 11 2026, 8:10 pm", "A08.about": True})
    document = pdfium.PdfDocument(filled)
    document.init_forms()
    number = next(b.page for b in issued(NOTICE).boxes if b.name == "A08.at")
    shown = document[number - 1].render(scale=2).to_pil().convert("RGB")
    document.close()
    read = read_one(reader, saved(shown, "JPEG"))
    assert read.answers["A08"].confidence < SURE


def as_pdf(pages: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=150)
    return out.getvalue()
