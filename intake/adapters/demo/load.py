"""Set the demo up: a settings file for the demo mailbox, the register, staff, and the messages of the last two days."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from intake import receive
from intake.adapters.demo.mails import GATEWAY
from intake.adapters.demo.messages import messages
from intake.adapters.demo.signing import key_file, signer
from intake.adapters.demo.signing import zone as zone_of
from intake.adapters.maildrop import drop
from intake.domain.model import Arrival
from intake.pipeline import process
from intake.registry_file import read_registry

if TYPE_CHECKING:
    from intake.config import Settings
    from intake.wiring import Parts

MAILBOX = "demo"
STAFF = (
    ("triage@ministry.example", "triage", "A. Example"),
    ("privacy@ministry.example", "privacy_lead", "K. Example"),
    ("security@ministry.example", "security_lead", "L. Example"),
    ("manager@ministry.example", "manager", "R. Example"),
    ("auditor@ministry.example", "auditor", "N. Example"),
    ("admin@ministry.example", "admin", "O. Example"),
)


def settings_file(settings: Settings) -> Path:
    """Write the demo's settings and its DNS zone beside its database; the path of the settings file."""
    folder = settings.folder
    (folder / "mail" / "new").mkdir(parents=True, exist_ok=True)
    zone = folder / "demo-dns.json"
    zone.write_text(json.dumps(zone_of(key_file(folder))), encoding="utf-8")
    path = folder / "demo.toml"
    path.write_text(
        "# Written by the demo at each start. INTAKE_CONFIG=(this file) lets a command see the demo.\n"
        "demo = true\n"
        f"data_dir = {json.dumps(str(folder))}\n"
        f"listen = {json.dumps(str(settings.listen))}\n"
        'own_domains = "ministry.example"\n'
        'duty_addresses = "duty@ministry.example"\n'
        f"dns_file = {json.dumps(str(zone))}\n\n"
        f"[mailboxes.{MAILBOX}]\n"
        'kind = "maildrop"\n'
        f"folder = {json.dumps(str(folder / 'mail'))}\n\n"
        f"[mailboxes.{MAILBOX}.trust]\n"
        'kind = "own"\n'
        f'ids = ["{GATEWAY}"]\n'
        f'border = ["{GATEWAY}"]\n'
        'stamp = "above"\n'
        'strips = "no"\n',
        encoding="utf-8",
    )
    return path


def load(parts: Parts, say: Callable[[str], None]) -> int:
    """Fill an empty system with the demo; how many messages were taken. Does nothing when there are providers already."""
    if parts.store.providers():
        return 0
    text = (Path(__file__).parent / "providers.csv").read_text(encoding="utf-8")
    parts.store.save_providers(read_registry(text, "providers.csv"))
    for address, role, name in STAFF:
        parts.store.add_staff(address, role, name)
    now = parts.clock()
    made = list(messages(now, signer(key_file(parts.settings.folder))))
    say(f"making {len(made)} invented messages")
    for message in made:
        mailbox = MAILBOX if message.channel == "maildrop" else "web"
        at = now - timedelta(minutes=message.minutes)
        if mailbox == MAILBOX:  # as if it had been collected: the count of the folder is that of what is kept
            drop(parts.settings.folder / "mail", message.raw, "done")
            parts.store.set_mailbox_state(MAILBOX, last_message=at)
        arrival = Arrival(message.raw, message.channel, mailbox, f"demo:{message.name}", at)
        (delivery,) = receive.keep(parts, [arrival])
        process(parts, delivery.id)
    return len(made)
