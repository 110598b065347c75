"""The thirty shapes of trace headers that receivers really write, and what we read in them."""

from __future__ import annotations

import pytest

from intake.domain.model import VerdictCode as V
from intake.domain.trust import trust_from_settings
from tests.sender.signer import record, sign
from tests.sender.world import (
    ABOVE,
    AR,
    AT_END,
    BELOW,
    EXO,
    EXO_BORDER,
    EXO_PASS,
    FROM,
    MACRON,
    PASS,
    PROVEN,
    B,
    Zone,
    check,
    check_signed,
    codes,
    exo,
    mail,
    words,
)

SIGNED = Zone({"s1._domainkey.p.org.nz": record()})


def test_shape_01_exchange_online_pass_is_strong() -> None:
    found = check(exo(EXO_PASS), EXO)

    assert (found.verdict, found.provider) == (V.VERIFIED_ACCOUNT, "p-trust")
    assert "directly above the line of Exchange Online" in words(found)  # the place
    assert "without an id" in words(found)  # the id
    assert "dmarc=pass action=none header.from=p.org.nz" in words(found)  # the clause
    assert "it counts fully" in words(found)  # the reason


def test_shape_02_best_guess_of_exchange_online_is_probable() -> None:
    results = EXO_PASS.replace("dmarc=pass", "dmarc=bestguesspass").replace("reason=100", "reason=109")

    assert check(exo(results), EXO).verdict is V.PROBABLE


@pytest.mark.parametrize("reason", ["106", "130"])
def test_shape_03_microsofts_own_estimate_alone_proves_nothing(reason: str) -> None:
    results = f"spf=pass (sender IP is 203.0.113.9) smtp.mailfrom=other.example; dkim=pass header.d=other.example;dmarc=none action=none header.from=p.org.nz;compauth=pass reason={reason}"
    found = check(exo(results), EXO)

    assert found.verdict is V.UNAUTHENTICATED
    assert "Microsoft's own estimate" in words(found)


def test_shape_04_failed_and_delivered_all_the_same() -> None:
    results = "spf=fail smtp.mailfrom=p.org.nz; dkim=none (message not signed) header.d=none;dmarc=fail action=oreject header.from=p.org.nz;compauth=none reason=451"

    assert check(exo(results), EXO).verdict is V.AUTH_FAILED


@pytest.mark.parametrize("result", ["permerror", "temperror"])
def test_shape_05_an_error_is_neither_pass_nor_failure(result: str) -> None:
    found = check(exo(f"dmarc={result} action=none header.from=p.org.nz"), EXO)

    assert found.verdict is V.UNAUTHENTICATED
    assert "a later try may give a result" in words(found)


def test_shape_06_old_exchange_with_a_bare_domain_as_element() -> None:
    results = "spf=pass smtp.mailfrom=p.org.nz; min.example; dkim=pass header.d=p.org.nz;min.example; dmarc=pass action=none header.from=p.org.nz;"

    assert check(exo(results), EXO).verdict is V.VERIFIED_ACCOUNT


def test_shape_07_renamed_and_arc_results_below_are_information() -> None:
    more = [
        "Authentication-Results-Original: dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=p.org.nz;",
        "ARC-Authentication-Results: i=2; mx.microsoft.com 1; spf=fail; dmarc=fail header.from=p.org.nz",
        "ARC-Authentication-Results: i=1; mx.evil.example; dmarc=pass header.from=evil.example",
    ]

    assert check(exo(EXO_PASS, more), EXO).verdict is V.VERIFIED_ACCOUNT


def test_shape_08_exchange_online_stamped_nothing_so_our_own_check_decides() -> None:
    lines = exo(None)

    assert check(lines, EXO).verdict is V.UNAUTHENTICATED
    assert check_signed(sign(mail(lines), "p.org.nz"), SIGNED, EXO).verdict is V.VERIFIED_ACCOUNT


FRONT = trust_from_settings({"kind": "exchange_online", "front": ["203.0.113.0/24"]})


