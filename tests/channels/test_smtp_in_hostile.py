"""Our own door for mail, met by clients that mean harm or cannot do better."""

from __future__ import annotations

import logging
import shutil
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intake.domain.envelope import open_envelope
from intake.domain.received import parse_hop
from tests.support.certificates import certificates
from tests.support.mail_door import RECIPIENT, SENDER, Broken, OpenDoor, Talk, headers, opened, options, written
from tests.support.running import until

MakeMail = Callable[..., bytes]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[OpenDoor]:
    with opened(tmp_path) as running:
        yield running


SMUGGLED = (
    "MAIL FROM:<boss@ministry.example>\r\nRCPT TO:<breach@ministry.example>\r\nDATA\r\nSubject: two\r\n\r\nsmuggled\r\n"
)
MARKS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\n\r.\r\n",
    b"\r\r\n.\r\r\n",
]


@pytest.mark.parametrize("mark", MARKS)
def test_no_other_mark_ends_a_mail_so_none_can_be_smuggled_in(door: OpenDoor, mark: bytes) -> None:
    with door.talk() as client:
        client.start_mail()
        content = b"Subject: one\r\n\r\nhello" + mark + SMUGGLED.encode()
        assert client.say(content + b".").startswith("250")
        assert client.say("NOOP").startswith("250")

    (raw,) = door.raws()
    assert open_envelope(raw).subject == "one"
    assert written(raw) == content.replace(b"\r\n.", b"\r\n")


HELOS = [
    "by",
    "a b c",
    "evil) by mx.ministry.example (",
    "x" * 400,
    "mx\x00",
    "m\rx",
    "(a)",
    "[1.2.3.4]",
    "[IPv6:::1]",
    "ünï.example",
    "-",
    "x by y",
    "a;b",
    "<a>",
    "\t",
    "1.2.3.4",
]


@pytest.mark.parametrize("helo", HELOS)
def test_no_greeting_can_change_the_shape_of_the_line_about_it(door: OpenDoor, helo: str) -> None:
    with door.talk() as client:
        client.say(f"EHLO {helo}")
        if client.say(f"MAIL FROM:<{SENDER}>").startswith("503"):  # a greeting of nothing is none
            client.say("EHLO mx")
            client.say(f"MAIL FROM:<{SENDER}>")
        client.say(f"RCPT TO:<{RECIPIENT}>")
        assert client.say("DATA").startswith("354")
        assert client.say(b"Subject: one\r\n\r\nhello\r\n.").startswith("250")

    raw = door.one()
    names = [name for name, _ in open_envelope(raw).headers]
    assert names == ["Return-Path", "Received", "Subject"]
    hop = parse_hop(headers(raw)["received"])
    assert (hop.by, hop.witnessed) == ("localhost", True)
    assert "127.0.0.1" in hop.ips
    assert raw.partition(b"Subject")[0].isascii()


SENDERS = {
    "<>": "",
    "<aroha@provider.example>": "aroha@provider.example",
    "<@relay.example,@b.example:aroha@provider.example>": "aroha@provider.example",
    "<SRS0=ab=cd=provider.example=aroha@relay.example>": "SRS0=ab=cd=provider.example=aroha@relay.example",
    "<aroha@[192.0.2.1]>": "aroha@[192.0.2.1]",
    "<a..b.@docomo.example>": "a..b.@docomo.example",
    "<aroha>": "unreadable@invalid.invalid",
    "<a\rX-Evil: 1@b.example>": "unreadable@invalid.invalid",
    "<a\x00@b.example>": "unreadable@invalid.invalid",
    "<a b@b.example>": "unreadable@invalid.invalid",
    "<a(b)@b.example>": "unreadable@invalid.invalid",
    "<ā@b.example>": "unreadable@invalid.invalid",
    "<" + "a" * 300 + "@b.example>": "unreadable@invalid.invalid",
}


@pytest.mark.parametrize("given", SENDERS)
def test_an_envelope_sender_is_written_down_when_it_is_in_shape_and_else_as_nobody(door: OpenDoor, given: str) -> None:
    with door.talk() as client:
        client.start_mail(given)
        assert client.say(b"Subject: one\r\n\r\nhello\r\n.").startswith("250")

    envelope = open_envelope(door.one())
    assert headers(door.one())["return-path"].strip().decode() == f"<{SENDERS[given]}>"
    assert [name for name, _ in envelope.headers] == ["Return-Path", "Received", "Subject"]
    assert bool(envelope.automatic) is (given == "<>")


