"""Exchange Server by EWS, with the real exchangelib: what it does that others do not. The rest is in the contract of every mailbox."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.adapters.exchange import exchange_from_settings
from intake.adapters.exchange_send import ExchangeSender
from intake.adapters.rounds import RoundMailbox
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.domain.too_large import PART_HEADER
from intake.ports import OutgoingMail
from tests.support.exchange_server import PASSWORD, USER, ExchangeServer
from tests.support.places import RememberedState
from tests.support.token_server import TokenServer

ADDRESS = "breach@ministry.example"
RAW = b"From: a@provider.example\r\nSubject: Notice\r\n\r\nOur laptop was stolen.\r\n"
MAIL = OutgoingMail(1, "<one@ministry.example>", "office@trust.example", "We have it", "Kia ora\n", None, 1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ExchangeServer]:
    running = ExchangeServer(tmp_path)
    running.box(ADDRESS)
    yield running
    running.stop()


@pytest.fixture
def state() -> RememberedState:
    return RememberedState()


def opened(server: ExchangeServer, state: RememberedState, **options: object) -> RoundMailbox:
    return exchange_from_settings("breach", server.options(ADDRESS, **options), state, now)


def sender(server: ExchangeServer, state: RememberedState) -> ExchangeSender:
    return ExchangeSender("breach", server.options(ADDRESS), "intake@ministry.example", state, now)


def test_a_quiet_look_is_one_question(server: ExchangeServer, state: RememberedState) -> None:
    box = opened(server, state)
    list(box.changes())
    server.asked.clear()

    assert list(box.changes()) == []

    assert server.asked == ["SyncFolderItems"]
    box.close()


def test_a_mail_costs_one_question_and_one_move(server: ExchangeServer, state: RememberedState) -> None:
    box = opened(server, state)
    list(box.changes())
    server.deliver(ADDRESS, RAW)
    (first,) = box.changes()
    box.done(first.remote_id)
    server.deliver(ADDRESS, RAW)
    server.asked.clear()

    (arrival,) = box.changes()
    box.done(arrival.remote_id)

    assert server.asked == ["SyncFolderItems", "GetItem", "MoveItem"]
    box.close()


@pytest.mark.parametrize("error", ["ErrorInvalidSyncStateData", "ErrorSyncFolderNotFound"])
def test_a_state_that_the_server_knows_no_more_begins_the_round_anew(
    server: ExchangeServer, state: RememberedState, error: str
) -> None:
    box = opened(server, state)
    list(box.changes())
    server.deliver(ADDRESS, RAW, RAW + b"2")
    server.fails.append(error)

    assert [a.raw for a in box.changes()] == [RAW, RAW + b"2"]
    box.close()


def test_new_mail_rings_and_is_seen_within_a_second(server: ExchangeServer, state: RememberedState) -> None:
    box = opened(server, state)
    list(box.changes())
    box.wait(1)
    list(box.changes())  # the first stream rang when it was opened
    threading.Timer(0.3, lambda: server.deliver(ADDRESS, RAW)).start()
    began = time.monotonic()

    assert box.wait(20)

    assert time.monotonic() - began < 2
    assert [a.raw for a in box.changes()] == [RAW]
    box.close()


def test_without_streams_the_folder_is_looked_at_by_the_clock(server: ExchangeServer, state: RememberedState) -> None:
    server.streaming = False
    box = opened(server, state, poll_seconds=0.2)
    list(box.changes())
    server.deliver(ADDRESS, RAW)
    end = time.monotonic() + 10

    while not (found := list(box.changes())) and time.monotonic() < end:
        box.wait(60)

    assert [a.raw for a in found] == [RAW]
    box.close()


def test_a_stream_of_one_mailbox_does_not_stop_the_questions_of_another_with_the_same_account(
    server: ExchangeServer, state: RememberedState
) -> None:
    boxes = [opened(server, RememberedState()) for _ in range(4)]
    for box in boxes:
        list(box.changes())
        box.wait(0.3)
    began = time.monotonic()

    for box in boxes:
        list(box.changes())

    assert time.monotonic() - began < 5
    for box in boxes:
        box.close()


@pytest.mark.parametrize("how", ["cut", "garbage", 500, 503, "ErrorInternalServerError", "ErrorCorruptData"])
def test_an_answer_that_is_none_is_try_later_at_once_and_the_next_pass_goes_on(
    server: ExchangeServer, state: RememberedState, how: int | str
) -> None:
    server.deliver(ADDRESS, RAW)
    box = opened(server, state)
    server.fails.append(how)
    began = time.monotonic()

    with pytest.raises(TryLater, match="[Mm]ailbox breach"):
        list(box.changes())

    assert time.monotonic() - began < 5  # the library itself must not wait
    assert [a.raw for a in box.changes()] == [RAW]
    box.close()


def test_a_server_that_is_busy_is_left_alone(server: ExchangeServer, state: RememberedState) -> None:
    box = opened(server, state)
    server.fails.append("ErrorServerBusy")

    with pytest.raises(TryLater, match="asks us to wait") as later:
        list(box.changes())

    assert later.value.after >= 10


def test_a_wrong_password_is_said_and_not_tried_again_at_once(
    server: ExchangeServer, state: RememberedState, tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("wrong")

    with pytest.raises(TryLater, match="refused the account or its password") as refused:
        list(opened(server, state, password_file=str(tmp_path / "wrong")).changes())

    assert refused.value.after >= 60
    assert PASSWORD not in refused.value.for_staff


def test_a_server_of_a_windows_domain_is_signed_in_to_by_ntlm(
    server: ExchangeServer, state: RememberedState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b"From: Ana <ana@p.org.nz>\r\nSubject: Our form\r\n\r\nKia ora\r\n"
    users = tmp_path / "users"
    users.write_text(":".join((*USER.split("\\"), PASSWORD)) + "\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))  # where the acceptor looks
    server.ntlm = True
    server.deliver(ADDRESS, raw)
    box = opened(server, state, auth="ntlm")

    (arrival,) = box.changes()
    box.done(arrival.remote_id)

    assert arrival.raw == raw
    assert len(server.lying(ADDRESS, "Processed")) == 1
    box.close()
    server.password_file.write_text("wrong\n")
    refused = opened(server, state, auth="ntlm")
    with pytest.raises(TryLater, match="refused the account or its password"):
        list(refused.changes())
    refused.close()


@pytest.mark.parametrize("error", ["ErrorAccessDenied", "ErrorNonExistentMailbox"])
def test_an_account_that_may_not_open_the_mailbox_says_what_to_give_it(
    server: ExchangeServer, state: RememberedState, error: str
) -> None:
    server.fails.append(error)

    with pytest.raises(TryLater, match="full access to this mailbox") as denied:
        list(opened(server, state).changes())

    assert denied.value.after >= 60


def test_a_certificate_that_nobody_vouches_for_is_refused_whatever_the_environment_says(
    server: ExchangeServer, state: RememberedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.https.ca_file))

    with pytest.raises(TryLater):
        list(opened(server, state, ca_file="").changes())

    assert server.asked == []


def test_mail_that_may_not_be_moved_is_kept_once_and_said_and_new_mail_comes_all_the_same(
    server: ExchangeServer, state: RememberedState
) -> None:
    server.deliver(ADDRESS, RAW)
    server.no_moves = True
    box = opened(server, state)
    (arrival,) = box.changes()
    with pytest.raises(Refused, match="does not let us move"):
        box.done(arrival.remote_id)
    server.deliver(ADDRESS, RAW + b"2")

    found = []
    with pytest.raises(Refused):
        for each in box.changes():
            found.append(each)
    assert [a.raw for a in found] == [RAW + b"2"]

    server.no_moves = False
    assert [a.raw for a in box.changes()] == [RAW + b"2"]
    assert server.lying(ADDRESS, "Processed") == [RAW]
    box.close()


def test_a_folder_for_processed_mail_that_somebody_removed_is_made_again(
    server: ExchangeServer, state: RememberedState
) -> None:
    server.deliver(ADDRESS, RAW, RAW + b"2")
    box = opened(server, state)
    first, second = box.changes()
    box.done(first.remote_id)
    server.box(ADDRESS).folders.discard("Processed")

    box.done(second.remote_id)

    assert RAW + b"2" in server.lying(ADDRESS, "Processed")
    box.close()


def test_a_mail_above_the_limit_is_not_fetched_whole_and_waits_in_held(
    server: ExchangeServer, state: RememberedState
) -> None:
    giant = RAW + b"x" * 2_000_000
    server.deliver(ADDRESS, giant)
    box = opened(server, state, max_message_bytes=1_000_000)

    (arrival,) = box.changes()
    box.done(arrival.remote_id)

    first, _, rest = arrival.raw.partition(b"\r\n")
    assert first.startswith(PART_HEADER) and b"of=%d" % len(giant) in first
    assert rest.startswith(b"From: a@provider.example\r\nSubject: Notice\r\n\r\nOur laptop was stolen.")
    assert server.lying(ADDRESS, "Held") == [giant]
    box.close()


def test_a_token_opens_the_mailbox_and_one_that_ended_is_replaced(
    server: ExchangeServer, state: RememberedState, tmp_path: Path
) -> None:
    tokens = TokenServer(tmp_path / "tokens")
    tokens.issue = lambda scope: _good(server, f"token-{tokens.asked}")
    both = tmp_path / "both.pem"
    both.write_bytes(server.https.ca_file.read_bytes() + tokens.https.ca_file.read_bytes())
    options = {**tokens.options, "auth": "oauth", "ca_file": str(both), "password_file": ""}
    box = opened(server, state, **options)
    server.deliver(ADDRESS, RAW)
    (arrival,) = box.changes()
    server.good_tokens.clear()

    box.done(arrival.remote_id)

    assert tokens.asked == 2
    assert server.lying(ADDRESS, "Processed") == [RAW]
    box.close()
    tokens.stop()


def _good(server: ExchangeServer, token: str) -> str:
    server.good_tokens.add(token)
    return token


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "outlook.office365.com"}, "has closed EWS; use kind = “graph”"),
        ({"host": "https://mail.ministry.example/EWS"}, "without https://"),
        ({"account": "breach"}, "the address of the mailbox"),
        ({"auth": "digest"}, "ntlm, basic or oauth"),
        ({"version": "2010"}, "2016, 2019 or se"),
        ({"password": "x"}, "must not stand in the settings file"),
        ({"password_file": ""}, "give one of password_file and password_env"),
        ({"held": "INBOX"}, "three different folders"),
    ],
)
def test_options_that_cannot_work_stop_the_start(
    server: ExchangeServer, state: RememberedState, options: dict[str, object], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        opened(server, state, **options)


def test_the_library_is_loaded_by_nobody_who_has_no_such_mailbox() -> None:
    program = (
        "import sys, intake.wiring, workers.collect, intake.adapters.exchange, intake.adapters.imap\n"
        "print([name for name in ('exchangelib', 'msal', 'httpx', 'requests') if name in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"


# ---- what leaves -----------------------------------------------------------------------------------


def test_a_mail_leaves_with_our_own_bytes_and_the_same_number_on_every_try(
    server: ExchangeServer, state: RememberedState
) -> None:
    sending = sender(server, state)
    server.fails.append("cut")
    with pytest.raises(TryLater):
        sending.send(MAIL)
    sending.send(replace(MAIL, attempt=2, headers=(("Auto-Submitted", "auto-replied"),)))

    (sent,) = server.box(ADDRESS).sent
    assert b"Message-ID: <one@ministry.example>\r\n" in sent
    assert b"Auto-Submitted: auto-replied\r\n" in sent and b"From: intake@ministry.example\r\n" in sent


@pytest.mark.parametrize("error", ["ErrorInvalidRecipients", "ErrorMessageSizeExceeded"])
def test_a_mail_that_the_server_never_takes_is_refused_for_good(
    server: ExchangeServer, state: RememberedState, error: str
) -> None:
    sending = sender(server, state)
    server.fails.append(error)

    with pytest.raises(Refused, match=error):
        sending.send(MAIL)
