"""Lay the picture of a page over the issued page, and measure how dark a place on it is. Runs in the child.

The issued page is A4 with a black square in each corner; the same squares will serve for scans.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageFilter

from forms.schema import Box

FRAME, ALIGNED = 0.06, 0.85  # darkness of a box's edge, and the share of boxes whose edge must be found
FRAME_WIDTH, LEAST_INK = 2.5, 10  # points at each edge that are the box's own; pixels of ink in a box with words
INSIDE = 0.2  # of a box's side, left out at each edge: the frame itself
SQUARE, INSET = 5 / 25.4 * 72, 8 / 25.4 * 72  # the corner squares, in points


@dataclass(frozen=True, slots=True)
class Registration:
    """From points of the issued page to pixels: x = ax * left + bx, y = ay * top + by."""

    ax: float
    bx: float
    ay: float
    by: float
    found: bool  # False: no corner squares; only the page's size was used


def register(image: Image.Image) -> Registration:
    """Lay the picture over the issued A4 page by the corner squares; by the page's size when they are not all there."""
    width, height = image.size
    centre = INSET + SQUARE / 2
    spots: list[tuple[float, float]] = []
    for right in (False, True):
        for low in (False, True):
            spot = _square(image, right, low)
            if spot is None:
                return Registration(width / A4[0], 0.0, height / A4[1], 0.0, found=False)
            spots.append(spot)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = spots  # left top, left low, right top, right low
    left, right_, top, low_ = (x0 + x1) / 2, (x2 + x3) / 2, (y0 + y2) / 2, (y1 + y3) / 2
    ax = (right_ - left) / (A4[0] - 2 * centre)
    ay = (low_ - top) / (A4[1] - 2 * centre)
    return Registration(ax, left - ax * centre, ay, top - ay * centre, found=True)


A4 = (595.28, 841.89)
CORNERS = (0.1, 0.2)  # of the page's width: where a corner square may be; the title block begins further in


def _square(image: Image.Image, right: bool, low: bool) -> tuple[float, float] | None:
    """The centre of the black square in one corner, in pixels."""
    for share in CORNERS:
        side = int(image.width * share)
        x = image.width - side if right else 0
        y = image.height - side if low else 0
        centre = _centre(image.crop((x, y, x + side, y + side)), side)
        if centre is not None:
            return x + centre[0], y + centre[1]
    return None


def _centre(corner: Image.Image, side: int) -> tuple[float, float] | None:
    bounds = _solid(corner.reduce(4).point(_BLACK))
    if bounds is None:
        return None
    left, top, far, bottom = (4 * b for b in bounds)
    close = (max(0, left - 6), max(0, top - 6), min(side, far + 6), min(side, bottom + 6))
    exact = corner.crop(close).point(_DARK).getbbox()
    if exact is None or abs((exact[2] - exact[0]) - (exact[3] - exact[1])) > 3:
        return None
    if close[0] + exact[2] >= side or close[1] + exact[3] >= side:
        return None  # cut by the edge of the part that was looked at
    return close[0] + (exact[0] + exact[2]) / 2, close[1] + (exact[1] + exact[3]) / 2


_BLACK = [255 if v < 40 else 0 for v in range(256)]
_DARK = [255 if v < 128 else 0 for v in range(256)]


def _solid(coarse: Image.Image) -> tuple[int, int, int, int] | None:
    """Bounds of a filled square of at least 5 by 5 points of the coarse picture; letters and lines are thinner."""
    core = coarse.filter(ImageFilter.MinFilter(3)).getbbox()
    if core is None or not (2 <= core[2] - core[0] <= 12 and 2 <= core[3] - core[1] <= 12):
        return None
    return core[0] - 1, core[1] - 1, core[2] + 1, core[3] + 1


def aligned(image: Image.Image, laid: Registration, boxes: list[Box]) -> bool:
    """Whether the frames of the boxes are where they should be: a page that was cut or bent must not be guessed at."""
    framed = [b for b in boxes if _framed(image, laid, b.rect)]
    return len(framed) >= ALIGNED * len(boxes)


def _framed(image: Image.Image, laid: Registration, rect: tuple[float, float, float, float]) -> bool:
    left, top, _, low = rect
    height = low - top
    return _dark(image, laid, (left - 0.7, top + 0.4 * height, left + 1.5, low - 0.4 * height)) > FRAME


def darkness(image: Image.Image, laid: Registration, rect: tuple[float, float, float, float]) -> float:
    """How dark the inside of a box is, 0 white to 1 black."""
    left, top, right, low = rect
    dx, dy = (right - left) * INSIDE, (low - top) * INSIDE
    return _dark(image, laid, (left + dx, top + dy, right - dx, low - dy))


def has_ink(image: Image.Image, laid: Registration, rect: tuple[float, float, float, float]) -> bool:
    """Whether anything is written in a box: a few dark pixels that touch, which dust and noise are not."""
    left, top, right, low = rect
    edge = FRAME_WIDTH
    area = (laid.ax * (left + edge), laid.ay * (top + edge), laid.ax * (right - edge), laid.ay * (low - edge))
    x, y = laid.bx, laid.by
    inside = image.crop((round(area[0] + x), round(area[1] + y), round(area[2] + x), round(area[3] + y)))
    return inside.filter(ImageFilter.MedianFilter(3)).point(_DARK).histogram()[255] >= LEAST_INK


def _dark(image: Image.Image, laid: Registration, rect: tuple[float, float, float, float]) -> float:
    left, top, right, low = rect
    area = (laid.ax * left + laid.bx, laid.ay * top + laid.by, laid.ax * right + laid.bx, laid.ay * low + laid.by)
    if area[0] < 0 or area[1] < 0 or area[2] > image.width or area[3] > image.height:
        return 0.0
    value = image.resize((1, 1), Image.Resampling.BOX, box=area).getpixel((0, 0))
    return 1.0 - float(value if isinstance(value, int | float) else 255) / 255.0
