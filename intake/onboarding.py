"""Whose is a domain? What staff look at, who registers it and how they know, and who agrees to an exception.

A domain that somebody proved (a call to the number in the register, a file, a record in its DNS) is registered by one person. An
address at a shared host is an exception: one person proposes it with a reason and an end, and another one with the right agrees.
Both stand in the history of the register, and the senders of open cases are checked again in the same transaction.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol

from intake.domain import nz_words
from intake.domain.address import normalise_domain, registrable, to_unicode
from intake.domain.domain_records import DomainRecords
from intake.domain.domain_report import token_found
from intake.domain.hosts import shared_host, shared_tenant_suffixes
from intake.domain.model import ExceptionAddress, Provider, Status, VerdictCode
from intake.domain.registry import Registry, is_own, protected
from intake.domain.roles import REGISTRARS, WORKERS
from intake.domain.routing import ACCEPTED
from intake.ports import Clock, Registration, RegistryStore, SenderCase, Staff
from intake.registry_file import stated_address
from intake.triage import NotNow, words_of

METHODS: Mapping[str, str] = {
    "phone": "A call to the number in our register",
    "contract": "A file: the contract, or a letter on paper",
    "dns": "A record in the domain’s DNS",
}
LONGEST_EXCEPTION = timedelta(days=366)
OLDEST_PROOF = timedelta(days=366)
_WRAPPED = re.compile(r"^(?:mailto:|https?://)?(?:.*<)?([^<>/?\s]+)(?:>|[/?].*)?$", re.I | re.S)


class Desk(Protocol):
    """What the acts work with."""

    @property
    def store(self) -> RegistryStore: ...

    @property
    def clock(self) -> Clock: ...


def may_register(staff: Staff) -> bool:
    return staff.active and staff.role in REGISTRARS


def may_propose(staff: Staff) -> bool:
    return staff.active and staff.role in WORKERS


# ---- looking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """A domain or an address that somebody pasted, held against the register."""

    domain: str  # what would be registered, as A-labels: what somebody once registered, whatever stood before it
    address: str = ""  # when an address was pasted
    below: str = ""  # the longer name that was pasted, when it is another one
    shared: str = ""  # what kind of shared host it is, in words
    refusal: str = ""  # why it can never be a provider's domain
    owners: tuple[str, ...] = ()  # slugs of the providers that have it
    close_to: str = ""  # a registered domain, or ours, that looks like it
    close_how: str = ""
    close_owners: tuple[str, ...] = ()  # none: the domain is ours

    @property
    def doubtful(self) -> bool:
        """Whether a person must say that they are sure: it looks like somebody else's, or is."""
        return bool(self.close_to or self.owners)


