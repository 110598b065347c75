"""The trust table of a mailbox, and the reader of one Authentication-Results value."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain.authres import AuthResults, Unusable, parse
from intake.domain.errors import Misconfigured
from intake.domain.model import VerdictCode as V
from intake.domain.trust import NOBODY, shorthand, trust_from_settings, trust_profile
from tests.sender.signer import record, sign
from tests.sender.world import EVIL, FROM, PASS, B, Zone, check, check_signed, mail

RECEIVERS = Path(__file__).parents[2] / "intake" / "domain" / "lists" / "receivers.toml"


def test_an_empty_table_trusts_nobody() -> None:
    assert trust_from_settings({}) == NOBODY
    assert shorthand([]) == NOBODY


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({"kind": "mine"}, "kind"),
        ({"kind": "own"}, "ids"),
        ({"kind": "own", "ids": ["a"]}, "border"),
        ({"stamp": "top"}, "stamp"),
        ({"strips": "yes"}, "strips"),
        ({"front": ["gateway"]}, "front"),
        ({"inside": ["10.0.0/8"]}, "inside"),
        ({"ids": 3}, "ids"),
        ({"id": ["a"]}, "id"),
        ({"profile": "nobody"}, "profile"),
        ({"skip_listing": "true"}, "skip_listing"),
        ({"dmarc_by_d": 1}, "dmarc_by_d"),
    ],
)
def test_a_wrong_table_is_refused_with_the_key_in_the_sentence(table: dict[str, object], names: str) -> None:
    with pytest.raises(Misconfigured, match=names) as error:
        trust_from_settings(table)

    assert error.value.for_staff.endswith(".")


def test_every_profile_is_whole_and_claims_no_proof() -> None:
    profiles = set(tomllib.loads(RECEIVERS.read_text(encoding="utf-8")))
    assert {"exchange_online", "google", "fastmail", "icloud", "cisco_esa", "proofpoint"} <= profiles
    for name in profiles:
        trust = trust_profile(name)
        assert not trust.proven and trust.kind != "none" and trust.border
        assert trust_from_settings({"profile": name}).border == trust.border


def test_a_profile_can_be_overridden_key_by_key() -> None:
    trust = trust_from_settings({"profile": "google", "strips": "2026-10-01"})

    assert (trust.stamp, trust.proven, trust.ids) == ("below", True, ("mx.google.com",))


@pytest.mark.parametrize(
    "lines", [[PASS, B], [B, PASS], [PASS], [B.replace("mx1.min.example", "mx3.min.example"), PASS]]
)
def test_the_shorthand_gives_weak_evidence_only(lines: list[str]) -> None:
    trust = shorthand(["MX1.min.example"])

    assert check([*lines, FROM], trust).verdict is V.PROBABLE
    signed = sign(mail([*lines, FROM]), "p.org.nz")
    assert check_signed(signed, Zone({"s1._domainkey.p.org.nz": record()}), trust).verdict is V.VERIFIED_ACCOUNT


def test_the_shorthand_takes_nothing_from_below_another_servers_line() -> None:
    other = EVIL.replace("mx1.min.example", "mx.other.example")

    assert check([other, PASS, FROM], shorthand(["mx1.min.example"])).verdict is V.UNAUTHENTICATED
    assert check([B, EVIL, PASS, FROM], shorthand(["mx1.min.example"])).verdict is V.UNAUTHENTICATED


# ---- one value --------------------------------------------------------------------------------------------------------


def test_a_value_is_read_clause_by_clause() -> None:
    found = parse(
        b' MX1.example/4AB 1;\r\n dkim=pass (ok (really)) header.d=p.org.nz reason="a;b"; spf/1=none smtp.mailfrom=""@x'
    )

    assert isinstance(found, AuthResults)
    assert found.serv_id == "mx1.example"
    assert [str(c) for c in found.clauses] == ["dkim=pass header.d=p.org.nz reason=a;b", "spf=none smtp.mailfrom=@x"]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"mx1; dmarc",
        b"mx1; dmarc=",
        b"mx1; =pass",
        b"mx1; dmarc==pass",
        b"mx1; dmarc=pass header.from",
        b"mx1; dmarc=pass) header.from=x",
        b'mx1; dmarc="pass',
        b"mx1; dmarc=pass (",
        b"mx1; " + b"(" * 21 + b")" * 21 + b" dmarc=pass",
        b"mx1\0; dmarc=pass",
        b"mx1; dmarc=pass\r header.from=x",
        "mx1; dmarc=pāss".encode(),
        b"mx1 two three; dmarc=pass",
        b"mx1 dmarc=pass; dkim=pass",
        b"mx1; " + b"x" * 17_000,
        b"mx1; " + b"a=b;" * 500,
    ],
)
def test_a_value_out_of_shape_gives_no_pass(value: bytes) -> None:
    found = parse(value)

    assert isinstance(found, Unusable) or not any(c.result == "pass" for c in found.clauses)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='ab1;=()"\\ .\t', max_size=120).map(str.encode))
def test_no_value_raises(value: bytes) -> None:
    assert isinstance(parse(value), AuthResults | Unusable)


@pytest.mark.parametrize("piece", [b"(", b'"', b"\\", b";", b"=", b"a=", b"() ", b'""', b"a=b ", b"(a"])
def test_reading_a_value_takes_linear_time(piece: bytes) -> None:
    start = time.process_time()
    parse((b"mx1; " + piece * 16_000)[:16_384])

    assert time.process_time() - start < 0.25
