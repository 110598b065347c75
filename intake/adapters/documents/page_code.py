"""The code printed on each page of our forms: form, edition, page and how many there are. Runs in the child."""

from __future__ import annotations

import re
from dataclasses import dataclass

import zxingcpp
from PIL import Image, ImageFilter, ImageOps

from forms.schema import Form
from intake.adapters.documents.editions import known_form

CODE = re.compile(r"PI1:([a-z0-9-]{1,60})@([0-9.]{1,20}):(\d{1,3})/(\d{1,3})")
# Where it stands on the issued page, in points: left top, right top, right low, left low.
CODE_PLACE = ((507.7, 779.7), (544.8, 779.7), (544.8, 816.8), (507.7, 816.8))
LARGER = 3
ENOUGH = 4_000_000  # pixels in which a page's code can mostly be read


@dataclass(frozen=True, slots=True)
class PageCode:
    """A code that was found: `page` from 1; `corners` in pixels of the picture, in the order of `CODE_PLACE`."""

    form: Form
    page: int
    corners: tuple[tuple[float, float], ...]


def page_code(picture: Image.Image) -> PageCode | None:
    """The code of the page that a picture shows, in any of its sizes; None when there is none, or none of ours."""
    times = round((picture.width * picture.height / ENOUGH) ** 0.5)
    if times >= 2 and (found := _code(picture.reduce(times), times)):
        return found
    found = _code(picture, 1)
    if found is not None or times >= 2:
        return found
    return _code(ImageOps.autocontrast(picture.resize((picture.width * 2, picture.height * 2))), 0.5)


def blurred_code(page: Image.Image, scale: float) -> PageCode | None:
    """The code of a page that was straightened, looked at where it must be, enlarged and sharpened. scale: pixels to a point."""
    left, top, right, low = (
        v * scale for v in (CODE_PLACE[0][0] - 12, CODE_PLACE[0][1] - 12, CODE_PLACE[2][0] + 12, CODE_PLACE[2][1] + 12)
    )
    upside_down = (page.width - right, page.height - low, page.width - left, page.height - top)
    for box in ((left, top, right, low), upside_down):
        near = page.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))
        large = near.resize((near.width * LARGER, near.height * LARGER), Image.Resampling.BICUBIC)
        found = _code(large.filter(ImageFilter.UnsharpMask(radius=7, percent=300, threshold=0)), 1 / LARGER)
        if found is not None:
            corners = tuple((x + round(box[0]), y + round(box[1])) for x, y in found.corners)
            return PageCode(found.form, found.page, corners)
    return None


def _code(picture: Image.Image, times: float) -> PageCode | None:
    for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)):
        match = CODE.fullmatch(code.text)
        if match and (form := known_form(match[1], match[2])):
            at = code.position
            corners = tuple(
                (p.x * times, p.y * times) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
            )
            return PageCode(form, int(match[3]), corners)
    return None
