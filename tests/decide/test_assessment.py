"""Counts of a self-assessment, its gaps and plans, and what goes back to the provider."""

from __future__ import annotations

from forms import load
from forms.check import check
from intake.domain import assessment

FORM = load.form("it-self-assessment@2026.1")
CONTROLS = [question for question in FORM.questions if question.control]
LEVEL_1 = [question.id for question in CONTROLS if question.control and question.control.level == 1]
Answers = dict[str, object]


def small_provider(**changed: object) -> Answers:
    """One person without contractors, server or website: everything that is asked is in place."""
    profile: Answers = {
        "P_STAFF": "1",
        "P_CONTRACTORS": "no",
        "P_OFFICE": "no",
        "P_OFFSITE": "no",
        "P_BYOD": "no",
        "P_CLOUD": "no",
        "P_SERVER": "no",
        "P_OWN_DOMAIN": "no",
        "P_AI": "no",
        "P_ITSUPPORT": "none",
        "P_RECORDS": "1-99",
    }
    return {**profile, **dict.fromkeys(LEVEL_1, "yes"), **changed}


def plan(control: str, **changed: object) -> Answers:
    return {"control": control, "what": "Buy a laptop for each", "who": "Manager", "by": "2027-03", **changed}


def test_a_small_provider_with_everything_in_place_has_no_gap():
    counted = assessment.score(FORM, small_provider())

    assert counted.applicable == counted.in_place > 20
    assert (counted.with_plan, counted.without_plan, counted.key_gaps) == (0, 0, 0)


def test_a_control_that_is_not_asked_is_never_a_gap():
    hidden = {"L2-ACCT-01": "no", "L1-CONTR-01": "no"}

    assert assessment.score(FORM, small_provider(**hidden)) == assessment.score(FORM, small_provider())
    assert assessment.gaps(FORM, small_provider(P_STAFF="20+", **hidden))[0].control == "L2-ACCT-01"


def test_gaps_are_counted_with_and_without_a_plan_and_key_gaps_come_first():
    answers = small_provider(
        **{"L1-ACCT-02": "no", "L1-BAK-02": "dont_know", "L1-EMAIL-02": "partly", "L1-INC-01": "no"},
        PLAN=[plan("L1-ACCT-02"), plan("L1-INC-01"), plan("L1-EMAIL-02", by="")],
    )

    counted = assessment.score(FORM, answers)
    found = assessment.gaps(FORM, answers)

    assert (counted.with_plan, counted.without_plan) == (2, 2)
    assert (counted.key_gaps, counted.key_gaps_without_plan) == (2, ("L1-EMAIL-02",))
    assert counted.in_place == counted.applicable - 4
    assert [gap.key for gap in found] == [True, True, False, False]
    assert {gap.control: gap.plan is not None for gap in found} == {
        "L1-EMAIL-02": False,
        "L1-INC-01": True,
        "L1-ACCT-02": True,
        "L1-BAK-02": False,
    }


def test_a_plan_that_waits_for_money_needs_no_date():
    answers = small_provider(**{"L1-ACCT-02": "no"}, PLAN=[plan("L1-ACCT-02", by="", cost=True)])

    assert assessment.score(FORM, answers).with_plan == 1


def test_T38_not_applicable_on_a_key_control_without_a_reason_gives_one_question_back():
    unreasoned = small_provider(**{"L1-EMAIL-01": "not_applicable"})
    reasoned = {**unreasoned, "L1-EMAIL-01-why": "We use the post only."}

    asked_more = set(check(FORM, unreasoned)) - set(check(FORM, small_provider()))
    assert [(problem.id, problem.code) for problem in asked_more] == [("L1-EMAIL-01-why", "reason_missing")]
    assert set(check(FORM, reasoned)) <= set(check(FORM, small_provider()))
    assert assessment.score(FORM, unreasoned).applicable == assessment.score(FORM, reasoned).applicable + 1


def test_T39_contractor_laptops_without_mitigations_are_a_key_gap_with_a_plan_asked_for():
    answers = small_provider(
        **{"L1-DEV-01": "partly"},
        DEV=[
            {"kind": "phone", "controlled_by": "provider", "mitigations": ["screen_lock"]},
            {"kind": "laptop", "controlled_by": "contractor", "mitigations": []},
            {"kind": "laptop", "controlled_by": "contractor"},
        ],
    )

    assert assessment.score(FORM, answers).key_gaps_without_plan == ("L1-DEV-01",)
    asked = {(problem.id, problem.code) for problem in check(FORM, answers)}
    assert ("L1-DEV-01", "plan_missing") in asked
    assert {at for at, code in asked if code == "mitigation_missing"} == {"DEV[2].mitigations", "DEV[3].mitigations"}


def test_answers_of_a_wrong_shape_count_as_not_given():
    broken: Answers = {"P_STAFF": 3, "L1-DEV-01": {"a": 1}, "PLAN": "none", "DEV": [None, 7], "L1-ACCT-01": True}

    counted = assessment.score(FORM, broken)

    assert (counted.in_place, counted.with_plan, counted.without_plan) == (0, 0, 0)
