"""Whose is a domain: what the page says of it, who may register it and how, and who agrees to an exception."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Flask

from intake import onboarding
from intake.adapters.demo.answers import assessment
from intake.adapters.demo.mails import fails
from intake.adapters.dns import DnsNetwork, DnsZoneFile
from intake.ports import Registration
from tests.web.staff.office import CALM, Office, Page, Person, address_of, typed
from workers import jobs

DOMAIN = "facilitation.co.nz"
ZONE: Mapping[str, object] = {
    DOMAIN: {"MX": [f"{DOMAIN}.mail.protection.outlook.com"], "TXT": ["v=spf1 include:x ~all", "other"]},
    f"_dmarc.{DOMAIN}": {"TXT": ["v=DMARC1; p=none; rua=mailto:d@facilitation.co.nz"]},
    f"selector1._domainkey.{DOMAIN}": {"TXT": ["v=DKIM1; p=MIGf"]},
    "kowhai-trust.co.nz": {"MX": ["mx.kowhai-trust.co.nz"]},
}
SPOKE = "Mere spelled it on the telephone."
ENTRY = "/register/decisions/1"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path, zone=ZONE)


@pytest.fixture
def lead(office: Office, app: Flask) -> Person:
    return office.person(app, "privacy_lead")


def register(person: Person, of: str = DOMAIN, **typed: object) -> Page:
    page = person.open(f"/register?of={of}")
    given = {"provider": "rimu", "method": "phone", "words": SPOKE}
    return person.press(page, "Register it", **{**given, **typed})


def propose(person: Person, of: str = "rua.law@xtra.co.nz", **typed: object) -> Page:
    page = person.open(f"/register?of={of}")
    given = {"provider": "rimu", "reason": "Their own domain is coming.", "until": "2027-03-31"}
    return person.press(page, "Propose it", **{**given, **typed})


def held_form(office: Office, sender: str = f"Me <me@{DOMAIN}>", subject: str = "Our form") -> str:
    body = typed({q: a for q, a in assessment("Rimu Example Parenting").items() if isinstance(a, str)})
    return office.mail(body, sender=sender, subject=subject)


# ---- what the page says ------------------------------------------------------------------------------------------


def test_a_domain_is_told_with_its_mail_its_rules_and_what_they_mean_for_the_provider(lead: Person) -> None:
    page = lead.open(f"/register?of=Office <office@mail.{DOMAIN}>")

    assert page.status == 200
    assert f"{DOMAIN} belongs to no provider yet" in page.text
    assert "Microsoft 365 takes its mail" in page.text
    assert "says that others should not send in its name" in page.text
    assert "selectors: selector1" in page.text
    assert "(p=none)" in page.text and "Protected against forged mail: 3 of 4" in page.text
    assert f"You wrote mail.{DOMAIN}. What somebody registered is {DOMAIN}" in page.text
    assert "L2-EMAIL-01 Not met yet DMARC p=none: not met yet" in page.text
    assert "L1-EMAIL-01 Ask them" in page.text


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("gmail.com", "gmail.com cannot be registered: it is a free mail host"),
        ("rua@xtra.co.nz", "xtra.co.nz cannot be registered: it is a New Zealand internet provider's mail host"),
        ("org.nz", "Anybody registers names below org.nz"),
        ("onmicrosoft.com", "Anybody registers names below onmicrosoft.com"),
        ("mail.ministry.example", "is the Ministry’s own domain"),
        ("kowhai-trust.example", "is registered for Kōwhai Example Trust"),
        ("x@mail.kowhai-trust.example", "is registered for Kōwhai Example Trust"),
        ("kowhai-trust.co.nz", "looks like Kōwhai Example Trust’s kowhai-trust.example"),
        ("m1nistry.example", "looks like our own ministry.example"),
        ("nobody-knows-it.co.nz", "nobody-knows-it.co.nz takes no mail"),
    ],
)
def test_the_head_of_the_page_says_what_matters_most(lead: Person, of: str, said: str) -> None:
    page = lead.open(f"/register?of={of}")

    assert page.status == 200
    assert said in page.text


def test_a_tenant_of_a_shared_parent_is_a_domain_of_its_own(lead: Person) -> None:
    page = lead.open("/register?of=rimu.onmicrosoft.com")

    assert "Register rimu.onmicrosoft.com" in page.headings


@pytest.mark.parametrize("of", ["no domain", "@", "a@b", "http://", "x" * 300, "192.0.2.1 or so", "<script>"])
def test_what_is_neither_domain_nor_address_is_given_back_with_a_sentence(lead: Person, of: str) -> None:
    page = lead.open(f"/register?of={of}")

    assert page.status == 422
    assert page.title.startswith("Error: ")
    assert "Write a domain like trust.org.nz" in page.text
    assert not page.has_button("Register it")


def test_dns_that_gives_no_answer_is_said_and_blamed_on_nobody(office: Office, lead: Person) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        office.parts.__dict__["_dns"] = DnsNetwork(["127.0.0.1"], port=deaf.getsockname()[1])
        page = lead.open(f"/register?of={DOMAIN}")

    assert page.status == 200
    assert f"DNS gave no answer about {DOMAIN}" in page.text
    assert page.text.count("Could not be asked") == 4
    assert "Protected against" not in page.text
    assert page.has_button("Register it")


def test_the_mail_that_lies_in_the_queue_is_told_with_what_would_become_of_it(office: Office, lead: Person) -> None:
    held_form(office)
    office.mail(typed(CALM), sender=f"Me <me@{DOMAIN}>")
    office.mail("Another question.", sender=f"You <you@mail.{DOMAIN}>", gateway=fails(f"mail.{DOMAIN}"))
    office.mail("Not of them.", sender=f"You <you@x-{DOMAIN}>")

    page = lead.open(f"/register?of={DOMAIN}")

    assert "3 open cases" in page.text
    assert "2 would become verified 1 of them are held now, and would open" in page.text
    assert "1 failed the domain’s own check" in page.text


def test_a_case_that_one_may_not_see_is_not_counted(office: Office, app: Flask, lead: Person) -> None:
    reference = held_form(office)
    row = office.case(reference).row
    office.store.change(reference, row.version, "system", "locked", "Names a colleague", {"marks": ("CONFLICT",)})

    assert "1 open case" in lead.open(f"/register?of={DOMAIN}").text
    seen = office.person(app, "triage").open(f"/register?of={DOMAIN}")
    assert "0 open cases" in seen.text and reference not in seen.text


# ---- registering -------------------------------------------------------------------------------------------------


def test_a_domain_that_was_proven_is_registered_by_one_person_and_what_was_held_opens(
    office: Office, lead: Person
) -> None:
    reference = held_form(office)
    assert office.case(reference).row.status == "held"

    done = register(lead)
    before = (done.text, office.store.job_counts("recheck")["due"])
    jobs.drain(office.parts)
    after = lead.open(ENTRY)

    assert before[1] == 1 and "1 of its 1 open cases is still to be checked again" in before[0]
    assert "It is registered for Rimu Example Parenting 1 open case has another verdict since" in after.text
    assert "A call to the number in our register, on 23 November 2026" in after.text and SPOKE in after.text
    assert (office.case(reference).row.status, office.case(reference).row.provider) == ("open", "rimu")
    rimu = office.store.provider("rimu")
    assert rimu is not None and rimu.domains == ("rimu-parenting.example", DOMAIN)
    (event,) = office.store.register_history("rimu")
    assert (event.actor, event.action, event.text) == (
        address_of("privacy_lead"),
        "registered",
        f"Registered the domain {DOMAIN}.",
    )
    assert event.detail["method"] == "phone" and event.detail["proven_on"] == "2026-11-23"
    assert office.store.verify_register() == (2, None)
    assert "proven on 23 November 2026: a call to the number" in lead.open("/providers/rimu").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"provider": ""}, "Choose a provider"),
        ({"provider": "nobody"}, "Choose a provider"),
        ({"method": ""}, "Choose how it was proven"),
        ({"method": "guess"}, "Choose how it was proven"),
        ({"words": "  "}, "Say whom you spoke to"),
        ({"proven_on": "yesterday"}, "Write the day on which it was proven"),
        ({"proven_on": "2026-11-24"}, "within the last twelve months"),
        ({"proven_on": "2025-01-01"}, "within the last twelve months"),
        ({"method": "dns"}, "The record is not in its DNS"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    office: Office, lead: Person, typed: Mapping[str, object], said: str
) -> None:
    page = register(lead, **typed)

    assert page.status == 422
    assert said in page.text
    assert ("provider", typed.get("provider", "rimu")) in page.form("Register it").fields or typed.get("provider")
    assert ("words", typed.get("words", SPOKE)) in page.form("Register it").fields
    assert office.store.registrations() == ()
    assert office.store.registry_version() == 1


def test_a_record_in_dns_proves_a_domain_without_a_word(office: Office, lead: Person, tmp_path: Path) -> None:
    token = onboarding.token_for(office.parts.secret, DOMAIN)
    assert token in lead.open(f"/register?of={DOMAIN}").text
    with_token = tmp_path / "with-token.json"
    with_token.write_text(f'{{"_provider-intake.{DOMAIN}": {{"TXT": ["{token}"]}}}}')
    office.parts.__dict__["_dns"] = DnsZoneFile(with_token)

    done = register(lead, method="dns", words="", proven_on="2020-01-01")

    assert "A record in the domain’s DNS, on 23 November 2026" in done.text
    other = onboarding.token_for(office.parts.secret, "other.co.nz")
    assert other != token == onboarding.token_for(office.parts.secret, DOMAIN)


def test_a_look_alike_is_registered_only_by_somebody_who_says_that_they_are_sure(office: Office, lead: Person) -> None:
    refused = register(lead, "kowhai-trust.co.nz")
    assert refused.status == 422 and "Tick that you are sure" in refused.text

    done = register(lead, "kowhai-trust.co.nz", sure="yes")

    assert done.status == 200 and "It is registered for Rimu" in done.text


def test_a_domain_that_two_providers_share_is_registered_again_by_somebody_who_is_sure(
    office: Office, lead: Person
) -> None:
    twice = register(lead, "rimu-parenting.example", sure="yes")
    shared = register(lead, "rimu-parenting.example", provider="kowhai", sure="yes")

    assert twice.status == 422 and "stands in the register for Rimu Example Parenting already" in twice.text
    assert shared.status == 200
    assert [p.slug for p in office.store.providers() if "rimu-parenting.example" in p.domains] == ["kowhai", "rimu"]


@pytest.mark.parametrize("role", ["triage", "security_lead", "records", "auditor"])
def test_others_may_look_and_not_register(office: Office, app: Flask, role: str) -> None:
    person = office.person(app, role)

    page = person.open(f"/register?of={DOMAIN}")

    assert page.status == 200 and "A privacy lead or a manager registers it" in page.text
    assert not page.has_button("Register it")
    app.config["WTF_CSRF_ENABLED"] = False
    sent = {"of": DOMAIN, "provider": "rimu", "method": "phone", "words": SPOKE, "proven_on": "2026-11-23"}
    assert person.client.post("/register/domain", data=sent).status_code == 404
    assert office.store.registrations() == ()


def test_two_who_register_the_same_at_once_make_one_entry(office: Office, app: Flask, lead: Person) -> None:
    manager = office.person(app, "manager")
    first, second = (p.open(f"/register?of={DOMAIN}") for p in (lead, manager))
    given = {"provider": "rimu", "method": "contract", "words": "File 12 of 2026"}

    lead.press(first, "Register it", **given)
    late = manager.press(second, "Register it", **given)

    assert late.status == 422
    assert len(office.store.registrations()) == 1


def test_a_number_that_no_entry_has_is_no_page(lead: Person) -> None:
    assert lead.open("/register/decisions/99999999999999999999").status == 404


# ---- exceptions --------------------------------------------------------------------------------------------------


def test_an_exception_holds_when_another_person_agreed_and_not_before(office: Office, app: Flask, lead: Person) -> None:
    reference = held_form(office, sender="Rua <rua.law@xtra.co.nz>")
    triage = office.person(app)

    proposed = propose(triage)
    rimu = office.store.provider("rimu")
    assert "You proposed this. Another person must agree" in proposed.text
    assert rimu is not None and [e.address for e in rimu.exceptions] == ["rimu@freemail.example"]
    assert "1 exception waits for a second person" in lead.open("/providers").text
    agreed = lead.press(lead.open(ENTRY), "I agree")
    jobs.drain(office.parts)

    assert "It is registered for Rimu Example Parenting" in agreed.text
    case = office.case(reference)
    assert (case.sender.verdict, case.row.status, case.row.provider) == ("exception_address", "open", "rimu")
    texts = [(e.actor, e.action) for e in office.store.register_history("rimu")]
    assert texts == [(address_of("privacy_lead"), "registered"), (address_of("triage"), "proposed")]
    assert office.store.verify_register()[1] is None


def test_a_proposal_waits_on_the_page_however_much_was_registered_since(office: Office, lead: Person) -> None:
    propose(lead)
    for number in range(51):
        office.store.register(
            Registration("domain", "rimu", f"d{number}.example", "Asked them by phone.", "a@b", method="phone")
        )

    page = lead.open("/register/decisions")

    assert "rua.law@xtra.co.nz" in page.text and "d50.example" in page.text


def test_nobody_agrees_to_what_they_proposed(office: Office, app: Flask, lead: Person) -> None:
    page = propose(lead)
    assert not page.has_button("I agree") and page.has_button("Take it back")
    app.config["WTF_CSRF_ENABLED"] = False

    forced = lead.client.post(ENTRY, data={"agree": "1"})

    assert forced.status_code == 422 and "You proposed this yourself" in forced.text
    (waiting,) = office.store.registrations("proposed")
    assert waiting.decided_by == ""


def test_triage_proposes_and_does_not_decide(office: Office, app: Flask, lead: Person) -> None:
    propose(lead)
    triage = office.person(app)
    page = triage.open(ENTRY)
    assert "It waits for a privacy lead or a manager" in page.text and not page.has_button("I agree")
    app.config["WTF_CSRF_ENABLED"] = False

    for pressed in ("agree", "refuse", "withdraw"):
        assert triage.client.post(ENTRY, data={pressed: "1", "words": "No."}).status_code == 422

    assert [r.state for r in office.store.registrations()] == ["proposed"]


def test_a_refusal_needs_a_reason_and_what_was_taken_back_is_over(office: Office, app: Flask, lead: Person) -> None:
    triage = office.person(app)
    propose(triage)
    silent = lead.press(lead.open(ENTRY), "I do not agree")
    assert silent.status == 422 and "Say why you do not agree" in silent.text
    refused = lead.press(silent, "I do not agree", words="They have a domain.")
    assert "Not agreed" in refused.text and "They have a domain." in refused.text

    second = propose(triage)
    back = triage.press(second, "Take it back")

    assert "Taken back" in back.text
    assert [r.state for r in office.store.registrations()] == ["withdrawn", "refused"]
    assert office.store.registry_version() == 1


def test_a_proposal_that_was_decided_is_decided_once(office: Office, app: Flask, lead: Person) -> None:
    propose(office.person(app))
    page = lead.open(ENTRY)
    manager = office.person(app, "manager")
    manager.press(manager.open(ENTRY), "I agree")

    late = lead.press(page, "I do not agree", words="No.")

    assert late.status == 422 and "decided already" in late.text
    assert office.store.registrations()[0].state == "registered"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": ""}, "Say why this provider cannot write from a domain of its own"),
        ({"provider": ""}, "Choose a provider"),
        ({"until": ""}, "Write the day on which the exception ends"),
        ({"until": "2026-11-23"}, "ends after today, and within twelve months"),
        ({"until": "2027-11-25"}, "ends after today, and within twelve months"),
    ],
)
def test_an_exception_has_a_provider_a_reason_and_an_end_within_a_year(
    office: Office, lead: Person, typed: Mapping[str, object], said: str
) -> None:
    page = propose(lead, **typed)

    assert page.status == 422 and said in page.text
    assert office.store.registrations() == ()


def test_an_exception_that_is_agreed_to_after_its_end_is_not_registered(
    office: Office, app: Flask, lead: Person
) -> None:
    propose(office.person(app), until="2026-11-24")
    office.later(days=2)

    late = office.person(app, "manager")
    page = late.press(late.open(ENTRY), "I agree")

    assert page.status == 422 and "The end of this exception has passed" in page.text


def test_the_same_exception_waits_once_and_a_throw_away_address_never(office: Office, lead: Person) -> None:
    propose(lead)
    again = propose(lead)
    thrown = propose(lead, "x@mailinator.com")

    assert again.status == 422 and "waits for a second person already" in again.text
    assert thrown.status == 422 and "cannot be an exception" in thrown.text
    assert len(office.store.registrations()) == 1


# ---- the way there and around it ---------------------------------------------------------------------------------


def test_the_case_leads_to_the_domain_of_its_sender(office: Office, lead: Person) -> None:
    of_domain = held_form(office)
    of_person = held_form(office, sender="Rua <rua.law@xtra.co.nz>", subject="Another")
    known = office.notice(CALM)

    links = [lead.open(f"/case/{r}").links for r in (of_domain, of_person, known)]

    assert f"/register?of={DOMAIN}" in links[0].values()
    assert any(href.startswith("/register?of=rua.law") for href in links[1].values())
    assert not any(href.startswith("/register") for href in links[2].values())
