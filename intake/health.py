"""What `doctor`, the system page and /readyz say: every outside thing with its state, in a sentence, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Protocol

from intake.config import SETTINGS, Settings
from intake.domain import nz_words
from intake.domain.errors import CannotRead, Misconfigured, TryLater
from intake.domain.health import Health
from intake.mailbox_health import SILENT, mailbox_findings
from intake.ports import Blobs, Clock, Doorbell, MailSender, OperatorStore, SentMail

WAITING = timedelta(minutes=5)
LITTLE_SPACE = 2 * 1024**3  # bytes
NEEDED_FOR_FORMS = frozenset({"database", "key", "disk"})
_LATELY = timedelta(days=1)
UNNAMED_KEY = "unnamed:"  # and the name: when mail was handed over under a name that is in no settings
UNNAMED = "The settings name no mailbox “{}”: its mail is kept, and nobody’s word about its senders counts."


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
    @property
    def mail_sender(self) -> MailSender | None: ...
    @property
    def fences(self) -> tuple[str, ...]: ...
    def check_mailbox(self, name: str) -> None: ...


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
        _fences(parts),
        *_meaningless(parts.settings),
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
        return Health(
            "redis", "ok", "No doorbell is set here (`up` brings its own); work is found by looking every few seconds."
        )
    if parts.doorbell.alive():
        return Health("redis", "ok", "The doorbell answers.")
    return Health(
        "redis",
        "warn",
        "The doorbell does not answer; work is found by looking every few seconds.",
        "Start Redis again; nothing is lost.",
    )


_FENCES = {
    "resources": "limits on time and memory",
    "landlock": "no files (landlock)",
    "calls": "no files, network or new processes (seccomp)",
}


def _fences(parts: Parts) -> Health:
    """What a real child of the readers has around it here. Without any of them it still has no secret, and a clock over it."""
    held = parts.fences
    if not held:
        mend = "Look whether this account may start processes and write to the temporary folder. Until then a person reads each file."
        return Health("readers", "bad", "The process that reads attachments does not start.", mend, "no_reader")
    text = (
        "Attachments are read by a process with " + ", ".join(_FENCES[name] for name in held if name in _FENCES) + "."
    )
    missing = [words for name, words in _FENCES.items() if name not in held]
    if "calls" in held and "resources" in held:
        also = f" Not offered by this system: {', '.join(missing)}." if missing else ""
        return Health("readers", "ok", text + also)
    mend = "Run it on Linux, on x86-64 or ARM64, in a container that allows seccomp and prctl."
    return Health("readers", "warn", f"{text} Missing: {', '.join(missing)}.", mend, "few_fences")


def _sending(parts: Parts) -> Health:
    try:
        _ = parts.mail_sender
    except Misconfigured as error:
        return Health("sending", "bad", error.for_staff, "Until then mails wait in the outbox.", "cannot_send")
    mails = parts.store.mails(200)
    if parts.settings.sends and (told := not_told(parts) or _stuck(parts, mails)):
        return told
    failed = sum(map(_lost, mails))
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


class MailRows(Protocol):
    def mails(self, limit: int = 50) -> tuple[SentMail, ...]: ...


class ToldParts(Protocol):
    """What `not_told` looks at."""

    clock: Clock

    @property
    def store(self) -> MailRows: ...


def not_told(parts: ToldParts) -> Health | None:
    """Whoever is on duty did not hear of a case lately: the mail was refused, or came back."""
    mails = parts.store.mails(200)
    cases = sorted(
        {m.case or "" for m in mails if m.template == "page" and _lost(m) and parts.clock() - m.at < _LATELY}
    )
    if not cases:
        return None
    return Health(
        "sending",
        "bad",
        f"Nobody on duty was told of {', '.join(cases)}: the mail was refused or came back.",
        "Look at the case now, and mend INTAKE_DUTY_ADDRESSES.",
        "nobody_told",
    )


def _lost(mail: SentMail) -> bool:
    return mail.state in ("failed", "bounced")


def _stuck(parts: Parts, mails: Sequence[SentMail]) -> Health | None:
    """The oldest mail that was tried, and could not leave for a while."""
    waiting = [m for m in mails if m.state in ("queued", "sending") and m.attempts and parts.clock() - m.at > WAITING]
    if not waiting:
        return None
    oldest = min(waiting, key=lambda m: m.at)
    pages = sum(m.template == "page" for m in waiting)
    text = f"{nz_words.count(len(waiting), 'mail')} cannot leave since {nz_words.span(parts.clock() - oldest.at)}. {oldest.error}"
    if pages:
        text += f" Among them {nz_words.count(pages, 'call')} to whoever is on duty."
    return Health("sending", "bad", text, "They go out by themselves when the server takes them again.", "cannot_send")


def _meaningless(settings: Settings) -> list[Health]:
    """Only said: an orchestrator may set variables of its own, such as INTAKE_PORT for a service that is called intake."""
    said = []
    for variable in settings.meaningless:
        near = get_close_matches(variable, [setting.variable for setting in SETTINGS], 1, 0.85)
        mend = f"Was {near[0]} meant?" if near else "docs/settings.md lists them all."
        said.append(
            Health("settings", "warn", f"{variable} is no setting: what it says is not used.", mend, "meaningless")
        )
    return said


def _mailboxes(parts: Parts) -> list[Health]:
    states = {s.name: s for s in parts.store.mailbox_states()}
    now, found = parts.clock(), list[Health]()
    for box in parts.settings.mailboxes:
        state = states.get(box.name)
        try:
            # Whoever looks here may see fewer files than the collector, whose contact proves that its settings work.
            if not (state and state.last_contact and now - state.last_contact < SILENT):
                parts.check_mailbox(box.name)
        except Misconfigured as error:
            found.append(
                Health(f"mailbox {box.name}", "bad", error.for_staff, "Nothing is collected until then.", "settings")
            )
        else:
            found += mailbox_findings(box, state, now)
    for key, at in parts.store.remembered(UNNAMED_KEY).items():
        name = key.removeprefix(UNNAMED_KEY)
        if parts.settings.mailbox(name) is None and now - datetime.fromisoformat(at) < _LATELY:
            mend = "Mend the name where mail is handed over, or add a table."
            found.append(Health(f"mailbox {name}", "warn", UNNAMED.format(name), mend, "unnamed"))
    return found
