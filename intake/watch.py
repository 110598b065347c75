"""Watches the mailboxes: proves the way to each by a mail of our own, and tells the operators of what is wrong.

A mailbox from which nothing comes may be quiet or cut off. So when nothing came for `echo_minutes`, one mail goes out by our own
mail server to its `echo_address`, and must come back through the collector and the pipeline like any other. It opens no case.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from intake.config import MailboxSettings, Settings
from intake.domain.health import Health
from intake.health import not_told
from intake.mail_text import Composer
from intake.mailbox_health import echo_answered, mailbox_findings
from intake.ports import Clock, MailboxState, NewMail, SentMail

_ALARMS = (
    "nobody_told",
    "lasting_trouble",
    "silent",
    "echo_missing",
    "ends_soon",
    "ended",
    "not_in_ledger",
    "unstamped",
    "new_shape",
)
_AGAIN_AFTER_HOURS = 6
_ACTOR = "system"


class WatchStore(Protocol):
    """What is needed of the store here."""

    def mailbox_states(self) -> tuple[MailboxState, ...]: ...

    def set_mailbox_state(self, name: str, **fields: object) -> None: ...

    def queue_mail(self, reference: str | None, mail: NewMail, actor: str) -> None: ...

    def mails(self, limit: int = 50) -> tuple[SentMail, ...]: ...


class Parts(Protocol):
    """What is watched, and with what."""

    settings: Settings
    clock: Clock

    @property
    def store(self) -> WatchStore: ...

    @property
    def composer(self) -> Composer: ...


def watch(parts: Parts) -> None:
    """Queue what is due now: echo mails, alarms. However often it is called, nothing is sent twice."""
    now = parts.clock()
    states = {state.name: state for state in parts.store.mailbox_states()}
    for box in parts.settings.mailboxes:
        state = states.get(box.name, MailboxState(box.name))
        _send_echo(parts, box, state, now)
        for mail in _alarms(parts, mailbox_findings(box, state, now), now):
            parts.store.queue_mail(None, mail, _ACTOR)
    told = not_told(parts)
    for mail in _alarms(parts, (told,) if told else (), now):
        parts.store.queue_mail(None, mail, _ACTOR)


def _send_echo(parts: Parts, box: MailboxSettings, state: MailboxState, now: datetime) -> None:
    quiet = timedelta(minutes=int(parts.settings.echo_minutes))
    answered = echo_answered(state)
    if not box.echo_address or any(
        at and now - at < quiet for at in (state.last_message, answered and state.echo_sent_at)
    ):
        return
    slot = int(now.timestamp() // quiet.total_seconds())
    mail = parts.composer.echo(dedupe=f"echo:{box.name}:{slot}", to=box.echo_address)
    parts.store.queue_mail(None, mail, _ACTOR)
    if answered or state.echo_sent_at is None:  # else the first that stayed without an answer counts
        parts.store.set_mailbox_state(box.name, echo_sent_at=now)


def _alarms(parts: Parts, found: tuple[Health, ...], now: datetime) -> Iterator[NewMail]:
    """One mail for each trouble to each operator, and again every six hours while it lasts."""
    slot = f"{now:%Y-%m-%d}:{now.hour // _AGAIN_AFTER_HOURS}"
    for one in found:
        if one.code in _ALARMS:
            for address in parts.settings.operators:
                yield parts.composer.alarm(
                    dedupe=f"alarm:{one.name}:{one.code}:{slot}:{address}",
                    to=address,
                    part=one.name,
                    text=one.text,
                    mend=one.mend,
                )
