"""A command of ours that ends itself by SIGKILL at a named step: run as a program, `python -m tests.faults.killing POINT COMMAND …`.

The steps are the borders of our own ports, so nothing of this stands in the product: the real command works with real parts, of which
one is wrapped here.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from intake import config
from intake.cli import parser
from intake.cli.messages import receive_mails
from intake.wiring import Parts, build
from workers.collect import run
from workers.deliver import send_due

# point -> (which part, which call, before or after it)
POINTS = {
    "before_the_bytes": ("blobs", "put_many", False),
    "after_the_bytes": ("blobs", "put_many", True),
    "after_the_commit": ("store", "keep", True),
    "before_the_case": ("store", "file", False),
    "after_the_case": ("store", "file", True),
    "before_the_claim": ("store", "claim_mails", False),
    "after_the_claim": ("store", "claim_mails", True),
    "after_the_servers_yes": ("mail_sender", "send", True),
    "after_the_mark": ("store", "mail_sent", True),
}
FAILING = "failing"  # instead of a point: the work on a kept mail fails
DELIVER = "deliver"  # instead of a command: what is in the outbox leaves
KEEPING = ("before_the_bytes", "after_the_bytes", "after_the_commit")
FILING = (*KEEPING, "before_the_case", "after_the_case")
SENDING = ("before_the_claim", "after_the_claim", "after_the_servers_yes", "after_the_mark")


class Killing:
    """A part that does its work, and ends this process before or after one call."""

    def __init__(self, real: Any, call: str, after: bool) -> None:
        self._real, self._call, self._after = real, call, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return self._last(found) if name == self._call else found

    def _last(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def last(*given: Any, **named: Any) -> Any:
            if self._after:
                call(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        return last


class Failing:
    """Documents and senders that cannot be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


def parts_that_kill(point: str) -> Parts:
    parts = build(config.load())
    if point == FAILING:
        parts.__dict__["lookups"] = Failing()
        return parts
    part, call, after = POINTS[point]
    parts.__dict__[part] = Killing(getattr(parts, part), call, after)
    return parts


def main() -> int:
    point, *arguments = sys.argv[1:]
    if arguments == [DELIVER]:
        parts = parts_that_kill(point)
        assert parts.mail_sender is not None
        return 0 if send_due(parts, parts.mail_sender) else 1
    given = parser().parse_args(arguments)
    if given.command == "collect":
        run(parts_that_kill(point))
        return 0
    return receive_mails(given, parts_that_kill(point))


if __name__ == "__main__":
    sys.exit(main())
