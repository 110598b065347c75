"""Our own door for mail, met by real mail clients and by raw ones."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.domain.errors import CannotRead, TryLater
from intake.domain.model import OutcomeCode
from intake.domain.received import parse_hop
from intake.pipeline import process
from intake.wiring import Parts
from tests.support.mail_door import RECIPIENT, SENDER, Broken, OpenDoor, headers, opened, options, written
from tests.support.running import Site, until

MakeMail = Callable[..., bytes]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[OpenDoor]:
    with opened(tmp_path) as running:
        yield running


# ---- what a mail server meets ---------------------------------------------------------------------


def test_a_mail_is_kept_as_it_came_below_the_two_lines_of_the_door(door: OpenDoor, mail: MakeMail) -> None:
    body = "Kia ora.\r\n.\r\n..two dots\r\n...\r\nFrom here   \r\n\r\n"
    before = datetime.now(UTC)
    with smtplib.SMTP("127.0.0.1", door.port, local_hostname="mx.provider.example") as client:
        assert client.sendmail(SENDER, [RECIPIENT], mail(1, body)) == {}

    (delivery,) = door.kept()
    assert written(door.one()) == mail(1, body)
    assert (delivery.channel, delivery.mailbox) == ("smtp", "breach")
    assert before <= delivery.received_at <= datetime.now(UTC)
    got = headers(door.one())
    assert got["return-path"].strip() == b"<aroha@provider.example>"
    hop = parse_hop(got["received"])
    assert (hop.by, hop.ips, hop.witnessed) == ("localhost", ("127.0.0.1",), True)
    assert b"from mx.provider.example ([127.0.0.1])" in got["received"]
    assert f"with ESMTP id {delivery.remote_id};".encode() in got["received"]


def test_yes_is_said_only_when_bytes_delivery_and_job_are_durable(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path) as door, door.talk() as client:
        client.start_mail()
        answer = client.say(mail(1) + b".")

        elsewhere = Parts(door.parts.settings)  # looks at the files as another program would
        (delivery,) = elsewhere.store.deliveries_waiting(10)
        assert answer == f"250 2.0.0 Kept as {delivery.remote_id}"
        assert written(elsewhere.blobs.get(delivery.raw.blob)) == mail(1)
        assert elsewhere.store.outcomes()["missing"] == 0


def test_what_is_offered_is_what_can_be_kept(door: OpenDoor) -> None:
    with door.talk() as client:
        offered = client.say("EHLO mx.provider.example").split("\n")

    assert {line[4:] for line in offered[1:]} == {"SIZE 110100480", "8BITMIME", "SMTPUTF8", "PIPELINING"}


def test_8_bit_words_and_a_sender_with_macrons_come_through_whole(door: OpenDoor, mail: MakeMail) -> None:
    sender = "ārohā@kōwhai.example"
    with smtplib.SMTP("127.0.0.1", door.port) as client:
        client.ehlo("mx.example")
        client.mail(sender, ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt(RECIPIENT)
        assert client.data(mail(1, "Te wā kua pahemo"))[0] == 250

    assert written(door.one()) == mail(1, "Te wā kua pahemo")
    got = headers(door.one())
    assert got["return-path"].strip() == f"<{sender}>".encode()
    assert b"with UTF8SMTP id" in got["received"]
    assert parse_hop(got["received"]).by == "localhost"


def test_a_strangers_address_is_refused_and_ours_is_taken_with_a_tag(door: OpenDoor, mail: MakeMail) -> None:
    with smtplib.SMTP("127.0.0.1", door.port) as client:
        refused = client.sendmail(SENDER, ["nobody@ministry.example", "Breach+BN-4T7K-9@Ministry.Example"], mail(1))

    assert refused == {"nobody@ministry.example": (550, b"5.1.1 No such address here")}
    assert len(door.kept()) == 1


def test_one_mail_to_two_mailboxes_is_kept_once_for_each(tmp_path: Path, mail: MakeMail) -> None:
    first = options(tmp_path, recipients=[RECIPIENT, "privacy@ministry.example"])
    second = {**first, "recipients": ["assessments@ministry.example"]}
    with opened(tmp_path, boxes={"breach": first, "assessments": second}) as door:
        with smtplib.SMTP("127.0.0.1", door.port) as client:
            client.sendmail(SENDER, [*first["recipients"], *second["recipients"]], mail(1))

        assert [d.mailbox for d in door.kept()] == ["breach", "assessments"]
        assert len({d.raw.id for d in door.kept()}) == 1


def test_lmtp_answers_for_each_recipient(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path, protocol="lmtp", recipients=[RECIPIENT, "two@ministry.example"]) as door:
        with door.talk() as client:
            client.send(b"LHLO gateway\r\nMAIL FROM:<aroha@provider.example>\r\n")
            for recipient in (RECIPIENT, "nobody@ministry.example", "two@ministry.example"):
                client.send(f"RCPT TO:<{recipient}>\r\n".encode())
            client.send(b"DATA\r\n")
            assert [client.answer()[:3] for _ in range(6)] == ["250", "250", "250", "550", "250", "354"]
            assert [client.say(mail(1) + b".")[:3], client.answer()[:3]] == ["250", "250"]
            assert client.say("EHLO gateway").startswith("500")

        assert b" with LMTP id " in headers(door.one())["received"]


def test_lmtp_by_a_socket_on_this_machine_comes_from_inside(tmp_path: Path, mail: MakeMail) -> None:
    place = tmp_path / "lmtp.sock"
    with opened(tmp_path, listen=str(place)) as door:
        with smtplib.LMTP(str(place)) as client:
            client.sendmail(SENDER, [RECIPIENT], mail(1))

        assert parse_hop(headers(door.one())["received"]).ips[0] == "127.0.0.1"
        assert place.stat().st_mode & 0o777 == 0o660
    assert not place.exists()


def test_a_socket_that_a_kill_left_is_taken_over_and_one_in_use_is_not(tmp_path: Path) -> None:
    import socket

    place = tmp_path / "lmtp.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(place))
    left.close()
    with opened(tmp_path, listen=str(place)) as door:
        (second,) = Parts(door.parts.settings).mail_doors()
        with pytest.raises(TryLater, match="another program listens"):
            second.serve(lambda arrivals: pytest.fail(), threading.Event(), lambda: pytest.fail("it was opened"))
        with door.talk() as client:
            assert client.say("LHLO gateway").startswith("250")


def test_many_mails_go_by_one_connection_and_by_pipelining(door: OpenDoor, mail: MakeMail) -> None:
    with door.talk() as client:
        client.say("EHLO mx.provider.example")
        for number in range(5):
            client.send(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
            assert [client.answer()[:3] for _ in range(3)] == ["250", "250", "354"]
            client.send(mail(number) + b".\r\n" + b"RSET\r\nNOOP\r\n")
            assert [client.answer()[:3] for _ in range(3)] == ["250", "250", "250"]
        assert client.say("QUIT").startswith("221")

    assert [written(raw) for raw in door.raws()] == [mail(n) for n in range(5)]


@pytest.mark.parametrize(
    "path", ['<"a>b"@provider.example>', '<"a b"@provider.example>', '<a"b@provider.example>', "<x>"]
)
def test_an_odd_return_address_refuses_no_mail(door: OpenDoor, mail: MakeMail, path: str) -> None:
    with door.talk() as client:
        client.say("EHLO mx.provider.example")
        assert client.say(f"MAIL FROM:{path} BODY=8BITMIME").startswith("250")
        client.say(f"RCPT TO:<{RECIPIENT}>")
        assert client.say("DATA").startswith("354")
        assert client.say(mail(1) + b".").startswith("250")
    assert written(door.one()) == mail(1)


def test_a_client_of_the_old_kind_is_served_too(door: OpenDoor, mail: MakeMail) -> None:
    with door.talk() as client:
        client.start_mail(helo="HELO fax.provider.example")
        assert client.say(mail(1) + b".").startswith("250")

    assert b"with SMTP id" in headers(door.one())["received"]


class Slow(Broken):
    """Blobs on a disk that takes its time."""

    def put_many(self, contents: list[bytes]) -> tuple[str, ...]:
        time.sleep(0.5)
        return super().put_many(contents)


def test_a_door_that_is_closed_first_answers_for_what_it_is_keeping(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path, prepare=lambda parts: Slow(parts, OSError(), lambda content: False)) as door:
        client = door.talk()
        client.start_mail()
        client.send(mail(1) + b".\r\n")
        time.sleep(0.2)

    assert client.answer().startswith("250")
    assert written(door.one()) == mail(1)
    assert client.answer() == ""


# ---- later, and no ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [TryLater("The disk is full."), OSError(28, "No space"), CannotRead("odd"), ZeroDivisionError()]
)  # fmt: skip
def test_whatever_goes_wrong_on_our_side_is_later_and_is_over_by_itself(
    tmp_path: Path, mail: MakeMail, failure: Exception
) -> None:
    with opened(tmp_path) as door, door.talk() as client:
        broken = Broken(door.parts, failure)
        client.start_mail()
        assert client.say(mail(1) + b".") == "451 4.3.0 Not kept; please try again later"
        until(lambda: door.parts.store.mailbox_state("breach").error != "", 5, "staff see it")
        assert door.kept() == []

        broken.fails = lambda content: False
        client.start_mail()
        assert client.say(mail(1) + b".").startswith("250")
        until(lambda: door.parts.store.mailbox_state("breach").error == "", 5, "staff see that it is over")
        assert door.parts.store.mailbox_state("breach").last_message is not None
        assert len(door.kept()) == 1


def test_one_mail_that_cannot_be_kept_does_not_hold_up_the_others(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path) as door:
        Broken(door.parts, OSError(5, "bad"), lambda content: b"Notice 3\r\n" in content)
        clients = [door.talk() for _ in range(6)]
        for client in clients:
            client.start_mail()
        for number, client in enumerate(clients):
            client.send(mail(number) + b".\r\n")
        answers = [client.answer()[:3] for client in clients]

        assert answers == ["250", "250", "250", "451", "250", "250"]
        assert len(door.kept()) == 5


def test_a_database_that_is_locked_makes_the_sender_wait_and_come_again(tmp_path: Path, mail: MakeMail) -> None:
    import sqlite3

    with opened(tmp_path) as door, door.talk() as client:
        client.start_mail()
        writer = sqlite3.connect(door.parts.settings.folder / "intake.db", isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        client.send(mail(1) + b".\r\n")
        with door.talk() as other:  # nobody else waits for the disk
            assert other.say("EHLO mx").startswith("250")
        assert client.answer().startswith("451")
        writer.execute("ROLLBACK")
        writer.close()
        client.start_mail()
        assert client.say(mail(1) + b".").startswith("250")
        assert len(door.kept()) == 1


def test_a_mail_that_is_sent_again_because_our_yes_was_lost_opens_one_case(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path) as door:
        with door.talk() as client:
            client.start_mail()
            client.send(mail(1) + b".\r\n")
            until(lambda: len(door.kept()) == 1, 10, "kept, and nobody reads the answer")
        with door.talk() as client:
            client.start_mail(helo="EHLO other-machine.provider.example")
            assert client.say(mail(1) + b".").startswith("250")

        first, second = door.kept()
        assert first.raw.id == second.raw.id
        assert process(door.parts, first.id).outcome in (OutcomeCode.CASE_OPENED, OutcomeCode.HELD)
        assert process(door.parts, second.id).outcome is OutcomeCode.DUPLICATE
        door.parts.documents.close()


def test_only_listed_clients_may_connect(tmp_path: Path) -> None:
    with opened(tmp_path, clients=["192.0.2.0/24"], hostname="in.ministry.example") as door, door.talk() as client:
        assert client.greeting.startswith("554 5.7.1")
        assert client.answer() == ""


def test_an_address_that_is_taken_is_said_and_tried_again(tmp_path: Path) -> None:
    import socket

    from workers import doors

    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        parts = Site(tmp_path, {"breach": options(tmp_path, listen=listen)}).parts()
        assert parts.store.outcomes()["messages"] == 0
        stop = threading.Event()
        (thread,) = doors.start(parts, stop)
        until(lambda: listen in parts.store.mailbox_state("breach").error, 10, "staff see it")
        assert parts.store.mailbox_state("breach").last_contact is None
    until(lambda: parts.store.mailbox_state("breach").error == "", 15, "the door opens by itself")
    stop.set()
    thread.join(10)


# ---- size and memory -------------------------------------------------------------------------------


def test_a_mail_above_the_limit_is_taken_and_its_beginning_is_kept(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path, max_message_bytes=300_000) as door:
        large = mail(1, "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 6_000)
        with smtplib.SMTP("127.0.0.1", door.port) as client:
            assert client.sendmail(SENDER, [RECIPIENT], large) == {}

        raw = door.one()
        first, _, rest = raw.partition(b"\r\n")
        assert first == b"X-Intake-Kept: part; bytes=%d; of=%d" % (len(rest), len(large))
        assert large.startswith(written(rest))
        assert len(rest) == 256 * 1024
        (delivery,) = door.kept()
        done = process(door.parts, delivery.id)
        door.parts.documents.close()
        assert done.examination is not None
        assert "ask the sender for the files" in done.examination.documents[0].read.problems[0].message


def test_a_mail_three_times_above_the_limit_is_refused_at_once_or_at_its_end(tmp_path: Path) -> None:
    with opened(tmp_path, max_message_bytes=100_000) as door, door.talk() as client:
        client.say("EHLO mx.provider.example")
        assert client.say(f"MAIL FROM:<{SENDER}> SIZE=300001").startswith("552")
        client.start_mail()
        client.send(b"Subject: big\r\n\r\n" + b"x" * 300_001)
        assert client.say("\r\n.") == "552 5.3.4 The mail is too large"
        client.start_mail()
        assert client.say(b"Subject: small\r\n\r\nHello.\r\n.").startswith("250")
        assert len(door.kept()) == 1


def test_too_much_mail_at_one_moment_is_later_and_its_memory_is_given_back(tmp_path: Path) -> None:
    with opened(tmp_path, max_message_bytes=200_000) as door:
        clients = [door.talk() for _ in range(6)]
        for client in clients:
            client.start_mail()
            client.send(b"Subject: one of many\r\n\r\n" + b"x" * 190_000)
        time.sleep(0.3)
        answers = [client.say("\r\n.")[:3] for client in clients]
        assert sorted(answers) == ["250"] * 4 + ["452"] * 2
        for client in clients:
            client.start_mail()
            assert client.say(b"Subject: again\r\n\r\n" + b"x" * 190_000 + b"\r\n.").startswith("250")


def test_a_line_of_ten_million_bytes_is_kept_as_it_is(door: OpenDoor) -> None:
    content = b"Subject: long\r\n\r\n" + b"x" * 10_000_000 + b"\r\n"
    with door.talk() as client:
        client.start_mail()
        assert client.say(content + b".").startswith("250")

    assert written(door.one()) == content


def test_blocks_may_end_anywhere_between_dots_and_line_ends(door: OpenDoor) -> None:
    """The end mark, and dots at the start of a line, over every border between two packets and two blocks."""
    lines = b"\r\n".join([b".a", b"..b", b"", b".", b"c\r", b"\n.d", b"." * 5]) + b"\r\n"
    filler = b"".join(b"x" * n + b"\r\n." for n in (65_531, 65_532, 65_533, 65_534, 65_535, 65_536, 3))
    content = b"Subject: dots\r\n\r\n" + lines + filler + b"end\r\n"
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    with door.talk() as client:
        client.start_mail()
        for at in range(0, len(stuffed), 4_099):
            client.send(stuffed[at : at + 4_099])
        assert client.say(".").startswith("250")
        client.start_mail()
        for byte in stuffed[:300] + b"\r\n.\r\n":
            client.send(bytes([byte]))
        assert client.answer().startswith("250")

    assert [written(raw) for raw in door.raws()] == [content, stuffed[:300].replace(b"\r\n..", b"\r\n.") + b"\r\n"]


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n\r\n\r\n", b".\r\n", b"x\r\n"])
def test_a_mail_of_nearly_nothing_ends_where_it_should(door: OpenDoor, content: bytes) -> None:
    with door.talk() as client:
        client.start_mail()
        stuffed = b"." + content if content.startswith(b".") else content
        assert client.say(stuffed + b".").startswith("250")
        assert client.say("NOOP").startswith("250")

    assert written(door.one()) == content
