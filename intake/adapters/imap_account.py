"""How to reach one IMAP folder: options of `[mailboxes.NAME]`, checked before the first connection, and the
sign-in.

A certificate is always verified. A connection without TLS is possible to this very machine only, and only when
the settings ask for it. The account signs in with a password or with an access token (XOAUTH2, or OAUTHBEARER of
RFC 7628).
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intake.adapters import mailbox_options as checks
from intake.adapters.access import StateStore, claim
from intake.adapters.oauth import OAUTH_OPTIONS, OAuthClient, Tokens, oauth_client
from intake.domain.errors import TryLater

_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_AUTH = ("password", "xoauth2", "oauthbearer")
_SCOPE = "https://outlook.office365.com/.default"  # Exchange Online's; another authority has its own
_KNOWN = (
    OAUTH_OPTIONS
    | checks.FOLDER_OPTIONS
    | {
        *("host", "port", "security", "ca_file", "account", "auth", "password_file", "password_env"),
        "timeout_seconds",
    }
)


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """Times in the unit of the name."""

    name: str
    host: str
    username: str  # the option `account`
    folders: checks.FolderOptions
    auth: str = "password"  # or xoauth2, oauthbearer
    oauth: OAuthClient | None = None
    password_file: str = ""
    password_env: str = ""
    port: int = 993
    security: str = "tls"  # tls, starttls, none
    ca_file: str = ""
    timeout_seconds: float = 60.0


def account_from_options(name: str, options: Mapping[str, Any]) -> ImapAccount:
    """Raises Misconfigured with a sentence that names the mailbox and says how to mend it."""
    checks.only_known(name, options, _KNOWN)
    security, auth = str(options.get("security", "tls")), str(options.get("auth", "password"))
    if security not in _PORTS:
        raise checks.wrong(name, f"security is “{security}”; it is tls, starttls or none")
    if auth not in _AUTH:
        raise checks.wrong(name, f"auth is “{auth}”; it is password, xoauth2 or oauthbearer")
    account = ImapAccount(
        name=name,
        host=str(options.get("host", "")),
        username=str(options.get("account", "")),
        folders=checks.folder_options(name, options, "INBOX"),
        auth=auth,
        oauth=None if auth == "password" else oauth_client(name, options, _SCOPE),
        password_file=str(options.get("password_file", "")),
        password_env=str(options.get("password_env", "")),
        port=int(checks.number(name, options, "port", _PORTS[security])),
        security=security,
        ca_file=str(options.get("ca_file", "")),
        timeout_seconds=checks.number(name, options, "timeout_seconds", 60.0),
    )
    _check(account)
    return account


def _check(account: ImapAccount) -> None:
    if not account.host or not account.username:
        raise checks.wrong(account.name, "host and account are needed")
    if account.auth == "password":
        given = {"password_file": account.password_file, "password_env": account.password_env}
        checks.one_of(account.name, given, *given)
    if ":" in account.host and not account.host.startswith("["):
        raise checks.wrong(account.name, f"host is “{account.host}”; write the name alone, and the port as port = …")
    checks.check_names(account.name, account.host, account.username)
    if account.security == "none" and not checks.is_loopback(account.host):
        raise checks.wrong(account.name, "security = “none” is for this machine only (127.0.0.1); use tls or starttls")
    checks.check_file(account.name, "ca_file", account.ca_file)


class SignIn:
    """Opens connections for one account, and remembers its token; for one thread."""

    def __init__(self, account: ImapAccount, store: StateStore) -> None:
        self._account, self._store = account, store
        self._tokens = Tokens(account.oauth, store) if account.oauth else None

    def __call__(self) -> Any:
        """A signed-in `imapclient.IMAPClient`. Raises TryLater (with a sentence for staff), OSError or imaplib's errors."""
        account = self._account
        claim(self._store, account.name, account.username)
        try:
            client = self._signed_in(fresh=False)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            if self._tokens is None:
                raise self._refused("password") from error
            client = self._once_more()
        client.normalise_times = False  # aware datetimes, not this machine's local time
        return client

    def _once_more(self) -> Any:
        """A server may end a token before its time."""
        try:
            return self._signed_in(fresh=True)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise self._refused("access token") from error

    def _refused(self, what: str) -> TryLater:
        return TryLater(
            f"The server of mailbox {self._account.name} refused the account or its {what}. Mail waits there.",
            after=checks.REFUSED_AGAIN_AFTER,
        )

    def _signed_in(self, fresh: bool) -> Any:
        account = self._account
        if self._tokens is None:
            word = checks.secret(account.name, "password", account.password_file, account.password_env)
        else:
            word = self._tokens.token(fresh)
        client = _connect(account)
        try:
            if account.auth == "xoauth2":
                client.oauth2_login(account.username, word)
            elif account.auth == "oauthbearer":
                client.oauthbearer_login(account.username, word)
            else:
                client.login(account.username, word)
        except imaplib.IMAP4.error:
            client.shutdown()
            raise
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
            after=checks.REFUSED_AGAIN_AFTER,
        ) from error
    return client
