"""One part of the house and how it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """One part of the house and how it is, in one sentence."""

    name: str
    state: str  # ok, warn, bad
    text: str
    mend: str = ""  # what to do about it
    code: str = ""  # of what can raise an alarm
