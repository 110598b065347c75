"""A photo or a scan of a form says which form it is; what it answers is for a person."""

from __future__ import annotations

import io

import pillow_heif
import pypdfium2 as pdfium
import pytest
from PIL import Image

from forms import load
from forms.pdf.stamp import fill
from intake.adapters.documents.runner import DocumentReader
from tests.documents.test_reading_forms import answers_of, read_one

NOTICE = load.form("breach-notice")
GOOD = fill(NOTICE, {"A01": "Te Whare", "A07": "no"})


def page(number: int, dots: int) -> Image.Image:
    document = pdfium.PdfDocument(GOOD)
    try:
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
def test_T14_a_picture_of_a_page_says_which_form_and_that_a_person_reads_it(
    reader: DocumentReader, kind: str, dots: int
) -> None:
    read = read_one(reader, saved(page(2, dots), kind))
    assert (read.form, read.edition, read.how) == (NOTICE.kind, NOTICE.edition, "none")
    assert [p.code for p in read.problems] == ["form_is_picture"]
    assert answers_of(read) == {}


@pytest.mark.parametrize("turn", [-4.0, 90.0, 178.0])
def test_T14_a_photo_that_is_turned_blurred_and_large_is_known(reader: DocumentReader, turn: float) -> None:
    photo = page(0, 300).rotate(turn, expand=True, fillcolor=(90, 80, 70)).resize((3000, 4000))
    assert read_one(reader, saved(photo, "JPEG")).form == NOTICE.kind


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
