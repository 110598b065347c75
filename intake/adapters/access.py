"""Whose sign-in opens a mailbox: the first one is remembered, and another is refused until an operator accepts it.

Somebody who may edit the settings, or who gives consent with the wrong account, must not silently turn the intake
of one mailbox into that of another.
"""

from __future__ import annotations

from typing import Protocol

from intake.domain.errors import TryLater
from intake.ports import MailboxState

_AGAIN_AFTER = 60.0  # seconds


class StateStore(Protocol):
    """The two calls of `OperatorStore` that readers of mailboxes make."""

    def mailbox_state(self, name: str) -> MailboxState: ...

    def set_mailbox_state(self, name: str, **fields: object) -> None: ...


def claim(store: StateStore, name: str, account: str) -> None:
    """Remember who opened a mailbox first. Raises TryLater, with what to do, when it is somebody else now."""
    first = store.mailbox_state(name).account
    if first is None:
        store.set_mailbox_state(name, account=account)
    elif first.casefold() != account.casefold():
        raise TryLater(
            f"Mailbox {name} was opened as {first} until now, and the settings name {account}: nothing is read. Put the "
            f"account back, or, when the change is meant, run “provider-intake mailbox accept {name}”.",
            after=_AGAIN_AFTER,
        )


def accept(store: StateStore, name: str) -> str | None:
    """Forget who opened it, so that the next sign-in counts as the first; who it was."""
    before = store.mailbox_state(name).account
    if before is not None:
        store.set_mailbox_state(name, account=None)
    return before
