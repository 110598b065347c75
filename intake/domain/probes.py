"""Seven forgeries that prove whether a site's gateway removes what strangers write in its name (step 13 of docs/sender-check.md).

They are sent from outside. What arrives is judged on its bytes: a planted result that bears our id and survived anywhere, a result of our
own machine that was made of a planted one, or a planted relay line that is taken for our border, and the site is not proven.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from intake.domain.authres import parse
from intake.domain.mime import Headers
from intake.domain.received import find_border
from intake.domain.results import read_results
from intake.domain.results_place import RESULTS
from intake.domain.trust import Trust
from intake.domain.words import unfold

PROBES: Mapping[str, str] = {
    "a": "no signature, and nothing forged",
    "b": "a forged result with your id on top",
    "c": "two forged results with your id on top",
    "d": "a forged result with your id at the end of the headers",
    "e": "a forged DKIM pass with your id, for a domain that asks to reject what fails",
    "f": "your id with a job number, in capitals, and with a blank before the colon",
    "g": "a forged Received line that names your server, with a result above it",
}
PROBE_ID = "<probe-"
_ID = re.compile(r"<probe-([a-g])-(\d{8})-([0-9a-f]{20})@probe\.invalid>")
_PLANTED = "policy.planted"


def message_id(secret: bytes, mailbox: str, letter: str, at: datetime) -> str:
    """Of a probe: nobody else can make one, so nobody can have a notice taken for a probe."""
    day = f"{at:%Y%m%d}"
    return f"<probe-{letter}-{day}-{_sign(secret, mailbox, letter, day)}@probe.invalid>"


def letter_of(secret: bytes, mailbox: str, said: str) -> str:
    """Which probe a Message-ID is that of; "" for every other mail."""
    found = _ID.fullmatch(said.strip())
    if found is None or not hmac.compare_digest(_sign(secret, mailbox, found[1], found[2]), found[3]):
        return ""
    return found[1]


def _sign(secret: bytes, mailbox: str, letter: str, day: str) -> str:
    return hmac.new(secret, f"probe:{mailbox}:{letter}:{day}".encode(), hashlib.sha256).hexdigest()[:20]


def forge(letter: str, trust: Trust, to: str, rejecting: str, identity: str, at: datetime) -> bytes:
    """The bytes of one probe. rejecting: a domain with p=reject, in whose name it is written. identity: its Message-ID."""
    own = trust.ids[0].lstrip(".") if trust.ids else ""
    host = trust.border[0].lstrip(".") if trust.border else own
    lines = [
        *_planted(letter, own, host, rejecting),
        f"From: Intake probe <probe@{rejecting}>",
        f"To: {to}",
        f"Subject: Intake probe {letter}: {PROBES[letter]}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: {identity}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        *([_result(own, rejecting)] if letter == "d" else []),
        "",
        "This mail tests what your gateway does with forged headers. Nobody needs to do anything with it.",
        "",
    ]
    return "\r\n".join(lines).encode()


def _planted(letter: str, own: str, host: str, domain: str) -> list[str]:
    result = _result(own, domain)
    received = (
        f"Received: from mail.{domain} (mail.{domain} [192.0.2.25]) by {host} with ESMTPS id planted; "
        "Mon, 23 Nov 2026 09:00:00 +1300"
    )
    return {
        "b": [result],
        "c": [result, result],
        "e": [f"Authentication-Results: {own}; dkim=pass header.d={domain} header.s=x {_PLANTED}=yes"],
        "f": [
            _result(f"{own}/4ABC", domain),
            _result(own.upper(), domain),
            result.replace("Results:", "Results :"),
        ],
        "g": [result, received],
    }.get(letter, [])


def _result(own: str, domain: str) -> str:
    return (
        f"Authentication-Results: {own}; dmarc=pass {_PLANTED}=yes header.from={domain}; "
        f"dkim=pass header.d={domain}; spf=pass smtp.mailfrom={domain}"
    )


def judge(letter: str, headers: Headers, trust: Trust, from_domain: str | None) -> str:
    """Why the probe shows that this gateway can be fooled, in a sentence; "" when it does not."""
    for name, value in headers:
        if name.strip().lower() != RESULTS or _PLANTED not in unfold(value).decode("latin-1"):
            continue
        claimed = getattr(parse(value), "serv_id", "")
        if trust.ours(claimed) or trust.kind == "exchange_online":
            return "A result that we forged is still in the mail under your server's own id."
    if letter == "g" and _border_is_planted(headers, trust):
        return "The Received line that we forged is taken for your server's own: `border` and `relays` name too much."
    if read_results(headers, trust, from_domain).passed:
        return "Your server says that the mail passes, and it passes nothing: it took our forged result for its own."
    return ""


def _border_is_planted(headers: Headers, trust: Trust) -> bool:
    border = find_border(headers, trust.relays, trust.border, trust.inside)
    return border.place is not None and b"id planted" in headers[border.place][1]
