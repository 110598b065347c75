"""Invented notices of this project's own, each with the band that a careful reader gives and the reason that must be there."""

from __future__ import annotations

import pytest

from intake.domain import severity
from intake.domain.errors import Misconfigured
from intake.domain.rule_set import editions, severity_rules

Notice = dict[str, object]
CALM: Notice = {"A07": "no", "A09": "contained"}
OPEN: Notice = {"A07": "dont_know", "A09": "ongoing"}

CASES: list[tuple[str, Notice, str, str]] = [
    ("a list of names came back unopened", {**CALM, "A10": "nobody_outside", "A11": "contact"}, "S4", "TABLE"),
    ("case notes went to a court clerk", {**CALM, "A10": "professional", "A11": "private"}, "S4", "TABLE"),
    ("case notes went to a stranger", {**CALM, "A10": "stranger", "A11": "private"}, "S3", "TABLE"),
    ("bank details went to a stranger", {**CALM, "A10": "stranger", "A11": "money_identity"}, "S3", "TABLE"),
    ("a thief has the visitor book", {**CALM, "A10": "attacker", "A11": "contact"}, "S3", "TABLE"),
    ("a hidden address is on a public page", {**CALM, "A10": "stranger", "A11": "where_when"}, "S2", "TABLE"),
    ("the ex has the new address", {**CALM, "A10": "fear", "A11": "where_when"}, "S1", "TABLE"),
    ("the other party has a phone number", {**CALM, "A10": "fear", "A11": "contact"}, "S2", "TABLE"),
    ("a notice about nobody", {**CALM, "A10": "stranger", "A11": "nothing"}, "S4", "TABLE"),
    (
        "danger now, all else calm",
        {"A07": "yes", "A09": "contained", "A10": "nobody_outside", "A11": "nothing"},
        "S1",
        "DANGER",
    ),
    ("danger open, it goes on", {**OPEN, "A10": "harmless_person", "A11": "private"}, "S2", "DANGER_NOT_RULED_OUT"),
    ("an address may be with a stranger", {**OPEN, "A10": "stranger", "A11": "where_when"}, "S1", "LOCATION"),
    (
        "a phone with addresses is simply lost",
        {**OPEN, "A10": "stranger", "A11": "where_when", "B05": "lost_device"},
        "S2",
        "DANGER_NOT_RULED_OUT",
    ),
    (
        "danger open, but stopped",
        {"A07": "dont_know", "A09": "contained", "A10": "harmless_person", "A11": "private"},
        "S3",
        "DANGER_AFTER_STOP",
    ),
    (
        "family-violence notes with the one she fears",
        {**OPEN, "A10": "fear", "A11": "private", "B08": ["family_violence"]},
        "S1",
        "FAMILY_VIOLENCE_FEAR",
    ),
    (
        "threats have begun",
        {"A07": "dont_know", "A09": "contained", "A10": "fear", "A11": "contact", "B16": {"threats": "already"}},
        "S1",
        "HARM_ALREADY",
    ),
    (
        "ransomware on a case system",
        {"A07": "no", "A09": "dont_know", "A10": "nobody_outside", "A11": "private", "B05": "ransomware"},
        "S2",
        "INTRUDER",
    ),
    (
        "a hacker is inside, and the first page is all we have",
        {"A07": "no", "A09": "ongoing", "A10": "attacker", "A11": "private"},
        "S2",
        "INTRUDER",
    ),
    (
        "identity papers of many on an open server",
        {**CALM, "A10": "stranger", "A11": "money_identity", "B10": {"n": 900, "kind": "estimate"}},
        "S2",
        "VERY_MANY_PEOPLE",
    ),
    (
        "a mailing list of 250 went to a firm",
        {**CALM, "A10": "professional", "A11": "contact", "B10": {"n": 250, "kind": "exact"}},
        "S3",
        "MANY_PEOPLE",
    ),
    (
        "a judgment with children's names is still online",
        {"A07": "no", "A09": "ongoing", "A10": "stranger", "A11": "private", "B08": ["child"]},
        "S2",
        "SENSITIVE_STILL_OPEN",
    ),
    (
        "a suppressed name was told to a neighbour",
        {**CALM, "A10": "harmless_person", "A11": "contact", "B09": "suppression"},
        "S3",
        "COURT_ORDER",
    ),
    (
        "a lawyer heard it, and the harm is high",
        {**CALM, "A10": "professional", "A11": "private", "B16": {"reputation": "high"}, "B18": "not_sure"},
        "S3",
        "HARM_HIGH",
    ),
    (
        "the provider says serious and it goes on",
        {"A07": "no", "A09": "ongoing", "A10": "professional", "A11": "contact", "B18": "serious_likely"},
        "S2",
        "PROVIDER_SAYS_SERIOUS",
    ),
    (
        "the Commissioner knows",
        {**CALM, "A10": "professional", "A11": "contact", "B19": "yes"},
        "S3",
        "COMMISSIONER_TOLD",
    ),
    (
        "a stranger deleted the address list",
        {**CALM, "A10": "stranger", "A11": "where_when", "B15": ["deleted_confirmed"]},
        "S3",
        "UNDONE",
    ),
    (
        "the roster went to another provider, who deleted it",
        {**CALM, "A10": "professional", "A11": "where_when", "B15": ["deleted_confirmed"]},
        "S4",
        "UNDONE",
    ),
    (
        "somebody feared says that it is deleted",
        {**CALM, "A10": "fear", "A11": "private", "B15": ["deleted_confirmed"]},
        "S2",
        "TABLE",
    ),
    (
        "a buyer brought the files of few people back",
        {
            **CALM,
            "A10": "harmless_person",
            "A11": "private",
            "B09": "none",
            "B10": {"n": 60, "kind": "exact"},
            "B15": ["retrieved"],
            "B18": "not_likely",
        },
        "S4",
        "CALM_THROUGHOUT",
    ),
]


