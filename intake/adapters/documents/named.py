"""Fields by name, whatever kind of office file held them: the same way from there to answers as a fillable PDF's fields go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forms.canonical import canonical
from forms.schema import Form, Problem, Question, question_of
from intake.adapters.documents.editions import edition_flags, known_form
from intake.adapters.documents.matching import DOUBT, Pair, row, suggested
from intake.adapters.documents.say import problem
from intake.domain.model import ReadAnswer, ReadDocument

MOST_FIELDS = 5_000
LONGEST = 20_000  # characters of one value, as in a fillable PDF
_LONGEST_NAME = 300


@dataclass(slots=True)
class Found:
    """What a file holds: the values of its named fields, and words beside them for suggestions."""

    fields: dict[str, list[object]] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    kind: str = ""
    edition: str = ""
    flags: list[Problem] = field(default_factory=list)

    def add(self, name: str, value: object) -> None:
        """Raises TooMany for one field more than we read."""
        if name not in self.fields and len(self.fields) >= MOST_FIELDS:
            raise TooMany
        held = self.fields.setdefault(name[:_LONGEST_NAME], [])
        if len(held) < 3:  # the same field again and again: two that differ are enough to say so
            held.append(value[:LONGEST] if isinstance(value, str) else value)


class TooMany(Exception):
    """The file has more fields than we read."""


def nothing(media_type: str, code: str) -> ReadDocument:
    return ReadDocument("", media_type, "none", problems=(problem(code),))


def form_of(found: Found) -> Form | None:
    return known_form(found.kind, found.edition)


def document(media_type: str, how: str, found: Found, more: Sequence[Problem] = ()) -> ReadDocument:
    """The answers when the file names a form of ours; else what it is, for a person."""
    form = form_of(found)
    if form is None:
        code = "unknown_edition" if found.kind else "not_our_form"
        read_as = how if found.kind else "none"
        return ReadDocument("", media_type, read_as, problems=(*found.flags, problem(code)))
    answers, wrong = canonical(form, _given(found))
    problems = (*found.flags, *edition_flags(form), *more, *wrong)
    read = {q: ReadAnswer(value, how) for q, value in answers.items()}
    return ReadDocument("", media_type, how, form.kind, form.edition, read, problems)


def _given(found: Found) -> dict[str, object]:
    """One value for each field; all of them when they differ, so that it is asked which one holds."""
    given: dict[str, object] = {}
    for name, values in found.fields.items():
        told = [v for v in values if v is not None and v != ""]
        if told:
            given[name] = told[0] if all(v == told[0] for v in told) else [str(v) for v in told]
    return given


def suggestions(found: Found, form: Form) -> list[dict[str, object]]:
    """A field that bears the name of a question, else the words that are most alike."""
    own = {name: str(v[0]) for name, v in found.fields.items() if v and v[0] not in (None, "") and form.question(name)}
    named = {name: row(name, text, DOUBT) for name, text in own.items()}
    alike = {str(one["question"]): one for one in suggested(found.pairs, form)} | named
    return [alike[q.id] for q in form.questions if q.id in alike]


def field_question(form: Form, name: str) -> Question | None:
    """The question, part or column that a field name stands for."""
    question = form.question(question_of(name))
    if question is None or "." not in name:
        return question
    part = name.split(".")[1]
    return next((q for q in (question.columns or question.parts) if q.id == part), question)


def cells(row_of: Sequence[str]) -> Pair | None:
    """A row of a table as a pair: the first cell asks, the others answer."""
    filled = [c.strip() for c in row_of if c.strip()]
    return Pair(filled[0], " ".join(filled[1:])) if len(filled) >= 2 else None


def given_names(found: Found, said: Mapping[str, str], also: Mapping[str, str]) -> None:
    """Take form and edition from two places of the file. When both speak and differ, neither is believed."""
    kinds = {v for v in (said.get("_form", ""), also.get("_form", "")) if v}
    editions = {v for v in (said.get("_edition", ""), also.get("_edition", "")) if v}
    found.kind = " / ".join(sorted(kinds))
    found.edition = " / ".join(sorted(editions))
