"""A case that names a colleague is closed to the desk: no other case, list or act of theirs tells of it."""

from __future__ import annotations

from flask import Flask

from tests.web.staff.office import CALM, Office, Page, Person, address_of


def _open(person: Person, reference: str) -> Page:
    return person.open(f"/case/{reference}")


def _close_to_the_desk(office: Office, app: Flask, reference: str) -> Person:
    """The privacy lead, who closed it."""
    lead = office.person(app, "privacy_lead")
    lead.press(_open(lead, reference), "Close it to the desk", reason="It names a colleague.")
    return lead


def _offered(page: Page) -> str:
    """The words of the filters that a list offers."""
    return page.text.partition("Mark Key gap")[2].partition("Apply filters")[0]


def test_T41_the_history_of_a_linked_case_does_not_name_one_that_is_closed_to_the_desk(
    office: Office, app: Flask
) -> None:
    secret, other = office.notice(CALM), office.notice(CALM, subject="Other")
    person = office.person(app)
    assert f"Linked to {secret}." in person.press(_open(person, other), "Link them", other=secret).text
    lead = _close_to_the_desk(office, app, secret)
    page = _open(person, other)
    assert secret not in page.html and "Linked to another case." in page.text
    assert f"Linked to {secret}." in _open(lead, other).text


def test_T41_a_reason_does_not_name_a_case_that_is_closed_to_the_desk(office: Office, app: Flask) -> None:
    secret = office.notice(CALM)
    follow_up = office.mail(
        "Please look at it.", subject=f"About {secret}", sender="Manager <manager@rimu-parenting.example>"
    )
    person = office.person(app)
    assert f"It names {secret}" in person.open("/queue").text
    lead = _close_to_the_desk(office, app, secret)
    listed, page = person.open("/queue"), _open(person, follow_up)
    assert secret not in listed.html and "It names another case" in listed.text
    assert "It names another case" in page.text.rpartition("History")[0]
    assert f"It names {secret}" in lead.open("/queue").text
    assert f"It names {secret}" in _open(lead, follow_up).text


def test_T41_a_selection_with_a_case_that_was_closed_to_the_desk_since_does_all_the_others(
    office: Office, app: Flask
) -> None:
    references = [office.notice(CALM, subject=f"Notice {n}") for n in range(3)]
    person = office.person(app)
    seen = person.open("/queue")
    _close_to_the_desk(office, app, references[1])
    page = person.press(seen, "Do it", case=[f"{r}.1" for r in references], action="assign")
    assert page.status == 200 and "2 cases are yours now." in page.text
    assert f"Left as they were: {references[1]}" in page.text
    assert [office.case(r).row.assignee for r in references] == [address_of("triage"), None, address_of("triage")]


def test_T41_undo_leaves_a_case_alone_that_was_closed_to_the_desk_since(office: Office, app: Flask) -> None:
    references = [office.notice(CALM, subject=f"Notice {n}") for n in range(2)]
    person = office.person(app)
    page = person.press(person.open("/queue"), "Do it", case=[f"{r}.1" for r in references], action="assign")
    _close_to_the_desk(office, app, references[0])
    page = person.press(page, "Undo")
    assert page.status == 200 and "1 put back as it was." in page.text
    assert [office.case(r).row.assignee for r in references] == [None, None]


def test_T41_who_may_open_a_closed_case_stands_on_it_and_it_can_be_filtered(office: Office, app: Flask) -> None:
    secret, other = office.notice(CALM), office.notice(CALM, subject="Other")
    person = office.person(app)
    lead = _close_to_the_desk(office, app, secret)
    assert "Who may open it Privacy lead and auditor only" in _open(lead, secret).text
    assert "Who may open it" not in _open(lead, other).text
    listed = lead.open("/queue?mark=CONFLICT")
    assert secret in listed.text and other not in listed.text
    assert "Named people only" in _offered(listed)
    page = person.open("/queue?mark=CONFLICT")
    assert secret not in page.html and "Named people only" not in _offered(page)
