"""What every kind of mailbox must do, against its own server: nothing is lost, nothing is skipped, nothing is moved too early."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intake.domain.errors import TryLater
from intake.domain.model import Arrival
from intake.ports import Mailbox
from tests.support.places import NEW, PLACES, PROCESSED, Place, Servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp)
    yield running
    running.stop()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Place:
    return PLACES[request.param](servers, tmp_path)


@pytest.fixture
def box(place: Place) -> Iterator[Mailbox]:
    opened = place.open()
    yield opened
    opened.close()


def mail(number: int, body: str = "Our laptop was stolen.") -> bytes:
    lines = (
        "From: Aroha Example <aroha@provider.example>",
        "To: breach@ministry.example",
        f"Subject: Notice {number}",
        f"Message-ID: <notice-{number}@provider.example>",
        "",
        f"{number}: {body}",
        "",
    )
    return "\r\n".join(lines).encode()


def ends(mails: list[bytes]) -> list[bytes]:
    """What their senders wrote: a server may put lines of its own on top."""
    return [raw[raw.index(b"From: Aroha") :] for raw in mails]


def finish(box: Mailbox, arrivals: list[Arrival]) -> None:
    for arrival in arrivals:
        box.done(arrival.remote_id)


def test_the_bytes_are_those_that_the_server_holds_and_the_order_is_that_of_arrival(place: Place, box: Mailbox) -> None:
    body = "Kia ora from Kōwhai.\r\n\r\n.\r\n..two dots\r\nFrom here on trailing blanks   "
    place.deliver(mail(1, body))
    place.deliver(mail(2))
    place.deliver(mail(3))

    arrivals = list(box.changes())

    assert [a.raw for a in arrivals] == place.lying(NEW)
    assert ends([a.raw for a in arrivals]) == [mail(1, body), mail(2), mail(3)]
    assert len({a.remote_id for a in arrivals}) == 3
    assert {a.mailbox for a in arrivals} == {place.name} and {a.channel for a in arrivals} == {place.kind}


def test_the_time_is_that_at_which_the_server_took_the_mail(place: Place, box: Mailbox) -> None:
    at = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC) if place.keeps_dates else None
    before = datetime.now(UTC) - timedelta(seconds=5)
    place.deliver(mail(1), at=at)

    (arrival,) = box.changes()

    assert arrival.received_at == at if at else before < arrival.received_at <= datetime.now(UTC)


def test_a_mail_stays_in_its_folder_until_it_is_done_and_is_then_in_processed(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1), mail(2))
    arrivals = list(box.changes())
    assert len(place.lying(NEW)) == 2

    box.done(arrivals[0].remote_id)

    assert ends(place.lying(NEW)) == [mail(2)]
    assert ends(place.lying(PROCESSED)) == [mail(1)]


def test_what_was_not_done_comes_again_under_the_same_name_and_nothing_else_does(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1), mail(2))
    first, second = box.changes()
    box.done(second.remote_id)

    assert [a.remote_id for a in box.changes()] == [first.remote_id]
    box.close()
    again = place.open()  # a restart
    assert [(a.remote_id, a.raw) for a in again.changes()] == [(first.remote_id, first.raw)]
    again.close()


def test_a_reader_that_was_killed_in_the_middle_of_a_pass_skips_nothing(place: Place, box: Mailbox) -> None:
    place.deliver(*[mail(n) for n in range(5)])
    half = iter(box.changes())
    first = next(half)

    again = place.open()

    arrivals = list(again.changes())
    assert arrivals[0].remote_id == first.remote_id
    assert ends([a.raw for a in arrivals]) == [mail(n) for n in range(5)]
    again.close()


def test_a_state_that_is_lost_costs_nothing_but_a_longer_look(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1), mail(2))
    first, _ = box.changes()
    box.done(first.remote_id)
    box.close()
    place.state.states.clear()

    again = place.open()

    assert ends([a.raw for a in again.changes()]) == [mail(2)]
    again.close()


def test_mail_that_came_while_we_were_away_is_found_by_the_next_start(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1))
    finish(box, list(box.changes()))
    box.close()
    place.deliver(mail(2), mail(3))

    again = place.open()

    assert ends([a.raw for a in again.changes()]) == [mail(2), mail(3)]
    again.close()


def test_a_mail_that_staff_take_away_in_between_stops_nothing(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1))
    arrivals = list(box.changes())
    place.take_away()
    place.deliver(mail(2))

    finish(box, arrivals)

    assert ends([a.raw for a in box.changes()]) == [mail(2)]


def test_a_mail_that_staff_move_back_comes_again(place: Place) -> None:
    box = place.open(reconcile_minutes=0.0001)
    place.deliver(mail(1), mail(2))
    finish(box, list(box.changes()))
    place.move_back()
    time.sleep(0.01)

    back = list(box.changes())

    assert ends([a.raw for a in back]) == [mail(1), mail(2)]
    finish(box, back)
    assert len(place.lying(PROCESSED)) == 2
    box.close()


def test_two_mails_with_equal_bytes_are_two_deliveries(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1))
    place.deliver(mail(1))

    arrivals = list(box.changes())
    finish(box, arrivals)

    assert len({a.remote_id for a in arrivals}) == 2
    assert len(place.lying(PROCESSED)) == 2


def test_more_mails_than_fit_into_one_answer_of_the_server_all_come(place: Place, box: Mailbox) -> None:
    place.deliver(*[mail(n) for n in range(130)])

    arrivals = list(box.changes())
    finish(box, arrivals)

    assert ends([a.raw for a in arrivals]) == [mail(n) for n in range(130)]
    assert place.lying(NEW) == [] and len(place.lying(PROCESSED)) == 130


def test_a_server_that_is_away_is_try_later_and_the_next_pass_goes_on(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1))
    (arrival,) = box.changes()
    with place.away(), pytest.raises(TryLater) as said:
        list(box.changes())
    assert place.name in said.value.for_staff and "provider.example" not in said.value.for_staff

    assert [a.remote_id for a in box.changes()] == [arrival.remote_id]
    box.done(arrival.remote_id)
    assert len(place.lying(PROCESSED)) == 1


def test_a_mail_that_could_not_be_moved_because_the_server_was_away_is_moved_later(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1))
    (arrival,) = box.changes()
    with place.away(), pytest.raises(TryLater):
        box.done(arrival.remote_id)

    finish(box, list(box.changes()))

    assert place.lying(NEW) == [] and len(place.lying(PROCESSED)) == 1


def test_new_mail_ends_the_wait(place: Place) -> None:
    box = place.open()
    list(box.changes())
    late = threading.Timer(0.5, lambda: place.deliver(mail(1)))
    late.start()
    began = time.monotonic()

    while not (found := list(box.changes())) and time.monotonic() - began < 10:
        box.wait(10)

    assert ends([a.raw for a in found]) == [mail(1)]
    assert time.monotonic() - began < 3
    late.join()
    box.close()


def test_a_wait_ends_when_its_time_is_over(place: Place, box: Mailbox) -> None:
    list(box.changes())
    began = time.monotonic()

    box.wait(0.4)

    assert time.monotonic() - began < 1.5


def test_the_count_is_what_lies_there(place: Place, box: Mailbox) -> None:
    place.deliver(mail(1), mail(2), mail(3))
    first, second, _ = box.changes()
    box.done(first.remote_id)
    box.done(second.remote_id)

    assert box.count() == (1, 2)
