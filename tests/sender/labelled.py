"""A labelled set of mails about who sent them, made by this script: what a provider really sent in all the ways in which mail travels, and
what others sent in a provider's name. Each with the verdict that it must get. Every name is invented.

Run `.venv/bin/python -m tests.sender.labelled FOLDER` to have them as files with their labels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intake.domain.trust import NOBODY, Trust
from tests.sender import signer
from tests.sender.world import ABOVE, AT_END, EXO, MACRON, PROVEN, Zone

KOWHAI = MACRON.encode("idna").decode()
DOMAINS: Mapping[str, str] = {"p.org.nz": "p-trust", KOWHAI: "kowhai", "brightwater-nvp.org.nz": "brightwater"}
NAMES = {
    "p.org.nz": "Pōhutukawa Trust",
    KOWHAI: "Kōwhai Whānau Services",
    "brightwater-nvp.org.nz": "Brightwater Non-Violence Programmes",
}
CONTACTS = {"p.org.nz": "ana", KOWHAI: "mere"}
TENANT = "rata.onmicrosoft.com"
_OURS, _THEIRS = "203.0.113.9", "198.51.100.66"
_DAY = "Fri, 20 Nov 2026 10:00:00 +1300"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One mail. `provider`: to whom it must be attributed, None for nobody. `genuine`: that provider sent it."""

    name: str
    raw: bytes
    trust: Trust
    verdict: str
    genuine: bool
    provider: str | None = None


def zone() -> Zone:
    """What the domains publish: a key, which machine sends, and that what fails is to be rejected."""
    records: dict[str, str | Mapping[str, Sequence[str]]] = {}
    for domain in (*DOMAINS, TENANT, "min.example"):
        records[f"s1._domainkey.{domain}"] = signer.record()
        records[domain] = f"v=spf1 ip4:{_OURS} -all"
        records[f"_dmarc.{domain}"] = "v=DMARC1; p=reject"
    for domain in ("evil.example", "org.nz", "evil.onmicrosoft.com"):
        records[f"s1._domainkey.{domain}"] = signer.record(signer.key(number=1))
        records[domain] = f"v=spf1 ip4:{_THEIRS} -all"
    return Zone(records)


# ---- parts of mails ---------------------------------------------------------------------------------------------------


def received(client: str = _OURS, helo: str = "mail.example") -> str:
    return f"Received: from {helo} ({helo} [{client}]) by mx1.min.example (Postfix) with ESMTPS id 4A; {_DAY}"


def results(text: str) -> str:
    return f"Authentication-Results: mx1.min.example; {text}"


def passed(domain: str) -> str:
    return results(
        f"dmarc=pass (p=reject) header.from={domain}; dkim=pass header.d={domain}; spf=pass smtp.mailfrom={domain}"
    )


def failed(domain: str) -> str:
    return results(f"dmarc=fail (p=reject) header.from={domain}; dkim=none; spf=fail smtp.mailfrom={domain}")


def exchange(text: str, client: str = _OURS) -> list[str]:
    host = "SY4AUS01FT004"
    return [
        f"Authentication-Results: {text}",
        "Received-SPF: Pass (protection.outlook.com: designates the sender)",
        f"Received: from mail.example ({client}) by {host}.mail.protection.outlook.com (10.1.1.1) with Microsoft SMTP Server; {_DAY}",
        f"X-MS-Exchange-Organization-AuthSource: {host}.eop-AUS01.prod.protection.outlook.com",
    ]


def written(sender: str, number: int, more: Sequence[str] = (), body: str = "Our form is attached.") -> bytes:
    """A mail as its writer's program hands it over."""
    lines = [*more, *([f"From: {sender}"] if sender else [])]
    lines += [
        "To: intake@min.example",
        f"Subject: Notice {number}",
        f"Date: {_DAY}",
        f"Message-ID: <m{number}@mail.example>",
    ]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body.encode("utf-8") + b"\r\n"


