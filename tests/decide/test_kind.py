"""Mails without a form: what their words suggest. It ranks and marks; a person reads every one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain import kind
from intake.domain.errors import Misconfigured
from intake.domain.model import CaseKind

FOOTER = "This email is confidential. If you received this in error it may be a privacy breach: delete it and ring us at once."
NOTICES = [
    ("Oops", "I attached the wrong file. It had the names and dates of birth of nine clients in it.", ()),
    ("quick question", "My work phone was stolen from the gym. The client messages are on it. Who do I tell?", ()),
    ("Server", "All our files have been scrambled by ransomware, the case records too.", ()),
    ("Letter", "You sent me somebody else's letter. It has a man's charges in it.", ()),
    ("He pātai", "Kua tukuna te rārangi ingoa ki te tangata hē.", ()),
    ("see attached", "", ("Privacy breach notification.docx",)),
    ("Monthly report", "The figures are attached. PS the intake notebook has gone missing since Friday.", ()),
]
QUIET = [
    ("Hui on Tuesday", "Could we start at ten? Mere brings the scones.", ()),
    ("Invoice 12", "The invoice for November is attached.", ("Invoice 12.pdf",)),
    ("Webinar: what to do when a laptop is stolen", "Register now for our free webinar on privacy breaches.", ()),
    ("Opening hours", "Are you open on the Friday before Christmas?\n\n" + FOOTER, ()),
]


@pytest.mark.parametrize(("subject", "body", "names"), NOTICES)
def test_a_possible_notice_opens_as_one_and_shows_its_words(subject: str, body: str, names: tuple[str, ...]):
    guess = kind.of_mail(subject, body, names)

    assert guess.kind is CaseKind.BREACH_NOTICE
    assert guess.words
    assert all("“" in reason.text for reason in guess.reasons)


@pytest.mark.parametrize(("subject", "body", "names"), QUIET)
def test_daily_mail_and_talk_about_breaches_is_other_mail(subject: str, body: str, names: tuple[str, ...]):
    guess = kind.of_mail(subject, body, names)

    assert (guess.kind, guess.danger) == (CaseKind.OTHER, False)


def test_a_mail_about_the_form_is_a_self_assessment_and_a_theft_told_in_it_is_a_notice():
    about = kind.of_mail("Self-assessment", "When is it due?", ["IT self-assessment 2026.docx"])
    theft = kind.of_mail(
        "Self-assessment", "For Q14: our laptop with client files was stolen, we were hacked too, sorry.", []
    )

    assert about.kind is CaseKind.SELF_ASSESSMENT
    assert theft.kind is CaseKind.BREACH_NOTICE


def test_quoted_mail_below_is_not_the_senders_own_word_but_a_forward_is():
    quoted = (
        "Thanks, will do.\n\nOn Mon, 16 Nov 2026 at 9:20, Intake wrote:\n> the stolen laptop had client files on it"
    )
    forwarded = "See below.\n\n________________________________\nFrom: A\n\nThe stolen laptop had client files on it."

    assert kind.of_mail("Re: your question", quoted, []).kind is CaseKind.OTHER
    assert kind.of_mail("FW: laptop", forwarded, []).kind is CaseKind.BREACH_NOTICE


def test_words_below_a_quoted_mail_are_still_the_senders_own():
    body = "On Mon, Tom wrote:\n> the rates\n\nOne more thing: our client file was posted to the wrong house."

    assert kind.of_mail("Re: rates", body, []).kind is CaseKind.BREACH_NOTICE


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("please ring", "Her ex has her new address, it was on the letter we sent to him. She is frightened."),
        ("no point", "There is no point any more."),
        ("help", "He has breached the protection order and is parked outside my house, we are hiding."),
    ],
)
def test_words_of_danger_are_marked_whatever_the_kind(subject: str, body: str):
    assert kind.of_mail(subject, body, []).danger


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=2_000), st.lists(st.text(max_size=40), max_size=4))
def test_no_mail_whatever_raises_an_error_and_the_same_mail_gives_the_same_guess(
    subject: str, body: str, names: list[str]
):
    assert kind.of_mail(subject, body, names) == kind.of_mail(subject, body, names)


def test_a_very_long_hostile_body_is_read_in_a_moment():
    body = "sent " * 20_000 + "left ... " * 20_000 + ">" * 100_000

    assert kind.of_mail("x" * 10_000, body, ["a" * 10_000]).kind in CaseKind


def test_the_words_file_is_read_strictly():
    with pytest.raises(Misconfigured, match="missing or unknown"):
        kind.read_words('edition = "1"')
    with pytest.raises(Misconfigured, match="cannot be read"):
        kind.read_words("edition = ")


def test_what_an_answering_machine_quotes_below_its_own_words_is_not_its_own() -> None:
    body = "Your request has been logged as T-1.\n\n--- your message ---\nThank you for telling us that the mailbox was hacked."

    assert kind.of_mail("", body, []).kind is CaseKind.OTHER
    assert kind.of_mail("", body.replace("--- your message ---\n", ""), []).kind is CaseKind.BREACH_NOTICE


def test_where_to_report_a_breach_is_no_report_of_one() -> None:
    away = "The office is closed until Monday. To report a privacy breach please ring Rosalie on 06 555 0000."

    assert kind.of_mail("", away, []).kind is CaseKind.OTHER
    assert kind.of_mail("", away + " Our laptop with client files was stolen.", []).kind is CaseKind.BREACH_NOTICE


def test_a_newsletter_needs_more_than_a_letter_to_be_taken_for_a_notice() -> None:
    said = ("Stolen devices", "Five things to do when a laptop with client files was stolen.")

    assert kind.of_mail(*said, []).kind is CaseKind.BREACH_NOTICE
    assert kind.of_mail(*said, [], to_many=True).kind is CaseKind.OTHER


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Question 14 asks for events. A laptop of ours was stolen in May. Does it count?", CaseKind.BREACH_NOTICE),
        (
            "Question 28 asks if we have a procedure for lost and stolen laptops. Is a page enough?",
            CaseKind.SELF_ASSESSMENT,
        ),
    ],
)
def test_a_question_about_the_form_that_tells_of_something_that_happened_is_a_notice(
    body: str, expected: CaseKind
) -> None:
    assert kind.of_mail("IT self-assessment", body, []).kind is expected


def test_a_disclaimer_in_any_wording_is_no_word_of_the_writer_and_what_the_writer_did_is_no_disclaimer() -> None:
    daily = "Thursday at two suits me. Shall I bring the figures?"
    disclaimer = (
        "Our mail may hold what is private by the Privacy Act. Not meant for you? Then a breach may have happened: "
        "let us know, and destroy every copy of this message."
    )
    told = "Sorry, this message about a client went to a wrong recipient by mistake. I asked them to delete it and notify us."

    assert kind.of_mail("Thursday", f"{daily}\n\n{disclaimer}", []).kind is CaseKind.OTHER
    assert kind.of_mail("oh no", f"{told}\n\n{disclaimer}", []).kind is CaseKind.BREACH_NOTICE


@pytest.mark.parametrize(
    "advice",
    [
        "If you are in danger or he is at your door, ring 111 now.",
        "In an emergency call the police. If you need to talk, the crisis line 0800 456 450 is open at any hour.",
        "Mehemea kei te mataku koe, waea atu ki 111.",
    ],
)
def test_advice_for_whoever_is_in_danger_below_a_mail_is_no_danger_and_what_its_writer_says_is(advice: str) -> None:
    closed = kind.of_mail("Out of office", f"Our office is closed until Monday. {advice}", [])
    said = kind.of_mail("please", "He is at my door and says he will kill me. If you are not coming I ring 111.", [])

    assert not closed.danger and closed.kind is CaseKind.OTHER
    assert said.danger
