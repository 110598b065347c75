"""Our own check of a sender, on the bytes as kept: signatures, then the rule of the From domain, then the sending machine.

What a stranger chooses is never asked about: SPF is evaluated only for a return address of the From domain's own organisation,
since of another one it says nothing about the sender. Nothing is asked that could not change the verdict.
"""

from __future__ import annotations

from intake.adapters.dkim import verify
from intake.adapters.dns import Dns, DnsForOneMail
from intake.adapters.spf import check_spf, spf_domain
from intake.domain import dmarc
from intake.domain.address import aligned
from intake.domain.errors import TryLater
from intake.domain.mime import Headers
from intake.domain.own_checks import DmarcResult, OwnChecks, SpfResult
from intake.domain.received import Client, client_of, find_border
from intake.domain.signatures import DkimResult
from intake.domain.trust import Trust

_KINDS = ("own", "gateway")  # where the border line and the return address above it are known to be ours


def check_own(raw: bytes, headers: Headers, from_domain: str | None, trust: Trust, dns: Dns) -> OwnChecks:
    """DKIM, SPF and DMARC of one mail. Never raises.

    Args: headers: of `raw`, from the top; from_domain: the strictly read From domain; trust: of the mailbox it came to, by
    which the line of our outermost server is found. `trust.NOBODY` for a file: then signatures alone are looked at.
    """
    if from_domain is None:
        return OwnChecks()
    asked = DnsForOneMail(dns)
    signed = any(name.lower() == "dkim-signature" for name, _ in headers)
    dkim = verify(raw, asked) if signed else None
    signed_by = _signed_by(dkim)
    if from_domain in signed_by:
        return OwnChecks(dkim)  # proven, by the strictest rule that a domain can publish
    spf = _spf(headers, from_domain, trust, asked)
    if not signed_by and (spf is None or spf.result == "unknown"):
        return OwnChecks(dkim, spf)  # whatever the rule is, nobody could tell whether it is kept
    return OwnChecks(dkim, spf, _dmarc(from_domain, dkim, signed_by, spf, asked))


def _signed_by(dkim: DkimResult | None) -> tuple[str, ...]:
    if dkim is None:
        return ()
    return tuple(s.domain for s in dkim.signatures if s.aligned and s.result == "pass")


def _spf(headers: Headers, from_domain: str, trust: Trust, dns: Dns) -> SpfResult | None:
    """None when this mailbox does not say which machines are ours."""
    if trust.kind not in _KINDS or trust.shorthand:
        return None
    border = find_border(headers, trust.relays, trust.border, trust.inside)
    client = client_of(headers, border, trust.front)
    if not isinstance(client, Client):
        return SpfResult("unknown", why=client)
    domain = spf_domain(client)
    return check_spf(client, dns) if aligned(domain, from_domain) else SpfResult("other", domain, client.ip)


def _dmarc(
    author: str, dkim: DkimResult | None, signed_by: tuple[str, ...], spf: SpfResult | None, dns: Dns
) -> DmarcResult:
    sent_by = spf.domain if spf and spf.result == "pass" else None
    later = bool(dkim and dkim.later) or bool(spf and spf.result == "temperror")
    try:
        walks = {name: walk(name, dns) for name in {author, *signed_by, sent_by or author}}
        rule = dmarc.rule_for(author, walks[author])
        if rule and rule.record.np != rule.record.sp and not _exists(author, dns):
            rule = dmarc.rule_for(author, walks[author], exists=False)
    except TryLater:
        return DmarcResult("later")
    return dmarc.evaluate(author, rule, walks, signed_by, sent_by, bool(spf and spf.known), later)


def walk(domain: str, dns: Dns) -> dmarc.Walk:
    """The DMARC records on the way up from a domain (RFC 9989 4.10). Raises TryLater."""
    found: list[tuple[str, dmarc.Record]] = []
    for name in dmarc.walk_names(domain):
        record = dmarc.read_record(dns.txt(f"_dmarc.{name}"))
        if record:
            found.append((name, record))
            if record.psd != "u":
                break
    return tuple(found)


def _exists(domain: str, dns: Dns) -> bool:
    return any(ask(domain) for ask in (dns.a, dns.aaaa, dns.mx, dns.txt))
