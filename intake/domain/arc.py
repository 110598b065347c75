"""What forwarders say that they saw (ARC, RFC 8617). Information for staff, and never evidence of a sender: anybody can seal.

The seals are not checked: that would mean to ask DNS about domains that a stranger chose, for something that counts for nothing.
"""

from __future__ import annotations

import re

from intake.domain.address import normalise_domain, to_unicode
from intake.domain.authres import parse
from intake.domain.mime import Headers
from intake.domain.words import unfold

MAX_HOPS = 50  # RFC 8617 4.2.1
_KINDS = ("arc-seal", "arc-message-signature", "arc-authentication-results")
_INSTANCE = re.compile(r"[\s;]*i\s*=\s*([1-9]\d?)\s*(?:;|$)")
_ANY_INSTANCE = re.compile(r"(?:^|;)\s*i\s*=\s*([1-9]\d?)\s*(?:;|$)")
_DOMAIN = re.compile(r"(?:^|;)\s*d\s*=\s*([^;\s]{1,253})\s*(?:;|$)")
_METHODS = ("dmarc", "dkim", "spf")
_LONGEST = 16_384  # bytes of one header


def arc_hops(headers: Headers) -> tuple[tuple[str, str], ...] | None:
    """(sealing domain, what it says) of each forwarder, first one first; () without ARC, None when the set is out of shape.

    Source: RFC 8617 5.2, of which only the structure is looked at.
    """
    sets: dict[tuple[str, int], bytes] = {}
    for name, value in headers:
        kind = name.lower()
        if kind not in _KINDS:
            continue
        number = _instance(kind, value)
        if number is None or (kind, number) in sets:
            return None
        sets[kind, number] = value
    count, rest = divmod(len(sets), len(_KINDS))
    if rest or count > MAX_HOPS or any((kind, n) not in sets for kind in _KINDS for n in range(1, count + 1)):
        return None
    return tuple(
        (_sealer(sets["arc-seal", n]), _said(sets["arc-authentication-results", n])) for n in range(1, count + 1)
    )


def arc_sentence(headers: Headers) -> str:
    """One line about ARC for the evidence, "" for a mail without it."""
    hops = arc_hops(headers)
    if hops is None:
        return "ARC: what forwarders noted is out of shape; information only."
    if not hops:
        return ""
    domain, said = hops[-1]
    many = f"{len(hops)} hop{'s' * (len(hops) > 1)}"
    return f"ARC: {many}, sealed by {to_unicode(domain) or 'an unreadable domain'}, says {said}; not checked, information only."


def _instance(kind: str, value: bytes) -> int | None:
    if len(value) > _LONGEST:
        return None
    text = unfold(value).decode("utf-8", "replace")
    found = (_INSTANCE.match if kind == _KINDS[2] else _ANY_INSTANCE.search)(text)
    return int(found[1]) if found else None


def _sealer(value: bytes) -> str:
    found = _DOMAIN.search(unfold(value).decode("ascii", "replace"))
    return (normalise_domain(found[1], True) or "") if found else ""


def _said(value: bytes) -> str:
    parsed = parse(unfold(value).partition(b";")[2])  # the rest is an ordinary result (RFC 8617 4.1.1)
    clauses = getattr(parsed, "clauses", ())
    said = [f"{c.method}={c.result}" for method in _METHODS for c in clauses if c.method == method]
    return ", ".join(dict.fromkeys(said[:6])) or "nothing that can be read"
