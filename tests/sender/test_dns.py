"""DNS answers: from a zone file, from a server, and from nobody."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intake.adapters.dns import DnsNetwork, DnsZoneFile
from intake.domain.errors import Misconfigured, TryLater


def test_a_zone_file_answers_instead_of_the_network(tmp_path: Path) -> None:
    path = tmp_path / "zone.json"
    path.write_text(
        json.dumps({"S1._domainkey.P.org.nz.": {"TXT": ["v=DKIM1; p=A"], "mx": ["mx.p.org.nz"], "A": "192.0.2.1"}})
    )
    zone = DnsZoneFile(path)

    assert zone.txt("s1._domainkey.p.org.nz.") == ("v=DKIM1; p=A",)
    assert zone.mx("s1._domainkey.p.org.nz") == ("mx.p.org.nz",)
    assert zone.a("s1._domainkey.p.org.nz") == ("192.0.2.1",)
    assert zone.txt("unknown.example") == ()


@pytest.mark.parametrize("text", ["", "[]", '{"a": []}', "{"])
def test_a_file_that_is_no_zone_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "zone.json"
    path.write_text(text)

    with pytest.raises(Misconfigured, match="INTAKE_DNS_FILE"):
        DnsZoneFile(path)


KNOWN = {
    "known.example.": {"TXT": '"v=DKIM1; " "p=A"', "AAAA": "2001:DB8::25", "MX": "10 Mail.example."},
    "9.113.0.203.in-addr.arpa.": {"PTR": "Mail.P.org.nz."},
    ".": {"NS": "a.root-servers.net."},
}


class Hasty(DnsNetwork):
    SECONDS = 0.1
    FAILURES = 2


@contextmanager
def server() -> Iterator[tuple[int, list[str]]]:
    """A name server on loopback that knows one name and notes what it was asked."""
    import dns.message
    import dns.rdatatype
    import dns.rrset

    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    wire, client = udp.recvfrom(4096)
                except OSError:
                    return
                if not wire:
                    return
                query = dns.message.from_wire(wire)
                question = query.question[0]
                asked.append(str(question.name))
                if str(question.name).startswith("silent."):
                    continue
                answer = dns.message.make_response(query)
                kind = dns.rdatatype.to_text(question.rdtype)
                if str(question.name) in KNOWN and kind in KNOWN[str(question.name)]:
                    text = KNOWN[str(question.name)][kind]
                    answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, text))
                else:
                    answer.set_rcode(3)
                udp.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield udp.getsockname()[1], asked
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", udp.getsockname())
        thread.join(2)


def test_a_server_is_asked_and_strings_of_one_record_are_joined() -> None:
    with server() as (port, _):
        network = DnsNetwork(["127.0.0.1"], port=port)

        assert network.txt("known.example") == ("v=DKIM1; p=A",)
        assert network.txt("unknown.example") == ()


def test_each_kind_of_record_is_read() -> None:
    with server() as (port, _):
        network = DnsNetwork(["127.0.0.1"], port=port)

        assert network.aaaa("known.example") == ("2001:db8::25",)
        assert network.mx("known.example") == ("mail.example",)
        assert network.ptr("9.113.0.203.in-addr.arpa") == ("mail.p.org.nz",)
        assert network.a("known.example") == ()


def test_dead_name_servers_of_a_sender_do_not_stop_the_checks_of_others() -> None:
    with server() as (port, asked):
        network = Hasty(["127.0.0.1"], port=port)
        for number in range(5):
            with pytest.raises(TryLater, match="in time"):
                network.txt(f"silent.s{number}.example")

        assert network.txt("known.example") == ("v=DKIM1; p=A",)
        assert "." in asked


def test_silent_name_servers_are_left_alone_for_a_minute() -> None:
    now = [0.0]
    with server() as (port, asked):
        network = Hasty(["127.0.0.1"], clock=lambda: now[0], port=port)
        for name in ("silent.p.org.nz", "silent.mail.p.org.nz"):
            with pytest.raises(TryLater, match="in time"):
                network.txt(name)
        before = len(asked)
        with pytest.raises(TryLater, match="did not answer twice"):
            network.txt("other.p.org.nz")
        assert len(asked) == before
        now[0] = 61.0
        assert network.txt("other.p.org.nz") == ()


def test_a_dead_server_is_left_alone_for_a_minute() -> None:
    now = [0.0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))  # takes questions, never answers
        network = Hasty(["127.0.0.1"], clock=lambda: now[0], port=dead.getsockname()[1])
        for _ in range(2):
            with pytest.raises(TryLater, match="in time"):
                network.txt("known.example")
        with pytest.raises(TryLater, match="left alone"):
            network.txt("known.example")
        now[0] = 61.0
        with pytest.raises(TryLater, match="in time"):
            network.txt("known.example")