@pytest.mark.parametrize(("story", "answers", "band", "reason"), CASES, ids=[case[0] for case in CASES])
def test_a_notice_gets_the_band_that_a_careful_reader_gives(story: str, answers: Notice, band: str, reason: str):
    decision = severity.decide(answers)

    assert (decision.band, story) == (band, story)
    assert reason in {each.code for each in decision.reasons}


def test_T35_danger_now_is_critical_whatever_else_is_answered():
    for story, answers, _, _ in CASES:
        decision = severity.decide({**answers, "A07": "yes"})

        assert decision.band == "S1", story
        assert decision.reasons[0].text == "Somebody is in danger now (A07)."


STOLEN_LAPTOP: Notice = {
    "A07": "no",
    "A09": "contained",
    "A10": "attacker",
    "A11": "private",
    "B05": "stolen_device",
    "B10": {"n": 300, "kind": "estimate"},
    "B14": "strong_encryption_key_safe",
}


def test_T36_an_encrypted_laptop_with_a_safe_key_is_low_and_says_why():
    decision = severity.decide(STOLEN_LAPTOP)

    assert decision.band == "S4"
    assert decision.reasons[0].code == "ENCRYPTED"
    assert decision.notifiable == "not_indicated"
    assert severity.decide({**STOLEN_LAPTOP, "A07": "yes"}).band == "S1"


def test_a_key_that_was_lost_with_the_thing_is_not_a_safe_key():
    with_logins = severity.decide({**STOLEN_LAPTOP, "B08": ["health", "login"]})
    with_a_note = severity.decide({**STOLEN_LAPTOP, "A06": "The bag had a sticky note with the PIN in it."})

    assert with_logins.band == "S3"
    assert [flag.code for flag in with_logins.flags] == ["KEY_SAFE_DOUBTFUL"]
    assert with_a_note.band == "S4"  # words of the story mark, and set no band
    assert [flag.code for flag in with_a_note.flags] == ["KEY_SAFE_DOUBTFUL"]


