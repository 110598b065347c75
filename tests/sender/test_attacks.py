"""Eighteen attacks on the sender check. None of them may ever come out as verified."""

from __future__ import annotations

import time
from itertools import product

import pytest

from intake.domain.model import VerdictCode as V
from intake.domain.trust import NOBODY, Trust, shorthand, trust_from_settings
from tests.sender.signer import record, sign
from tests.sender.world import (
    ABOVE,
    AR,
    AT_END,
    BELOW,
    EVIL,
    EXO,
    EXO_BORDER,
    EXO_PASS,
    FROM,
    PASS,
    PROVEN,
    Zone,
    check,
    check_signed,
    codes,
    exo,
    mail,
)

VERIFIED = {V.VERIFIED_ACCOUNT, V.VERIFIED_DOMAIN, V.EXCEPTION_ADDRESS}
FAIL = AR + "dmarc=fail (p=reject dis=none) header.from=p.org.nz"


def test_attack_A01_a_lone_forged_result_where_nothing_was_stamped() -> None:
    assert check([EVIL, PASS, FROM], ABOVE).verdict is V.UNAUTHENTICATED
    assert "pretends_our_header" in codes(check([EVIL, PASS, FROM], ABOVE))
    assert check([EVIL, PASS, FROM], BELOW).verdict is V.PROBABLE


@pytest.mark.parametrize(
    "forged",
    [
        "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by mx1.min.example with ESMTPS id 9; Fri, 20 Nov 2026 09:59:59 +1300",
        "Received: from mail.p.org.nz (203.0.113.9) by SY4AUS01FT004.mail.protection.outlook.com (10.114.1.1) with Microsoft SMTP Server; Fri, 20 Nov 2026 09:59:59 +1300",
    ],
)
def test_attack_A02_forged_received_lines_below_our_border(forged: str) -> None:
    lines = [EVIL, PASS, forged, FROM]

    assert check(lines, ABOVE).verdict is V.UNAUTHENTICATED
    assert check(lines, BELOW).verdict is V.PROBABLE
    assert check([EVIL, forged, PASS, FROM], BELOW).verdict is V.UNAUTHENTICATED


@pytest.mark.parametrize("count", [2, 3])
def test_attack_A03_several_forged_results_under_a_genuine_failure(count: int) -> None:
    for trust in (BELOW, PROVEN):
        assert check([EVIL, FAIL, *[PASS] * count, FROM], trust).verdict is V.AUTH_FAILED


def test_attack_A04_forged_result_at_the_end_is_only_noted() -> None:
    raw = mail([EVIL, FROM]).replace(b"\r\n\r\n", f"\r\n{PASS}\r\n\r\n".encode(), 1)

    for trust in (ABOVE, BELOW, PROVEN):
        assert check(raw, trust).verdict is V.UNAUTHENTICATED


def test_attack_A05_forged_result_directly_under_a_genuine_one_the_worst_wins() -> None:
    assert check([EVIL, FAIL, PASS, FROM], PROVEN).verdict is V.AUTH_FAILED
    assert check([EVIL, AR + "dmarc=none header.from=p.org.nz", PASS, FROM], PROVEN).verdict not in VERIFIED


@pytest.mark.parametrize(
    "value",
    [
        "spf=none (dmarc=pass header.from=p.org.nz)",
        "spf=none (a (b; dmarc=pass header.from=p.org.nz) c)",
        "spf=none (a; dmarc=pass header.from=p.org.nz",
        'spf=none reason="; dmarc=pass header.from=p.org.nz"',
        'spf=none reason="a\\"; dmarc=pass header.from=p.org.nz"',
    ],
)
def test_attack_A06_pass_in_a_comment_or_a_quoted_string(value: str) -> None:
    assert check([AR + value, EVIL, FROM], ABOVE).verdict is V.UNAUTHENTICATED


