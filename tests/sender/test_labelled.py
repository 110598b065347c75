"""The labelled set: nothing forged is attributed to a provider, and nearly everything that a provider sent is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from intake.adapters.dkim import verify
from intake.adapters.own_checks import check_own
from intake.domain.envelope import open_envelope
from intake.domain.model import SenderCheck
from intake.domain.sender import check_sender
from tests.sender.labelled import Labelled, labelled_set, zone
from tests.sender.world import OWN, REGISTRY, TODAY


def judged(one: Labelled) -> SenderCheck:
    opened = open_envelope(one.raw)
    dns = zone()
    inner = [(envelope, verify(i.raw, dns)) for i in opened.inner for envelope in (open_envelope(i.raw),)]
    own = check_own(one.raw, opened.headers, opened.from_domain, one.trust, dns) if opened.from_domain else None
    return check_sender(opened, REGISTRY, one.trust, own, OWN, TODAY, inner)


@pytest.fixture(scope="module")
def found() -> Mapping[str, tuple[Labelled, SenderCheck]]:
    return {f"{n} {one.name}": (one, judged(one)) for n, one in enumerate(labelled_set())}


Found = Mapping[str, tuple[Labelled, SenderCheck]]


def test_the_set_holds_at_least_three_hundred_mails_and_many_of_both(found: Found) -> None:
    genuine = [one for one, _ in found.values() if one.genuine]

    assert len(found) >= 300
    assert len(genuine) >= 120 and len(found) - len(genuine) >= 120


def test_no_spoofed_message_is_attributed_to_a_provider(found: Found) -> None:
    wrong = {name: check.reason for name, (one, check) in found.items() if not one.genuine and check.provider}

    assert wrong == {}


def test_at_least_98_percent_of_the_genuine_messages_are_attributed_to_who_sent_them(found: Found) -> None:
    genuine = {name: (one.provider, check.provider) for name, (one, check) in found.items() if one.genuine}
    missed = {name: pair for name, pair in genuine.items() if pair[0] != pair[1]}

    assert len(missed) <= 0.02 * len(genuine), missed


def test_each_message_gets_the_verdict_of_its_label(found: Found) -> None:
    other = {
        name: f"{check.verdict.value} and not {one.verdict}: {check.reason}"
        for name, (one, check) in found.items()
        if check.verdict.value != one.verdict
    }

    assert other == {}
