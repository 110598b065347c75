"""A form that different programs filled in gives the same answers, byte for byte."""

from __future__ import annotations

import os
import random

import pytest

from forms import load
from forms.canonical import encode, flat
from forms.pdf.blank import blank, boxes
from forms.pdf.stamp import fill, stamp
from forms.schema import Answers, Form
from intake.adapters.documents.runner import DocumentReader
from intake.domain.model import ReadDocument
from tests.pdf.programs import FLATTENERS, by_chrome_engine, by_pdfjs, by_pikepdf, by_pypdf
from tests.support.random_answers import random_answers

FORMS = load.forms()
NOTICE = load.form("breach-notice")
EDITIONS = pytest.mark.parametrize("form", FORMS, ids=[f.name for f in FORMS])
SETS = int(os.environ.get("INTAKE_FORM_SETS", "200"))  # random answer sets in all, for the quick fillers
SLOW_SETS = int(os.environ.get("INTAKE_FORM_SETS_SLOW", "8"))  # for the fillers that take half a second each


def answers_of(read: ReadDocument) -> Answers:
    return {question: answer.value for question, answer in read.answers.items()}


def some(form: Form, seed: str, count: int) -> list[Answers]:
    rng = random.Random(f"{seed} {form.name}")
    return [random_answers(form, rng) for _ in range(max(1, count // len(FORMS)))]


def read_one(reader: DocumentReader, content: bytes, name: str = "form.pdf") -> ReadDocument:
    (read,) = reader.read([(name, content)])
    return read


def assert_same(reader: DocumentReader, given: Answers, filled: bytes, form: Form) -> None:
    read = read_one(reader, filled)
    old = {"old_edition"} if form is not load.form(form.kind) else set()
    assert (read.how, read.form, read.edition) == ("acroform", form.kind, form.edition)
    assert {p.code for p in read.problems} == old
    assert encode(answers_of(read)) == encode(given)


@EDITIONS
def test_T01_a_form_that_we_stamped_is_read_as_it_was_answered(reader: DocumentReader, form: Form) -> None:
    for given in some(form, "stamp", SETS // 2):
        assert_same(reader, given, stamp(form, given), form)


@EDITIONS
def test_a_form_that_pikepdf_filled_is_read_as_it_was_answered(reader: DocumentReader, form: Form) -> None:
    for given in some(form, "pikepdf", SETS):
        assert_same(reader, given, by_pikepdf(form, flat(form, given)), form)


@EDITIONS
def test_a_form_that_pypdf_filled_is_read_as_it_was_answered(reader: DocumentReader, form: Form) -> None:
    for given in some(form, "pypdf", SLOW_SETS):
        assert_same(reader, given, by_pypdf(form, flat(form, given)), form)


@EDITIONS
def test_a_form_that_firefoxs_engine_filled_is_read_as_it_was_answered(reader: DocumentReader, form: Form) -> None:
    sets = some(form, "pdfjs", SLOW_SETS)
    for given, filled in zip(sets, by_pdfjs(form, [flat(form, s) for s in sets]), strict=True):
        assert_same(reader, given, filled, form)


@EDITIONS
def test_a_form_that_was_typed_into_chromes_engine_is_read_as_it_was_answered(
    reader: DocumentReader, form: Form
) -> None:
    for given in some(form, "chrome", SLOW_SETS):
        assert_same(reader, given, by_chrome_engine(form, flat(form, given)), form)


def test_every_answer_says_where_it_was_read(reader: DocumentReader) -> None:
    read = read_one(reader, fill(NOTICE, {"A01": "Te Whare", "A07": "yes", "B08.health": True, "B08.child": True}))
    assert read.pages == 8 and not read.quarantined
    assert {a.how for a in read.answers.values()} == {"acroform"}
    by_name = {(b.name, b.code): b for b in boxes(NOTICE)}
    place = by_name["A01", ""]
    assert (read.answers["A01"].page, read.answers["A01"].box) == (place.page, place.rect)
    mark = by_name["A07", "yes"]
    assert (read.answers["A07"].page, read.answers["A07"].box) == (mark.page, mark.rect)
    two = [by_name["B08.health", "health"].rect, by_name["B08.child", "child"].rect]
    box = read.answers["B08"].box
    assert box is not None and box[0] == min(r[0] for r in two) and box[3] == max(r[3] for r in two)
    assert read.answers["B08"].confidence == 1.0


def test_an_empty_form_is_our_form_without_answers(reader: DocumentReader) -> None:
    read = read_one(reader, blank(NOTICE))
    assert (read.how, read.form, dict(read.answers)) == ("acroform", "breach-notice", {})


def test_an_answer_that_cannot_be_read_is_a_problem_and_not_a_guess(reader: DocumentReader) -> None:
    read = read_one(reader, by_pikepdf(NOTICE, {"B19-date": "some time in spring", "A07": "yes"}))
    assert "B19-date" not in read.answers and read.answers["A07"].value == "yes"
    assert [p.id for p in read.problems] == ["B19-date"]


# ---- printed flat -----------------------------------------------------------------------------------------------------


@EDITIONS
@pytest.mark.parametrize("flattener", FLATTENERS)
def test_T18_a_form_printed_flat_is_read_by_its_place_on_the_page(
    reader: DocumentReader, form: Form, flattener: str
) -> None:
    for given in some(form, f"flat {flattener}", 4):
        read = read_one(reader, FLATTENERS[flattener](stamp(form, given)))
        assert (read.how, read.form, read.edition) == ("layout", form.kind, form.edition)
        clipped = {p.id.split("[")[0] for p in read.problems if p.code == "clipped"}
        for question in given | answers_of(read):
            if question not in clipped:
                assert answers_of(read).get(question) == given.get(question), question
        assert all(a.confidence < 1 and a.page and a.box for a in read.answers.values())
        assert len(clipped) <= 2


def test_T18_a_form_filled_in_chrome_and_printed_is_read(reader: DocumentReader) -> None:
    values: dict[str, str | list[str] | bool] = {
        "A01": "Te Whare Āwhina",
        "A06": "It was posted.\nIt came back.",
        "A07": "no",
        "B08.health": True,
    }
    read = read_one(reader, FLATTENERS["pdftocairo"](by_chrome_engine(NOTICE, values)))
    assert answers_of(read) == {
        "A01": "Te Whare Āwhina",
        "A06": "It was posted.\nIt came back.",
        "A07": "no",
        "B08": ["health"],
    }


def test_T18_a_form_filled_in_firefox_and_printed_is_read(reader: DocumentReader) -> None:
    values: dict[str, str | list[str] | bool] = {
        "A02": "Mere Tūhoe",
        "A07": "yes",
        "A08.about": True,
        "B16.threats": "low",
    }
    read = read_one(reader, FLATTENERS["pdftocairo"](by_pdfjs(NOTICE, [values])[0]))
    assert answers_of(read) == {"A02": "Mere Tūhoe", "A07": "yes", "A08": {"about": True}, "B16": {"threats": "low"}}