@pytest.mark.parametrize(
    "local",
    [
        '"a) dmarc=pass header.from=p.org.nz (b"',
        '"a); dmarc=pass header.from=p.org.nz (b"',
        '"a\\"); dmarc=pass header.from=p.org.nz (b"',
    ],
)
def test_attack_A07_an_echoed_return_address_that_closes_a_comment(local: str) -> None:
    value = (
        f"spf=none (domain of {local}@evil.example does not designate 198.51.100.66) smtp.mailfrom={local}@evil.example"
    )

    assert check([AR + value, EVIL, FROM], ABOVE).verdict is V.UNAUTHENTICATED


@pytest.mark.parametrize(
    "value",
    [
        "dmarc=fail header.from=p.org.nz; dmarc=pass header.from=p.org.nz",
        "dmarc=pass header.from=p.org.nz; dmarc=fail header.from=p.org.nz",
        "dmarc=pass; spf=none header.from=p.org.nz",
        "dkim=pass; dmarc=none header.d=p.org.nz header.from=p.org.nz",
        "dkim=pass header.d=evil.example header.d=p.org.nz",
    ],
)
def test_attack_A08_two_results_in_one_header_or_a_property_of_another_clause(value: str) -> None:
    assert check([AR + value, EVIL, FROM], ABOVE).verdict in (V.AUTH_FAILED, V.UNAUTHENTICATED)


@pytest.mark.parametrize("domain", ["evil.example", "sub.p.org.nz", "org.nz", "nz"])
def test_attack_A09_pass_for_another_domain(domain: str) -> None:
    assert check([AR + f"dmarc=pass header.from={domain}", EVIL, FROM], ABOVE).verdict is V.UNAUTHENTICATED


def test_attack_A09_a_neighbour_tenant_is_not_the_tenant() -> None:
    neighbour = [
        AR + "dkim=pass header.d=evil.onmicrosoft.com; spf=pass smtp.mailfrom=evil.onmicrosoft.com",
        EVIL,
        "From: Jo <jo@rata.onmicrosoft.com>",
    ]
    parent = [AR + "dkim=pass header.d=onmicrosoft.com", EVIL, "From: Jo <jo@rata.onmicrosoft.com>"]
    other = [AR + "dmarc=pass header.from=evil.onmicrosoft.com", EVIL, "From: Jo <jo@evil.onmicrosoft.com>"]

    assert check(neighbour, ABOVE).verdict is V.UNAUTHENTICATED
    assert check(parent, ABOVE).verdict is V.UNAUTHENTICATED
    assert check(other, ABOVE).verdict is V.PERSONAL_ACCOUNT
    own = [AR + "dmarc=pass header.from=rata.onmicrosoft.com", EVIL, "From: Jo <jo@rata.onmicrosoft.com>"]
    assert check(own, ABOVE).verdict is V.VERIFIED_ACCOUNT


@pytest.mark.parametrize(
    "line",
    [
        PASS.replace("mx1.", "xmx1."),
        PASS.replace("min.example;", "min.example.evil;"),
        PASS.replace("min.example;", "mіn.example;"),
        PASS.replace("min.example;", "min.example.;"),
        PASS.replace("mx1.min.example;", "=?utf-8?q?mx1.min.example?=;"),
        PASS.replace("Results:", "Results :"),
    ],
)
def test_attack_A10_ids_that_look_like_ours(line: str) -> None:
    for lines in ([line, EVIL, FROM], [EVIL, line, FROM]):
        for trust in (ABOVE, BELOW, PROVEN):
            assert check(lines, trust).verdict is V.UNAUTHENTICATED


def test_attack_A11_the_shape_of_another_receiver() -> None:
    for trust in (ABOVE, BELOW, PROVEN):
        assert check([EVIL, "Authentication-Results: " + EXO_PASS, *exo(EXO_PASS)], trust).verdict is V.UNAUTHENTICATED
    renamed = exo(
        "dmarc=fail action=oreject header.from=p.org.nz",
        ["Authentication-Results-Original: mx1.min.example; dmarc=pass header.from=p.org.nz"],
    )
    assert check(renamed, EXO).verdict is V.AUTH_FAILED


