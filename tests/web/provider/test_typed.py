"""From the pieces that a page asks for to canonical answers: every answer that there can be has a way through the page."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from werkzeug.datastructures import MultiDict

from forms import load
from forms.canonical import canonical, flat
from forms.schema import Answers, Form, Kind, Question
from forms.web import Typed, fields_of, read, row_keys, rows_of, sent_rows, web_form, without_row
from intake.web.form_pages import anchor, asked, page_of, shown_ids
from tests.support.random_answers import random_answers

FORMS = [load.form("breach-notice"), load.form("it-self-assessment")]


def pieces(question: Question, name: str, value: object) -> Typed:
    """How a person would type this answer into the fields of a page."""
    if question.kind is Kind.PARTS and isinstance(value, dict):
        return {
            k: v for p in question.parts if p.id in value for k, v in pieces(p, f"{name}.{p.id}", value[p.id]).items()
        }
    if question.kind is Kind.MULTI and isinstance(value, list):
        return {name: [str(v) for v in value]}
    if question.kind is Kind.TIME:
        at = datetime.fromisoformat(str(value))
        return {
            f"{name}:d": str(at.day),
            f"{name}:m": str(at.month),
            f"{name}:y": str(at.year),
            f"{name}:t": f"{at:%H:%M:%S}",
        }
    if question.kind is Kind.DATE:
        year, month, day = str(value).split("-")
        return {f"{name}:d": day, f"{name}:m": month, f"{name}:y": year}
    if question.kind is Kind.MONTH:
        return {f"{name}:m": str(value)[5:], f"{name}:y": str(value)[:4]}
    return {name: "yes" if value is True else str(value)}


def typed_of(form: Form, answers: Answers) -> Typed:
    made: Typed = {}
    for question in form.questions:
        value = answers.get(question.id)
        if question.kind is Kind.REGISTER and isinstance(value, list):
            for n, row in enumerate(value, 1):
                key = row["control"] if question is form.plan else n
                for column in question.columns:
                    if column.id in row and not (column.id == "control" and question is form.plan):
                        made |= pieces(column, f"{question.id}[{key}].{column.id}", row[column.id])
        elif value is not None:
            made |= pieces(question, question.id, value)
    return made


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.kind)
@pytest.mark.parametrize("seed", range(12))
def test_whatever_can_be_answered_can_be_typed_into_the_pages(form: Form, seed: int) -> None:
    answers = random_answers(form, random.Random(seed))
    found = read(form, typed_of(form, answers))
    assert found.answers == answers
    assert not [p for p in found.problems if p.code in ("unreadable", "unknown_choice")]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.kind)
def test_every_question_of_an_edition_stands_on_a_page(form: Form) -> None:
    on_pages = {i for s in form.sections for i in shown_ids(page_of(form, s.id).asks)}
    plan = form.plan
    assert {q.id for q in form.questions if q is not plan} <= on_pages


def test_the_fields_of_wtforms_are_those_of_the_pages() -> None:
    form = FORMS[0]
    for section in form.sections:
        fields = web_form(form, [section.id])()
        assert [f.name for f in fields] == [name for q in section.questions for name, _ in fields_of(q)]


def test_wtforms_takes_anything_and_its_problems_stand_at_their_fields() -> None:
    form = FORMS[0]
    sent = web_form(form, ["now", "happened"])(MultiDict({"A07": "<script>", "A08.at:d": "99", "A06": "  as it is  "}))
    assert not sent.validate()
    assert sent["A07"].errors == [
        "“<script>” is not one of the answers to “Is somebody in danger because of this?”. Choose one of them."
    ]
    assert "We could not read" in sent["A08.at:d"].errors[0]
    assert sent["A06"].data == "  as it is  " and not sent["A06"].errors


def test_a_year_that_the_page_put_there_is_no_answer() -> None:
    found = read(FORMS[0], {"A08.at:y": "2026", "B01:y": "2026"})
    assert "A08" not in found.answers
    assert [p.message for p in found.problems if p.question == "A08"] == ["Fill in “When did you find out?”."]


def test_rows_above_the_most_or_with_odd_numbers_are_not_bound() -> None:
    form = FORMS[1]
    names = [
        "DEV[1].kind",
        "DEV[6].kind",
        "DEV[7].kind",
        "DEV[0].kind",
        "DEV[01].kind",
        "DEV[x].kind",
        "ACC[1].address",
        "PLAN[1].what",
    ]
    assert sent_rows(form, ["devices"], names) == (("DEV", "1"), ("DEV", "6"))


def test_a_row_that_is_taken_out_closes_the_gap() -> None:
    register = FORMS[1].question("DEV")
    assert register is not None
    typed: Typed = {"DEV[1].kind": "laptop", "DEV[2].kind": "phone", "DEV[3].kind": "tablet", "ORG": "x"}
    left = without_row(register, typed, "2")
    assert left == {"DEV[1].kind": "laptop", "DEV[2].kind": "tablet", "ORG": "x"}
    assert row_keys(register, left) == ["1", "2"]
    assert [row["kind"] for row in rows_of(FORMS[1], register, left).values()] == ["laptop", "tablet"]


def test_a_problem_in_a_row_names_the_row_as_the_page_numbers_it() -> None:
    found = read(FORMS[1], {"L1-DEV-01": "no", "DEV[3].kind": "laptop", "DEV[3].mitigations": ["encryption"]})
    assert "DEV[3].controlled_by" in {p.name for p in found.problems}
    assert anchor("DEV[3].controlled_by") == "DEV-3.controlled_by"


def test_questions_that_do_not_apply_are_neither_asked_nor_answered() -> None:
    form = FORMS[1]
    typed: Typed = {"P_STAFF": "1", "P_CONTRACTORS": "no", "L1-ACCT-04": "no", "L1-ACCT-04-why": "x"}
    found = read(form, typed)
    assert "L1-ACCT-04" not in found.answers and "L1-ACCT-04-why" not in found.answers
    assert "L1-ACCT-04" not in [a.name for a in asked(page_of(form, "accounts"), form, found.answers)]


def test_reading_twice_changes_nothing() -> None:
    form = FORMS[1]
    answers = random_answers(form, random.Random(7))
    assert canonical(form, flat(form, read(form, typed_of(form, answers)).answers))[0] == answers
