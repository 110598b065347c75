"""A phone number or an address with which nobody can be reached."""

from __future__ import annotations

import time

import pytest

from forms.load import forms
from forms.reach import out_of_reach
from forms.schema import Kind, Question

PHONE = Question("P", Kind.PHONE, "A phone number", "Phone")
EMAIL = Question("E", Kind.EMAIL, "An address", "Email")


@pytest.mark.parametrize(
    "given",
    ["+64 21 000 0007", "021 000 0007", "04 000 0000", "(04) 000-0000", "000 0000", "02\u00a01000\u20110007", "0800 83 83 83",
     "0800 HELPUS", "021 000 0007 after two, or 04 000 0000", "+1 (202) 555.0100", "ext 12 of 04/000 0000", ""],
)  # fmt: skip
def test_any_usual_way_of_writing_a_phone_number_will_do(given: str) -> None:
    assert out_of_reach(PHONE, given) == ""


@pytest.mark.parametrize("given", ["call me", "021 000", "111", "ext 1234", "mere@x.example", "the usual one", "?"])
def test_a_phone_without_a_whole_number_is_looked_at_again(given: str) -> None:
    assert out_of_reach(PHONE, given) == (
        "We may not be able to reach you with this: we see no whole phone number in it."
    )


@pytest.mark.parametrize(
    "given",
    ["mere@x.example", "Mere <mere@x.example>", "mere@x.example, or ring", "mere@kāinga.example", "m.o'hara+1@a.b.c.nz",
     "mere@x.example.", ""],
)  # fmt: skip
def test_any_usual_way_of_writing_an_address_will_do(given: str) -> None:
    assert out_of_reach(EMAIL, given) == ""


@pytest.mark.parametrize(
    "given", ["mere(at)x", "mere at x.example", "mere@x", "@x.example", "mere@.example", "a@b@c.nz"]
)
def test_an_address_that_no_mail_can_be_sent_to_is_looked_at_again(given: str) -> None:
    assert out_of_reach(EMAIL, given) == (
        "We may not be able to reach you with this: we see no whole email address in it."
    )


def test_only_ways_to_reach_somebody_are_looked_at() -> None:
    others = [q for form in forms() for q in form.questions if q.kind not in (Kind.PHONE, Kind.EMAIL)]
    assert others and not any(out_of_reach(q, "call me") for q in others)
    assert out_of_reach(PHONE, None) == ""


@pytest.mark.parametrize("piece", ["a", "@", "a.", "1 ", "1(", "a@", "a@b."])
def test_a_text_without_an_end_is_looked_at_at_once(piece: str) -> None:
    began = time.process_time()
    for question in (PHONE, EMAIL):
        out_of_reach(question, piece * 1_000_000)
    assert time.process_time() - began < 1