def test_shape_09_gateway_in_front_spf_is_about_the_gateway_and_the_rest_counts() -> None:
    results = EXO_PASS.replace("spf=pass", "spf=softfail")

    assert check(exo(results), FRONT).verdict is V.VERIFIED_ACCOUNT


def test_shape_10_gateway_in_front_a_failure_is_inconclusive() -> None:
    results = "spf=fail smtp.mailfrom=p.org.nz; dkim=fail (body hash did not verify) header.d=p.org.nz;dmarc=fail action=none header.from=p.org.nz;compauth=pass reason=130"
    lines = exo(results)

    assert check(lines, FRONT).verdict is V.UNAUTHENTICATED
    assert "gateway_in_front" in codes(check(lines, FRONT))
    assert check_signed(sign(mail(lines), "p.org.nz"), SIGNED, FRONT).verdict is V.VERIFIED_ACCOUNT
    assert check(lines, EXO).verdict is V.AUTH_FAILED  # without the gateway it is a plain failure


INTERNAL = [
    "Received: from SY4PR01MB0001.ausprd01.prod.outlook.com (2603:10c6:10::1) by ME3PR01MB0002.ausprd01.prod.outlook.com with HTTPS; Fri, 20 Nov 2026 10:00:03 +0000",
    "Authentication-Results: dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=min.example;",
    "X-MS-Exchange-Organization-AuthAs: Internal",
    "From: Kim <kim@min.example>",
]


def test_shape_11_mail_inside_our_own_tenant_is_internal() -> None:
    found = check(INTERNAL, EXO)

    assert found.verdict is V.STAFF_FORWARD
    assert "internal" in codes(found)


def test_shape_12_internal_mark_in_another_kind_of_mailbox_is_ignored() -> None:
    for trust in (ABOVE, BELOW, PROVEN):
        assert check(INTERNAL, trust).verdict is V.UNAUTHENTICATED


GOOGLE = trust_from_settings({"profile": "google", "strips": "2026-10-01"})
_GOOGLE_TOP = "Received: by 2002:a05:7022:6b8a:b0:88:1:2 with SMTP id x10csp1; Thu, 19 Nov 2026 13:00:00 -0800 (PST)"
_GOOGLE_B = "Received: from mail.p.org.nz (mail.p.org.nz. [203.0.113.9]) by mx.google.com with ESMTPS id a1 for <intake@min.example>; Thu, 19 Nov 2026 13:00:00 -0800 (PST)"
_GOOGLE_SPF = "Received-SPF: pass (google.com: domain of ana@p.org.nz designates 203.0.113.9 as permitted sender) client-ip=203.0.113.9;"


def _google(results: str) -> list[str]:
    return [
        _GOOGLE_TOP,
        "X-Received: by 2002:a17:902:e84f:b0:1 with SMTP id t15-1; Thu, 19 Nov 2026 13:00:00 -0800 (PST)",
        "ARC-Authentication-Results: i=1; mx.google.com; " + results,
        "Return-Path: <ana@p.org.nz>",
        _GOOGLE_B,
        _GOOGLE_SPF,
        "Authentication-Results: mx.google.com;\r\n       " + results,
        FROM,
    ]


def test_shape_13_google_below_its_line_with_an_address_literal_on_top() -> None:
    results = "dkim=pass header.i=@p.org.nz header.s=s1 header.b=AbCd;\r\n       spf=pass (google.com: domain of ana@p.org.nz designates 203.0.113.9 as permitted sender) smtp.mailfrom=ana@p.org.nz;\r\n       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=p.org.nz"

    assert check(_google(results), GOOGLE).verdict is V.VERIFIED_ACCOUNT
    assert check(_google(results), trust_from_settings({"profile": "google"})).verdict is V.PROBABLE


def test_shape_14_google_without_a_dmarc_result_takes_the_aligned_signature() -> None:
    assert (
        check(_google("dkim=pass header.i=@p.org.nz header.s=s1 header.b=AbCd"), GOOGLE).verdict is V.VERIFIED_ACCOUNT
    )


