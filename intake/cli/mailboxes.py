"""`mailbox`: where each mailbox stands, and accepting another account for one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import datetime

from intake import config
from intake.adapters.access import StateStore, accept
from intake.cli import USAGE, show
from intake.domain.errors import CannotRead
from intake.ports import MailboxState
from intake.wiring import build


def mailbox(given: argparse.Namespace) -> int:
    parts = build(config.load())
    if given.what == "accept":
        if given.name and parts.settings.mailbox(given.name) is None:
            raise CannotRead(f"There is no mailbox “{given.name}” in the settings.")
        return _accept(given.name, parts.store)
    known = {state.name: state for state in parts.store.mailbox_states()}
    for box in parts.settings.mailboxes:
        state = known.get(box.name, MailboxState(box.name))
        if given.json:
            show.line({"kind": box.kind, **{k: _plain(v) for k, v in asdict(state).items()}})
        else:
            nobody = "not opened yet" if config.MAILBOX_KINDS[box.kind].signs_in else "no account"
            contact, kept = show.minute(state.last_contact) or "never reached", parts.store.kept_from(box.name)
            trouble = state.error or "no trouble"
            print(f"{box.name:16} {box.kind:9} {state.account or nobody:28} {contact:18} {kept:>7} kept  {trouble}")
    return 0


def _accept(name: str | None, store: StateStore) -> int:
    if not name:
        print("provider-intake mailbox accept: name the mailbox.", file=sys.stderr)
        return USAGE
    before = accept(store, name)
    print(
        f"{before} is forgotten; the next sign-in to {name} counts as the first."
        if before
        else f"Nobody opened {name} yet."
    )
    return 0


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
