"""`mailbox`: where each mailbox stands, and accepting another account for one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import datetime

from intake import config
from intake.adapters.access import StateStore, accept
from intake.cli import USAGE, show
from intake.ports import MailboxState
from intake.wiring import build


def mailbox(given: argparse.Namespace) -> int:
    parts = build(config.load())
    if given.what == "accept":
        return _accept(given.name, parts.store)
    known = {state.name: state for state in parts.store.mailbox_states()}
    for box in parts.settings.mailboxes:
        state = known.get(box.name, MailboxState(box.name))
        if given.json:
            show.line({"kind": box.kind, **{k: _plain(v) for k, v in asdict(state).items()}})
        else:
            nobody = "not opened yet" if config.MAILBOX_KINDS[box.kind].signs_in else "no account"
            print(f"{box.name:20} {box.kind:10} {state.account or nobody:30} {state.error or 'no trouble'}")
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
