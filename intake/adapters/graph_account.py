"""How to reach one mailbox of Exchange Online: the options of `[mailboxes.NAME]` with `kind = "graph"`, and the questions to the
service, each with a token, a time limit and immutable ids.

Without `Prefer: IdType="ImmutableId"` on every single request the id of a mail changes when it is moved.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from intake.adapters import mailbox_options as checks
from intake.adapters.access import StateStore, claim
from intake.adapters.oauth import OAUTH_OPTIONS, OAuthClient, Tokens, oauth_client
from intake.domain.errors import TryLater

if TYPE_CHECKING:
    import httpx

ENDPOINT = "https://graph.microsoft.com/v1.0"
_SCOPE = "https://graph.microsoft.com/.default"
_IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
_KNOWN = OAUTH_OPTIONS | checks.FOLDER_OPTIONS | {"mailbox", "endpoint", "poll_seconds"}
_BUSY = frozenset({429, 502, 503, 504, 509})
_BUSY_AGAIN_AFTER = 30.0  # seconds, when the service does not say


@dataclass(frozen=True, slots=True)
class GraphAccount:
    """Times in the unit of the name."""

    name: str
    mailbox: str  # its address
    oauth: OAuthClient
    folders: checks.FolderOptions
    endpoint: str = ENDPOINT
    poll_seconds: float = 30.0


def graph_account(name: str, options: Mapping[str, Any]) -> GraphAccount:
    """Raises Misconfigured with a sentence that names the mailbox and says how to mend it."""
    checks.only_known(name, options, _KNOWN)
    account = GraphAccount(
        name=name,
        mailbox=str(options.get("mailbox", "")),
        oauth=oauth_client(name, options, _SCOPE),
        folders=checks.folder_options(name, options, "Inbox"),
        endpoint=str(options.get("endpoint", ENDPOINT)).rstrip("/"),
        poll_seconds=checks.number(name, options, "poll_seconds", 30.0),
    )
    checks.check_names(name, account.mailbox)
    if "@" not in account.mailbox:
        raise checks.wrong(name, "mailbox is the address of the mailbox, name@domain")
    if urlsplit(account.endpoint).scheme != "https":
        raise checks.wrong(name, "endpoint must begin with https://")
    return account


class Gone(Exception):
    """What was asked for is not there."""


class Denied(TryLater):
    """The service will not do it before a person changed something."""


class TooOld(Exception):
    """The place in the changes is too old for the service (410): everything is to be listed anew."""


class GraphService:
    """Questions about one mailbox; for one thread."""

    def __init__(self, account: GraphAccount, store: StateStore) -> None:
        self._account, self._store = account, store
        self._tokens = Tokens(account.oauth, store)
        self._client: httpx.Client | None = None
        self._token = ""
        self.base = f"{account.endpoint}/users/{quote(account.mailbox)}"

    def get(self, url: str, **params: str) -> dict[str, Any]:
        """Raises Gone, TooOld, TryLater."""
        answer = self._answered("GET", url, params=params or None)
        return self._object(answer)

    def post(self, url: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._object(self._answered("POST", url, json=body))

    def send(self, url: str, content: bytes) -> int:
        """Post a mail as it leaves; the status, whatever it is but those that ask for a later try."""
        from base64 import b64encode

        head = {"Content-Type": "text/plain"}
        return self._request("POST", url, content=b64encode(content), headers=head).status_code

    def read(self, url: str, limit: int) -> tuple[bytes, int]:
        """The bytes behind a URL, and how many there are; no more than `limit` of them are fetched."""
        with self._failures():
            for fresh in (False, True):
                with self._http().stream("GET", url, headers=self._headers(fresh)) as answer:
                    if answer.status_code == 401 and not fresh:
                        continue
                    if not answer.is_success:
                        answer.read()
                        raise self._no(answer)
                    return _at_most(answer, limit)
        raise AssertionError("a fresh token is the last try")

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # ---- one request ---------------------------------------------------------------------------

    def _answered(self, method: str, url: str, **given: Any) -> httpx.Response:
        answer = self._request(method, url, **given)
        if not answer.is_success:
            raise self._no(answer)
        return answer

    def _request(self, method: str, url: str, headers: Mapping[str, str] | None = None, **given: Any) -> httpx.Response:
        with self._failures():
            for fresh in (False, True):
                head = {**(headers or {}), **self._headers(fresh)}
                answer = self._http().request(method, url, headers=head, **given)
                if answer.status_code != 401:
                    break
            if answer.status_code in _BUSY or answer.status_code == 401:
                raise self._no(answer)
            return answer

    def _headers(self, fresh: bool) -> dict[str, str]:
        if fresh or not self._token:
            claim(self._store, self._account.name, f"{self._account.mailbox} by {self._tokens.account}")
        self._token = self._tokens.token(fresh)
        return {"Authorization": f"Bearer {self._token}", **_IMMUTABLE}

    def _http(self) -> httpx.Client:
        if self._client is None:
            import httpx

            context = ssl.create_default_context(cafile=self._account.oauth.ca_file or None)
            self._client = httpx.Client(verify=context, timeout=self._account.oauth.timeout_seconds)
        return self._client

    @contextmanager
    def _failures(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.HTTPError as error:
            self.close()
            raise TryLater(
                f"Mailbox {self._account.name} cannot be reached ({type(error).__name__}). Mail waits on the server."
            ) from error

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise TryLater(
                f"The service of mailbox {self._account.name} gave an answer that is none. Mail waits there."
            )
        return found

    def _no(self, answer: httpx.Response) -> Exception:
        name, status = self._account.name, answer.status_code
        if status == 404:
            return Gone()
        if status == 410:
            return TooOld()
        if status in _BUSY:
            return TryLater(f"The service of mailbox {name} asks us to wait (code {status}).", after=_wait(answer))
        if status == 401:
            text = f"The service of mailbox {name} refused the access token. Mail waits there."
        elif status == 403:
            text = (
                f"The service does not let the application open mailbox {name}. Give it the role Application Mail.ReadWrite "
                "for this mailbox (docs/mailboxes-graph.md); it takes up to two hours to hold. Mail waits there."
            )
        else:
            text = f"The service of mailbox {name} answered with code {status}. Mail waits there."
        if status == 401 or status >= 500:
            return TryLater(text, after=checks.REFUSED_AGAIN_AFTER if status == 401 else 0.0)
        return Denied(text, after=checks.REFUSED_AGAIN_AFTER)


def _wait(answer: httpx.Response) -> float:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else _BUSY_AGAIN_AFTER


def _at_most(answer: httpx.Response, limit: int) -> tuple[bytes, int]:
    """A mail above the limit is not fetched to its end."""
    got, size = list[bytes](), 0
    for piece in answer.iter_bytes():
        got.append(piece)
        size += len(piece)
        if size > limit:
            break
    said = answer.headers.get("Content-Length", "")
    whole = int(said) if said.isascii() and said.isdigit() and not answer.headers.get("Content-Encoding") else 0
    return b"".join(got), max(size, whole)
