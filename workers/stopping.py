"""What every loop shares: the end, asked for by a signal, and waits that grow."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from types import FrameType


def stop_on_signals(*also: Callable[[], object]) -> threading.Event:
    """An event that SIGTERM and Ctrl-C set, after which each of `also` is called. For the main thread."""
    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()
        for call in also:
            call()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    return stop


def growing_wait(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row (1, 2, ...): doubled each time, a little uneven, never above `longest`."""
    return min(longest, first * 2.0 ** min(failures - 1, 30)) * random.uniform(0.8, 1.0)
