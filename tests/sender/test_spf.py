"""SPF through our own DNS port: results, limits, and what is never asked."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from intake.adapters.dns import DnsForOneMail, DnsZoneFile
from intake.adapters.spf import check_spf, spf_domain, spf_of
from intake.domain.received import Client
from tests.sender.world import Zone

GOOD = "203.0.113.9"
EVIL = "198.51.100.66"


def result(record: str, ip: str = GOOD, **more: dict[str, list[str]]) -> str:
    names = {name.replace("_", "."): records for name, records in more.items()}
    return spf_of(ip, "ana@p.org.nz", "mail.p.org.nz", Zone({"p.org.nz": record, **names}))


@pytest.mark.parametrize(
    ("record", "ip", "expected"),
    [
        ("v=spf1 ip4:203.0.113.0/24 -all", GOOD, "pass"),
        ("v=spf1 ip4:203.0.113.0/24 -all", EVIL, "fail"),
        ("v=spf1 ip4:203.0.113.0/24 ~all", EVIL, "softfail"),
        ("v=spf1 ip4:203.0.113.0/24 ?all", EVIL, "neutral"),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::25", "pass"),
        ("v=spf1 ip4:203.0.113.9 -all", "::ffff:203.0.113.9", "pass"),
        ("v=spf1 ipv4:203.0.113.9 -all", GOOD, "permerror"),
        ("v=spf1 %{", GOOD, "permerror"),
        ("some other text", GOOD, "none"),
    ],
)
def test_a_record_says_which_machines_may_send(record: str, ip: str, expected: str) -> None:
    assert result(record, ip) == expected


def test_names_in_a_record_are_followed() -> None:
    assert result("v=spf1 a:mx.p.org.nz -all", mx_p_org_nz={"A": [GOOD]}) == "pass"
    assert result("v=spf1 mx -all", mx_p_org_nz={"A": [GOOD]}) == "fail"
    exchanged = Zone({"p.org.nz": {"TXT": ["v=spf1 mx -all"], "MX": ["mx.p.org.nz"]}, "mx.p.org.nz": {"A": [GOOD]}})
    assert spf_of(GOOD, "ana@p.org.nz", "x", exchanged) == "pass"
    assert result("v=spf1 include:host.example -all", host_example={"TXT": [f"v=spf1 ip4:{GOOD} -all"]}) == "pass"
    assert result("v=spf1 redirect=host.example", EVIL, host_example={"TXT": [f"v=spf1 ip4:{GOOD} -all"]}) == "fail"
    six = Zone({"p.org.nz": "v=spf1 a:mx.p.org.nz -all", "mx.p.org.nz": {"AAAA": ["2001:db8::25"]}})
    assert spf_of("2001:db8::25", "ana@p.org.nz", "x", six) == "pass"
    reverse = Zone(
        {
            "p.org.nz": "v=spf1 ptr -all",
            "9.113.0.203.in-addr.arpa": {"PTR": ["mail.p.org.nz"]},
            "mail.p.org.nz": {"A": [GOOD]},
        }
    )
    assert spf_of(GOOD, "ana@p.org.nz", "x", reverse) == "pass"


def test_macros_are_filled_in_from_the_address_and_the_return_address() -> None:
    zone = Zone(
        {"p.org.nz": "v=spf1 exists:%{ir}.%{l}._spf.%{d} -all", "9.113.0.203.ana._spf.p.org.nz": {"A": ["127.0.0.2"]}}
    )

    assert spf_of(GOOD, "ana@p.org.nz", "x", zone) == "pass"
    assert spf_of(EVIL, "ana@p.org.nz", "x", zone) == "fail"


def test_a_record_in_several_strings_is_one_and_two_records_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "zone.json"
    path.write_text(
        '{"p.org.nz": {"TXT": [["v=spf1 ip4:203.", "0.113.9 -all"]]}, "q.org.nz": {"TXT": ["v=spf1 -all", "v=spf1 +all"]}}'
    )

    assert spf_of(GOOD, "ana@p.org.nz", "x", DnsZoneFile(path)) == "pass"
    assert spf_of(GOOD, "ana@q.org.nz", "x", DnsZoneFile(path)) == "permerror"


def test_a_silent_name_server_is_a_temporary_error() -> None:
    assert spf_of(GOOD, "ana@p.org.nz", "x", Zone({"p.org.nz": "SILENT"})) == "temperror"
    assert result("v=spf1 include:host.example -all", **{"host_example": "SILENT"}) == "temperror"


def test_an_empty_return_address_stands_for_the_greeting() -> None:
    zone = Zone({"mail.p.org.nz": f"v=spf1 ip4:{GOOD} -all"})

    found = check_spf(Client(GOOD, "mail.p.org.nz", ""), zone)

    assert (found.result, found.domain) == ("pass", "mail.p.org.nz")
    assert spf_domain(Client(GOOD, "[203.0.113.9]", "")) == ""
    assert check_spf(Client(GOOD, "[203.0.113.9]", ""), zone).result == "none"


def test_a_macron_domain_is_asked_for_by_its_a_label() -> None:
    client = Client(GOOD, "mail.example", "mere@kōwhai.org.nz")
    zone = Zone({"xn--kwhai-g9a.org.nz": f"v=spf1 ip4:{GOOD} -all"})

    assert check_spf(client, zone).result == "pass"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1 " + " ".join(f"include:a{n}.example" for n in range(11)) + " -all", "permerror"),
        ("v=spf1 " + " ".join(f"a:nothing{n}.example" for n in range(3)) + " -all", "permerror"),
        ("v=spf1 include:p.org.nz -all", "permerror"),
        ("v=spf1 -all" + " " * 5_000, "permerror"),
        ("v=spf1 exists:" + "%{l1r-}." * 500 + "example -all", "fail"),
        ("v=spf1 exp=" + "%{d}." * 700 + "example -all", "fail"),
    ],
    ids=["11 includes", "3 names without an answer", "itself", "too long", "macros", "an explanation"],
)
def test_limits_end_a_record_that_asks_for_too_much(record: str, expected: str) -> None:
    zone = Zone({"p.org.nz": record} | {f"a{n}.example": "v=spf1 ?all" for n in range(11)})

    start = time.process_time()
    found = spf_of(GOOD, "ana@p.org.nz", "x", zone)

    assert found == expected
    assert zone.asked <= 12
    assert time.process_time() - start < 0.5


def test_an_explanation_is_never_fetched() -> None:
    zone = Zone({"p.org.nz": "v=spf1 exp=why.p.org.nz -all", "why.p.org.nz": "go away"})

    assert spf_of(GOOD, "ana@p.org.nz", "x", zone) == "fail"
    assert zone.names == ["TXT p.org.nz"]


def test_the_questions_of_one_mail_are_asked_once_and_end() -> None:
    now = [0.0]
    zone = Zone({"p.org.nz": f"v=spf1 ip4:{GOOD} -all"})
    asked = DnsForOneMail(zone, lambda: now[0])
    for _ in range(3):
        assert spf_of(GOOD, "ana@p.org.nz", "x", asked) == "pass"
    assert zone.asked == 1

    now[0] = 7.0
    assert spf_of(GOOD, "ana@p.org.nz", "x", asked) == "pass"  # it is known
    assert spf_of(GOOD, "ana@q.org.nz", "x", asked) == "temperror"
    many = DnsForOneMail(zone)
    for number in range(80):
        many.txt(f"n{number}.example")
    assert spf_of(GOOD, "ana@p.org.nz", "x", many) == "temperror"
    assert zone.asked == 81


def test_pyspf_is_imported_only_when_a_record_is_asked_for() -> None:
    code = (
        "import sys; from intake.adapters.own_checks import check_own; from intake.domain.trust import NOBODY; "
        "check_own(b'From: a@p.org.nz', (('From', b'a@p.org.nz'),), 'p.org.nz', NOBODY, None); "
        "assert not {'spf', 'dns', 'dkim'} & set(sys.modules), sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
