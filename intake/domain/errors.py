"""The exceptions, as a tree. Expected ends of a message are values (model.Outcome); an exception is "try later" or a bug.

IntakeError
├── Misconfigured   a setting that cannot work: the start stops with a sentence that says how to mend it (exit 78)
├── Refused         the outside said no for good (an SMTP 5xx): visible to staff, not tried again
├── TryLater        the outside is not there now: tried again after a while (exit 75)
└── CannotRead      bytes that are not what they say: becomes a case for a person, never a loss (exit 65)
"""

from __future__ import annotations


class IntakeError(Exception):
    """Carries one sentence for staff, and one for the sender or none."""

    def __init__(self, for_staff: str, for_sender: str | None = None) -> None:
        super().__init__(for_staff)
        self.for_staff = for_staff
        self.for_sender = for_sender


class Misconfigured(IntakeError):
    pass


class Refused(IntakeError):
    pass


class TryLater(IntakeError):
    """`after` is the least number of seconds to wait."""

    def __init__(self, for_staff: str, after: float = 0.0) -> None:
        super().__init__(for_staff)
        self.after = after


class CannotRead(IntakeError):
    pass
