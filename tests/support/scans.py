"""Pages of our forms as scanners and phones make them, with marks of a pen: another set for each seed."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import pypdfium2 as pdfium
from PIL import Image, ImageDraw, ImageFilter

from forms.pdf.blank import blank, issued
from forms.schema import Box, Form
from intake.adapters.documents.layout import is_button

DOTS = (150, 200, 300)


@dataclass(frozen=True)
class Taken:
    """A picture of one page: what was marked on it, by field name, and how it was taken."""

    form: Form
    page: int  # from 1
    marked: dict[str, set[str]]  # codes; "yes" for a box to tick
    picture: Image.Image
    how: str
    fields: frozenset[str] = field(default_factory=frozenset)  # every field with boxes on the page

    def jpeg(self, quality: int = 75) -> bytes:
        out = io.BytesIO()
        self.picture.save(out, "JPEG", quality=quality)
        return out.getvalue()


@cache
def _page(form: Form, page: int, dots: int) -> Image.Image:
    document = pdfium.PdfDocument(blank(form))
    try:
        document.init_forms()
        image: Image.Image = document[page - 1].render(scale=dots / 72, grayscale=True).to_pil()
        return image.convert("L")
    finally:
        document.close()


def taken(form: Form, page: int, rng: random.Random, how: str = "") -> Taken:
    """One page, marked here and there by hand, as it comes out of a scanner or a phone. how: scan, photo; else by chance."""
    dots = rng.choice(DOTS)
    sheet = _page(form, page, dots).copy()
    groups: dict[str, list[Box]] = {}
    for box in issued(form).boxes:
        if box.page == page and is_button(box, form):
            groups.setdefault(box.name, []).append(box)
    marked: dict[str, set[str]] = {}
    for name, boxes in groups.items():
        if rng.random() < 0.6:
            box = rng.choice(boxes)
            _mark(sheet, box, dots / 72, rng)
            marked[name] = {box.code if len(boxes) > 1 else "yes"}
    how = how or rng.choice(("scan", "photo"))
    spoiled = _scanned(sheet, rng) if how == "scan" else _photographed(sheet, rng)
    return Taken(form, page, marked, _noisy(spoiled, rng), f"{how} {dots}", frozenset(groups))


def many(forms: tuple[Form, ...], rng: random.Random, count: int) -> Iterator[Taken]:
    for n in range(count):
        form = forms[n % len(forms)]
        yield taken(form, rng.randint(1, issued(form).pages), rng)


def _mark(sheet: Image.Image, box: Box, scale: float, rng: random.Random) -> None:
    """A cross, a tick, a stroke or a filled dot, as different hands make them."""
    left, top, right, low = (v * scale for v in box.rect)
    wide = right - left
    draw, ink = ImageDraw.Draw(sheet), rng.randint(15, 105)
    pen = max(1, round(scale * rng.uniform(0.6, 1.5)))

    def at(x: float, y: float) -> tuple[float, float]:
        return left + wide * (x + rng.uniform(-0.1, 0.1)), top + (low - top) * (y + rng.uniform(-0.1, 0.1))

    kind = rng.choice(("cross", "tick", "stroke", "dot"))
    if kind == "cross":
        draw.line([at(0.05, 0.05), at(0.95, 0.95)], fill=ink, width=pen)
        draw.line([at(0.95, 0.05), at(0.05, 0.95)], fill=ink, width=pen)
    elif kind == "tick":
        draw.line([at(0.1, 0.5), at(0.4, 0.9), at(1.1, -0.2)], fill=ink, width=pen)
    elif kind == "stroke":
        draw.line([at(0.05, 0.9), at(0.95, 0.1)], fill=ink, width=max(pen, round(scale)))
    else:
        x, y = at(0.5, 0.5)
        size = wide * rng.uniform(0.22, 0.3)
        draw.ellipse([x - size, y - size, x + size, y + size], fill=ink)


def _scanned(sheet: Image.Image, rng: random.Random) -> Image.Image:
    turn = rng.uniform(-3, 3) + rng.choice((0, 0, 0, 180, 90))
    return sheet.rotate(turn, expand=True, fillcolor=rng.randint(190, 255), resample=Image.Resampling.BICUBIC)


def _photographed(sheet: Image.Image, rng: random.Random) -> Image.Image:
    """In perspective, on a table, half in shadow."""
    wide, high = sheet.size
    edge = round(wide * 0.12)
    corners = [(0, 0), (wide, 0), (wide, high), (0, high)]
    moved = [
        (edge + x + rng.uniform(-0.07, 0.07) * wide, edge + y + rng.uniform(-0.07, 0.07) * wide) for x, y in corners
    ]
    laid = cv2.getPerspectiveTransform(np.array(corners, np.float32), np.array(moved, np.float32))
    size = (wide + 2 * edge, high + 2 * edge)
    photo = cv2.warpPerspective(np.asarray(sheet), laid, size, borderValue=rng.randint(40, 150)).astype(np.float32)
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    angle = rng.uniform(0, 2 * math.pi)
    across = (math.cos(angle) * columns / size[0] + math.sin(angle) * rows / size[1] + 1.5) / 3
    photo *= 1 - rng.uniform(0, 0.45) * across
    turn = rng.choice((0, 0, 90, 180, 270)) + rng.uniform(-5, 5)
    image = Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8))
    return image.rotate(turn, expand=True, fillcolor=60, resample=Image.Resampling.BICUBIC)


def _noisy(picture: Image.Image, rng: random.Random) -> Image.Image:
    blurred = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.0055 * picture.width / 8)))
    noise = np.random.default_rng(rng.randrange(10**9)).normal(0, rng.uniform(0, 12), (blurred.height, blurred.width))
    spoiled = Image.fromarray(np.clip(np.asarray(blurred).astype(np.float32) + noise, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    spoiled.save(out, "JPEG", quality=rng.randint(35, 85))
    return Image.open(io.BytesIO(out.getvalue())).convert("L")
