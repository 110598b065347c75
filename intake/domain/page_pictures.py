"""Pictures of the pages of one form, one file each, as phones send them: one form. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from intake.domain.model import ReadAnswer, ReadDocument

PICTURE = "ocr"
TWO_WAYS = 0.4  # how sure an answer is that two pictures show differently


def joined(reads: Sequence[ReadDocument]) -> list[ReadDocument]:
    """The documents with what the pictures of one form show gathered in the first of them; the others then name no form."""
    out: list[ReadDocument] = []
    first: dict[tuple[str | None, str | None], int] = {}
    for read in reads:
        key = (read.form, read.edition)
        if read.how != PICTURE or not read.media_type.startswith("image/"):
            out.append(read)
        elif key not in first:
            first[key] = len(out)
            out.append(read)
        else:
            out[first[key]] = _together(out[first[key]], read)
            out.append(replace(read, form=None, edition=None, answers={}, problems=()))
    return out


def _together(one: ReadDocument, other: ReadDocument) -> ReadDocument:
    answers = dict(other.answers) | dict(one.answers)
    for question in one.answers.keys() & other.answers.keys():
        if one.answers[question].value != other.answers[question].value:
            answers[question] = _doubted(one.answers[question])
    return replace(one, answers=answers, problems=tuple(dict.fromkeys((*one.problems, *other.problems))))


def _doubted(answer: ReadAnswer) -> ReadAnswer:
    return replace(answer, confidence=min(answer.confidence, TWO_WAYS))
