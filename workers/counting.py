"""Compares, for each mailbox, what lies in its folders with what we kept of it: mailbox count = ledger count.

More in Processed and Held than we kept: somebody moved mail there by hand that we never saw. Fewer: somebody
removed mail there; it is kept here. What lay there before our time is counted once, before anything is moved.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from intake.domain.errors import IntakeError
from intake.ports import Mailbox

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.collect")
_AGAIN = 60.0  # seconds


class Counting:
    """For one mailbox and one thread."""

    def __init__(self, parts: Parts, box: Mailbox) -> None:
        self._parts, self._box = parts, box
        self._due = 0.0  # monotonic
        self._failed = ""

    def before(self) -> str:
        """Once in the life of a mailbox, before its first mail is moved. What kept it from being counted, or ""; that keeps no mail
        from being read: it is counted when it can be.
        """
        store, name = self._parts.store, self._box.name
        if store.mailbox_state(name).counted_before is not None:
            return ""
        try:
            _, filed = self._box.count()
        except IntakeError as error:
            return error.for_staff
        store.set_mailbox_state(name, counted_before=max(0, filed - store.kept_from(name)))
        return ""

    def after(self) -> str:
        """After a pass, once in `reconcile_minutes`; a minute after it failed. What kept it from being counted, or ""."""
        if time.monotonic() < self._due:
            return self._failed
        try:
            lying, filed = self._box.count()
        except IntakeError as error:
            self._due, self._failed = time.monotonic() + _AGAIN, error.for_staff
            return self._failed
        self._due, self._failed = time.monotonic() + 60.0 * int(self._parts.settings.reconcile_minutes), ""
        store, name = self._parts.store, self._box.name
        kept = store.kept_from(name)
        store.set_mailbox_state(name, counted=filed, ledger=kept, counted_at=self._parts.clock())
        _log.info("counted mailbox=%s new=%d filed=%d kept=%d", name, lying, filed, kept)
        return ""
