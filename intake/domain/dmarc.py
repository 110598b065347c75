"""DMARC (RFC 9989): what rule a From domain has, found by walking up its names, and whether a mail keeps to it.

Pure: the adapter asks DNS for the names that `walk_names` lists and hands in what it got. Two things are stricter than the
standard, and only ever take a pass away: names that belong to different organisations by the Public Suffix List or to
different tenants of a shared host are never aligned, whatever record stands above them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intake.domain.address import aligned, registrable
from intake.domain.own_checks import DmarcResult

MAX_QUESTIONS = 8  # RFC 9989 4.10: of a longer name, the name itself and then its last seven labels
_LONGEST = 4_096  # characters of a record
_VERSION = re.compile(r"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_TAG = re.compile(r"[ \t]*([A-Za-z]{1,20})[ \t]*=([^=].*|)")
_POLICIES = ("none", "quarantine", "reject")
_URI = re.compile(r"mailto:[^\s,!@]+@[^\s,!@]+", re.I)


@dataclass(frozen=True, slots=True)
class Record:
    """A rule as a domain publishes it."""

    p: str  # for the domain itself
    sp: str  # for names below it
    np: str  # for names below it that do not exist
    adkim: str = "r"  # r: a name of the same organisation will do; s: exactly the From domain
    aspf: str = "r"
    psd: str = "u"  # y: others register names below it; n: it is an organisation's top name; u: not said
    testing: bool = False


Walk = tuple[tuple[str, Record], ...]
"""The valid records on the way up from a name, longest name first: (domain, record)."""


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains whose `_dmarc` records decide, in the order to ask; after one with psd=y or psd=n nothing more is asked.

    Args: domain: A-labels in lower case. Source: RFC 9989 4.10.
    """
    labels = domain.split(".")
    first = max(1, len(labels) - (MAX_QUESTIONS - 1))
    return (domain, *(".".join(labels[place:]) for place in range(first, len(labels))))


def read_record(texts: Sequence[str]) -> Record | None:
    """The one record among the TXT strings of a name; None when there is none, several, or one that asks for nothing sound.

    Source: RFC 9989 4.7 and 4.10: unknown tags and pct are ignored, p may be missing (none), an unsound p, sp or np counts as
    "none" if reports are asked for and otherwise makes the record void.
    """
    found = [text for text in texts if _VERSION.match(text)]
    if len(found) != 1 or len(found[0]) > _LONGEST:
        return None
    tags = _tags(found[0])
    if tags is None:
        return None
    p, sp, np = (tags.get(name, "").lower() for name in ("p", "sp", "np"))
    if any(value and value not in _POLICIES for value in (p, sp, np)) or ("p" in tags and not p):
        if not _URI.search(tags.get("rua", "")):
            return None
        p, sp, np = "none", "", ""
    p = p or "none"
    sp = sp or p
    return Record(
        p,
        sp,
        np or sp,
        _one_of(tags.get("adkim"), "rs", "r"),
        _one_of(tags.get("aspf"), "rs", "r"),
        _one_of(tags.get("psd"), "ynu", "u"),
        _one_of(tags.get("t"), "yn", "n") == "y",
    )


def _tags(text: str) -> dict[str, str] | None:
    """The tags of a record; None when one is stated twice, since receivers would differ about which counts."""
    tags: dict[str, str] = {}
    for piece in text.split(";"):
        match = _TAG.fullmatch(piece)
        if match is None:
            continue  # what is out of shape is passed over (RFC 9989 4.7)
        name = match[1].lower()
        if name in tags:
            return None
        tags[name] = match[2].strip(" \t")
    return tags


def _one_of(value: str | None, known: str, otherwise: str) -> str:
    lowered = (value or "").lower()
    return lowered if len(lowered) == 1 and lowered in known else otherwise


def organisation(domain: str, walk: Walk) -> str:
    """The organisational domain of a name, from the records above it, and never a public suffix.

    Source: RFC 9989 4.10.2. A suffix whose own suffix alone says psd=y ("org.nz" under "nz") would make all its customers one
    organisation there, so what was registered by the Public Suffix List is the upper end.
    """
    found = _by_records(domain, walk)
    return found if registrable(found) else registrable(domain) or domain


def _by_records(domain: str, walk: Walk) -> str:
    for name, record in walk:
        if record.psd == "n":
            return name
        if record.psd == "y":
            return ".".join(domain.split(".")[-len(name.split(".")) - 1 :])
    return walk[-1][0] if walk else domain


@dataclass(frozen=True, slots=True)
class Rule:
    """The record that counts for a From domain. `asks` is what it wants done with mail that fails."""

    place: str
    record: Record
    asks: str


def rule_for(domain: str, walk: Walk, exists: bool = True) -> Rule | None:
    """The rule of a From domain: its own record, else its organisation's, else that of the suffix above.

    Args: exists: False when DNS knows no such name at all, for which a rule may ask something of its own (np).
    Source: RFC 9989 4.10.1.
    """
    records = dict(walk)
    for place in (domain, organisation(domain, walk), *(name for name, _ in walk[-1:])):
        record = records.get(place)
        if record is not None:
            own = place == domain
            return Rule(place, record, record.p if own else record.sp if exists else record.np)
    return None


def evaluate(
    author: str,
    rule: Rule | None,
    walks: Mapping[str, Walk],
    signed_by: Sequence[str],
    sent_by: str | None,
    spf_known: bool,
    later: bool = False,
) -> DmarcResult:
    """Whether a mail keeps to the rule of its From domain.

    Args:
        author: the From domain, A-labels in lower case.
        walks: of `author` and of each domain in `signed_by` and `sent_by` that differs from it.
        signed_by: the domains (d=) of the signatures that hold; sent_by: the domain that SPF passes for, None for none.
        spf_known: False when nothing says whether SPF passes, so that a failure cannot be told.
        later: a signature of the domain could not be checked now.
    Source: RFC 9989 4.4 (alignment), 5.3 (the result).
    """
    if rule is None:
        return DmarcResult("none")
    passed = [("dkim", domain) for domain in signed_by] + ([("spf", sent_by)] if sent_by else [])
    by = [
        how
        for how, domain in passed
        if _keeps_to(domain, author, rule.record.adkim if how == "dkim" else rule.record.aspf, walks)
    ]
    if by:
        return DmarcResult("pass", rule.place, rule.asks, rule.record.testing, tuple(dict.fromkeys(by)))
    result = "later" if later else "fail" if spf_known else "open"
    strict = any(aligned(domain, author) for domain in signed_by)
    return DmarcResult(result, rule.place, rule.asks, rule.record.testing, strict=strict)


def _keeps_to(domain: str, author: str, mode: str, walks: Mapping[str, Walk]) -> bool:
    if not aligned(domain, author):  # by the Public Suffix List, tenants apart
        return False
    if domain == author or mode == "s":
        return domain == author
    return organisation(domain, walks.get(domain, ())) == organisation(author, walks.get(author, ()))
