"""What staff do on the case page, from the press to what the provider and the history get."""

from __future__ import annotations

import pytest
from flask import Flask

from intake.domain.clocks import due_for_notice
from intake.domain.model import Status
from tests.web.staff.office import CALM, GRAVE, Office, Page, Person, address_of


def _open(person: Person, reference: str) -> Page:
    return person.open(f"/case/{reference}")


def _last_mail(office: Office, template: str) -> str:
    return next(m for m in office.store.mails(20) if m.template == template).body


def test_taking_and_giving_a_case(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    page = person.press(_open(person, reference), "Take it")
    assert "It is yours now." in page.text and "Who has it You" in page.text
    page = person.press(page, "Give it", to=address_of("privacy_lead"))
    assert "K. Example has it now." in page.text
    assert "Given to K. Example" in page.text


def test_a_case_is_never_given_to_somebody_who_only_reads(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    page = person.press(_open(person, reference), "Give it", to=address_of("auditor"))
    assert page.status == 422
    assert "That person cannot take this case." in page.text


def test_a_note_and_a_call_are_kept_and_a_call_is_first_contact(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.press(_open(person, reference), "Keep or send", to="note", text="Ask for the court file.")
    assert "Ask for the court file." in page.text
    assert office.case(reference).row.next_due_what == "first_contact"
    page = person.press(page, "Keep or send", to="call", text="Rang the office, nobody is in danger.")
    assert "It counts as first contact." in page.text
    assert office.case(reference).row.next_due_what == "decision"
    assert "Next: decide whether it is notifiable" in " ".join(page.headings)


def test_a_provider_that_was_chosen_wrongly_is_chosen_again(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    other = next(p for p in office.store.providers() if p.slug != office.case(reference).row.provider)
    page = person.press(_open(person, reference), "It is this one", provider=other.slug)
    assert office.case(reference).row.provider == other.slug
    assert f"Provider set to {other.name}" in page.text


def test_when_somebody_has_said_which_provider_it_is_the_question_is_gone(office: Office, app: Flask) -> None:
    reference = office.mail("We had a privacy breach: a letter went astray.", sender="x@elsewhere.example")
    person = office.person(app)
    page = _open(person, reference)
    assert "We don’t know yet which provider this is about." in page.text.partition("History")[2]
    page = person.press(page, "It is this one", provider="kowhai")
    assert "UNKNOWN_PROVIDER" not in {
        *office.case(reference).row.marks,
        *(r.code for r in office.case(reference).reasons),
    }
    person.press(person.open(f"/case/{reference}?fix=A07"), "Keep it", A07="no")
    assert "UNKNOWN_PROVIDER" not in office.case(reference).row.marks
    assert "We don’t know yet" not in person.open("/queue").text


def test_a_text_that_is_too_long_is_given_back_whole_and_never_cut(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    words = "What they said. " * 700 + "Her new address is out."
    page = person.press(_open(person, reference), "Keep or send", to="note", text=words)
    assert page.status == 422 and "10,000 fit" in page.text
    assert "Her new address is out." in page.text
    assert not [m for m in office.case(reference).messages if m.direction == "note"]


def test_a_message_goes_to_registered_contacts_only(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = _open(person, reference)
    sent = person.press(
        page, "Keep or send", to="provider", text="We will call at ten.", contact="office@kowhai-trust.example"
    )
    assert "Your message is on its way." in sent.text
    assert "We will call at ten." in _last_mail(office, "from_staff")
    refused = person.press(sent, "Keep or send", to="provider", text="Hello there", contact="thief@evil.example")
    assert refused.status == 422
    assert "Choose one of the registered contacts." in refused.text and "Hello there" in refused.text
    assert all(m.to != "thief@evil.example" for m in office.store.mails(20))


def test_asking_for_more_names_the_forms_own_questions_and_waits(office: Office, app: Flask) -> None:
    reference = office.notice({**GRAVE, "A06": "Canary words of the provider"}, subject="Canary subject")
    person = office.person(app)
    page = person.press(_open(person, reference), "Ask these questions", question=["B10", "B14"])
    assert "If no answer comes, ask again 1:42 pm today." in page.text
    row = office.case(reference).row
    assert row.status == Status.WAITING_PROVIDER
    body = _last_mail(office, "ask_for_more")
    assert "B10  How many people in all, children included?" in body and "by 1:42 pm today" in body
    assert "Canary" not in body and "Kōwhai" not in body
    assert "Status Waiting on provider, ask again 1:42 pm" in page.text


def test_asking_twice_from_the_same_page_sends_once(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = _open(person, reference)
    person.press(page, "Ask these questions", question=["B10"])
    again = person.press(page, "Ask these questions", question=["B10"])
    assert "Somebody saved before you" in again.headings
    assert sum(m.template == "ask_for_more" for m in office.store.mails(20)) == 1


def test_correcting_an_answer_counts_band_and_clocks_again_and_keeps_the_old_value(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.open(f"/case/{reference}?fix=A10")
    page = person.press(page, "Keep what I typed", A10="nobody_outside")
    assert "The band is S2 now, and was S1. Clocks were counted again." in page.text
    case = office.case(reference)
    assert case.row.band == "S2"
    assert case.due.first_contact is not None and case.due.first_contact.isoformat().startswith("2026-11-23T00:42")
    fixed = case.corrections[-1]
    assert (fixed.question, fixed.old, fixed.value, fixed.how) == ("A10", "fear", "nobody_outside", "corrected")
    assert fixed.by == address_of("triage")
    assert "corrected by A. Example, 9:42 am; it said: Somebody they may be afraid of or in conflict with" in page.text


def test_correcting_when_they_knew_moves_the_72_hours(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.open(f"/case/{reference}?fix=A08")
    page = person.press(page, "Keep what I typed", **{"A08.at": "21 November 2026, 6:00 am"})
    assert "72 hours Tue 24 Nov, 6:00 am" in page.text
    assert "51 h 42 min: red" in person.open("/queue").text


def test_an_answer_that_cannot_be_read_back_is_asked_again_with_what_was_typed(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.open(f"/case/{reference}?fix=A08")
    page = person.press(page, "Keep what I typed", **{"A08.at": "last Tuesday or so"})
    assert page.status == 422
    assert page.title.startswith("Error:")
    assert "last Tuesday or so" in page.text


def test_an_open_question_can_be_typed_in_as_told_on_the_phone(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.open(f"/case/{reference}?fix=B10")
    page = person.press(page, "Keep it", **{"B10.n": "3", "B10.kind": "exact"})
    assert office.store.case_answers(reference)["B10"].value == {"n": 3, "kind": "exact"}
    assert office.case(reference).corrections[-1].how == "entered"
    assert "3 (exact)" in page.text


def test_an_answer_can_be_given_up_and_then_counts_as_not_known(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.press(person.open(f"/case/{reference}?fix=A07"), "Cannot be read")
    assert "A07" not in office.store.case_answers(reference)
    assert "cannot be read by A. Example" in page.text
    assert office.case(reference).row.band == "S1"


def test_a_band_set_by_hand_needs_a_reason_moves_the_clocks_and_stays(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    page = person.press(_open(person, reference), "Set it", band="S2", reason="")
    assert "Say why" in page.text and office.case(reference).row.band == "S4"
    page = person.press(_open(person, reference), "Set it", band="S2", reason="The thief knows the family.")
    assert "set by hand by A. Example" in page.text
    assert "Band S2 set by hand, was S4. The thief knows the family." in page.text
    due = office.case(reference).due.first_contact
    person.press(person.open(f"/case/{reference}?fix=A10"), "Keep what I typed", A10="professional")
    case = office.case(reference)
    assert (case.row.band, case.due.first_contact) == ("S2", due)


def test_closing_needs_an_outcome_and_a_reason(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    page = person.press(_open(person, reference), "Close the case", reason="It was encrypted.")
    assert "Choose how it ended." in page.text and "It was encrypted." in page.text
    page = person.press(_open(person, reference), "Close the case", outcome="assessed_not_serious", reason=" ")
    assert "Give your reasons" in page.text
    page = person.press(
        _open(person, reference), "Close the case", outcome="assessed_not_serious", reason="Encrypted, key safe."
    )
    assert "The case is closed." in page.text and "Serious harm is not likely." in page.text
    assert reference not in person.open("/queue").text
    assert reference in person.open("/queue?closed=1").text
    page = person.press(page, "Open it again")
    assert office.case(reference).row.status == Status.OPEN
    assert "Closed: Serious harm is not likely. Encrypted, key safe." in page.text and "Opened again" in page.text


def test_a_grave_case_is_closed_by_two_people_never_by_one(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    first, second = office.person(app), office.person(app, "privacy_lead")
    page = first.press(
        _open(first, reference), "Ask the second person", outcome="provider_told_opc", reason="Told today."
    )
    assert "Another person must agree" in page.text
    assert office.case(reference).row.status != Status.CLOSED
    assert not page.has_button("I agree, close it")
    version = office.case(reference).row.version
    token = dict(page.form("Take it back").fields)["csrf_token"]
    forced = first.client.post(
        f"/case/{reference}/second", data={"agree": "1", "version": version, "csrf_token": token}
    )
    assert forced.status_code == 422 and "Another person must agree." in forced.text
    seen = _open(second, reference)
    assert "A. Example asks a second person" in " ".join(seen.headings) and "Told today." in seen.text
    done = second.press(seen, "I agree, close it")
    assert "You agreed, and the case is closed." in done.text
    assert [e.actor for e in office.case(reference).events if e.action in ("close_asked", "close_agreed")] == [
        address_of("triage"),
        address_of("privacy_lead"),
    ]


def test_a_grave_case_made_calmer_by_an_answer_still_needs_two(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    person.press(person.open(f"/case/{reference}?fix=A10"), "Keep what I typed", A10="nobody_outside")
    person.press(person.open(f"/case/{reference}?fix=A07"), "Keep what I typed", A07="no")
    person.press(person.open(f"/case/{reference}?fix=A09"), "Keep what I typed", A09="contained")
    page = _open(person, reference)
    assert office.case(reference).row.band not in ("S1", "S2")
    assert "Two people, because it was S1 or S2" in page.text
    assert "The band is" in " ".join(e.text for e in office.case(reference).events)
    person.press(page, "Ask the second person", outcome="not_a_breach", reason="Harmless.")
    assert office.case(reference).row.status != Status.CLOSED


def test_the_second_person_may_disagree_with_a_reason(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    first, second = office.person(app), office.person(app, "manager")
    first.press(_open(first, reference), "Ask the second person", outcome="not_a_breach", reason="Nothing left.")
    page = second.press(_open(second, reference), "I do not agree", reason="")
    assert "Say why you do not agree." in page.text
    page = second.press(_open(second, reference), "I do not agree", reason="The address did leave.")
    assert "The case stays open." in page.text
    again = _open(first, reference)
    assert again.has_button("Ask the second person")
    assert "It was not a breach. Nothing left." in again.text  # what was refused stays in the history


def test_a_grave_case_made_calmer_by_hand_still_needs_two(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    person.press(_open(person, reference), "Set it", band="S4", reason="Looks harmless to me.")
    page = _open(person, reference)
    assert "Two people, because it was S1 or S2" in page.text
    person.press(page, "Ask the second person", outcome="not_a_breach", reason="Harmless.")
    assert office.case(reference).row.status != Status.CLOSED


def test_a_held_case_is_let_through_with_a_reason_only(office: Office, app: Flask) -> None:
    reference = office.mail("Please call us about our contract.", subject="Contract", sender="a@stranger.example")
    person = office.person(app)
    page = _open(person, reference)
    assert "Next: check the sender" in " ".join(page.headings)
    refused = person.press(page, "Let it through", reason="")
    assert "Say why this sender may be relied on." in refused.text
    done = person.press(page, "Let it through", reason="Called the office, it is theirs.")
    assert "It is let through and open." in done.text
    assert office.case(reference).row.status == Status.OPEN
    assert "Let through. Called the office, it is theirs." in done.text


def test_two_cases_of_one_matter_are_linked_both_ways(office: Office, app: Flask) -> None:
    one, other = office.notice(CALM), office.notice(GRAVE, subject="Other")
    person = office.person(app)
    page = person.press(_open(person, one), "Link them", other=other.lower().replace("-", " "))
    assert f"Linked to {other}." in page.text
    assert one in _open(person, other).links
    page = person.press(_open(person, one), "Link them", other="BN-0000-1")
    assert page.status == 422


def test_two_people_at_once_lose_nothing(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    slow, quick = office.person(app), office.person(app, "privacy_lead")
    seen = _open(slow, reference)
    quick.press(_open(quick, reference), "Change it", status="waiting_other")
    page = slow.press(seen, "Close the case", outcome="not_a_breach", reason="I typed this for ten minutes.")
    assert page.status == 409
    assert "Somebody saved before you" in page.headings
    assert "I typed this for ten minutes." in page.text
    assert office.case(reference).row.status == Status.WAITING_OTHER


@pytest.mark.parametrize("status", ["closed", "held", "needs_person", "nonsense"])
def test_a_status_with_an_act_of_its_own_cannot_be_set_by_hand(office: Office, app: Flask, status: str) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.press(_open(person, reference), "Change it", status=status)
    assert page.status == 422
    assert office.case(reference).row.status == Status.OPEN


def test_the_history_tells_it_all_in_order_and_nothing_in_it_was_changed(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    person.press(_open(person, reference), "Take it")
    person.press(_open(person, reference), "Close the case", outcome="not_a_breach", reason="Nothing left the house.")
    page = _open(person, reference)
    history = page.text[page.text.index("History") :]
    assert history.index("Closed: It was not a breach") < history.index("Given to A. Example")
    assert office.store.verify_events()[1] is None


def test_waiting_is_no_call_so_the_first_contact_stays_due(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    page = person.press(_open(person, reference), "Change it", status="waiting_other")
    assert office.case(reference).row.next_due_what == "first_contact"
    assert "Next: call the provider by 10:42 am" in page.headings


def test_a_mail_is_first_contact_but_on_a_critical_case_only_a_call_is(office: Office, app: Flask) -> None:
    person = office.person(app)
    for answers, what in ((GRAVE, "first_contact"), (CALM, "decision")):
        reference = office.notice(answers)
        person.press(_open(person, reference), "Ask these questions", question=["B10"])
        assert office.case(reference).row.next_due_what == what
        words = {"to": "provider", "text": "Please ring us.", "contact": "office@kowhai-trust.example"}
        person.press(_open(person, reference), "Keep or send", **words)
        assert office.case(reference).row.next_due_what == what


def test_a_message_whose_button_is_pressed_twice_leaves_once(office: Office, app: Flask) -> None:
    person = office.person(app)
    reference = office.notice(CALM)
    page = _open(person, reference)
    for text in ("Please ring us.", "Please ring us.", "Please ring us today."):
        person.press(page, "Keep or send", to="provider", text=text, contact="office@kowhai-trust.example")
    assert sum(m.template == "from_staff" for m in office.store.mails(20)) == 2
    office.later(hours=26)  # a day of silence, and the same words again
    person = office.person(app)
    person.press(
        _open(person, reference),
        "Keep or send",
        to="provider",
        text="Please ring us.",
        contact="office@kowhai-trust.example",
    )
    assert sum(m.template == "from_staff" for m in office.store.mails(20)) == 3


def test_a_mail_that_is_a_notice_after_all_becomes_one_and_its_clocks_count_from_when_it_came(
    office: Office, app: Flask
) -> None:
    reference = office.mail("Please see the picture.", subject="Form", sender="office@kowhai-trust.example")
    assert office.case(reference).row.kind == "other"
    came = office.case(reference).row.received_at
    office.later(hours=3)
    person = office.person(app)
    page = person.press(_open(person, reference), "Say so", kind="breach_notice", reason="")
    assert page.status == 422 and "Say how you know" in page.text and "breach notice" in page.text
    page = person.press(_open(person, reference), "Say so", kind="breach_notice", reason="The picture says so.")
    case = office.case(reference)
    judged = due_for_notice(case.row.band or "", came, None, True)
    assert case.row.kind == "breach_notice" and case.due == judged
    assert "Kind Breach notice" in page.text and "Must tell the Commissioner" in page.text
    assert "it is a breach notice. The picture says so." in page.text
    page = person.press(person.open(f"/case/{reference}?fix=A07"), "Keep it", **{"A07": "no"})
    assert "A07" in {c.question for c in office.case(reference).corrections}


def test_a_case_whose_form_was_read_is_what_the_form_says(office: Office, app: Flask) -> None:
    reference = office.web({**GRAVE})
    page = _open(office.person(app), reference)
    assert not page.has_button("Say so")


def test_what_was_called_a_notice_and_is_none_still_needs_two_to_close(office: Office, app: Flask) -> None:
    reference = office.mail(
        "We sent a client's report to the wrong address.",
        subject="Privacy breach",
        sender="office@kowhai-trust.example",
    )
    person = office.person(app)
    assert office.case(reference).row.band in ("S1", "S2")
    page = person.press(_open(person, reference), "Say so", kind="other", reason="It is our own training mail.")
    case = office.case(reference)
    assert (case.row.kind, case.row.band) == ("other", None)
    assert "It stays open until somebody else agrees." in page.text


def test_T41_a_case_that_names_a_colleague_is_closed_to_the_desk_by_whoever_finds_it(
    office: Office, app: Flask
) -> None:
    reference, other = office.notice(GRAVE), office.notice(CALM)
    person, lead = office.person(app), office.person(app, "privacy_lead")
    person.press(_open(person, reference), "Take it")
    person.press(_open(person, other), "Link them", other=reference)
    page = person.press(_open(person, reference), "Close it to the desk", reason="It names my colleague B.")
    assert f"{reference} is closed to the desk." in page.text and "Everything open" in page.headings
    assert office.case(reference).row.assignee is None
    assert reference not in person.open("/queue").text
    assert "Everything open 1" in " ".join(person.open("/queue").text.split())
    assert reference not in _open(person, other).html
    page = _open(lead, reference)
    assert "It names my colleague B." in page.text
    assert "Everything open 2" in " ".join(lead.open("/queue").text.split())
    lead.press(page, "Open it to the desk", reason="It is another person of that name.")
    assert _open(person, reference).status == 200


def test_T42_who_waits_for_a_second_person_is_seen_in_the_queue(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person, lead = office.person(app), office.person(app, "privacy_lead")
    person.press(_open(person, reference), "Ask the second person", outcome="not_a_breach", reason="A test mail.")
    page = lead.open("/queue?mark=SECOND_PERSON")
    assert reference in page.text and "Needs a second person 1" in " ".join(page.text.split())
    lead.press(_open(lead, reference), "I do not agree", reason="It is none.")
    assert reference not in lead.open("/queue?mark=SECOND_PERSON").text
    person.press(_open(person, reference), "Ask the second person", outcome="not_a_breach", reason="A test mail.")
    lead.press(_open(lead, reference), "I agree, close it", agree="1")
    assert "Needs a second person 0" in " ".join(lead.open("/queue").text.split())


def test_a_lookalike_has_nobody_chosen_and_names_the_number_to_ring(office: Office, app: Flask) -> None:
    reference = office.mail(
        "We sent a client's report to the wrong address.",
        subject="Privacy breach",
        sender="office@kowhai-trvst.example",
    )
    page = _open(office.person(app), reference)
    assert "ring +64 4 000 0001, the number in our register" in page.text
    assert dict(page.form("It is this one").fields)["provider"] == ""
