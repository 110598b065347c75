"""ARC is shown as information, and moves nothing."""

from __future__ import annotations

import pytest

from intake.domain.model import VerdictCode as V
from tests.sender.world import ABOVE, PASS, B, check, words


def hop(number: int, domain: str = "lists.example", results: str = "dmarc=pass header.from=p.org.nz") -> list[str]:
    return [
        f"ARC-Seal: i={number}; a=rsa-sha256; t=1; cv=none; d={domain}; s=s1; b=AAAA",
        f"ARC-Message-Signature: i={number}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1; h=from; bh=AA; b=AA",
        f"ARC-Authentication-Results: i={number}; mx.{domain}; {results}",
    ]


def sentence(lines: list[str]) -> str:
    return next((text for text in (e.text for e in check([B, *lines], ABOVE).evidence) if text.startswith("ARC")), "")


def test_the_last_forwarder_and_what_it_says_are_one_line_of_evidence() -> None:
    assert sentence(hop(1)) == ("ARC: 1 hop, sealed by lists.example, says dmarc=pass; not checked, information only.")
    two = [*hop(2, "forwarder.example", "spf=fail; dkim=fail; arc=pass; dmarc=fail"), *hop(1)]
    assert sentence(two) == (
        "ARC: 2 hops, sealed by forwarder.example, says dmarc=fail, dkim=fail, spf=fail; not checked, information only."
    )
    assert sentence([]) == ""


@pytest.mark.parametrize(
    "lines",
    [
        hop(1)[:2],
        hop(2),
        [*hop(1), *hop(1)],
        [*hop(1), *hop(3)],
        [*hop(1)[:2], "ARC-Authentication-Results: mx.lists.example; dmarc=pass"],
        ["ARC-Seal: i=0; d=x.example", *hop(1)],
        [line for n in range(1, 61) for line in hop(n)],
        [*hop(1)[1:], "ARC-Seal: i=1; d=x.example; " + "b=A" * 9_000],
    ],
    ids=["no results", "no first", "twice", "a gap", "no number", "zero", "sixty", "too long"],
)
def test_a_set_that_is_out_of_shape_says_so(lines: list[str]) -> None:
    assert sentence(lines) == "ARC: what forwarders noted is out of shape; information only."


def test_what_cannot_be_read_in_it_is_said() -> None:
    assert "says nothing that can be read" in sentence(hop(1, results="dmarc=pass (never closed"))
    assert "sealed by an unreadable domain" in sentence(hop(1, domain="bad_domain!"))


def test_it_moves_no_verdict() -> None:
    for trusted, verdict in (([], V.UNAUTHENTICATED), ([PASS], V.VERIFIED_ACCOUNT)):
        for sealed in ([], hop(1), hop(1, results="dmarc=fail"), hop(2)):
            found = check([*trusted, B, *sealed], ABOVE)
            assert found.verdict is verdict
            assert ("ARC: " in words(found)) is bool(sealed)
