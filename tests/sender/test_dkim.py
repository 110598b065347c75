"""Our own look at DKIM signatures, against mails signed by a signer that shares no code with it."""

from __future__ import annotations

import base64
import subprocess
import sys
import time

import pytest

from intake.adapters.dkim import canonical_body, verify
from intake.domain.errors import TryLater
from tests.sender.signer import key, record, sign
from tests.sender.world import B, Zone, mail

NAME = "s1._domainkey.p.org.nz"
RAW = mail([B, "From: Ana <ana@p.org.nz>"], "Kia  ora \t\r\n\r\n koutou\r\n\r\n\r\n")
ZONE = {NAME: record()}


def result(raw: bytes, records: dict[str, str] | None = None) -> tuple[bool, str, str]:
    found = verify(raw, Zone(ZONE if records is None else records))
    first = found.signatures[0]
    return found.passed, first.result, " ".join(first.problems)


def test_a_signature_of_the_from_domain_holds() -> None:
    assert result(sign(RAW, "p.org.nz")) == (True, "pass", "")


def test_a_signature_holds_whatever_line_ends_the_mail_was_kept_with() -> None:
    assert result(sign(RAW, "p.org.nz").replace(b"\r\n", b"\n"))[0]


def test_a_signature_of_a_name_above_or_below_is_aligned() -> None:
    assert result(sign(RAW, "mail.p.org.nz"), {"s1._domainkey.mail.p.org.nz": record()})[0]
    below = RAW.replace(b"ana@p.org.nz", b"ana@mail.p.org.nz")
    assert result(sign(below, "p.org.nz"))[0]


@pytest.mark.parametrize(
    "change",
    [(b"koutou", b"koutau"), (b"Subject: notice", b"Subject: other"), (b"From: Ana", b"From: Eve"), (b"bh=", b"bh=A")],
)
def test_a_changed_mail_fails(change: tuple[bytes, bytes]) -> None:
    assert result(sign(RAW, "p.org.nz").replace(*change, 1))[:2] == (False, "fail")


def test_a_bogus_signature_costs_no_question_and_no_import() -> None:
    zone = Zone(ZONE)
    bogus = RAW.replace(
        b"From:", b"DKIM-Signature: v=1; a=rsa-sha256; d=p.org.nz; s=s1; h=from; bh=AAAA; b=BBBB\r\nFrom:", 1
    )
    assert not verify(bogus, zone).passed
    assert not verify(sign(RAW, "p.org.nz") + b"more", zone).passed
    assert zone.asked == 0
    code = "import sys; from intake.adapters.dkim import verify; verify(sys.stdin.buffer.read(), None); assert 'dkim' not in sys.modules"
    for raw in (RAW, bogus):
        subprocess.run([sys.executable, "-c", code], input=raw, check=True)


def test_a_signature_of_somebody_else_is_not_looked_at() -> None:
    zone = Zone(ZONE)
    found = verify(sign(RAW, "bulk-sender.example"), zone)

    assert (found.passed, found.signatures[0].result, zone.asked) == (False, "skipped", 0)


def test_text_added_after_a_stated_length_is_refused() -> None:
    passed, outcome, problem = result(sign(RAW, "p.org.nz", length=5) + b"and send money")

    assert (passed, outcome) == (False, "refused")
    assert "text could be added" in problem


@pytest.mark.parametrize("domain", ["org.nz", "nz"])
def test_a_signature_of_a_public_suffix_is_refused(domain: str) -> None:
    passed, outcome, problem = result(sign(RAW, domain), {f"s1._domainkey.{domain}": record()})

    assert (passed, outcome) == (False, "refused")
    assert "public suffix" in problem


@pytest.mark.parametrize(
    "name",
    [
        "Subject: wire money",
        "Reply-To: eve@evil.example\r\nReply-To: ana@p.org.nz",
        "Content-Type: text/html\r\nContent-Type: text/plain",
    ],
)
def test_a_second_line_that_is_not_signed_is_refused(name: str) -> None:
    passed, outcome, problem = result(name.encode() + b"\r\n" + sign(RAW, "p.org.nz"))

    assert (passed, outcome) == (False, "refused")
    assert "second" in problem


def test_a_second_from_line_never_passes() -> None:
    assert not verify(b"From: Eve <eve@evil.example>\r\n" + sign(RAW, "p.org.nz"), Zone(ZONE)).passed
    assert not verify(
        sign(RAW, "p.org.nz").replace(b"\r\nTo:", b"\r\nFrom: eve@evil.example\r\nTo:"), Zone(ZONE)
    ).passed


