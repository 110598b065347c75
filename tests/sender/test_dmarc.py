"""DMARC by RFC 9989, as pure decisions: which record counts, what it asks for, and who is aligned."""

from __future__ import annotations

import pytest

from intake.adapters.own_checks import walk
from intake.domain.dmarc import Record, evaluate, organisation, read_record, rule_for, walk_names
from tests.sender.world import Zone

REJECT = "v=DMARC1; p=reject"


def decide(author: str, zone: dict[str, str], signed_by: str = "", sent_by: str | None = None) -> tuple[str, str, str]:
    dns = Zone({f"_dmarc.{name}": text for name, text in zone.items()})
    walks = {name: walk(name, dns) for name in {author, signed_by or author, sent_by or author}}
    found = evaluate(
        author, rule_for(author, walks[author]), walks, [signed_by] if signed_by else [], sent_by, spf_known=True
    )
    return found.result, found.place, found.policy


# ---- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DMARC1; p=reject", Record("reject", "reject", "reject")),
        ("v=DMARC1;p=none;sp=quarantine;np=reject", Record("none", "quarantine", "reject")),
        (" v = DMARC1 ; p = Reject ; adkim=s; aspf=S;", Record("reject", "reject", "reject", "s", "s")),
        ("v=DMARC1; p=none; psd=y; t=y", Record("none", "none", "none", psd="y", testing=True)),
        ("v=DMARC1", Record("none", "none", "none")),
        ("v=DMARC1; p=reject; pct=0; ri=1; fo=1; whatever=3; junk", Record("reject", "reject", "reject")),
        ("v=DMARC1; sp=reject", Record("none", "reject", "reject")),
        ("v=DMARC1; p=bogus; rua=mailto:x@p.org.nz", Record("none", "none", "none")),
        ("v=DMARC1; p=reject; sp=bogus; rua=mailto:x@p.org.nz", Record("none", "none", "none")),
        ("v=DMARC1; p=reject; adkim=strict; psd=maybe; t=2", Record("reject", "reject", "reject")),
    ],
)
def test_a_record_is_read_as_the_standard_says(text: str, expected: Record) -> None:
    assert read_record([text]) == expected


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["v=spf1 -all"],
        ["v=dmarc1; p=none"],
        ["v=DMARC2; p=none"],
        ["p=reject; v=DMARC1"],
        ["v=DMARC1 p=none"],
        ["v=DMARC1; p=bogus"],
        ["v=DMARC1; p="],
        ["v=DMARC1; p=none; p=reject"],
        ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
        ["v=DMARC1; p=reject; x=" + "y" * 5_000],
    ],
)
def test_what_is_no_sound_record_is_none(texts: list[str]) -> None:
    assert read_record(texts) is None


def test_other_texts_beside_the_record_do_not_matter() -> None:
    assert read_record(["google-site-verification=x", REJECT]) == Record("reject", "reject", "reject")


# ---- the walk ---------------------------------------------------------------------------------------------------------


def test_the_walk_asks_at_most_eight_names_from_the_longest() -> None:
    assert walk_names("mail.p.org.nz") == ("mail.p.org.nz", "p.org.nz", "org.nz", "nz")
    assert walk_names("nz") == ("nz",)
    long = "a.b.c.d.e.f.g.h.i.j.mail.example.com"
    assert walk_names(long)[:3] == (long, "g.h.i.j.mail.example.com", "h.i.j.mail.example.com")
    assert [len(walk_names(".".join("abcdefghijkl"[:n]))) for n in (1, 7, 8, 9, 12)] == [1, 7, 8, 8, 8]


def test_the_walk_stops_at_a_name_that_says_what_it_is() -> None:
    for mark in "yn":
        zone = Zone({"_dmarc.p.org.nz": f"v=DMARC1; p=none; psd={mark}", "_dmarc.nz": REJECT})
        assert [name for name, _ in walk("mail.p.org.nz", zone)] == ["p.org.nz"]
        assert zone.names == ["TXT _dmarc.mail.p.org.nz", "TXT _dmarc.p.org.nz"]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, "a.mail.example.com"),
        ({"example.com": "u"}, "example.com"),
        ({"mail.example.com": "u", "example.com": "u"}, "example.com"),
        ({"mail.example.com": "n"}, "mail.example.com"),
        ({"com": "y"}, "example.com"),
        ({"mail.example.com": "u", "com": "y"}, "example.com"),
        ({"a.mail.example.com": "y"}, "a.mail.example.com"),
        ({"mail.example.com": "u"}, "mail.example.com"),
    ],
)
def test_the_organisation_is_found_from_the_records(marks: dict[str, str], expected: str) -> None:
    found = walk("a.mail.example.com", Zone({f"_dmarc.{n}": f"v=DMARC1; p=none; psd={m}" for n, m in marks.items()}))

    assert organisation("a.mail.example.com", found) == expected


# ---- which rule counts ------------------------------------------------------------------------------------------------


