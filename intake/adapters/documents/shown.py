"""What a fillable form's page shows, beside the values that were read: a second look for when a case is opened.

Runs in the child. Programs that fill forms draw the text themselves, and some draw another than they keep.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from typing import Any

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from forms.pdf.blank import Issued, issued
from forms.schema import Box, Form, Kind, Problem
from intake.adapters.documents.acroform import read_fields
from intake.adapters.documents.layout import field_question, is_button
from intake.adapters.documents.say import problem


def compare_shown(raw: bytes, form: Form) -> tuple[Problem, ...]:
    """Text fields of a fillable PDF whose page shows something else than their value. About 0.05 s; not for the hot path."""
    with pikepdf.open(io.BytesIO(raw), inherit_page_attributes=False) as pdf:
        fields = read_fields(pdf)
    if fields is None:
        return ()
    kept = issued(form)
    shown = dict(_shown_texts(raw, form, kept))
    return tuple(
        problem("shown_differs", name)
        for name, text in shown.items()
        if not _alike(fields.values.get(name, ""), text, form, name, kept)
    )


def _shown_texts(raw: bytes, form: Form, kept: Issued) -> Iterator[tuple[str, str]]:
    document = pdfium.PdfDocument(raw)
    try:
        document.init_forms()
        for number in range(1, min(kept.pages, len(document)) + 1):
            boxes = [b for b in kept.boxes if b.page == number and not is_button(b, form)]
            if boxes:
                yield from _flat_texts(document, number - 1, boxes)
    finally:
        document.close()


def _flat_texts(document: Any, index: int, boxes: list[Box]) -> Iterator[tuple[str, str]]:
    page = document[index]
    pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
    page.close()  # the flattened content is seen only after the page is opened again
    page = document[index]
    try:
        height = page.get_size()[1]
        text_page = page.get_textpage()
        try:
            for box in boxes:
                left, top, right, low = box.rect
                yield box.name, str(text_page.get_text_bounded(left, height - low, right, height - top))
        finally:
            text_page.close()
    finally:
        page.close()


def _alike(value: str, shown: str, form: Form, name: str, kept: Issued) -> bool:
    question = field_question(form, name)
    wanted = [value]
    if question is not None and question.kind is Kind.CHOICE:
        wanted += [c.label for c in question.choices if c.code == value]
    bare = _bare(shown, kept)
    return any(_bare(w, kept) == bare for w in wanted)


def _bare(text: str, kept: Issued) -> str:
    """Without blanks, composed, and without letters that the form's font cannot show."""
    plain = unicodedata.normalize("NFC", "".join(text.split()))
    return "".join(c for c in plain if c in kept.codes and c not in "?\u00ad")
