"""Our own doors for mail (SMTP, LMTP), beside the mailboxes that are read: one thread listens at a door, one keeps what came in.

The order that must hold: `receive.keep` returns, which means that bytes, delivery and job are durable; only then the sender hears
250. Whatever goes wrong before that is a 451, and the mail is still the sender's. Mails that come in at the same time are made durable
by one commit; while the disk is slow they wait for each other, and their senders wait for an answer.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING

from intake.domain.errors import IntakeError
from intake.domain.model import Arrival
from intake.ports import MailDoor
from intake.receive import TOGETHER, TOGETHER_BYTES, keep
from workers.stopping import growing_wait

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.doors")

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds, while the address cannot be had
_LOOK_SECONDS = 1.0  # between two notes of when the last mail came ...
_SIGN_OF_LIFE = 60.0  # ... and that the door is open

Waiting = tuple[Sequence[Arrival], "Future[None]"]


def start(parts: Parts, stop: threading.Event) -> list[threading.Thread]:
    """Open every door of the settings, each in a thread of its own; options that cannot work stop the start."""
    doors = tuple(parts.mail_doors())
    threads = [
        threading.Thread(target=serve, args=(parts, door, stop), name=f"door-{n}", daemon=True)
        for n, door in enumerate(doors)
    ]
    for thread in threads:
        thread.start()
    return threads


def serve(parts: Parts, door: MailDoor, stop: threading.Event) -> None:
    """Take mail at one door until `stop`, whatever happens to its address, our disk or our database."""
    keeping, failures = Keeping(parts, door), 0
    keeper = threading.Thread(target=keeping.run, name="keep", daemon=True)
    keeper.start()
    while not stop.is_set():
        try:
            door.serve(keeping.take, stop, keeping.opened)
            continue
        except IntakeError as error:
            said = error.for_staff
        except Exception as error:  # noqa: BLE001 - a door: one address's trouble is its own, and senders keep their mail
            said = f"Mail is not being taken ({type(error).__name__}). Its senders keep it and come again."
        failures += 1
        _log.error("door_failed listen=%s failures=%d", door.listen, failures)
        keeping.closed(said)
        stop.wait(growing_wait(failures, _FIRST_WAIT, _LONGEST_WAIT))
    keeping.end()
    keeper.join(timeout=2)


class Keeping:
    """Makes what comes in at a door durable, some mails at a time, and tells staff how the door is."""

    def __init__(self, parts: Parts, door: MailDoor) -> None:
        self._parts, self._door = parts, door
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._open = False
        self._trouble = ""
        self._last: dict[str, datetime] = {}  # the last mail of each mailbox, not written down yet
        self._told_at = -_SIGN_OF_LIFE  # monotonic; that early: at once

    def take(self, arrivals: Sequence[Arrival]) -> Future[None]:
        """All of them or none: the future ends when they are durable, or with the reason why they are not."""
        kept: Future[None] = Future()
        self._waiting.put((arrivals, kept))
        return kept

    def opened(self) -> None:
        self._open, self._trouble, self._told_at = True, "", -_SIGN_OF_LIFE
        _log.info("door_open listen=%s", self._door.listen)

    def closed(self, why: str) -> None:
        self._open, self._trouble, self._told_at = False, why, -_SIGN_OF_LIFE

    def end(self) -> None:
        self._waiting.put(None)

    def run(self) -> None:
        """In a thread of its own, until `end`."""
        while True:
            group, ended = self._group()
            if group:
                self._keep(group)
            if time.monotonic() >= self._told_at + (_LOOK_SECONDS if self._last else _SIGN_OF_LIFE):
                self._tell()
            if ended:
                return

    def _group(self) -> tuple[list[Waiting], bool]:
        """What waits now, up to a limit; whether it is the end."""
        group, size = list[Waiting](), 0
        while len(group) < TOGETHER and size < TOGETHER_BYTES:
            try:
                one = self._waiting.get(timeout=_LOOK_SECONDS) if not group else self._waiting.get_nowait()
            except queue.Empty:
                break
            if one is None:
                return group, True
            if one[1].set_running_or_notify_cancel():  # else its sender went away and will come again
                group.append(one)
                size += sum(len(arrival.raw) for arrival in one[0])
        return group, False

    def _keep(self, group: Sequence[Waiting]) -> None:
        try:
            keep(self._parts, [arrival for arrivals, _ in group for arrival in arrivals])
        except Exception as error:  # noqa: BLE001 - a door: the senders hear of it and keep their mail
            if len(group) == 1:
                self._refuse(group[0], error)
            else:  # one mail that cannot be kept does not hold up the others
                for one in group:
                    self._keep([one])
            return
        self._trouble = ""
        for arrivals, kept in group:
            self._last.update({arrival.mailbox: arrival.received_at for arrival in arrivals})
            kept.set_result(None)

    def _refuse(self, one: Waiting, error: Exception) -> None:
        arrivals, kept = one
        _log.error("not_kept listen=%s size=%d error=%s", self._door.listen, len(arrivals[0].raw), type(error).__name__)
        why = error.for_staff if isinstance(error, IntakeError) else f"Mail cannot be kept ({type(error).__name__})."
        self._trouble, self._told_at = f"{why} Senders are asked to come again.", -_SIGN_OF_LIFE
        kept.set_exception(error)

    def _tell(self) -> None:
        """Write down, for staff, how the door is and when the last mail of each mailbox came."""
        last, self._last = self._last, {}
        self._told_at = time.monotonic()
        fields: dict[str, object] = {"error": self._trouble}
        if self._open:
            fields["last_contact"] = self._parts.clock()
        try:
            for name in self._door.mailboxes:
                more = {"last_message": last[name]} if name in last else {}
                self._parts.store.set_mailbox_state(name, **fields, **more)
        except Exception as error:  # noqa: BLE001 - the database may be what is away
            _log.error("state_not_written listen=%s error=%s", self._door.listen, type(error).__name__)
