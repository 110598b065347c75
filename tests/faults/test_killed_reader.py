"""Mail arrives while the reader is killed again and again, and Redis is wiped: real Dovecot, real Valkey, real processes."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from redis import Redis

from intake.adapters.valkey import EmbeddedValkey
from intake.ports import QueueFilter
from intake.wiring import Parts
from tests.support.dovecot import Dovecot
from tests.support.running import Site, until


def notice(number: int) -> bytes:
    return (
        f"From: Person {number} <person{number}@provider{number}.example>\r\nTo: breach@ministry.example\r\n"
        f"Subject: Notice {number}\r\nMessage-ID: <notice-{number}@provider{number}.example>\r\n\r\n"
        f"Our laptop number {number} was stolen.\r\n"
    ).encode()


def cases(parts: Parts) -> list[str]:
    """The subject number of every case's sender, as staff see the queue."""
    found, after = list[str](), None
    while rows := parts.store.queue(QueueFilter(), limit=100, after=after):
        found += [row.sender_line for row in rows]
        after = rows[-1].reference
    return found


def settled(parts: Parts, messages: int) -> bool:
    counted = parts.store.outcomes()
    return counted["messages"] == messages and counted["waiting"] == 0


def test_200_mails_and_a_reader_killed_ten_times_give_200_cases_and_an_empty_folder(
    dovecot: Dovecot, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    chance = random.Random(7)
    site = Site(tmp_path, {"breach": dovecot.options("killed")}, redis_url=valkey.url)
    parts = site.parts()
    kept_before_moved = 0
    try:
        assert parts.store.outcomes()["messages"] == 0  # the tables are there before anybody is killed
        site.start("work")
        for round_ in range(10):
            before = parts.store.outcomes()["messages"]
            dovecot.deliver("killed", *[notice(20 * round_ + n) for n in range(20)])
            reader = site.start("collect")
            until(lambda seen=before: parts.store.outcomes()["messages"] != seen, 30, f"mail in round {round_}")
            time.sleep(chance.choice((0.0, 0.0, 0.003, 0.01, 0.03)))  # among the moves, most often
            os.kill(reader.pid, signal.SIGKILL)
            reader.wait()
            kept_before_moved += bool(dovecot.count("killed"))
        site.start("collect")
        until(lambda: dovecot.count("killed") == 0, 30, "an empty folder")
        until(lambda: settled(parts, 200), 60, "an outcome for each")
    finally:
        site.stop()

    (counted,) = site.say("reconcile")
    assert counted["messages"] == counted["deliveries"] == 200
    assert counted["outcomes"]["case_opened"] == 200
    assert counted["waiting"] == counted["missing"] == 0
    senders = Counter(cases(parts))
    assert len(senders) == 200 and set(senders.values()) == {1}
    assert dovecot.count("killed", "Processed") == 200
    logs = site.log("work") + site.log("collect")
    assert "collected mailbox=breach" in logs and "job_done" in logs
    assert not [word for word in ("provider", "Person", "person", "laptop", "Notice") if word in logs]
    assert kept_before_moved, "no kill fell between the commit and the move: the test did not bite"


def test_a_redis_that_is_wiped_and_then_killed_costs_at_most_five_seconds(
    dovecot: Dovecot, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    site = Site(tmp_path, {"breach": dovecot.options("wiped")}, redis_url=valkey.url)
    parts = site.parts()
    try:
        assert parts.store.outcomes()["messages"] == 0
        site.start("work")
        site.start("collect")
        dovecot.deliver("wiped", *[notice(n) for n in range(20)])
        until(lambda: parts.store.outcomes()["messages"] != 0, 30, "the first mail")
        Redis.from_url(valkey.url).flushall()
        dovecot.deliver("wiped", *[notice(n) for n in range(20, 40)])
        until(lambda: settled(parts, 40), 30, "40 cases after the wipe")

        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGKILL)
        dovecot.deliver("wiped", *[notice(n) for n in range(40, 60)])
        until(lambda: parts.store.outcomes()["messages"] == 60, 10, "the mails are kept")
        waited = until(lambda: settled(parts, 60), 15, "60 cases without Redis")
    finally:
        site.stop()

    assert waited <= 5
    assert len(set(cases(parts))) == 60


def test_a_worker_killed_among_its_jobs_loses_none_and_opens_none_twice(dovecot: Dovecot, tmp_path: Path) -> None:
    chance = random.Random(11)
    site = Site(tmp_path, lease_seconds=2)
    parts = site.parts()
    drop = tmp_path / "in"
    drop.mkdir()
    try:
        for killed in range(5):  # work is kept for each, so that a fast machine does not run out of it
            for number in range(killed * 30, killed * 30 + 30):
                (drop / f"{number:03}.eml").write_bytes(notice(number))
            site.say("receive", str(drop), "--keep-only")
            before = parts.store.outcomes()["waiting"]
            worker = site.start("work")
            until(lambda seen=before: parts.store.outcomes()["waiting"] != seen, 30, "a case")
            time.sleep(chance.random() * 0.05)
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        site.start("work")
        until(lambda: settled(parts, 150), 60, "an outcome for each")
    finally:
        site.stop()

    (counted,) = site.say("reconcile")
    assert counted["outcomes"]["case_opened"] == 150
    assert Counter(Counter(cases(parts)).values()) == {1: 150}


def test_a_ring_brings_work_at_once_though_the_own_look_is_a_minute_away(
    valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    site = Site(tmp_path, redis_url=valkey.url, poll_seconds=60)
    parts = site.parts()
    try:
        assert parts.store.outcomes()["messages"] == 0
        worker = site.start("work")
        redis = Redis.from_url(valkey.url)
        until(lambda: bool(redis.exists("rq:workers")), 20, "a listening worker")
        time.sleep(0.5)
        (tmp_path / "one.eml").write_bytes(notice(1))
        site.say("receive", str(tmp_path / "one.eml"), "--keep-only")
        took = until(lambda: settled(parts, 1), 10, "the case")

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    finally:
        site.stop()

    assert took < 3
