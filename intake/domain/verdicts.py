"""The verdict on a sender outside of the Ministry, once it is known how far the From domain is proven. First match
wins.
"""

from __future__ import annotations

from intake.domain.address import addresses_in, to_unicode
from intake.domain.hosts import shared_host
from intake.domain.model import SenderCheck
from intake.domain.model import VerdictCode as V
from intake.domain.registry import is_own, protected
from intake.domain.sender_case import Case

HOST_CHECK_FAILED = "host_check_failed"  # evidence that a personal account is a forged one: its owner is not told


def outside(case: Case) -> SenderCheck:
    exception = case.registry.exception(case.address, case.today)
    slugs = case.registry.by_domain(case.domain)
    contacts = case.registry.by_contact(case.address)
    host = shared_host(case.domain) if not slugs else ""
    if exception and exception[2] and not slugs:
        return _exception(case, exception[1].reason, exception[1].until)
    if slugs or (contacts and not host):
        return _registered(case, slugs, contacts)
    if host:
        return _personal(
            case, host, contacts, exception[1].until if exception else "", exception[0] if exception else ""
        )
    return _lookalike(case) or _unknown(case)


def _registered(case: Case, slugs: tuple[str, ...], contacts: tuple[str, ...]) -> SenderCheck:
    domain, whose = to_unicode(case.domain), case.names(slugs or contacts)
    mine = tuple(slug for slug in contacts if slug in slugs) or contacts
    candidates = mine or slugs
    one = candidates[0] if len(candidates) == 1 else None
    suggested = () if one and case.standing in ("pass", "weak") else candidates
    if slugs:
        case.note("domain_registered", f"{domain} is registered for {whose}.", "yes")
    if contacts:
        case.note("contact_registered", f"{case.address} is a registered contact of {case.names(contacts)}.", "yes")
    if one is None:
        case.note("several_providers", f"It may be any of {len(candidates)} providers, so a person says which.", "half")
    if case.standing == "fail":
        reason = f"It names {whose}’s domain {domain} and fails the domain’s own check."
        return case.verdict(V.AUTH_FAILED, reason, None, suggested)
    if case.standing == "none":
        reason = f"It names {whose}’s domain {domain}, and nobody vouches for it."
        return case.verdict(V.UNAUTHENTICATED, reason, None, suggested)
    if case.standing == "weak":
        return case.verdict(V.PROBABLE, f"It looks like {whose}, on weak evidence only.", one, suggested)
    if contacts and one:
        reason = f"A registered account of {case.names((one,))} sent this, and {domain} is proven to have sent it."
        return case.verdict(V.VERIFIED_ACCOUNT, reason, one)
    if not contacts:
        case.note("person_new", f"{case.address} is not among the registered contacts.", "half")
    if one is None:
        reason = f"It comes from {domain}, which {len(candidates)} providers share. Ask which one it is."
        return case.verdict(V.VERIFIED_DOMAIN, reason, None, suggested)
    reason = f"It comes from {case.names((one,))}’s domain {domain}. The person is new to us."
    return case.verdict(V.VERIFIED_DOMAIN, reason, one)


def _exception(case: Case, why: str, until: str) -> SenderCheck:
    slugs = case.registry.accepted_for(case.address, case.today)
    name, one = case.names(slugs), slugs[0] if len(slugs) == 1 else None
    case.note("exception", f"{case.address} is accepted for {name} until {until}: {why.rstrip('.')}.", "yes")
    case.note("key_gap", "It is not an account that the provider controls (control L1-EMAIL-01).", "half")
    if one is None:
        case.note("several_providers", f"It may be any of {len(slugs)} providers, so a person says which.", "half")
    if case.standing == "fail":
        reason = f"It names an address that is accepted for {name}, and fails its host’s own check."
        return case.verdict(V.AUTH_FAILED, reason, None, slugs)
    if case.standing == "none":
        reason = f"It names an address that is accepted for {name}, and nobody vouches for it."
        return case.verdict(V.UNAUTHENTICATED, reason, None, slugs)
    suggested = () if one else slugs
    if case.standing == "weak":
        reason = f"It looks like the address that is accepted for {name}, on weak evidence only."
        return case.verdict(V.PROBABLE, reason, one, suggested)
    reason = f"A registered exception at a shared host, for {name}, until {until}."
    return case.verdict(V.EXCEPTION_ADDRESS, reason, one, suggested)