@pytest.mark.parametrize(
    "lines",
    [
        [FROM, "From: Eve <eve@evil.example>"],
        ["From: ana@p.org.nz, eve@evil.example"],
        ["From: ana@p.org.nz <eve@evil.example>"],
        [b"From: Ana <ana@p.org.nz\x00@evil.example>"],
        [b"From: Ana <ana@p.org.nz>\x00"],
    ],
)
def test_attack_A12_more_than_one_sender_or_a_null_is_malformed(lines: list[str | bytes]) -> None:
    found = check([PASS, EVIL, *lines], ABOVE)

    assert (found.verdict, found.address, found.provider) == (V.MALFORMED, None, None)


@pytest.mark.parametrize(
    "lines",
    [
        [AR + "dmarc=pass header.from=p.org.nz; x=" + "y" * 60_000, EVIL],
        [*[PASS] * 500, EVIL],
        [*[EVIL] * 5_000],
        [AR + "(" * 100 + ")" * 100 + " dmarc=pass header.from=p.org.nz", EVIL],
        [AR + "; ".join(["dmarc=pass header.from=p.org.nz"] * 10_000), EVIL],
        [AR + "; ".join(["dmarc=pass header.from=p.org.nz"] * 400), EVIL],
    ],
    ids=["60 KB", "500 results", "5,000 Received", "deep comments", "10,000 clauses", "400 clauses"],
)
def test_attack_A13_limits_hold_and_time_is_bounded(lines: list[str]) -> None:
    raw = mail([*lines, FROM])

    start = time.process_time()
    found = check(raw, ABOVE)

    assert time.process_time() - start < 1.0
    assert found.verdict in (V.UNAUTHENTICATED, V.MALFORMED)


@pytest.mark.parametrize(
    "line",
    [
        "Received: from evil (by mx1.min.example [203.0.113.9]) by other.example with ESMTP; Fri, 20 Nov 2026 10:00:00 +1300",
        "Received: from x by mx1.min.example by other.example with ESMTP; Fri, 20 Nov 2026 10:00:00 +1300",
        "Received: from (x) by mx1.min.example (y [198.51.100.66]) by other.example; Fri, 20 Nov 2026 10:00:00 +1300",
        "Received: from a) by mx1.min.example (b (evil.example [198.51.100.66]) by other.example; Fri, 20 Nov 2026 10:00:00 +1300",
        "Received: by other.example (by mx1.min.example); Fri, 20 Nov 2026 10:00:00 +1300",
    ],
)
def test_attack_A14_our_name_in_a_greeting_or_a_comment_is_no_line_of_ours(line: str) -> None:
    found = check(
        [PASS, line, FROM],
        trust_from_settings(
            {"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"], "relays": ["relay.min.example"]}
        ),
    )

    assert found.verdict is V.UNAUTHENTICATED


@pytest.mark.parametrize("greeting", ["[127.0.0.1]", "[10.1.1.1]", "mx.inside(mx.inside[10.1.1.1])"])
def test_attack_A14_a_greeting_that_claims_an_inside_address_does_not_move_the_border(greeting: str) -> None:
    trust = trust_from_settings(
        {
            "kind": "own",
            "ids": ["mx1.min.example"],
            "border": ["mx1.min.example"],
            "inside": ["10.0.0.0/8", "mx.inside"],
        }
    )
    border = EVIL.replace("from evil.example", f"from {greeting}")

    assert check([border, PASS, EVIL, FROM], trust).verdict is V.UNAUTHENTICATED