_TRIPLE = [
    B,
    "DMARC-Filter: OpenDMARC Filter v1.4.2 mx1.min.example 4ABC",
    AR + "dmarc=pass (p=none dis=none) header.from=p.org.nz",
    AR + "spf=pass smtp.mailfrom=p.org.nz",
    "DKIM-Filter: OpenDKIM Filter v2.11.0 mx1.min.example 4ABC",
    AR + 'dkim=pass (2048-bit key) header.d=p.org.nz header.i=@p.org.nz header.b="AbCd"',
    FROM,
]


def test_shape_15_opendmarc_and_opendkim_count_when_stripping_is_proven() -> None:
    assert check(_TRIPLE, PROVEN).verdict is V.VERIFIED_ACCOUNT
    assert check(_TRIPLE, BELOW).verdict is V.PROBABLE


@pytest.mark.parametrize("name", ["mx1.min.example/4ABC", "MX1.Min.Example", '"mx1.min.example"', "mx1.min.example 1"])
def test_shape_16_other_ways_to_write_the_same_id(name: str) -> None:
    lines = [line.replace("Results: mx1.min.example", f"Results: {name}") for line in _TRIPLE]

    assert check(lines, PROVEN).verdict is V.VERIFIED_ACCOUNT


def test_shape_17_rspamd_at_the_end_is_weak() -> None:
    last = (
        AR
        + "dkim=pass header.d=p.org.nz header.s=s1; spf=pass smtp.mailfrom=p.org.nz; dmarc=pass (policy=none) header.from=p.org.nz"
    )
    raw = mail([B, FROM]).replace(b"\r\n\r\n", f"\r\n{last}\r\n\r\n".encode(), 1)
    found = check(raw, AT_END)

    assert found.verdict is V.PROBABLE
    assert "at the end of the headers" in words(found)
    assert check(raw, ABOVE).verdict is V.UNAUTHENTICATED


def test_shape_18_four_headers_of_fastmail_with_the_result_in_the_last() -> None:
    trust = trust_from_settings({"profile": "fastmail"})
    one = "Authentication-Results: mx5.messagingengine.com;\r\n    "
    lines = [
        "Received: from mx5.internal (mx5.internal [10.202.2.204]) by sloti1.internal (Cyrus 3.9) with LMTPA; Thu, 19 Nov 2026 16:00:00 -0500",
        one + "x-csa=none; x-me-sender=none; x-ptr=pass smtp.helo=mail.p.org.nz policy.ptr=mail.p.org.nz",
        one + "bimi=skipped (DMARC Policy is not at enforcement)",
        one + "arc=none (no signatures found)",
        one
        + "dkim=pass (2048-bit rsa key sha256) header.d=p.org.nz header.i=@p.org.nz header.b=AbCd; dmarc=pass policy.published-domain-policy=none policy.applied-disposition=none header.from=p.org.nz; spf=pass smtp.mailfrom=ana@p.org.nz smtp.helo=mail.p.org.nz",
        "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by mx5.messagingengine.com (Postfix) with ESMTPS id 1; Thu, 19 Nov 2026 16:00:00 -0500",
        FROM,
    ]

    assert check(lines, trust).verdict is V.VERIFIED_ACCOUNT


_ICLOUD = [
    "Received: from st11p00im-smtpin010.me.com (st11p00im-smtpin010.me.com [17.57.1.1]) by p00-icloudmail.apple.com (Apple) with LMTP; Thu, 19 Nov 2026 21:00:00 +0000",
    "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by st11p00im-smtpin010.me.com (Postfix) with ESMTPS id 1; Thu, 19 Nov 2026 21:00:00 +0000",
    "X-ICL-SCORE: 3.3",
    'Authentication-Results: bimi.icloud.com; bimi=skipped reason="insufficient dmarc" header.d=p.org.nz',
    "X-ARC-Info: policy=fail; arc=none",
    "Authentication-Results: arc.icloud.com; arc=none",
    "Authentication-Results: dmarc.icloud.com; dmarc=pass header.from=p.org.nz",
    "X-DMARC-Policy: v=DMARC1; p=none",
    "Authentication-Results: dkim-verifier.icloud.com; dkim=pass (2048-bit key) header.d=p.org.nz header.i=@p.org.nz header.b=AbCd",
    "Authentication-Results: spf.icloud.com; spf=pass (spf.icloud.com: domain of ana@p.org.nz designates 203.0.113.9 as permitted sender) smtp.mailfrom=ana@p.org.nz",
    FROM,
]


