"""Messages that belong together: replies, the same thing twice, two forms, machines that answer machines."""

from __future__ import annotations

from email.message import Message

import pytest

from forms import load
from forms.pdf.blank import blank
from intake import triage
from intake.adapters.demo.answers import assessment
from intake.domain.model import Status
from intake.ports import QueueFilter
from tests.scenarios.world import (
    ASSESSMENT,
    BREACH,
    KOWHAI,
    OFFICE,
    PDF,
    TRIAGE,
    Done,
    File,
    Gateway,
    OutcomeCode,
    World,
    acknowledged,
    assessment_file,
    fails,
    filled,
    notice,
    notice_file,
    silent,
    spf_only,
)

THEY_KNOW = "A07: dont_know\nA10: fear\nA11: where_when\nB10.n: 12\nB10.kind: estimate\nB07: family_violence"


def answer_to(mail: Message) -> list[tuple[str, str]]:
    return [("In-Reply-To", str(mail["Message-ID"])), ("References", str(mail["Message-ID"]))]


def opened_notice(world: World, **more: object) -> tuple[Done, Message]:
    """A notice, and our acknowledgement of it as the sender's mail program shows it."""
    first = world.send(files=[notice_file(world.at, **more)])
    (ack,) = world.deliver()
    return first, ack


def test_T09_a_reply_to_our_acknowledgement_adds_its_answers_to_the_same_case(world: World) -> None:
    first, ack = opened_notice(world)
    before = world.case(first)
    world.later(hours=1)
    reply = world.send(subject=f"Re: {ack['Subject']}", body=f"Kia ora\n\n{THEY_KNOW}\n", headers=answer_to(ack))
    after = world.case(first)
    assert (reply.outcome, reply.cases) == (OutcomeCode.CASE_UPDATED, first.cases)
    assert len(world.queue()) == 1
    answers = world.answers(first)
    assert answers["B10"] == {"n": 12, "kind": "estimate"}
    assert answers["A10"] == "fear"
    assert answers["A04"] == "+64 21 000 0007"
    assert (before.row.band, after.row.band) == ("S4", "S1")
    assert after.row.next_due is not None
    assert before.row.next_due is not None
    assert after.row.next_due < before.row.next_due
    assert after.row.received_at == before.row.received_at
    assert after.events[: len(before.events)] == before.events
    assert "message_added" in world.history(first)


def test_T09_what_a_reply_tells_of_whose_duty_it_is_stands_on_the_case(world: World) -> None:
    first, ack = opened_notice(world)
    assert world.row(first).duty == "not_known"
    world.send(subject=f"Re: {ack['Subject']}", body="B17: only_for_ministry", headers=answer_to(ack))
    assert world.row(first).duty == "ministry"


def test_T25_a_reply_with_more_files_than_are_read_says_so_on_its_case(world: World) -> None:
    first, ack = opened_notice(world)
    files = [File(f"page{n}.pdf", PDF, f"%PDF-1.4 page {n}".encode()) for n in range(75)]
    reply = world.send(subject=f"Re: {ack['Subject']}", body="More is attached.", files=files, headers=answer_to(ack))
    assert reply.cases == first.cases
    assert "more files than we read at once" in world.page(first.cases[0])


def test_T09_a_reply_that_only_names_the_reference_in_its_subject_finds_its_case(world: World) -> None:
    first, _ = opened_notice(world)
    reply = world.send(subject=f"More about {first.cases[0].lower()}", body=THEY_KNOW)
    assert (reply.outcome, reply.cases) == (OutcomeCode.CASE_UPDATED, first.cases)
    assert world.row(first).band == "S1"


def test_T09_one_answer_is_enough_in_a_reply(world: World) -> None:
    first, ack = opened_notice(world)
    world.send(subject="Re: your question", body="B10.n: 12\n", headers=answer_to(ack))
    assert world.answers(first)["B10"] == {"n": 12}


def test_T09_the_example_in_our_own_question_is_not_taken_for_an_answer(world: World) -> None:
    first, ack = opened_notice(world)
    quoted = "> Answer this email with the number before each answer, like this:\n>\n>   A03: your answer\n>   B15: your answer\n"
    world.send(subject="Re: questions", body=f"{quoted}\nB15: recalled\n", headers=answer_to(ack))
    answers = world.answers(first)
    assert answers["A03"] == "Office manager"
    assert answers["B15"] == ["recalled"]