def test_attack_A15_a_poisoned_result_counts_only_where_stripping_is_proven_or_with_our_own_check() -> None:
    poisoned = [EVIL, PASS, AR + "dkim=pass header.d=p.org.nz", FROM]

    assert check(poisoned, BELOW).verdict is V.PROBABLE
    bogus = sign(mail(poisoned), "p.org.nz").replace(b"hello", b"other")
    assert check_signed(bogus, Zone({"s1._domainkey.p.org.nz": record()}), BELOW).verdict is V.PROBABLE


def test_attack_A16_forged_internal_marks_and_other_peoples_results() -> None:
    more = [
        "X-MS-Exchange-Organization-AuthAs: Internal",
        "Authentication-Results-Original: dmarc=pass header.from=p.org.nz",
        "ARC-Authentication-Results: i=1; mx.microsoft.com 1; dmarc=pass header.from=p.org.nz",
        "X-TM-Authentication-Results: dmarc=pass header.from=p.org.nz",
    ]
    for trust in (EXO, ABOVE, BELOW, PROVEN, AT_END):
        assert check(exo(None, more), trust).verdict is V.UNAUTHENTICATED
    outside = exo(None, ["X-MS-Exchange-Organization-AuthAs: Internal", "From: Kim <kim@min.example>"])
    assert check([line for line in outside if line != FROM], EXO).verdict is V.UNAUTHENTICATED
    source = [line.replace("AuthSource: SY4AUS01FT004", "AuthSource: OTHER") for line in exo(EXO_PASS)]
    assert check(source, EXO).verdict is V.PROBABLE


def test_attack_A17_an_uploaded_file_with_perfect_headers_counts_by_its_signature_only() -> None:
    raw = mail(exo(EXO_PASS))

    assert check(raw, NOBODY).verdict is V.UNAUTHENTICATED
    assert check_signed(sign(raw, "p.org.nz"), Zone({"s1._domainkey.p.org.nz": record()})).verdict is V.VERIFIED_ACCOUNT


def test_attack_A18_an_honest_domain_with_a_providers_name() -> None:
    honest = AR + "dmarc=pass header.from=evil.example"

    assert check([honest, EVIL, "From: Eve <eve@evil.example>"], ABOVE).verdict is V.UNKNOWN_DOMAIN
    for name in (
        "Pōhutukawa Trust",
        "Pohutukawa Trust office",
        '"ana@p.org.nz"',
        "=?utf-8?q?ana=40p.org.nz?=",
        "=?utf-8?b?UMWNaHV0dWthd2EgVHJ1c3Q=?=",
    ):
        found = check([honest, EVIL, f"From: {name} <eve@evil.example>"], ABOVE)
        assert (found.verdict, found.provider, found.suggested) == (V.LOOKALIKE, None, ("p-trust",))


# ---- no forged mail is ever verified ----------------------------------------------------------------------------------

SENDERS = [
    FROM,
    "From: ana@p.org.nz",
    "From: ANA@P.ORG.NZ",
    "From: =?utf-8?q?Ana?= <ana@p.org.nz>",
    'From: "Ana, manager" <ana@p.org.nz>',
    "From: <ana@p.org.nz> <eve@evil.example>",
    "From: ana@p.org.nz (Ana) <eve@evil.example>",
    "From: ana@p.org.nz@evil.example",
    "From: eve@evil.example <ana@p.org.nz>",
    "From: Ana <ana@mail.p.org.nz>",
    "From: Ana <ptrust@xtra.co.nz>",
    "From: Jo <jo@rata.onmicrosoft.com>",
    "From : ana@p.org.nz\r\nFrom: eve@evil.example",
    "From: group: ana@p.org.nz;",
]
FORGED = [
    [EVIL, PASS],
    [EVIL, PASS, PASS],
    [EVIL, EVIL, PASS],
    [EVIL, FAIL, PASS],
    [FAIL, EVIL, PASS],
    [FAIL, EVIL, "X-A: b", PASS],
    [EVIL, "Received-SPF: pass", PASS],
    [EVIL, EXO_BORDER, "Authentication-Results: " + EXO_PASS],
    ["X-MS-Exchange-Organization-AuthAs: Internal", EVIL, "Authentication-Results: " + EXO_PASS],
    [AR + "dmarc=pass header.from=evil.example", EVIL, PASS],
    [AR + "spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example", EVIL, PASS],
    [AR + "none", EVIL, "ARC-Authentication-Results: i=1; mx1.min.example; dmarc=pass header.from=p.org.nz", PASS],
    ["DKIM-Signature: v=1; a=rsa-sha256; d=p.org.nz; s=s1; h=from; bh=AAAA; b=BBBB", EVIL, PASS],
]
SITES: list[Trust] = [NOBODY, ABOVE, BELOW, AT_END, EXO, shorthand(["mx1.min.example"])]


