"""A case as it is read: what to do first, how we know, why, the answers, the original, and its history."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from intake.adapters.demo.mails import File, fails
from intake.adapters.demo.messages import picture
from tests.web.staff.office import CALM, GRAVE, Office

PERSONAL = "Pat <pat.example@gmail.com>"


def test_the_first_thing_is_what_to_do_now_with_the_number_of_the_register(office: Office, app: Flask) -> None:
    page = office.person(app).open(f"/case/{office.notice({**GRAVE, 'A04': '+64 21 000 0007'})}")
    assert (
        page.headings[1] == "Next: call the provider by 10:42 am" or page.headings[1] == "Next: call the provider now"
    )
    step = page.text[page.text.index("Next: call") :][:300]
    assert "+64 4 000 0001" in step and "+64 21 000 0007" not in step
    assert "is somebody in danger? If so, Police on 111" in step


def test_the_page_says_why_this_band_and_what_would_change_it(office: Office, app: Flask) -> None:
    page = office.person(app).open(f"/case/{office.notice(GRAVE)}")
    assert "Why S1 Critical" in page.headings
    assert "rule set 2026.1" in page.text
    assert "(A10)" in page.text and "What would change it" in page.headings
    assert "Advice on notifiability: likely" in page.text
    assert "not notifiable" not in page.text.lower()


def test_both_clocks_are_there_the_providers_and_ours(office: Office, app: Flask) -> None:
    page = office.person(app).open(f"/case/{office.notice(GRAVE)}")
    assert "13 h 32 min since the provider knew" in page.text
    assert "Knew Sun 22 Nov, 8:10 pm" in page.text
    assert "First contact 10:42 am" in page.text
    assert "72 hours Wed 25 Nov, 8:10 pm" in page.text
    exact = [t["datetime"] for tag, t in page.tags if tag == "time"]
    assert "2026-11-25T20:10+13:00" in exact


def test_the_verdict_stands_with_its_evidence_in_sentences(office: Office, app: Flask) -> None:
    page = office.person(app).open(f"/case/{office.notice(GRAVE)}")
    assert "Verified account" in page.text
    assert "For it: office@kowhai-trust.example is a registered contact of Kōwhai Example Trust." in page.text
    failed = office.notice(CALM, subject="x", gateway=fails("kowhai-trust.example"))
    page = office.person(app).open(f"/case/{failed}")
    assert "Authentication failed" in page.text and "Against it:" in page.text


def test_an_answer_says_how_it_was_read_and_what_is_open(office: Office, app: Flask) -> None:
    page = office.person(app).open(f"/case/{office.notice(GRAVE)}")
    assert "Somebody they may be afraid of or in conflict with" in page.text
    assert "A10 · typed into the mail" in page.text
    assert "Not answered yet" in page.text
    assert "How many people in all, children included? (B10)" in page.text


def test_the_mail_stands_as_text_and_leaves_as_it_came(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE, subject="We are worried")
    person = office.person(app)
    page = person.open(f"/case/{reference}")
    assert "Subject We are worried" in page.text
    raw = person.client.get(f"/case/{reference}/original.eml")
    assert raw.headers["Content-Disposition"].startswith(f'attachment; filename="{reference}.eml"')
    assert b"Authentication-Results: mx.ministry.example" in raw.data
    assert raw.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ('a"; filename="b.html', "html"),
        ("x\u202efdp.exe", "exe"),
        ("te\u0304st.pdf", "pdf"),
        (".htaccess", "htaccess"),
        ("a" * 300 + ".pdf", ".pdf"),
        ("con.\u200bhtaccess", "htaccess"),
    ],
)
def test_a_download_is_a_file_whatever_its_name_says(office: Office, app: Flask, name: str, shown: str) -> None:
    content = b"<script>alert(1)</script>"
    reference = office.notice(CALM, files=(File(name, "text/html", content),))
    document = next(d for d in office.case(reference).documents if d.path != "text")
    response = office.person(app).client.get(f"/case/{reference}/document/{document.id}")
    assert response.data == content
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=") and shown in disposition
    plain = disposition.split('"')[1]
    assert plain.isascii() and not set(plain) & set('/\\:<>|"') and not plain.startswith(".") and len(plain) <= 130


def test_every_look_and_every_download_is_logged_with_who(office: Office, app: Flask) -> None:
    reference = office.notice(CALM, files=(File("note.txt", "text/plain", b"words"),))
    person = office.person(app, "auditor")
    before = office.store.verify_events()[0]
    person.open(f"/case/{reference}")
    person.open(f"/case/{reference}/original.eml")
    document = next(d for d in office.case(reference).documents if d.path != "text")
    person.open(f"/case/{reference}/document/{document.id}")
    assert office.store.verify_events() == (before + 3, None)


def test_a_notice_from_a_personal_account_asks_for_the_provider_first(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE, sender=PERSONAL)
    person = office.person(app)
    page = person.open(f"/case/{reference}")
    assert "Personal account" in page.text
    assert "Next: find the provider, and call" in page.text
    assert "It says: Kōwhai Example Trust" in page.text
    page = person.press(page, "It is this one", provider="kowhai")
    assert "The provider is set." in page.text
    assert office.case(reference).row.provider == "kowhai"


def test_a_picture_of_a_form_says_that_a_person_reads_it(office: Office, app: Flask) -> None:
    from intake.adapters.demo.messages import picture

    reference = office.mail(
        "Photo attached, sorry.", subject="Our form", files=(File("IMG.png", "image/png", picture()),)
    )
    page = office.person(app).open(f"/case/{reference}")
    assert "Needs a person to read" in page.text
    assert "Download IMG.png" in page.links


def test_a_contradiction_is_shown_with_both_sides(office: Office, app: Flask) -> None:
    reference = office.notice({**CALM, "A10": "professional", "B12": ["other_party_in_case"]})
    page = office.person(app).open(f"/case/{reference}")
    assert "Check these first" in page.headings
    assert "Check this first." in page.text


def test_nothing_of_a_case_reaches_the_log(office: Office, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reference = office.notice({**GRAVE, "A06": "Canary sentence"}, subject="Canary subject")
    person = office.person(app)
    person.open(f"/case/{reference}")
    person.press(person.open(f"/case/{reference}"), "Keep or send", text="Canary note", to="note")
    written = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("intake"))
    assert "Canary" not in written and "kowhai" not in written.lower()


def test_a_self_assessment_shows_its_gaps_and_no_pass_or_fail(office: Office, app: Flask) -> None:
    from intake.adapters.demo.answers import assessment

    answers = assessment("Kōwhai Example Trust", **{"L1-EMAIL-01": "no"})
    reference = office.web(answers, "it-self-assessment@2026.1")
    page = office.person(app).open(f"/case/{reference}")
    assert "What it shows" in page.headings
    assert "safeguards are in place" in page.text
    assert "Key gaps without a plan" in page.headings
    assert "to check" not in page.text  # a gap without a plan was read well: there is nothing to look up
    assert "fail" not in page.text.lower().replace("there is no pass or fail", "")


def test_a_mail_without_a_form_is_never_sent_to_questions_or_a_provider_that_are_not_there(
    office: Office, app: Flask
) -> None:
    person = office.person(app)
    photo = office.mail("It is attached.", subject="Our form", files=(File("a.png", "image/png", picture()),))
    page = person.open(f"/case/{photo}")
    assert "Next: read the file" in page.headings and "beside the questions" not in page.text
    assert "Counted in open hours" in page.text and "working days" not in page.text
    complaint = office.mail("Nobody answers the phone.", sender="A <a@household.example>", subject="Complaint")
    page = person.open(f"/case/{complaint}")
    assert "Next: check the sender" in page.headings and "Call the provider" not in page.text


def test_a_case_that_waits_for_its_decision_says_so_to_readers_and_on_paper(office: Office, app: Flask) -> None:
    reference = office.mail("When do you open?", subject="A question")
    person, reader = office.person(app), office.person(app, "auditor")
    assert "Not decided yet." in reader.open(f"/case/{reference}").text
    page = person.open(f"/case/{reference}")
    assert "Not decided yet." in page.text
    page = person.press(page, "Close the case", outcome="answered", reason="We rang them.")
    assert "Not decided yet." not in page.text