def test_T09_what_a_reply_quotes_does_not_undo_what_was_said_since(world: World) -> None:
    first, ack = opened_notice(world)
    world.send(subject="Re: 1", body="A11: private\nA09: ongoing\nB14: none", headers=answer_to(ack))
    world.send(
        subject="Re: 2", body="B10.n: 4\n\n> A11: contact\n> A09: contained\n> B14: password", headers=answer_to(ack)
    )
    answers = world.answers(first)
    assert (answers["A11"], answers["A09"], answers["B14"], answers["B10"]) == ("private", "ongoing", "none", {"n": 4})


def test_T09_words_of_danger_in_a_reply_show_on_the_case(world: World) -> None:
    first, ack = opened_notice(world)
    body = "She rang: he knows the new address and stands outside her house now. She is afraid."
    reply = world.send(subject="Re: form", body=body, headers=answer_to(ack))
    assert reply.cases == first.cases
    assert "POSSIBLE_DANGER" in world.row(first).marks


def test_T09_an_earlier_time_of_knowing_moves_the_72_hours_forward(world: World) -> None:
    first = world.send(body="We sent a letter about a client to the wrong person. Please call us.")
    (ack,) = world.deliver()
    assert world.case(first).due.marker_about
    body = "A08.at: 2026-11-22T16:50:00+13:00\nA08.zone: Pacific/Auckland\n"
    world.send(subject=f"Re: {ack['Subject']}", body=body, headers=answer_to(ack))
    case = world.case(first)
    assert case.row.aware_at is not None
    assert case.due.marker_72h is not None
    assert case.due.marker_72h.isoformat() == "2026-11-25T03:50:00+00:00"


def test_T09_an_answer_to_a_question_of_staff_puts_the_case_back_before_them(world: World) -> None:
    first = world.send(files=[assessment_file()])
    triage.ask_for_more(
        world.parts, TRIAGE, world.case(first), world.row(first).version, "office@trust.org.nz", ["CONTACT"]
    )
    asked = world.deliver()[-1]
    assert world.row(first).status == Status.WAITING_PROVIDER
    world.later(hours=30)
    reply = world.send(subject=f"Re: {asked['Subject']}", body="CONTACT: Mere, manager", headers=answer_to(asked))
    assert reply.outcome is OutcomeCode.CASE_UPDATED
    assert world.answers(first)["CONTACT"] == "Mere, manager"
    assert world.row(first).status == Status.OPEN
    assert world.row(first).next_due is not None


def test_T09_a_reply_to_a_closed_case_is_seen(world: World) -> None:
    first, ack = opened_notice(world)
    triage.close(world.parts, TRIAGE, world.case(first), world.row(first).version, "not_a_breach", "It was a test.")
    assert world.queue() == ()
    reply = world.send(subject="Re: closed", body=f"It is worse than we thought.\n{THEY_KNOW}", headers=answer_to(ack))
    assert [row.reference for row in world.queue()] == list(reply.cases)
    assert world.row(reply).band == "S1"


def test_T09_a_reply_with_a_file_that_cannot_be_read_says_so_on_the_case(world: World) -> None:
    first, ack = opened_notice(world)
    world.send(subject="Re: form", files=[File("more.pdf", PDF, b"%PDF-1.7 broken")], headers=answer_to(ack))
    assert "UNREADABLE" in world.codes(first)


def test_T10_a_reference_of_another_providers_case_opens_a_case_of_its_own(world: World) -> None:
    first, ack = opened_notice(world)
    before = world.case(first)
    stranger = world.send(
        sender="Office <office@tōtara.org.nz>".replace("tōtara", "xn--ttara-g9a"),
        subject=f"Re: {first.cases[0]}",
        body=THEY_KNOW,
        headers=answer_to(ack),
    )
    assert stranger.outcome is OutcomeCode.CASE_OPENED
    assert stranger.cases != first.cases
    assert "POSSIBLE_FOLLOW_UP" in world.codes(stranger)
    assert first.cases[0] in world.sentences(stranger)
    assert world.case(first) == before


