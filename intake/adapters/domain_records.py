"""Asks DNS what a domain says about its mail: a bounded number of questions, each once, all together within seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from intake.adapters.dns import Dns, DnsForOneMail
from intake.adapters.own_checks import walk
from intake.domain.domain_records import DomainRecords
from intake.domain.domain_report import PROOF_LABEL, selectors
from intake.domain.errors import TryLater

_T = TypeVar("_T")


def records_of(domain: str, dns: Dns) -> DomainRecords:
    """All that the page about a domain shows. Never raises: what could not be asked is None."""
    asked = DnsForOneMail(dns)
    return DomainRecords(
        domain,
        mx=_answer(asked.mx, domain),
        addresses=_answer(asked.a, domain),
        txt=_answer(asked.txt, domain),
        dmarc=_answer(lambda name: walk(name, asked), domain),
        dmarc_text=_answer(asked.txt, f"_dmarc.{domain}"),
        token=_answer(asked.txt, f"{PROOF_LABEL}.{domain}"),
        dkim=_answer(lambda name: _keys(name, asked), domain),
    )


def _answer(ask: Callable[[str], _T], name: str) -> _T | None:
    try:
        return ask(name)
    except TryLater:
        return None


def _keys(domain: str, dns: Dns) -> tuple[str, ...]:
    """Common selectors with a key. One with an empty key was taken back (RFC 6376 3.6.1)."""
    return tuple(s for s in selectors() if any(_is_key(text) for text in dns.txt(f"{s}._domainkey.{domain}")))


def _is_key(text: str) -> bool:
    tags = dict(piece.strip().partition("=")[::2] for piece in text.split(";"))
    return bool(tags.get("p", "").strip())
