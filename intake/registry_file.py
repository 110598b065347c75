"""The register of providers as a CSV file (contract: design section 5), read strictly.

Header: slug,name,services,relationship_manager,domains,contacts,exceptions,phone. Lists inside a cell are split by `;`; a contact
is an address or `Name <address>`; an exception is address|reason|YYYY-MM-DD.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date

from intake.domain.address import normalise_domain
from intake.domain.errors import CannotRead
from intake.domain.model import Contact, ExceptionAddress, Provider

HEADER = ("slug", "name", "services", "relationship_manager", "domains", "contacts", "exceptions", "phone")
_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_NAMED = re.compile(r"^\s*(.*?)\s*<([^<>]+)>\s*$")


def read_registry(text: str, name: str = "the file") -> tuple[Provider, ...]:
    """All providers of the file, or none: the first mistake stops it.

    Raises: CannotRead naming file, line and reason.
    """
    rows = csv.reader(io.StringIO(text))
    try:
        return _providers([(rows.line_num, cells) for cells in rows], name)
    except csv.Error as error:
        raise CannotRead(f"{name}, line {rows.line_num}: {error}") from error


def _providers(rows: list[tuple[int, list[str]]], name: str) -> tuple[Provider, ...]:
    header = tuple(cell.strip() for cell in rows[0][1]) if rows else ()
    if header != HEADER:
        raise CannotRead(f"{name}, line 1: the header must be {','.join(HEADER)}")
    providers: dict[str, Provider] = {}
    for line, cells in rows[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{name}, line {line}"
        if len(cells) != len(HEADER):
            raise CannotRead(f"{where}: {len(cells)} cells where {len(HEADER)} belong")
        provider = _provider(dict(zip(HEADER, cells, strict=True)), where)
        if provider.slug in providers:
            raise CannotRead(f"{where}: the slug “{provider.slug}” stands there twice")
        providers[provider.slug] = provider
    return tuple(providers.values())


def _provider(row: dict[str, str], where: str) -> Provider:
    slug = row["slug"].strip()
    if not _SLUG.match(slug):
        raise CannotRead(f"{where}: “{slug}” is no slug; use small letters, digits and dashes")
    if not row["name"].strip():
        raise CannotRead(f"{where}: the name is empty")
    return Provider(
        slug=slug,
        name=row["name"].strip(),
        services=tuple(_list(row["services"])),
        relationship_manager=row["relationship_manager"].strip(),
        domains=tuple(_domain(d, where) for d in _list(row["domains"])),
        contacts=tuple(_contact(c, where) for c in _list(row["contacts"])),
        exceptions=tuple(_exception(e, where) for e in _list(row["exceptions"])),
        phone=row["phone"].strip(),
    )


def _list(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _domain(text: str, where: str) -> str:
    domain = normalise_domain(text.lower())
    if domain is None or "." not in domain:
        raise CannotRead(f"{where}: “{text}” is not a domain")
    return domain


def stated_address(text: str) -> str | None:
    """An address that a person of ours typed, its domain as A-labels; None when it is none."""
    local, at, domain = text.strip().rpartition("@")
    normal = normalise_domain(domain.lower()) if at and _LOCAL.fullmatch(local) else None
    return f"{local}@{normal}" if normal and "." in normal else None


def _address(text: str, where: str) -> str:
    address = stated_address(text)
    if address is None:
        raise CannotRead(f"{where}: “{text}” is not an email address")
    return address


def _contact(text: str, where: str) -> Contact:
    named = _NAMED.match(text)
    return Contact(_address(named[2], where), named[1].strip(' "')) if named else Contact(_address(text, where))


def _exception(text: str, where: str) -> ExceptionAddress:
    parts = [p.strip() for p in text.split("|")]
    if len(parts) != 3 or not parts[1]:
        raise CannotRead(f"{where}: an exception is address|reason|YYYY-MM-DD, not “{text}”")
    try:
        date.fromisoformat(parts[2])
    except ValueError:
        raise CannotRead(f"{where}: “{parts[2]}” is not a date like 2027-03-31") from None
    return ExceptionAddress(_address(parts[0], where), parts[1], parts[2])
