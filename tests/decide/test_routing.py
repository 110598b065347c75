"""Where a case starts, what staff see on it, and who is answered by itself."""

from __future__ import annotations

from itertools import product

import pytest

from forms.schema import Problem
from intake.domain import routing, severity
from intake.domain.clocks import MarkerState
from intake.domain.model import CaseKind, GapScore, OutcomeCode, Status, VerdictCode

BREACH, ASSESSMENT, OTHER = CaseKind.BREACH_NOTICE, CaseKind.SELF_ASSESSMENT, CaseKind.OTHER
V = VerdictCode
TRUSTED = {V.VERIFIED_ACCOUNT, V.VERIFIED_DOMAIN, V.EXCEPTION_ADDRESS, V.PROBABLE, V.STAFF_FORWARD}
LOCKED = Problem("", "encrypted", "The file is locked.")
PHOTO = Problem("", "no_text_layer", "The pages are pictures.")


@pytest.mark.parametrize(("verdict", "problems"), list(product(V, [(), (LOCKED,), (PHOTO,)])))
def test_a_breach_notice_is_always_opened_whatever_the_sender_check_says(
    verdict: VerdictCode, problems: tuple[Problem, ...]
):
    for has_form in (True, False):
        route = routing.route(BREACH, verdict, severity.decide({}), None, {}, problems, has_form=has_form)

        assert route.status in (Status.OPEN, Status.NEEDS_PERSON)


@pytest.mark.parametrize("verdict", list(V))
def test_a_self_assessment_is_held_when_its_sender_is_in_doubt(verdict: VerdictCode):
    status = routing.route(ASSESSMENT, verdict, provider_known=True).status

    assert status is (Status.OPEN if verdict in TRUSTED else Status.HELD)


@pytest.mark.parametrize("scenario", ["T05 look-alike", "T06 unknown domain", "T07 another xtra address"])
def test_T05_T06_T07_a_doubtful_sender_holds_the_assessment_and_opens_the_notice(scenario: str):
    verdict = {"T05": V.LOOKALIKE, "T06": V.UNKNOWN_DOMAIN, "T07": V.PERSONAL_ACCOUNT}[scenario[:3]]

    held = routing.route(ASSESSMENT, verdict)
    opened = routing.route(BREACH, verdict, severity.decide({}))

    expected = "LOOKALIKE" if verdict is V.LOOKALIKE else "SENDER_UNVERIFIED"
    assert (held.status, opened.status) == (Status.HELD, Status.OPEN)
    assert expected in held.marks and expected in opened.marks


def test_T08_a_forward_by_a_colleague_is_judged_by_the_mail_inside():
    known = routing.route(ASSESSMENT, V.STAFF_FORWARD, provider_known=True, inner_verdict=V.VERIFIED_ACCOUNT)
    doubtful = routing.route(ASSESSMENT, V.STAFF_FORWARD, inner_verdict=V.LOOKALIKE)

    assert known.status is Status.OPEN and known.marks == ()
    assert doubtful.status is Status.HELD and "LOOKALIKE" in doubtful.marks


def test_T30_a_protected_address_and_a_court_order_stand_first_among_the_reasons():
    answers: dict[str, object] = {
        "A07": "yes",
        "A11": "where_when",
        "B04": "our_supplier",
        "B05": "ransomware",
        "B08": ["child"],
        "B09": "suppression",
        "B18": "serious_likely",
    }

    route = routing.route(BREACH, V.VERIFIED_ACCOUNT, severity.decide(answers), None, answers, provider_known=True)

    assert route.marks[:8] == (
        "DANGER",
        "POSSIBLE_DANGER",
        "LOCATION",
        "RANSOM",
        "COURT_ORDER",
        "CHILD_INVOLVED",
        "SUPPLIER_CHAIN",
        "PROVIDER_SAYS_SERIOUS",
    )
    assert all(reason.text.endswith(".") for reason in route.reasons)


def test_T37_too_little_known_is_a_reason_to_call():
    route = routing.route(BREACH, V.VERIFIED_ACCOUNT, severity.decide({"A07": "dont_know"}), provider_known=True)

    assert "TOO_LITTLE_KNOWN" in route.marks


def test_T39_a_key_gap_without_a_plan_is_named_and_the_assessment_stays_open():
    score = GapScore(30, 28, 1, 1, 1, ("L1-DEV-01",))

    route = routing.route(ASSESSMENT, V.VERIFIED_ACCOUNT, None, score, {}, provider_known=True)

    assert (route.status, route.marks) == (Status.OPEN, ("KEY_GAP_NO_PLAN",))
    assert "L1-DEV-01" in route.reasons[0].text


