"""T27: mail of ours that came back, in the words of the servers that people run. Each ends on the case that it is about."""

from __future__ import annotations

import pytest

from tests.scenarios.test_threads import opened_notice
from tests.scenarios.world import OutcomeCode, World

REPORT = (
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n--b\r\n'
    "Content-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n--b\r\n"
)
STATUS = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.trust.org.nz\r\n\r\n"
    "Final-Recipient: rfc822; office@trust.org.nz\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
)
ORIGINAL = "From: intake@ministry.example\r\nTo: office@trust.org.nz\r\nSubject: We have it\r\nMessage-ID: {id}\r\n"

BOUNCES = {
    "a report with the headers": REPORT + STATUS + "Content-Type: text/rfc822-headers\r\n\r\n" + ORIGINAL + "\r\n--b--\r\n",
    "a report with the mail": REPORT + STATUS + "Content-Type: message/rfc822\r\n\r\n" + ORIGINAL + "\r\nKia ora\r\n--b--\r\n",
    "a report in UTF-8 (RFC 6533)": REPORT.replace("delivery-status", "global-delivery-status")
    + STATUS.replace("message/delivery-status", "message/global-delivery-status")
    + "Content-Type: message/global-headers\r\n\r\n" + ORIGINAL + "\r\n--b--\r\n",
    "Exchange, which also answers": "In-Reply-To: {id}\r\nReferences: {id}\r\nX-MS-Exchange-Message-Is-Ndr:\r\n" + REPORT + STATUS
    + "Content-Type: message/rfc822\r\n\r\n" + ORIGINAL.replace("Message-ID: {id}\r\n", "") + "\r\n--b--\r\n",
    "Exchange, by its text alone": "Content-Type: text/plain\r\n\r\nDelivery has failed to these recipients or groups:\r\n\r\n"
    "office@trust.org.nz\r\n\r\nDiagnostic information for administrators:\r\n\r\nOriginal message headers:\r\n\r\n" + ORIGINAL,
    "qmail": "Content-Type: text/plain\r\n\r\nHi. This is the qmail-send program at mx.trust.org.nz.\r\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n<office@trust.org.nz>:\r\n"
    "Sorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
    "Return-Path: <intake@ministry.example>\r\n" + ORIGINAL + "\r\nKia ora\r\n",
    "Exim": "X-Failed-Recipients: office@trust.org.nz\r\nContent-Type: text/plain\r\n\r\n"
    "------ This is a copy of your message, including all the headers. ------\r\n\r\n" + ORIGINAL + "\r\nKia ora\r\n",
}  # fmt: skip


def bounce(world: World, kind: str, original: str) -> bytes:
    world.sent += 1
    head = f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.trust.org.nz\r\nSubject: Undeliverable\r\nMessage-ID: <b{world.sent}@mx>\r\n"
    return (head + BOUNCES[kind].replace("{id}", original)).encode()


@pytest.mark.parametrize("kind", BOUNCES)
def test_T27_a_bounce_of_any_server_ends_on_its_case_and_marks_the_mail(world: World, kind: str) -> None:
    first, ack = opened_notice(world)
    done = world.arrives(bounce(world, kind, str(ack["Message-ID"])))

    assert (done.outcome, done.cases) == (OutcomeCode.AUTOMATIC, first.cases)
    assert [m.state for m in world.mails_of(first)] == ["bounced"]
    assert len(world.queue()) == 1


def test_T27_a_bounce_is_known_when_the_service_that_sent_the_mail_gave_it_another_message_id(world: World) -> None:
    first, ack = opened_notice(world)
    ours = "Message-ID: <new@service.example>\r\nX-Intake-Message-ID: " + str(ack["X-Intake-Message-ID"])
    for kind in ("a report with the headers", "Exchange, by its text alone"):
        done = world.arrives(bounce(world, kind, "{id}").replace(b"Message-ID: {id}", ours.encode()))
        assert (done.outcome, done.cases) == (OutcomeCode.AUTOMATIC, first.cases)

    assert [m.state for m in world.mails_of(first)] == ["bounced"]


@pytest.mark.parametrize("kind", BOUNCES)
def test_T27_a_bounce_of_somebody_elses_mail_changes_nothing_of_ours(world: World, kind: str) -> None:
    first, _ = opened_notice(world)
    done = world.arrives(bounce(world, kind, "<somebody@else.example>"))

    assert (done.outcome, done.cases) == (OutcomeCode.AUTOMATIC, ())
    assert [m.state for m in world.mails_of(first)] == ["sent"]


def test_T28_no_bounce_is_answered_so_none_can_come_back(world: World) -> None:
    _, ack = opened_notice(world)
    for kind in BOUNCES:
        world.arrives(bounce(world, kind, str(ack["Message-ID"])))

    assert world.deliver() == []
