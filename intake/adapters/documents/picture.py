"""Pages that are pictures, of a scan or a photo: which page of which form, and its marks. Runs in the child.

A page is known by its printed code, laid flat by the squares in its corners, and its marks are read by darkness as those of a flat
print. Words are not read here: a box in which something is written is said, so that a person reads it, and a question whose words
are missing is never surer than a draft.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pi_heif
import pypdfium2 as pdfium
from PIL import Image

from forms.pdf.blank import NotPublished, issued
from forms.schema import Box, Form, question_of
from intake.adapters.documents.editions import edition_flags
from intake.adapters.documents.flatten import LAID, STRAIGHT_SCALE, flat_page, straightened
from intake.adapters.documents.layout import Found, answered, is_button, read_marks
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.page_code import PageCode, blurred_code, page_code
from intake.adapters.documents.register import aligned, darkness, has_ink
from intake.adapters.documents.say import not_read_yet, problem
from intake.adapters.documents.sniff import PDF
from intake.domain.model import ReadDocument

KINDS = ("BMP", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
MOST_PIXELS = 60_000_000  # a phone's best camera has 50 million; 180 MB in colours
LARGE = 8_000_000  # pixels above which a JPEG is decoded at half its size
MOST_PAGES = 40  # pages of one file; the longest form has 17
DOTS = 150  # to an inch, at which the pages of a PDF are looked at
SOLID = 0.62  # darkness of the inside of a box that is filled in rather than marked
FEW, GREY = 6, 0.04  # boxes of a page that say how dark empty ones are, and how dark those may be
WORDS_MISSING = 0.5  # how sure an answer is, some of whose words nobody has read


@dataclass(slots=True)
class Pages:
    """What the pages of one file showed."""

    form: Form | None = None
    found: Found = field(default_factory=Found)
    count: int = 0
    written: list[str] = field(default_factory=list)  # fields in whose boxes something stands
    bent: int = 0  # pages that could not be laid flat
    other: int = 0  # pages of another form, or without a code


def ready() -> None:
    """Teach Pillow what phones send. libheif would start threads, of which it gets one."""
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = 1


def read_pictures(raw: bytes, media_type: str, limits: Limits) -> ReadDocument:
    """`how` ocr when pages of a form of ours were found; else it says that it is a picture. Raises what Pillow and pdfium raise."""
    seen = Pages()
    pages = _of_pdf(raw) if media_type == PDF else _of_picture(raw)
    for page in islice(pages, MOST_PAGES):
        if page is None:
            return ReadDocument("", media_type, "none", problems=(problem("too_large"),))
        _look(page, seen)
    if seen.form is None:
        unread = problem("no_text_layer") if media_type == PDF else not_read_yet("a picture")
        return ReadDocument("", media_type, "none", problems=(unread,), pages=seen.count)
    return _document(seen, seen.form, media_type)


def _of_picture(raw: bytes) -> Iterator[Image.Image | None]:
    """Each picture of the file (a TIFF of a fax has many); None when it is too large to open."""
    with Image.open(io.BytesIO(raw), formats=KINDS) as opened:
        for number in range(min(getattr(opened, "n_frames", 1), MOST_PAGES)):
            if number:
                opened.seek(number)
            width, height = opened.size
            if width * height > MOST_PIXELS:
                yield None
                return
            if width * height > 2 * LARGE:
                opened.draft("L", (width // 2, height // 2))
            yield opened.convert("L")


def _of_pdf(raw: bytes) -> Iterator[Image.Image]:
    document = pdfium.PdfDocument(raw)
    try:
        for index in range(min(len(document), MOST_PAGES)):
            page = document[index]
            try:
                yield _drawn(page)
            finally:
                page.close()
    finally:
        document.close()


def _drawn(page: Any) -> Image.Image:
    width, height = page.get_size()
    scale = min(DOTS / 72, (LARGE / max(1.0, width * height)) ** 0.5)
    image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return image.convert("L")


def found_page(picture: Image.Image) -> tuple[PageCode | None, Image.Image | None]:
    """The code of the page that a picture shows, and the page laid flat: each None when it could not be found."""
    code = page_code(picture)
    if code is None and (straight := straightened(picture)) is not None:
        picture, code = straight, page_code(straight) or blurred_code(straight, STRAIGHT_SCALE)
    return code, flat_page(picture, code) if code else None


def _look(picture: Image.Image, seen: Pages) -> None:
    seen.count += 1
    code, page = found_page(picture)
    if code is None or (seen.form is not None and code.form != seen.form):
        seen.other += 1
        return
    seen.form = code.form
    try:
        boxes = [b for b in issued(code.form).boxes if b.page == code.page]
    except NotPublished:
        return
    if page is None or not aligned(page, LAID, boxes):
        seen.bent += 1
        return
    if code.page in seen.found.pages:
        return  # the same page again
    seen.found.pages.add(code.page)
    buttons = [b for b in boxes if is_button(b, code.form)]
    read_marks(page, LAID, buttons, seen.found, SOLID, paper(page, buttons))
    seen.written += dict.fromkeys(b.name for b in boxes if b not in buttons and has_ink(page, LAID, b.rect))


def paper(page: Image.Image, buttons: Sequence[Box]) -> float:
    """How dark the boxes without a mark are on a page: grey when it is blurred. Most boxes of a page have none."""
    dark = sorted(darkness(page, LAID, box.rect) for box in buttons)
    return min(dark[len(dark) // 8], GREY) if len(dark) >= FEW else 0.0


def _document(seen: Pages, form: Form, media_type: str) -> ReadDocument:
    found = seen.found
    for name in seen.written:
        found.problems.append(problem("words_on_paper", name))
    flags = [problem("marks_only")]
    if seen.bent:
        flags.append(problem("not_aligned"))
    if media_type == PDF and _pages_of(form) - found.pages and not seen.bent:
        flags.append(problem("missing_pages"))
    missing = {question_of(name) for name in seen.written}
    return answered(
        "ocr",
        media_type,
        form,
        found,
        [*flags, *edition_flags(form)],
        seen.count,
        dict.fromkeys(missing, WORDS_MISSING),
    )


def _pages_of(form: Form) -> set[int]:
    try:
        return {box.page for box in issued(form).boxes}
    except NotPublished:
        return set()
