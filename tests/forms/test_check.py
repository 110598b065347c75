"""One check for every channel: what is missing or does not fit, said so that a person can mend it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from forms.canonical import canonical
from forms.check import applies, check, gaps
from forms.load import form, forms
from forms.schema import Answers, Form, Required
from tests.support.random_answers import random_answers

NOTICE = form("breach-notice")
ASSESSMENT = form("it-self-assessment")
FIRST_PAGE: Answers = {
    "A01": "Tōtara Example Whānau Services",
    "A02": "P. Example",
    "A03": "Office manager",
    "A04": "+64 21 000 0007",
    "A05": "p.example@trust.example",
    "A06": "A folder was left on a bus.",
    "A07": "no",
    "A08": {"at": "2026-11-23T07:30:00+13:00", "about": True},
    "A09": "contained",
    "A10": "stranger",
    "A11": "private",
}


def small_provider() -> Answers:
    """Every question answered, every control in place."""
    answers: Answers = {
        "ORG": "Tōtara Example Whānau Services",
        "CONTACT": "P. Example",
        "CONTACT_EMAIL": "office@trust.example",
        "P_SERVICES": ["family_violence"],
        "P_STAFF": "2-5",
        "P_RECORDS": "<100",
        "P_ITSUPPORT": "nobody",
        "ATT_NAME": "P. Example",
        "ATT_ROLE": "Office manager",
        "ATT_DATE": "2026-11-22",
        "ATT_TRUE": True,
    }
    answers |= {q.id: "no" for q in ASSESSMENT.questions if q.id.startswith("P_") and q.id not in answers}
    answers |= {q.id: "yes" for q in ASSESSMENT.questions if q.control and applies(ASSESSMENT, q, answers)}
    return answers


def found(of: Form, answers: Answers) -> list[tuple[str, str]]:
    return [(p.id, p.code) for p in check(of, answers)]


def test_a_first_notice_with_its_eleven_answers_has_no_problem() -> None:
    assert found(NOTICE, FIRST_PAGE) == []


def test_an_empty_notice_asks_for_the_first_page_only() -> None:
    problems = check(NOTICE, {})
    assert {p.id for p in problems} == {f"A{n:02d}" for n in range(1, 12)}
    assert {p.code for p in problems} == {"missing"}


def test_before_closing_the_details_are_asked_for_but_not_those_that_do_not_apply() -> None:
    asked = {p.id for p in check(NOTICE, FIRST_PAGE | {"B19": "no"}, closing=True)}
    assert {"B05", "B10", "B16", "B18", "B20"} <= asked
    assert not asked & {"B19-date", "B20-how", "B21", "B30", "A07"}
    assert "B19-date" in {p.id for p in check(NOTICE, FIRST_PAGE | {"B19": "yes"}, closing=True)}


def test_a_part_that_is_needed_is_named_by_its_field() -> None:
    assert found(NOTICE, FIRST_PAGE | {"A08": {"about": True}}) == [("A08.at", "missing")]
    assert found(NOTICE, FIRST_PAGE | {"B10": {"kind": "exact"}}) == [("B10.n", "missing")]
    assert found(NOTICE, FIRST_PAGE | {"B10": {"kind": "unknown"}}) == []


def test_a_code_that_the_form_does_not_have_and_a_text_that_is_too_long_are_told() -> None:
    answers = FIRST_PAGE | {"A07": "maybe", "A06": "x" * 2001, "B06": ["seen", "sold"], "B16": {"physical": "huge"}}
    assert found(NOTICE, answers) == [
        ("A07", "unknown_choice"),
        ("A06", "too_long"),
        ("B06", "unknown_choice"),
        ("B16.physical", "unknown_choice"),
    ]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-27T02:30:00+13:00", ["which_time"]),
        ("2027-04-04T02:30:00+13:00", ["which_time"]),
        ("2027-04-04T02:30:00+12:00", []),
        ("2027-04-03T13:30:00+00:00", []),
        ("2027-04-04T03:30:00+12:00", []),
        ("2026-11-23T07:30:00+13:00", []),
    ],
)
def test_T21_a_time_that_the_clocks_skipped_or_showed_twice_is_asked_about(at: str, expected: list[str]) -> None:
    assert [p.code for p in check(NOTICE, FIRST_PAGE | {"A08": {"at": at}})] == expected
    assert found(NOTICE, FIRST_PAGE | {"A08": {"at": at, "about": True}}) == []


def test_T21_in_the_chatham_islands_the_clocks_change_at_another_time() -> None:
    twice = {"at": "2027-04-04T03:00:00+13:45", "zone": "Pacific/Chatham"}
    assert found(NOTICE, FIRST_PAGE | {"A08": twice}) == [("A08.at", "which_time")]
    assert found(NOTICE, FIRST_PAGE | {"A08": twice | {"zone": "Pacific/Auckland"}}) == []


def test_a_small_provider_with_everything_in_place_has_no_problem() -> None:
    assert found(ASSESSMENT, small_provider()) == []


def test_a_hidden_control_is_neither_missing_nor_a_gap() -> None:
    answers = small_provider() | {"L2-LOG-01": "no"}
    assert gaps(ASSESSMENT, answers) == ()
    assert found(ASSESSMENT, answers) == []
    assert [g.id for g in gaps(ASSESSMENT, answers | {"P_STAFF": "20+"})] == ["L2-LOG-01"]


def test_T38_a_key_control_that_does_not_apply_without_a_reason_is_one_question_back() -> None:
    answers = small_provider() | {"L1-EMAIL-01": "not_applicable"}
    assert found(ASSESSMENT, answers) == [("L1-EMAIL-01-why", "reason_missing")]
    assert found(ASSESSMENT, answers | {"L1-EMAIL-01-why": "We use no email."}) == []


@pytest.mark.parametrize("answer", ["partly", "no", "dont_know"])
def test_a_gap_needs_a_plan(answer: str) -> None:
    assert found(ASSESSMENT, small_provider() | {"L1-DEV-03": answer}) == [("L1-DEV-03", "plan_missing")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"what": "Turn it on", "who": "Office manager", "by": "2027-06"}, []),
        ({"what": "Turn it on", "who": "Office manager", "cost": True}, []),
        ({"what": "Turn it on", "who": "Office manager"}, [("PLAN[1].by", "plan_incomplete")]),
        ({"who": "Office manager", "by": "2027-06"}, [("PLAN[1].what", "plan_incomplete")]),
        ({"cost": True}, [("PLAN[1].what", "plan_incomplete"), ("PLAN[1].who", "plan_incomplete")]),
    ],
)
def test_a_plan_says_what_and_who_and_by_when_or_that_cost_is_in_the_way(
    row: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    answers = small_provider() | {"L1-DEV-03": "no", "PLAN": [{"control": "L1-DEV-03", **row}]}
    assert found(ASSESSMENT, answers) == expected


def test_the_message_of_a_gap_names_it_and_says_how_to_mend_it() -> None:
    answers = small_provider() | {
        "L1-DEV-03": "no",
        "PLAN": [{"control": "L1-DEV-03", "what": "Turn it on", "who": "Office manager"}],
    }
    assert [p.message for p in check(ASSESSMENT, answers)] == [
        "Encryption: say by when, or tick that cost holds you back."
    ]


def test_T39_contractor_laptops_without_mitigations_are_a_problem_of_their_row_and_ask_for_a_plan() -> None:
    laptops = [{"kind": "laptop", "controlled_by": "contractor"}]
    answers = small_provider() | {"L1-DEV-01": "partly", "DEV": laptops}
    assert found(ASSESSMENT, answers) == [("DEV[1].mitigations", "mitigation_missing"), ("L1-DEV-01", "plan_missing")]


def test_an_address_that_the_provider_does_not_control_needs_a_reason_and_an_end() -> None:
    shared = {"address": "trust.example@isp.example", "controlled_by": "shared"}
    answers = small_provider() | {"ACC": [{"address": "trust.example", "controlled_by": "provider"}, shared]}
    assert found(ASSESSMENT, answers) == [("ACC[2].exception_reason", "missing"), ("ACC[2].exception_until", "missing")]


def test_an_assessment_that_nobody_signs_is_told_so() -> None:
    answers = {k: v for k, v in small_provider().items() if k not in ("ATT_TRUE", "ATT_NAME")}
    assert found(ASSESSMENT, answers) == [("ATT_NAME", "attestation_missing"), ("ATT_TRUE", "attestation_missing")]


def test_answers_of_the_wrong_shape_are_checked_without_falling_over() -> None:
    odd: Answers = {"A08": "yesterday", "B10": [1], "B16": None, "B06": "seen", "A07": ["yes"], "A06": {"x": 1}}
    assert ("A01", "missing") in found(NOTICE, odd)
    strange: Answers = {"PLAN": [1, None, {"control": 5}], "DEV": "laptop", "P_STAFF": []}
    assert {("PLAN[3].control", "unknown_choice"), ("P_STAFF", "missing")} <= set(found(ASSESSMENT, strange))


@pytest.mark.parametrize("edition", forms(), ids=lambda f: f.name)
def test_random_valid_sets_pass_and_lose_validity_with_any_needed_answer(edition: Form) -> None:
    rng = random.Random(7)
    for _ in range(20):
        answers = random_answers(edition, rng)
        assert check(edition, answers) == ()
        needed = [q.id for q in edition.questions if q.required is Required.ALWAYS and q.id in answers]
        gone = rng.choice(needed)
        assert any(p.id.startswith(gone) for p in check(edition, {k: v for k, v in answers.items() if k != gone}))


@pytest.mark.parametrize("edition", forms(), ids=lambda f: f.name)
def test_random_sets_use_every_kind_of_answer_that_the_form_has(edition: Form) -> None:
    rng = random.Random(11)
    sets = [random_answers(edition, rng) for _ in range(40)]
    seen = Counter(i for answers in sets for i in answers)
    rare = [q.id for q in edition.questions if seen[q.id] == 0 and not q.id.endswith("-why")]
    assert rare == []
    assert canonical(edition, sets[0]) == (sets[0], ())
