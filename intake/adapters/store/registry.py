"""The register of providers. Its version goes up with every change, so that a worker knows when to read it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base, batches
from intake.adapters.store.codec import decode, encode
from intake.adapters.store.receiving import RECHECK, new_job
from intake.domain import web_submission
from intake.domain.model import Contact, ExceptionAddress, Provider

_p, _d, _a = t.providers.c, t.controlled_domains.c, t.accounts.c
_CONTACT, _EXCEPTION = "contact", "exception"
_VERSION = "registry_version"
_ALL = select(t.providers).order_by(_p.slug)
_DOMAINS = select(t.controlled_domains).order_by(_d.provider, _d.place)
_ACCOUNTS = select(t.accounts).order_by(_a.provider, _a.place)
_READ_VERSION = select(t.settings.c.value).where(t.settings.c.name == _VERSION)
_BACKLOG = (
    select(t.cases.c.id)
    .join(t.raw_messages, t.cases.c.raw_id == t.raw_messages.c.id)
    .where(t.cases.c.closed == 0, t.raw_messages.c.channel != web_submission.CHANNEL)
    .order_by(t.cases.c.id)
)
_RENAME = (
    update(t.cases)
    .where(t.cases.c.provider == bindparam("slug"), t.cases.c.provider_name != bindparam("name"))
    .values(provider_name=bindparam("name"))
)


class RegistryRows(Base):
    def save_providers(self, providers: Sequence[Provider]) -> None:
        slugs = [p.slug for p in providers]
        with self._write() as connection:
            version = connection.scalar(_READ_VERSION.with_for_update())
            before = _providers(connection, connection.execute(_ALL.where(_p.slug.in_(slugs))).mappings().all())
            if providers:
                connection.execute(self._upserts.provider, [_row(p) for p in providers])
                connection.execute(delete(t.controlled_domains).where(_d.provider.in_(slugs)))
                connection.execute(delete(t.accounts).where(_a.provider.in_(slugs)))
                connection.execute(_RENAME, [{"slug": p.slug, "name": p.name} for p in providers])
            for table, rows in ((t.controlled_domains, _domains(providers)), (t.accounts, _accounts(providers))):
                if rows:
                    connection.execute(insert(table), rows)
            connection.execute(self._upserts.setting, {"name": _VERSION, "value": str(int(version or 0) + 1)})
            if _who_may(before) != _who_may(providers):
                self._check_backlog_again(connection)

    def _check_backlog_again(self, connection: Connection) -> None:
        """A job for each open case that came by mail: whose it is may be another's by the register as it is now."""
        now = self._clock()
        for found in batches(connection.scalars(_BACKLOG).all()):
            connection.execute(self._upserts.job_again, [new_job(RECHECK, case_id, now) for case_id in found])

    def backlog(self) -> tuple[str, ...]:
        with self._read() as connection:
            return tuple(connection.scalars(_BACKLOG.with_only_columns(t.cases.c.reference)))

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


def _who_may(providers: Sequence[Provider]) -> dict[str, object]:
    """What of the register a sender check asks for."""
    return {
        p.slug: (p.name, sorted(p.domains), sorted(map(str, p.contacts)), sorted(map(str, p.exceptions)))
        for p in providers
    }


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
