"""The open cases that a change of the register may concern, and a job for each of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, true

from intake.adapters.store import tables as t
from intake.adapters.store.base import Base, batches
from intake.adapters.store.receiving import RECHECK, new_job
from intake.domain import web_submission
from intake.domain.model import Provider, VerdictCode

_c = t.cases.c
# A verdict that the register settled already: another provider's new domain changes nothing about it.
_SETTLED = (
    VerdictCode.VERIFIED_ACCOUNT,
    VerdictCode.VERIFIED_DOMAIN,
    VerdictCode.EXCEPTION_ADDRESS,
    VerdictCode.MALFORMED,
    VerdictCode.AUTOMATIC,
)
_MANY = 50  # names in one question; a change of more than that concerns everything
_LINE = func.lower(_c.sender_line)
BACKLOG = (
    select(_c.id)
    .join(t.raw_messages, _c.raw_id == t.raw_messages.c.id)
    .where(_c.closed == 0, t.raw_messages.c.channel != web_submission.CHANNEL)
    .order_by(_c.id)
)


class BacklogRows(Base):
    def backlog(self) -> tuple[str, ...]:
        with self._read() as connection:
            return tuple(connection.scalars(BACKLOG.with_only_columns(_c.reference)))

    def _check_again(self, connection: Connection, before: Sequence[Provider], after: Sequence[Provider]) -> int:
        """A job for each open case that came by mail and whose sender this change may concern; how many."""
        changed = _changed(before, after)
        if not changed:
            return 0
        concerned = connection.scalars(_concerned(changed, _touched(before, after, changed))).all()
        now = self._clock()
        for found in batches(concerned):
            connection.execute(self._upserts.job_again, [new_job(RECHECK, case_id, now) for case_id in found])
        return len(concerned)


def _changed(before: Sequence[Provider], after: Sequence[Provider]) -> set[str]:
    """Slugs of the providers of which something differs that a sender check asks for."""
    was, now = _asked_for(before), _asked_for(after)
    return {slug for slug in was.keys() | now.keys() if was.get(slug) != now.get(slug)}


def _asked_for(providers: Sequence[Provider]) -> dict[str, Any]:
    return {
        p.slug: (p.name, sorted(p.domains), sorted(map(str, p.contacts)), sorted(map(str, p.exceptions)))
        for p in providers
    }


def _touched(before: Sequence[Provider], after: Sequence[Provider], slugs: Collection[str]) -> set[str]:
    """Domains of which it may be said now whose they are, and could not before, or the other way round."""
    was, now = (_names([p for p in side if p.slug in slugs]) for side in (before, after))
    return {name.rpartition("@")[2].lower() for name in was ^ now}


def _names(providers: Sequence[Provider]) -> set[str]:
    return {
        name
        for p in providers
        for name in (*p.domains, *(c.address for c in p.contacts), *(e.address for e in p.exceptions))
    }


def _concerned(slugs: Collection[str], domains: Collection[str]) -> Select[tuple[int]]:
    return BACKLOG.where(
        or_(_c.verdict.not_in([v.value for v in _SETTLED]), _of(slugs), *(_sent_from(domains) if domains else ()))
    )


def _of(slugs: Collection[str]) -> ColumnElement[bool]:
    return true() if len(slugs) > _MANY else _c.provider.in_(slugs)


def _sent_from(domains: Collection[str]) -> list[ColumnElement[bool]]:
    return [true()] if len(domains) > _MANY else [from_domain(domain) for domain in sorted(domains)]


def from_domain(domain: str) -> ColumnElement[bool]:
    """Cases whose sender is at the domain or below it, by the line that the queue shows."""
    return or_(
        _LINE.in_([domain]),
        _LINE.endswith(f"@{domain}", autoescape=True),
        _LINE.endswith(f".{domain}", autoescape=True),
    )


def from_address(address: str) -> ColumnElement[bool]:
    return _LINE.in_([address.lower()])