def look(registry: Registry, own_domains: Sequence[str], text: str) -> Look:
    """What was pasted, as a domain or an address. NotNow when it is neither."""
    bare = text.strip()[:400]
    found = _WRAPPED.match(bare)
    bare = found[1] if found else bare
    address = (stated_address(bare) or "") if "@" in bare else ""
    typed = normalise_domain(bare.rpartition("@")[2].lower(), True)
    if typed is None or "." not in typed or ("@" in bare and not address):
        raise NotNow("Write a domain like trust.org.nz, or an address like office@trust.org.nz.")
    owner = registrable(typed)
    if owner is None:
        return Look(
            typed, address, refusal=f"Anybody registers names below {to_unicode(typed)}: it belongs to nobody alone."
        )
    own = tuple(normalise_domain(d.lower(), True) or d.lower() for d in own_domains)
    if is_own(typed, own) or owner in own:
        return Look(owner, address, refusal=f"{to_unicode(owner)} is the Ministry’s own domain.")
    tenant = typed.endswith(tuple("." + suffix for suffix in shared_tenant_suffixes()))
    shared = "" if tenant else shared_host(typed)
    if shared:
        return Look(owner, address, shared=shared, refusal=f"{to_unicode(owner)} is {shared}: no provider controls it.")
    below = typed if typed != owner else ""
    owners = registry.by_domain(typed)
    close, how = registry.lookalikes.of(owner)
    if close:
        return Look(owner, address, below, "", "", owners, close, how, registry.by_domain(close))
    ours, how = protected(own).of(owner)
    return Look(owner, address, below, "", "", owners, ours, how if ours else "")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open cases of a sender, and what would become of those that are in doubt if it were registered."""

    cases: int
    verified: int  # the domain is proven
    probable: int  # on weak evidence
    failed: int  # it fails the domain's own check
    unproven: int  # nothing proves it: a person still calls back
    opened: int  # of the first two: held now


_NEVER = (VerdictCode.MALFORMED, VerdictCode.AUTOMATIC, VerdictCode.STAFF_FORWARD)


def backlog(cases: Sequence[SenderCase]) -> Backlog:
    """What registering the sender of these cases would come to, by how far each of them was proven when it came."""
    may = [c for c in cases if c.row.verdict not in _NEVER and c.row.verdict not in ACCEPTED]
    return Backlog(
        cases=len(cases),
        verified=sum(c.standing == "pass" for c in may),
        probable=sum(c.standing == "weak" for c in may),
        failed=sum(c.standing == "fail" for c in may),
        unproven=sum(c.standing in ("none", "") for c in may),
        opened=sum(c.row.status == Status.HELD and c.standing in ("pass", "weak") for c in may),
    )


def token_for(secret: bytes, domain: str) -> str:
    """The text that the owner of a domain puts into its DNS; the same each time, and nobody else's for another domain."""
    made = hmac.new(secret, b"domain token\0" + domain.encode(), hashlib.sha256).digest()[:15]
    return f"provider-intake={base64.b32encode(made).decode().lower()}"


def refused(file: Sequence[Provider], own_domains: Sequence[str]) -> str:
    """Whose domain in a file can never be a provider's, and why; "" when each may be. The page for registering refuses the same."""
    for provider in file:
        for domain in provider.domains:
            if refusal := look(Registry(()), own_domains, domain).refusal:
                return f"{provider.slug}: {refusal}"
    return ""


def left_out(
    registered: Sequence[Registration], now: Sequence[Provider], file: Sequence[Provider]
) -> tuple[Registration, ...]:
    """What people registered, still stands in the register, and is missing in a file that replaces whole providers."""
    stands, named = ({p.slug: _subjects(p) for p in providers} for providers in (now, file))
    return tuple(
        r
        for r in registered
        if r.subject in stands.get(r.provider, ()) and r.subject not in named.get(r.provider, (r.subject,))
    )


def with_registered(provider: Provider, left: Sequence[Registration]) -> Provider:
    """A provider of a file with what people registered for it beside."""
    own = [r for r in left if r.provider == provider.slug]
    domains = tuple(r.subject for r in own if r.kind == "domain")
    exceptions = tuple(ExceptionAddress(r.subject, r.words, r.until) for r in own if r.kind == "exception")
    return replace(provider, domains=(*provider.domains, *domains), exceptions=(*provider.exceptions, *exceptions))


def _subjects(provider: Provider) -> frozenset[str]:
    return frozenset((*provider.domains, *(e.address for e in provider.exceptions)))


# ---- registering a domain ---------------------------------------------------------------------------------------------