def _personal(case: Case, host: str, contacts: tuple[str, ...], ended: str, ended_for: str) -> SenderCheck:
    domain = to_unicode(case.domain)
    case.note("shared_host", f"{domain} is {host}: no provider controls accounts there.", "no")
    failed = case.standing == "fail"
    if failed:
        case.note(HOST_CHECK_FAILED, f"It fails {domain}’s own check, so somebody else may have written it.", "no")
    suggested = contacts
    if ended:
        case.note("exception_ended", f"The exception for this address ended on {ended}.", "no")
        suggested = suggested or (ended_for,)
    if contacts:
        case.note(
            "contact_at_shared_host",
            f"The address is a contact of {case.names(contacts)}, and not one that the provider controls.",
        )
    named = case.registry.named_in(case.display)
    if suggested or named:
        case.note(
            "finding",
            "To be noted for the provider: work is done from an account that it does not control (control L1-EMAIL-02).",
        )
    if named:
        case.note("display_names_provider", f"The sender’s name holds the name of {case.names(named)}.", "half")
    proof = ", and it fails that host’s own check" if failed else ""
    reason = f"A personal account ({domain}){proof}. We answer to the registered contact, not here."
    return case.verdict(V.PERSONAL_ACCOUNT, reason, None, tuple(dict.fromkeys((*suggested, *named))))


def _lookalike(case: Case) -> SenderCheck | None:
    domain = to_unicode(case.domain)
    close, how = case.registry.lookalikes.of(case.domain)
    if close:
        slugs = case.registry.by_domain(close)
        case.note("lookalike", f"{domain} is not {to_unicode(close)}, and {how}.", "no")
        return case.verdict(
            V.LOOKALIKE,
            f"Close to {case.names(slugs)}’s domain {to_unicode(close)}, and not theirs.",
            None,
            slugs,
        )
    ours, how = protected(case.own).of(case.domain)
    if ours:
        case.note("lookalike_ours", f"{domain} is not our own domain {to_unicode(ours)}, and {how}.", "no")
        return case.verdict(V.LOOKALIKE, f"Close to our own domain {to_unicode(ours)}, and not ours.")
    return _imitation(case)


def _imitation(case: Case) -> SenderCheck | None:
    """A display name or address for answers that plays a provider, from a domain that is nobody's."""
    for claimed in addresses_in(case.display):
        host = claimed.rpartition("@")[2]
        slugs = case.registry.by_contact(claimed) or case.registry.by_domain(host)
        if slugs or is_own(host, case.own):
            who = case.names(slugs) if slugs else "the Ministry"
            return case.verdict(
                V.LOOKALIKE,
                f"The sender’s name shows an address of {who}; the real address is not theirs.",
                None,
                slugs,
            )
    named = case.registry.named_in(case.display)
    if named:
        case.note(
            "display_names_provider",
            f"The sender’s name holds the name of {case.names(named)}, and the domain is not theirs.",
            "no",
        )
        return case.verdict(
            V.LOOKALIKE,
            f"It uses the name of {case.names(named)}, from a domain that is not theirs.",
            None,
            named,
        )
    if case.reply_to:
        there = case.reply_to.rpartition("@")[2]
        close, how = case.registry.lookalikes.of(there)
        if close and not shared_host(there):
            slugs = case.registry.by_domain(close)
            return case.verdict(
                V.LOOKALIKE,
                f"Answers would go to {to_unicode(there)}, which {how} ({to_unicode(close)}).",
                None,
                slugs,
            )
    return None


def _unknown(case: Case) -> SenderCheck:
    domain = to_unicode(case.domain)
    case.note("domain_unknown", f"{domain} belongs to no provider in our register.", "no")
    suggested: tuple[str, ...] = ()
    if case.reply_to:
        suggested = case.registry.by_domain(case.reply_to.rpartition("@")[2])
        if suggested:
            case.note("reply_to_provider", f"Answers would go to {case.names(suggested)}.", "half")
    if case.standing == "pass":
        return case.verdict(
            V.UNKNOWN_DOMAIN, f"A real domain ({domain}) that belongs to no provider we know.", None, suggested
        )
    return case.verdict(
        V.UNKNOWN_UNVERIFIED, f"Nobody’s domain ({domain}), and nobody vouches for it.", None, suggested
    )