def under(raw: bytes, *lines: str) -> bytes:
    """The mail below lines that servers put on top of it."""
    return b"".join(line.encode() + b"\r\n" for line in lines) + raw


def at_end(raw: bytes, line: str) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head + b"\r\n" + line.encode() + b"\r\n\r\n" + body


def handed_in(raw: bytes, by: str, client: str = _OURS) -> bytes:
    """As our own border keeps it: the return address, and the line about who handed it in."""
    return under(raw, f"Return-Path: <{by}>", received(client))


# ---- what a provider really sent --------------------------------------------------------------------------------------


def genuine(domain: str, number: int) -> Iterator[tuple[str, bytes, Trust, str]]:
    """Name, bytes, whose word counts, verdict."""
    account = CONTACTS.get(domain, "office")
    known = "verified_account" if domain in CONTACTS else "verified_domain"
    plain = written(f"Ana <{account}@{domain}>", number)
    signed = signer.sign(plain, domain)
    yield "gateway-above", under(plain, passed(domain), received()), ABOVE, known
    yield "gateway-below-proven", under(plain, received(), passed(domain)), PROVEN, known
    yield "gateway-below-and-signed", under(signed, received(), passed(domain)), PROVEN, known
    yield "signature-alone", signed, NOBODY, known
    yield "signature-and-gateway", under(signed, passed(domain), received()), ABOVE, known
    text = f"spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain};dmarc=pass action=none header.from={domain};compauth=pass reason=100"
    yield "exchange-online", under(plain, *exchange(text)), EXO, known
    yield "own-door-signed", handed_in(signed, f"{account}@{domain}"), ABOVE, known
    yield "own-door-spf-only", handed_in(plain, f"{account}@{domain}"), ABOVE, "probable"
    yield "gateway-at-end-signed", at_end(under(signed, received()), passed(domain)), AT_END, known
    yield "gateway-at-end", at_end(under(plain, received()), passed(domain)), AT_END, "probable"
    yield (
        "forwarded-srs",
        handed_in(signed, f"SRS0=ab=cd={domain}={account}@forwarder.example", "192.0.2.77"),
        ABOVE,
        known,
    )
    yield "mailing-tool", handed_in(signed, "bounce-17@tool.example", "192.0.2.78"), ABOVE, known
    yield "new-person", signer.sign(written(f"Tai <tai@{domain}>", number), domain), NOBODY, "verified_domain"
    yield "plus-address", signer.sign(written(f"<{account}+forms@{domain}>", number), domain), NOBODY, "verified_domain"
    yield "subdomain", signer.sign(written(f"<tai@mail.{domain}>", number), domain), NOBODY, "verified_domain"
    yield "capitals", signer.sign(written(f"Ana <{account}@{domain.upper()}>", number), domain), NOBODY, known
    quoted = f'"{NAMES[domain]}, office" <{account}@{domain}>'
    yield "comma-in-name", signer.sign(written(quoted, number), domain), NOBODY, known
    encoded = f"=?utf-8?q?M=C4=81ia?= <{account}@{domain}>"
    yield "encoded-name", signer.sign(written(encoded, number), domain), NOBODY, known
    elsewhere = written(f"Ana <{account}@{domain}>", number, ["Reply-To: ana.at.home@gmail.com"])
    yield "reply-to-elsewhere", signer.sign(elsewhere, domain), NOBODY, known
    assistant = written(f"Ana <{account}@{domain}>", number, [f"Sender: pa@{domain}"])
    yield "sent-by-assistant", signer.sign(assistant, domain), NOBODY, known
    twice = signer.sign(signer.sign(plain, domain), "evil.example", private=signer.key(number=1))
    yield "signed-by-two", twice, NOBODY, known
    broken = signer.sign(plain, domain, private=signer.key(number=2))
    yield "one-of-two-signatures-broken", signer.sign(broken, domain), NOBODY, known
    banner = signed.replace(b"Our form", b"EXTERNAL. Our form")
    yield "our-own-banner", under(banner, passed(domain), received()), ABOVE, known
    arc = [
        "ARC-Authentication-Results: i=1; list.example; dmarc=fail",
        "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=list.example; s=a; b=AA",
    ]
    yield "arc-says-otherwise", under(signed, *arc), NOBODY, known
    old = ["X-Was: 1", failed("other.example")]
    yield "our-result-from-a-loop-far-below", under(signed, passed(domain), received(), *old), ABOVE, known