@pytest.mark.parametrize("sender", ["Mere <mere@gmail.com>", "Office <office@trust.co.nz>"])
def test_T10_nobody_joins_a_case_by_guessing_its_reference(world: World, sender: str) -> None:
    first, _ = opened_notice(world)
    before = world.case(first)
    reply = world.send(sender=sender, subject=f"Re: {first.cases[0]}", body=THEY_KNOW)
    assert reply.cases[0] != first.cases[0]
    assert world.case(first) == before


def test_T10_weak_evidence_opens_a_case_of_its_own_and_changes_no_other(world: World) -> None:
    first, ack = opened_notice(world)
    before = world.case(first)
    reply = world.send(
        subject=f"Re: {ack['Subject']}", body=THEY_KNOW, headers=answer_to(ack), gateway=spf_only("trust.org.nz")
    )
    assert reply.cases[0] != first.cases[0]
    assert "POSSIBLE_FOLLOW_UP" in world.codes(reply)
    assert world.case(first) == before


def test_T10_a_notice_by_web_that_names_an_assessment_opens_a_case_of_its_own(world: World) -> None:
    held = world.submit(ASSESSMENT, assessment(KOWHAI))
    sent = world.submit(BREACH, notice(KOWHAI, world.at, "A folder was left on a bus."), updates=held.reference)
    assert sent.reference != held.reference
    view = world.view(sent.reference)
    assert view.row.kind == "breach_notice"
    assert "POSSIBLE_FOLLOW_UP" in view.row.marks


def test_T11_two_forms_in_one_mail_make_two_linked_cases_the_notice_first(world: World) -> None:
    done = world.send(files=[assessment_file(), notice_file()], subject="Two forms")
    notice_case, assessment_case = world.case(done, 0), world.case(done, 1)
    assert [world.row(done, n).kind for n in (0, 1)] == ["breach_notice", "self_assessment"]
    assert notice_case.linked == (assessment_case.row.reference,)
    assert assessment_case.linked == (notice_case.row.reference,)
    assert notice_case.answers["A01"].value == KOWHAI
    assert assessment_case.answers["ORG"].value == KOWHAI
    acknowledged(world, done, "office@trust.org.nz", "full", "folder that was left on the harbour ferry")


def test_T12_the_same_bytes_an_hour_later_are_one_case_and_a_noted_duplicate(world: World) -> None:
    raw = world.mail(files=[notice_file()])
    first = world.arrives(raw)
    world.later(hours=1)
    again = world.arrives(b"Received: from elsewhere by mx.ministry.example; later\r\n" + raw)
    assert (again.outcome, again.cases) == (OutcomeCode.DUPLICATE, first.cases)
    assert len(world.queue()) == 1
    assert "duplicate" in world.history(first)
    assert len(world.outbox()) == 1


def test_T12_the_same_file_in_a_new_mail_is_a_noted_duplicate_too(world: World) -> None:
    file = notice_file()
    first = world.send(files=[file])
    world.later(hours=1)
    again = world.send(files=[file], subject="Did you get this?")
    assert (again.outcome, again.cases) == (OutcomeCode.DUPLICATE, first.cases)
    assert len(world.queue()) == 1
    assert "duplicate" in world.history(first)
    assert len(world.mails_of(first)) == 1


def test_T12_the_same_file_with_new_words_of_danger_is_not_put_away(world: World) -> None:
    file = notice_file()
    world.send(files=[file])
    world.later(hours=1)
    body = "She rang: he knows the new address now and stands outside her house. She is afraid. Please hurry."
    again = world.send(files=[file], subject="URGENT", body=body)
    seen = world.row(again)
    assert "POSSIBLE_DANGER" in seen.marks


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Our form", "We found that the names of 300 more people were on the stick, which is still missing."),
        ("The stick is still missing, with 300 more names", "Kia ora, our form is attached."),
    ],
)
def test_T12_the_same_file_with_new_words_is_not_put_away(world: World, subject: str, body: str) -> None:
    file = notice_file()
    first = world.send(files=[file])
    again = world.send(files=[file], subject=subject, body=body)
    assert first.cases != again.cases
    assert "POSSIBLE_FOLLOW_UP" in world.codes(again)
    assert first.cases[0] in world.sentences(again)


