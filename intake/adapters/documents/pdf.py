"""One PDF, read: fields first, because they need no page; then our own form printed flat; else it says what it is.

Runs in the child. Gives a ReadDocument whose name is empty; everything in it came from a stranger's file.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import pikepdf

from forms import load
from forms.canonical import canonical
from forms.pdf.blank import NotPublished, issued
from forms.schema import Box, Form, Problem
from intake.adapters.documents.acroform import Fields, read_fields
from intake.adapters.documents.active import has_active_content
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


def known_form(kind: str, edition: str) -> Form | None:
    """The form that a file names. What the file says chooses how it is read, and nothing else."""
    return next((f for f in load.forms() if f.kind == kind and f.edition == edition), None)


def edition_flags(form: Form) -> list[Problem]:
    latest = load.form(form.kind)
    return [] if latest.edition == form.edition else [problem("old_edition")]


Place = tuple[int | None, tuple[float, float, float, float] | None]


def question_places(form: Form, given: Mapping[str, object]) -> dict[str, Place]:
    """Where on the issued form the answer to each question stands: the boxes that were filled in, on their first page."""
    try:
        rows = issued(form).named()
    except NotPublished:
        return {}
    boxes: dict[str, list[Box]] = {}
    for name, value in given.items():
        of_name = rows.get(name, ())
        chosen = [b for b in of_name if not b.code or b.code == value or len(of_name) == 1]
        boxes.setdefault(question_of(name), []).extend(chosen)
    return {question: _around(found) for question, found in boxes.items() if found}


def question_of(name: str) -> str:
    return name.split(".", 1)[0].split("[", 1)[0]


def _around(boxes: list[Box]) -> Place:
    page = min(b.page for b in boxes)
    rects = [b.rect for b in boxes if b.page == page]
    return page, (
        min(r[0] for r in rects),
        min(r[1] for r in rects),
        max(r[2] for r in rects),
        max(r[3] for r in rects),
    )
