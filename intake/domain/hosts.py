"""Hosts that many strangers share: nobody there speaks for a provider, unless the exact address is registered.

The lists are data beside this file (`lists/*.txt`): a domain a line, "#" begins a comment.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_KINDS = {
    "freemail": "a free mail host",
    "nz_isps": "a New Zealand internet provider's mail host",
    "disposable": "a host for throw-away addresses",
    "shared_tenants": "a host where every customer gets a name of the same parent",
}


@cache
def _list(name: str) -> frozenset[str]:
    text = (Path(__file__).parent / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.split("#", 1)[0].strip().lower() for line in text.splitlines())
    return frozenset(line for line in lines if line)


@cache
def shared_tenant_suffixes() -> tuple[str, ...]:
    """Parents whose every child is another customer, such as onmicrosoft.com."""
    return tuple(sorted(_list("shared_tenants")))


@cache
def common_words() -> frozenset[str]:
    """Words that so many names contain that containing them says nothing."""
    return _list("common_words")


def shared_host(domain: str) -> str:
    """What kind of shared host `domain` (A-labels, lower case) is, in words, or "" for none. A name below a listed
    host counts.
    """
    labels = domain.split(".")
    for place in range(len(labels) - 1):
        tail = ".".join(labels[place:])
        for name, words in _KINDS.items():
            if tail in _list(name):
                return words
    return ""
