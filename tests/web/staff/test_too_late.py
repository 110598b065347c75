"""Somebody saved before: what a person typed, ticked and chose is given back whole, in the words of the page."""

from __future__ import annotations

from flask import Flask

from tests.web.staff.office import GRAVE, Office, Page, Person, address_of


def _stale(office: Office, app: Flask, query: str = "") -> tuple[Person, Page]:
    """A person, and a page of a case that somebody has changed since."""
    reference = office.notice(GRAVE)
    person, lead = office.person(app), office.person(app, "privacy_lead")
    page = person.open(f"/case/{reference}{query}")
    lead.press(lead.open(f"/case/{reference}"), "Take it")
    return person, page


def test_who_was_too_late_gets_back_what_they_typed_and_what_they_chose(office: Office, app: Flask) -> None:
    person, stale = _stale(office, app)
    page = person.press(stale, "Ask the second person", outcome="not_a_breach", reason="No")
    assert page.status == 409
    assert "Outcome It was not a breach" in page.text and ">\nNo</textarea>" in page.html


def test_every_box_that_was_ticked_is_given_back(office: Office, app: Flask) -> None:
    person, stale = _stale(office, app, "?fix=B08")
    page = person.press(stale, "Keep it", B08=["contact", "health", "child"])
    assert page.status == 409
    assert ">\ncontact, health, child</textarea>" in page.html


def test_what_was_chosen_stands_in_the_words_of_the_page(office: Office, app: Flask) -> None:
    person, stale = _stale(office, app)
    for button, choice, words in (
        ("Set it", {"band": "S3", "reason": "Calmer."}, "Band S3 Moderate"),
        ("Change it", {"status": "waiting_other"}, "Status Waiting on others"),
        ("It is this one", {"provider": "rimu"}, "Provider rimu"),
        ("Give it", {"to": address_of("security_lead")}, f"To {address_of('security_lead')}"),
    ):
        page = person.press(stale, button, **choice)
        assert page.status == 409 and words in page.text, button
