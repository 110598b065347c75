"""How far a long command is, on standard error: one line that changes on a terminal, a new line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_REDRAWN = 0.2  # seconds, on a terminal
_SAID = 10.0  # seconds, elsewhere: a log


class Progress:
    """total: in the unit of `step`'s size; 0 when it is not known. Nothing is said with `quiet`, nor about what is over at once."""

    def __init__(self, total: int, quiet: bool = False, out: TextIO | None = None) -> None:
        self._total, self._quiet = total, quiet
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._began = self._said = time.monotonic()
        self._shown = False
        self.count = self._size = 0

    def step(self, size: int) -> None:
        self.count += 1
        self._size += size
        now = time.monotonic()
        if not self._quiet and now - self._said >= (_REDRAWN if self._terminal else _SAID):
            self._said = now
            self._show(now - self._began)

    def wipe(self) -> None:
        """Take the line away: something else is about to be printed."""
        if self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._shown = False

    def _show(self, seconds: float) -> None:
        text = f"{self.count:,} mails, {self.count / seconds:.0f} a second{self._left(seconds)}"
        self._out.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        self._out.flush()
        self._shown = self._terminal

    def _left(self, seconds: float) -> str:
        share = self._size / self._total if self._total else 0.0
        if not 0.0 < share < 1.0:
            return ""
        left = seconds / share - seconds
        return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"
