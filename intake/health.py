"""What `doctor`, the system page and /readyz say: every outside thing with its state, in a sentence, and how to mend it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Protocol

from intake.config import Settings
from intake.domain.errors import CannotRead, Misconfigured, TryLater
from intake.domain.health import Health
from intake.mailbox_health import mailbox_findings
from intake.ports import Blobs, Clock, Doorbell, OperatorStore

WAITING = timedelta(minutes=5)
LITTLE_SPACE = 2 * 1024**3  # bytes


class Parts(Protocol):
    """What is looked at."""

    settings: Settings
    clock: Clock

    @property
    def store(self) -> OperatorStore: ...
    @property
    def blobs(self) -> Blobs: ...
    @property
    def doorbell(self) -> Doorbell: ...
    @property
    def redis_url(self) -> str: ...


def findings(parts: Parts) -> tuple[Health, ...]:
    """What is wrong first."""
    try:
        parts.store.oldest_waiting()
    except TryLater as error:  # everything else is read from there
        return (Health("database", "bad", error.for_staff),)
    found = [
        _key(parts),
        _accounting(parts),
        _waiting(parts),
        _disk(parts),
        _redis(parts),
        _sending(parts),
        *_mailboxes(parts),
    ]
    order = {"bad": 0, "warn": 1, "ok": 2}
    return tuple(sorted(found, key=lambda f: order[f.state]))


def _accounting(parts: Parts) -> Health:
    counted = parts.store.outcomes()
    missing = int(str(counted["missing"]))
    if missing:
        return Health(
            "messages",
            "bad",
            f"{missing} messages have no outcome and no job.",
            "Start the worker: its sweeper gives each a job within 30 s.",
        )
    return Health("messages", "ok", f"{counted['messages']} kept, {counted['waiting']} waiting, none missing.")


def _key(parts: Parts) -> Health:
    """Whether what was kept last can be opened: a wrong key is found before somebody needs a message."""
    newest = parts.store.newest_blob()
    try:
        if newest:
            parts.blobs.get(newest)
        else:
            parts.blobs  # noqa: B018 - made now: a key that is missing or too short is said here
    except (Misconfigured, CannotRead) as error:
        return Health("key", "bad", error.for_staff, "Put the right key file back (INTAKE_SECRET_KEY_FILE).")
    return Health("key", "ok", "The key opens what was kept last." if newest else "There is a key.")


def _waiting(parts: Parts) -> Health:
    oldest = parts.store.oldest_waiting()
    if oldest and parts.clock() - oldest > WAITING:
        minutes = int((parts.clock() - oldest).total_seconds() // 60)
        return Health(
            "jobs",
            "bad",
            f"A message has waited for {minutes} min.",
            "Is `provider-intake work` running? Nothing is lost; it goes on by itself.",
        )
    return Health("jobs", "ok", "Nothing waits for long.")


def _disk(parts: Parts) -> Health:
    free = shutil.disk_usage(parts.settings.folder).free
    text = f"{free // 1024**3} GB free for database and files."
    if free < LITTLE_SPACE:
        return Health("disk", "bad", text, "Make room: no message can be kept without it.")
    return Health("disk", "ok", text)


def _redis(parts: Parts) -> Health:
    if not parts.redis_url:
        return Health("redis", "ok", "No doorbell is set; work is found by looking every few seconds.")
    if parts.doorbell.alive():
        return Health("redis", "ok", "The doorbell answers.")
    return Health(
        "redis",
        "warn",
        "The doorbell does not answer; work is found by looking every few seconds.",
        "Start Redis again; nothing is lost.",
    )


def _sending(parts: Parts) -> Health:
    failed = sum(m.state in ("failed", "bounced") for m in parts.store.mails(200))
    if failed:
        return Health(
            "sending",
            "warn",
            f"{failed} of the last 200 mails were refused or came back.",
            "See them on the case; call the provider instead.",
        )
    if parts.settings.demo and not parts.settings.sends:
        return Health("sending", "ok", "Nothing leaves the demo: the outbox shows what would have been sent.")
    if not parts.settings.sends:
        return Health(
            "sending",
            "warn",
            "No mail server is set: mails stay in the outbox.",
            "Set INTAKE_SMTP_URL or INTAKE_SEND_BY.",
        )
    if not parts.settings.duty:
        text = "Mails leave, and nobody is told of a grave case at night."
        return Health("sending", "warn", text, "Set INTAKE_DUTY_ADDRESSES to who is on duty.")
    return Health("sending", "ok", "Mails leave.")


def _mailboxes(parts: Parts) -> list[Health]:
    states = {s.name: s for s in parts.store.mailbox_states()}
    now = parts.clock()
    return [each for box in parts.settings.mailboxes for each in mailbox_findings(box, states.get(box.name), now)]
