"""Who sent a mail, and can we rely on it? One of thirteen verdicts with its evidence in sentences. A pure function
of values.

The verdict decides what is done automatically and what staff are shown. It never drops, delays or refuses a possible
breach notice: that rule is the pipeline's, and nothing here can undo it. How verdicts come about, for
administrators: docs/sender-check.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from intake.domain.address import addresses_in, registrable, to_unicode
from intake.domain.envelope import open_envelope
from intake.domain.forwards import forwarded_senders
from intake.domain.hosts import shared_host
from intake.domain.model import Envelope, Evidence, Provider, SenderCheck, VerdictCode
from intake.domain.registry import Registry, is_own, protected
from intake.domain.results import TrustedResults, read_results
from intake.domain.signatures import DkimResult
from intake.domain.trust import NOBODY, Trust

__all__ = ["Registry", "build_registry", "check_sender", "forwards_something"]

V = VerdictCode


def build_registry(providers: Sequence[Provider]) -> Registry:
    """The register arranged for `check_sender`; build it once per version of the register."""
    return Registry(providers)


@dataclass(slots=True)
class _Case:
    """The mail under check, and what has been found out so far."""

    address: str
    domain: str
    display: str
    reply_to: str | None
    registry: Registry
    today: date
    own: tuple[str, ...]
    standing: str = "none"  # pass, weak, none, fail: how far the From domain is proven
    internal: bool = False
    evidence: list[Evidence] = field(default_factory=list)

    def note(self, code: str, text: str, weight: str = "half") -> None:
        self.evidence.append(Evidence(code, text, weight))


def check_sender(
    envelope: Envelope,
    registry: Registry,
    trust: Trust,
    dkim: DkimResult | None,
    own_domains: Sequence[str],
    today: date,
    inner: Sequence[tuple[Envelope, DkimResult | None]] = (),
) -> SenderCheck:
    """The sender check of one opened mail.

    Args:
        trust: whose results count for this mailbox; `trust.NOBODY` for a file that staff uploaded or attached.
        dkim: our own check of its signatures, None when it carries none.
        own_domains: the Ministry's own domains, A-labels in lower case.
        today: the date in New Zealand, for exceptions with an end date.
        inner: for a staff forward, the mails inside with their own signature checks, outermost first. When it is
        empty and
            the mail holds mails, they are opened here and taken as unsigned.
    Source: design 5 (the thirteen verdicts, first match wins), docs/sender-check.md.
    """
    own = tuple(d.lower() for d in own_domains)
    if envelope.from_address is None or envelope.from_domain is None:
        return _malformed(envelope)
    case = _Case(
        envelope.from_address, envelope.from_domain, envelope.from_display, envelope.reply_to, registry, today, own
    )
    _authenticate(case, read_results(envelope.headers, trust, envelope.from_domain), dkim)
    _signs(case)
    if envelope.automatic or envelope.bounce:
        return _automatic(case, envelope)
    if is_own(case.domain, own):
        return _ours(case, envelope, inner)
    return _outside(case)


def forwards_something(envelope: Envelope, own_domains: Sequence[str]) -> bool:
    """Whether the mails inside must be opened and checked for `check_sender`: it comes from our own side and holds
    mails.
    """
    return bool(envelope.inner) and envelope.from_domain is not None and is_own(envelope.from_domain, own_domains)


# ---- what proves the domain (step 10) ---------------------------------------------------------------------------------


def _authenticate(case: _Case, results: TrustedResults, dkim: DkimResult | None) -> None:
    case.evidence += results.evidence
    case.internal = results.internal
    signed = _own_signatures(case, dkim)
    strong = results.passed and results.strength == "strong"
    weak = results.passed or results.spf or results.guess
    if signed and results.failed:
        case.standing = "weak"
        case.note(
            "disagree",
            "Our own check of the signature passes and the receiving server's check fails, so neither is relied on alone.",
        )
    elif signed or strong or results.internal:
        case.standing = "pass"
    elif results.failed:
        case.standing = "fail"
    elif weak:
        case.standing = "weak"
    if case.standing == "none":
        case.note("no_result", f"Nothing that we can rely on says that {to_unicode(case.domain)} really sent it.", "no")


def _own_signatures(case: _Case, dkim: DkimResult | None) -> bool:
    if dkim is None or not dkim.signatures:
        case.note("dkim_none", "It carries no DKIM signature that we could check ourselves.")
        return False
    for found in dkim.signatures:
        if not found.aligned and found.result == "skipped":
            continue
        why = (" " + " ".join(found.problems)) if found.problems else ""
        name = f"The signature of {to_unicode(found.domain) or 'an unreadable domain'} (selector {found.selector[:60] or 'none'})"
        if found.result == "pass" and found.aligned:
            case.note("dkim_pass", f"{name} holds: we checked it ourselves.{why}", "yes")
        elif found.result == "later":
            case.note("dkim_later", f"{name} could not be checked now.{why}")
        elif found.result == "refused":
            case.note("dkim_refused", f"{name} is not good enough to count.{why}", "no")
        else:
            case.note("dkim_fail", f"{name} does not hold.{why}", "no")
    others = sorted({s.domain for s in dkim.signatures if s.result == "skipped" and s.domain})
    if others:
        case.note(
            "dkim_other",
            f"It is also signed by {', '.join(to_unicode(d) for d in others)[:200]}, which says nothing about this sender.",
        )
    return dkim.passed


def _signs(case: _Case) -> None:
    """Signals in the display name and the address for answers. Information, until a verdict rests on them."""
    for claimed in addresses_in(case.display):
        if claimed.lower() != case.address.lower():
            case.note(
                "display_address",
                f"The sender's name shows another address ({claimed}) than the real one ({case.address}).",
                "no",
            )
            break
    if case.reply_to:
        there = case.reply_to.rpartition("@")[2]
        if (registrable(there) or there) != (registrable(case.domain) or case.domain):
            case.note("reply_to_elsewhere", f"Answers would go to another domain ({to_unicode(there)}).", "half")
            close, how = case.registry.lookalikes.of(there)
            if close and not shared_host(there):
                case.note(
                    "reply_to_lookalike",
                    f"Answers would go to {to_unicode(there)}, which {how}: {to_unicode(close)}.",
                    "no",
                )


# ---- verdicts ---------------------------------------------------------------------------------------------------------


def _malformed(envelope: Envelope) -> SenderCheck:
    problem = envelope.from_problem or "Its From line cannot be read."
    evidence = [Evidence("from_malformed", problem, "no")]
    evidence += [Evidence("mail_note", note) for note in envelope.notes[:5]]
    reason = "The sender line is broken or contradicts itself, so nobody can be taken for the sender."
    return SenderCheck(V.MALFORMED, None, None, None, reason, tuple(evidence))


def _automatic(case: _Case, envelope: Envelope) -> SenderCheck:
    why = envelope.automatic or "A mail server reports that a mail could not be delivered."
    case.note("automatic_header", why, "half")
    slugs = case.registry.by_contact(case.address) or case.registry.by_domain(case.domain)
    if slugs:
        case.note("automatic_from", f"Its domain is registered for {_names(case, slugs)}.")
    return _verdict(case, V.AUTOMATIC, f"No person wrote this to us. {why}", suggested=slugs)


def _ours(case: _Case, envelope: Envelope, inner: Sequence[tuple[Envelope, DkimResult | None]]) -> SenderCheck:
    domain = to_unicode(case.domain)
    if case.standing == "fail":
        return _verdict(case, V.AUTH_FAILED, f"It names our own domain {domain} and fails the check of that domain.")
    if case.standing == "none":
        return _verdict(case, V.UNAUTHENTICATED, f"It names our own domain {domain}, and nobody vouches for it.")
    how = "Exchange Online vouches for the account" if case.internal else "our own domain is proven"
    if case.standing == "weak":
        how = "the proof is weak"
    case.note(
        "own_domain", f"It comes from our own domain {domain}; {how}.", "half" if case.standing == "weak" else "yes"
    )
    check = _inner_check(case, envelope, inner)
    if check is None:
        case.note("nothing_forwarded", "No forwarded mail was found in it.", "half")
        return _verdict(case, V.STAFF_FORWARD, "A colleague sent this, and no forwarded mail was found in it.")
    reason = f"A colleague forwarded this. The sender inside was checked as well: {check.reason[:1].lower()}{check.reason[1:]}"
    outer = _verdict(case, V.STAFF_FORWARD, reason, check.provider, check.suggested)
    return replace(outer, inner=check)


def _inner_check(
    case: _Case, envelope: Envelope, inner: Sequence[tuple[Envelope, DkimResult | None]]
) -> SenderCheck | None:
    mails = list(inner) or [(open_envelope(mail.raw), None) for mail in envelope.inner[:3]]
    fallback: SenderCheck | None = None
    for opened, dkim in mails:
        # what servers wrote on the inner mail stood in a colleague's hands since: only its signature speaks (step 1)
        check = check_sender(opened, case.registry, NOBODY, dkim, (), case.today)
        fallback = fallback or check
        if opened.from_domain and not is_own(opened.from_domain, case.own):
            note = Evidence(
                "forwarded", "A colleague forwarded it as a whole mail; only its own signature counts for the sender."
            )
            return replace(check, evidence=(note, *check.evidence))
    claimed = [m for m in forwarded_senders(envelope.body) if m.domain and not is_own(m.domain, case.own)]
    if not claimed or claimed[0].address is None or claimed[0].domain is None:
        return fallback
    first = claimed[0]
    quoted = _Case(str(first.address), str(first.domain), first.display, None, case.registry, case.today, case.own)
    quoted.note(
        "forwarded_inline",
        "A colleague quoted it in their own mail. The sender is what the quoted lines say, and nothing proves it.",
    )
    _signs(quoted)
    return _outside(quoted)


def _outside(case: _Case) -> SenderCheck:
    exception = case.registry.exception(case.address, case.today)
    slugs = case.registry.by_domain(case.domain)
    contacts = case.registry.by_contact(case.address)
    host = shared_host(case.domain) if not slugs else ""
    if exception and exception[2] and not slugs:
        return _exception(case, exception[0], exception[1].reason, exception[1].until)
    if slugs or (contacts and not host):
        return _registered(case, slugs, contacts)
    if host:
        return _personal(
            case, host, contacts, exception[1].until if exception else "", exception[0] if exception else ""
        )
    return _lookalike(case) or _unknown(case)


def _registered(case: _Case, slugs: tuple[str, ...], contacts: tuple[str, ...]) -> SenderCheck:
    domain = to_unicode(case.domain)
    mine = tuple(slug for slug in contacts if slug in slugs) or contacts
    one = mine[0] if len(mine) == 1 else slugs[0] if len(slugs) == 1 else None
    whose = _names(case, slugs or contacts)
    if slugs:
        case.note("domain_registered", f"{domain} is registered for {whose}.", "yes")
    if len(slugs) > 1 and one is None:
        case.note(
            "domain_shared", f"{domain} serves {len(slugs)} providers, so a person says which one this is.", "half"
        )
    if contacts:
        case.note("contact_registered", f"{case.address} is a registered contact of {_names(case, contacts)}.", "yes")
    suggested = slugs or contacts
    if case.standing == "fail":
        return _verdict(
            case,
            V.AUTH_FAILED,
            f"It names {whose}’s domain {domain} and fails the domain’s own check.",
            None,
            suggested,
        )
    if case.standing == "none":
        return _verdict(
            case, V.UNAUTHENTICATED, f"It names {whose}’s domain {domain}, and nobody vouches for it.", None, suggested
        )
    if case.standing == "weak":
        return _verdict(
            case, V.PROBABLE, f"It looks like {whose}, on weak evidence only.", one, suggested if one is None else ()
        )
    if contacts and len(mine) == 1:
        reason = f"A registered account of {_names(case, mine)} sent this, and {domain} is proven to have sent it."
        return _verdict(case, V.VERIFIED_ACCOUNT, reason, mine[0])
    case.note("person_new", f"{case.address} is not among the registered contacts.", "half")
    if one is None:
        reason = f"It comes from {domain}, which {len(suggested)} providers share. Ask which one it is."
        return _verdict(case, V.VERIFIED_DOMAIN, reason, None, suggested)
    return _verdict(
        case,
        V.VERIFIED_DOMAIN,
        f"It comes from {_names(case, (one,))}’s domain {domain}. The person is new to us.",
        one,
    )


def _exception(case: _Case, slug: str, why: str, until: str) -> SenderCheck:
    name = case.registry.name(slug)
    case.note("exception", f"{case.address} is accepted for {name} until {until}: {why.rstrip('.')}.", "yes")
    case.note("key_gap", "It is not an account that the provider controls (control L1-EMAIL-01).", "half")
    if case.standing == "fail":
        return _verdict(
            case,
            V.AUTH_FAILED,
            f"It names an address that is accepted for {name}, and fails its host’s own check.",
            None,
            (slug,),
        )
    if case.standing == "none":
        return _verdict(
            case,
            V.UNAUTHENTICATED,
            f"It names an address that is accepted for {name}, and nobody vouches for it.",
            None,
            (slug,),
        )
    if case.standing == "weak":
        return _verdict(
            case, V.PROBABLE, f"It looks like the address that is accepted for {name}, on weak evidence only.", slug
        )
    reason = f"A registered exception at a shared host, for {name}, until {until}."
    return _verdict(case, V.EXCEPTION_ADDRESS, reason, slug)


def _personal(case: _Case, host: str, contacts: tuple[str, ...], ended: str, ended_for: str) -> SenderCheck:
    domain = to_unicode(case.domain)
    case.note("shared_host", f"{domain} is {host}: no provider controls accounts there.", "no")
    suggested = contacts
    if ended:
        case.note("exception_ended", f"The exception for this address ended on {ended}.", "no")
        suggested = suggested or (ended_for,)
    if contacts:
        case.note(
            "contact_at_shared_host",
            f"The address is a contact of {_names(case, contacts)}, and not one that the provider controls.",
        )
    if suggested:
        case.note(
            "finding",
            "To be noted for the provider: work is done from an account that it does not control (control L1-EMAIL-02).",
        )
    named = case.registry.named_in(case.display)
    if named:
        case.note("display_names_provider", f"The sender’s name holds the name of {_names(case, named)}.", "half")
    reason = f"A personal account ({domain}). We answer to the registered contact, not here."
    return _verdict(case, V.PERSONAL_ACCOUNT, reason, None, tuple(dict.fromkeys((*suggested, *named))))


def _lookalike(case: _Case) -> SenderCheck | None:
    domain = to_unicode(case.domain)
    close, how = case.registry.lookalikes.of(case.domain)
    if close:
        slugs = case.registry.by_domain(close)
        case.note("lookalike", f"{domain} is not {to_unicode(close)}, and {how}.", "no")
        return _verdict(
            case,
            V.LOOKALIKE,
            f"Close to {_names(case, slugs)}’s domain {to_unicode(close)}, and not theirs.",
            None,
            slugs,
        )
    ours, how = protected(case.own).of(case.domain)
    if ours:
        case.note("lookalike_ours", f"{domain} is not our own domain {to_unicode(ours)}, and {how}.", "no")
        return _verdict(case, V.LOOKALIKE, f"Close to our own domain {to_unicode(ours)}, and not ours.")
    return _imitation(case)


def _imitation(case: _Case) -> SenderCheck | None:
    """A display name or address for answers that plays a provider, from a domain that is nobody's."""
    for claimed in addresses_in(case.display):
        host = claimed.rpartition("@")[2]
        slugs = case.registry.by_contact(claimed) or case.registry.by_domain(host)
        if slugs or is_own(host, case.own):
            who = _names(case, slugs) if slugs else "the Ministry"
            return _verdict(
                case,
                V.LOOKALIKE,
                f"The sender’s name shows an address of {who}; the real address is not theirs.",
                None,
                slugs,
            )
    named = case.registry.named_in(case.display)
    if named:
        case.note(
            "display_names_provider",
            f"The sender’s name holds the name of {_names(case, named)}, and the domain is not theirs.",
            "no",
        )
        return _verdict(
            case,
            V.LOOKALIKE,
            f"It uses the name of {_names(case, named)}, from a domain that is not theirs.",
            None,
            named,
        )
    if case.reply_to:
        there = case.reply_to.rpartition("@")[2]
        close, how = case.registry.lookalikes.of(there)
        if close and not shared_host(there):
            slugs = case.registry.by_domain(close)
            return _verdict(
                case,
                V.LOOKALIKE,
                f"Answers would go to {to_unicode(there)}, which {how} ({to_unicode(close)}).",
                None,
                slugs,
            )
    return None


def _unknown(case: _Case) -> SenderCheck:
    domain = to_unicode(case.domain)
    case.note("domain_unknown", f"{domain} belongs to no provider in our register.", "no")
    suggested: tuple[str, ...] = ()
    if case.reply_to:
        suggested = case.registry.by_domain(case.reply_to.rpartition("@")[2])
        if suggested:
            case.note("reply_to_provider", f"Answers would go to {_names(case, suggested)}.", "half")
    if case.standing == "pass":
        return _verdict(
            case, V.UNKNOWN_DOMAIN, f"A real domain ({domain}) that belongs to no provider we know.", None, suggested
        )
    return _verdict(
        case, V.UNKNOWN_UNVERIFIED, f"Nobody’s domain ({domain}), and nobody vouches for it.", None, suggested
    )


def _names(case: _Case, slugs: Sequence[str]) -> str:
    names = [case.registry.name(slug) for slug in slugs[:4]]
    return " or ".join(names) if names else "a provider"


def _verdict(
    case: _Case, verdict: VerdictCode, reason: str, provider: str | None = None, suggested: Sequence[str] = ()
) -> SenderCheck:
    return SenderCheck(verdict, case.address, case.domain, provider, reason, tuple(case.evidence), tuple(suggested))
