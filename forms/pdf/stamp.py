"""Write answers onto the issued blank: prefilled copies, "answers as submitted" for staff, and fixtures for tests.

Needs pikepdf and the widths stored beside the blank, nothing else. Never writes onto a file that somebody sent.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from forms.canonical import flat
from forms.pdf import draw
from forms.pdf.blank import Issued, blank, issued
from forms.schema import Answers, Form

KEY = "Wingdings"
SIZE, SMALLEST, STEP = 10.0, 5.0, 0.5
LEADING = 1.35  # of the size, as viewers do
INSET = 3.0
MULTI_LINE = 1 << 12


def stamp(form: Form, answers: Answers) -> bytes:
    """The issued form with these canonical answers filled in and drawn. Raises `forms.pdf.blank.NotPublished`."""
    return fill(form, flat(form, answers))


def fill(form: Form, values: Mapping[str, str | list[str] | bool]) -> bytes:
    """The same for values by field name. Names that the form has not are left out; True ticks a box."""
    kept = issued(form)
    with pikepdf.open(io.BytesIO(blank(form))) as pdf:
        for name, node in _fields(pdf):
            value = values.get(name)
            if value is None or value is False or value == "":
                continue
            if node.get("/FT") == Name.Btn:
                _press(node, "yes" if value is True else str(value))
            else:
                _write(pdf, node, str(value), kept)
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()


def _fields(pdf: Pdf) -> Iterator[tuple[str, Object]]:
    stack = [(node, "") for node in pdf.Root.AcroForm.Fields]
    while stack:
        node, before = stack.pop()
        name = f"{before}.{node.T}" if before else str(node.T)
        if "/FT" in node:
            yield name, node
        else:
            stack += [(kid, name) for kid in node.Kids]


def _press(node: Object, state: str) -> None:
    """Turn a radio group or a checkbox to the state of that name; an unknown one leaves it as it is."""
    for widget in list(node.Kids) if "/Kids" in node else [node]:
        if f"/{state}" in widget.AP.N:
            widget.AS = Name(f"/{state}")
            node.V = Name(f"/{state}")


def _write(pdf: Pdf, node: Object, value: str, kept: Issued) -> None:
    node.V = String(value.replace("\r\n", "\n").replace("\n", "\r"))
    if "/Rect" not in node:
        return
    shown = _label(node, value)
    left, low, right, high = (float(v) for v in node.Rect)
    width, height = right - left, high - low
    several = bool(int(node.get("/Ff", 0)) & MULTI_LINE)
    size, lines = _fitted(shown, width - 2 * INSET, height, several, kept)
    leading = size * LEADING
    top = height - INSET - size if several else (height - size) / 2 + size * 0.18
    body = draw.typed_lines([_bytes(line, kept) for line in lines], KEY, size, INSET, top, leading)
    stream = Stream(
        pdf,
        draw.text_box(width, height, body),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([0, 0, round(width, 2), round(height, 2)]),
        Resources=pdf.Root.AcroForm.DR,
    )
    node.AP = Dictionary(N=stream)


def _label(node: Object, value: str) -> str:
    """What a drop-down shows for a code."""
    for option in node.get("/Opt", Array()):
        if str(option[0]) == value:
            return str(option[1])
    return value


def _fitted(text: str, width: float, height: float, several: bool, kept: Issued) -> tuple[float, list[str]]:
    """The largest size at which all lines stand inside the box, and those lines."""
    size = SIZE
    while True:
        lines = list(_wrapped(text, width / size, kept)) if several else [" ".join(text.split("\n"))]
        fits = len(lines) * size * LEADING + INSET <= height if several else (
            _width(lines[0], kept) * size <= width
        )  # fmt: skip
        if fits or size <= SMALLEST:
            return size, lines
        size -= STEP


def _wrapped(text: str, room: float, kept: Issued) -> Iterator[str]:
    """Lines no wider than `room` (in units of the size). A word wider than that is broken."""
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall(r"\S+|\s+", paragraph):
            while _width(line + word.rstrip(), kept) > room:
                if line.strip():
                    yield line.rstrip()
                    line, word = "", word.lstrip()
                    continue
                cut = _most(word, room, kept)
                yield word[:cut]
                word = word[cut:]
            line += word
        yield line.rstrip()


def _most(word: str, room: float, kept: Issued) -> int:
    cut = len(word)
    while cut > 1 and _width(word[:cut], kept) > room:
        cut -= 1
    return cut


def _width(text: str, kept: Issued) -> float:
    return sum(kept.widths[b] for b in _bytes(text, kept)) / 1000


def _bytes(text: str, kept: Issued) -> bytes:
    """In the codes of the field font; a letter that it has not is drawn as a question mark (the value keeps it)."""
    return bytes(kept.codes.get(c, 0x3F) for c in text.replace("\t", " "))
