"""The strict From grammar and the rules about domains."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain.address import aligned, normalise_domain, registrable, strict_mailbox


@pytest.mark.parametrize(
    ("value", "address", "display"),
    [
        ("ana@p.org.nz", "ana@p.org.nz", ""),
        ("<ana@p.org.nz>", "ana@p.org.nz", ""),
        ("Ana Ngata <Ana.Ngata+x@P.Org.NZ>", "Ana.Ngata+x@p.org.nz", "Ana Ngata"),
        ('"Ngata, Ana (Pōhutukawa)" <ana@p.org.nz>', "ana@p.org.nz", "Ngata, Ana (Pōhutukawa)"),
        ("=?utf-8?B?SGVtaSBSxIF3aXJp?=\r\n <hemi@p.org.nz>", "hemi@p.org.nz", "Hemi Rāwiri"),
        ("=?iso-8859-1?q?M=E9re?= =?utf-8?q?_K?= <m@p.org.nz>", "m@p.org.nz", "Mére K"),
        ("Tē Rangi <t@p.org.nz>", "t@p.org.nz", "Tē Rangi"),
        ("J. Smith <j@p.org.nz>", "j@p.org.nz", "J. Smith"),
        ("root@p.org.nz (Cron Daemon)", "root@p.org.nz", "Cron Daemon"),
        ("o'brien@p.org.nz", "o'brien@p.org.nz", ""),
        ("a@kōwhai.org.nz", "a@xn--kwhai-g9a.org.nz", ""),
        ('"ana@p.org.nz" <eve@evil.example>', "eve@evil.example", "ana@p.org.nz"),
    ],
)
def test_one_clean_mailbox_is_read(value: str, address: str, display: str) -> None:
    found = strict_mailbox([value.encode()])

    assert (found.address, found.display, found.problem) == (address, display, "")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"   ",
        b"Ana",
        b"ana@p.org.nz, eve@evil.example",
        b"Doe, Ana <ana@p.org.nz>",
        b"ana@p.org.nz <eve@evil.example>",
        b"<ana@p.org.nz> <eve@evil.example>",
        b"<ana@p.org.nz>, <eve@evil.example>",
        b"ana@p.org.nz (x) <eve@evil.example>",
        b"(ana@p.org.nz) eve@evil.example",
        b"ana@p.org.nz (eve@evil.example)",
        b"<@evil.example:ana@p.org.nz>",
        b"group: ana@p.org.nz;",
        b"ana@p.org.nz@evil.example",
        b"ana @p.org.nz",
        b"< ana@p.org.nz >",
        b'"ana b"@p.org.nz',
        b"ana@[192.0.2.1]",
        b"ana@p.org.nz.",
        b"ana@-p.org.nz",
        b"ana@p..org.nz",
        b"ana@p_x.org.nz",
        b"ana@" + b"a" * 64 + b".nz",
        b"@p.org.nz",
        b"ana@",
        b"ana..b@p.org.nz",
        b'"Ana <ana@p.org.nz>',
        b"Ana <ana@p.org.nz> x",
        b"Ana <<ana@p.org.nz>>",
        b"=?utf-8?q?ana=40p.org.nz?=@evil.example",
        b"Ana <ana@p.org.nz>\0",
        b"Ana\r <ana@p.org.nz>",
        b"Ana\x08 <ana@p.org.nz>",
        "Ana\u202e <ana@p.org.nz>".encode(),
        "Ana\u200b <ana@p.org.nz>".encode(),
        b"=?utf-8?q?Ana=E2=80=AE?= <ana@p.org.nz>",
        "ana@ｐ.org.nz".encode(),
        "ana@p。org。nz".encode(),
        "an\u0101@p.org.nz".encode(),
        "ana@straße.example".encode(),
        b"ana@xn--zzzzzzzzzzz.nz",
        b"Ana <ana@p.org.nz>" + b" " * 3_000,
        b'a\\@b"x"@p.org.nz',
        b"Ana \\<ana@p.org.nz>",
        b"ana@p.org.nz\n\n<eve@evil.example>",
    ],
)
def test_anything_else_is_malformed_with_a_sentence(value: bytes) -> None:
    found = strict_mailbox([value])

    assert (found.address, found.domain) == (None, None)
    assert found.problem.endswith(".") and len(found.problem) > 20


def test_none_or_several_from_lines_are_malformed() -> None:
    assert "no From" in strict_mailbox([]).problem
    assert "2 From lines" in strict_mailbox([b"a@p.org.nz", b"a@p.org.nz"]).problem


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='ab@<>(),;:".\\ =?-é\u202e', max_size=60).map(str.encode))
def test_no_bytes_raise_and_what_is_clean_is_clean(value: bytes) -> None:
    found = strict_mailbox([value])

    assert (found.address is None) == bool(found.problem)
    if found.address:
        local, _, domain = found.address.rpartition("@")
        assert local and domain == found.domain and normalise_domain(domain) == domain


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("mail.trust.org.nz", "trust.org.nz"),
        ("trust.org.nz", "trust.org.nz"),
        ("org.nz", None),
        ("nz", None),
        ("a.iwi.nz", "a.iwi.nz"),
        ("x.xn--mori-qsa.nz", "x.xn--mori-qsa.nz"),
        ("rata.onmicrosoft.com", "rata.onmicrosoft.com"),
        ("onmicrosoft.com", None),
        ("a.b.test", "b.test"),
    ],
)
def test_the_registrable_domain(domain: str, owner: str | None) -> None:
    assert registrable(domain) == owner


def test_alignment_is_by_registrable_domain_and_exact_between_tenants() -> None:
    assert aligned("mail.p.org.nz", "p.org.nz") and aligned("p.org.nz", "x.p.org.nz")
    assert not aligned("org.nz", "p.org.nz") and not aligned("nz", "nz")
    assert not aligned("evil.onmicrosoft.com", "rata.onmicrosoft.com")
    assert not aligned("onmicrosoft.com", "rata.onmicrosoft.com")
    assert aligned("rata.onmicrosoft.com", "rata.onmicrosoft.com")
