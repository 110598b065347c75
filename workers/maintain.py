"""Heals what a kill or a wiped Redis left, and drops what its time is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.maintain")

SWEEP_SECONDS = 30.0
TIDY_SECONDS = 3600.0
WATCH_SECONDS = 60.0


def sweep(parts: Parts) -> int:
    """Give back the work of ended leases, and a job to each kept message that has neither job nor outcome; how many."""
    healed = parts.store.sweep()
    if healed:
        _log.info("swept healed=%d", healed)
    return healed


def tidy(parts: Parts) -> None:
    """Drop the drafts of unsent forms whose days are over. Links and sessions go when the next one is made."""
    parts.store.drop_draft("")