def test_what_was_said_before_tls_counts_for_nothing_after_it(tmp_path: Path, mail: MakeMail) -> None:
    certificates(tmp_path)
    tls = {"tls_certificate_file": str(tmp_path / "server.pem"), "tls_key_file": str(tmp_path / "server.key")}
    with opened(tmp_path, require_tls=True, **tls) as door, door.talk() as client:
        assert "250-STARTTLS" in client.say("EHLO mx.provider.example")
        assert client.say(f"MAIL FROM:<{SENDER}>").startswith("530")
        client.send(b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<boss@ministry.example>\r\n")
        assert client.answer().startswith("220")
        client.start_tls(tmp_path / "ca.pem")
        assert client.say(f"MAIL FROM:<{SENDER}>").startswith("503")
        client.start_mail()
        assert client.say(mail(1) + b".").startswith("250")

        got = headers(door.one())
        assert b"with ESMTPS id" in got["received"]
        assert got["return-path"].strip() == b"<aroha@provider.example>"


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    certificates(tmp_path)
    tls = {"tls_certificate_file": str(tmp_path / "server.pem"), "tls_key_file": str(tmp_path / "server.key")}

    def shown(door: OpenDoor) -> bytes:
        context = ssl._create_unverified_context()
        with smtplib.SMTP("localhost", door.port) as client:
            client.starttls(context=context)
            assert isinstance(client.sock, ssl.SSLSocket)
            return client.sock.getpeercert(True) or b""

    with opened(tmp_path, listen=f"localhost:{options(tmp_path)['listen'].rpartition(':')[2]}", **tls) as door:
        before = shown(door)
        (tmp_path / "server.pem").write_text("half a fil")
        assert shown(door) == before
        (tmp_path / "new").mkdir()
        certificates(tmp_path / "new")
        shutil.copy(tmp_path / "new" / "server.pem", tmp_path)  # and its key not yet
        assert shown(door) == before
        shutil.copy(tmp_path / "new" / "server.key", tmp_path)
        assert shown(door) != before


def test_a_client_that_drips_is_dropped_and_one_that_is_silent_too(tmp_path: Path) -> None:
    with opened(tmp_path, timeout_seconds=0.5) as door, door.talk() as silent, door.talk() as dripping:
        dripping.start_mail()
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 10:
                dripping.send(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 3
        assert silent.answer() == ""
        with door.talk() as client:
            assert client.say("NOOP").startswith("250")
        assert door.kept() == []


def test_200_connections_do_not_keep_out_those_that_are_being_served(tmp_path: Path, mail: MakeMail) -> None:
    with opened(tmp_path, max_connections=20) as door:
        clients = [door.talk() for _ in range(20)]
        more = [door.talk() for _ in range(180)]
        assert {client.greeting[:3] for client in more} == {"421"}
        for client in clients:
            client.start_mail()
            assert client.say(mail(1) + b".").startswith("250")
            client.close()
        until(lambda: door.talk().greeting.startswith("220"), 5, "room for the next one")


@pytest.mark.parametrize("line", ["EHLO mx", "NOOP", "VRFY a@b.example", "HELP", "FLY", "AUTH PLAIN AGEAYg=="])
def test_a_flood_of_commands_ends_the_connection(door: OpenDoor, line: str) -> None:
    with door.talk() as client:
        answers = [client.say(line)]
        while answers[-1] and len(answers) < 1_000:
            try:
                answers.append(client.say(line))
            except ConnectionError:
                break

    assert len(answers) < 60
    assert {answer[:3] for answer in answers} <= {"250", "252", "500", "501", "502", "503", "421", ""}


def test_no_word_of_a_client_is_logged(
    door: OpenDoor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with door.talk() as client:
        client.say("ZQCOMMAND zqargument")
        client.say("RCPT TO:<zqrecipient@ministry.example>")
        client.say("VRFY \udcff".encode("utf-8", "surrogateescape"))
        client.start_mail("<zqsender@provider.example>", "EHLO zqhelo.example")
        client.say(b"Subject: zqsubject\r\n\r\nzqbody\r\n.")
    with door.talk() as client:
        client.start_mail("<zqsender@provider.example>")
        client.send(b"zqcut")
    Broken(door.parts, ValueError("zqerror"))
    with door.talk() as client:
        client.start_mail("<zqsender@provider.example>")
        assert client.say(b"zqbody\r\n.").startswith("451")

    said = " ".join(r.getMessage() + str(r.exc_text) for r in caplog.records) + "".join(capfd.readouterr())
    assert "zq" not in said.lower()
    assert "not_kept" in said and "kept id=" in said


def test_clients_that_go_away_in_the_middle_leave_no_place_and_no_memory_taken(tmp_path: Path) -> None:
    certificates(tmp_path)
    tls = {"tls_certificate_file": str(tmp_path / "server.pem"), "tls_key_file": str(tmp_path / "server.key")}
    with opened(tmp_path, max_connections=4, max_message_bytes=200_000, **tls) as door:

        def fresh() -> Talk:
            until(lambda: free(door), 5, "a free place")
            return door.talk()

        for _ in range(12):
            with fresh() as client:
                client.start_mail()
                client.send(b"x" * 190_000)
            with fresh() as client:
                client.say("EHLO mx")
                client.say("STARTTLS")
                client.send(b"this is no handshake\r\n" * 10)
        until(lambda: all([free(door) for _ in range(4)]), 5, "free places")
        clients = [door.talk() for _ in range(4)]
        for client in clients:
            client.start_mail()
            client.send(b"Subject: one of four\r\n\r\n" + b"x" * 190_000)
        assert [client.say("\r\n.")[:3] for client in clients] == ["250"] * 4


def free(door: OpenDoor) -> bool:
    with door.talk() as client:
        return client.greeting.startswith("220")
