"""Keeps an account, for each mailbox, of whether its mails bear the word of our own side about their senders."""

from __future__ import annotations

from typing import Protocol

from intake.domain import nz_words
from intake.domain.stamps import with_shape
from intake.ports import Clock, MailboxState


class StampStore(Protocol):
    def mailbox_state(self, name: str) -> MailboxState: ...

    def set_mailbox_state(self, name: str, **fields: object) -> None: ...


class Parts(Protocol):
    @property
    def store(self) -> StampStore: ...

    @property
    def clock(self) -> Clock: ...


def note_stamp(parts: Parts, mailbox: str, shape: str) -> None:
    """Count one mail; writes only when something is new: a mail without a stamp, the first one with it again, or a new shape.

    shape: as `intake.domain.stamps.stamp_of` says, "" for a mail without.
    """
    state = parts.store.mailbox_state(mailbox)
    unstamped = 0 if shape else (state.unstamped or 0) + 1
    if unstamped != (state.unstamped or 0):
        parts.store.set_mailbox_state(mailbox, unstamped=unstamped)
    shapes = with_shape(state.shapes, shape, nz_words.local(parts.clock()).date()) if shape else None
    if shapes:
        parts.store.set_mailbox_state(mailbox, shapes=shapes)