def test_none_of_a_thousand_forged_mails_is_verified() -> None:
    zone = Zone({"s1._domainkey.p.org.nz": record()})
    tried = 0
    for sender, lines, trust in product(SENDERS, FORGED, SITES):
        found = check_signed(mail([*lines, sender]), zone, trust)
        assert found.verdict not in VERIFIED, (sender, lines, trust.kind, found)
        tried += 1

    assert tried >= 300
    assert zone.asked == 0  # bogus signatures cost no question to DNS


# ---- a signature that does not cover how the mail is divided -----------------------------------------------------------

_QUOTED = "Hi Ana, see below.\r\n\r\n--evil\r\nContent-Type: application/pdf; name=form.pdf\r\n\r\n%PDF-1.4 theirs\r\n--evil--"
_DIVIDED = b"Content-Type: multipart/mixed; boundary=evil\r\n"
ZONE_P = {"s1._domainkey.p.org.nz": record()}


@pytest.mark.parametrize("results", [[], [AR + "dmarc=pass header.from=p.org.nz"]])
def test_attack_text_of_a_signed_mail_is_not_made_into_files_by_an_unsigned_line(results: list[str]) -> None:
    signed = sign(mail(["From: ana@p.org.nz"], _QUOTED), "p.org.nz")
    stamped = mail(results)[: mail(results).index(b"From:")] if results else b""
    reshaped = check_signed(stamped + _DIVIDED + signed, Zone(ZONE_P), ABOVE if results else NOBODY)

    assert reshaped.verdict is V.UNAUTHENTICATED
    assert "reshaped" in codes(reshaped)


def test_a_divided_mail_whose_division_is_unsigned_and_usual_is_verified() -> None:
    for before in (
        "",
        "This is a multi-part message in MIME format.\r\n",
        "This is a cryptographically signed message in MIME format.\r\n",
    ):
        body = f"{before}--b\r\nContent-Type: text/plain\r\n\r\nOur form is attached.\r\n--b--"
        raw = mail(["From: ana@p.org.nz", "Content-Type: multipart/mixed; boundary=b"], body)
        assert check_signed(sign(raw, "p.org.nz"), Zone(ZONE_P)).verdict is V.VERIFIED_ACCOUNT, before


def test_a_signed_division_may_begin_as_it_likes() -> None:
    raw = mail(["From: ana@p.org.nz", "Content-Type: multipart/mixed; boundary=evil"], _QUOTED)
    signed = sign(raw, "p.org.nz", signed="from:to:subject:date:message-id:content-type")
    assert check_signed(signed, Zone(ZONE_P)).verdict is V.VERIFIED_ACCOUNT


def test_attack_an_old_signed_mail_sent_again_says_how_old_it_is() -> None:
    old = mail(["From: ana@p.org.nz"]).replace(b"20 Nov 2026", b"20 Nov 2024").replace(b"Fri", b"Wed")
    found = check_signed(sign(old, "p.org.nz"), Zone(ZONE_P))
    assert "old_date" in codes(found)
    assert "20 November 2024" in " ".join(e.text for e in found.evidence)
    assert "old_date" not in codes(check_signed(sign(mail(["From: ana@p.org.nz"]), "p.org.nz"), Zone(ZONE_P)))
