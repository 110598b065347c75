"""`doctor --probe`: forgeries from outside show whether a gateway strips, on gateways that do, half do, and do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake import receive
from intake.domain.model import Arrival, OutcomeCode
from intake.pipeline import process
from tests.support.running import Site
from tests.support.smtp_sink import sink

OWN = "mx1.min.example"
TRUST = {"kind": "own", "ids": [OWN], "border": [OWN], "stamp": "below", "strips": "no"}
_OURS = re.compile(rb"(?im)^authentication-results[ \t]*:[ \t]*mx1\.min\.example(?:/\w+)?[ \t]*;[^\r\n]*\r\n")
BORDER = (
    b"Received: from outside.example (outside.example [192.0.2.99]) by mx1.min.example with ESMTPS id real; "
    b"Mon, 23 Nov 2026 09:00:01 +1300\r\n"
)
FAIL = b"Authentication-Results: mx1.min.example; dmarc=fail header.from=min.example; dkim=none; spf=fail\r\n"
Gateway = Callable[[bytes], bytes]


def strips(raw: bytes) -> bytes:
    """Removes every result with its id, and stamps its own."""
    return BORDER + FAIL + _OURS.sub(b"", raw)


def strips_only_the_first(raw: bytes) -> bytes:
    return BORDER + FAIL + _OURS.sub(b"", raw, count=1)


def strips_nothing(raw: bytes) -> bytes:
    return BORDER + FAIL + raw


def believes_what_it_reads(raw: bytes) -> bytes:
    """Makes a pass of its own out of a forged signature result, and removes that."""
    if b"dkim=pass" not in raw:
        return strips(raw)
    stamped = b"Authentication-Results: mx1.min.example; dmarc=pass header.from=min.example\r\n"
    return BORDER + stamped + _OURS.sub(b"", raw)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "drop").mkdir()
    made = Site(tmp_path, {"breach": {"kind": "maildrop", "folder": str(tmp_path / "drop")}}, own_domains="min.example")
    with (tmp_path / "intake.toml").open("a") as config:
        lines = "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in TRUST.items())
        config.write(f"[mailboxes.breach.trust]\n{lines}")
    yield made
    made.stop()


def arrive(site: Site, gateway: Gateway) -> list[OutcomeCode]:
    """The probes as somebody outside sends them, through a gateway, into the mailbox."""
    site.run("doctor", "--probe", "breach", "--write", str(site.folder / "probes"), "--to", "breach@min.example")
    parts = site.parts()
    outcomes = []
    for path in sorted((site.folder / "probes").iterdir()):
        raw = gateway(path.read_bytes())
        (kept,) = receive.keep(parts, [Arrival(raw, "maildrop", "breach", path.name, datetime.now(UTC))])
        outcomes.append(process(parts, kept.id).outcome)
    parts.documents.close()
    return outcomes


def told(site: Site, *more: str) -> tuple[int, dict[str, str], str]:
    said = site.ends("doctor", "--probe", "breach", *more)
    lines = [line.split("  ", 1) for line in said.stdout.splitlines() if re.match(r"[a-g]  ", line)]
    return said.returncode, {letter: what.rpartition(": ")[2] for letter, what in lines}, said.stdout.splitlines()[-1]


def test_a_gateway_that_strips_is_proven_with_the_date_to_write_down(site: Site) -> None:
    outcomes = arrive(site, strips)

    code, found, verdict = told(site)

    assert set(outcomes) == {OutcomeCode.AUTOMATIC}  # a probe opens no case
    assert set(found) == set("abcdefg") and set(found.values()) == {"harmless"}
    assert code == 0 and re.fullmatch(
        r"Proven on \d{4}-\d\d-\d\d\. Write strips = \"[\d-]+\" into .*trust\]\.", verdict
    )


@pytest.mark.parametrize(
    ("gateway", "caught"),
    [
        (strips_nothing, {"b", "c", "d", "e", "f", "g"}),
        (strips_only_the_first, {"c", "f"}),
        (believes_what_it_reads, {"b", "c", "d", "e", "f", "g"}),
    ],
)
def test_a_gateway_that_lets_one_through_stays_unproven_and_each_sentence_says_why(
    site: Site, gateway: Gateway, caught: set[str]
) -> None:
    arrive(site, gateway)

    code, found, verdict = told(site)

    assert {letter for letter, what in found.items() if what != "harmless"} == caught
    assert code == 69 and verdict.startswith("Not proven: strips stays “no”.")


def test_what_did_not_arrive_proves_nothing_and_what_was_refused_is_no_danger(site: Site) -> None:
    code, found, verdict = told(site)
    assert code == 69 and set(found.values()) == {"did not arrive"} and "Not proven yet" in verdict
    arrive(site, strips)
    parts = site.parts()
    parts.store.remember("probe:breach:e", "")

    assert told(site)[0] == 69
    code, found, _ = told(site, "--refused", "e")

    assert code == 0 and found["e"] == "refused at the door"


def test_nobody_else_can_have_a_notice_taken_for_a_probe(site: Site) -> None:
    parts = site.parts()
    raw = b"From: a@b.example\r\nMessage-ID: <probe-b-20261123-0123456789abcdef0123@probe.invalid>\r\n\r\nOur laptop was stolen.\r\n"

    (kept,) = receive.keep(parts, [Arrival(BORDER + raw, "maildrop", "breach", "x", datetime.now(UTC))])
    done = process(parts, kept.id)
    parts.documents.close()

    assert done.outcome is not OutcomeCode.AUTOMATIC and len(done.cases) == 1


def test_the_probes_are_sent_straight_to_the_outermost_server(site: Site) -> None:
    with sink() as server:
        server.recipients.append("550 5.7.1 no spoofing")
        said = site.ends(
            "doctor", "--probe", "breach", "--via", f"smtp://127.0.0.1:{server.port}", "--to", "breach@min.example"
        )

    assert said.returncode == 0 and len(server.taken) == 6
    assert "a  refused by the server" in said.stdout and "--refused a" in said.stdout
    assert {taken.recipients[0] for taken in server.taken} == {"breach@min.example"}
    assert sum(b"policy.planted=yes" in taken.content for taken in server.taken) == 6


def test_a_mailbox_without_a_trust_table_has_nothing_to_prove(tmp_path: Path) -> None:
    site = Site(tmp_path, {"breach": {"kind": "maildrop", "folder": str(tmp_path)}})

    said = site.ends("doctor", "--probe", "breach")

    assert said.returncode == 64 and "nothing is to be proven" in said.stderr
