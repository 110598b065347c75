"""How to reach one IMAP folder: options of `[mailboxes.NAME]`, checked before the first connection, and the
sign-in.

A certificate is always verified. A connection without TLS is possible to this very machine only, and only when
the settings ask for it. The password comes from a file or a variable, never from the settings file, which ends
in backups and screenshots.
"""

from __future__ import annotations

import imaplib
import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intake.domain.errors import Misconfigured, TryLater

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_KNOWN = frozenset(
    {
        *("host", "port", "security", "ca_file", "account", "password_file", "password_env"),
        *("folder", "processed", "held", "timeout_seconds", "reconcile_minutes", "max_message_bytes"),
    }
)
_REFUSED_AGAIN_AFTER = 60.0  # seconds: servers lock an account that is tried too often


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """Sizes in bytes, times in the unit of the name."""

    name: str
    host: str
    username: str  # the option `account`
    password_file: str = ""
    password_env: str = ""
    port: int = 993
    security: str = "tls"  # tls, starttls, none
    ca_file: str = ""
    folder: str = "INBOX"
    processed: str = "Processed"
    held: str = "Held"
    timeout_seconds: float = 60.0
    reconcile_minutes: float = 15.0
    max_message_bytes: int = 36_700_160


def account_from_options(name: str, options: Mapping[str, Any]) -> ImapAccount:
    """Raises Misconfigured with a sentence that names the mailbox and says how to mend it."""
    _only_known(name, options)
    security = str(options.get("security", "tls"))
    if security not in _PORTS:
        raise _wrong(name, f"security is “{security}”; it is tls, starttls or none")
    account = ImapAccount(
        name=name,
        host=str(options.get("host", "")),
        username=str(options.get("account", "")),
        password_file=str(options.get("password_file", "")),
        password_env=str(options.get("password_env", "")),
        port=int(_number(name, options, "port", _PORTS[security])),
        security=security,
        ca_file=str(options.get("ca_file", "")),
        folder=str(options.get("folder", "INBOX")),
        processed=str(options.get("processed", "Processed")),
        held=str(options.get("held", "Held")),
        timeout_seconds=_number(name, options, "timeout_seconds", 60.0),
        reconcile_minutes=_number(name, options, "reconcile_minutes", 15.0),
        max_message_bytes=int(_number(name, options, "max_message_bytes", 36_700_160)),
    )
    _check(account)
    return account


def _only_known(name: str, options: Mapping[str, Any]) -> None:
    if "password" in options:
        raise _wrong(name, "the password must not stand in the settings file; use password_file or password_env")
    unknown = sorted(set(options) - _KNOWN)
    if unknown:
        raise _wrong(name, f"there is no option “{unknown[0]}”; docs/mailboxes.md lists them all")


def _number(name: str, options: Mapping[str, Any], key: str, default: float) -> float:
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _wrong(name, f"{key} must be a number above 0")
    return float(value)


def _check(account: ImapAccount) -> None:
    if not account.host or not account.username:
        raise _wrong(account.name, "host and account are needed")
    if bool(account.password_file) == bool(account.password_env):
        raise _wrong(account.name, "give one of password_file and password_env")
    folders = (account.folder, account.processed, account.held)
    # A line break in a folder name puts client and server out of step: seen, not supposed.
    if any(not f or _CONTROL.search(f) for f in (account.host, account.username, *folders)):
        raise _wrong(account.name, "host, account and folder names must not be empty nor hold control characters")
    if len({f.casefold() for f in folders}) != 3:
        raise _wrong(account.name, "folder, processed and held must be three different folders")
    if account.security == "none" and not is_loopback(account.host):
        raise _wrong(account.name, "security = “none” is for this machine only (127.0.0.1); use tls or starttls")
    if account.ca_file and not Path(account.ca_file).is_file():
        raise _wrong(account.name, f"ca_file names {account.ca_file}, which is not a file")


def is_loopback(host: str) -> bool:
    """True for an address or name that can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _wrong(name: str, what: str) -> Misconfigured:
    return Misconfigured(f"[mailboxes.{name}]: {what}.")


def sign_in(account: ImapAccount) -> Any:
    """A signed-in `imapclient.IMAPClient`. Raises TryLater (with a sentence for staff), OSError or imaplib's errors."""
    client = _connect(account)
    try:
        client.login(account.username, _password(account))
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        client.shutdown()
        raise TryLater(
            f"The server of mailbox {account.name} refused the account or its password. Mail waits there.",
            after=_REFUSED_AGAIN_AFTER,
        ) from error
    client.normalise_times = False  # aware datetimes, not this machine's local time
    return client


def _connect(account: ImapAccount) -> Any:
    from imapclient import IMAPClient, SocketTimeout

    limits = SocketTimeout(connect=min(15.0, account.timeout_seconds), read=account.timeout_seconds)
    if account.security == "none":
        return IMAPClient(account.host, port=account.port, ssl=False, timeout=limits)
    context = ssl.create_default_context(cafile=account.ca_file or None)
    try:
        if account.security == "tls":
            return IMAPClient(account.host, port=account.port, ssl=True, ssl_context=context, timeout=limits)
        client = IMAPClient(account.host, port=account.port, ssl=False, timeout=limits)
        client.starttls(context)
    except ssl.SSLCertVerificationError as error:
        raise TryLater(
            f"The server of mailbox {account.name} has a certificate that is not trusted ({error.verify_message}). "
            "Nothing was sent to it. Set ca_file when the server has a certificate of your own authority.",
            after=_REFUSED_AGAIN_AFTER,
        ) from error
    return client


def _password(account: ImapAccount) -> str:
    if account.password_env:
        found = os.environ.get(account.password_env)
        where = f"variable {account.password_env}"
    else:
        path = Path(account.password_file)
        found = path.read_text(encoding="utf-8").rstrip("\r\n") if path.is_file() else None
        where = f"file {account.password_file}"
    if not found:
        raise TryLater(f"The password of mailbox {account.name} is missing: {where}.", after=_REFUSED_AGAIN_AFTER)
    return found
