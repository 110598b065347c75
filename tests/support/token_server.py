"""A sign-in server for applications (client credentials, RFC 6749 section 4.4) that the real msal talks to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import jwt

from tests.support.https import HttpsServer

TENANT, CLIENT, SECRET = "tenant-1", "client-1", "s3cret-of-the-app"


class TokenServer:
    """Gives a token, made by `issue(scope)`, to whoever proves to be CLIENT by SECRET or by a certificate."""

    def __init__(self, folder: Path) -> None:
        self.issue: Callable[[str], str] = lambda scope: f"token-{self.asked}"
        self.lasts = 3600
        self.asked = 0
        self.refuse = ""  # an error of the real one: "AADSTS7000222"
        self.certificate = ""  # PEM of the public key with which the application may prove itself
        self.secret_file = folder / "client-secret"
        folder.mkdir(parents=True, exist_ok=True)
        self.secret_file.write_text(SECRET + "\n")
        self.https = HttpsServer(folder, self._handler)

    @property
    def options(self) -> dict[str, object]:
        """What stands in `[mailboxes.NAME]` about the sign-in."""
        return {
            "authority": self.https.url,
            "tenant": TENANT,
            "client_id": CLIENT,
            "client_secret_file": str(self.secret_file),
            "ca_file": str(self.https.ca_file),
        }

    def stop(self) -> None:
        self.https.stop()

    def _handler(self, *given: object) -> BaseHTTPRequestHandler:
        return _Handler(self, *given)

    def answer(self, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        self.asked += 1
        proven = form.get("client_secret") == [SECRET] or self._signed(form.get("client_assertion", [""])[0])
        if self.refuse or not proven or form.get("client_id") != [CLIENT]:
            why = self.refuse or "AADSTS7000215"
            return 401, {"error": "invalid_client", "error_description": f"{why}: Invalid secret for app {CLIENT}."}
        token = self.issue(form["scope"][0])
        return 200, {"token_type": "Bearer", "expires_in": self.lasts, "access_token": token}

    def _signed(self, assertion: str) -> bool:
        if not assertion or not self.certificate:
            return False
        claims = jwt.decode(
            assertion, self.certificate, ["RS256", "PS256"], options={"verify_aud": False, "require": ["exp", "iss"]}
        )
        return claims["iss"] == CLIENT and claims["exp"] > time.time()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def __init__(self, server: TokenServer, *given: object) -> None:
        self._tokens = server
        super().__init__(*given)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """Tests read what we log, not what the fake does."""

    def do_GET(self) -> None:
        base = f"{self._tokens.https.url}/{TENANT}"
        known = self.path == f"/{TENANT}/v2.0/.well-known/openid-configuration"
        found = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }
        self._say(200 if known else 404, found if known else {"error": "invalid_tenant"})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._say(*self._tokens.answer(form))

    def _say(self, status: int, what: dict[str, object]) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
