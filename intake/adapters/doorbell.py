"""The doorbell: RQ on Redis wakes workers. Nothing but "look for work" is ever put there, so nothing is lost with
it.

A ring is one RQ job that names a task and carries no argument. Rings that nobody has heard yet coalesce: one
that waits covers whatever was committed before it. A worker runs only tasks on its list, whoever wrote to
Redis: with the JSON serialiser a job could otherwise name any function that can be imported.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

_log = logging.getLogger("intake.doorbell")

QUEUE = "intake"
DRAIN = "workers.jobs.drain"
_ANSWER_SECONDS = 0.5  # a ring waits no longer: the mail is kept already, and somebody waits for our answer
_SILENT_SECONDS = 5.0  # after a failed ring, so that a Redis that is away does not slow down every message
_AGAIN_SECONDS = 2.0  # before listening is tried again


class NullDoorbell:
    """Without Redis: workers find work by looking every few seconds."""

    def ring(self) -> None:
        return

    def alive(self) -> bool:
        return False


class RqDoorbell:
    """Rings by RQ. Never raises and never waits for long. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._silent_until = 0.0

    def ring(self) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            if self._queue.count == 0:
                self._queue.enqueue(DRAIN, result_ttl=0, failure_ttl=60, job_timeout=60)
        except Exception as error:  # noqa: BLE001 - best effort: the workers' own look finds the work
            self._silent_until = time.monotonic() + _SILENT_SECONDS
            _log.info("ring_failed error=%s", type(error).__name__)

    def alive(self) -> bool:
        try:
            return bool(self._queue.connection.ping())
        except Exception:  # noqa: BLE001 - asked for a state, not for a reason
            return False

    @cached_property
    def _queue(self) -> Any:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
        from rq import Queue

        connection = Redis.from_url(
            self._url,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        return Queue(QUEUE, connection=connection, serializer="json")


def listen(url: str, tasks: Mapping[str, Callable[[], object]], stop: threading.Event) -> None:
    """Run the tasks that are rung for, one at a time, in this thread, until `stop`; comes back whenever Redis does.

    tasks: the list of what may run, by the name that a job gives. Meant for a daemon thread: a wait for the next ring is not
    broken off, and needs no good-bye.
    """
    while not stop.is_set():
        try:
            _worker(url, tasks).work(logging_level="CRITICAL")
        except Exception as error:  # noqa: BLE001 - a door: whatever happens to Redis or RQ, listening goes on
            _log.info("listening_broke_off error=%s", type(error).__name__)
        stop.wait(_AGAIN_SECONDS)


def _worker(url: str, tasks: Mapping[str, Callable[[], object]]) -> Any:
    from redis import Redis
    from rq import SimpleWorker
    from rq.job import Job
    from rq.timeouts import TimerDeathPenalty

    class ListedJob(Job):
        @property
        def func(self) -> Callable[[], object]:
            name = str(self.func_name)
            if name not in tasks:
                raise PermissionError("this task is not on the list")
            return tasks[name]

    class Listener(SimpleWorker):
        """In a thread beside the loop that looks by itself: no signals, and back soon after Redis is."""

        death_penalty_class = TimerDeathPenalty
        max_connection_wait_time = _AGAIN_SECONDS

        def _install_signal_handlers(self) -> None:
            return

    return Listener([QUEUE], connection=Redis.from_url(url), serializer="json", job_class=ListedJob)
