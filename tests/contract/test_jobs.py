"""Jobs: each for one worker, fenced, and never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from intake import unopened
from intake.adapters.store.sql import SqlStore
from intake.ports import StaleJob
from tests.contract.samples import filing, kept, to_keep
from tests.support.stores import SetClock

TASKS = ["process", "suggest"]


def test_a_claimed_job_says_what_and_until_when(store: SqlStore, clock: SetClock) -> None:
    delivery = kept(store)

    (job,) = store.claim(TASKS, 10, 60, "worker-1")

    assert (job.task, job.subject, job.attempt) == ("process", delivery.id, 1)
    assert job.lease_until == clock() + timedelta(seconds=60)
    assert store.claim(TASKS, 10, 60, "worker-2") == ()
    assert store.job_counts() == {"due": 0, "later": 0, "leased": 1, "person": 0}


def test_only_the_tasks_asked_for_are_claimed_and_not_more_than_asked(store: SqlStore) -> None:
    store.keep([to_keep(n) for n in range(5)])

    assert store.claim(["suggest"], 10, 60, "w") == ()
    assert len(store.claim(TASKS, 2, 60, "w")) == 2
    assert len(store.claim(TASKS, 10, 60, "w")) == 3


def test_two_claimers_never_get_one_job(store: SqlStore) -> None:
    store.keep([to_keep(n) for n in range(60)])

    def drain(worker: str) -> list[int]:
        mine: list[int] = []
        while jobs := store.claim(TASKS, 3, 60, worker):
            mine += [job.id for job in jobs]
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [job for jobs in pool.map(drain, "abcd") for job in jobs]

    # A claimer may find nothing while another holds the last rows; what one leaves the next claim takes.
    claimed += [job.id for job in store.claim(TASKS, 100, 60, "last")]
    assert len(claimed) == len(set(claimed)) == 60


def test_reading_messages_goes_before_suggesting(store: SqlStore) -> None:
    store.file(filing(kept(store, 1), suggest=True))
    store.keep([to_keep(2)])

    assert [job.task for job in store.claim(TASKS, 10, 60, "w")] == ["process", "suggest"]


def test_a_job_tried_later_comes_back_when_its_time_has_come(store: SqlStore, clock: SetClock) -> None:
    kept(store)
    (job,) = store.claim(TASKS, 1, 60, "w")

    assert store.try_later(job, "The DNS is away.", 30, limit=3) == "due"

    assert store.claim(TASKS, 1, 60, "w") == ()
    assert store.job_counts()["later"] == 1
    clock.forward(seconds=31)
    (again,) = store.claim(TASKS, 1, 60, "w")
    assert again.attempt == 2


def test_after_the_last_attempt_the_job_is_for_a_person_and_comes_back_when_nobody_took_it(
    store: SqlStore, clock: SetClock
) -> None:
    kept(store)
    (job,) = store.claim(TASKS, 1, 60, "w")

    assert store.try_later(job, "It kills the reader.", 0, limit=1) == "person"

    assert store.job_counts()["person"] == 1
    assert store.claim(TASKS, 1, 60, "w") == ()
    clock.forward(minutes=3)
    assert store.sweep() == 1
    (again,) = store.claim(TASKS, 1, 60, "w")
    assert again.attempt == 2  # above the limit: the worker gives it to a person without trying


def test_what_no_machine_can_work_ends_as_a_case_for_a_person(store: SqlStore, clock: SetClock) -> None:
    delivery = kept(store)
    (job,) = store.claim(TASKS, 1, 60, "w")
    store.try_later(job, "It kills the reader.", 0, limit=1)

    (reference,) = store.file(unopened.filing(delivery, job, "OT-0001-A", "It could not be opened by machine."))

    row = store.case_row(reference)
    assert row is not None
    assert (row.kind, row.status, row.next_due, row.next_due_what) == (
        "other",
        "needs_person",
        delivery.received_at,
        "read",
    )
    assert row.reasons == ("It could not be opened by machine.",)
    assert store.counts()["needs_person"] == 1
    assert store.filed(delivery.id) == ("OT-0001-A",)
    assert store.job_counts() == {"due": 0, "later": 0, "leased": 0, "person": 0}


def test_a_finish_with_an_old_attempt_is_refused(store: SqlStore, clock: SetClock) -> None:
    delivery = kept(store)
    (slow,) = store.claim(TASKS, 1, 60, "slow")
    clock.forward(seconds=61)
    store.sweep()
    (fast,) = store.claim(TASKS, 1, 60, "fast")

    assert not store.finish(slow)
    assert store.try_later(slow, "late", 0, limit=3) == "stale"
    with pytest.raises(StaleJob):
        store.file(filing(delivery, job=slow))

    assert store.filed(delivery.id) is None
    assert store.case_row("BN-0001-A") is None
    assert store.mails() == ()
    assert store.file(filing(delivery, job=fast)) == ("BN-0001-A",)
    assert not store.finish(fast)


def test_the_sweeper_takes_up_what_a_dead_worker_left(store: SqlStore, clock: SetClock) -> None:
    kept(store)
    store.claim(TASKS, 1, 60, "dead")
    assert store.sweep() == 0

    clock.forward(seconds=61)

    assert store.sweep() == 1
    assert [job.attempt for job in store.claim(TASKS, 1, 60, "w")] == [2]


def test_the_sweeper_gives_a_job_to_a_delivery_that_has_none(store: SqlStore) -> None:
    delivery = kept(store)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
    assert store.outcomes()["missing"] == 1

    assert store.sweep() == 1

    assert store.outcomes()["missing"] == 0
    assert [job.subject for job in store.claim(TASKS, 1, 60, "w")] == [delivery.id]


def test_the_sweeper_reopens_a_job_that_ended_without_an_outcome(store: SqlStore) -> None:
    kept(store)
    (job,) = store.claim(TASKS, 1, 60, "w")
    assert store.finish(job)
    assert store.outcomes()["missing"] == 1

    assert store.sweep() == 1

    assert len(store.claim(TASKS, 1, 60, "w")) == 1


def test_the_sweeper_leaves_alone_what_is_well(store: SqlStore, clock: SetClock) -> None:
    store.file(filing(kept(store, 1)))
    store.keep([to_keep(2)])
    clock.forward(days=1)

    assert store.sweep() == 0
