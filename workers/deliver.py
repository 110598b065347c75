"""Sends what is in the outbox. Whether and what is sent was decided with the case; here it only leaves.

A mail is claimed under a lease, handed over, and then marked. A kill in between sends it a second time, under
the same Message-ID: at most one more for each kill, never one less.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from intake.domain.errors import Refused, TryLater
from intake.ports import MailSender, OutgoingMail
from workers.stopping import growing_wait

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.deliver")

_BATCH = 5
_LEASE_SECONDS = 300  # a batch of mails to a server that answers each at the last moment
_LOOK_SECONDS = 2.0


def run(parts: Parts, sender: MailSender | None, stop: threading.Event) -> None:
    """Send until `stop`. Without a sender mails stay in the outbox, where staff see them."""
    if sender is None:
        return
    failures = 0
    while not stop.is_set():
        try:
            sent = send_due(parts, sender, stop)
            failures = 0
            wait = 0.0 if sent else _LOOK_SECONDS
        except Exception as error:  # noqa: BLE001 - a door: without its database the sender waits, and then goes on
            failures += 1
            wait = growing_wait(failures, 1.0, 30.0)
            _log.error("deliver_failed error=%s failures=%d", type(error).__name__, failures)
        stop.wait(wait)


def send_due(parts: Parts, sender: MailSender, stop: threading.Event | None = None) -> int:
    """Try each mail of one batch once; the number tried. What is not handed over is due again later, or failed for good."""
    mails = parts.store.claim_mails(_BATCH, _LEASE_SECONDS)
    away = ""
    for mail in mails:
        if stop and stop.is_set():
            away = away or "The sender was stopped."
        # A server that is away for one mail is away for the rest of the batch: they need not wait for it one by one.
        if away:
            parts.store.mail_failed(mail, away, permanent=False)
        else:
            away = _send(parts, sender, mail)
    return len(mails)


def _send(parts: Parts, sender: MailSender, mail: OutgoingMail) -> str:
    """Why nothing can be sent at the moment, or ""."""
    try:
        sender.send(mail)
    except Refused as error:
        _log.warning("mail_refused mail=%d attempt=%d", mail.id, mail.attempt)
        parts.store.mail_failed(mail, error.for_staff, permanent=True)
    except TryLater as error:
        _log.info("mail_later mail=%d attempt=%d", mail.id, mail.attempt)
        parts.store.mail_failed(mail, error.for_staff, permanent=False)
        return error.for_staff if error.after else ""
    except Exception as error:  # noqa: BLE001 - a door: one mail that breaks us must not stop the others
        _log.error("mail_failed mail=%d attempt=%d error=%s", mail.id, mail.attempt, type(error).__name__)
        parts.store.mail_failed(mail, f"The program failed on this mail ({type(error).__name__}).", permanent=False)
    else:
        _log.info("mail_sent mail=%d attempt=%d", mail.id, mail.attempt)
        parts.store.mail_sent(mail)
    return ""