def more_genuine(number: int) -> Iterator[Labelled]:
    """Ways that are not of every domain."""
    idn = written(f"Mere <mere@{MACRON}>", number)
    yield Labelled("idn-in-utf8", signer.sign(idn, KOWHAI), NOBODY, "verified_account", True, "kowhai")
    tenant = written(f"Jo <jo@{TENANT}>", number)
    yield Labelled("tenant-exact", signer.sign(tenant, TENANT), NOBODY, "verified_account", True, "tenant")
    exception = under(written("P <ptrust@xtra.co.nz>", number), passed("xtra.co.nz"), received())
    yield Labelled("exception", exception, ABOVE, "exception_address", True, "p-trust")
    for domain, slug in DOMAINS.items():
        inner = signer.sign(written(f"Ana <{CONTACTS.get(domain, 'office')}@{domain}>", number), domain)
        yield Labelled(f"staff-forward-{slug}", forward(inner, number), ABOVE, "staff_forward", True, slug)
    shared = signer.sign(written("Ari <tui@umbrella.org.nz>", number), "umbrella.org.nz")
    yield Labelled("shared-domain-without-a-key", shared, NOBODY, "unauthenticated", False)
    listed = written("Ana via All <all@lists.example>", number, ["List-Id: <all.lists.example>"])
    yield Labelled("list-that-rewrites", under(listed, passed("lists.example"), received()), ABOVE, "automatic", False)


def forward(inner: bytes, number: int, proof: str = "min.example") -> bytes:
    head = written(
        "Kim <kim@min.example>", number, ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"'], ""
    )
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nFor you.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--b--\r\n"
    )
    raw = head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    return under(raw, passed(proof) if proof else failed("min.example"), received())


# ---- what others sent in a provider's name ----------------------------------------------------------------------------


