"""Addresses, strictly: one grammar of our own, because parsers that disagree are how senders are forged.

Of 15 crafted From lines 12 gave different senders in four parsers; the standard library gives the wrong one for
`From: alice@provider.nz <evil@gmail.com>`. What this grammar does not know is malformed, and a person looks at it.
Sources: RFC 5322 3.4 (narrowed), RFC 5890 (domains), the Public Suffix List.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from intake.domain.hosts import shared_tenant_suffixes
from intake.domain.words import decode, decode_header, unfold


class Mailbox(NamedTuple):
    """The result of `strict_mailbox`: address, domain and display, or None, None, "" and the problem in a
    sentence.
    """

    address: str | None
    domain: str | None
    display: str
    problem: str


_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_PHRASE_STOP = re.compile(r'[<>()\[\]:;@\\,"]')
_COMMENT_NAME = re.compile(r"(\S+)\s+\(([^()<>@\\\",;:]{0,200})\)")
_ADDRESS_IN_TEXT = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")
_VALUE = 2_000  # bytes of one From value; a longer one is not one clean mailbox
_UNSAFE_IDN = frozenset("ßς\u200c\u200d")  # mapped differently by the two editions of IDNA


def strict_mailbox(values: list[bytes] | tuple[bytes, ...]) -> Mailbox:
    """The sender that the From header states.

    Args: values: the raw value of every From header of the mail, folding included.
    Source: RFC 5322 3.6.2, narrowed to one header with one mailbox.
    """
    if not values:
        return _bad("It has no From line.")
    if len(values) > 1:
        return _bad(f"It has {len(values)} From lines; there must be one.")
    problem = _unclean(values[0])
    if problem:
        return _bad(problem)
    return parse_mailbox(decode(unfold(values[0])))


def _unclean(value: bytes) -> str:
    if len(value) > _VALUE:
        return "Its From line is too long to be one address."
    flat = unfold(value)
    if b"\0" in flat:
        return "Its From line holds a null character."
    if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", flat):
        return "Its From line holds control characters."
    return ""


def parse_mailbox(text: str) -> Mailbox:
    """One mailbox out of one line of text, by the same grammar as `strict_mailbox`."""
    text = text.strip(" \t")
    if not text:
        return _bad("Its From line is empty.")
    hidden = _hidden(text)
    if hidden:
        return _bad(hidden)
    if text.endswith(">"):
        start = text.rfind("<")
        if start < 0:
            return _bad("Its From line has a bracket that nothing opens.")
        display, problem = _phrase(text[:start].strip(" \t"))
        return _bad(problem) if problem else _spec(text[start + 1 : -1], display)
    named = _COMMENT_NAME.fullmatch(text)
    return _spec(named[1], named[2].strip()) if named else _spec(text, "")


def _phrase(text: str) -> tuple[str, str]:
    """The display name, and a problem when it is more than a name."""
    words, at = [], 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        quoted = _QUOTED.match(text, at)
        if quoted:
            words.append(re.sub(r"\\(.)", r"\1", quoted[0][1:-1]))
            at = quoted.end()
            continue
        stop = at
        while stop < len(text) and text[stop] not in ' \t"':
            stop += 1
        if text[at] == '"':
            return "", "Its From line has a quotation mark that is never closed."
        if _PHRASE_STOP.search(text[at:stop]):
            return "", _why_not_phrase(text[at:stop])
        words.append(text[at:stop])
        at = stop
    display = decode_header(" ".join(words).encode("utf-8"))
    return display, _hidden(decode_header(" ".join(words).encode("utf-8"), 4_000), decoded=True)


def _why_not_phrase(word: str) -> str:
    if "," in word or ";" in word:
        return "Its From line names more than one sender."
    if ":" in word:
        return "Its From line is a group, not one sender."
    if "@" in word or "<" in word:
        return "Its From line holds two addresses."
    return "Its From line is not written as mail standards ask, so programs read different senders from it."


def _spec(spec: str, display: str) -> Mailbox:
    local, at, host = spec.rpartition("@")
    if not at:
        return _bad("Its From line holds no address.")
    if any(c in spec for c in ",;") or local.count("@"):
        return _bad("Its From line names more than one sender.")
    if spec.startswith("@") or ":" in spec:
        return _bad("Its From line holds a mail route or a group, not one address.")
    if "=?" in spec or len(local) > 64 or not _ATOM.fullmatch(local):
        return _bad("The part of its From address before the @ is not a plain one.")
    domain = normalise_domain(host)
    if domain is None:
        return _bad("The domain of its From address is not a proper one.")
    return Mailbox(f"{local}@{domain}", domain, display, "")


def _hidden(text: str, decoded: bool = False) -> str:
    for char in text:
        kind = unicodedata.category(char)
        if kind == "Cf" and char != "\u200d":
            return "Its From line holds invisible characters or ones that turn the direction of writing."
        if kind in ("Cc", "Zl", "Zp") and (decoded or char != "\t"):
            return "Its From line holds control characters."
    return ""


def _bad(problem: str) -> Mailbox:
    return Mailbox(None, None, "", problem)


# ---- domains ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def normalise_domain(text: str, trailing_dot: bool = False) -> str | None:
    """A domain as A-labels in lower case ("kōwhai.nz" and "xn--kwhai-g9a.nz" are one), or None when it is not a
    domain.

    `trailing_dot` allows the one of the root, as machines write it; a From address has none.
    """
    if trailing_dot:
        text = text.removesuffix(".")
    if not 0 < len(text) <= 253:
        return None
    if not text.isascii():
        encoded = _idna(text)
        if encoded is None:
            return None
        text = encoded
    text = text.lower()
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if any(label.startswith("xn--") and not _round_trip(label) for label in labels):
        return None
    return text


def _idna(text: str) -> str | None:
    if _UNSAFE_IDN.intersection(text):
        return None
    lowered = unicodedata.normalize("NFC", text).lower()
    try:
        encoded = lowered.encode("idna").decode("ascii")
        # a domain that only becomes one by folding (full-width letters, ideographic dots) is a disguise
        return encoded if encoded.encode("ascii").decode("idna") == lowered else None
    except UnicodeError:
        return None


def _round_trip(label: str) -> bool:
    try:
        text = label.encode("ascii").decode("idna")
        return not text.isascii() and text.encode("idna").decode("ascii") == label
    except UnicodeError:
        return False


def to_unicode(domain: str) -> str:
    """A domain as people read it; labels that do not decode stay as they are."""
    if "xn--" not in domain:
        return domain
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


@cache
def _suffix_rules() -> frozenset[str]:
    from publicsuffixlist import PSLFILE

    return frozenset(Path(PSLFILE).read_text(encoding="utf-8").splitlines())


def _private_suffix(domain: str) -> str | None:
    """By the Public Suffix List. The library is given the rules that name an end of this domain: to parse all ten thousand
    takes it 75 ms.
    """
    from publicsuffixlist import PublicSuffixList

    labels = domain.split(".")
    ends = [to_unicode(".".join(labels[place:])) for place in range(len(labels))]
    rules = [rule for end in ends for rule in (end, "*." + end, "!" + end) if rule in _suffix_rules()]
    found = PublicSuffixList(rules).privatesuffix(domain)
    return str(found) if found else None


@lru_cache(maxsize=4096)
def registrable(domain: str) -> str | None:
    """The domain that somebody registered ("mail.trust.org.nz" -> "trust.org.nz"), None for a public suffix.

    Under a host that gives each customer a name of one parent (onmicrosoft.com) every name is its own: the answer is
    the whole domain, so that no tenant passes for another.
    """
    for suffix in shared_tenant_suffixes():
        if domain.endswith("." + suffix):
            return domain
        if domain == suffix:
            return None
    return _private_suffix(domain)


def aligned(domain: str, from_domain: str) -> bool:
    """Relaxed alignment (RFC 9989): the same registrable domain; never by a public suffix, never between tenants."""
    if domain == from_domain:
        return registrable(domain) is not None
    mine = registrable(from_domain)
    return mine is not None and registrable(domain) == mine


def same_address(address: str) -> str:
    """The form in which addresses are compared: the local part in lower case. The domain is normalised already."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.lower()}@{normalise_domain(domain) or domain.lower()}"


def addresses_in(text: str) -> tuple[str, ...]:
    """Addresses that stand in some text, at most ten: claims, nothing more."""
    found = []
    for match in _ADDRESS_IN_TEXT.finditer(text[:20_000]):
        domain = normalise_domain(match[0].rpartition("@")[2].lower())
        if domain:
            found.append(f"{match[0].rpartition('@')[0]}@{domain}")
        if len(found) == 10:
            break
    return tuple(found)
