"""References survive the phone, a scribble and a subject line, and say when they did not."""

from __future__ import annotations

import random

import pytest

from intake.domain import reference
from intake.domain.model import CaseKind

RNG = random.Random(7)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_a_new_reference_reads_back_as_itself(kind: CaseKind):
    for _ in range(200):
        made = reference.make(kind, RNG)

        assert reference.parse(made) == reference.Parsed(made)
        assert reference.kind_of(made) is kind


@pytest.mark.parametrize(
    "typed",
    ["BN-4T7K-9", "bn-4t7k-9", "BN 4T7K 9", "bn4t7k9", " BN–4T7K–9 ", "BN-4T7K 9", "BN.4T7K.9", "b n 4 t 7 k 9"],
)
def test_a_reference_is_read_in_any_case_with_any_dashes_or_none(typed: str):
    assert reference.parse(typed).reference == "BN-4T7K-9"


def test_o_reads_as_0_and_i_and_l_read_as_1():
    made = next(
        each
        for each in (reference.make(CaseKind.OTHER, RNG) for _ in range(5_000))
        if "0" in each[3:7] and "1" in each[3:7]
    )
    digits, check = made[3:7], made[-1]

    assert reference.parse(f"0T-{digits.replace('0', 'O').replace('1', 'l')}-{check}").reference == made
    assert reference.parse(f"OT-{digits.replace('0', 'o').replace('1', 'I')}-{check}").reference == made


def test_every_single_wrong_character_is_noticed():
    for _ in range(50):
        made = reference.make(CaseKind.BREACH_NOTICE, RNG)
        for place in (3, 4, 5, 6, 8):
            for other in reference.ALPHABET:
                wrong = made[:place] + other + made[place + 1 :]
                assert (reference.parse(wrong).reference == made) is (wrong == made)


def test_every_two_characters_that_changed_places_are_noticed():
    for _ in range(200):
        made = reference.make(CaseKind.SELF_ASSESSMENT, RNG)
        for left in (3, 4, 5):
            for right in range(left + 1, 7):
                swapped = list(made)
                swapped[left], swapped[right] = made[right], made[left]
                text = "".join(swapped)
                assert reference.parse(text).reference == (made if text == made else None)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("XX-4T7K-9", "starts with BN, SA or OT"),
        ("", "starts with BN, SA or OT"),
        ("BN-4U7K-9", "has no U"),
        ("BN-4T-9", "four or more"),
        ("BN-4T7K-8", "last character does not fit"),
        ("SA-4T7K-9", "last character does not fit"),
    ],
)
def test_a_wrong_reference_says_which_check_fails(typed: str, says: str):
    parsed = reference.parse(typed)

    assert parsed.reference is None
    assert says in parsed.problem


@pytest.mark.parametrize(("used", "length"), [(0.0, 4), (0.049, 4), (0.05, 5), (1.5, 5), (1.7, 6), (900.0, 6)])
def test_references_grow_longer_when_a_twentieth_is_used(used: float, length: int):
    made = reference.make(CaseKind.BREACH_NOTICE, RNG, used)

    assert len(made.split("-")[1]) == length
    assert reference.parse(made).reference == made


def test_references_are_found_in_a_subject_and_a_body_once_each_and_only_right_ones():
    text = "RE: [BN-4T7K-9] your notice; bn 4t7k 9 again, BN-4T7K-8 is wrong, SABN-4T7K-9 is glued, see also BN–4T7K–9."

    assert reference.find_in(text) == ("BN-4T7K-9",)
    assert reference.find_in("The SA form 2026 for the OT team is due on the 9th.") == ()


def test_other_words_stand_for_a_reference_however_it_was_typed_and_all_else_stays() -> None:
    told = "As in bn 4t7k 9, not BN-4T7K-8 of the SA form 2026."
    assert reference.put_for_each(told, lambda found: f"<{found}>") == (
        "As in <BN-4T7K-9>, not BN-4T7K-8 of the SA form 2026."
    )
    assert reference.put_for_each(told, lambda _: None) == told
