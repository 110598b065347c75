"""Programs that fill our form in and programs that print it flat, driven as a person would use them."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from pikepdf import Name, String

from forms.pdf.blank import blank, issued
from forms.schema import Form, Kind
from intake.adapters.documents.layout import field_question

HERE = Path(__file__).parent
Values = Mapping[str, str | list[str] | bool]


def skip_without(reason: str) -> None:
    """Skip for something that the machine lacks; on CI, where everything is installed, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have it: {reason}")
    pytest.skip(reason)


def need(program: str) -> None:
    if shutil.which(program) is None:
        skip_without(f"{program} is not installed")


# ---- fillers ----------------------------------------------------------------------------------------------------------


def by_pikepdf(form: Form, values: Values) -> bytes:
    """A script that sets /V, and /AS for buttons, and draws nothing; written without packed objects, as older programs do."""
    with pikepdf.open(io.BytesIO(blank(form))) as pdf:
        for name, node in _fields(pdf):
            value = values.get(name)
            if value is None:
                continue
            if node.get("/FT") == Name.Btn:
                state = Name("/yes" if value is True else f"/{value}")
                node.V = state
                for widget in node.Kids if "/Kids" in node else [node]:
                    if str(state) in widget.AP.N:
                        widget.AS = state
            else:
                node.V = String(str(value))
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def _fields(pdf: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object]]:
    stack = [(node, "") for node in pdf.Root.AcroForm.Fields]
    while stack:
        node, before = stack.pop()
        name = f"{before}.{node.T}" if before else str(node.T)
        if "/FT" in node:
            yield name, node
        else:
            stack += [(kid, name) for kid in node.Kids]


def by_pypdf(form: Form, values: Values) -> bytes:
    """pypdf as its fill method leaves the fields: a radio's value is a text that begins with a slash, the rest is right.

    Written as an update at the end of the file, which is another shape of file than all the others make.
    """
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter(io.BytesIO(blank(form)), incremental=True)
    stack = [(node, "") for node in writer.root_object["/AcroForm"]["/Fields"]]
    while stack:
        reference, before = stack.pop()
        node = reference.get_object()
        name = f"{before}.{node['/T']}" if before else str(node["/T"])
        if "/FT" not in node:
            stack += [(kid, name) for kid in node["/Kids"]]
        elif name in values:
            state = "yes" if values[name] is True else str(values[name])
            button = node["/FT"] == "/Btn"
            node[NameObject("/V")] = TextStringObject(f"/{state}" if button else state)
            for kid in node.get("/Kids", [reference]) if button else []:
                widget = kid.get_object()
                on = f"/{state}" in widget["/AP"]["/N"]
                widget[NameObject("/AS")] = NameObject(f"/{state}" if on else "/Off")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def by_pdfjs(form: Form, sets: Sequence[Values]) -> list[bytes]:
    """Firefox's engine under node; one process for all sets."""
    folder = pdfjs_folder()
    need("node")
    with tempfile.TemporaryDirectory() as work:
        at = Path(work)
        (at / "blank.pdf").write_bytes(blank(form))
        jobs = [{"out": str(at / f"{n}.pdf"), "values": dict(v)} for n, v in enumerate(sets)]
        (at / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
        command = ["node", str(HERE / "fill.mjs"), str(folder), str(at / "blank.pdf"), str(at / "jobs.json")]
        subprocess.run(command, check=True, timeout=300, capture_output=True)
        return [(at / f"{n}.pdf").read_bytes() for n in range(len(sets))]


@lru_cache(maxsize=1)
def pdfjs_folder() -> Path:
    """The folder that holds node_modules/pdfjs-dist, as the variable PDFJS_DIR names it."""
    named = os.environ.get("PDFJS_DIR", "")
    if not named or not (Path(named) / "node_modules" / "pdfjs-dist").is_dir():
        skip_without("pdf.js is not there: set PDFJS_DIR to a folder with node_modules/pdfjs-dist")
    return Path(named)


def by_chrome_engine(form: Form, values: Values) -> bytes:
    """pdfium's form calls, as Chrome makes them: click into a field, type each character, leave it."""
    document = pdfium.PdfDocument(blank(form))
    document.init_forms()
    forms = document.formenv
    try:
        pages = [document[n] for n in range(len(document))]
        for box in issued(form).boxes:
            value = values.get(box.name)
            if value is None or value is False or (box.code and value not in (True, box.code)):
                continue
            page = pages[box.page - 1]
            left, top, _, low = box.rect
            x, y = left + 4, page.get_height() - (top + min(6.0, (low - top) / 2))
            pdfium_c.FORM_OnMouseMove(forms, page, 0, x, y)
            pdfium_c.FORM_OnLButtonDown(forms, page, 0, x, y)
            pdfium_c.FORM_OnLButtonUp(forms, page, 0, x, y)
            if value is not True and not box.code:
                _type(form, forms, page, box.name, str(value))
            pdfium_c.FORM_ForceToKillFocus(forms)
        for page in pages:
            page.close()
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()
    finally:
        document.close()


def _type(form: Form, forms: object, page: object, name: str, text: str) -> None:
    """Characters one by one; in a drop-down the row of the choice."""
    question = field_question(form, name)
    codes = [c.code for c in question.choices] if question is not None and question.kind is Kind.CHOICE else []
    if text in codes:
        pdfium_c.FORM_SetIndexSelected(forms, page, codes.index(text) + 1, True)
        return
    for character in text.replace("\n", "\r"):
        pdfium_c.FORM_OnChar(forms, page, ord(character), 0)


# ---- flatteners -------------------------------------------------------------------------------------------------------


def flat_by_chrome_engine(filled: bytes) -> bytes:
    document = pdfium.PdfDocument(filled)
    document.init_forms()
    try:
        for number in range(len(document)):
            page = document[number]
            pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
            page.close()
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()
    finally:
        document.close()


def flat_by_pdftocairo(filled: bytes) -> bytes:
    need("pdftocairo")
    return _run(filled, ["pdftocairo", "-pdf", "IN", "OUT"])


def flat_by_qpdf(filled: bytes) -> bytes:
    need("qpdf")
    return _run(filled, ["qpdf", "--flatten-annotations=all", "IN", "OUT"])


def flat_by_ghostscript(filled: bytes) -> bytes:
    need("gs")
    return _run(filled, ["gs", "-q", "-dSAFER", "-sDEVICE=pdfwrite", "-dPreserveAnnots=false", "-o", "OUT", "IN"])


def _run(content: bytes, command: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work) / "in.pdf", Path(work) / "out.pdf"
        source.write_bytes(content)
        places = {"IN": str(source), "OUT": str(target)}
        subprocess.run([places.get(c, c) for c in command], check=True, timeout=60, capture_output=True)
        return target.read_bytes()


FLATTENERS = {
    "pdfium": flat_by_chrome_engine,
    "pdftocairo": flat_by_pdftocairo,
    "qpdf": flat_by_qpdf,
    "ghostscript": flat_by_ghostscript,
}


def texts_in_boxes(flat: bytes, form: Form) -> dict[str, str]:
    """The text layer inside each box of the issued form, without blanks."""
    document = pdfium.PdfDocument(flat)
    found: dict[str, str] = {}
    try:
        for number in range(len(document)):
            page = document[number]
            height = page.get_height()
            layer = page.get_textpage()
            for box in issued(form).boxes:
                if box.page == number + 1:
                    left, top, right, low = box.rect
                    text = layer.get_text_bounded(left, height - low, right, height - top)
                    found[box.name] = "".join(text.split())
            layer.close()
            page.close()
    finally:
        document.close()
    return found
