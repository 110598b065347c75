"""`queue`, `case`, `provider`, `staff`: what staff see and the register, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from intake import config
from intake.cli import show
from intake.domain.errors import CannotRead
from intake.domain.model import Provider
from intake.domain.reference import parse
from intake.onboarding import left_out, refused, with_registered
from intake.ports import QueueFilter, RegistryStore
from intake.recheck import recheck_case
from intake.registry_file import read_registry, stated_address
from intake.wiring import Parts, build

_ALL = 1_000_000


def queue(given: argparse.Namespace) -> int:
    settings = config.load()
    store = build(settings).store
    after: str | None = None
    while rows := store.queue(QueueFilter(), limit=200, after=after):
        for row in rows:
            if given.json:
                show.line(show.queue_row(row))
            else:
                due = show.minute(row.next_due) or "-"
                print(f"{row.reference:11} {row.band or '--'} {due:20} {row.status:16} {show.who(row)}")
        after = rows[-1].reference
    if after is None and not given.json:
        print(f"Nothing is open here. The data folder is {settings.folder}.", file=sys.stderr)
    return 0


def case(given: argparse.Namespace) -> int:
    parsed = parse(given.reference)
    view = build(config.load()).store.case(parsed.reference) if parsed.reference else None
    if view is None:
        raise CannotRead(parsed.problem or f"There is no case {given.reference}.")
    if given.json:
        show.line(show.case_view(view))
    else:
        show.case_for_a_person(view)
    return 0


def provider(given: argparse.Namespace) -> int:
    settings = config.load()
    store = build(settings).store
    if given.what == "import":
        if not given.name:
            raise CannotRead("Say which file: provider-intake provider import FILE.csv")
        try:
            text = Path(given.name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotRead(f"{given.name} cannot be read as UTF-8 text: {error}") from error
        read = read_registry(text, given.name)
        if why := refused(read, settings.domains):
            raise CannotRead(f"{given.name}: {why} Take it out; an exact address goes under exceptions.")
        return _import(store, read, given)
    if given.what == "show" and not given.name:
        raise CannotRead("Say which provider: provider-intake provider show SLUG")
    found = store.providers() if given.what == "list" else tuple(p for p in store.providers() if p.slug == given.name)
    if given.what == "show" and not found:
        raise CannotRead(f"There is no provider “{given.name}”. `provider-intake provider list` shows them.")
    for one in found:
        if given.json:
            show.line(show.provider(one))
        else:
            print(f"{one.slug:16} {one.name}  {', '.join(one.domains)}")
    return 0


def _import(store: RegistryStore, read: Sequence[Provider], given: argparse.Namespace) -> int:
    left = left_out(store.registrations("registered", limit=_ALL), store.providers(), read)
    again = store.save_providers(read if given.exact else [with_registered(p, left) for p in read])
    if given.json:
        missing = [{"provider": r.provider, "subject": r.subject, "kept": not given.exact} for r in left]
        show.line({"imported": len(read), "checking_again": again, "left_out": missing})
        return 0
    print(f"{len(read)} providers; the senders of {again} open cases are checked again.")
    ends = "it is gone now" if given.exact else "it stays; write it into the file, or take it away with --exact"
    for one in left:
        print(f"{one.subject} was registered for {one.provider} by a person, and is not in the file: {ends}.")
    return 0


def _remove(parts: Parts, address: str) -> int:
    store = parts.store
    if not store.retire_staff(address):
        raise CannotRead(f"Nobody who may sign in has the address {address}. `staff list` shows who has.")
    print(f"{address} cannot sign in any more, and open sessions are over.")
    left = len(store.queue(QueueFilter(assignee=address), limit=1000))
    if left:
        print(f"{left} open {'case is' if left == 1 else 'cases are'} still given to them: /queue?assignee={address}")
    return 0


def staff(given: argparse.Namespace) -> int:
    parts = build(config.load())
    store = parts.store
    if given.what == "list":
        for one in store.all_staff():
            text = {"address": one.address, "role": one.role, "name": one.name, "active": one.active}
            show.line(text) if given.json else print(f"{one.address:40} {one.role if one.active else 'removed'}")
        return 0
    address = stated_address(given.address or "")
    if address is None:
        raise CannotRead(f"“{given.address or ''}” is not an email address.")
    if given.what == "remove":
        return _remove(parts, address)
    added = store.add_staff(address, given.role, given.name)
    text = {"address": added.address, "role": added.role, "name": added.name, "active": added.active}
    show.line(text) if given.json else print(f"{added.address} may sign in as {added.role}")
    return 0


def _known(parts: Parts, typed: str) -> str:
    parsed = parse(typed)
    if parsed.reference is None or parts.store.case_row(parsed.reference) is None:
        raise CannotRead(parsed.problem or f"There is no case {typed}.")
    return parsed.reference


def recheck(given: argparse.Namespace) -> int:
    parts = build(config.load())
    changed = 0
    for reference in [_known(parts, r) for r in given.references] or parts.store.backlog():
        done = recheck_case(parts, reference)
        if done is None:
            continue
        changed += 1
        if given.json:
            show.line(
                {
                    "case": done.reference,
                    "before": done.before.value,
                    "after": done.after.value,
                    "provider": done.provider,
                    "opened": done.opened,
                }
            )
        else:
            print(f"{done.reference:12} {done.before.value} -> {done.after.value}{', opened' if done.opened else ''}")
    if not given.json:
        print(f"{changed} changed.")
    return 0
