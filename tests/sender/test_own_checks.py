"""Our own DKIM, SPF and DMARC on the stored bytes, through the sender check: which lines are believed, and what it comes to."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from intake.config import load
from intake.domain.envelope import open_envelope
from intake.domain.mime import Limits, split_headers
from intake.domain.model import VerdictCode as V
from intake.domain.own_checks import OwnChecks
from intake.domain.received import Client, client_of, find_border
from intake.domain.trust import NOBODY, Trust, shorthand, trust_from_settings
from intake.wiring import build
from tests.sender.signer import key, record, sign
from tests.sender.world import (
    ABOVE,
    AR,
    BELOW,
    EXO,
    FROM,
    PASS,
    B,
    Zone,
    check_whole,
    codes,
    exo,
    mail,
    words,
)

KEY = "s1._domainkey.p.org.nz"
SPF = "v=spf1 ip4:203.0.113.9 -all"
REJECT = "v=DMARC1; p=reject"
PATH = "Return-Path: <ana@p.org.nz>"
EVIL = "Received: from mail.p.org.nz (evil.example [198.51.100.66]) by mx1.min.example (Postfix) with ESMTPS id 4ABD; Fri, 20 Nov 2026 10:00:00 +1300"
DOOR = trust_from_settings({"kind": "own", "ids": ["intake.min.example"], "border": ["intake.min.example"]})
AT_DOOR = (
    "Received: from mail.p.org.nz ([203.0.113.9])\r\n\tby intake.min.example with ESMTPS id 4A7F;\r\n"
    "\tFri, 20 Nov 2026 10:00:00 +1300"
)


def zone(**more: object) -> Zone:
    """What p.org.nz publishes: a key, its one machine, a rule. Names in `more` replace or (None) drop records, "." as "_"."""
    known: dict[str, object] = {KEY: record(), "p.org.nz": SPF, "_dmarc.p.org.nz": REJECT}
    known |= more
    return Zone({name: value for name, value in known.items() if value is not None})  # type: ignore[misc]


# ---- the sending machine ----------------------------------------------------------------------------------------------


def test_the_domains_own_machine_alone_is_weak_evidence() -> None:
    for dns in (zone(), zone(**{"_dmarc.p.org.nz": None})):
        found = check_whole([PATH, B, FROM], dns, ABOVE)

        assert (found.verdict, found.provider) == (V.PROBABLE, "p-trust")
        assert "The sending machine 203.0.113.9 may send for p.org.nz" in words(found)
    assert "It keeps to the rule of p.org.nz (DMARC, p=reject) by the sending machine." in words(
        check_whole([PATH, B, FROM], zone(), ABOVE)
    )


def test_a_stranger_who_names_the_domain_fails_its_rule() -> None:
    found = check_whole([PATH, EVIL, FROM], zone(), ABOVE)

    assert (found.verdict, found.provider, found.suggested) == (V.AUTH_FAILED, None, ("p-trust",))
    assert {"own_spf_fail", "own_dmarc_fail"} <= codes(found)
    assert "says that 198.51.100.66 may not send for it" in words(found)
    assert "It breaks the rule of p.org.nz (DMARC, p=reject)" in words(found)


@pytest.mark.parametrize("policy", ["none", "quarantine", "reject"])
def test_a_failure_is_one_whatever_the_rule_asks_for_and_the_evidence_names_it(policy: str) -> None:
    found = check_whole([PATH, EVIL, FROM], zone(**{"_dmarc.p.org.nz": f"v=DMARC1; p={policy}; t=y"}), ABOVE)

    assert found.verdict is V.AUTH_FAILED
    assert f"(DMARC, p={policy}, in test)" in words(found)


@pytest.mark.parametrize("all_others", ["-all", "~all", "?all"])
def test_without_a_rule_the_sending_machine_alone_makes_no_failure(all_others: str) -> None:
    dns = zone(**{"_dmarc.p.org.nz": None, "p.org.nz": f"v=spf1 ip4:203.0.113.9 {all_others}"})
    found = check_whole([PATH, EVIL, FROM], dns, ABOVE)

    assert found.verdict is V.UNAUTHENTICATED
    assert "own_dmarc_none" in codes(found)


def test_a_return_address_of_somebody_else_says_nothing_and_is_not_asked_about() -> None:
    for path in ("<SRS0=x=y=p.org.nz=ana@forwarder.example>", "<bounce-1@bulk.example>", "<x@evil.onmicrosoft.com>"):
        dns = zone(**{"_dmarc.p.org.nz": None})
        found = check_whole([f"Return-Path: {path}", B, FROM], dns, ABOVE)

        assert found.verdict is V.UNAUTHENTICATED
        assert "own_spf_other" in codes(found)
        assert all(name.startswith("TXT _dmarc.") for name in dns.names)
    forwarded = check_whole(["Return-Path: <x@forwarder.example>", B, FROM], zone(), ABOVE)
    assert forwarded.verdict is V.AUTH_FAILED  # the domain's own rule stands, and nothing of it is kept


def test_a_forwarder_that_keeps_the_signature_passes() -> None:
    raw = b"Return-Path: <x@forwarder.example>\r\n" + EVIL.encode() + b"\r\n" + sign(mail([FROM]), "p.org.nz")
    dns = zone()

    assert check_whole(raw, dns, ABOVE).verdict is V.VERIFIED_ACCOUNT
    assert dns.names == [f"TXT {KEY}"]  # nothing else could change it


# ---- which lines are believed -----------------------------------------------------------------------------------------


def client(*lines: str, trust: Trust = ABOVE) -> Client | str:
    raw = mail([*lines, FROM])
    headers = split_headers(raw, 0, len(raw), Limits())[0]
    return client_of(headers, find_border(headers, trust.relays, trust.border, trust.inside), trust.front)


def test_the_client_is_read_from_the_border_line_and_the_path_above_it() -> None:
    assert client(PATH, B) == Client("203.0.113.9", "mail.p.org.nz", "ana@p.org.nz")
    assert client(PATH, AT_DOOR, trust=DOOR) == Client("203.0.113.9", "mail.p.org.nz", "ana@p.org.nz")
    assert client("Return-Path: <>", B) == Client("203.0.113.9", "mail.p.org.nz", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from h.example ([IPv6:2001:db8::25]) by mx1.min.example with ESMTP id 1", ("2001:db8::25", "h.example")),
        ("from h.example ([::ffff:203.0.113.9]) by mx1.min.example with ESMTP id 1", ("203.0.113.9", "h.example")),
        ("from [203.0.113.1] (r.example [203.0.113.9]) by mx1.min.example id 1", ("203.0.113.9", "[203.0.113.1]")),
        ("from r.example ([203.0.113.9] helo=h.example) by mx1.min.example with esmtp", ("203.0.113.9", "h.example")),
        ("from h.example (r.example [203.0.113.9] (may be forged)) by mx1.min.example", ("203.0.113.9", "h.example")),
        (
            "from h.example (203.0.113.9) by mx1.min.example (10.0.0.3) with Microsoft SMTP",
            ("203.0.113.9", "h.example"),
        ),
    ],
)
def test_lines_of_common_servers_are_read(line: str, expected: tuple[str, str]) -> None:
    found = client(PATH, f"Received: {line}; Fri, 20 Nov 2026 10:00:00 +1300")

    assert isinstance(found, Client)
    assert (found.ip, found.helo) == expected


@pytest.mark.parametrize(
    "line",
    [
        "from x(y[203.0.113.9]) (evil.example [198.51.100.66]) by mx1.min.example with ESMTP id 1",
        "from x (HELO [203.0.113.9]) (198.51.100.66) by mx1.min.example with ESMTP id 1",
        "from x ([203.0.113.9]) ([198.51.100.66]) by mx1.min.example with ESMTP id 1",
        "from x ([203.0.113.9] [198.51.100.66]) by mx1.min.example with ESMTP id 1",
        "from [203.0.113.9] (helo=x) by mx1.min.example with esmtp id 1",
        "from [198.51.100.66] (helo=[203.0.113.9]) by mx1.min.example with esmtp id 1",
        "from [198.51.100.66] (ident=[203.0.113.9] helo=x) by mx1.min.example with esmtp id 1",
        "from x(y[203.0.113.9]) by mx1.min.example with ESMTP id 1",
        "from x (y [203.0.113.9]) (evil.example [198.51.100.66]) (using TLS) by mx1.min.example with ESMTPS id 1",
        "from x by mx1.min.example with ESMTP id 1",
        "from x ([10.1.2.3]) by mx1.min.example with ESMTP id 1",
        "from x ([fd00::1]) by mx1.min.example with ESMTP id 1",
        "from x ([::ffff:10.1.2.3]) by mx1.min.example with ESMTP id 1",
    ],
)
def test_attack_a_greeting_never_stands_for_the_address_that_was_noted(line: str) -> None:
    lines = [PATH, f"Received: {line}; Fri, 20 Nov 2026 10:00:00 +1300", FROM]
    found = check_whole(lines, zone(), ABOVE)

    assert isinstance(client(*lines[:2]), str)
    assert found.verdict is V.UNAUTHENTICATED
    assert "own_spf_unknown" in codes(found)


@pytest.mark.parametrize(
    "lines",
    [
        [EVIL, PATH, B],
        [PATH, PATH, B],
        ["Return-Path: ana@p.org.nz", B],
        ["Return-Path: <ana@p.org.nz> <eve@evil.example>", B],
        ['Return-Path: <"a b"@p.org.nz>', B],
        [B],
    ],
)
def test_attack_only_one_plain_path_above_the_border_counts(lines: list[str]) -> None:
    dns = zone()

    assert check_whole([*lines, FROM], dns, ABOVE).verdict is V.UNAUTHENTICATED
    assert dns.asked == 0


def test_attack_lines_below_the_border_are_a_strangers() -> None:
    found = check_whole(["Return-Path: <eve@evil.example>", EVIL, PATH, B, PASS, FROM], zone(), ABOVE)

    assert found.verdict is V.AUTH_FAILED


def test_a_mailbox_that_does_not_say_which_machines_are_ours_asks_nothing() -> None:
    for trust in (NOBODY, EXO, shorthand(["mx1.min.example"])):
        dns = zone()
        found = check_whole([PATH, EVIL, FROM], dns, trust)
        assert found.verdict is V.UNAUTHENTICATED
        assert dns.asked == 0
    assert check_whole(exo(None, [PATH]), zone(), EXO).verdict is V.UNAUTHENTICATED


def test_behind_a_gateway_its_machines_say_nothing_about_a_sender() -> None:
    table = {"kind": "own", "ids": ["mx1.min.example"], "border": ["mx1.min.example"], "front": ["198.51.100.0/24"]}
    found = check_whole([PATH, EVIL, FROM], zone(), trust_from_settings(table))

    assert found.verdict is V.UNAUTHENTICATED
    assert "a machine on the way" in words(found)


def test_mail_at_our_own_door_is_judged_by_our_own_checks_alone() -> None:
    forged = AR.replace("mx1", "intake") + "dmarc=pass header.from=p.org.nz"
    evil = AT_DOOR.replace("203.0.113.9", "198.51.100.66")
    signed = f"{PATH}\r\n{evil}\r\n".encode() + sign(mail([FROM]), "p.org.nz")

    assert check_whole([PATH, AT_DOOR, FROM], zone(), DOOR).verdict is V.PROBABLE
    assert check_whole([PATH, evil, forged, FROM], zone(), DOOR).verdict is V.AUTH_FAILED
    assert check_whole(signed, zone(), DOOR).verdict is V.VERIFIED_ACCOUNT
    assert check_whole([PATH, evil, forged, FROM], zone(**{"_dmarc.p.org.nz": None}), DOOR).verdict is V.UNAUTHENTICATED


# ---- signatures and the rule ------------------------------------------------------------------------------------------


def signed_by(domain: str, *above: str) -> bytes:
    return "".join(f"{line}\r\n" for line in above).encode() + sign(mail([FROM]), domain)


def test_a_name_of_the_same_organisation_counts_unless_the_rule_asks_for_the_exact_one() -> None:
    more = {"s1._domainkey.mail.p.org.nz": record()}
    assert check_whole(signed_by("mail.p.org.nz", PATH, EVIL), zone(**more), ABOVE).verdict is V.VERIFIED_ACCOUNT
    assert check_whole(signed_by("mail.p.org.nz"), zone(**more)).verdict is V.VERIFIED_ACCOUNT

    strict = more | {"_dmarc.p.org.nz": REJECT + "; adkim=s"}
    for lines, trust in (((PATH, EVIL), ABOVE), ((), NOBODY)):
        found = check_whole(signed_by("mail.p.org.nz", *lines), zone(**strict), trust)
        assert found.verdict is V.PROBABLE
        assert "own_dmarc_strict" in codes(found)
    assert check_whole(signed_by("p.org.nz", PATH, EVIL), zone(**strict), ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_a_signature_of_another_domain_does_not_keep_the_rule() -> None:
    assert check_whole(signed_by("bulk.example", PATH, EVIL), zone(), ABOVE).verdict is V.AUTH_FAILED


@pytest.mark.parametrize("silent", ["_dmarc.p.org.nz", "_dmarc.org.nz", "p.org.nz", KEY])
def test_what_dns_does_not_answer_now_is_never_a_failure(silent: str) -> None:
    raw = signed_by("p.org.nz", PATH, EVIL)
    if silent == "p.org.nz" or silent.startswith("_dmarc"):
        raw = raw.replace(b"hello", b"other")  # so that the signature does not decide
    found = check_whole(raw, zone(**{silent: "SILENT"}), ABOVE)

    assert found.verdict is V.UNAUTHENTICATED
    assert "own_later" in codes(found)
    assert "a later try may give a result" in words(found)


def test_a_silent_server_of_a_stranger_does_not_spare_the_failure() -> None:
    dns = zone(**{"evil.example": "SILENT", "s1._domainkey.evil.example": "SILENT"})
    raw = signed_by("evil.example", "Return-Path: <eve@evil.example>", EVIL)

    assert check_whole(raw, dns, ABOVE).verdict is V.AUTH_FAILED
    assert not any("evil" in name for name in dns.names)


# ---- two opinions -----------------------------------------------------------------------------------------------------

FAIL = AR + "dmarc=fail header.from=p.org.nz"


@pytest.mark.parametrize(
    ("lines", "trust", "verdict", "code"),
    [
        ([PATH, PASS, B], ABOVE, V.VERIFIED_ACCOUNT, "own_dmarc_pass"),  # both pass
        ([PATH, PASS, EVIL], ABOVE, V.PROBABLE, "disagree"),  # a strong pass, and our own failure
        ([PATH, EVIL, PASS], BELOW, V.UNAUTHENTICATED, "disagree"),  # a weak pass, and our own failure
        ([PATH, FAIL, B], ABOVE, V.AUTH_FAILED, "own_dmarc_pass"),  # a failure, and only the machine speaks for it
        ([PATH, AR + "spf=pass smtp.mailfrom=p.org.nz", EVIL], ABOVE, V.PROBABLE, "disagree"),
        ([PATH, B, PASS], BELOW, V.PROBABLE, "own_spf_pass"),
    ],
)
def test_two_opinions_on_an_unsigned_mail(lines: list[str], trust: Trust, verdict: V, code: str) -> None:
    found = check_whole([*lines, FROM], zone(), trust)

    assert found.verdict is verdict
    assert code in codes(found)


def test_a_line_that_our_own_side_added_does_not_undo_the_gateways_word() -> None:
    raw = signed_by("p.org.nz", PATH, PASS, EVIL).replace(b"hello", b"[EXTERNAL] hello")
    found = check_whole(raw, zone(), ABOVE)

    assert found.verdict is V.VERIFIED_ACCOUNT
    assert "changed_inside" in codes(found)
    assert check_whole(raw.replace(PASS.encode() + b"\r\n", b""), zone(), ABOVE).verdict is V.AUTH_FAILED


def test_our_own_pass_against_the_gateways_failure_is_probable() -> None:
    assert check_whole(signed_by("p.org.nz", PATH, FAIL, EVIL), zone(), ABOVE).verdict is V.PROBABLE


# ---- refusals, through the whole check --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "published", "why"),
    [
        (sign(mail([FROM]), "p.org.nz", length=3) + b"more", record(), "only a part of the text"),
        (sign(mail([FROM]), "p.org.nz"), record(more="t=y; "), "marked as a test"),
        (sign(mail([FROM]), "p.org.nz", private=key(1024, 7)), record(key(1024, 7)), ""),
        (b"Subject: other\r\n" + sign(mail([FROM]), "p.org.nz"), record(), "a second Subject"),
        (sign(mail([FROM]), "p.org.nz", tags="t=1000000000; x=1000003600; "), record(), "had expired"),
        (sign(mail([FROM]), "p.org.nz").replace(b"rsa-sha256", b"ed25519-sha256"), record(), "do not rely on"),
        (sign(mail([FROM]), "p.org.nz"), "v=DKIM1; k=rsa; p=", "withdrawn"),
    ],
    ids=["l=", "t=y", "1024 bits", "second Subject", "expired", "Ed25519", "withdrawn"],
)
def test_a_signature_that_is_refused_verifies_nobody(raw: bytes, published: str, why: str) -> None:
    found = check_whole(raw, zone(**{KEY: published}))

    assert found.verdict is (V.UNAUTHENTICATED if why else V.VERIFIED_ACCOUNT)
    assert why in words(found)


def test_a_refused_signature_does_not_spare_the_failure() -> None:
    raw = f"{PATH}\r\n{EVIL}\r\n".encode() + sign(mail([FROM]), "p.org.nz", length=3) + b"more"

    assert check_whole(raw, zone(), ABOVE).verdict is V.AUTH_FAILED


# ---- as the settings wire it ------------------------------------------------------------------------------------------


def test_a_mailbox_of_the_settings_is_checked_by_its_trust_table_and_zone_file(tmp_path: Path) -> None:
    (tmp_path / "zone.json").write_text(json.dumps({"p.org.nz": {"TXT": [SPF]}, "_dmarc.p.org.nz": {"TXT": [REJECT]}}))
    (tmp_path / "intake.toml").write_text(
        f'dns_file = "{tmp_path / "zone.json"}"\n'
        '[mailboxes.door]\nkind = "maildrop"\nfolder = "door"\n'
        '[mailboxes.door.trust]\nkind = "own"\nids = ["mx1.min.example"]\nborder = ["mx1.min.example"]\n'
        '[mailboxes.other]\nkind = "maildrop"\nfolder = "other"\n'
    )
    parts = build(load({"INTAKE_CONFIG": str(tmp_path / "intake.toml"), "INTAKE_DATA_DIR": str(tmp_path / "var")}))
    raw = mail([PATH, EVIL, FROM])
    opened = open_envelope(raw)

    assert parts.own_checks(raw, opened, parts.trust("door")).failed
    assert parts.own_checks(raw, opened, parts.trust("other")) == OwnChecks()


# ---- what it costs ----------------------------------------------------------------------------------------------------


def test_all_three_checks_are_cheap() -> None:
    raw = mail([PATH, B, FROM])
    dns = zone(**{"p.org.nz": "v=spf1 include:a.example include:b.example mx -all", "a.example": SPF.replace("9", "8")})
    check_whole(raw, dns, ABOVE)

    start = time.process_time()
    for _ in range(20):
        check_whole(raw, dns, ABOVE)

    assert (time.process_time() - start) / 20 < 0.02  # 1 ms on a quiet machine
