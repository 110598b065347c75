"""One PDF, read: fields first, because they need no page; then our own form printed flat; else it says what it is.

Runs in the child. Gives a ReadDocument whose name is empty; everything in it came from a stranger's file.
"""

from __future__ import annotations

import io

import pikepdf

from forms.canonical import canonical
from forms.schema import Problem
from intake.adapters.documents.acroform import Fields, read_fields
from intake.adapters.documents.active import has_active_content
from intake.adapters.documents.editions import edition_flags, known_form, question_places
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.say import problem
from intake.adapters.documents.sniff import PDF
from intake.domain.model import ReadAnswer, ReadDocument


def read_pdf(raw: bytes, limits: Limits) -> ReadDocument:
    """Raises MemoryError when the file needs more than there is; every other fault of the file is a problem of the answer."""
    try:
        pdf = pikepdf.open(io.BytesIO(raw), inherit_page_attributes=False, suppress_warnings=True)
    except pikepdf.PasswordError:
        return nothing("encrypted")
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError):
        return nothing("corrupt")
    with pdf:
        try:
            return _read_open(raw, pdf, limits)
        except (pikepdf.PdfError, ValueError, RuntimeError, TypeError, AttributeError, KeyError):
            return nothing("corrupt")


def nothing(code: str, pages: int | None = None) -> ReadDocument:
    return ReadDocument(name="", media_type=PDF, how="none", problems=(problem(code),), pages=pages)


def _read_open(raw: bytes, pdf: pikepdf.Pdf, limits: Limits) -> ReadDocument:
    flags = [problem("active_content")] if has_active_content(raw, pdf) else []
    pages = _page_count(pdf)
    fields = read_fields(pdf)
    if fields is not None and fields.xfa:
        flags.append(problem("xfa_not_read"))
    if fields is not None and fields.values:
        read = _from_fields(fields, flags, pages)
        if read.form is None or any(not name.startswith("_") for name in fields.values):
            return read
        return _layout(raw, flags, limits)  # a flattened form may keep its hidden fields and no other
    if fields is not None and fields.xfa:
        return ReadDocument("", PDF, "none", problems=tuple(flags), pages=pages)
    return _layout(raw, flags, limits)


def _layout(raw: bytes, flags: list[Problem], limits: Limits) -> ReadDocument:
    from intake.adapters.documents.layout import read_layout

    return read_layout(raw, list(flags), limits)


def _page_count(pdf: pikepdf.Pdf) -> int | None:
    """What the page tree states; walking it is what a bomb waits for."""
    tree = pdf.Root.get("/Pages")
    count = tree.get("/Count") if isinstance(tree, pikepdf.Dictionary) else None
    return count if isinstance(count, int) and 0 < count < 1_000_000 else None


def _from_fields(fields: Fields, seen: list[Problem], pages: int | None) -> ReadDocument:
    flags = list(seen)
    kind, edition = fields.values.pop("_form", ""), fields.values.pop("_edition", "")
    if fields.cut:
        flags.append(problem("too_many_fields"))
    form = known_form(kind, edition)
    if form is None:
        flags.append(problem("unknown_edition" if kind else "foreign_form"))
        return ReadDocument("", PDF, "acroform", problems=tuple(flags), pages=pages)
    given = {name: value for name, value in fields.values.items() if value}
    answers, found = canonical(form, given)
    flags += edition_flags(form)
    problems = (*flags, *found)
    places = question_places(form, given)
    return ReadDocument(
        "",
        PDF,
        "acroform",
        form.kind,
        form.edition,
        {q: ReadAnswer(v, "acroform", *places.get(q, (None, None))) for q, v in answers.items()},
        problems,
        pages,
    )
