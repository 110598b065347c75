"""Reads the mailboxes: one thread for each, with its own pace, its own waits and its own state, so that none
delays another.

The order that must hold: `receive.keep` returns, which means that bytes, delivery and job are durable; only
then `done` moves the mail out of its folder. It is not moved later, when a case exists: from the moment it is
kept the database owes it an outcome, and `reconcile` counts it. A kill between the two finds the delivery
known, and only moves the mail.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from intake.domain.errors import IntakeError, Refused, TryLater
from intake.domain.model import Arrival
from intake.ports import Delivery, Mailbox
from intake.receive import in_groups, keep
from workers import doors
from workers.counting import Counting
from workers.log import log_events
from workers.stopping import growing_wait, stop_on_signals

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.collect")

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds, while a server is away


def run(parts: Parts, stop: threading.Event | None = None) -> None:
    """Collect, and take mail at our own doors, until SIGTERM or Ctrl-C (or `stop`). For the main thread unless `stop` is given."""
    if stop is None:
        log_events()
        stop = stop_on_signals()
    boxes = tuple(parts.mailboxes())  # made here: options that cannot work stop the start
    threads = [
        threading.Thread(target=read, args=(parts, box, stop), name=f"collect-{n}", daemon=True)
        for n, box in enumerate(boxes)
    ]
    for thread in threads:
        thread.start()
    threads += doors.start(parts, stop)
    stop.wait()
    for thread in threads:
        thread.join(timeout=2)  # one that waits for its server is left behind: it holds nothing


def read(parts: Parts, box: Mailbox, stop: threading.Event) -> None:
    """Collect from one mailbox until `stop`, whatever happens to its server, our disk or our database."""
    failures, counting = 0, Counting(parts, box)
    while not stop.is_set():
        after = 0.0
        try:
            counting.before()
            _note(parts, box, error=_pass(parts, box, stop))
            counting.after()
            failures = 0
            box.wait(parts.settings.mailbox_poll_seconds)
            continue
        except TryLater as error:
            said, after = error.for_staff, error.after
        except IntakeError as error:
            said = error.for_staff
        except Exception as error:  # noqa: BLE001 - a door: one mailbox's trouble is its own, and mail waits on the server
            said = f"Mail is not being collected ({type(error).__name__}). It waits on the server."
        failures += 1
        _log.error("collect_failed mailbox=%s failures=%d", box.name, failures)
        _note_failure(parts, box, said)
        stop.wait(max(after, growing_wait(failures, _FIRST_WAIT, _LONGEST_WAIT)))
    box.close()


def _pass(parts: Parts, box: Mailbox, stop: threading.Event) -> str:
    """Keep and move everything that is new; what staff should see, or ""."""
    trouble = ""
    try:
        for arrivals in in_groups(box.changes()):
            for arrival, delivery in _kept(parts, box, arrivals):
                try:
                    box.done(arrival.remote_id, delivery.outcome)
                except Refused as error:
                    trouble = error.for_staff
            if stop.is_set():
                break
    except Refused as error:
        trouble = error.for_staff
    return trouble


def _kept(parts: Parts, box: Mailbox, arrivals: Sequence[Arrival]) -> list[tuple[Arrival, Delivery]]:
    """Keep them together; when that fails, one by one, so that one mail that cannot be kept does not hold up the others."""
    try:
        deliveries = list(zip(arrivals, keep(parts, arrivals), strict=True))
    except Exception:
        if len(arrivals) == 1:
            raise
        deliveries = _one_by_one(parts, arrivals)
    new = sum(d.new for _, d in deliveries)
    _log.info("collected mailbox=%s new=%d known=%d", box.name, new, len(deliveries) - new)
    parts.store.set_mailbox_state(
        box.name, last_contact=parts.clock(), last_message=max(a.received_at for a, _ in deliveries)
    )
    return deliveries


def _one_by_one(parts: Parts, arrivals: Sequence[Arrival]) -> list[tuple[Arrival, Delivery]]:
    kept, failure = list[tuple[Arrival, Delivery]](), None
    for arrival in arrivals:
        try:
            kept.append((arrival, keep(parts, [arrival])[0]))
        except Exception as error:  # noqa: BLE001 - it stays in its folder and is tried on the next pass
            failure = error
            _log.error("not_kept mailbox=%s size=%d error=%s", arrival.mailbox, len(arrival.raw), type(error).__name__)
    if failure and not kept:
        raise failure
    return kept


def _note(parts: Parts, box: Mailbox, error: str) -> None:
    parts.store.set_mailbox_state(box.name, last_contact=parts.clock(), error=error)


def _note_failure(parts: Parts, box: Mailbox, said: str) -> None:
    try:
        parts.store.set_mailbox_state(box.name, error=said)
    except Exception as error:  # noqa: BLE001 - the database may be what is away
        _log.error("state_not_written mailbox=%s error=%s", box.name, type(error).__name__)
