"""Answers written straight into a mail: "A07: no", "B10.n: 12", or the question's own words with a colon.

Nothing is guessed: a line counts only when what stands before the colon is a question id, a field name, or a label of the form,
letter for letter after folding. Text of several lines goes on until the next such line or an empty line after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from forms import load
from forms.schema import Form, Question, question_of

_FIELD = re.compile(r"^[\s>*\-•]*([A-Z][A-Za-z0-9_-]{1,20}(?:\[\d{1,2}\])?(?:\.[a-z_0-9]+)?)\s*[:=]\s*(.*)$")
_LABEL = re.compile(r"^[\s>*\-•\d.)]*([^:?]{6,160}\??)\s*:\s*(.*)$")
ENOUGH = 3  # this many answers make a mail a form that somebody typed
_EXAMPLE = "your answer"  # stands in our own question mail where the answer goes


def flat_answers(form: Form, body: str) -> dict[str, str]:
    """Field name -> text as written, for every line of `body` that names a question of `form`. The first one wins.

    Quoted lines ("> A07: no") count too, since a reply may be typed between our own words; but what the writer typed comes
    before what they quote.
    """
    return {**_found(form, _lines(body, quoted=True)), **_found(form, _lines(body, quoted=False))}


def reply_answers(form: Form, body: str, answered: Collection[str]) -> dict[str, str]:
    """The same for a message that adds to a case. A quoted line never answers again what is answered already.

    answered: ids of the questions that the case has an answer to.
    """
    quoted = _found(form, _lines(body, quoted=True))
    new = {name: text for name, text in quoted.items() if question_of(name) not in answered}
    return {**new, **_found(form, _lines(body, quoted=False))}


def _lines(body: str, quoted: bool) -> list[str]:
    """The lines that are quoted, or those that are not; a gap stays where the others stood, and ends a text."""
    lines = body.splitlines()[:4000]
    return [line if line.lstrip().startswith(">") is quoted else "" for line in lines]


def _found(form: Form, lines: Sequence[str]) -> dict[str, str]:
    names, labels = _words_of(form.kind, form.edition)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        name, rest = _named(line, names, labels)
        if name:
            current = found.setdefault(name, []) if name not in found else None
            if current is not None and rest.strip() and _fold(rest) != _EXAMPLE:
                current.append(rest.strip())
        elif not line.strip(" >\t"):
            current = None
        elif current is not None:
            current.append(line.strip(" >\t"))
    return {name: "\n".join(lines) for name, lines in found.items() if lines}


def _named(line: str, names: Mapping[str, str], labels: Mapping[str, str]) -> tuple[str, str]:
    if len(line) > 2000:
        return "", ""
    match = _FIELD.match(line)
    if match and match[1].casefold() in names:
        return names[match[1].casefold()], match[2]
    match = _LABEL.match(line)
    if match and _fold(match[1]) in labels:
        return labels[_fold(match[1])], match[2]
    return "", ""


@cache
def _words_of(kind: str, edition: str) -> tuple[dict[str, str], dict[str, str]]:
    form = load.form(f"{kind}@{edition}")
    return _names(form), _labels(form)


def _names(form: Form) -> dict[str, str]:
    names: dict[str, str] = {}
    for question in form.questions:
        if question.parts:
            names |= {f"{question.id}.{p.id}".casefold(): f"{question.id}.{p.id}" for p in question.parts}
        elif not question.columns:
            names[question.id.casefold()] = question.id
    return names


def _labels(form: Form) -> dict[str, str]:
    return {_fold(q.label): q.id for q in form.questions if _typed(q)}


def _typed(question: Question) -> bool:
    return not question.parts and not question.columns


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", kept.casefold()).strip()