def test_shape_19_icloud_passes_only_with_all_five_ids() -> None:
    trust = trust_from_settings({"profile": "icloud", "strips": "2026-10-01"})
    fewer = trust_from_settings(
        {"profile": "icloud", "strips": "2026-10-01", "ids": ["dmarc.icloud.com", "spf.icloud.com"]}
    )

    assert check(_ICLOUD, trust).verdict is V.VERIFIED_ACCOUNT
    assert check(_ICLOUD, fewer).verdict is V.UNAUTHENTICATED


def test_shape_20_messagelabs_between_two_lines_of_its_own() -> None:
    trust = trust_from_settings({"profile": "messagelabs"})
    lines = [
        "Received: from [100.112.1.1] (using TLSv1.2) by server-4.bemta.az-a.us-east-1.aws.symcld.net id 1; Thu, 19 Nov 2026 21:00:00 +0000",
        "Authentication-Results: mx.messagelabs.com; spf=pass (server-9.tower-1.messagelabs.com: domain of p.org.nz designates 203.0.113.9\r\n as permitted sender) smtp.mailfrom=p.org.nz; dkim=pass (good signature) header.i=@p.org.nz header.s=s1;\r\n dmarc=pass (p=none adkim=r aspf=r) header.from=p.org.nz",
        "Received: (qmail 12345 invoked from network); 19 Nov 2026 21:00:00 -0000",
        "Received: from mail.p.org.nz (HELO mail.p.org.nz) (203.0.113.9) by server-9.tower-1.messagelabs.com with ECDHE-RSA-AES256-GCM-SHA384 encrypted SMTP; 19 Nov 2026 21:00:00 -0000",
        FROM,
    ]

    assert check(lines, trust).verdict is V.VERIFIED_ACCOUNT


def test_shape_21_cisco_names_the_domain_in_d_and_only_its_profile_takes_that() -> None:
    own = {"ids": ["esa1.min.iphmx.com"], "border": ["esa1.min.iphmx.com"]}
    lines = [
        "Authentication-Results: esa1.min.iphmx.com; spf=Pass smtp.pra=ana@p.org.nz; spf=Pass smtp.mailfrom=ana@p.org.nz; spf=None smtp.helo=postmaster@mail.p.org.nz; dkim=none header.i=none; dmarc=pass (p=none dis=none) d=p.org.nz",
        "Received: from mail.p.org.nz ([203.0.113.9]) by esa1.min.iphmx.com with ESMTP/TLS; 20 Nov 2026 10:00:00 +1300",
        FROM,
    ]

    assert check(lines, trust_from_settings({"profile": "cisco_esa", **own})).verdict is V.VERIFIED_ACCOUNT
    assert check(lines, trust_from_settings({"kind": "gateway", **own})).verdict is V.PROBABLE  # SPF alone is left


def test_shape_22_proofpoint_and_the_senders_own_proofpoint_lower_down() -> None:
    trust = trust_from_settings({"profile": "proofpoint", "border": ["m0001.ppops.net"]})
    lines = [
        "Received: from pps.filterd (m0001.ppops.net [127.0.0.1]) by m0001.ppops.net (8.18.1.2/8.18.1.2) with ESMTP id 1; Thu, 19 Nov 2026 21:00:00 +0000",
        "Authentication-Results: ppops.net;\r\n\tspf=pass smtp.mailfrom=ana@p.org.nz;\r\n\tdkim=pass header.d=p.org.nz header.s=s1;\r\n\tdmarc=pass header.from=p.org.nz",
        "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by m0001.ppops.net (PPS) with ESMTPS id 2; Thu, 19 Nov 2026 21:00:00 +0000",
        "Received: from pps.filterd (m0009.ppops.net [127.0.0.1]) by m0009.ppops.net with ESMTP id 3; Thu, 19 Nov 2026 20:59:00 +0000",
        "Authentication-Results: ppops.net; spf=fail smtp.mailfrom=ana@p.org.nz",
        FROM,
    ]
    found = check(lines, trust)

    assert found.verdict is V.VERIFIED_ACCOUNT
    assert "pretends_our_header" not in codes(found)


