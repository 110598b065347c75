"""The blank of an edition as it was issued, and where its fields stand: read from the files beside the edition's text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from forms.schema import Box, Form

EDITIONS = Path(__file__).parent.parent / "editions"


class NotPublished(LookupError):
    """The edition has no issued PDF, or the one that is there is not the one that its boxes were taken from."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What was kept when the edition was published."""

    sha256: str  # hex, of the PDF
    pages: int
    boxes: tuple[Box, ...]  # in reading order
    codes: dict[str, int]  # character to byte of the field font
    widths: tuple[int, ...]  # 256, per 1000 of the size

    def named(self) -> dict[str, tuple[Box, ...]]:
        """Boxes by full field name; a radio group has several."""
        out: dict[str, tuple[Box, ...]] = {}
        for box in self.boxes:
            out[box.name] = (*out.get(box.name, ()), box)
        return out


def blank(form: Form) -> bytes:
    """The fillable PDF as issued. Raises `NotPublished` when it is not there or was changed since."""
    return _blank(form.kind, form.edition)


def boxes(form: Form) -> tuple[Box, ...]:
    """Where each field stands on the issued PDF. Raises `NotPublished`."""
    return issued(form).boxes


def issued(form: Form) -> Issued:
    return _issued(form.kind, form.edition)


@lru_cache(maxsize=256)
def _blank(kind: str, edition: str) -> bytes:
    path = EDITIONS / kind / f"{edition}.pdf"
    if not path.is_file():
        raise NotPublished(f"{kind}@{edition} has no issued PDF: run python -m forms.pdf.publish {kind}@{edition}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _issued(kind, edition).sha256:
        raise NotPublished(f"{kind}@{edition}: the PDF is not the one that its boxes belong to; publish it again")
    return content


@lru_cache(maxsize=256)
def _issued(kind: str, edition: str) -> Issued:
    path = EDITIONS / kind / f"{edition}.boxes.json"
    if not path.is_file():
        raise NotPublished(f"{kind}@{edition} has no boxes: run python -m forms.pdf.publish {kind}@{edition}")
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Issued(
        sha256=kept["sha256"],
        pages=kept["pages"],
        boxes=tuple(Box(page, name, code, tuple(rect)) for page, name, code, rect in kept["boxes"]),
        codes={character: int(byte) for byte, character in kept["codes"].items()},
        widths=tuple(kept["widths"]),
    )
