"""Answers as somebody types them into the web form: the pieces of a date, ticks, rows, and a plan under its own gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from forms.canonical import flat
from forms.schema import Answers, Form, Kind, Question
from tests.support.visitor import Visitor

Typed = dict[str, str | list[str]]


def typed(form: Form, answers: Answers) -> Typed:
    """What stands in the fields of the pages when these answers were typed."""
    made: Typed = {}
    plan = form.plan
    for question in form.questions:
        value = answers.get(question.id)
        if question.kind is Kind.REGISTER and isinstance(value, list):
            for n, row in enumerate(value, 1):
                key = row["control"] if question is plan else n
                for column in question.columns:
                    if column.id in row and not (question is plan and column.id == "control"):
                        made |= dict(_pieces(column, row[column.id], f"{question.id}[{key}].{column.id}"))
        elif value is not None:
            made |= dict(_pieces(question, value, question.id))
    return made


def _pieces(question: Question, value: object, name: str) -> Iterator[tuple[str, str | list[str]]]:
    if question.kind is Kind.PARTS and isinstance(value, Mapping):
        for part in question.parts:
            if part.id in value:
                yield from _pieces(part, value[part.id], f"{name}.{part.id}")
    elif question.kind is Kind.DATE:
        day = date.fromisoformat(str(value))
        yield from ((f"{name}:d", str(day.day)), (f"{name}:m", str(day.month)), (f"{name}:y", str(day.year)))
    elif question.kind is Kind.MONTH:
        year, month = str(value).split("-")
        yield from ((f"{name}:m", month), (f"{name}:y", year))
    elif question.kind is Kind.TIME:
        at = datetime.fromisoformat(str(value))
        clock = f"{at.hour % 12 or 12}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}"
        yield from (
            (f"{name}:d", str(at.day)),
            (f"{name}:m", str(at.month)),
            (f"{name}:y", str(at.year)),
            (f"{name}:t", clock),
        )
    elif question.kind is Kind.MULTI and isinstance(value, list):
        yield name, [str(code) for code in value]
    elif value is True:
        yield name, "yes"
    else:
        yield name, str(value)


def of_section(form: Form, fields: Typed, section: str) -> Typed:
    """The fields that stand on the page of one section; a row of the plan stands under its control."""
    (asked,) = (s for s in form.sections if s.id == section)
    here = {q.id for q in asked.questions}
    plan = form.plan

    def owner(name: str) -> str:
        root, _, rest = name.partition("[")
        if plan is not None and root == plan.id:
            return rest.partition("]")[0]
        return root.partition(".")[0].partition(":")[0]

    # The year of a month stands in its field from the start; somebody who names no month takes it out.
    years: Typed = {f"{q.id}:y": "" for q in asked.questions if q.kind is Kind.MONTH}
    return years | {name: value for name, value in fields.items() if owner(name) in here}


def send_notice(visitor: Visitor, form: Form, answers: Answers) -> Visitor:
    """Every page of a notice, from the first to the receipt, by its own buttons."""
    fields = typed(form, answers)
    first = {n: v for s in form.sections if s.stage == "A" for n, v in of_section(form, fields, s.id).items()}
    visitor.open("/breach").press("Check", first)
    if visitor.status == 422:
        visitor.press("Go on with what is there")
    later = [s.id for s in form.sections if s.stage == "B" and any(of_section(form, fields, s.id).values())]
    for section in later:
        visitor.open(f"/breach/details/{section}").press("Keep", of_section(form, fields, section))
        assert visitor.status == 200, visitor.words
    if later:
        visitor.open("/breach/check")
    return visitor.press("Send it")


def send_assessment(visitor: Visitor, form: Form, answers: Answers) -> Visitor:
    fields = typed(form, answers)
    visitor.open(f"/assessment/{form.sections[0].id}")
    for _ in form.sections:
        if visitor.path == "/assessment/check":
            break
        section = visitor.path.rpartition("/")[2]
        visitor.press("Keep and", of_section(form, fields, section))
        assert visitor.status == 200, visitor.words
    return visitor.press("Send it")


def as_in_a_pdf(form: Form, answers: Answers) -> dict[str, str | list[str] | bool]:
    """Field name -> value, as programs that fill PDFs set them."""
    return flat(form, answers)