def register_domain(
    desk: Desk,
    staff: Staff,
    found: Look,
    slug: str,
    method: str,
    proven_on: str,
    words: str,
    sure: bool = False,
    records: DomainRecords | None = None,
    token: str = "",
) -> int:
    """Put a domain into the register for a provider; the number of the entry.

    proven_on: YYYY-MM-DD, when somebody proved it; of the method dns it is today. words: whom they spoke to, or which file.
    records, token: what DNS says now, and what it has to say, for the method dns. Conflict when the provider has it already.
    """
    if not may_register(staff):
        raise NotNow("A privacy lead or a manager registers a domain.")
    if found.refusal:
        raise NotNow(found.refusal)
    provider = _provider(desk, slug)
    if slug in found.owners:
        raise NotNow(f"{to_unicode(found.domain)} stands in the register for {provider.name} already.")
    if found.doubtful and not sure:
        raise NotNow("It looks like somebody else’s, or is. Tick that you are sure, after you have spoken with them.")
    today = nz_words.local(desk.clock()).date()
    if method not in METHODS:
        raise NotNow("Choose how it was proven.")
    if method == "phone" and not provider.phone:
        raise NotNow(
            f"There is no number for {provider.name} in the register, so a call proves nothing. Choose another way."
        )
    if method == "dns":
        if not token_found(records, token):
            raise NotNow("The record is not in its DNS, or DNS gave no answer. It may take an hour to show there.")
        proven_on, words = today.isoformat(), words or f"The record stands in its DNS: {token}"
    said = words_of(words, "Say whom you spoke to, or which file it is, so that it can be found again.")
    new = Registration(
        kind="domain",
        provider=slug,
        subject=found.domain,
        words=said,
        proposed_by=staff.address,
        method=method,
        proven_on=_proven(proven_on, today),
    )
    return desk.store.register(new)


def _provider(desk: Desk, slug: str) -> Provider:
    provider = desk.store.provider(slug)
    if provider is None:
        raise NotNow("Choose a provider of the register.")
    return provider


def _proven(text: str, today: date) -> str:
    day = _day(text, "Write the day on which it was proven.")
    if not today - OLDEST_PROOF <= day <= today:
        raise NotNow("The day on which it was proven lies within the last twelve months.")
    return day.isoformat()


def _day(text: str, missing: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise NotNow(f"{missing} Write it like 2026-11-23.") from None


# ---- exceptions: two people -------------------------------------------------------------------------------------------


def propose_exception(desk: Desk, staff: Staff, found: Look, slug: str, reason: str, until: str) -> int:
    """Ask a second person to accept an exact address at a shared host, for a while; the number of the proposal."""
    if not may_propose(staff):
        raise NotNow("Whoever works on cases may propose an exception.")
    if not found.address or not found.shared:
        raise NotNow(
            "An exception is for an exact address at a shared host. A domain of their own is registered instead."
        )
    if "throw-away" in found.shared:
        raise NotNow("An address at a host for throw-away addresses is read by anybody. It cannot be an exception.")
    _provider(desk, slug)
    today = nz_words.local(desk.clock()).date()
    end = _day(until, "Write the day on which the exception ends.")
    if not today < end <= today + LONGEST_EXCEPTION:
        raise NotNow("The exception ends after today, and within twelve months.")
    said = words_of(reason, "Say why this provider cannot write from a domain of its own yet.")
    new = Registration("exception", slug, found.address, said, staff.address, until=end.isoformat())
    return desk.store.propose(new)


def agree(desk: Desk, staff: Staff, proposal: Registration, words: str = "") -> Registration:
    """The second person agrees, and it stands in the register."""
    _second(staff, proposal)
    if proposal.until <= nz_words.local(desk.clock()).date().isoformat():
        raise NotNow("The end of this exception has passed. Propose it again with a new one.")
    return desk.store.decide(proposal.id, staff.address, "registered", words.strip())


def refuse(desk: Desk, staff: Staff, proposal: Registration, reason: str) -> Registration:
    """The second person does not agree, with a reason."""
    _second(staff, proposal)
    return desk.store.decide(proposal.id, staff.address, "refused", words_of(reason, "Say why you do not agree."))


def withdraw(desk: Desk, staff: Staff, proposal: Registration) -> Registration:
    """Whoever proposed it takes it back."""
    _still_open(proposal)
    if proposal.proposed_by != staff.address:
        raise NotNow("Only the person who proposed it takes it back.")
    return desk.store.decide(proposal.id, staff.address, "withdrawn", "")


def _second(staff: Staff, proposal: Registration) -> None:
    _still_open(proposal)
    if proposal.proposed_by == staff.address:
        raise NotNow("You proposed this yourself. Another person must decide.")
    if not may_register(staff):
        raise NotNow("A privacy lead or a manager decides about an exception.")


def _still_open(proposal: Registration) -> None:
    if proposal.state != "proposed":
        raise NotNow("This was decided already.")
