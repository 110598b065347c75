"""A person says what a mail without a form is: the rules judge it anew, and nothing of what the mail told is lost."""

from __future__ import annotations

from flask import Flask

from intake.domain.model import Status
from tests.web.staff.office import Office, Person


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
