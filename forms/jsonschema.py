"""The JSON Schema (2020-12) of a form's canonical answers, for programs that send or read them.

It says what an answer looks like, not which answers are needed: that depends on other answers, and `forms.check`
knows it.
"""

from __future__ import annotations

from forms.schema import Form, Kind, Question

_Schema = dict[str, object]

_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
_DAY = r"^\d{4}-\d\d-\d\d$"
_MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$"
_SHAPES: dict[Kind, _Schema] = {
    Kind.DATE: {"type": "string", "format": "date", "pattern": _DAY},
    Kind.MONTH: {"type": "string", "pattern": _MONTH},
    Kind.TIME: {"type": "string", "format": "date-time", "pattern": _MOMENT},
    Kind.NUMBER: {"type": "integer", "minimum": 0},
    Kind.TICK: {"const": True},
}


def schema(form: Form) -> _Schema:
    """The schema of one object of answers by question id. An answer that is not there is left out, never null."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:provider-intake:form:{form.kind}:{form.edition}",
        "title": f"{form.title}, edition {form.edition}",
        "description": form.about,
        **_object(form.questions),
    }


def _object(questions: tuple[Question, ...]) -> _Schema:
    return {"type": "object", "properties": {q.id: _question(q) for q in questions}, "additionalProperties": False}


def _question(question: Question) -> _Schema:
    about: _Schema = {"title": question.label}
    if question.hint:
        about["description"] = question.hint
    return about | _shape(question)


def _shape(question: Question) -> _Schema:
    if question.kind is Kind.CHOICE:
        return _codes(question)
    if question.kind is Kind.MULTI:
        return {"type": "array", "items": _codes(question), "minItems": 1, "uniqueItems": True}
    if question.kind is Kind.PARTS:
        return {**_object(question.parts), "minProperties": 1}
    if question.kind is Kind.REGISTER:
        return {"type": "array", "items": {**_object(question.columns), "minProperties": 1}, "minItems": 1}
    return _SHAPES.get(question.kind) or _text(question)


def _codes(question: Question) -> _Schema:
    return {"oneOf": [{"const": c.code, "title": c.label} for c in question.choices]}


def _text(question: Question) -> _Schema:
    longest: _Schema = {"maxLength": question.max_length} if question.max_length else {}
    return {"type": "string", "minLength": 1, **longest}
