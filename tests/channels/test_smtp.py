"""Mail that leaves, against a real SMTP server with scripted answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.adapters.outgoing import OutgoingMime, self_test
from intake.adapters.smtp import SmtpSender, server_from_url
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.ports import OutgoingMail
from tests.support.certificates import certificates
from tests.support.smtp_sink import Script, sink

SENDER = "intake@ministry.example"
AUTOMATIC = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"))
MAIL = OutgoingMail(
    id=1,
    message_id="<ack-1.5f2c@intake.ministry.example>",
    to="aroha@provider.example",
    subject="We have your message: BN-4T7K-9",
    body="Kia ora\n\nWe have your message. Ngā mihi\n",
    case="BN-4T7K-9",
    attempt=1,
    headers=(*AUTOMATIC, ("In-Reply-To", "<" + "a" * 100 + "@provider.example>")),
)


def noon() -> datetime:
    return datetime(2026, 11, 2, 0, 0, tzinfo=UTC)


def sender_to(server: Script, scheme: str = "smtp", host: str = "127.0.0.1", more: str = "") -> SmtpSender:
    return SmtpSender(f"{scheme}://{host}:{server.port}{more}", SENDER, noon)


@pytest.fixture
def server() -> Iterator[Script]:
    with sink() as running:
        yield running


def test_an_acknowledgement_leaves_with_our_headers_and_the_null_sender(server: Script) -> None:
    sender_to(server).send(MAIL)

    (taken,) = server.taken
    message = taken.message
    assert taken.sender == ""
    assert taken.recipients == ["aroha@provider.example"]
    assert {name.lower(): value for name, value in message.items()} == {
        "from": SENDER,
        "to": "aroha@provider.example",
        "subject": "We have your message: BN-4T7K-9",
        "date": "Mon, 02 Nov 2026 00:00:00 +0000",
        "message-id": "<ack-1.5f2c@intake.ministry.example>",
        "x-intake-message-id": "<ack-1.5f2c@intake.ministry.example>",
        "auto-submitted": "auto-replied",
        "x-auto-response-suppress": "All",
        "in-reply-to": "<" + "a" * 100 + "@provider.example>",
        "content-type": 'text/plain; charset="utf-8"',
        "content-transfer-encoding": "quoted-printable",
        "mime-version": "1.0",
    }
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n") == MAIL.body


def test_what_a_person_wrote_can_bounce_to_the_ministry(server: Script) -> None:
    sender_to(server).send(replace(MAIL, headers=()))

    assert server.taken[0].sender == SENDER
    assert "Auto-Submitted" not in server.taken[0].message


def test_every_try_of_a_mail_has_the_same_message_id(server: Script) -> None:
    server.contents.extend(["451 busy"])
    sender = sender_to(server)

    with pytest.raises(TryLater, match="code 451"):
        sender.send(MAIL)
    sender.send(replace(MAIL, attempt=2))

    assert [t.message["Message-ID"] for t in server.taken] == [MAIL.message_id]


@pytest.mark.parametrize("answer", ["450 greylisted", "421 shutting down", "452 full"])
def test_a_passing_no_to_the_recipient_is_tried_later(server: Script, answer: str) -> None:
    server.recipients.append(answer)

    with pytest.raises(TryLater):
        sender_to(server).send(MAIL)


@pytest.mark.parametrize("place", ["recipients", "contents"])
def test_a_final_no_is_refused_with_its_code_and_without_the_address(server: Script, place: str) -> None:
    getattr(server, place).append("550 no such person aroha")

    with pytest.raises(Refused) as refused:
        sender_to(server).send(MAIL)

    assert "550" in refused.value.for_staff
    assert "aroha" not in refused.value.for_staff


def test_a_line_cut_before_the_answer_is_tried_later(server: Script) -> None:
    server.contents.append("cut")

    with pytest.raises(TryLater):
        sender_to(server).send(MAIL)

    assert server.taken == []


def test_a_lost_answer_after_the_mail_was_taken_sends_it_again_under_the_same_id(server: Script) -> None:
    server.cut_after_taking = 1
    sender = sender_to(server)

    with pytest.raises(TryLater):
        sender.send(MAIL)
    sender.send(MAIL)

    assert [t.message["Message-ID"] for t in server.taken] == [MAIL.message_id] * 2


def test_a_server_that_is_away_is_tried_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sender = SmtpSender(f"smtp://127.0.0.1:{taken.getsockname()[1]}", SENDER, noon)

        with pytest.raises(TryLater, match="cannot be reached"):
            sender.send(MAIL)


@pytest.mark.parametrize(("tls", "scheme"), [("tls", "smtps"), ("starttls", "smtp")])
def test_both_ways_of_tls_work_with_an_authority_of_ones_own(tmp_path: Path, tls: str, scheme: str) -> None:
    certificates(tmp_path)
    with sink(tmp_path, tls) as server:
        sender_to(server, scheme, "localhost", f"?ca_file={tmp_path}/ca.pem").send(MAIL)

    assert server.taken[0].tls


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    certificates(tmp_path)
    with sink(tmp_path, "tls") as server, pytest.raises(TryLater, match="not trusted"):
        sender_to(server, "smtps", "localhost").send(MAIL)

    assert server.taken == []


def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(tmp_path: Path) -> None:
    certificates(tmp_path)
    with sink() as server, pytest.raises(TryLater, match="offers no TLS"):
        sender_to(server, "smtp", "localhost", f"?ca_file={tmp_path}/ca.pem").send(MAIL)

    assert server.taken == []


def test_a_password_from_a_file_signs_in_and_a_wrong_one_makes_mails_wait(tmp_path: Path) -> None:
    certificates(tmp_path)
    (tmp_path / "password").write_text("s3cret\n")
    with sink(tmp_path, "starttls", password="s3cret") as server:
        place = f"localhost:{server.port}?ca_file={tmp_path}/ca.pem"
        with pytest.raises(TryLater, match="refused our username or password"):
            SmtpSender(f"smtp://intake:wrong@{place}", SENDER, noon).send(MAIL)
        with pytest.raises(TryLater, match="wants a username"):
            SmtpSender(f"smtp://{place}", SENDER, noon).send(MAIL)
        SmtpSender(f"smtp://intake@{place}&password_file={tmp_path}/password", SENDER, noon).send(MAIL)

    assert len(server.taken) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"to": "a@b.nz\r\nBcc: x@y.nz"},
        {"to": "a@b.nz, c@d.nz"},
        {"to": "<a@b.nz>"},
        {"subject": "=?utf-8?q?x=0D=0ABcc:_x@y.nz?="},
        {"subject": "x\nBcc: x@y.nz"},
        {"message_id": "<a@b>\r\nBcc: x@y.nz"},
        {"headers": (("Bcc", "x@y.nz"),)},
        {"headers": (("In-Reply-To", "<a@b>\r\nBcc: x@y.nz"),)},
    ],
)
def test_what_could_become_a_header_never_leaves(server: Script, change: dict[str, object]) -> None:
    with pytest.raises(Refused):
        sender_to(server).send(replace(MAIL, **change))  # type: ignore[arg-type]

    assert server.taken == []


def test_a_composer_that_lets_a_header_through_stops_the_start() -> None:
    def careless(mail: OutgoingMail) -> bytes:
        return b"Subject: " + mail.subject.encode() + b"\r\n\r\n"

    with pytest.raises(Misconfigured, match="smuggled"):
        self_test(careless)


@given(subject=st.text(max_size=60), body=st.text(max_size=400))
def test_no_text_adds_a_header_or_a_recipient(subject: str, body: str) -> None:
    mails = OutgoingMime(SENDER, noon)
    try:
        content = mails.compose(replace(MAIL, subject=subject, body=body))
    except (Refused, UnicodeEncodeError):
        return

    head = content.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert len(names) == len(set(names)) == 12
    assert b"bcc" not in names


@pytest.mark.parametrize(
    "url", ["http://mail", "smtp://", "smtp://mail:x", "smtp://mail?tls=no", "smtp://mail?ca_file=/nowhere"]
)
def test_a_url_that_cannot_work_stops_the_start(url: str) -> None:
    with pytest.raises(Misconfigured):
        server_from_url(url)


def test_only_this_machine_may_be_reached_without_tls() -> None:
    assert server_from_url("smtp://127.0.0.1:2525").tls == "none"
    assert server_from_url("smtp://mail.ministry.example").tls == "starttls"
    assert server_from_url("smtp://127.0.0.1.evil.example").tls == "starttls"
