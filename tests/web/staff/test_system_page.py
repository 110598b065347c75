"""The system page adds up, and says so in red when it does not; the register and the demo page."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from intake import receive
from intake.domain.model import Arrival
from intake.ports import MailboxState
from intake.web.staff_system import account, first_thing
from tests.web.staff.office import CALM, GRAVE, Office, Person, address_of


def test_every_message_is_accounted_for(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    office.mail("Please call us.", subject="Contract", sender="a@stranger.example")
    page = office.person(app, "admin").open("/system")
    assert "1 + 0 + 1 + 0 + 0 + 0 + 0 = 2. It adds up." in page.text


def test_a_message_that_is_nowhere_is_the_red_note_on_top() -> None:
    counted = account({"deliveries": 3, "waiting": 1, "missing": 1, "outcomes": {"case_opened": 1}})
    assert not counted.adds_up
    tone, heading, text = first_thing(counted, [], [])
    assert tone == "bad" and heading == "The count of messages does not add up"
    assert "reconcile" in text


def test_a_mailbox_that_refuses_us_says_so(office: Office, app: Flask) -> None:
    office.store.set_mailbox_state("post", last_contact=office.clock(), error="The server refuses our sign-in.")
    assert MailboxState("post") != office.store.mailbox_state("post")
    page = office.person(app).open("/system")
    assert "The server refuses our sign-in." in page.text and "Broken" in page.text


def test_what_left_is_listed_and_a_sign_in_link_is_never_readable_there(office: Office, app: Flask) -> None:
    stranger = office.stranger(app)
    stranger.press(stranger.open("/sign-in"), "Send me a link", address=address_of("manager"))
    office.notice(GRAVE)
    page = office.person(app).open("/system")
    assert "Sign-in link" in page.text and "Acknowledgement" in page.text
    assert "/sign-in/" not in page.html


def test_what_left_names_no_person_and_no_case_to_those_who_may_not_open_it(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    (to,) = {m.to for m in office.store.mails() if m.case == reference}
    assert reference in office.person(app).open("/system").text
    for_admin = office.person(app, "admin").open("/system")
    assert f"somebody at {to.partition('@')[2]}" in for_admin.text
    assert to not in for_admin.text and reference not in for_admin.html
    row = office.case(reference).row
    office.store.change(reference, row.version, "system", "locked", "Names a colleague", {"marks": ("CONFLICT",)})
    for_colleague = office.person(app).open("/system")
    assert to not in for_colleague.text and reference not in for_colleague.html


def test_a_provider_shows_domains_contacts_exceptions_and_its_cases(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    every = person.open("/providers")
    page = person.open(every.links["Kōwhai Example Trust"])
    for words in (
        "kowhai-trust.example",
        "office@kowhai-trust.example",
        "+64 4 000 0001",
        "family violence",
        reference,
    ):
        assert words in page.text
    assert "until 2026-12-31 Own domain is coming" in person.open("/providers/rimu").text
    office.later(days=60)
    assert "Over" in office.person(app).open("/providers/rimu").text
    assert office.person(app).open("/providers/nobody").status == 404


def test_somebody_who_runs_the_machine_sees_the_system_and_no_case(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app, "admin")
    assert person.open("/queue").status == 404
    assert person.open(f"/case/{reference}").status == 404
    assert reference not in person.open("/providers/kowhai").text
    assert f"/case/{reference}" not in person.open("/system").links.values()


def test_keys_and_colours_are_kept_for_this_browser(office: Office, app: Flask) -> None:
    person = office.person(app)
    page = person.press(person.open("/keys"), "Save", keys="off", theme="dark")
    assert "Kept for this browser." in page.text
    html = person.open("/queue").html
    assert 'data-theme="dark"' in html and 'data-keys="off"' in html


def test_the_demo_sends_a_mail_and_shows_what_left(tmp_path: Path) -> None:
    office = Office(tmp_path, demo=True)
    office.notice(GRAVE)
    person = Person(office.application().test_client())
    page = person.open("/demo")
    assert "We have your privacy-breach notice" in page.text
    assert "S1 Critical" in page.text
    assert "Kept in the demo, never sent" in page.text and "queued" not in page.text
    (tmp_path / "mail" / "new").mkdir(parents=True, exist_ok=True)
    sent = person.press(page, "Send it")
    assert "It becomes a case within a few seconds." in sent.text
    refused = person.press(page, "Send it", sender="nobody")
    assert "Choose a sender, a form and an attachment from the lists." in refused.text
    asked = person.press(person.open("/demo"), "Send a link to A. Example")
    assert "Look into your mailbox" in asked.headings
    shown = person.open("/demo")
    link = next(href for words, href in shown.links.items() if "/sign-in/" in words)
    assert "Everything open" in person.press(person.open(link[link.index("/sign-in/") :]), "Sign in").headings


def test_a_mail_of_the_demo_is_kept_and_elsewhere_it_waits_to_be_sent(tmp_path: Path) -> None:
    for demo, said, other in (
        (True, "Kept in the demo, never sent", "Waiting to be sent"),
        (False, "Waiting to be sent", "Kept in the demo"),
    ):
        folder = tmp_path / str(demo)
        folder.mkdir()
        office = Office(folder, demo=demo)
        reference = office.notice(GRAVE)
        person = office.person(office.application())
        for address in (f"/case/{reference}", "/system"):
            page = person.open(address)
            assert page.status == 200
            assert said in page.text and other not in page.text


def test_jobs_are_counted_by_kind_and_mails_are_named_in_words(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    receive.keep(office.parts, [Arrival(b"From: a@b.example\r\n\r\nHi", "pipe", "default", "one", office.clock())])
    page = office.person(app).open("/system").text
    assert "Read a message 1 0 0 0" in page and "Look for answers in another document 0 0 0 0" in page
    assert "Acknowledgement" in page and "acknowledgement_" not in page and "acknowledgement full" not in page
