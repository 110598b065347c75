"""`doctor --probe MAILBOX`: forgeries to send from outside, and what those that arrived show."""

from __future__ import annotations

import argparse
import smtplib
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from intake import config
from intake.cli import UNAVAILABLE, USAGE, show
from intake.domain.probes import PROBES, forge, message_id
from intake.wiring import Parts, build


def probe(given: argparse.Namespace) -> int:
    parts = build(config.load())
    box = parts.settings.mailbox(given.probe)
    trust = parts.trust(given.probe)
    if box is None or trust.kind == "none":
        print(f"There is no mailbox {given.probe} with a trust table: nothing is to be proven.", file=sys.stderr)
        return USAGE
    if not (given.write or given.via):
        return _tell(parts, given)
    to, domain = given.to or box.echo_address, given.rejecting or next(iter(parts.settings.domains), "")
    if not to or not domain:
        print(
            "Name the mailbox's address (--to, or echo_address in its table) and a domain with p=reject (--rejecting, or own_domains).",
            file=sys.stderr,
        )
        return USAGE
    now = parts.clock()
    mails = {
        letter: forge(letter, trust, to, domain, message_id(parts.secret, box.name, letter, now), now)
        for letter in PROBES
    }
    return _send(given.via, to, domain, mails) if given.via else _write(Path(given.write), mails)


def _write(folder: Path, mails: Mapping[str, bytes]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for letter, raw in mails.items():
        (folder / f"probe-{letter}.eml").write_bytes(raw)
    print(f"{len(mails)} mails in {folder}. Send each, as it is, from a machine outside to your outermost mail server.")
    return 0


def _send(via: str, to: str, domain: str, mails: Mapping[str, bytes]) -> int:
    """Straight to the outermost mail server, as a stranger does. What it refuses cannot fool anybody."""
    server = urlsplit(via if "://" in via else f"smtp://{via}")
    refused = []
    for letter, raw in mails.items():
        try:
            with smtplib.SMTP(server.hostname or "", server.port or 25, timeout=30) as connection:
                connection.sendmail(f"probe@{domain}", [to], raw)
            print(f"{letter}  sent: {PROBES[letter]}")
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            refused.append(letter)
            print(f"{letter}  refused by the server ({type(error).__name__}): {PROBES[letter]}")
        except OSError as error:
            print(f"{server.hostname} cannot be reached ({type(error).__name__}).", file=sys.stderr)
            return UNAVAILABLE
    more = f" --refused {','.join(refused)}" if refused else ""
    print(f"Wait until they arrived; then: provider-intake doctor --probe MAILBOX{more}")
    return 0


def _tell(parts: Parts, given: argparse.Namespace) -> int:
    name, refused = given.probe, set((given.refused or "").split(","))
    found = {key.rpartition(":")[2]: value for key, value in parts.store.remembered(f"probe:{name}:").items()}
    broken, missing, days = 0, 0, []
    for letter, what in PROBES.items():
        at, _, shown = found.get(letter, "").partition(" ")
        if letter in refused:
            state = "refused at the door"
        elif not at:
            state, missing = "did not arrive", missing + 1
        else:
            days.append(datetime.fromisoformat(at).date().isoformat())
            state, broken = shown or "harmless", broken + bool(shown)
        if given.json:
            show.line({"probe": letter, "what": what, "at": at or None, "state": state, "ok": not shown and bool(at)})
        else:
            print(f"{letter}  {what}: {state}")
    proven = not broken and not missing and bool(days)
    if not given.json:
        print(_verdict(name, proven, broken, missing, max(days, default="")))
    return 0 if proven else UNAVAILABLE


def _verdict(name: str, proven: bool, broken: int, missing: int, day: str) -> str:
    if proven:
        return f'Proven on {day}. Write strips = "{day}" into [mailboxes.{name}.trust].'
    if not missing and not broken:
        return (
            "Every one was refused at the door, so nothing shows what becomes of one that gets in: strips stays “no”."
        )
    if broken:
        return "Not proven: strips stays “no”. Have the gateway remove results with its own id from mail that comes in."
    return "Not proven yet: send what is missing (--via or --write), and look again."
