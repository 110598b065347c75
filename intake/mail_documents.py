"""The documents of a mail: its attachments, those of the mails inside it, and forms that were typed into a text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from forms import load
from forms.canonical import canonical
from forms.schema import Form
from intake.belonging import Found
from intake.domain import text_answers
from intake.domain.model import ReadAnswer, ReadDocument
from intake.opening import Opened
from intake.ports import DocumentReading


def read_documents(documents: DocumentReading, opened: Opened) -> tuple[Found, ...]:
    """Every attachment, those of mails inside this one too; then the plain text of each mail, when it is a typed form."""
    attached = opened.attachments
    read = documents.read([(a.name, a.content) for _, a in attached], opened.seconds) if attached else ()
    found = [
        Found(path, len(a.content), hashlib.sha256(a.content).hexdigest(), _told(opened, path, document))
        for (path, a), document in zip(attached, read, strict=True)
    ]
    for prefix, mail in opened.mails:
        form = typed_form(mail.body)
        if form:
            found.append(_of_text(prefix, mail.body, form))
    return tuple(found)


def _told(opened: Opened, path: str, document: ReadDocument) -> ReadDocument:
    """Of a wrapper that stayed closed, why; that a file may run comes before that."""
    why = opened.closed.get(path)
    if why is None or document.quarantined or document.how != "none":
        return document
    return replace(document, problems=(why,))


def _of_text(prefix: str, body: str, form: ReadDocument) -> Found:
    return Found(prefix + "text", len(body), hashlib.sha256(body.encode()).hexdigest(), form)


def typed_form(body: str) -> ReadDocument | None:
    """A form that somebody typed into the mail, line by line with question ids or labels; None when it is not one."""
    if body.count(":") + body.count("=") < text_answers.ENOUGH:
        return None  # each answer stands behind one of them
    best: ReadDocument | None = None
    for form in load.forms():
        flat = text_answers.flat_answers(form, body)
        if len(flat) < text_answers.ENOUGH:
            continue
        found = typed(form, flat)
        if len(found.answers) >= text_answers.ENOUGH and (best is None or len(found.answers) > len(best.answers)):
            best = found
    return best


def typed(form: Form, flat: Mapping[str, str]) -> ReadDocument:
    answers, problems = canonical(form, flat)
    return ReadDocument(
        name="",
        media_type="text/plain",
        how="text",
        form=form.kind,
        edition=form.edition,
        answers={q: ReadAnswer(value, "text") for q, value in answers.items()},
        problems=problems,
    )
