"""Where a mail of ours stands, as staff read it."""

from __future__ import annotations

from collections.abc import Mapping

from intake.web.present import Badge

_KEPT = Badge("lock", "Kept in the demo, never sent")
_STATES: Mapping[str, Badge] = {
    "queued": Badge("clock", "Waiting to be sent"),
    "sending": Badge("clock", "Being sent"),
    "sent": Badge("tick", "Sent", "ok"),
    "bounced": Badge("cross", "Came back", "bad"),
    "failed": Badge("cross", "Could not be sent", "bad"),
    "held": Badge("lock", "Held back", "warn"),
}


def mail_badge(state: str, demo: bool) -> Badge | None:
    """None for what is no mail of ours. demo: nothing leaves it, so that no mail there is on its way."""
    return _KEPT if demo and state == "queued" else _STATES.get(state)
