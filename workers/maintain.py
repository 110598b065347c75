"""Heals what a kill or a wiped Redis left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intake.wiring import Parts

_log = logging.getLogger("intake.maintain")

SWEEP_SECONDS = 30.0


def sweep(parts: Parts) -> int:
    """Give back the work of ended leases, and a job to each kept message that has neither job nor outcome; how many."""
    healed = parts.store.sweep()
    if healed:
        _log.info("swept healed=%d", healed)
    return healed