def test_the_own_record_counts_before_the_organisations_and_that_before_the_suffixs() -> None:
    everything = {
        "mail.p.org.nz": "v=DMARC1; p=none",
        "p.org.nz": "v=DMARC1; p=reject; sp=quarantine",
        "nz": "v=DMARC1; p=none; sp=reject; psd=y",
    }
    assert decide("mail.p.org.nz", everything)[1:] == ("mail.p.org.nz", "none")
    del everything["mail.p.org.nz"]
    assert decide("mail.p.org.nz", everything)[1:] == ("p.org.nz", "quarantine")
    del everything["p.org.nz"]
    assert decide("mail.p.org.nz", everything)[1:] == ("nz", "reject")
    assert decide("mail.p.org.nz", {}) == ("none", "", "")


def test_a_name_that_does_not_exist_may_have_a_rule_of_its_own() -> None:
    zone = Zone({"_dmarc.p.org.nz": "v=DMARC1; p=none; sp=quarantine; np=reject"})
    found = walk("never.p.org.nz", zone)

    asks = [rule.asks for rule in (rule_for("never.p.org.nz", found), rule_for("never.p.org.nz", found, False)) if rule]
    assert asks == ["quarantine", "reject"]


# ---- alignment --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("author", "signed_by", "record", "result"),
    [
        ("p.org.nz", "p.org.nz", REJECT, "pass"),
        ("p.org.nz", "mail.p.org.nz", REJECT, "pass"),
        ("mail.p.org.nz", "p.org.nz", REJECT, "pass"),
        ("a.p.org.nz", "b.p.org.nz", REJECT, "pass"),
        ("p.org.nz", "mail.p.org.nz", REJECT + "; adkim=s", "fail"),
        ("p.org.nz", "p.org.nz", REJECT + "; adkim=s", "pass"),
        ("p.org.nz", "q.org.nz", REJECT, "fail"),
        ("p.org.nz", "org.nz", REJECT, "fail"),
        ("p.org.nz", "nz", REJECT, "fail"),
        ("p.org.nz", "xp.org.nz", REJECT, "fail"),
        ("p.org.nz", "p.org.nz.evil.example", REJECT, "fail"),
    ],
)
def test_a_signature_counts_when_its_domain_is_aligned(author: str, signed_by: str, record: str, result: str) -> None:
    assert decide(author, {"p.org.nz": record}, signed_by)[0] == result


@pytest.mark.parametrize(
    ("sent_by", "more", "result"),
    [
        ("p.org.nz", "", "pass"),
        ("bounce.p.org.nz", "", "pass"),
        ("bounce.p.org.nz", "; aspf=s", "fail"),
        ("bounce.p.org.nz", "; adkim=s", "pass"),
        ("host.example", "", "fail"),
        (None, "", "fail"),
    ],
)
def test_the_sending_machine_counts_when_its_domain_is_aligned(sent_by: str | None, more: str, result: str) -> None:
    assert decide("p.org.nz", {"p.org.nz": REJECT + more}, sent_by=sent_by)[0] == result


def test_a_boundary_that_an_organisation_marks_is_kept() -> None:
    zone = {"p.org.nz": REJECT, "north.p.org.nz": "v=DMARC1; p=reject; psd=n"}

    assert decide("x.north.p.org.nz", zone, "north.p.org.nz")[0] == "pass"
    assert decide("x.north.p.org.nz", zone, "p.org.nz")[0] == "fail"
    assert decide("p.org.nz", zone, "north.p.org.nz")[0] == "fail"


def test_a_record_of_a_public_suffix_makes_its_customers_no_one_organisation() -> None:
    zone = {"org.nz": REJECT, "nz": "v=DMARC1; p=none"}

    assert decide("p.org.nz", zone, "q.org.nz") == ("fail", "nz", "none")
    assert decide("p.org.nz", zone, "org.nz")[0] == "fail"
    assert decide("org.nz", zone, "org.nz")[0] == "fail"
    assert decide("mail.p.org.nz", zone, "p.org.nz")[0] == "pass"


def test_tenants_of_one_host_are_never_aligned() -> None:
    zone = {"onmicrosoft.com": REJECT}

    assert decide("rata.onmicrosoft.com", zone, "evil.onmicrosoft.com")[0] == "fail"
    assert decide("rata.onmicrosoft.com", zone, "onmicrosoft.com")[0] == "fail"
    assert decide("rata.onmicrosoft.com", zone, "rata.onmicrosoft.com")[0] == "pass"


def test_a_failure_is_told_only_when_everything_could_be_looked_at() -> None:
    rule = rule_for("p.org.nz", (("p.org.nz", Record("reject", "reject", "reject")),))

    assert evaluate("p.org.nz", rule, {}, [], None, spf_known=True).result == "fail"
    assert evaluate("p.org.nz", rule, {}, [], None, spf_known=False).result == "open"
    assert evaluate("p.org.nz", rule, {}, [], None, spf_known=True, later=True).result == "later"
    assert evaluate("p.org.nz", None, {}, ["p.org.nz"], None, spf_known=True).result == "none"
