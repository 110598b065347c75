"""The issued forms as documents name them: which edition a file says it is, and where each of its questions stands."""

from __future__ import annotations

from collections.abc import Mapping

from forms import load
from forms.pdf.blank import NotPublished, issued
from forms.schema import Box, Form, Problem, question_of
from intake.adapters.documents.say import problem


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


def _around(boxes: list[Box]) -> Place:
    page = min(b.page for b in boxes)
    rects = [b.rect for b in boxes if b.page == page]
    return page, (
        min(r[0] for r in rects),
        min(r[1] for r in rects),
        max(r[2] for r in rects),
        max(r[3] for r in rects),
    )
