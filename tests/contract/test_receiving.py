"""What the durable accept promises, on each engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intake.adapters.store import open_store
from intake.adapters.store.sql import SqlStore
from intake.domain.errors import TryLater
from intake.domain.model import OutcomeCode
from tests.contract.samples import AT, filing, kept, to_keep


def test_what_was_kept_comes_back_as_it_was_given(store: SqlStore) -> None:
    item = to_keep(1, remote_id="7:1", mailbox="breach")

    (delivery,) = store.keep([item])

    assert delivery.new
    assert delivery.outcome is None
    assert (delivery.channel, delivery.mailbox, delivery.remote_id) == ("imap", "breach", "7:1")
    assert delivery.received_at == AT
    assert (delivery.raw.content_key, delivery.raw.size, delivery.raw.blob) == (item.content_key, item.size, item.blob)
    assert store.delivery(delivery.id) == replace(delivery, new=False)
    with pytest.raises(KeyError):
        store.delivery(delivery.id + 1)


def test_many_are_kept_in_the_order_given_with_one_job_each(store: SqlStore) -> None:
    items = [to_keep(n) for n in (3, 1, 2)] + [to_keep(4, mailbox="other"), to_keep(5, channel="web", remote_id="x")]

    deliveries = store.keep(items)

    assert [d.raw.content_key for d in deliveries] == [i.content_key for i in items]
    assert store.job_counts()["due"] == 5
    first = sorted(d.id for d in deliveries)[:3]
    assert [d.id for d in store.deliveries_waiting(3)] == first


def test_the_same_delivery_kept_twice_is_one_delivery_and_one_job(store: SqlStore) -> None:
    first = kept(store, 1)

    again = kept(store, 1, blob="aa/bb/" + "f" * 32)
    together = store.keep([to_keep(1), to_keep(2), to_keep(2)])

    assert again == replace(first, new=False)
    assert [d.new for d in together] == [False, True, False]
    assert store.job_counts()["due"] == 2
    assert store.outcomes()["deliveries"] == 2


def test_the_same_message_by_two_ways_is_one_message_and_two_deliveries(store: SqlStore) -> None:
    one = kept(store, 1)

    two = kept(store, 2, content=1, mailbox="other")

    assert two.new
    assert two.id != one.id
    assert two.raw == one.raw
    assert store.outcomes() == {
        "messages": 1,
        "deliveries": 2,
        "waiting": 2,
        "missing": 0,
        "outcomes": dict.fromkeys([code.value for code in OutcomeCode], 0),
    }


def test_nothing_is_kept_when_one_of_many_cannot_be(store: SqlStore) -> None:
    naive = replace(to_keep(2), received_at=AT.replace(tzinfo=None))

    with pytest.raises(Exception, match="without a zone"):
        store.keep([to_keep(1), naive])

    assert store.outcomes()["messages"] == 0
    assert store.claim(["process"], 10, 60, "w") == ()


def test_a_collector_can_ask_what_it_has_kept(store: SqlStore) -> None:
    one, two = store.keep([to_keep(1), to_keep(2)])
    store.file(filing(one))

    found = store.deliveries_of("imap", "default", ["7:1", "7:2", "7:99"])

    assert {d.remote_id: d.outcome for d in found} == {"7:1": OutcomeCode.CASE_OPENED, "7:2": None}
    assert store.deliveries_of("imap", "elsewhere", ["7:1"]) == ()
    assert {d.id for d in found} == {one.id, two.id}


def test_the_oldest_that_waits_is_known(store: SqlStore) -> None:
    assert store.oldest_waiting() is None
    early = AT.replace(hour=1)
    one, _ = store.keep([to_keep(1, received_at=early), to_keep(2)])

    assert store.oldest_waiting() == early
    store.file(filing(one))
    assert store.oldest_waiting() == AT


def test_a_database_that_is_away_says_try_later(store: SqlStore) -> None:
    there = store.engine.url
    gone = open_store(str(there.set(database="not/there")), lambda: AT)
    with pytest.raises(TryLater):
        gone.keep([to_keep(1)])
    with pytest.raises(TryLater):
        gone.outcomes()


def test_what_came_from_one_mailbox_is_counted_apart(store: SqlStore) -> None:
    early = AT.replace(hour=1)
    one, two, *_ = store.keep(
        [
            to_keep(1),
            to_keep(2, received_at=early),
            to_keep(3, mailbox="assessments", received_at=AT.replace(hour=0)),
            to_keep(4, channel="import"),  # brought over by hand: it never lay in a folder of the mailbox
        ]
    )

    assert (store.kept_from("default"), store.kept_from("assessments"), store.kept_from("none")) == (2, 1, 0)
    assert store.waiting_from("default") == early
    store.file(filing(two))
    assert store.waiting_from("default") == one.received_at
    assert store.waiting_from("none") is None
