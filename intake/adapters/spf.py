"""SPF (RFC 7208) by pyspf, with every question asked through our own DNS port.

pyspf brings a resolver of its own; the one method by which it asks is overridden, so a zone file works for it too, nothing else
opens a socket, and the limits of `DnsForOneMail` hold. Explanations (exp=) are never fetched: nobody is told them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from intake.adapters.dns import Dns
from intake.domain.address import normalise_domain
from intake.domain.errors import TryLater
from intake.domain.own_checks import SpfResult
from intake.domain.received import Client

_LONGEST = 4_096  # characters of a record; longer ones are nobody's in earnest
_RESULTS = frozenset({"pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"})


def spf_domain(client: Client) -> str:
    """The domain that SPF is about: of MAIL FROM, or of the greeting when MAIL FROM is empty; "" when it is no domain.

    Source: RFC 7208 2.4.
    """
    named = client.mail_from.rpartition("@")[2] if client.mail_from else client.helo
    return normalise_domain(named, True) or ""


def check_spf(client: Client, dns: Dns) -> SpfResult:
    """Whether the client may send for the domain of its MAIL FROM (or of its greeting). Never raises.

    Source: RFC 7208, with its limits: 10 terms that ask, 2 that ask for nothing, 10 hosts a term.
    """
    domain = spf_domain(client)
    if not domain:
        return SpfResult("none", "", client.ip)
    local = client.mail_from.rpartition("@")[0] or "postmaster"
    return SpfResult(spf_of(client.ip, f"{local}@{domain}", client.helo, dns), domain, client.ip)


def spf_of(ip: str, mail_from: str, helo: str, dns: Dns) -> str:
    """The result of RFC 7208 for one address, MAIL FROM and greeting, in its words."""
    try:
        result = str(_query()(dns, ip, mail_from, helo).check()[0])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, RecursionError):
        return "permerror"  # a record of a shape that pyspf trips over
    return result if result in _RESULTS else "permerror"


@cache
def _query() -> Any:
    import spf  # with its resolver a heavy import, and few mails need it

    class Query(spf.query):  # type: ignore[misc]
        """pyspf's evaluation over our DNS port."""

        def __init__(self, dns: Dns, ip: str, mail_from: str, helo: str) -> None:
            super().__init__(i=ip, s=mail_from, h=helo)
            self._asks = {"A": dns.a, "AAAA": dns.aaaa, "MX": dns.mx, "PTR": dns.ptr, "TXT": dns.txt}

        def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:
            """The records of a name, as the parent class wants them: [] for none."""
            asked = str(name).rstrip(".").lower()
            if any(not 0 < len(label) < 64 for label in asked.split(".")) or len(asked) > 253:
                return []
            try:
                found = self._asks[qtype](asked)
            except TryLater as later:
                raise spf.TempError("DNS did not answer") from later
            if not found and not ignore_void:
                self.void_lookups += 1
                if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                    raise spf.PermError("Too many questions without an answer")
            return [_as_pyspf(text, qtype) for text in found]

        def dns_spf(self, domain: str) -> Any:
            """As the parent class has it, with an end to the length of a record."""
            record = super().dns_spf(domain)
            if record and len(record) > _LONGEST:
                raise spf.PermError("The record is too long")
            return record

        def get_explanation(self, spec: str) -> None:
            """None: explanations are for bounces, and we send none."""

    return Query


def _as_pyspf(text: str, qtype: str) -> object:
    if qtype == "TXT":
        return (text.encode("utf-8", "replace"),)
    return (0, text) if qtype == "MX" else text
