"""The providers, arranged for the questions of the sender check: whose address, whose domain, whose look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from intake.domain.address import normalise_domain, registrable, same_address
from intake.domain.hosts import shared_host, shared_tenant_suffixes
from intake.domain.lookalike import Lookalikes, skeleton
from intake.domain.model import ExceptionAddress, Provider

_NAME = 9  # letters that a provider's name must have to be looked for in display names


class Registry:
    """Built once per version of the register (a second for ten thousand providers); every look-up is a few
    dictionary reads.

    A domain that strangers share (free mail, providers of internet, public suffixes) controls nothing and is passed
    over.
    """

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = {p.slug: p for p in providers}
        self._exact: dict[str, list[str]] = {}
        self._owners: dict[str, list[str]] = {}
        self._contacts: dict[str, list[str]] = {}
        self._exceptions: dict[str, list[tuple[str, ExceptionAddress]]] = {}
        self._names: list[tuple[str, str]] = []
        domains: list[str] = []
        for provider in providers:
            domains += self._add(provider)
        self.lookalikes = Lookalikes(domains)

    def _add(self, provider: Provider) -> list[str]:
        for contact in provider.contacts:
            _append(self._contacts, same_address(contact.address), provider.slug)
        for exception in provider.exceptions:
            self._exceptions.setdefault(same_address(exception.address), []).append((provider.slug, exception))
        name = skeleton(provider.name)
        if len(name) >= _NAME:
            self._names.append((name, provider.slug))
        kept = []
        for text in provider.domains:
            domain = normalise_domain(text.strip().lower(), True)
            if domain is None:
                continue
            owner = registrable(domain)
            tenant = domain.endswith(tuple("." + s for s in shared_tenant_suffixes()))
            if owner is None or (shared_host(domain) and not tenant):
                continue
            _append(self._exact, domain, provider.slug)
            _append(self._owners, owner, provider.slug)
            if not tenant:
                kept.append(domain)
        return kept

    def by_domain(self, domain: str) -> tuple[str, ...]:
        """Slugs of the providers that control the domain; an exact entry wins over one of the same registrable
        domain.
        """
        exact = self._exact.get(domain)
        if exact:
            return tuple(exact)
        owner = registrable(domain)
        return tuple(self._owners.get(owner, ())) if owner else ()

    def by_contact(self, address: str) -> tuple[str, ...]:
        """Slugs of the providers that list the address as a contact."""
        return tuple(self._contacts.get(same_address(address), ()))

    def exception(self, address: str, today: date) -> tuple[str, ExceptionAddress, bool] | None:
        """The registered exception for exactly this address and whether it holds on `today` (New Zealand date)."""
        found = [(slug, e, _holds(e, today)) for slug, e in self._exceptions.get(same_address(address), ())]
        return next((f for f in found if f[2]), found[0] if found else None)

    def accepted_for(self, address: str, today: date) -> tuple[str, ...]:
        """Slugs of the providers for which exactly this address is accepted on `today`; one person may write for several."""
        return tuple(dict.fromkeys(s for s, e in self._exceptions.get(same_address(address), ()) if _holds(e, today)))

    def named_in(self, text: str) -> tuple[str, ...]:
        """Slugs of the providers whose whole name stands in `text`, whatever the macrons."""
        if not text:
            return ()
        look = skeleton(text[:300])
        return tuple(slug for name, slug in self._names if name in look)[:5] if len(look) >= _NAME else ()

    def name(self, slug: str) -> str:
        """The provider's name, as registered."""
        return self.providers[slug].name if slug in self.providers else slug


def _append(table: dict[str, list[str]], key: str, slug: str) -> None:
    row = table.setdefault(key, [])
    if slug not in row:
        row.append(slug)


def _holds(exception: ExceptionAddress, today: date) -> bool:
    try:
        return today <= date.fromisoformat(exception.until)
    except ValueError:
        return False  # an exception without a readable end date ends nothing, so it does not begin


@lru_cache(maxsize=8)
def protected(own_domains: tuple[str, ...]) -> Lookalikes:
    """The index over our own domains: whoever imitates the Ministry is a look-alike too."""
    return Lookalikes(own_domains)


def is_own(domain: str, own_domains: Sequence[str]) -> bool:
    """Whether a domain is one of the Ministry's own, or below one."""
    return any(domain == own or domain.endswith("." + own) for own in own_domains)
