"""Mails and a small register for the tests of the sender check. Every name is invented."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from intake.adapters.dkim import verify
from intake.adapters.own_checks import check_own
from intake.domain.envelope import open_envelope
from intake.domain.errors import TryLater
from intake.domain.model import Contact, Envelope, ExceptionAddress, Provider, SenderCheck
from intake.domain.model import VerdictCode as V
from intake.domain.own_checks import OwnChecks
from intake.domain.sender import build_registry, check_sender
from intake.domain.signatures import DkimResult
from intake.domain.trust import NOBODY, Trust, trust_from_settings

TODAY = date(2026, 11, 20)
OWN = ("min.example",)
MACRON = "kōwhaiwhānau.org.nz"

PROVIDERS = (
    Provider(
        "p-trust",
        "Pōhutukawa Trust",
        domains=("p.org.nz",),
        contacts=(Contact("ana@p.org.nz", "Ana"), Contact("manager.of.p@gmail.com", "Bo")),
        exceptions=(
            ExceptionAddress("ptrust@xtra.co.nz", "moves to its own mail", "2027-03-31"),
            ExceptionAddress("old@xtra.co.nz", "was away", "2026-01-31"),
        ),
    ),
    Provider("kowhai", "Kōwhai Whānau Services", domains=(MACRON,), contacts=(Contact(f"mere@{MACRON}"),)),
    Provider("brightwater", "Brightwater Non-Violence Programmes", domains=("brightwater-nvp.org.nz",)),
    Provider(
        "tenant", "Rātā Mediation", domains=("rata.onmicrosoft.com",), contacts=(Contact("jo@rata.onmicrosoft.com"),)
    ),
    Provider("north", "Umbrella North", domains=("umbrella.org.nz",), contacts=(Contact("ari@umbrella.org.nz"),)),
    Provider("south", "Umbrella South", domains=("umbrella.org.nz",)),
    Provider("east", "Umbrella East", domains=("umbrella.org.nz",)),
)
REGISTRY = build_registry(PROVIDERS)

ABOVE = trust_from_settings({"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"]})
BELOW = trust_from_settings(
    {"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"], "stamp": "below"}
)
PROVEN = trust_from_settings(
    {"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"], "stamp": "below", "strips": "2026-10-01"}
)
AT_END = trust_from_settings({"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"], "stamp": "end"})
EXO = trust_from_settings({"kind": "exchange_online"})

B = "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by mx1.min.example (Postfix) with ESMTPS id 4ABC; Fri, 20 Nov 2026 10:00:00 +1300"
EVIL = "Received: from evil.example (evil.example [198.51.100.66]) by mx1.min.example (Postfix) with ESMTPS id 4ABD; Fri, 20 Nov 2026 10:00:00 +1300"
AR = "Authentication-Results: mx1.min.example; "
PASS = AR + "dmarc=pass (p=none dis=none) header.from=p.org.nz"
FROM = "From: Ana <ana@p.org.nz>"

_EXO_TOP = [
    "Received: from SY4PR01MB0001.ausprd01.prod.outlook.com (2603:10c6:10::1) by ME3PR01MB0002.ausprd01.prod.outlook.com with HTTPS; Fri, 20 Nov 2026 10:00:03 +0000",
    "Received: from SY5P282CA0003.AUSP282.PROD.OUTLOOK.COM (2603:10c6:10::2) by SY4PR01MB0001.ausprd01.prod.outlook.com (2603:10c6:10::1) with Microsoft SMTP Server; Fri, 20 Nov 2026 10:00:02 +0000",
    "Received: from SY4AUS01FT004.eop-AUS01.prod.protection.outlook.com (2603:10c6:10::3) by SY5P282CA0003.outlook.office365.com (2603:10c6:10::2) with Microsoft SMTP Server; Fri, 20 Nov 2026 10:00:01 +0000",
]
_EXO_SPF = "Received-SPF: Pass (protection.outlook.com: domain of p.org.nz designates 203.0.113.9 as permitted sender)"
EXO_BORDER = "Received: from mail.p.org.nz (203.0.113.9) by SY4AUS01FT004.mail.protection.outlook.com (10.114.1.1) with Microsoft SMTP Server; Fri, 20 Nov 2026 10:00:00 +0000"
_EXO_SOURCE = "X-MS-Exchange-Organization-AuthSource: SY4AUS01FT004.eop-AUS01.prod.protection.outlook.com"
EXO_PASS = "spf=pass (sender IP is 203.0.113.9) smtp.mailfrom=p.org.nz; dkim=pass (signature was verified) header.d=p.org.nz;dmarc=pass action=none header.from=p.org.nz;compauth=pass reason=100"


def exo(results: str | None, more: Sequence[str] = (), border: str = EXO_BORDER) -> list[str]:
    """The header lines that Exchange Online writes, with its one result."""
    stamp = [] if results is None else ["Authentication-Results: " + results, _EXO_SPF]
    return [*_EXO_TOP, *stamp, border, _EXO_SOURCE, *more, FROM]


def mail(lines: Sequence[str | bytes], body: str = "hello") -> bytes:
    """A mail of these header lines; a From line is added unless there is one."""
    given = [line.encode() if isinstance(line, str) else line for line in lines]
    if not any(line.lower().startswith(b"from:") for line in given):
        given.append(FROM.encode())
    rest = [
        b"To: intake@min.example",
        b"Subject: notice",
        b"Date: Fri, 20 Nov 2026 10:00:00 +1300",
        b"Message-ID: <1@p.org.nz>",
    ]
    return b"\r\n".join([*given, *rest]) + b"\r\n\r\n" + body.encode() + b"\r\n"


def check(raw: bytes | Sequence[str | bytes], trust: Trust = NOBODY, dkim: DkimResult | None = None) -> SenderCheck:
    """The sender check of a mail (or of these header lines); every sentence in it is looked at on the way."""
    opened = open_envelope(raw if isinstance(raw, bytes) else mail(raw))
    found = check_sender(opened, REGISTRY, trust, OwnChecks(dkim), OWN, TODAY)
    look_at_sentences(found)
    look_at_evidence(found, opened, trust)
    return found


def look_at_sentences(found: SenderCheck) -> None:
    """Each reason and each piece of evidence is a sentence."""
    for text in (found.reason, *(e.text for e in found.evidence)):
        begins = text[0].isupper() or "." in text.split(" ", 1)[0]  # or with a domain or an address
        assert len(text) > 15 and begins and text.endswith(".") and "!" not in text and "\n" not in text, text
    assert found.evidence
    assert all(e.weight in ("yes", "no", "half") and e.code for e in found.evidence)


_TAKEN = re.compile(
    r"Authentication result (?:above|directly above|directly below|beside|at the end|at the top) [^,“]*, "
    r"(?:“[^”]+”|without an id): [a-z-]+=\w+[^;]*.*; [^;]+\.",
    re.S,
)
_DECIDES = {
    "strong": {"header_dmarc", "header_dkim", "dkim_pass", "internal"},
    "weak": {"header_dmarc", "header_dkim", "header_spf", "own_spf_pass", "disagree", "own_dmarc_strict"},
    "failed": {"header_dmarc", "own_dmarc_fail"},
}
_PROVEN = {V.VERIFIED_ACCOUNT, V.VERIFIED_DOMAIN, V.EXCEPTION_ADDRESS, V.UNKNOWN_DOMAIN}
_NOT_TAKEN = (
    "results_",
    "no_border",
    "no_stamp",
    "header_",
    "our_id_elsewhere",
    "pretends_our_header",
    "gateway_in_front",
)


def look_at_evidence(found: SenderCheck, opened: Envelope, trust: Trust) -> None:
    """A verdict can be explained by its evidence: each result that was taken is told with its place, id, clause and reason, and
    what decided stands among it; where results stood and none counted, it says why.
    """
    for piece in found.evidence:
        if piece.code.startswith("header_"):
            assert _TAKEN.fullmatch(piece.text), piece.text
    there = codes(found)
    if found.verdict in _PROVEN:
        assert there & _DECIDES["strong"] and "no_result" not in there
        assert any(e.weight == "yes" and e.code in _DECIDES["strong"] for e in found.evidence), found
    elif found.verdict is V.PROBABLE:
        assert there & _DECIDES["weak"] and "no_result" not in there, found
    elif found.verdict is V.AUTH_FAILED:
        assert any(e.weight == "no" and e.code in _DECIDES["failed"] for e in found.evidence), found
    elif found.verdict is V.UNAUTHENTICATED:
        assert "no_result" in there, found
        if trust.kind != "exchange_online" and any(n.lower() == "authentication-results" for n, _ in opened.headers):
            assert any(code.startswith(_NOT_TAKEN) for code in there), found


def codes(found: SenderCheck) -> set[str]:
    return {e.code for e in found.evidence}


def words(found: SenderCheck) -> str:
    return " ".join(e.text for e in found.evidence)


class Zone:
    """DNS answers from a table, counted: a name's TXT record, or its records by kind. "SILENT" in place of them never answers."""

    def __init__(self, records: Mapping[str, str | Mapping[str, Sequence[str]]]) -> None:
        self._records, self.asked = dict(records), 0
        self.names: list[str] = []

    def txt(self, name: str) -> tuple[str, ...]:
        return self._answer(name, "TXT")

    def mx(self, name: str) -> tuple[str, ...]:
        return self._answer(name, "MX")

    def a(self, name: str) -> tuple[str, ...]:
        return self._answer(name, "A")

    def aaaa(self, name: str) -> tuple[str, ...]:
        return self._answer(name, "AAAA")

    def ptr(self, name: str) -> tuple[str, ...]:
        return self._answer(name, "PTR")

    def _answer(self, name: str, kind: str) -> tuple[str, ...]:
        self.asked += 1
        self.names.append(f"{kind} {name}")
        found = self._records.get(name, {})
        if found == "SILENT":
            raise TryLater("DNS did not answer in time.")
        return tuple(found.get(kind, ())) if isinstance(found, Mapping) else (found,) if kind == "TXT" else ()


def check_signed(raw: bytes, zone: Zone, trust: Trust = NOBODY) -> SenderCheck:
    """As `check`, with our own look at the signatures first."""
    return check(raw, trust, verify(raw, zone))


def check_whole(raw: bytes | Sequence[str | bytes], zone: Zone, trust: Trust = NOBODY) -> SenderCheck:
    """As `check`, with all that we find out ourselves: DKIM, SPF and DMARC."""
    whole = raw if isinstance(raw, bytes) else mail(raw)
    opened = open_envelope(whole)
    own = check_own(whole, opened.headers, opened.from_domain, trust, zone)
    found = check_sender(opened, REGISTRY, trust, own, OWN, TODAY)
    look_at_sentences(found)
    look_at_evidence(found, opened, trust)
    return found
