"""A person says what a mail without a form is: the rules judge it anew, and nothing of what the mail told is lost."""

from __future__ import annotations

from flask import Flask

from intake.adapters.demo.mails import File
from intake.domain.model import Status
from tests.web.staff.office import CALM, Office, Person


def _say(person: Person, reference: str, kind: str, reason: str = "I read it.") -> str:
    return person.press(person.open(f"/case/{reference}"), "Say so", kind=kind, reason=reason).text


def test_a_held_mail_that_is_a_notice_after_all_is_held_no_more_and_a_call_is_due(office: Office, app: Flask) -> None:
    reference = office.mail("Please see the picture.", subject="Form", sender="a@stranger.example")
    assert office.case(reference).row.status == Status.HELD
    page = _say(office.person(app), reference, "breach_notice")
    row = office.case(reference).row
    assert row.status == Status.OPEN and row.next_due_what == "first_contact"
    assert "Next: find the provider, and call" in page and "72 hours" in page


def test_a_held_mail_that_is_a_self_assessment_stays_held_until_the_sender_is_checked(
    office: Office, app: Flask
) -> None:
    reference = office.mail("Please see the picture.", subject="Form", sender="a@stranger.example")
    page = _say(office.person(app), reference, "self_assessment")
    assert office.case(reference).row.status == Status.HELD
    assert "Next: check the sender" in page


def test_the_reasons_of_a_case_follow_what_a_person_says_it_is(office: Office, app: Flask) -> None:
    unclear = "Neither who may have it nor what it tells is known"
    reference = office.mail("We sent a report to the wrong address.", sender="a@stranger.example")
    person = office.person(app)
    assert unclear in person.open(f"/case/{reference}").text
    page = _say(person, reference, "other", "It is our own training mail.")
    assert unclear not in page.rpartition("History")[0] and "belongs to no provider that we know" in page
    assert "READ_FIRST" not in office.case(reference).row.marks
    assert "belongs to no provider that we know" in person.open("/queue").text
    assert unclear in _say(person, reference, "breach_notice", "It was a real one.")
    assert {"TOO_LITTLE_KNOWN", "UNKNOWN_PROVIDER"} <= {r.code for r in office.case(reference).reasons}


def test_what_the_mail_itself_told_stays_when_a_case_is_judged_anew(office: Office, app: Flask) -> None:
    first, person = office.notice(CALM), office.person(app)
    told = f"It names {first}"
    reference = office.mail("Please look at it.", subject=f"About {first}", sender="a@stranger.example")
    assert told in person.open(f"/case/{reference}").text
    assert told in _say(person, reference, "breach_notice")
    page = person.press(person.open(f"/case/{reference}?fix=A07"), "Keep it", A07="no")
    assert told in page.text
    assert told in _say(person, reference, "other")
    assert reference in person.open("/queue?mark=POSSIBLE_FOLLOW_UP").text


def test_a_file_that_nobody_could_read_is_still_one_when_the_mail_is_said_to_be_neither(
    office: Office, app: Flask
) -> None:
    picture = File("form.png", "image/png", b"\x89PNG no picture at all")
    reference = office.mail("Photo attached.", subject="Privacy breach", files=(picture,))
    person = office.person(app)
    assert reference in person.open("/queue?mark=UNREADABLE").text
    _say(person, reference, "self_assessment")
    assert reference in person.open("/queue?mark=UNREADABLE").text
    page = _say(person, reference, "other")
    assert reference in person.open("/queue?mark=UNREADABLE").text
    assert "A document could not be read by the system." in page


def test_what_it_is_cannot_change_while_somebody_waits_for_a_second_person(office: Office, app: Flask) -> None:
    reference = office.mail("We sent a report to the wrong address.")
    person = office.person(app)
    stale = person.open(f"/case/{reference}")
    page = person.press(stale, "Ask the second person", outcome="not_a_breach", reason="A test.")
    assert not page.has_button("Say so")
    version = office.case(reference).row.version
    late = person.press(stale, "Say so", kind="other", reason="A test.", version=version)
    assert late.status == 422 and "Answer the request to close first." in late.text
    assert office.case(reference).row.kind == "breach_notice"
    page = person.press(page, "Take it back")
    assert page.has_button("Say so")