@pytest.mark.parametrize(
    ("answers", "flag", "questions"),
    [
        ({"A10": "professional", "B12": ["unknown"]}, "WHO_CALMER", ("A10", "B12")),
        ({"A11": "contact", "B08": ["contact", "health"]}, "WHAT_CALMER", ("A11", "B08")),
        ({"A09": "contained", "B15": ["none"]}, "CONTAINED_NOTHING_DONE", ("A09", "B15")),
        (
            {"B10": {"n": 1, "kind": "exact"}, "B11": ["clients", "children_u16"]},
            "ONE_PERSON_MANY_KINDS",
            ("B10", "B11"),
        ),
        ({"A07": "dont_know", "B16": {"physical": "none", "threats": "none"}}, "NO_HARM_BUT_DANGER", ("B16", "A07")),
    ],
)
def test_two_answers_that_contradict_each_other_are_shown_side_by_side(
    answers: Notice, flag: str, questions: tuple[str, ...]
):
    flags = severity.decide(answers).flags

    assert [each.code for each in flags] == [flag]
    assert flags[0].questions == questions
    assert all(question in flags[0].text for question in questions)


def test_answers_that_agree_raise_no_flag():
    agreed: Notice = {
        **CALM,
        "A10": "stranger",
        "A11": "private",
        "B08": ["contact", "health"],
        "B10": {"n": 1, "kind": "exact"},
        "B11": ["clients"],
        "B12": ["unknown"],
        "B14": "none",
        "B15": ["police"],
    }

    assert severity.decide(agreed).flags == ()


def test_the_band_stays_at_the_worse_of_two_answers():
    assert (
        severity.decide({**CALM, "A10": "harmless_person", "A11": "contact", "B12": ["other_party_in_case"]}).band
        == "S2"
    )
    assert severity.decide({**CALM, "A10": "attacker", "A11": "private", "B08": ["address_kept_secret"]}).band == "S2"


def test_details_speak_when_the_two_quick_questions_are_not_answered():
    from_details = severity.decide({**CALM, "B08": ["family_violence"], "B12": ["none", "known_unhelpful"]})
    quick = severity.decide({**CALM, "A10": "fear", "A11": "private"})

    assert from_details.band == quick.band == "S2"
    assert from_details.reasons[0].text == quick.reasons[0].text


def test_what_would_change_it_asks_for_open_answers_and_says_both_ways():
    decision = severity.decide({"A07": "no", "A09": "contained", "A10": "dont_know", "A11": "where_when"})

    assert decision.band == "S2"
    assert [(change.question, change.answer, change.band) for change in decision.changes] == [
        ("A10", "fear", "S1"),
        ("A10", "nobody_outside", "S4"),
        ("B14", "strong_encryption_key_safe", "S4"),
    ]
    assert decision.changes[0].text == "If somebody they may be afraid of has it (A10): S1 critical."


def test_an_answer_that_was_read_with_doubt_is_among_what_would_change_it():
    answers: Notice = {**CALM, "A10": "professional", "A11": "private", "B09": "none", "B12": ["trusted_professional"]}

    sure = severity.decide(answers)
    doubted = severity.decide(answers, doubtful=("A10",))

    assert "A10" not in {change.question for change in sure.changes}
    assert ("A10", "S2") in {(change.question, change.band) for change in doubted.changes}


@pytest.mark.parametrize(
    ("who", "what", "advice"),
    [
        ("fear", "where_when", "likely"),
        ("stranger", "where_when", "likely"),
        ("stranger", "private", "possible"),
        ("stranger", "contact", "not_indicated"),
    ],
)
def test_advice_on_notifiability_follows_the_band_and_never_says_no(who: str, what: str, advice: str):
    assert severity.decide({**CALM, "A10": who, "A11": what}).notifiable == advice


def test_a_case_keeps_the_rule_set_that_it_was_judged_by():
    oldest = editions("severity")[0]

    decision = severity.decide({}, oldest)

    assert decision.rule_set == oldest == severity_rules(oldest).rule_set
    with pytest.raises(Misconfigured, match=r"no severity rule set '1999\.1'"):
        severity.decide({}, "1999.1")
