"""Options of `[mailboxes.NAME]` with kind "smtp", checked before anything listens, and whose word counts about mail that came in
by such a door. docs/mailboxes-gateway.md lists them.

Several mailboxes may share one door (the same `listen`); each has recipients of its own.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from intake.adapters.mailbox_options import flag, message_bytes, number, only_known, wrong
from intake.domain.trust import Trust

SMTP, LMTP = "smtp", "lmtp"
_LOOPBACK = ("127.0.0.0/8", "::1/128")
_KNOWN = frozenset(
    {
        *("listen", "protocol", "recipients", "clients", "hostname", "max_message_bytes", "max_connections"),
        *("tls_certificate_file", "tls_key_file", "require_tls", "timeout_seconds"),
    }
)
_HOSTNAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_RECIPIENT = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[a-z0-9.-]{1,253}")
_UNIX_PATH = 100  # bytes that fit into the address of a Unix socket everywhere

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """One address at which mail is taken. Sizes in bytes; networks parsed; names in lower case."""

    listen: str  # host:port, or the path of a Unix socket
    recipients: Mapping[str, str]  # address -> name of the mailbox
    protocol: str = SMTP
    clients: tuple[Network, ...] = ()
    hostname: str = "localhost"
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    require_tls: bool = False
    max_message_bytes: int = 36_700_160
    max_connections: int = 50
    timeout_seconds: float = 60.0

    @property
    def is_unix(self) -> bool:
        return self.listen.startswith("/")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`; not for a Unix socket."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def mailboxes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.recipients.values()))

    @property
    def only_this_machine(self) -> bool:
        return all(network.is_loopback for network in self.clients)

    def may_connect(self, address: str) -> bool:
        """Whether a client may talk to us. A Unix socket has no address: there the folder's permissions decide."""
        if self.is_unix:
            return True
        try:
            at = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        at = getattr(at, "ipv4_mapped", None) or at
        return any(at.version == network.version and at in network for network in self.clients)

    def mailbox_for(self, recipient: str) -> str | None:
        """The mailbox of a recipient, with or without `+anything` before the @; None when it is none of ours."""
        local, _, domain = recipient.lower().rpartition("@")
        domain = domain.removesuffix(".")
        return self.recipients.get(f"{local}@{domain}") or self.recipients.get(f"{local.partition('+')[0]}@{domain}")


def doors_from_settings(boxes: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[DoorOptions, ...]:
    """One door for each address that is listened at.

    Raises: Misconfigured, with a sentence that names the mailbox and says how to mend it.
    """
    doors: dict[str, DoorOptions] = {}
    for name, options in boxes:
        door = door_from_options(name, options)
        before = doors.get(door.listen)
        if before is None:
            doors[door.listen] = door
            continue
        if replace(before, recipients=door.recipients) != door:
            raise wrong(name, f"another mailbox listens at {door.listen} with other options; give both the same ones")
        if twice := sorted(set(before.recipients) & set(door.recipients)):
            raise wrong(name, f"{twice[0]} is a recipient of two mailboxes")
        doors[door.listen] = replace(before, recipients={**before.recipients, **door.recipients})
    return tuple(doors.values())


def door_from_options(name: str, options: Mapping[str, Any]) -> DoorOptions:
    """Raises Misconfigured with a sentence that names the mailbox and says how to mend it."""
    only_known(name, options, _KNOWN)
    door = _read(name, options)
    _check_listen(name, door)
    _check_names(name, door)
    _check_tls(name, door)
    return door


def _read(name: str, options: Mapping[str, Any]) -> DoorOptions:
    listen = str(options["listen"]).removeprefix("unix:")
    return DoorOptions(
        listen=listen,
        recipients=dict.fromkeys(_recipients(name, options), name),
        protocol=str(options.get("protocol", LMTP if listen.startswith("/") else SMTP)).lower(),
        clients=_networks(name, options),
        hostname=str(options.get("hostname", "localhost")).lower().removesuffix("."),
        tls_certificate_file=str(options.get("tls_certificate_file", "")),
        tls_key_file=str(options.get("tls_key_file", "")),
        require_tls=flag(name, options, "require_tls", False),
        max_message_bytes=message_bytes(name, options),
        max_connections=int(number(name, options, "max_connections", 50)),
        timeout_seconds=number(name, options, "timeout_seconds", 60.0),
    )


def door_trust(name: str, options: Mapping[str, Any], given: Trust) -> Trust:
    """Whose word counts about mail that came in by the door: our own line is on top, so the border is ours, or further inside.

    Without a table, a door that others than this machine may use is itself the border. A door for this machine only stands behind a
    mail server, whose hosts the table names; our line is then one that came from inside. Asked where mail is read, too, and there the
    door's files need not be.
    """
    door = _read(name, options)
    if given.kind != "none" and not given.shorthand:
        return replace(given, border=(*given.border, door.hostname))
    if door.only_this_machine:
        return given
    return Trust(kind="own", border=(door.hostname,))


def _check_listen(name: str, door: DoorOptions) -> None:
    if door.protocol not in (SMTP, LMTP):
        raise wrong(name, f"protocol is “{door.protocol}”; it is smtp or lmtp")
    if door.is_unix:
        if door.protocol != LMTP:
            raise wrong(name, "a Unix socket speaks lmtp; set protocol = “lmtp”")
        if len(door.listen.encode()) > _UNIX_PATH:
            raise wrong(name, f"the path in listen is longer than {_UNIX_PATH} bytes; take a shorter one")
        return
    host, _, port = door.listen.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise wrong(name, f"listen is “{door.listen}”; write host:port like 127.0.0.1:8724, or the path of a socket")


def _check_names(name: str, door: DoorOptions) -> None:
    if not _HOSTNAME.fullmatch(door.hostname):
        raise wrong(name, "hostname is not a host name; write the name of this machine")
    # Two machines with one name could write each other's lines.
    if door.hostname == "localhost" and not door.only_this_machine:
        raise wrong(
            name, "hostname is needed when others than this machine may connect; write the name of this machine"
        )


def _check_tls(name: str, door: DoorOptions) -> None:
    files = (door.tls_certificate_file, door.tls_key_file)
    if any(files) and not all(files):
        raise wrong(name, "give both tls_certificate_file and tls_key_file, or none")
    if missing := [f for f in files if f and not os.path.isfile(f)]:  # Path raises in a closed folder
        raise wrong(name, f"{missing[0]} is not a file")
    if door.require_tls and not all(files):
        raise wrong(name, "require_tls needs tls_certificate_file and tls_key_file")
    if door.require_tls and door.protocol == LMTP:
        raise wrong(name, "LMTP is for this machine or a closed network; use protocol = “smtp” with require_tls")


def _recipients(name: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    words = tuple(word.lower() for word in _list(name, options, "recipients", ()))
    if not words:
        raise wrong(name, "recipients is empty; list the addresses that are taken")
    if bad := [word for word in words if not _RECIPIENT.fullmatch(word)]:
        raise wrong(name, f"recipients holds “{bad[0]}”; write an address, name@domain")
    return words


def _networks(name: str, options: Mapping[str, Any]) -> tuple[Network, ...]:
    words = _list(name, options, "clients", _LOOPBACK)
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise wrong(name, "clients holds what is no network; write them like 192.0.2.0/24") from error


def _list(name: str, options: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = options.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise wrong(name, f"{key} must be a list of words")
    return tuple(value)