def test_shape_23_a_signature_result_without_a_domain_is_no_identifier() -> None:
    trust = trust_from_settings({"profile": "zoho", "strips": "2026-10-01"})
    lines = [
        "Received: from mail.p.org.nz (mail.p.org.nz [203.0.113.9]) by mx.zohomail.eu with SMTPS id 1; Thu, 19 Nov 2026 21:00:00 +0000",
        "Authentication-Results: mx.zohomail.eu; dkim=pass",
        FROM,
    ]
    found = check(lines, trust)

    assert found.verdict is V.UNAUTHENTICATED
    assert "names no domain" in words(found)


@pytest.mark.parametrize("value", ["ana@p.org.nz", "<ana@p.org.nz>", "p.org.nz.", "P.ORG.NZ"])
def test_shape_24_ways_to_write_the_same_from_domain(value: str) -> None:
    assert check([AR + f"dmarc=pass header.from={value}", B], ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_shape_24_macron_domain_equals_its_a_label() -> None:
    name = MACRON.encode("idna").decode()
    lines = [AR + f"dmarc=pass header.from={name}", B, f"From: Mere <mere@{MACRON}>"]

    assert check(lines, ABOVE).verdict is V.VERIFIED_ACCOUNT


@pytest.mark.parametrize("rest", ["", " none"])
def test_shape_25_empty_results_say_nothing(rest: str) -> None:
    assert check([f"Authentication-Results: mx1.min.example;{rest}", B], ABOVE).verdict is V.UNAUTHENTICATED


def test_shape_26_folds_in_comments_tabs_and_quoted_echoes_are_read() -> None:
    results = (
        AR
        + 'spf=pass (a comment\r\n\tthat is folded; dmarc=fail) smtp.mailfrom="b=c;d)e"@p.org.nz;\r\n\tdmarc=pass\r\n\t(p=none) header.from=p.org.nz'
    )

    assert check([results, B], ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_shape_27_no_blank_before_comments_and_unknown_methods() -> None:
    results = (
        AR
        + "x-me=none; arc_overridden_status=none; dmarc=pass(p=NONE) header.from=p.org.nz policy.x=y; iprev=pass policy.iprev=203.0.113.9; rspamd/2=unknown"
    )

    assert check([results, B], ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_shape_28_one_of_two_signatures_is_enough() -> None:
    results = AR + "dkim=fail header.d=p.org.nz header.s=one; dkim=pass header.d=p.org.nz header.s=two"

    assert check([results, B], ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_shape_29_our_old_result_far_below_a_new_failure_is_a_failure_not_malformed() -> None:
    lines = [
        AR + "dmarc=fail header.from=p.org.nz",
        B,
        "Received: from list.example (list.example [192.0.2.7]) by relay.list.example with ESMTP; Thu, 19 Nov 2026 21:00:00 +0000",
        PASS,
        FROM,
    ]
    found = check(lines, ABOVE)

    assert found.verdict is V.AUTH_FAILED
    assert "it was ignored" in words(found).lower()


@pytest.mark.parametrize(
    "value", ["mx1.min.example dmarc=pass header.from=p.org.nz", "mx1 min example; dmarc=pass header.from=p.org.nz"]
)
def test_shape_30_an_id_that_is_out_of_shape_closes(value: str) -> None:
    found = check(["Authentication-Results: " + value, B], ABOVE)

    assert found.verdict is V.UNAUTHENTICATED
    assert "results_unusable" in codes(found)


def test_the_border_line_of_exchange_is_needed() -> None:
    lines = [line for line in exo(EXO_PASS) if line != EXO_BORDER]

    assert check(lines, EXO).verdict is V.UNAUTHENTICATED
