"""What must hold of the severity rule for any notice at all, tried on many random ones."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain import severity
from tests.decide.notices import COUNTS, RULES, STEPPED, Notice, flat, random_notice, worsened

BANDS = {"S1", "S2", "S3", "S4"}


def test_a_worse_known_answer_never_lowers_the_band_in_100_000_pairs():
    rng = random.Random(20261)
    tried, broken = 0, []

    while tried < 100_000:
        calm = random_notice(rng)
        worse = worsened(calm, rng)
        if worse is None:
            continue
        tried += 1
        if severity.band_of(worse, RULES) > severity.band_of(calm, RULES):
            broken.append((calm, worse))

    assert broken == []


def test_not_known_is_never_calmer_than_the_calmest_known_answer():
    rng = random.Random(20262)
    broken = []

    for _ in range(6_000):
        notice = random_notice(rng)
        question = rng.choice((*STEPPED, "B10"))
        calmest = max(severity.band_of({**notice, question: known}, RULES) for known in _known(question))
        unknown: Notice = {**notice, question: "dont_know"}
        missing = {each: answer for each, answer in notice.items() if each != question}
        if max(severity.band_of(unknown, RULES), severity.band_of(missing, RULES)) > calmest:
            broken.append((question, notice))

    assert broken == []


def _known(question: str) -> list[object]:
    if question == "B10":
        return [{"n": number, "kind": "exact"} for number in COUNTS]
    return list(flat(question))


def test_the_same_answers_always_give_the_same_decision_whatever_their_order():
    rng = random.Random(20263)

    for _ in range(300):
        notice = random_notice(rng)
        shuffled = dict(rng.sample(sorted(notice.items()), len(notice)))

        assert severity.decide(notice) == severity.decide(shuffled)


def test_every_decision_has_printable_reasons_that_name_their_questions():
    rng = random.Random(20264)

    for _ in range(500):
        decision = severity.decide(random_notice(rng))

        assert decision.band in {reason.band for reason in decision.reasons}
        assert decision.reasons[0].band == decision.band
        for reason in decision.reasons:
            assert reason.text.isprintable() and reason.text.endswith(".")
            assert reason.questions
            assert set(reason.questions) == set(re.findall(r"\b[AB]\d\d\b", reason.text))


def test_every_change_is_true_when_the_rule_is_run_with_that_answer():
    rng = random.Random(20265)
    seen = 0

    for _ in range(500):
        notice = random_notice(rng)
        decision = severity.decide(notice)
        assert len(decision.changes) <= 3
        for change in decision.changes:
            if change.question in STEPPED:
                again = severity.band_of({**notice, change.question: change.answer}, RULES)
                assert f"S{again}" == change.band != decision.band
                seen += 1

    assert seen > 300


def test_an_unknown_code_counts_as_not_answered():
    rng = random.Random(20266)

    for _ in range(500):
        notice = random_notice(rng)
        question = rng.choice(("A07", "A09", "A10", "A11", "B08", "B12", "B14", "B16"))
        missing = {each: answer for each, answer in notice.items() if each != question}
        strange = {**missing, question: rng.choice(("zebra", 7, None, {"a": 1}, True, b"no"))}

        assert severity.band_of(strange, RULES) == severity.band_of(missing, RULES)


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(flat("A10")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
QUESTIONS = st.sampled_from(
    [
        "A06",
        "A07",
        "A09",
        "A10",
        "A11",
        "B05",
        "B08",
        "B09",
        "B10",
        "B11",
        "B12",
        "B14",
        "B15",
        "B16",
        "B18",
        "B19",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(QUESTIONS, ANY_VALUE, max_size=8))
def test_no_answers_whatever_raise_an_error(answers: dict[str, object]):
    decision = severity.decide(answers)

    assert decision.band in BANDS
    assert decision.notifiable in {"likely", "possible", "not_indicated"}


@pytest.mark.parametrize(
    "questions",
    [{question: "dont_know" for question in STEPPED}, {}, {"A06": "Something went wrong."}],
)
def test_T37_everything_not_known_is_high_because_too_little_is_known(questions: Notice):
    decision = severity.decide(questions)

    assert decision.band == "S2"
    assert "TOO_LITTLE_KNOWN" in {reason.code for reason in decision.reasons}
    assert decision.changes
