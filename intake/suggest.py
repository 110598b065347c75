"""Afterwards, at low priority: where a document that is not our form may answer our questions, for a person to take or leave."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from forms import load
from intake.domain.model import FORMS, CaseKind
from intake.opening import open_mail
from intake.ports import Blobs, CaseView, Delivery, DocumentReading, Job, TriageStore

_PICTURE = "image/"
_MOST = 60  # suggestions on one case; more is not help
_SECONDS = 20.0  # after which no other file is begun: while this runs, a notice that comes in waits
_COSTLY = frozenset(
    {"too_costly", "crashed", "not_all_read"}
)  # reading it cost more than it may; looking closer costs more


class Suggesting(DocumentReading, Protocol):
    def suggestions(self, content: bytes, form: str) -> Sequence[Mapping[str, object]]: ...


class SuggestStore(TriageStore, Protocol):
    def case_reference(self, case_id: int) -> str | None: ...
    def delivery(self, delivery_id: int) -> Delivery: ...
    def finish(self, job: Job) -> bool: ...


class Parts(Protocol):
    @property
    def store(self) -> SuggestStore: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def documents(self) -> Suggesting: ...


def suggest(parts: Parts, job: Job) -> None:
    """Place suggestions on the case that the job names, and end the job. Running it twice writes the same."""
    reference = parts.store.case_reference(job.subject)
    view = parts.store.case(reference) if reference else None
    if view is not None:
        parts.store.suggest(job.subject, _found(parts, view))
    parts.store.finish(job)


def _found(parts: Parts, view: CaseView) -> list[Mapping[str, object]]:
    form = load.form(FORMS.get(CaseKind(view.row.kind), FORMS[CaseKind.SELF_ASSESSMENT]))
    found: list[Mapping[str, object]] = []
    until = time.monotonic() + _SECONDS
    for document in view.documents:
        codes = {problem.code for problem in document.read.problems}
        ours = document.read.form and "boxes_lost" not in codes
        if ours or document.media_type.startswith(_PICTURE) or document.read.quarantined or _COSTLY & codes:
            continue
        if time.monotonic() >= until:
            break
        raw = parts.blobs.get(parts.store.delivery(document.delivery).raw.blob)
        content = content_of(parts.documents, raw, document.path)
        if content is None:
            continue
        for each in parts.documents.suggestions(content, form.name):
            question = form.question(str(each.get("question", "")))
            label = question.short if question else ""
            found.append({**each, "label": label, "document": document.id})
    return found[:_MOST]


def content_of(documents: DocumentReading, raw: bytes, path: str) -> bytes | None:
    """The bytes of the attachment at `path` of a kept mail ("1.2", or "2/1.2" inside what lies at 2); None when not there."""
    return next((a.content for place, a in open_mail(documents, raw, path).attachments if place == path), None)
