"""Who sent it, and what follows: opened, held, answered or not. A breach notice opens whoever sent it."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from random import Random

import pytest

from forms import load
from forms.canonical import encode
from intake.adapters.demo.mails import write
from intake.adapters.demo.signing import key_file, signer
from intake.adapters.demo.signing import zone as zone_of
from intake.domain.registry import Registry
from tests.scenarios.world import (
    ASSESSMENT,
    KOWHAI,
    NOW,
    RATA,
    REGISTER,
    Gateway,
    OutcomeCode,
    World,
    acknowledged,
    assessment_file,
    fails,
    form_file,
    notice_file,
    passes,
    silent,
    spf_only,
)
from tests.support.random_answers import random_answers

WORDS = "Kia ora Pirihimana, our paperwork for the kindergarten is attached."


def test_T01_an_assessment_from_a_registered_account_opens_with_all_answers_and_is_acknowledged(world: World) -> None:
    form = load.form(ASSESSMENT)
    answers = random_answers(form, Random(1))
    done = world.send(files=[form_file(ASSESSMENT, answers)], body=WORDS, subject="Annual paperwork")
    case = world.case(done)
    assert done.outcome is OutcomeCode.CASE_OPENED
    assert (case.row.kind, case.row.status, case.row.provider) == ("self_assessment", "open", "kowhai")
    assert case.sender.verdict == "verified_account"
    assert encode(dict(world.answers(done))) == encode(answers)
    assert {a.how for a in case.answers.values()} == {"acroform"}
    assert all(a.confidence == 1.0 and a.page and a.box for a in case.answers.values())
    assert world.row(done).next_due_what == "read"
    acknowledged(world, done, "office@trust.org.nz", "full", f"{WORDS} Annual paperwork {answers}")


def test_T02_the_same_from_a_managers_gmail_is_held_kept_and_noted_as_a_finding(world: World) -> None:
    known = ",,+64 4 000 0001\n"
    world.register(REGISTER.replace(known, ";Mere at home <mere.kowhai@gmail.com>" + known))
    done = world.send(sender="Mere <mere.kowhai@gmail.com>", files=[assessment_file()], body=WORDS)
    case = world.case(done)
    assert done.outcome is OutcomeCode.HELD
    assert (case.row.status, case.row.provider, case.row.next_due_what) == ("held", None, "check_sender")
    assert case.sender.verdict == "personal_account"
    assert [d.name for d in case.documents] == ["self-assessment.pdf"]
    assert case.answers["ORG"].value == KOWHAI
    assert "kowhai" in case.sender.suggested
    assert "L1-EMAIL-02" in world.sentences(done)
    page = world.page(done.cases[0])
    assert "Personal account" in page
    assert "Held until somebody has checked the sender" in page
    mail = acknowledged(world, done, "mere.kowhai@gmail.com", "advice", WORDS)
    assert "work account" in mail.body


def test_T03_a_notice_from_gmail_because_the_work_mail_is_hacked_opens_at_once(world: World) -> None:
    body = "Somebody sends mails in our name, so I write from home. Quetzalcoatl kiosk."
    done = world.send(
        sender="Mere <mere.kowhai@gmail.com>", body=body, files=[notice_file(A10="attacker", A11="private")]
    )
    case = world.case(done)
    assert done.outcome is OutcomeCode.CASE_OPENED
    assert case.sender.verdict == "personal_account"
    assert "SENDER_UNVERIFIED" in world.codes(done)
    assert "Call back on the number in our register" in world.sentences(done)
    assert world.row(done).next_due_what == "first_contact"
    mail = acknowledged(world, done, "mere.kowhai@gmail.com", "advice", body)
    assert "need not send it again" in mail.body


@pytest.mark.parametrize("kind", ["assessment", "notice"])
def test_T04_a_subdomain_of_the_registered_domain_opens_as_the_providers(world: World, kind: str) -> None:
    file = assessment_file() if kind == "assessment" else notice_file()
    done = world.send(sender="Tai <tai@mail.trust.org.nz>", files=[file])
    case = world.case(done)
    assert done.outcome is OutcomeCode.CASE_OPENED
    assert (case.sender.verdict, case.row.provider) == ("verified_domain", "kowhai")
    assert "new to us" in case.sender.reason


@pytest.mark.parametrize(("kind", "status"), [("assessment", "held"), ("notice", "open")])
def test_T05_a_neighbouring_domain_is_a_lookalike_and_nobody_is_answered(world: World, kind: str, status: str) -> None:
    file = assessment_file() if kind == "assessment" else notice_file()
    done = world.send(sender="Office <office@trust.co.nz>", files=[file])
    case = world.case(done)
    assert (case.sender.verdict, case.row.status, case.row.provider) == ("lookalike", status, None)
    assert "LOOKALIKE" in world.codes(done)
    assert "Lookalike" in world.page(done.cases[0])
    assert "Call the real one" in world.sentences(done)
    assert silent(world, done)


@pytest.mark.parametrize(("kind", "status"), [("assessment", "held"), ("notice", "open")])
def test_T06_a_contractors_own_business_domain_is_held_or_opened(world: World, kind: str, status: str) -> None:
    file = assessment_file() if kind == "assessment" else notice_file()
    done = world.send(sender="Facilitator <me@facilitation.co.nz>", files=[file], body=WORDS)
    case = world.case(done)
    assert (case.sender.verdict, case.row.status, case.row.provider) == ("unknown_domain", status, None)
    assert case.row.says_provider == KOWHAI
    assert "UNKNOWN_PROVIDER" in world.codes(done)
    mail = acknowledged(world, done, "me@facilitation.co.nz", "neutral", WORDS)
    assert KOWHAI not in mail.body


def test_T07_the_registered_xtra_address_opens_and_another_xtra_address_is_personal(world: World) -> None:
    known = world.send(sender="Principal <rata.law@xtra.co.nz>", files=[assessment_file(RATA)])
    other = world.send(sender="Principal <rata.lawyers@xtra.co.nz>", files=[assessment_file(RATA)])
    case = world.case(known)
    assert (known.outcome, case.sender.verdict) == (OutcomeCode.CASE_OPENED, "exception_address")
    assert case.row.provider == "rata"
    assert "L1-EMAIL-01" in world.sentences(known)
    assert (other.outcome, world.case(other).sender.verdict) == (OutcomeCode.HELD, "personal_account")
    assert world.case(other).row.provider is None


def test_T07_an_address_that_is_accepted_for_two_providers_asks_which(world: World) -> None:
    world.register(
        REGISTER.replace("<mere@trust.org.nz>,,", "<mere@trust.org.nz>,rata.law@xtra.co.nz|Helps out|2027-03-31,")
    )
    case = world.case(world.send(sender="Principal <rata.law@xtra.co.nz>", files=[assessment_file(RATA)]))

    assert (case.sender.verdict, case.row.provider) == ("exception_address", None)
    assert set(case.sender.suggested) == {"rata", "kowhai"}


def test_T07_the_exception_ends_with_its_last_day(world: World) -> None:
    world.at = NOW.replace(year=2027, month=3, day=31, hour=10)  # 11 pm on the last day in New Zealand
    last_day = world.send(sender="Principal <rata.law@xtra.co.nz>", files=[assessment_file(RATA)])
    world.later(hours=2)
    day_after = world.send(
        sender="Principal <rata.law@xtra.co.nz>", files=[assessment_file(RATA, "again.pdf", P_STAFF="2-5")]
    )
    assert world.case(last_day).sender.verdict == "exception_address"
    assert world.case(day_after).sender.verdict == "personal_account"
    assert "ended on 2027-03-31" in world.sentences(day_after)


def forwarded_whole(world: World, sender: str, signed: bool) -> bytes:
    inner = write(
        sender=sender, subject="Self-assessment", body="Form attached.", at=NOW, identity="inner", files=[assessment_file("Tōtara Whānau")]
    )  # fmt: skip
    if signed:
        pem = key_file(world.folder)
        record = next(iter(zone_of(pem).values()))
        (world.folder / "zone.json").write_text(json.dumps({"demo._domainkey.xn--ttara-g9a.org.nz": record}))
        inner = signer(pem)(inner, "xn--ttara-g9a.org.nz")
    return world.mail(
        sender="R. Example <r.example@ministry.example>", subject="Fwd: Self-assessment", body="For you.", inside=inner
    )


@pytest.mark.parametrize(
    ("signed", "inner", "status"), [(True, "verified_account", "open"), (False, "unauthenticated", "held")]
)
def test_T08_a_forward_as_eml_is_from_the_colleague_and_its_inner_sender_is_checked(
    world: World, signed: bool, inner: str, status: str
) -> None:
    done = world.arrives(forwarded_whole(world, "Office <office@xn--ttara-g9a.org.nz>", signed))
    case = world.case(done)
    assert case.sender.verdict == "staff_forward"
    assert case.sender.inner is not None
    assert case.sender.inner.verdict == inner
    assert case.row.provider == ("totara" if signed else None)
    assert case.row.status == status
    assert case.answers["ORG"].value == "Tōtara Whānau"
    acknowledged(world, done, "r.example@ministry.example", "staff", "Tōtara Whānau Example questionnaire")


def test_T08_an_inline_forward_is_a_claim_and_never_proof(world: World) -> None:
    body = (
        "See below, please.\n\n-----Original Message-----\nFrom: Office <office@trust.org.nz>\nSent: Monday\n"
        "To: me\nSubject: Help\n\nWe sent a report about a client to the wrong person this morning."
    )
    done = world.send(sender="R. Example <r.example@ministry.example>", subject="FW: Help", body=body)
    case = world.case(done)
    assert case.sender.verdict == "staff_forward"
    assert case.sender.inner is not None
    assert (case.sender.inner.verdict, case.sender.inner.address) == ("unauthenticated", "office@trust.org.nz")
    assert (case.row.kind, case.row.status) == ("breach_notice", "open")
    assert case.row.provider is None
    assert "kowhai" in case.sender.inner.suggested
    assert all(m.to == "r.example@ministry.example" for m in world.outbox())


def test_T08_a_notice_in_plain_words_inside_a_forwarded_mail_is_never_held(world: World) -> None:
    inner = write(
        sender="Office <office@trust.org.nz>",
        subject="Please call",
        body="We sent a report about a client to the wrong email address this morning.",
        at=NOW,
        identity="inner",
    )
    done = world.send(sender="R. Example <r.example@ministry.example>", subject="Fwd", body="For you.", inside=inner)
    assert (world.row(done).kind, world.row(done).status) == ("breach_notice", "open")


@pytest.mark.parametrize("domain", ["tōtara.org.nz", "xn--ttara-g9a.org.nz"])
def test_T31_the_macron_domain_and_its_xn_form_are_the_same_provider(world: World, domain: str) -> None:
    raw = world.mail(sender="Office <office@xn--ttara-g9a.org.nz>", files=[assessment_file("Tōtara Whānau")])
    done = world.arrives(raw.replace(b"office@xn--ttara-g9a.org.nz", f"office@{domain}".encode()))
    case = world.case(done)
    assert (case.sender.verdict, case.row.provider) == ("verified_account", "totara")
    assert world.row(done).provider_name == "Tōtara Whānau"
    assert case.sender.address == "office@xn--ttara-g9a.org.nz"


def test_T32_one_domain_of_three_providers_asks_which_and_never_settles_it(world: World) -> None:
    done = world.send(
        sender="Bookings <bookings@group.org.nz>",
        body="Ngā mihi\nNīkau Interpreting",
        files=[assessment_file("Nīkau Interpreting")],
    )
    case = world.case(done)
    assert (case.sender.verdict, case.row.provider) == ("verified_domain", None)
    assert set(case.sender.suggested) == {"nikau", "kauri", "ponga"}
    assert case.row.says_provider == "Nīkau Interpreting"
    page = world.page(done.cases[0])
    assert "Ask which one it is" in page
    assert "Nīkau Interpreting (suggested)" in page
    assert "UNKNOWN_PROVIDER" in world.codes(done)


def test_T33_a_provider_that_we_do_not_know_opens_for_a_match_by_hand(world: World) -> None:
    done = world.send(sender="Office <office@newprovider.org.nz>", files=[notice_file()])
    case = world.case(done)
    assert (case.sender.verdict, case.row.status, case.row.provider) == ("unknown_domain", "open", None)
    assert "UNKNOWN_PROVIDER" in world.codes(done)


def test_T33_a_provider_of_the_register_stays_one_after_its_contract(world: World) -> None:
    """A contract that ended takes nobody out of the register: what they still hold about people can still leak."""
    assert Registry(world.parts.store.providers()).by_domain("trust.org.nz") == ("kowhai",)
    done = world.send(files=[notice_file()], body="Our contract ended in June. The old files are with us.")
    assert world.case(done).row.provider == "kowhai"
    assert done.outcome is OutcomeCode.CASE_OPENED


# ---- what nobody may be fooled by ----------------------------------------------------------------


def test_a_spoofed_assessment_is_held_and_its_victim_hears_nothing(world: World) -> None:
    done = world.send(files=[assessment_file()], gateway=fails("trust.org.nz"))
    assert (done.outcome, world.case(done).sender.verdict) == (OutcomeCode.HELD, "auth_failed")
    assert silent(world, done)


def test_the_owner_of_a_forged_personal_account_hears_nothing(world: World) -> None:
    for files in ([], [assessment_file()], [notice_file()]):
        done = world.send(sender="victim@gmail.com", files=files, gateway=fails("gmail.com"))
        assert world.case(done).sender.verdict == "personal_account"
        assert "fails that host’s own check" in world.sentences(done)
        assert silent(world, done)


def test_results_that_the_sender_wrote_into_the_mail_count_for_nothing(world: World) -> None:
    forged = ("Authentication-Results", "mx.ministry.example; dmarc=pass header.from=trust.org.nz")
    done = world.send(files=[assessment_file()], gateway=Gateway(), headers=[forged])
    assert world.case(done).sender.verdict == "unauthenticated"
    assert done.outcome is OutcomeCode.HELD


def test_weak_evidence_is_probable_and_is_told_no_details(world: World) -> None:
    done = world.send(files=[notice_file()], gateway=spf_only("trust.org.nz"))
    assert (world.case(done).sender.verdict, world.case(done).row.provider) == ("probable", "kowhai")
    acknowledged(world, done, "office@trust.org.nz", "plain", "Sphinx of black quartz")


def test_two_senders_in_one_from_line_are_nobody_and_a_notice_opens_all_the_same(world: World) -> None:
    mail = EmailMessage()
    mail["From"] = "placeholder@trust.org.nz"
    mail["Subject"] = "Privacy breach"
    mail.set_content("A letter with somebody's address went to the wrong house.")
    raw = mail.as_bytes().replace(b"From: placeholder@trust.org.nz", b"From: office@trust.org.nz <evil@gmail.com>")
    done = world.arrives(raw)
    case = world.case(done)
    assert (case.sender.verdict, case.row.provider) == ("malformed", None)
    assert (case.row.kind, case.row.status) == ("breach_notice", "open")
    assert silent(world, done)


def test_an_answer_goes_to_the_checked_address_and_never_to_reply_to(world: World) -> None:
    done = world.send(files=[notice_file()], headers=[("Reply-To", "collector@elsewhere.example")])
    (mail,) = world.mails_of(done)
    assert mail.to == "office@trust.org.nz"


def test_an_address_cannot_be_flooded_through_us(world: World) -> None:
    for n in range(6):
        world.send(body=f"Question {n}: where is the form?", subject=f"Question {n}")
    assert sum(m.to == "office@trust.org.nz" for m in world.outbox()) == 3
    world.later(hours=2)
    world.send(body="One more question, about the form.")
    assert sum(m.to == "office@trust.org.nz" for m in world.outbox()) == 4
    assert len(world.queue()) == 7


def test_a_wave_of_forged_mail_uses_up_no_answer_of_a_provider(tmp_path: Path, world: World) -> None:
    (tmp_path / "flooded").mkdir()
    flooded = World(tmp_path / "flooded", world.parts.documents, plain_settings="acks_per_hour = 2\n")
    for n in range(3):
        flooded.send(sender=f"a@stranger{n}.example", subject=f"Notice {n}", body=f"We lost laptop {n}.")
    assert len(flooded.outbox()) == 2

    acknowledged(
        flooded, flooded.send(files=[notice_file()]), "office@trust.org.nz", "full", "folder was left on a bus"
    )


def test_mail_forged_in_a_providers_name_uses_up_none_of_its_own_answers(world: World) -> None:
    for n in range(4):
        forged = world.send(
            subject=f"Notice {n}", body=f"We lost laptop {n}.", gateway=Gateway("none", "x.example", "203.0.113.9")
        )
        assert world.case(forged).sender.verdict == "unauthenticated"
    assert len(world.outbox()) == 3

    acknowledged(world, world.send(files=[notice_file()]), "office@trust.org.nz", "full", "folder was left on a bus")


def test_nobody_is_told_in_another_ones_name(world: World) -> None:
    done = world.send(sender="office@trust.org.nz <someone@nowhere.example>", gateway=passes("nowhere.example"))
    assert silent(world, done)
    assert "office@trust.org.nz" not in {m.to for m in world.outbox()}