def test_a_document_that_cannot_be_read_needs_a_person():
    locked = routing.route(BREACH, V.VERIFIED_ACCOUNT, None, None, {}, (LOCKED,), True)
    scanned = routing.route(ASSESSMENT, V.VERIFIED_ACCOUNT, None, None, {}, (PHOTO,), True, has_form=False)

    assert locked.status is scanned.status is Status.NEEDS_PERSON
    assert "UNREADABLE" in locked.marks and "UNREADABLE" in scanned.marks


def test_a_picture_beside_a_form_that_was_read_is_an_enclosure():
    route = routing.route(BREACH, V.VERIFIED_ACCOUNT, None, None, {}, (PHOTO,), True, has_form=True)

    assert (route.status, route.marks) == (Status.OPEN, ())


def test_a_problem_of_one_answer_does_not_make_the_document_unreadable():
    route = routing.route(
        BREACH, V.VERIFIED_ACCOUNT, None, None, {}, (Problem("A09", "two_marks", "Two marks."),), True
    )

    assert route.marks == ()


def test_an_older_edition_is_marked_and_stays_open():
    old = Problem("", "old_edition", "The form is an older edition.")

    route = routing.route(BREACH, V.VERIFIED_ACCOUNT, None, None, {}, (old,), True)

    assert (route.status, route.marks) == (Status.OPEN, ("WRONG_VERSION",))


def test_marks_tell_to_read_a_plain_mail_first_and_to_check_contradictions_first():
    contradicted = severity.decide({"A09": "contained", "B15": ["none"]})

    plain = routing.route(BREACH, V.VERIFIED_ACCOUNT, provider_known=True, has_form=False)
    flagged = routing.route(BREACH, V.VERIFIED_ACCOUNT, contradicted, provider_known=True)

    assert plain.marks == ("READ_FIRST",)
    assert "CHECK_FIRST" in flagged.marks


def test_words_of_danger_open_any_mail_whoever_sent_it():
    route = routing.route(OTHER, V.UNKNOWN_UNVERIFIED, danger_words=True, has_form=False)

    assert route.status is Status.OPEN
    assert route.marks[0] == "POSSIBLE_DANGER"


def test_a_notice_that_comes_late_carries_the_mark_of_the_72_hours():
    late = routing.route(BREACH, V.VERIFIED_ACCOUNT, provider_known=True, marker=MarkerState.AMBER)

    assert late.marks == ("CLOCK_72H",)


def test_an_unknown_provider_is_a_reason_of_its_own():
    assert routing.route(OTHER, V.VERIFIED_ACCOUNT).marks == ("UNKNOWN_PROVIDER",)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.HELD, OutcomeCode.HELD),
        (Status.NEEDS_PERSON, OutcomeCode.NEEDS_PERSON),
        (Status.OPEN, OutcomeCode.CASE_OPENED),
    ],
)
def test_a_state_names_the_place_where_the_message_ended(status: Status, outcome: OutcomeCode):
    assert routing.ends_as(status) is outcome


@pytest.mark.parametrize(
    ("verdict", "template"),
    [
        (V.VERIFIED_ACCOUNT, "acknowledgement_full"),
        (V.VERIFIED_DOMAIN, "acknowledgement_full"),
        (V.EXCEPTION_ADDRESS, "acknowledgement_full"),
        (V.PROBABLE, "acknowledgement_plain"),
        (V.UNAUTHENTICATED, "acknowledgement_neutral"),
        (V.UNKNOWN_DOMAIN, "acknowledgement_neutral"),
        (V.PERSONAL_ACCOUNT, "acknowledgement_advice"),
        (V.STAFF_FORWARD, "acknowledgement_staff"),
        (V.AUTH_FAILED, None),
        (V.LOOKALIKE, None),
        (V.MALFORMED, None),
        (V.AUTOMATIC, None),
        (V.UNKNOWN_UNVERIFIED, None),
    ],
)
def test_each_verdict_has_its_answer_or_silence(verdict: VerdictCode, template: str | None):
    for kind, outcome in product(CaseKind, (OutcomeCode.CASE_OPENED, OutcomeCode.HELD, OutcomeCode.NEEDS_PERSON)):
        assert routing.acknowledge(verdict, kind, outcome) == template


def test_a_duplicate_and_an_automatic_mail_are_never_answered():
    for verdict, outcome in product(V, (OutcomeCode.DUPLICATE, OutcomeCode.AUTOMATIC)):
        assert routing.acknowledge(verdict, BREACH, outcome) is None
