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
from collections.abc import Iterator, Sequence
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

_SMALL = 1024 * 1024  # bytes: a full disk may have room for a mail when it has none for a large one
_GIVE_UP_AFTER = 5  # small mails in a row: then it is not the mails that cannot be kept
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
            uncounted = counting.before()
            trouble = _Pass(parts, box).run(stop)
            uncounted = counting.after() or uncounted
            _note(parts, box, error=trouble or uncounted)
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


class _Pass:
    """One look at one mailbox. What goes wrong with one mail is told when everything behind it was kept."""

    def __init__(self, parts: Parts, box: Mailbox) -> None:
        self._parts, self._box = parts, box
        self._trouble = ""
        self._failure: Exception | None = None
        self._failed_in_a_row = 0

    def run(self, stop: threading.Event) -> str:
        """Keep and move everything that is new; what staff should see, or "". Raises, at its end, what kept a mail from being kept,
        or from being moved because its server is away.
        """
        try:
            for arrivals in in_groups(self._box.changes()):
                for arrival, _ in self._kept(arrivals):
                    self._move(arrival)
                if stop.is_set() or self._failed_in_a_row >= _GIVE_UP_AFTER:
                    break
        except Refused as error:
            self._trouble = error.for_staff
        if self._failure:
            raise self._failure
        return self._trouble

    def _kept(self, arrivals: Sequence[Arrival]) -> list[tuple[Arrival, Delivery]]:
        """Keep them together; when that fails, one by one, so that one mail that cannot be kept does not hold up the others."""
        try:
            deliveries = list(zip(arrivals, keep(self._parts, arrivals), strict=True))
            self._failed_in_a_row = 0
        except Exception:  # noqa: BLE001 - which of them it is, is found one by one
            deliveries = [pair for arrival in arrivals for pair in self._kept_alone(arrival)]
        if deliveries:
            new = sum(d.new for _, d in deliveries)
            _log.info("collected mailbox=%s new=%d known=%d", self._box.name, new, len(deliveries) - new)
            self._parts.store.set_mailbox_state(
                self._box.name,
                last_contact=self._parts.clock(),
                last_message=max(a.received_at for a, _ in deliveries),
            )
        return deliveries

    def _kept_alone(self, arrival: Arrival) -> Iterator[tuple[Arrival, Delivery]]:
        if self._failed_in_a_row >= _GIVE_UP_AFTER:
            return
        size = len(arrival.raw)
        try:
            yield arrival, keep(self._parts, [arrival])[0]
            self._failed_in_a_row = 0
        except Exception as error:  # noqa: BLE001 - it stays in its folder and is tried on the next pass
            self._failure = error
            self._failed_in_a_row += size < _SMALL
            _log.error("not_kept mailbox=%s size=%d error=%s", arrival.mailbox, size, type(error).__name__)

    def _move(self, arrival: Arrival) -> None:
        try:
            self._box.done(arrival.remote_id)
        except Refused as error:
            self._trouble = error.for_staff
        except TryLater as error:
            self._failure = error


def _note(parts: Parts, box: Mailbox, error: str) -> None:
    parts.store.set_mailbox_state(box.name, last_contact=parts.clock(), error=error)


def _note_failure(parts: Parts, box: Mailbox, said: str) -> None:
    try:
        parts.store.set_mailbox_state(box.name, error=said)
    except Exception as error:  # noqa: BLE001 - the database may be what is away
        _log.error("state_not_written mailbox=%s error=%s", box.name, type(error).__name__)
