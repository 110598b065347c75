"""What a running process says of its work: events with ids and sizes, one a line, to standard error.

Only our own events, and warnings of others: a library's chatter may quote what it reads.
"""

from __future__ import annotations

import logging
import time


def log_events() -> None:
    """Turn the events of `intake.*` into lines. Doing it twice does nothing more."""
    events = logging.getLogger("intake")
    if events.handlers:
        return
    lines = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    lines.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(lines)
    events.addHandler(handler)
    events.setLevel(logging.INFO)
    events.propagate = False
