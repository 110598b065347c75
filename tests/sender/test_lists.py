"""The data beside the code, and the examples in the documentation, are what the program takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from publicsuffixlist import PSLFILE, PublicSuffixList

from intake.domain import hosts
from intake.domain.address import normalise_domain, registrable
from intake.domain.hosts import shared_host
from intake.domain.trust import trust_from_settings

LISTS = Path(hosts.__file__).parent / "lists"
GUIDE = Path(__file__).parents[2] / "docs" / "sender-check.md"


@pytest.mark.parametrize("name", ["freemail", "nz_isps", "disposable", "shared_tenants"])
def test_every_line_of_a_host_list_is_a_domain_stated_once(name: str) -> None:
    text = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert text.startswith("#") and lines
    assert [line for line in lines if normalise_domain(line) != line] == []
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "hotmail.co.nz",
        "yahoo.co.nz",
        "xtra.co.nz",
        "slingshot.co.nz",
        "orcon.net.nz",
        "ihug.co.nz",
        "paradise.net.nz",
        "vodafone.co.nz",
        "inspire.net.nz",
        "actrix.co.nz",
        "snap.net.nz",
        "kinect.co.nz",
        "maxnet.co.nz",
        "woosh.co.nz",
        "tutanota.com",
        "hey.com",
        "proton.me",
        "icloud.com",
        "privaterelay.appleid.com",
        "mailinator.com",
        "yopmail.com",
        "rata.onmicrosoft.com",
        "mail.xtra.co.nz",
    ],
)
def test_hosts_that_strangers_share_are_known(domain: str) -> None:
    assert shared_host(domain)


@pytest.mark.parametrize("domain", ["p.org.nz", "govt.nz", "trust.iwi.nz", "notgmail.com", "gmail.com.p.org.nz"])
def test_other_domains_are_not_shared_hosts(domain: str) -> None:
    assert not shared_host(domain)


@pytest.mark.parametrize(
    "suffix",
    [
        "org.nz",
        "ac.nz",
        "govt.nz",
        "iwi.nz",
        "net.nz",
        "gen.nz",
        "school.nz",
        "kiwi.nz",
        "maori.nz",
        "xn--mori-qsa.nz",
        "health.nz",
        "cri.nz",
        "geek.nz",
        "mil.nz",
        "parliament.nz",
        "co.nz",
        "nz",
    ],
)
def test_nobody_owns_a_second_level_of_nz(suffix: str) -> None:
    assert registrable(suffix) is None
    assert registrable(f"mail.trust.{suffix}") == f"trust.{suffix}"


def test_every_rule_of_the_public_suffix_list_is_kept_as_the_whole_list_has_it() -> None:
    whole = PublicSuffixList()
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    rules = {normalise_domain(line.removeprefix("!").removeprefix("*.")) for line in lines if "//" not in line}
    shared = tuple("." + suffix for suffix in hosts.shared_tenant_suffixes())
    domains = [
        domain
        for rule in rules
        if rule and not ("." + rule).endswith(shared)
        for domain in (rule, f"trust.{rule}", f"mail.trust.{rule}", f"a.mail.trust.{rule}")
    ]

    assert len(domains) > 30_000
    assert [d for d in domains if registrable(d) != whole.privatesuffix(d)] == []


def test_the_examples_of_the_guide_are_settings_that_work() -> None:
    block = GUIDE.read_text(encoding="utf-8").split("```toml", 1)[1].split("```", 1)[0]
    examples = ["[mailboxes" + part for part in block.split("[mailboxes")[1:]]

    assert len(examples) >= 6
    for example in examples:
        table = tomllib.loads(example)["mailboxes"]["breach"]["trust"]
        assert trust_from_settings(table).kind != "none"


def test_the_guide_names_every_key_of_the_trust_table() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))

    with pytest.raises(Exception, match="Known are") as error:
        trust_from_settings({"no_such_key": 1})
    known = set(str(error.value).split("Known are: ", 1)[1].rstrip(".").split(", "))
    assert known <= named
