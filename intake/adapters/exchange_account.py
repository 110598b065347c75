"""How to reach one mailbox of Exchange Server: the options of `[mailboxes.NAME]` with `kind = "exchange"`, and the sign-in.

The version and the way of signing in are in the settings, so that nothing is guessed and no other host is asked
(autodiscover). exchangelib is imported here and in `exchange`, when a mailbox is first opened: it costs most of a second and 60 MB.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from intake.adapters import mailbox_options as checks
from intake.adapters.access import StateStore, claim
from intake.adapters.oauth import OAUTH_OPTIONS, OAuthClient, Tokens, oauth_client
from intake.domain.errors import TryLater

_AUTH = ("ntlm", "basic", "oauth")
_VERSIONS = ("2016", "2019", "se")
_ONLINE = ("outlook.office365.com", "outlook.office.com")
_KNOWN = (
    OAUTH_OPTIONS
    | checks.FOLDER_OPTIONS
    | {
        *("host", "account", "username", "auth", "password_file", "password_env", "version", "streaming"),
        "poll_seconds",
    }
)


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """Times in the unit of the name."""

    name: str
    host: str  # may carry a port
    address: str  # the option `account`: the mailbox
    username: str
    folders: checks.FolderOptions
    auth: str = "ntlm"
    oauth: OAuthClient | None = None
    password_file: str = ""
    password_env: str = ""
    version: str = "se"
    streaming: bool = True
    ca_file: str = ""
    timeout_seconds: float = 60.0
    poll_seconds: float = 60.0


def exchange_account(name: str, options: Mapping[str, Any]) -> ExchangeAccount:
    """Raises Misconfigured with a sentence that names the mailbox and says how to mend it."""
    checks.only_known(name, options, _KNOWN)
    auth = str(options.get("auth", "ntlm"))
    if auth not in _AUTH:
        raise checks.wrong(name, f"auth is “{auth}”; it is ntlm, basic or oauth")
    host, address = str(options.get("host", "")), str(options.get("account", ""))
    account = ExchangeAccount(
        name=name,
        host=host,
        address=address,
        username=str(options.get("username", address)),
        folders=checks.folder_options(name, options, "Inbox"),
        auth=auth,
        oauth=oauth_client(name, options, f"https://{host}/.default") if auth == "oauth" else None,
        password_file=str(options.get("password_file", "")),
        password_env=str(options.get("password_env", "")),
        version=str(options.get("version", "se")).lower(),
        streaming=checks.flag(name, options, "streaming", True),
        ca_file=str(options.get("ca_file", "")),
        timeout_seconds=checks.number(name, options, "timeout_seconds", 60.0),
        poll_seconds=checks.number(name, options, "poll_seconds", 60.0),
    )
    _check(account)
    return account


def _check(account: ExchangeAccount) -> None:
    checks.check_names(account.name, account.host, account.address, account.username)
    checks.check_file(account.name, "ca_file", account.ca_file)
    if account.auth != "oauth":
        given = {"password_file": account.password_file, "password_env": account.password_env}
        checks.one_of(account.name, given, *given)
    if urlsplit(f"https://{account.host}").hostname in _ONLINE:
        raise checks.wrong(account.name, "Exchange Online has closed EWS; use kind = “graph” (docs/mailboxes-graph.md)")
    if "/" in account.host:
        raise checks.wrong(account.name, "host is the name of the server, without https:// and without a path")
    if "@" not in account.address:
        raise checks.wrong(account.name, "account is the address of the mailbox, name@domain")
    if account.version not in _VERSIONS:
        raise checks.wrong(account.name, f"version is “{account.version}”; it is 2016, 2019 or se")


class ExchangeSignIn:
    """Opens the mailbox; for one thread. purpose: each has a connection of its own.

    The library shares connections between all accounts with the same credentials, and waits without end for a free one: a
    stream of one mailbox would stop the questions of another.
    """

    def __init__(self, account: ExchangeAccount, store: StateStore, purpose: str) -> None:
        self._account, self._store = account, store
        self._purpose = f"{purpose} {account.name}"
        self._tokens = Tokens(account.oauth, store) if account.oauth else None

    def __call__(self, fresh: bool = False) -> Any:
        """An `exchangelib.Account`. fresh: the server refused the last access token. Raises TryLater."""
        account, library = self._account, _library()
        claim(
            self._store,
            account.name,
            f"{account.address} by {self._tokens.account if self._tokens else account.username}",
        )
        credentials = self._credentials(library, fresh)
        credentials.purpose = self._purpose  # makes them differ from others for the same account
        _Authorities.of[account.host] = account.ca_file or True
        configuration = library.Configuration(
            service_endpoint=f"https://{account.host}/EWS/Exchange.asmx",
            credentials=credentials,
            auth_type={"ntlm": library.NTLM, "basic": library.BASIC, "oauth": library.OAUTH2}[account.auth],
            version=library.Version(_build(account.version)),
            retry_policy=library.FailFast(),  # the collector waits by itself, and staff see why
        )
        opened = library.Account(
            account.address,
            config=configuration,
            access_type=library.DELEGATE,
            locale="en_NZ",
            default_timezone=library.EWSTimeZone("UTC"),
        )
        opened.protocol.TIMEOUT = account.timeout_seconds
        if self._tokens:
            opened.protocol.credentials = credentials  # the library shares a protocol, and would keep the old token
        return opened

    def _credentials(self, library: Any, fresh: bool) -> Any:
        if self._tokens is None:
            account = self._account
            word = checks.secret(account.name, "password", account.password_file, account.password_env)
            return library.Credentials(account.username, word)
        from oauthlib.oauth2 import OAuth2Token

        token = OAuth2Token({"access_token": self._tokens.token(fresh), "token_type": "Bearer"})
        return library.OAuth2AuthorizationCodeCredentials(client_id=self._account.name, access_token=token)


class _Authorities:
    """Which authority vouches for which host: the library has one adapter for the whole process."""

    of: dict[str, str | bool] = {}  # noqa: RUF012 - filled as mailboxes are opened


@cache
def _library() -> Any:
    import exchangelib
    from exchangelib.protocol import BaseProtocol
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """A variable of the environment must not override the authority of the settings."""
            super().cert_verify(conn, url, _Authorities.of.get(urlsplit(str(url)).netloc, True), cert)

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            verify = _Authorities.of.get(urlsplit(str(request.url)).netloc, True)
            return super().build_connection_pool_key_attributes(request, verify, cert)

    BaseProtocol.HTTP_ADAPTER_CLS = Adapter
    logging.getLogger("exchangelib").setLevel(logging.CRITICAL + 1)  # what it logs may quote mails
    return exchangelib


def _build(version: str) -> Any:
    from exchangelib import version as versions

    return versions.EXCHANGE_2016 if version == "2016" else versions.EXCHANGE_2019  # SE reports builds of 2019


@contextmanager
def failures(name: str, *known: type[Exception]) -> Iterator[None]:
    """The library's many errors as TryLater, with a sentence for staff that quotes nothing. known: what the caller expects."""
    from exchangelib import errors

    try:
        yield
    except known:
        raise
    except errors.UnauthorizedError as error:
        raise TryLater(
            f"The server of mailbox {name} refused the account or its password. Mail waits there.",
            after=checks.REFUSED_AGAIN_AFTER,
        ) from error
    except (errors.ErrorAccessDenied, errors.ErrorNonExistentMailbox, errors.ErrorImpersonateUserDenied) as error:
        raise TryLater(
            f"The account may not open the mailbox of {name}, or there is none ({type(error).__name__}). Give it full access to "
            "this mailbox (docs/mailboxes-exchange.md). Mail waits there.",
            after=checks.REFUSED_AGAIN_AFTER,
        ) from error
    except errors.ErrorServerBusy as error:
        raise TryLater(f"The server of mailbox {name} asks us to wait.", after=float(error.back_off or 30)) from error
    except errors.RateLimitError as error:
        raise TryLater(f"The server of mailbox {name} asks us to wait.", after=float(error.wait or 30)) from error
    # Errors of requests are OSErrors; the others are how the library stumbles over an answer that lacks something.
    except (errors.EWSError, OSError, AttributeError, TypeError, ValueError, KeyError) as error:
        raise TryLater(
            f"Mailbox {name} cannot be reached ({type(error).__name__}). Mail waits on the server."
        ) from error
