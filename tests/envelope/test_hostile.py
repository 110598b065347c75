"""No bytes raise, and none cost more than their size: bombs, noise, and mails with their middle torn out."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain.envelope import open_envelope
from tests.envelope.bombs import HEAD, bombs
from tests.envelope.corpus import corpus

BOMBS = dict(bombs())


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_opened_within_two_seconds(name: str) -> None:
    start = time.process_time()
    opened = open_envelope(BOMBS[name])

    assert time.process_time() - start < 2.0
    assert len(opened.body) <= 1_000_000
    assert len(opened.attachments) <= 200 and len(opened.inner) <= 20
    assert (opened.from_address is None) == bool(opened.from_problem)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("x-uuencode", b"begin 644 a\n" + b"!A\n" * 700_000),
        ("base64", b"AA!" * 700_000 + b"A"),
        ("base64", b"A\n" * 1_000_000 + b"A"),
    ],
)
def test_a_broken_encoding_takes_a_few_times_the_memory_of_the_mail(encoding: str, body: bytes) -> None:
    """A list of its lines or of its letters took eighty times as much: 3 GB for one mail."""
    raw = HEAD + f"Content-Type: application/pdf\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    tracemalloc.start()
    try:
        open_envelope(raw)
        assert tracemalloc.get_traced_memory()[1] < 6 * len(raw)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name",
    [
        "50,000 addresses",
        "100,000 empty parts",
        "2,000 nested multiparts",
        "2,000 nested mails",
        "36 MB",
        "10,000 parameters",
    ],
)
def test_a_limit_that_was_hit_is_told(name: str) -> None:
    assert open_envelope(BOMBS[name]).notes


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(open_envelope(raw).notes, tuple)


PIECES = [
    b"From: ana@p.org.nz\r\n", b"From: a,b\n", b"Subject: =?utf-8?b?", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n", b"\n\n",
    b"--b\r\n", b"--b--\r\n", b"Content-Type: message/rfc822\r\n", b"Content-Type: text/html; charset=utf-16\r\n", b"<p>&#", b"<!--", b"=?=",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\n", b"Content-Disposition: attachment; filename*0*=",
    b"Content-Type: multipart/digest; boundary=\"\"\r\n", b"AAAA=\r\n", b"\r", b"\x00\xff", b" folded\r\n", b"Date: 1 Jan 99 1:1 +", b"Return-Path: <\r\n",
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_mixture_of_mail_pieces_raises(pieces: list[bytes]) -> None:
    opened = open_envelope(b"".join(pieces))

    assert (opened.from_address is None) == bool(opened.from_problem)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 59), st.integers(0, 100), st.integers(0, 60), st.binary(max_size=4))
def test_no_damage_to_a_mail_raises(which: int, at: int, length: int, noise: bytes) -> None:
    raw = corpus()[which]
    place = len(raw) * at // 100

    assert open_envelope(raw[:place] + noise + raw[place + length :]) is not None
