"""Mails that leave: each once, with one Message-ID, tried until an end that people see."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from intake.adapters.store import open_store
from intake.adapters.store.outbox import TRIES
from intake.adapters.store.sql import SqlStore
from tests.contract.samples import filing, kept, mail, opened
from tests.support.stores import SetClock


def test_a_claimed_mail_is_whole(store: SqlStore) -> None:
    opened(store)

    (claimed,) = store.claim_mails(10, 60)

    assert (claimed.to, claimed.subject, claimed.body) == ("Mere@kowhai.example", "We have your notice", "Thank you.")
    assert (claimed.case, claimed.attempt) == ("BN-0001-A", 1)
    assert claimed.headers == (("Auto-Submitted", "auto-replied"),)
    assert store.claim_mails(10, 60) == ()


def test_the_message_id_is_the_same_over_every_try_and_another_for_each_mail(store: SqlStore, clock: SetClock) -> None:
    opened(store, 1)
    opened(store, 2)
    first, second = store.claim_mails(10, 60)
    store.mail_failed(first, "451 later", permanent=False)

    clock.forward(hours=1)
    (again,) = store.claim_mails(10, 60)

    assert again.message_id == first.message_id
    assert again.attempt == 2
    assert first.message_id != second.message_id
    assert first.message_id.endswith("@intake.invalid>")


def test_nobody_can_work_out_a_message_id_and_say_that_the_mail_came_back(store: SqlStore) -> None:
    opened(store, 1, mails=((0, mail("ask:BN-0001-A:3")),))
    claimed = store.claim_mails(10, 60)[-1]
    guessed = hashlib.sha256(b"ask:BN-0001-A:3").hexdigest()[:40]
    assert guessed not in claimed.message_id


def test_the_message_id_carries_the_domain_that_the_mail_comes_from(store: SqlStore, clock: SetClock) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    ours = open_store(url, clock, "ministry.example")
    ours.queue_mail(None, mail("x"), "system")

    (claimed,) = ours.claim_mails(1, 60)
    ours.close()

    assert claimed.message_id.endswith("@ministry.example>")


def test_the_same_acknowledgement_is_queued_once(store: SqlStore) -> None:
    opened(store, 1, mails=((0, mail("ack:same")),))
    opened(store, 2, mails=((0, mail("ack:same")), (0, mail("ack:other"))))

    assert [m.case for m in store.mails()] == ["BN-0002-A", "BN-0001-A"]
    case = store.case("BN-0002-A")
    assert case is not None
    assert [e.action for e in case.events].count("mail_queued") == 1


def test_a_sent_mail_is_on_record(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    (claimed,) = store.claim_mails(10, 60)
    clock.forward(seconds=2)

    store.mail_sent(claimed)

    (sent,) = store.mails()
    assert (sent.state, sent.sent_at, sent.attempts, sent.case) == ("sent", clock(), 1, "BN-0001-A")
    case = store.case("BN-0001-A")
    assert case is not None
    assert case.events[-1].action == "mail_sent"
    assert case.messages[-1].state == "sent"


def test_a_refused_mail_is_failed_at_once_and_seen_on_its_case(store: SqlStore) -> None:
    opened(store)
    (claimed,) = store.claim_mails(10, 60)

    store.mail_failed(claimed, "550 no such address", permanent=True)

    (failed,) = store.mails()
    assert (failed.state, failed.error) == ("failed", "550 no such address")
    case = store.case("BN-0001-A")
    assert case is not None
    assert case.events[-1].action == "mail_failed"
    assert store.claim_mails(10, 60) == ()


def test_a_mail_is_tried_for_nearly_two_days_with_growing_waits(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    start = clock()
    waits: list[timedelta] = []
    tries = 0
    while True:
        found = store.claim_mails(1, 60)
        if not found:
            if store.mails()[0].state == "failed":
                break
            clock.forward(minutes=1)
            continue
        tries += 1
        waits.append(clock() - start)
        store.mail_failed(found[0], "451 try again", permanent=False)

    assert tries == TRIES
    assert waits[1] == timedelta(minutes=1)
    assert timedelta(hours=40) < waits[-1] < timedelta(hours=48)


def test_a_mail_whose_sender_died_is_tried_again_and_the_dead_one_cannot_speak(
    store: SqlStore, clock: SetClock
) -> None:
    opened(store)
    (dead,) = store.claim_mails(10, 60)
    clock.forward(seconds=61)
    assert store.sweep() == 1
    (alive,) = store.claim_mails(10, 60)

    store.mail_failed(dead, "late", permanent=True)
    assert store.mails()[0].state == "sending"
    store.mail_sent(alive)
    store.mail_sent(alive)

    assert store.mails()[0].state == "sent"
    case = store.case("BN-0001-A")
    assert case is not None
    assert [e.action for e in case.events].count("mail_sent") == 1


def test_how_many_went_to_an_address_is_known_for_the_caps(store: SqlStore, clock: SetClock) -> None:
    opened(store, 1)
    early = clock()
    clock.forward(minutes=30)
    opened(store, 2)
    store.file(filing(kept(store, 3), "BN-0003-A", mails=((0, mail("x", to="other@rata.example")),)))

    assert store.mails_to("mere@KOWHAI.example", early) == 2
    assert store.mails_to("mere+again@kowhai.example", early) == 2, "it is the same inbox"
    assert store.mails_to("mere@kowhai.example", early + timedelta(seconds=1)) == 1
    assert store.mails_to("", early) == 3
    assert store.mails_to("nobody@rata.example", early) == 0
    assert len(store.mails(limit=2)) == 2
