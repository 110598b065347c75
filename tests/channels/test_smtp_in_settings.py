"""Options of our own door for mail, and whose word counts about what came in by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intake.domain.envelope import open_envelope
from intake.domain.errors import Misconfigured
from intake.domain.received import find_border, parse_hop
from intake.wiring import Parts
from tests.support.mail_door import RECIPIENT, headers, opened, options
from tests.support.running import Site

MakeMail = Callable[..., bytes]


WRONG = [
    ({"recipients": []}, "recipients is empty"),
    ({"recipients": ["nobody"]}, "write an address"),
    ({"recipients": RECIPIENT}, "must be a list"),
    ({"listen": "8724"}, "write host:port"),
    ({"listen": "/run/intake/lmtp.sock", "protocol": "smtp"}, "speaks lmtp"),
    ({"listen": "/run/" + "x" * 120}, "take a shorter one"),
    ({"protocol": "pop"}, "smtp or lmtp"),
    ({"clients": ["gateway"]}, "no network"),
    ({"clients": ["192.0.2.0/24"]}, "hostname is needed"),
    ({"hostname": "in ministry"}, "not a host name"),
    ({"tls_key_file": "k"}, "both"),
    ({"tls_key_file": "k", "tls_certificate_file": "c"}, "is not a file"),
    ({"require_tls": True}, "needs tls_certificate_file"),
    ({"max_connections": 0}, "above 0"),
    ({"colour": "blue"}, "no option “colour”"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_options_that_cannot_work_stop_the_start_and_say_how_to_mend_it(
    tmp_path: Path, wrong: dict[str, object], words: str
) -> None:
    parts = Site(tmp_path, {"breach": options(tmp_path, **wrong)}).parts()

    with pytest.raises(Misconfigured, match=words) as said:
        list(parts.mail_doors())
    assert "[mailboxes.breach]" in said.value.for_staff


def test_mailboxes_of_one_door_must_agree_on_everything_but_their_recipients(tmp_path: Path) -> None:
    one = options(tmp_path)
    for other, words in (({**one, "recipients": ["a@b.example"], "protocol": "lmtp"}, "other options"), (one, "two")):
        parts = Site(tmp_path, {"breach": one, "assessments": other}).parts()
        with pytest.raises(Misconfigured, match=words):
            list(parts.mail_doors())


def border(parts: Parts, raw: bytes) -> str:
    """The host whose line is the border, as the sender check of this mailbox finds it."""
    trust = parts.trust("breach")
    found = find_border(open_envelope(raw).headers, trust.relays, trust.border, trust.inside)
    return found.hop.by if found.hop else found.why


def forged(mail: bytes) -> bytes:
    return (
        b"Received: from a ([203.0.113.5]) by mx.ministry.example with ESMTP id 1; Mon, 2 Nov 2026 01:02:03 +0000\r\n"
        + mail
    )


def from_outside(raw: bytes) -> bytes:
    """As if a machine elsewhere had connected: the client's address is all that would differ."""
    return raw.replace(b"[127.0.0.1]", b"[203.0.113.9]", 1)


def test_a_door_to_the_outside_is_itself_the_border_and_lines_below_it_are_the_strangers_own(
    tmp_path: Path, mail: MakeMail
) -> None:
    wide = {"clients": ["0.0.0.0/0"], "hostname": "in.ministry.example"}
    with opened(tmp_path, **wide) as door, door.talk() as client:
        client.start_mail()
        client.say(forged(mail(1)) + b".")
        raw = from_outside(door.one())

        assert border(door.parts, raw) == "in.ministry.example"
        assert parse_hop(headers(raw)["received"]).ips == ("203.0.113.9",)


def test_behind_a_gateway_of_this_machine_the_gateways_line_is_the_border(tmp_path: Path, mail: MakeMail) -> None:
    place = options(tmp_path)
    with opened(tmp_path, boxes={"breach": place}) as door, door.talk() as client:
        client.start_mail()
        client.say(forged(mail(1)) + b".")
        assert door.parts.trust("breach").kind == "none"  # nobody said that there is a gateway

        site = Site(tmp_path, {"breach": place})
        with (tmp_path / "intake.toml").open("a") as file:
            file.write(
                '[mailboxes.breach.trust]\nkind = "own"\nids = ["mx.ministry.example"]\nborder = ["mx.ministry.example"]\n'
            )
        parts = site.parts()
        assert border(parts, door.one()) == "mx.ministry.example"
        assert border(parts, from_outside(door.one())) == "localhost"  # who is not inside is outside
