"""A picture file: which of our forms it shows, by the printed code of its page. Runs in the child; the only importer of pi_heif.

The answers on it are for a person; that it is a notice is known at once, whatever the mail around it says.
"""

from __future__ import annotations

import io

from PIL import Image

from intake.adapters.documents.editions import edition_flags
from intake.adapters.documents.page_code import form_of_picture
from intake.adapters.documents.say import not_read_yet, problem
from intake.domain.model import ReadDocument

KINDS = ("BMP", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
MOST_PIXELS = 60_000_000  # a phone's best camera has 50 million; 180 MB in colours
ENOUGH = 4_000_000  # pixels in which a page's code can mostly be read


def ready() -> None:
    """Teach Pillow what phones send. libheif would start threads, which a child may not."""
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = 1


def read_picture(raw: bytes, media_type: str) -> ReadDocument:
    """Form and edition when the picture shows a page of ours; else it says that it is a picture. Raises what Pillow raises."""
    with Image.open(io.BytesIO(raw), formats=KINDS) as opened:
        width, height = opened.size
        if width * height > MOST_PIXELS:
            return ReadDocument("", media_type, "none", problems=(problem("too_large"),))
        opened.draft("L", (width // 2, height // 2) if width * height > 2 * ENOUGH else (width, height))
        page = opened.convert("L")
    form = form_of_picture(_smaller(page)) or form_of_picture(page)
    if form is None:
        return ReadDocument("", media_type, "none", problems=(not_read_yet("a picture"),), pages=1)
    problems = (problem("form_is_picture"), *edition_flags(form))
    return ReadDocument("", media_type, "none", form.kind, form.edition, problems=problems, pages=1)


def _smaller(page: Image.Image) -> Image.Image:
    times = (page.width * page.height / ENOUGH) ** 0.5
    return page.reduce(round(times)) if times >= 1.5 else page
