"""Access tokens for a mailbox by the client-credentials flow (RFC 6749 section 4.4), with msal. Graph, IMAP and Exchange share it.

No person signs in: the application has a secret or, better, a certificate. A token lasts about an hour and msal
keeps it until shortly before its end; a server that refuses one early gets a fresh one once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from intake.adapters import mailbox_options as checks
from intake.adapters.access import StateStore
from intake.domain.errors import TryLater

OAUTH_OPTIONS = frozenset(
    {
        *("tenant", "client_id", "client_secret_file", "client_secret_env", "certificate_file"),
        *("secret_ends", "authority", "scope", "ca_file", "timeout_seconds"),
    }
)
_AUTHORITY = "https://login.microsoftonline.com"
_REASON = re.compile(r"AADSTS\d+")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The application that may open a mailbox. `certificate_file` is PEM and holds the private key as well."""

    name: str
    tenant: str
    client_id: str
    scope: str
    client_secret_file: str = ""
    client_secret_env: str = ""
    certificate_file: str = ""
    secret_ends: date | None = None
    authority: str = _AUTHORITY
    ca_file: str = ""
    timeout_seconds: float = 60.0


def oauth_client(name: str, options: Mapping[str, Any], scope: str) -> OAuthClient:
    """Raises Misconfigured with a sentence that names the mailbox. scope: the default of the adapter that asks."""
    client = OAuthClient(
        name=name,
        tenant=str(options.get("tenant", "")),
        client_id=str(options.get("client_id", "")),
        scope=str(options.get("scope", scope)),
        client_secret_file=str(options.get("client_secret_file", "")),
        client_secret_env=str(options.get("client_secret_env", "")),
        certificate_file=str(options.get("certificate_file", "")),
        secret_ends=_day(name, options.get("secret_ends")),
        authority=str(options.get("authority", _AUTHORITY)).rstrip("/"),
        ca_file=str(options.get("ca_file", "")),
        timeout_seconds=checks.number(name, options, "timeout_seconds", 60.0),
    )
    if not client.tenant or not client.client_id:
        raise checks.wrong(name, "tenant and client_id are needed to sign in with a token")
    checks.check_names(name, client.tenant, client.client_id, client.scope)
    checks.one_of(name, options, "client_secret_file", "client_secret_env", "certificate_file")
    checks.check_file(name, "ca_file", client.ca_file)
    checks.check_file(name, "certificate_file", client.certificate_file)
    if urlsplit(client.authority).scheme != "https":
        raise checks.wrong(name, "authority must begin with https://")
    return client


def _day(name: str, given: object) -> date | None:
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise checks.wrong(name, "secret_ends is the day on which the secret ends, like 2027-10-31") from None


class _Http:
    """What msal asks with. A session alone would let a variable of the environment override the authority of the settings."""

    def __init__(self, verify: str | bool, timeout: float) -> None:
        import requests

        self._session, self._how = requests.Session(), {"verify": verify, "timeout": timeout}

    def get(self, url: str, **given: Any) -> Any:
        return self._session.get(url, **{**given, **self._how})

    def post(self, url: str, **given: Any) -> Any:
        return self._session.post(url, **{**given, **self._how})

    def close(self) -> None:
        self._session.close()


class Tokens:
    """The access tokens of one mailbox; for one thread."""

    def __init__(self, client: OAuthClient, store: StateStore) -> None:
        self._client = client
        self._store = store
        self._application: Any = None
        self._read_at: tuple[int, ...] = ()  # when the files that it was made from were last written, nanoseconds

    @property
    def account(self) -> str:
        """Who signs in, for `access.claim`."""
        return f"{self._client.client_id}@{self._client.tenant}"

    def token(self, fresh: bool = False) -> str:
        """A token that is good now. fresh: the server refused the last one. Raises TryLater."""
        import requests

        try:
            application = self._signed_in()
            if fresh:
                application.remove_tokens_for_client()
            answer = application.acquire_token_for_client([self._client.scope])
        except (requests.RequestException, ValueError) as error:  # msal: what it cannot discover is a ValueError
            raise TryLater(
                f"The sign-in server of mailbox {self._client.name} cannot be reached ({type(error).__name__}). "
                "Mail waits on the server."
            ) from error
        token = answer.get("access_token")
        if not token:
            raise TryLater(self._refusal(answer), after=checks.REFUSED_AGAIN_AFTER)
        return str(token)

    def _refusal(self, answer: Mapping[str, Any]) -> str:
        """In our words: what the sign-in server says may name tenants and addresses."""
        found = _REASON.search(str(answer.get("error_description", "")))
        why = found[0] if found else re.sub(r"[^a-z_]", "", str(answer.get("error", "no reason")))[:60]
        return (
            f"The sign-in server refused mailbox {self._client.name} ({why}). Look at client_id, its secret or certificate, "
            "and when that ends. Mail waits on the server."
        )

    def _signed_in(self) -> Any:
        """Made anew when somebody put a new secret or certificate in place."""
        files = (self._client.certificate_file, self._client.client_secret_file)
        written = tuple(Path(file).stat().st_mtime_ns for file in files if file and Path(file).is_file())
        if self._application is None or written != self._read_at:
            from msal import ConfidentialClientApplication

            credential, ends = self._credential()
            self._application = ConfidentialClientApplication(
                self._client.client_id,
                authority=f"{self._client.authority}/{self._client.tenant}",
                client_credential=credential,
                instance_discovery=False,  # the settings name the authority; no other host is asked
                http_client=_Http(self._client.ca_file or True, self._client.timeout_seconds),
            )
            self._read_at = written
            if self._store.mailbox_state(self._client.name).access_ends != ends:
                self._store.set_mailbox_state(self._client.name, access_ends=ends)
        return self._application

    def _credential(self) -> tuple[str | dict[str, str], datetime | None]:
        client = self._client
        if client.certificate_file:
            return _certificate(client)
        found = checks.secret(client.name, "client secret", client.client_secret_file, client.client_secret_env)
        ends = client.secret_ends
        return found, datetime.combine(ends, time(), UTC) if ends else None


def _certificate(client: OAuthClient) -> tuple[dict[str, str], datetime]:
    from cryptography import x509

    try:
        pem = Path(client.certificate_file).read_text(encoding="ascii")
        ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise TryLater(
            f"The certificate of mailbox {client.name} cannot be read: {client.certificate_file} must be PEM and hold the "
            "certificate and its private key.",
            after=checks.REFUSED_AGAIN_AFTER,
        ) from error
    return {"private_key": pem, "public_certificate": pem}, ends
