"""Sign-in by a one-time link: it says nothing to strangers, works once, in one browser, for minutes."""

from __future__ import annotations

import logging
import re

import pytest
from flask import Flask

from intake.web.auth import sign_in_link
from tests.web.staff.office import GRAVE, Office, Page, Person, address_of


def _link(office: Office) -> str:
    """The link of the newest mail in the outbox."""
    mail = office.store.mails(1)[0]
    found = re.search(r"https?://\S+(/sign-in/\S+)", mail.body)
    assert found is not None
    return found[1]


def _ask(person: Person, address: str) -> Page:
    return person.press(person.open("/sign-in"), "Send me a link", address=address)


def test_the_answer_is_the_same_for_staff_and_for_anybody_else(office: Office, app: Flask) -> None:
    known = _ask(office.stranger(app), address_of("triage"))
    unknown = _ask(office.stranger(app), "nobody@elsewhere.example")
    assert known.text == unknown.text
    assert known.status == unknown.status == 200
    assert len(office.store.mails(10)) == 1


def test_a_link_signs_in_once_by_a_press_and_never_again(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    _ask(person, address_of("triage"))
    link = _link(office)
    page = person.open(link)
    assert "a mail scanner that opens the link does no harm" in page.text
    inside = person.press(page, "Sign in")
    assert "Everything open" in inside.headings
    assert "This link is over" in person.press(page, "Sign in").headings


def test_opening_a_link_does_not_use_it_up(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    _ask(person, address_of("triage"))
    link = _link(office)
    for _ in range(3):
        office.stranger(app).open(link)
    assert "Everything open" in person.press(person.open(link), "Sign in").headings


def test_a_link_works_only_in_the_browser_that_asked(office: Office, app: Flask) -> None:
    person, thief = office.stranger(app), office.stranger(app)
    _ask(person, address_of("triage"))
    link = _link(office)
    stolen = thief.press(thief.open(link), "Sign in")
    assert "This link is over" in stolen.headings
    assert "Sign in" in thief.open("/queue").headings
    assert "Everything open" in person.press(person.open(link), "Sign in").headings


def test_a_link_is_over_after_fifteen_minutes(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    _ask(person, address_of("triage"))
    link = _link(office)
    office.later(minutes=16)
    assert "This link is over" in person.press(person.open(link), "Sign in").headings


def test_a_made_up_link_opens_nothing(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    page = person.press(person.open("/sign-in/AAAAAAAAAAAAAAAAAAAAAA"), "Sign in")
    assert page.status == 410
    assert "This link is over" in page.headings


def test_a_session_ends_when_idle_and_at_the_end_of_the_shift(office: Office, app: Flask) -> None:
    idle = office.person(app)
    office.later(minutes=31)
    assert "Sign in" in idle.open("/queue").headings
    busy = office.person(app)
    for _ in range(25):
        office.later(minutes=29)
        busy.open("/queue")
    assert "Sign in" in busy.open("/queue").headings


def test_signing_out_ends_the_session_for_everybody_who_has_the_cookie(office: Office, app: Flask) -> None:
    person = office.person(app)
    cookie = person.client.get_cookie("staff")
    assert cookie is not None
    copied = office.stranger(app)
    copied.client.set_cookie("staff", cookie.value)
    assert "Everything open" in copied.open("/queue").headings
    person.press(person.open("/queue"), "Sign out")
    assert "Sign in" in copied.open("/queue").headings


def test_after_signing_in_one_is_where_one_wanted_to_go(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.stranger(app)
    asked = person.open(f"/case/{reference}")
    person.press(asked, "Send me a link", address=address_of("triage"))
    assert reference in person.press(person.open(_link(office)), "Sign in").title


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/queue", "/queue\\..\\x", "javascript:alert(1)"]
)
def test_a_link_never_leads_to_somebody_elses_page(office: Office, app: Flask, to: str) -> None:
    person = office.stranger(app)
    link = sign_in_link(office.parts, address_of("triage"))
    page = person.open(link[link.index("/sign-in/") :] + f"?to={to}")
    form = page.form("Sign in")
    response = person.client.post(form.action or page.response.request.path, data=dict(form.fields) | {"to": to})
    assert response.headers["Location"] == "/queue"


def test_one_address_gets_five_links_an_hour_and_the_answer_stays_the_same(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    texts = {_ask(person, address_of("triage")).text for _ in range(8)}
    assert len(texts) == 1
    assert len(office.store.mails(20)) == 5


def test_a_stranger_who_asks_for_somebodys_address_does_not_lock_them_out(office: Office, app: Flask) -> None:
    stranger, person = office.stranger(app), office.stranger(app)
    stranger.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    for _ in range(8):
        _ask(stranger, address_of("triage"))
    _ask(person, address_of("triage"))
    assert "Everything open" in person.press(person.open(_link(office)), "Sign in").headings


def test_what_a_stranger_adds_to_a_request_for_a_link_is_no_address_in_the_mail(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    page = person.open("/sign-in?to=/queue?x=https://evil.example/now")
    person.press(page, "Send me a link", address=address_of("triage"))
    assert "https://evil" not in office.store.mails(1)[0].body


def test_one_client_that_asks_too_often_is_told_so(office: Office, app: Flask) -> None:
    person = office.stranger(app)
    pages = [_ask(person, f"a{n}@elsewhere.example") for n in range(21)]
    assert pages[-1].status == 429
    assert "That was too often" in pages[-1].headings


def test_a_changed_role_holds_at_once_for_somebody_who_is_signed_in(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app, "triage")
    assert person.open(f"/case/{reference}").has_button("Take it")
    office.store.add_staff(address_of("triage"), "auditor")
    assert not person.open(f"/case/{reference}").has_button("Take it")
    office.store.add_staff(address_of("triage"), "admin")
    assert person.open(f"/case/{reference}").status == 404


def test_text_that_was_typed_before_the_session_ended_is_given_back(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.open(f"/case/{reference}")
    office.later(hours=1)
    page = person.press(page, "Keep or send", text="They rang at nine. The child is safe.")
    assert page.status == 401
    assert "Your text is safe" in page.headings
    assert "The child is safe." in page.text


def test_logs_name_no_address_and_no_token(office: Office, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "intake")
    person = office.stranger(app)
    _ask(person, address_of("triage"))
    link = _link(office)
    person.press(person.open(link), "Sign in")
    written = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("intake"))
    assert "signed_in role=triage" in written
    assert "ministry.example" not in written and link.rsplit("/", 1)[1] not in written
