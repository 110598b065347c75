"""Works on what was kept: claims jobs that are due and takes each message to its one visible end.

The database is the truth. Three things wake this loop, and the last alone is enough: a ring of the doorbell
(RQ, heard by a thread of this process that does nothing but wake the loop), the end of a job, and
`poll_seconds`. A sweeper gives back every 30 s what a killed worker held. `drain` is the task that a ring
names, by its path `workers.jobs.drain`, which must stay; a bare `rq worker intake` may run it too.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from intake.domain.errors import TryLater
from intake.pipeline import process
from intake.ports import Job, StaleJob
from intake.recheck import recheck
from intake.suggest import suggest
from intake.unopened import give_to_person
from intake.watch import watch
from workers import deliver, maintain
from workers.log import log_events
from workers.stopping import growing_wait, stop_on_signals

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.work")

_FIRST_RETRY, _LONGEST_RETRY = 5.0, 120.0  # seconds
_TRIES_OF_EXTRAS = 3  # as often as a sender is checked again when DNS gave no answer

Task = Callable[["Parts", Job], None]


def _process(parts: Parts, job: Job) -> None:
    process(parts, job.subject, job)


# Most urgent first: a later task is claimed only when nothing of the ones before is due.
TASKS: Mapping[str, Task] = {"process": _process, "recheck": recheck, "suggest": suggest}


def run_worker(parts: Parts, stop: threading.Event | None = None) -> None:
    """Work until SIGTERM or Ctrl-C (or `stop`): jobs, the outbox, and the sweeper. For the main thread unless `stop` is given."""
    wake = threading.Event()
    if stop is None:
        log_events()
        stop = stop_on_signals(wake.set)
    _refuse_settings(parts)
    sender = parts.mail_sender
    threads = [threading.Thread(target=deliver.run, args=(parts, sender, stop), name="deliver", daemon=True)]
    if parts.redis_url:
        threads.append(threading.Thread(target=_listen, args=(parts.redis_url, wake, stop), name="ring", daemon=True))
    for thread in threads:
        thread.start()
    try:
        _loop(parts, wake, stop)
    finally:
        stop.set()
        threads[0].join(timeout=5)
        parts.documents.close()


def drain(
    parts: Parts | None = None,
    stop: threading.Event | None = None,
    tasks: Mapping[str, Task] = TASKS,
    until: float = math.inf,
) -> int:
    """Work until nothing is due, or until that monotonic second; the number of jobs. Without `parts` (a bare RQ worker calls so) from
    the settings.
    """
    if parts is None:
        return _drain_alone()
    done = 0
    while not (stop and stop.is_set()) and time.monotonic() < until:
        job = _claimed(parts, tasks)
        if job is None:
            break
        _one(parts, job, tasks)
        done += 1
    return done


def _drain_alone() -> int:
    from intake import config
    from intake.wiring import build

    parts = build(config.load())
    _refuse_settings(parts)
    try:
        return drain(parts)
    finally:
        parts.documents.close()


def _refuse_settings(parts: Parts) -> None:
    """Raises Misconfigured for what would otherwise stop each message alone, and use up its tries."""
    _ = parts.documents, parts.mail_sender
    for box in parts.settings.mailboxes:
        parts.trust(box.name)


def _loop(parts: Parts, wake: threading.Event, stop: threading.Event) -> None:
    failures, sweep_at, tidy_at, watch_at = 0, 0.0, 0.0, 0.0
    while not stop.is_set():
        wake.clear()  # before the look: a ring during it makes another one
        try:
            if time.monotonic() >= sweep_at:
                maintain.sweep(parts)
                sweep_at = time.monotonic() + min(maintain.SWEEP_SECONDS, parts.settings.lease_seconds)
            drain(parts, stop, until=sweep_at)  # not longer: what a killed worker held may be more urgent than the rest
            if time.monotonic() >= tidy_at:
                maintain.tidy(parts)
                tidy_at = time.monotonic() + maintain.TIDY_SECONDS
            if time.monotonic() >= watch_at:
                watch(parts)
                watch_at = time.monotonic() + maintain.WATCH_SECONDS
            failures = 0
            wait = min(float(parts.settings.poll_seconds), max(0.0, sweep_at - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - a door: without its database a worker waits, and then goes on
            failures += 1
            wait = growing_wait(failures, 1.0, 15.0)
            _log.error("work_failed error=%s failures=%d", type(error).__name__, failures)
        wake.wait(wait)


def _listen(url: str, wake: threading.Event, stop: threading.Event) -> None:
    from intake.adapters.doorbell import DRAIN, listen

    listen(url, {DRAIN: wake.set}, stop)


def _claimed(parts: Parts, tasks: Mapping[str, Task]) -> Job | None:
    """One at a time: a message that is slow, or ends its worker, takes no other's lease and no other's attempts."""
    for task in tasks:
        for job in parts.store.claim((task,), 1, parts.settings.lease_seconds, _name()):
            return job
    return None


def _one(parts: Parts, job: Job, tasks: Mapping[str, Task]) -> None:
    """One job to its end, or to a later try, or to a person. An error of the database itself goes up to the loop."""
    if job.attempt > _most_tries(parts, job):
        _to_person(parts, job, "Working on this message ended the program each time.")
        return
    began = time.monotonic()
    try:
        tasks[job.task](parts, job)
    except StaleJob:
        _log.info("job_stale job=%d", job.id)  # its lease had ended; another worker has it
    except TryLater as error:
        _later(parts, job, error.for_staff, error.after)
    except Exception as error:  # noqa: BLE001 - a door: a message that breaks us must not stop the next one
        _log.error("job_failed job=%d attempt=%d error=%s", job.id, job.attempt, type(error).__name__)
        _later(parts, job, f"The program failed on this message ({type(error).__name__}).", 0.0)
    else:
        _log.info("job_done job=%d task=%s seconds=%.3f", job.id, job.task, time.monotonic() - began)


def _later(parts: Parts, job: Job, why: str, at_least: float) -> None:
    wait = max(at_least, growing_wait(job.attempt, _FIRST_RETRY, _LONGEST_RETRY))
    state = parts.store.try_later(job, why, wait, _most_tries(parts, job))
    if state == "person":
        _to_person(parts, job, why)


def _most_tries(parts: Parts, job: Job) -> int:
    """`attempts` is how soon a person gets a message; what comes after its case opened keeps nobody waiting."""
    attempts = int(parts.settings.attempts)
    return attempts if job.task == "process" else max(attempts, _TRIES_OF_EXTRAS)


def _to_person(parts: Parts, job: Job, why: str) -> None:
    """The end of a message that no try could read: a case that says so, with the original to download."""
    if job.task != "process":
        parts.store.finish(job)  # an extra on a case that exists
        return
    delivery = parts.store.delivery(job.subject)
    _log.warning("job_to_person job=%d delivery=%d", job.id, delivery.id)
    try:
        give_to_person(parts, delivery, job, why)
    except StaleJob:
        _log.info("job_stale job=%d", job.id)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:60]
