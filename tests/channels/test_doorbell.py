"""The doorbell on a real Valkey."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue

from intake.adapters.doorbell import DRAIN, QUEUE, NullDoorbell, RqDoorbell, listen
from intake.adapters.valkey import EmbeddedValkey
from intake.domain.errors import Misconfigured
from tests.support.running import until
from tests.support.servers import valkey_or_skip


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="vk") as folder:
        yield Path(folder)


@pytest.fixture
def valkey(short: Path) -> Iterator[EmbeddedValkey]:
    with valkey_or_skip(short / "valkey") as running:
        yield running


@contextmanager
def listening(url: str) -> Iterator[threading.Event]:
    heard, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=listen, args=(url, {DRAIN: heard.set}, stop), daemon=True)
    thread.start()
    yield heard
    stop.set()


def test_a_ring_is_heard_within_a_second(valkey: EmbeddedValkey) -> None:
    with listening(valkey.url) as heard:
        doorbell = RqDoorbell(valkey.url)
        for _ in range(3):
            heard.clear()
            doorbell.ring()
            assert heard.wait(5 if _ == 0 else 1)


def test_rings_that_nobody_heard_are_one(valkey: EmbeddedValkey) -> None:
    doorbell = RqDoorbell(valkey.url)
    for _ in range(50):
        doorbell.ring()

    queue = Queue(QUEUE, connection=Redis.from_url(valkey.url), serializer="json")
    assert queue.count == 1
    (job,) = queue.jobs
    assert (job.func_name, job.args, job.kwargs) == (DRAIN, [], {})


def test_a_task_that_is_not_on_the_list_is_never_run(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    queue = Queue(QUEUE, connection=Redis.from_url(valkey.url), serializer="json")
    queue.enqueue("os.mkdir", str(tmp_path / "planted"))
    with listening(valkey.url) as heard:
        RqDoorbell(valkey.url).ring()
        queue.enqueue(DRAIN)

        assert heard.wait(5)
        assert not (tmp_path / "planted").exists()


def test_a_ring_without_redis_raises_nothing_and_costs_little(tmp_path: Path) -> None:
    doorbell = RqDoorbell(f"unix://{tmp_path}/nobody.sock")
    doorbell.ring()  # the first one imports RQ
    began = time.monotonic()

    for _ in range(1000):
        doorbell.ring()

    assert time.monotonic() - began < 0.1
    assert not doorbell.alive()


def test_a_redis_that_hangs_costs_half_a_second_once(valkey: EmbeddedValkey) -> None:
    doorbell = RqDoorbell(valkey.url)
    doorbell.ring()
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(100):
            doorbell.ring()
        assert time.monotonic() - began < 1.5
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


def test_the_null_doorbell_is_silent() -> None:
    doorbell = NullDoorbell()
    doorbell.ring()

    assert not doorbell.alive()


def test_rings_are_heard_again_after_redis_was_wiped_killed_and_started_again(valkey: EmbeddedValkey) -> None:
    with listening(valkey.url) as heard:
        doorbell = RqDoorbell(valkey.url)
        doorbell.ring()
        assert heard.wait(5)

        heard.clear()
        Redis.from_url(valkey.url).flushall()
        doorbell.ring()
        assert heard.wait(2)

        heard.clear()
        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGKILL)
        until(lambda: valkey.ensure(), 5, "started again")

        def ring() -> bool:
            doorbell.ring()
            return heard.wait(0.2)

        until(ring, 10, "a ring after the restart")


def test_a_folder_with_a_long_path_gets_its_socket_in_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    with valkey_or_skip(deep) as running:
        assert len(str(running.socket)) < 100
        assert running.answers()
        assert (deep / "valkey.log").exists()


def test_a_second_server_on_the_same_folder_is_refused(valkey: EmbeddedValkey, short: Path) -> None:
    with pytest.raises(Misconfigured, match="Another one is at work"):
        EmbeddedValkey(short / "valkey").start()


def test_the_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with valkey_or_skip(tmp_path / "first") as running:
        assert running.answers()
    script = (
        "import os, sys, pathlib\n"
        "from intake.adapters.valkey import EmbeddedValkey\n"
        "server = EmbeddedValkey(pathlib.Path(sys.argv[1]))\n"
        "server.start()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "second")], timeout=30, check=False)

    again = EmbeddedValkey(tmp_path / "second")
    assert killed.returncode == -9
    until(lambda: not again.answers(), 5, "the orphan's end")
