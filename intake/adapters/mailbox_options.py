"""What the options of every `[mailboxes.NAME]` share: how they are checked, and how a secret is read.

A secret comes from a file or a variable, never from the settings file, which ends in backups and screenshots.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intake.domain.errors import Misconfigured, TryLater
from intake.domain.mime import Limits

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
REFUSED_AGAIN_AFTER = 60.0  # seconds: servers lock an account that is tried too often
FOLDER_OPTIONS = frozenset({"folder", "processed", "held", "reconcile_minutes", "max_message_bytes"})


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """What every mailbox that is read on a server has: its folders, and how they are looked at. Names as the settings give them."""

    folder: str
    processed: str
    held: str
    reconcile_minutes: float
    max_message_bytes: int


def folder_options(name: str, options: Mapping[str, Any], folder: str) -> FolderOptions:
    """folder: the one that is read when the settings name none. Raises Misconfigured."""
    found = FolderOptions(
        folder=str(options.get("folder", folder)),
        processed=str(options.get("processed", "Processed")),
        held=str(options.get("held", "Held")),
        reconcile_minutes=number(name, options, "reconcile_minutes", 15.0),
        max_message_bytes=message_bytes(name, options),
    )
    names = (found.folder, found.processed, found.held)
    check_names(name, *names)
    if len({f.casefold() for f in names}) != 3:
        raise wrong(name, "folder, processed and held must be three different folders")
    return found


def message_bytes(name: str, options: Mapping[str, Any]) -> int:
    """`max_message_bytes`. Raises Misconfigured above what is opened by machine: such a mail would be kept, and not one file of it read."""
    most = Limits().message
    found = int(number(name, options, "max_message_bytes", most))
    if found > most:
        raise wrong(name, f"max_message_bytes is {found:,}; at most {most:,} can be opened by machine")
    return found


def wrong(name: str, what: str) -> Misconfigured:
    return Misconfigured(f"[mailboxes.{name}]: {what}.")


def only_known(name: str, options: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises Misconfigured for an option that means nothing, and for a secret that stands in the settings file."""
    for secret in ("password", "client_secret"):
        if secret in options:
            raise wrong(name, f"the {secret} must not stand in the settings file; use {secret}_file or {secret}_env")
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise wrong(name, f"there is no option “{unknown[0]}”; docs/mailboxes.md lists them all")


def number(name: str, options: Mapping[str, Any], key: str, default: float) -> float:
    """Above 0. Raises Misconfigured."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise wrong(name, f"{key} must be a number above 0")
    return float(value)


def flag(name: str, options: Mapping[str, Any], key: str, default: bool) -> bool:
    """Raises Misconfigured for what is neither true nor false."""
    value = options.get(key, default)
    if not isinstance(value, bool):
        raise wrong(name, f"{key} is “{value}”; write true or false, without quotes")
    return value


def check_names(name: str, *given: str) -> None:
    """Hosts, accounts, folders. A line break in a folder name puts client and server out of step: seen, not supposed."""
    if any(not one or CONTROL.search(one) for one in given):
        raise wrong(name, "host, account and folder names must not be empty nor hold control characters")


def check_file(name: str, option: str, path: str) -> None:
    if path and not os.path.isfile(path):  # Path raises where a folder may not be looked into
        raise wrong(name, f"{option} names {path}, which is not a file")


def one_of(name: str, options: Mapping[str, Any], *keys: str) -> None:
    if sum(bool(options.get(key)) for key in keys) != 1:
        raise wrong(name, f"give one of {', '.join(keys[:-1])} and {keys[-1]}")


def secret(name: str, what: str, file: str, variable: str) -> str:
    """The content of a file without its line end, or of a variable. Raises TryLater when it is missing."""
    if variable:
        found, where = os.environ.get(variable), f"variable {variable}"
    else:
        path = Path(file)
        found = path.read_text(encoding="utf-8").rstrip("\r\n") if path.is_file() else None
        where = f"file {file}"
    if not found:
        raise TryLater(f"The {what} of mailbox {name} is missing: {where}.", after=REFUSED_AGAIN_AFTER)
    return found


def is_loopback(host: str) -> bool:
    """True for an address or name that can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
