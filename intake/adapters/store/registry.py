"""The register of providers. Its version goes up with every change, so that a worker knows when to read it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.backlog import BacklogRows
from intake.adapters.store.base import REGISTRY_VERSION
from intake.adapters.store.codec import decode, encode
from intake.adapters.store.events import Chain, NewEvent
from intake.domain.model import Contact, ExceptionAddress, Provider

_p, _d, _a = t.providers.c, t.controlled_domains.c, t.accounts.c
_CONTACT, _EXCEPTION = "contact", "exception"
_TOLD = 200  # providers of an import whose domains the history names
CHAIN = Chain(t.register_events, t.register_head, "about")
_ALL = select(t.providers).order_by(_p.slug)
_DOMAINS = select(t.controlled_domains).order_by(_d.provider, _d.place)
_ACCOUNTS = select(t.accounts).order_by(_a.provider, _a.place)
_READ_VERSION = select(t.settings.c.value).where(t.settings.c.name == REGISTRY_VERSION)
_RENAME = (
    update(t.cases)
    .where(t.cases.c.provider == bindparam("slug"), t.cases.c.provider_name != bindparam("name"))
    .values(provider_name=bindparam("name"))
)


class RegistryRows(BacklogRows):
    def save_providers(self, providers: Sequence[Provider], actor: str = "system") -> int:
        slugs = [p.slug for p in providers]
        with self._write() as connection:
            version = self._next_version(connection)
            before = _providers(connection, connection.execute(_ALL.where(_p.slug.in_(slugs))).mappings().all())
            self._replace(connection, providers)
            self._new_version(connection)
            self._note_import(connection, actor, *_told(before, providers, version))
            return self._check_again(connection, before, providers)

    def _note_import(self, connection: Connection, actor: str, text: str, detail: Mapping[str, object]) -> None:
        CHAIN.append(connection, [NewEvent("", actor, "imported", text, detail)], self._clock())

    def _next_version(self, connection: Connection) -> int:
        """The version that the register will have; its row is locked until the end of the transaction."""
        return int(connection.scalar(_READ_VERSION.with_for_update()) or 0) + 1

    def _new_version(self, connection: Connection) -> None:
        connection.execute(
            self._upserts.setting, {"name": REGISTRY_VERSION, "value": str(self._next_version(connection))}
        )

    def _to_change(self, connection: Connection, slug: str) -> tuple[int, Provider]:
        """The next version and the provider as it stands. KeyError when there is none."""
        version = self._next_version(connection)
        found = _providers(connection, connection.execute(_ALL.where(_p.slug == slug)).mappings().all(), slug)
        if not found:
            raise KeyError(slug)
        return version, found[0]

    def _replace(self, connection: Connection, providers: Sequence[Provider]) -> None:
        """Each by its slug, with all that belongs to it."""
        if not providers:
            return
        slugs = [p.slug for p in providers]
        connection.execute(self._upserts.provider, [_row(p) for p in providers])
        connection.execute(delete(t.controlled_domains).where(_d.provider.in_(slugs)))
        connection.execute(delete(t.accounts).where(_a.provider.in_(slugs)))
        connection.execute(_RENAME, [{"slug": p.slug, "name": p.name} for p in providers])
        for table, rows in ((t.controlled_domains, _domains(providers)), (t.accounts, _accounts(providers))):
            if rows:
                connection.execute(insert(table), rows)

    def registry_version(self) -> int:
        with self._read() as connection:
            return int(connection.scalar(_READ_VERSION) or 0)

    def providers(self) -> tuple[Provider, ...]:
        with self._read() as connection:
            return _providers(connection, connection.execute(_ALL).mappings().all())

    def provider(self, slug: str) -> Provider | None:
        with self._read() as connection:
            one = connection.execute(_ALL.where(_p.slug == slug)).mappings().all()
            return next(iter(_providers(connection, one, slug)), None)


def _told(before: Sequence[Provider], after: Sequence[Provider], version: int) -> tuple[str, Mapping[str, object]]:
    """An import in a sentence, and which domains came and went, of the first providers that changed."""
    was = {p.slug: p for p in before}
    changed = [p for p in after if was.get(p.slug) != p]
    new = sum(p.slug not in was for p in changed)
    told = {
        p.slug: {
            "added": sorted(set(p.domains) - set(was[p.slug].domains if p.slug in was else ())),
            "removed": sorted(set(was[p.slug].domains if p.slug in was else ()) - set(p.domains)),
        }
        for p in changed[:_TOLD]
    }
    text = f"A register of {len(after)} providers was imported: {new} new, {len(changed) - new} changed."
    return text, {"version": version, "providers": told}


def _providers(
    connection: Connection, rows: Sequence[Mapping[Any, Any]], only: str | None = None
) -> tuple[Provider, ...]:
    domains, contacts, exceptions = defaultdict(list), defaultdict(list), defaultdict(list)
    of_domains = _DOMAINS if only is None else _DOMAINS.where(_d.provider == only)
    of_accounts = _ACCOUNTS if only is None else _ACCOUNTS.where(_a.provider == only)
    for d in connection.execute(of_domains):
        domains[d.provider].append(d.domain)
    for a in connection.execute(of_accounts):
        if a.kind == _CONTACT:
            contacts[a.provider].append(Contact(a.address, a.name))
        else:
            exceptions[a.provider].append(ExceptionAddress(a.address, a.reason, a.until))
    return tuple(
        Provider(
            slug=row["slug"],
            name=row["name"],
            services=tuple(decode(row["services"])),
            relationship_manager=row["relationship_manager"],
            domains=tuple(domains[row["slug"]]),
            contacts=tuple(contacts[row["slug"]]),
            exceptions=tuple(exceptions[row["slug"]]),
            phone=row["phone"],
        )
        for row in rows
    )


def _row(p: Provider) -> dict[str, object]:
    return {
        "slug": p.slug,
        "name": p.name,
        "services": encode(p.services),
        "relationship_manager": p.relationship_manager,
        "phone": p.phone,
    }


def _domains(providers: Sequence[Provider]) -> list[dict[str, object]]:
    return [
        {"provider": p.slug, "domain": domain, "place": place}
        for p in providers
        for place, domain in enumerate(dict.fromkeys(p.domains))
    ]


def _accounts(providers: Sequence[Provider]) -> list[dict[str, object]]:
    rows = []
    for p in providers:
        for place, c in enumerate({c.address: c for c in p.contacts}.values()):
            rows.append(_account(p, _CONTACT, place, c.address, name=c.name))
        for place, e in enumerate({e.address: e for e in p.exceptions}.values()):
            rows.append(_account(p, _EXCEPTION, place, e.address, reason=e.reason, until=e.until))
    return rows


def _account(
    p: Provider, kind: str, place: int, address: str, name: str = "", reason: str = "", until: str = ""
) -> dict[str, object]:
    return {
        "provider": p.slug,
        "kind": kind,
        "address": address,
        "place": place,
        "name": name,
        "reason": reason,
        "until": until,
    }