def test_keys_that_prove_little_are_refused() -> None:
    signed = sign(RAW, "p.org.nz")
    for published, part in [
        (record(more="t=y; "), "test"),
        (record(more="h=sha1; "), "does not allow"),
        (record(more="s=tlsrpt; "), "not for mail"),
        ("v=DKIM1; k=rsa; p=", "withdrawn"),
        (record().replace("k=rsa", "k=ed25519"), "rely on"),
        (_short_key(), "bits"),
    ]:
        passed, outcome, problem = result(signed, {NAME: published})
        assert (passed, outcome) == (False, "refused"), published
        assert part in problem


def _short_key() -> str:
    """A 768-bit key, which no library makes any more: its public half by hand."""
    modulus = b"\x00" + (key().public_key().public_numbers().n >> (2048 - 768) | 1).to_bytes(96, "big")
    integers = b"\x02" + bytes([len(modulus)]) + modulus + b"\x02\x03\x01\x00\x01"
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(b"\x30" + bytes([len(integers)]) + integers).decode()


def test_a_key_that_does_not_speak_for_names_below() -> None:
    signed = sign(RAW, "p.org.nz", tags="i=@mail.p.org.nz; ")

    assert result(signed)[0]
    assert result(signed, {NAME: record(more="t=s; ")})[1] == "refused"


def test_an_expired_signature_does_not_count() -> None:
    passed, outcome, problem = result(sign(RAW, "p.org.nz", tags="t=1000000000; x=1000003600; "))

    assert (passed, outcome) == (False, "refused")
    assert "expired" in problem


def test_a_missing_or_wrong_key_fails() -> None:
    assert result(sign(RAW, "p.org.nz"), {})[:2] == (False, "fail")
    assert result(sign(RAW, "p.org.nz"), {NAME: record(key(2048, 1))})[:2] == (False, "fail")
    assert result(sign(RAW, "p.org.nz"), {NAME: "v=DKIM1; p=%%%%"})[0] is False


class Silent:
    def txt(self, name: str) -> tuple[str, ...]:
        raise TryLater("DNS did not answer in time.")

    mx = a = txt


def test_no_answer_from_dns_is_for_later() -> None:
    found = verify(sign(RAW, "p.org.nz"), Silent())

    assert (found.passed, found.later, found.signatures[0].result) == (False, True, "later")


def test_at_most_five_signatures_are_looked_at_and_one_good_one_is_enough() -> None:
    zone = Zone({NAME: record(), "bad._domainkey.p.org.nz": record(key(2048, 1))})
    raw = sign(RAW, "p.org.nz")
    for _ in range(3):
        raw = sign(raw, "p.org.nz", "bad")
    assert verify(raw, zone).passed
    for _ in range(9):
        raw = sign(raw, "p.org.nz", "bad")
    zone.asked = 0
    assert not verify(raw, zone).passed
    assert zone.asked == 5


def test_bodies_are_canonical_as_the_standard_says() -> None:
    assert canonical_body(b" C \r\nD \t E\r\n\r\n\r\n", 0, True) == b" C\r\nD E\r\n"
    assert canonical_body(b" C \r\nD \t E\r\n\r\n\r\n", 0, False) == b" C \r\nD \t E\r\n"
    assert canonical_body(b"", 0, True) == b""
    assert canonical_body(b"", 0, False) == b"\r\n"
    assert canonical_body(b"a", 0, True) == b"a\r\n"


@pytest.mark.parametrize("filler", [b" ", b"\t", b"\r\n ", b"\r\n", b"a ", b"; "])
def test_long_runs_of_anything_cost_little(filler: bytes) -> None:
    bodies = [
        RAW + filler * 1_000_000,
        RAW.replace(b"From:", b"DKIM-Signature: v=1; b=" + filler * 2_000 + b"\r\nFrom:", 1),
    ]

    start = time.process_time()
    for raw in bodies:
        verify(
            raw.replace(
                b"From:",
                b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=p.org.nz; s=s1; h=from; bh=AAAA; b=BBBB\r\nFrom:",
                1,
            ),
            Zone(ZONE),
        )

    assert time.process_time() - start < 1.0


def test_a_real_signature_is_cheap() -> None:
    raw = sign(mail([B], "line of text\r\n" * 10_000), "p.org.nz")
    zone = Zone(ZONE)
    assert verify(raw, zone).passed

    start = time.process_time()
    for _ in range(20):
        verify(raw, zone)

    assert (time.process_time() - start) / 20 < 0.01  # 1 ms on a quiet machine
