"""What a mail of ours is and where it stands, as staff read it."""

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


_KINDS: Mapping[str, str] = {
    "alarm": "Alarm to an operator",
    "ask_for_more": "Questions to the provider",
    "from_staff": "Message of staff",
    "page": "Page to whoever is on duty",
    "sign_in": "Sign-in link",
}


def mail_kind(template: str) -> str:
    """What was written, by its template: every other one is an acknowledgement of some kind."""
    return _KINDS.get(template, "Acknowledgement")


def mail_badge(state: str, demo: bool) -> Badge | None:
    """None for what is no mail of ours. demo: nothing leaves it, so that no mail there is on its way."""
    return _KEPT if demo and state == "queued" else _STATES.get(state)