def spoofed(domain: str, number: int, path: bool) -> Iterator[tuple[str, bytes, Trust, str]]:
    account = CONTACTS.get(domain, "office")
    name = NAMES[domain]
    forged = written(f"Ana <{account}@{domain}>", number)
    # With the return address our own check sees that the named domain refuses the mail; without it, that nobody vouches for it.
    by = ["Return-Path: <eve@evil.example>"] if path else []
    unsaid = "auth_failed" if path else "unauthenticated"
    evil = received(_THEIRS, "evil.example")
    yield "A01-lone-forged-result", under(forged, *by, evil, passed(domain)), ABOVE, unsaid
    yield "A01-nothing-at-all", under(forged, *by, evil), ABOVE, unsaid
    yield "A02-forged-relay-lines", under(forged, *by, evil, passed(domain), received()), ABOVE, unsaid
    yield (
        "A03-under-a-genuine-failure",
        under(forged, failed(domain), evil, passed(domain), passed(domain)),
        ABOVE,
        "auth_failed",
    )
    yield "A04-at-the-end", at_end(under(forged, *by, evil), passed(domain)), ABOVE, unsaid
    yield "A05-beside-a-genuine-one", under(forged, failed(domain), passed(domain), evil), ABOVE, "auth_failed"
    comment = results(f"dmarc=fail (dmarc=pass header.from={domain}) header.from={domain}")
    yield "A06-pass-in-a-comment", under(forged, comment, evil), ABOVE, "auth_failed"
    echo = results(
        f'spf=pass smtp.mailfrom="a) dmarc=pass header.from={domain} (b"@evil.example; dmarc=fail header.from={domain}'
    )
    yield "A07-echoed-return-address", under(forged, echo, evil), ABOVE, "auth_failed"
    both = results(f"dmarc=fail header.from={domain}; dmarc=pass header.from={domain}")
    yield "A08-fail-and-pass", under(forged, both, evil), ABOVE, "auth_failed"
    yield "A09-pass-for-another", under(forged, *by, passed("evil.example"), evil), ABOVE, unsaid
    other = passed(domain).replace("mx1.min.example", "xmx1.min.example")
    yield "A10-id-like-ours", under(forged, *by, other, evil), ABOVE, unsaid
    blank = passed(domain).replace("Results:", "Results :")
    yield "A10-blank-before-colon", under(forged, *by, blank, evil), ABOVE, unsaid
    shape = exchange(
        f"spf=pass; dkim=pass header.d={domain};dmarc=pass action=none header.from={domain};compauth=pass reason=100"
    )
    yield "A11-exchange-shape", under(forged, *by, evil, *shape), ABOVE, unsaid
    fail = f"spf=fail smtp.mailfrom={domain}; dkim=none;dmarc=fail action=oreject header.from={domain};compauth=none reason=451"
    yield "A11-exchange-delivers-a-failure", under(forged, *exchange(fail, _THEIRS)), EXO, "auth_failed"
    none = "spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example;dmarc=none;compauth=pass reason=130"
    yield "A11-exchange-guesses", under(forged, *exchange(none, _THEIRS)), EXO, "unauthenticated"
    yield "A12-two-from", under(forged, evil, "From: Eve <eve@evil.example>"), ABOVE, "malformed"
    yield "A12-two-addresses", written(f"Ana <{account}@{domain}>, Eve <eve@evil.example>", number), NOBODY, "malformed"
    yield "A12-null", written(f"Ana <{account}@{domain}>\0", number), NOBODY, "malformed"
    yield "A12-route", written(f"<@{domain}:eve@evil.example>", number), NOBODY, "malformed"
    yield "A12-address-before-address", written(f"{account}@{domain} <eve@evil.example>", number), NOBODY, "malformed"
    greeting = f"Received: from x by mx1.min.example ([{_THEIRS}]) by mx1.min.example; {_DAY}"
    yield "A14-our-name-in-the-greeting", under(forged, passed(domain), greeting), ABOVE, "unauthenticated"
    poisoned = results(f"dmarc=pass header.from={domain}")
    yield "A15-poisoned-below", under(forged, evil, poisoned), NOBODY, "unauthenticated"
    internal = ["X-MS-Exchange-Organization-AuthAs: Internal", passed(domain).replace("Results:", "Results-Original:")]
    yield "A16-internal-marks", under(forged, *by, evil, *internal), ABOVE, unsaid
    yield "A17-upload-with-perfect-headers", under(forged, *shape), NOBODY, "unauthenticated"
    honest = under(written(f'"{name}" <eve@evil.example>', number), passed("evil.example"), evil)
    yield "A18-honest-domain-with-the-name", honest, ABOVE, "lookalike"
    shown = under(written(f'"{account}@{domain}" <eve@evil.example>', number), passed("evil.example"), evil)
    yield "address-as-name", shown, ABOVE, "lookalike"
    quoted = under(written(f'"{account}@{domain}"@evil.example', number), passed("evil.example"), evil)
    yield "address-in-local-part", quoted, ABOVE, "malformed"
    free = under(written(f'"{name}" <{account}.office@gmail.com>', number), passed("gmail.com"), received("192.0.2.5"))
    yield "free-mail-with-the-name", free, ABOVE, "personal_account"
    label = domain.partition(".")[0]
    if len(label) > 4:
        neighbour = f"{label}.co.nz"
        look = under(written(f"Ana <{account}@{neighbour}>", number), passed(neighbour), evil)
        yield "same-label-elsewhere", look, ABOVE, "lookalike"
    theirs = signer.sign(forged, "evil.example", private=signer.key(number=1))
    yield "signed-by-somebody-else", theirs, NOBODY, "unauthenticated"
    suffix = signer.sign(forged, "org.nz", private=signer.key(number=1))
    yield "signed-by-a-public-suffix", suffix, NOBODY, "unauthenticated"
    wrong = signer.sign(forged, domain, private=signer.key(number=3))
    yield "signed-with-a-wrong-key", wrong, NOBODY, "unauthenticated"
    good = signer.sign(forged, domain)
    yield "replayed-with-another-text", good.replace(b"Our form", b"Our bank"), NOBODY, "unauthenticated"
    part = signer.sign(forged, domain, length=10)
    yield "text-added-below-a-stated-length", part + b"Pay here.\r\n", NOBODY, "unauthenticated"
    subject = signer.sign(forged, domain)
    yield "second-subject-on-top", under(subject, "Subject: Pay now"), NOBODY, "unauthenticated"
    own = handed_in(forged, "eve@evil.example", _THEIRS)
    yield "own-door-of-a-stranger", own, ABOVE, "auth_failed"
    own = handed_in(forged, f"{account}@{domain}", _THEIRS)
    yield "own-door-spf-fails", own, ABOVE, "auth_failed"


