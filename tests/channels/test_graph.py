"""Exchange Online by Microsoft Graph: what its own service does that others do not. The rest is in the contract of every mailbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.adapters.graph import graph_from_settings
from intake.adapters.graph_send import GraphSender
from intake.adapters.rounds import RoundMailbox
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.domain.too_large import PART_BYTES, PART_HEADER
from intake.ports import OutgoingMail
from intake.receive import in_groups
from tests.support.graph_server import PAGE, GraphServer
from tests.support.places import RememberedState
from tests.support.token_server import SECRET

ADDRESS = "breach@ministry.example"
RAW = b"From: a@provider.example\r\nSubject: Notice\r\n\r\nOur laptop was stolen.\r\n"
MAIL = OutgoingMail(1, "<one@ministry.example>", "office@trust.example", "We have it", "Kia ora\n", None, 1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GraphServer]:
    running = GraphServer(tmp_path)
    running.box(ADDRESS)
    yield running
    running.stop()


@pytest.fixture
def state() -> RememberedState:
    return RememberedState()


def opened(server: GraphServer, state: RememberedState, **options: object) -> RoundMailbox:
    return graph_from_settings("breach", server.options(ADDRESS, **options), state, now)


def sender(server: GraphServer, state: RememberedState) -> GraphSender:
    return GraphSender("breach", server.options(ADDRESS), "intake@ministry.example", state, now)


def test_every_request_asks_for_ids_that_stay(server: GraphServer, state: RememberedState) -> None:
    server.deliver(ADDRESS, RAW)
    box = opened(server, state)
    (arrival,) = box.changes()
    box.done(arrival.remote_id)
    box.count()
    sender(server, state).send(MAIL)

    assert server.without_immutable_ids == 0
    assert server.box(ADDRESS).items[arrival.remote_id].folder == server.box(ADDRESS).folders["Processed"]


def test_a_mail_that_the_service_cannot_hand_over_holds_up_no_other(
    server: GraphServer, state: RememberedState
) -> None:
    mails = [RAW + b"%d" % n for n in range(4)]
    server.deliver(ADDRESS, *mails)
    server.broken = {mails[1]}
    box = opened(server, state)
    for _ in range(2):
        with pytest.raises(TryLater):
            for group in in_groups(box.changes()):
                for arrival in group:
                    box.done(arrival.remote_id)

    assert server.lying(ADDRESS, "Inbox") == [mails[1]]

    server.broken.clear()
    assert [a.raw for a in box.changes()] == [mails[1]]


def test_a_mail_that_the_service_cannot_move_holds_up_none_that_come_after_it(
    server: GraphServer, state: RememberedState
) -> None:
    mails = [RAW + b"%d" % n for n in range(3)]
    server.deliver(ADDRESS, *mails[:2])
    server.stuck = {mails[0]}
    box = opened(server, state)
    first, second = box.changes()
    with pytest.raises(TryLater):
        box.done(first.remote_id)
    box.done(second.remote_id)
    server.deliver(ADDRESS, mails[2])

    found = []
    with pytest.raises(TryLater):
        for arrival in box.changes():
            found.append(arrival.raw)
            box.done(arrival.remote_id)

    assert found == [mails[2]]
    server.stuck.clear()
    assert list(box.changes()) == []
    assert server.lying(ADDRESS, "Inbox") == []


def test_a_quiet_look_is_one_request_and_leaves_the_place_where_it_was(
    server: GraphServer, state: RememberedState
) -> None:
    box = opened(server, state)
    list(box.changes())
    server.asked.clear()

    assert list(box.changes()) == []

    assert len(server.asked) == 1 and server.asked[0].endswith("/delta")


def test_a_place_that_is_too_old_begins_the_round_anew_and_skips_nothing(
    server: GraphServer, state: RememberedState
) -> None:
    box = opened(server, state)
    list(box.changes())
    server.deliver(ADDRESS, RAW, RAW + b"2")
    server.forget_places(ADDRESS)

    assert [a.raw for a in box.changes()] == [RAW, RAW + b"2"]


def test_a_mail_that_somebody_moved_out_and_back_is_found_by_the_next_whole_round(
    server: GraphServer, state: RememberedState
) -> None:
    server.deliver(ADDRESS, RAW)
    box = opened(server, state, reconcile_minutes=0.02)
    (arrival,) = box.changes()
    box.done(arrival.remote_id)
    server.move_back(ADDRESS)
    assert list(box.changes()) == []  # the changes do not name it
    time.sleep(1.3)

    (back,) = box.changes()

    assert back.remote_id == arrival.remote_id


@pytest.mark.parametrize(
    ("status", "wait", "at_least"), [(429, "17", 17), (503, "9", 9), (503, "", 30), (504, "x", 30)]
)
def test_a_service_that_is_busy_is_left_alone_for_as_long_as_it_says(
    server: GraphServer, state: RememberedState, status: int, wait: str, at_least: float
) -> None:
    box = opened(server, state)
    server.fails.append((status, wait))

    with pytest.raises(TryLater, match=f"asks us to wait .code {status}") as later:
        list(box.changes())

    assert later.value.after == at_least
    assert list(box.changes()) == []


def cut_page(server: GraphServer, after: int) -> None:
    """The request for the page that comes after so many others is cut."""
    real, seen = server.asked, 0

    class Watched(list[str]):
        def append(self, asked: str) -> None:
            nonlocal seen
            super().append(asked)
            if asked.endswith("/messages/delta"):
                if seen == after:
                    server.fails.append("cut")
                    server.asked = real
                seen += 1

    server.asked = Watched()


def test_a_round_that_breaks_off_between_its_pages_begins_anew_and_skips_nothing(
    server: GraphServer, state: RememberedState
) -> None:
    mails = [RAW + str(n).encode() for n in range(3 * PAGE)]
    server.deliver(ADDRESS, *mails)
    box = opened(server, state)
    for broken_after in (0, 1, 2):
        server.asked.clear()
        cut_page(server, broken_after)
        with pytest.raises(TryLater):
            list(box.changes())

    assert [a.raw for a in box.changes()] == mails


@pytest.mark.parametrize("how", ["cut", "garbage", 500])
def test_an_answer_that_is_none_is_try_later_and_the_next_pass_goes_on(
    server: GraphServer, state: RememberedState, how: str | int
) -> None:
    server.deliver(ADDRESS, RAW)
    box = opened(server, state)
    server.fails.append(how)

    with pytest.raises(TryLater, match="[Mm]ailbox breach"):
        list(box.changes())

    assert [a.raw for a in box.changes()] == [RAW]


def test_a_token_that_ended_early_is_replaced_once(server: GraphServer, state: RememberedState) -> None:
    server.deliver(ADDRESS, RAW)
    box = opened(server, state)
    list(box.changes())
    server.good_tokens.clear()

    (arrival,) = box.changes()
    server.good_tokens.clear()
    box.done(arrival.remote_id)

    assert server.tokens.asked == 3
    assert server.lying(ADDRESS, "Processed") == [RAW]


def test_an_application_that_may_not_open_the_mailbox_says_what_to_give_it(
    server: GraphServer, state: RememberedState
) -> None:
    server.denied.add(ADDRESS)

    with pytest.raises(TryLater, match="Application Mail.ReadWrite") as denied:
        list(opened(server, state).changes())

    assert denied.value.after >= 60
    assert ADDRESS not in denied.value.for_staff and SECRET not in denied.value.for_staff


def test_an_address_without_a_mailbox_is_said(server: GraphServer, state: RememberedState) -> None:
    box = graph_from_settings("breach", server.options("nobody@ministry.example"), state, now)

    with pytest.raises(TryLater, match="There is no mailbox at the address of breach"):
        list(box.changes())


def test_mail_that_may_not_be_moved_is_kept_once_and_said_and_new_mail_comes_all_the_same(
    server: GraphServer, state: RememberedState
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
        found += list(box.changes())  # everything is yielded first
    with pytest.raises(Refused):
        for each in box.changes():
            found.append(each)
    assert [a.raw for a in found] == [RAW + b"2"]

    server.no_moves = False
    assert [a.raw for a in box.changes()] == [RAW + b"2"]
    assert server.lying(ADDRESS, "Processed") == [RAW]


def test_a_folder_for_processed_mail_that_somebody_removed_is_made_again(
    server: GraphServer, state: RememberedState
) -> None:
    server.deliver(ADDRESS, RAW, RAW + b"2")
    box = opened(server, state)
    first, second = box.changes()
    box.done(first.remote_id)
    del server.box(ADDRESS).folders["Processed"]

    box.done(second.remote_id)

    assert server.lying(ADDRESS, "Processed") == [RAW + b"2"]


def test_a_mail_above_the_limit_is_fetched_and_kept_in_part_and_waits_in_held(
    server: GraphServer, state: RememberedState
) -> None:
    server.deliver(ADDRESS, RAW + b"x" * 2_000_000)
    box = opened(server, state, max_message_bytes=1_000_000)

    (arrival,) = box.changes()
    box.done(arrival.remote_id)

    first, _, rest = arrival.raw.partition(b"\r\n")
    assert first == PART_HEADER + b"; bytes=%d; of=%d; folder=held" % (PART_BYTES, len(RAW) + 2_000_000)
    assert rest == (RAW + b"x" * 2_000_000)[:PART_BYTES]
    assert len(server.lying(ADDRESS, "Held")) == 1


def test_a_folder_of_any_name_is_read_and_one_that_is_missing_is_said(
    server: GraphServer, state: RememberedState
) -> None:
    box = opened(server, state, folder="Ministry's pānui")
    with pytest.raises(TryLater, match="The folder Ministry's pānui of mailbox breach is not there"):
        list(box.changes())
    server.box(ADDRESS).folders["Ministry's pānui"] = "folder-own"
    server.deliver(ADDRESS, RAW)
    next(iter(server.box(ADDRESS).items.values())).folder = "folder-own"

    assert [a.raw for a in box.changes()] == [RAW]


def test_another_application_for_the_same_mailbox_is_refused_until_it_is_accepted(
    server: GraphServer, state: RememberedState
) -> None:
    list(opened(server, state).changes())
    assert state.mailbox_state("breach").account == f"{ADDRESS} by client-1@tenant-1"

    with pytest.raises(TryLater, match="mailbox accept breach"):
        list(opened(server, state, client_id="client-2").changes())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mailbox": "breach"}, "the address of the mailbox"),
        ({"endpoint": "http://graph.example"}, "must begin with https://"),
        ({"processed": "inbox"}, "three different folders"),
        ({"poll_seconds": 0}, "above 0"),
        ({"mailbx": "x"}, "no option “mailbx”"),
    ],
)
def test_options_that_cannot_work_stop_the_start(
    server: GraphServer, state: RememberedState, options: dict[str, object], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        opened(server, state, **options)


# ---- what leaves -----------------------------------------------------------------------------------


def test_a_mail_leaves_with_our_own_bytes_and_the_same_number_on_every_try(
    server: GraphServer, state: RememberedState
) -> None:
    sending = sender(server, state)
    server.fails.append("cut")
    with pytest.raises(TryLater):
        sending.send(MAIL)
    sending.send(replace(MAIL, attempt=2, headers=(("Auto-Submitted", "auto-replied"),)))

    (sent,) = server.box(ADDRESS).sent
    assert b"Message-ID: <one@ministry.example>\r\n" in sent
    assert b"Auto-Submitted: auto-replied\r\n" in sent and b"From: intake@ministry.example\r\n" in sent


@pytest.mark.parametrize("status", [400, 413])
def test_a_mail_that_the_service_never_takes_is_refused_for_good(
    server: GraphServer, state: RememberedState, status: int
) -> None:
    sending = sender(server, state)
    server.fails.append(status)

    with pytest.raises(Refused, match=f"code {status}"):
        sending.send(MAIL)


@pytest.mark.parametrize(("status", "at_least"), [(500, 0), (429, 30), (403, 300)])
def test_a_service_that_cannot_take_it_now_gets_it_later(
    server: GraphServer, state: RememberedState, status: int, at_least: float
) -> None:
    sending = sender(server, state)
    server.fails.append(status)

    with pytest.raises(TryLater) as later:
        sending.send(MAIL)

    assert later.value.after >= at_least
