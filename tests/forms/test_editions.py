"""The two editions that come with the project: every question, code and condition that the rest is built on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from forms.check import applies
from forms.load import EDITIONS, form, forms, read
from forms.schema import Form, Kind, Question, Required

NOTICE = form("breach-notice@2026.1")
ASSESSMENT = form("it-self-assessment@2026.1")
KEY = {"L1-EMAIL-01", "L1-EMAIL-02", "L1-DEV-01", "L1-CONTR-01", "L1-INC-01"}


def asked(of: Form, question_id: str) -> Question:
    found = of.question(question_id)
    assert found is not None, question_id
    return found


def codes(of: Form, question_id: str) -> set[str]:
    return {c.code for c in asked(of, question_id).choices}


def test_a_kind_alone_names_its_latest_edition() -> None:
    assert form("breach-notice") is [f for f in forms() if f.kind == "breach-notice"][-1]
    assert NOTICE.name == "breach-notice@2026.1"
    assert {f.name for f in forms()} >= {"breach-notice@2026.1", "it-self-assessment@2026.1"}


def test_the_first_page_of_the_notice_has_eleven_questions_in_the_order_in_which_people_see_them() -> None:
    first = [q.id for s in NOTICE.sections if s.stage == "A" for q in s.questions]
    assert first == ["A07", "A09", "A06", "A10", "A11", "A08", "A01", "A02", "A03", "A04", "A05"]
    assert {asked(NOTICE, i).required for i in first} == {Required.ALWAYS}


def test_the_notice_has_every_detail_but_the_attached_letter() -> None:
    details = {q.id for s in NOTICE.sections if s.stage == "B" for q in s.questions}
    assert {f"B{n:02d}" for n in range(1, 31)} - details == {"B27"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("A07", "yes no dont_know"),
        ("A09", "contained ongoing dont_know"),
        ("A10", "nobody_outside professional harmless_person stranger attacker fear dont_know"),
        ("A11", "nothing contact money_identity private where_when dont_know"),
        ("B06", "seen sent changed lost destroyed locked_out dont_know_yet"),
        ("B09", "none suppression by_law protection_order family_court dont_know"),
        ("B13", "none ex_partner_family community colleague attacker dont_know"),
        ("B14", "strong_encryption_key_safe password none not_applicable dont_know"),
        ("B17", "for_our_own_service only_for_ministry both dont_know"),
        ("B18", "serious_likely not_likely not_sure"),
        ("B19", "yes planned no not_needed dont_know_yet"),
        ("B24", "<12m 1-2y older none dont_know"),
    ],
)
def test_the_codes_of_the_notice_are_those_that_the_severity_rule_reads(question: str, expected: str) -> None:
    assert codes(NOTICE, question) == set(expected.split())


def test_every_list_of_the_notice_lets_people_say_that_they_do_not_know() -> None:
    unsure = {"dont_know", "dont_know_yet", "unknown", "not_sure"}
    asks = [q for q in NOTICE.questions if q.choices and not q.id.startswith(("B25", "B26"))]
    asks += [p for q in NOTICE.questions for p in q.parts if p.choices and p.id != "zone"]
    assert [q.id for q in asks if not unsure & {c.code for c in q.choices}] == []


def test_questions_with_parts_have_the_parts_that_the_field_names_promise() -> None:
    assert [p.id for p in asked(NOTICE, "A08").parts] == ["at", "about", "zone"]
    assert [p.id for p in asked(NOTICE, "B10").parts] == ["n", "kind"]
    assert len(asked(NOTICE, "B16").parts) == 9
    assert {tuple(c.code for c in p.choices) for p in asked(NOTICE, "B16").parts} == {
        ("none", "low", "high", "already", "dont_know")
    }


def test_the_assessment_has_thirty_four_baseline_and_eleven_further_controls_five_of_them_key() -> None:
    controls = [q for q in ASSESSMENT.questions if q.control]
    levels = [q.control.level for q in controls if q.control]
    assert (levels.count(1), levels.count(2)) == (34, 11)
    assert {q.id for q in controls if q.control and q.control.key} == KEY
    assert {tuple(c.code for c in q.choices) for q in controls} == {
        ("yes", "partly", "no", "dont_know", "not_applicable")
    }
    assert all(q.control and q.control.in_place and q.source for q in controls)


def test_every_control_asks_why_it_does_not_apply() -> None:
    for control in (q for q in ASSESSMENT.questions if q.control):
        why = asked(ASSESSMENT, f"{control.id}-why")
        assert why.applies.any_of == (((control.id, ("not_applicable",)),),)
        assert why.kind is Kind.TEXT


def test_the_notice_names_the_safeguards_of_the_assessment() -> None:
    controls = {q.id for q in ASSESSMENT.questions if q.control}
    assert codes(NOTICE, "B25") == codes(NOTICE, "B26-controls") == controls
    plan = asked(ASSESSMENT, "PLAN")
    assert {c.code for c in plan.columns[0].choices} == controls


@pytest.mark.parametrize(
    ("profile", "control", "expected"),
    [
        ({"P_STAFF": "1"}, "L1-ACCT-04", False),
        ({"P_STAFF": "2-5"}, "L1-ACCT-04", True),
        ({"P_STAFF": "1", "P_CONTRACTORS": "yes"}, "L1-ACCT-04", True),
        ({"P_STAFF": "6-19"}, "L2-ACCT-01", False),
        ({"P_STAFF": "20+"}, "L2-ACCT-01", True),
        ({"P_SERVER": "yes"}, "L2-LOG-01", True),
        ({"P_ITSUPPORT": "in_house"}, "L2-GOV-01", True),
        ({"P_ITSUPPORT": "company"}, "L2-GOV-01", False),
        ({"P_ITSUPPORT": "company"}, "L2-SUP-01", True),
        ({"P_RECORDS": "1000-9999"}, "L2-DEV-01", True),
        ({"P_RECORDS": "100-999"}, "L2-DEV-01", False),
        ({"P_OWN_DOMAIN": "yes"}, "L2-EMAIL-01", True),
        ({"P_STAFF": "20+"}, "L2-EMAIL-01", False),
        ({"P_BYOD": "yes"}, "L1-DEV-05", True),
        ({"P_OFFSITE": "no", "P_BYOD": "no"}, "L1-DEV-05", False),
        ({}, "L1-AI-01", True),
        ({"L1-DEV-01": "yes"}, "DEV", False),
        ({"L1-DEV-01": "dont_know"}, "DEV", True),
    ],
)
def test_the_profile_decides_what_is_asked(profile: dict[str, object], control: str, expected: bool) -> None:
    assert applies(ASSESSMENT, asked(ASSESSMENT, control), profile) is expected


def test_both_forms_say_that_they_are_not_the_ministrys_own_text() -> None:
    assert "It is not the Ministry’s own text." in NOTICE.about
    assert "They are not the Ministry’s own text." in ASSESSMENT.about


def test_short_names_are_short_and_sentences_are_calm() -> None:
    for edition in (NOTICE, ASSESSMENT):
        for question in (*edition.questions, *(x for q in edition.questions for x in (*q.parts, *q.columns))):
            assert 1 <= len(question.short.split()) <= 5, question.short
            assert "!" not in question.label + question.hint, question.id
            assert "'" not in question.label + question.hint, question.id  # printed with curly quotes


@pytest.mark.parametrize("name", ["breach-notice/2026.1.toml", "it-self-assessment/2026.1.toml"])
def test_an_edition_is_read_quickly(name: str) -> None:
    def once(path: Path) -> float:
        started = time.process_time()
        read(path)
        return time.process_time() - started

    assert min(once(EDITIONS / name) for _ in range(5)) < 0.030  # 7-9 ms here; the goal is 15 ms