def test_T12_a_new_notice_beside_an_old_form_is_not_put_away(world: World) -> None:
    file = assessment_file()
    first = world.send(files=[file])
    both = world.send(files=[file, notice_file()])
    assert first.cases[0] not in both.cases
    assert world.row(both).kind == "breach_notice"
    photo = File("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(500))
    assert world.send(files=[file, photo]).outcome is not OutcomeCode.DUPLICATE


def test_T12_a_forged_mail_sent_before_cannot_hide_the_real_one(world: World) -> None:
    """The blank form is the same file for everybody: a stranger may send it first, in the name of the provider."""
    empty = File("form.pdf", PDF, blank(load.form(BREACH)))
    forged = world.send(files=[empty], body="Hello", gateway=fails("trust.org.nz"))
    real = world.send(files=[empty], body="Hello")
    assert forged.cases != real.cases
    assert world.row(real).verdict == "verified_account"


def test_T12_the_blank_form_a_second_time_hides_no_second_breach(world: World) -> None:
    empty = File("form.pdf", PDF, blank(load.form(BREACH)))
    first = world.send(files=[empty], body="We report a privacy breach: a folder was left on a bus.")
    second = world.send(files=[empty], body="We report a privacy breach: a letter went to the wrong house.")
    assert first.cases != second.cases
    assert world.row(second).kind == "breach_notice"


def test_T12_the_same_form_after_its_case_was_closed_is_seen(world: World) -> None:
    file = notice_file()
    first = world.send(files=[file])
    triage.close(world.parts, TRIAGE, world.case(first), world.row(first).version, "not_a_breach", "It was a test.")
    again = world.send(files=[file], subject="And again")
    assert world.row(again).kind == "breach_notice"


def test_T13_two_notices_of_one_breach_are_linked_by_a_person_and_the_earliest_knowledge_shows(world: World) -> None:
    world.later(hours=30)
    provider = world.send(files=[notice_file(world.at.replace(hour=1))])
    contractor = world.send(
        sender="Facilitator <me@facilitation.co.nz>", files=[notice_file(world.at.replace(day=23), "mine.pdf")]
    )
    assert world.case(provider).linked == ()
    triage.link(world.parts, TRIAGE, world.row(provider), world.row(contractor))
    linked = world.case(provider)
    assert linked.linked == contractor.cases
    assert world.case(contractor).linked == provider.cases
    assert world.row(contractor).aware_at == world.at.replace(day=23)
    queued = {row.reference: row for row in world.queue()}
    for done in (provider, contractor):  # the 72 hours of both count from when the first of them knew
        assert world.case(done).row.known_since == world.row(contractor).aware_at
        assert queued[done.cases[0]].known_since == world.row(contractor).aware_at


def test_T27_an_out_of_office_and_a_bounce_open_nothing_and_are_not_answered(world: World) -> None:
    first, ack = opened_notice(world)
    away = world.send(
        subject=f"Automatic reply: {ack['Subject']}",
        body="I am away until Monday.",
        headers=[("Auto-Submitted", "auto-replied"), *answer_to(ack)],
    )
    bounce = world.send(
        sender="Mail Delivery System <mailer-daemon@trust.org.nz>",
        subject="Undelivered Mail Returned to Sender",
        body="Your message could not be delivered.",
        headers=[("Auto-Submitted", "auto-replied"), *answer_to(ack)],
    )
    assert (away.outcome, away.cases) == (OutcomeCode.AUTOMATIC, ())
    assert (bounce.outcome, bounce.cases) == (OutcomeCode.AUTOMATIC, first.cases)
    assert "automatic_answer" in world.history(first)
    assert len(world.queue()) == 1
    assert len(world.outbox()) == 1


def _report(original: str) -> bytes:
    """What a mail server answers when it could not deliver: RFC 3464, with the headers of our mail."""
    lines = [
        "From: MAILER-DAEMON@mx.trust.org.nz", "To: intake@ministry.example", "Subject: Undelivered Mail Returned to Sender",
        "Message-ID: <dsn-1@mx.trust.org.nz>", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "I could not deliver your mail.",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.trust.org.nz", "",
        "Final-Recipient: rfc822; office@trust.org.nz", "Action: failed", "Status: 5.1.1", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {original}", "From: intake@ministry.example", "", "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("how", ["auto-generated", "auto-forwarded"])
def test_T27_what_somebody_wrote_and_a_machine_passed_on_whole_is_read(world: World, how: str) -> None:
    wrong = "We sent a report about a client to the wrong email address this morning."
    notice = world.mail(subject="Please call", body=wrong)
    ours = world.mail(sender="Intake <intake@ministry.example>", subject="Privacy breach: your notice", body=wrong)
    passed_on = world.send(subject="Ticket 4", body="New mail.", headers=[("Auto-Submitted", how)], inside=notice)
    answered = world.send(subject="Away", body="I am away.", headers=[("Auto-Submitted", how)], inside=ours)

    assert (world.row(passed_on).kind, passed_on.outcome) == ("breach_notice", OutcomeCode.CASE_OPENED)
    assert (answered.outcome, answered.cases) == (OutcomeCode.AUTOMATIC, ())
    assert silent(world, passed_on)


def test_T27_a_bounce_says_on_the_case_and_beside_the_contact_that_our_mail_came_back(world: World) -> None:
    first, ack = opened_notice(world)
    bounce = world.arrives(_report(str(ack["Message-ID"])))
    assert (bounce.outcome, bounce.cases) == (OutcomeCode.AUTOMATIC, first.cases)
    assert "mail_bounced" in world.history(first)
    assert [m.state for m in world.mails_of(first)] == ["bounced"]
    page = world.page(first.cases[0])
    assert "Came back" in page
    assert "office@trust.org.nz (our mail came back)" in page
    assert world.parts.store.unreachable(["office@trust.org.nz"]) == {"office@trust.org.nz"}
    assert len(world.queue()) == 1


def test_T27_a_bounce_that_names_no_mail_of_ours_changes_nothing(world: World) -> None:
    first, _ = opened_notice(world)
    world.arrives(_report("<somebody@else.example>"))
    assert [m.state for m in world.mails_of(first)] == ["sent"]


_LIST = [("List-Id", "<all.trust.org.nz>"), ("Precedence", "bulk")]
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    "file",
    [
        File("scan0001.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(60_000)),
        File("form.docx", _WORD, b"PK\x03\x04 no more"),
        File("form.zip", "application/zip", b"PK\x03\x04 no more"),
    ],
    ids=["photo", "word", "zip"],
)
@pytest.mark.parametrize("header", [*_LIST, ("Auto-Submitted", "auto-generated"), ("Return-Path", "<>")])
def test_T27_a_file_that_nobody_could_read_is_shown_whatever_the_headers_say(
    world: World, file: File, header: tuple[str, str]
) -> None:
    done = world.send(files=[file], subject="Form", body="See attached. Mere", headers=[header])
    assert world.row(done).verdict == "automatic"
    assert silent(world, done)


def test_T27_a_file_that_calls_itself_a_breach_is_a_notice_in_list_mail_too(world: World) -> None:
    file = File("Privacy breach notice.docx", _WORD, b"PK\x03\x04 no more")
    done = world.send(files=[file], subject="Form", body="Mere", headers=_LIST)
    assert world.row(done).kind == "breach_notice"


def test_T27_the_logo_in_an_automatic_answer_opens_nothing(world: World) -> None:
    logo = File("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(9_000))
    away = world.send(files=[logo], subject="Out of office", body="Away.", headers=[("Auto-Submitted", "auto-replied")])
    assert away.outcome is OutcomeCode.AUTOMATIC


def test_T28_a_mail_loop_ends_after_one(world: World) -> None:
    """Their machine answers our acknowledgement, for ever; ours never answers it."""
    _, ack = opened_notice(world)
    assert ack["Auto-Submitted"] == "auto-replied"
    for _ in range(5):
        answer = world.send(
            subject=f"Re: {ack['Subject']}", body="Thank you for your mail.", headers=[("Auto-Submitted", "auto-replied"), *answer_to(ack)]
        )  # fmt: skip
        assert answer.outcome is OutcomeCode.AUTOMATIC
    assert world.deliver() == []
    assert len(world.queue()) == 1


def test_T28_a_machine_that_says_nothing_of_itself_is_stopped_by_the_cap(world: World) -> None:
    _, ack = opened_notice(world)
    taken = 1
    for n in range(10):
        world.send(
            subject=f"Re: {ack['Subject']}", body=f"Thank you for your mail, number {n}.", headers=answer_to(ack)
        )
        taken += len(world.deliver())
    assert taken <= 3
    assert len(world.queue()) == 1


def test_T34_a_notice_by_web_and_by_mail_stays_two_cases_until_a_person_links_them(world: World) -> None:
    by_web = world.submit(BREACH, notice(KOWHAI, world.at, "A folder was left on a bus."))
    world.later(minutes=20)
    by_mail = world.send(files=[notice_file()])
    assert len(world.queue()) == 2
    web_row = world.view(by_web.reference).row
    triage.choose_provider(world.parts, TRIAGE, web_row, web_row.version, "kowhai")
    triage.link(world.parts, TRIAGE, world.view(by_web.reference).row, world.row(by_mail))
    assert world.case(by_mail).linked == (by_web.reference,)
    assert world.view(by_web.reference).row.received_at < world.row(by_mail).received_at


def test_T34_a_notice_to_the_general_privacy_address_opens_like_any_other(world: World) -> None:
    done = world.send(mailbox="privacy", files=[notice_file()], body="We hope this is the right address.")
    case = world.case(done)
    assert (done.outcome, case.row.kind, case.raw.mailbox) == (OutcomeCode.CASE_OPENED, "breach_notice", "privacy")


def test_a_notice_in_a_reply_about_something_else_opens_a_case_of_its_own(world: World) -> None:
    first = world.send(files=[assessment_file()])
    (ack,) = world.deliver()
    body = "We sent a report about a client to the wrong email address this morning. It is a privacy breach."
    reply = world.send(subject=f"Re: {ack['Subject']}", body=body, headers=answer_to(ack))
    assert reply.cases != first.cases
    assert world.row(reply).kind == "breach_notice"
    assert "POSSIBLE_FOLLOW_UP" in world.codes(reply)


def test_a_file_and_its_print_in_one_mail_count_once(world: World) -> None:
    pdf = filled(BREACH, notice(KOWHAI, world.at, "A folder was left on a bus."))
    done = world.send(sender=OFFICE, files=[File("a.pdf", PDF, pdf), File("b.pdf", PDF, pdf + b"\n")])
    assert len(done.cases) == 1
    assert len(world.mails_of(done)) == 1


_BOUNCE = [("X-Failed-Recipients", "breach@ministry.example"), ("Content-Description", "Undelivered message")]


@pytest.mark.parametrize(
    "sender", ["Office <office@trust.org.nz>", "postmaster@trust.org.nz", "mailer-daemon@trust.org.nz"]
)
def test_T27_a_bounce_of_nothing_of_ours_hides_no_notice_and_no_file(world: World, sender: str) -> None:
    words = "We had a privacy breach: her violent ex-partner has her address, and she is scared for her life."
    told = world.send(sender=sender, subject="Privacy breach", body=words, headers=_BOUNCE)
    photo = File("scan0001.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(60_000))
    shown = world.send(sender=sender, subject="Form", body="See attached. Mere", files=[photo], headers=_BOUNCE)
    assert (world.row(told).kind, world.row(told).status) == ("breach_notice", "open")
    assert world.row(shown).verdict == "automatic"
    assert silent(world, told)
    assert silent(world, shown)


@pytest.mark.parametrize(
    "words",
    [
        "This is the mail system. Your message could not be delivered: the address was not found.",
        "550 5.1.1 The email address that you sent to was wrong. The message was returned to sender.",
        "Delivery to the following recipient failed: recipient address rejected, sent to the wrong server.",
    ],
)
def test_T27_what_mail_servers_write_in_a_bounce_opens_nothing(world: World, words: str) -> None:
    stray = world.send(
        sender="Mail Delivery System <mailer-daemon@trust.org.nz>",
        subject="Undelivered Mail Returned to Sender",
        body=words,
        headers=[("Return-Path", "<>"), ("Auto-Submitted", "auto-replied")],
    )
    assert (stray.outcome, stray.cases, world.queue()) == (OutcomeCode.AUTOMATIC, (), ())


def test_T27_a_bounce_that_anybody_wrote_interrupts_nobody_at_work(world: World) -> None:
    first, _ = opened_notice(world)
    before = world.case(first).row
    subject = f"Undeliverable: zeppelin {first.cases[0]}"
    forged = world.send(sender="mailer-daemon@elsewhere.example", gateway=Gateway(), subject=subject, body="Failed.")
    after = world.case(first).row
    assert forged.cases == first.cases
    assert "automatic_answer" in world.history(first)
    assert (after.version, after.status) == (before.version, before.status)
    assert world.parts.store.queue(QueueFilter(text="zeppelin"), limit=10) == ()