def more_spoofed(number: int) -> Iterator[Labelled]:
    tenant = written(f"Jo <jo@{TENANT}>", number)
    neighbour = signer.sign(tenant, "evil.onmicrosoft.com", private=signer.key(number=1))
    yield Labelled("neighbour-tenant", neighbour, NOBODY, "unauthenticated", False)
    gmail = under(written("Bo <manager.of.p@gmail.com>", number), passed("gmail.com"), received("192.0.2.5"))
    yield Labelled("contact-at-a-free-host", gmail, ABOVE, "personal_account", False)
    ended = under(written("Old <old@xtra.co.nz>", number), passed("xtra.co.nz"), received())
    yield Labelled("ended-exception", ended, ABOVE, "personal_account", False)
    stranger = under(written("X <someone@xtra.co.nz>", number), passed("xtra.co.nz"), received())
    yield Labelled("another-at-the-exceptions-host", stranger, ABOVE, "personal_account", False)
    for domain in DOMAINS:
        inner = written(f"Ana <{CONTACTS.get(domain, 'office')}@{domain}>", number)
        yield Labelled(f"staff-forward-of-a-forgery-{domain}", forward(inner, number), ABOVE, "staff_forward", False)
        signed = signer.sign(inner, domain)
        yield Labelled(f"forged-staff-{domain}", forward(signed, number, ""), ABOVE, "auth_failed", False)


# ---- the set ----------------------------------------------------------------------------------------------------------


def labelled_set() -> Iterator[Labelled]:
    """Two rounds: forgeries without a return address, then with one."""
    number = 0
    for path in (False, True):
        for domain, slug in DOMAINS.items():
            number += 1
            for name, raw, trust, verdict in genuine(domain, number):
                yield Labelled(f"{number:02d}-{name}-{slug}", raw, trust, verdict, True, slug)
            for name, raw, trust, verdict in spoofed(domain, number, path):
                yield Labelled(f"{number:02d}-{name}-{slug}", raw, trust, verdict, False)
        number += 1
        yield from more_genuine(number)
        yield from more_spoofed(number)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    labels = {}
    for count, one in enumerate(labelled_set()):
        name = f"{count:03d}-{one.name}"
        (folder / f"{name}.eml").write_bytes(one.raw)
        labels[name] = {"verdict": one.verdict, "genuine": one.genuine, "provider": one.provider}
    (folder / "labels.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False), encoding="utf-8")
