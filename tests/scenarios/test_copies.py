"""Copies of one mail: the same bytes are one case, and no copy that proves less, or says less, decides for a better one."""

from __future__ import annotations

import tracemalloc

import pytest

from intake import receive
from intake.domain.model import OutcomeCode
from tests.scenarios.world import World, assessment_file, notice_file

RELAY = b"Received: from mx.ministry.example by store.ministry.example; Mon, 23 Nov 2026 09:00:00 +1300\r\n"


def test_T12_the_same_mail_in_two_mailboxes_is_one_case(world: World) -> None:
    raw = world.mail(files=[notice_file()])
    first = world.arrives(raw, "breach")
    again = world.arrives(b"Delivered-To: privacy@ministry.example\r\nX-Spam-Score: 0.1\r\n" + RELAY + raw, "privacy")
    assert (again.outcome, again.cases) == (OutcomeCode.DUPLICATE, first.cases)
    assert len(world.queue()) == 1


def _without_results(raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"authentication-results"))


@pytest.mark.parametrize("kind", ["notice", "assessment"])
def test_T12_a_copy_without_the_gateways_word_does_not_decide_for_the_real_one(world: World, kind: str) -> None:
    raw = world.mail(files=[notice_file() if kind == "notice" else assessment_file()])
    forged = world.arrives(_without_results(raw))
    real = world.arrives(raw)
    assert world.row(forged).verdict == "unauthenticated"
    assert world.row(real).verdict == "verified_account"
    assert world.row(real).status == "open"
    assert forged.cases[0] in world.sentences(real)


@pytest.mark.parametrize(
    "header", [b"X-Autoreply: yes", b"X-Failed-Recipients: a@b.example", b"Return-Path: <>", b"X-Vacation: yes"]
)
def test_T27_a_copy_that_calls_itself_automatic_hides_no_notice_that_comes_after_it(
    world: World, header: bytes
) -> None:
    raw = world.mail(subject="Privacy breach", body="We sent a client's file to the wrong person. Please call us.")
    world.arrives(header + b"\r\n" + raw)
    real = world.arrives(raw)
    assert real.cases
    assert world.row(real).kind == "breach_notice"


def test_the_place_of_results_among_the_relays_is_part_of_a_message() -> None:
    above = b"Authentication-Results: mx; dmarc=pass\r\n" + RELAY + b"From: a@b.example\r\n\r\nHello"
    below = RELAY + b"Authentication-Results: mx; dmarc=pass\r\nFrom: a@b.example\r\n\r\nHello"
    assert receive.content_key(above) != receive.content_key(below)
    assert receive.content_key(RELAY + above) == receive.content_key(above)


def test_T12_a_copy_that_another_machine_handed_in_first_does_not_decide_for_the_real_one(world: World) -> None:
    line = "Received: from out.example ([{}]) by mx2.ministry.example; Mon, 23 Nov 2026 09:00:00 +1300\r\n"
    raw = world.mail(body="Our laptop was stolen from a car.")
    forged = world.arrives(line.format("198.51.100.66").encode() + raw)
    real = world.arrives(line.format("203.0.113.7").encode() + raw)
    again = world.arrives(line.format("203.0.113.7").replace("09:00:00", "09:05:00").encode() + raw, "privacy")

    assert (forged.outcome, real.outcome) == (OutcomeCode.CASE_OPENED, OutcomeCode.CASE_OPENED)
    assert forged.cases[0] in world.sentences(real)
    assert (again.outcome, again.cases) == (OutcomeCode.DUPLICATE, real.cases)


def test_a_mail_that_is_all_headers_is_told_apart_in_a_few_times_its_size() -> None:
    """Going through 36 MB of short lines took 8 seconds and 700 MB before the mail was even kept."""
    raw = b"From: a@b.nz\n" + b"a:\n" * 1_200_000
    tracemalloc.start()
    try:
        key = receive.content_key(raw)
        # what is not cut takes one list of a million lines
        assert tracemalloc.get_traced_memory()[1] < 12 * len(raw)
    finally:
        tracemalloc.stop()
    assert key != receive.content_key(raw + b"b:\n")
