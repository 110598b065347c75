"""Who sent a mail, and can we rely on it? One of thirteen verdicts with its evidence in sentences. A pure function
of values.

The verdict decides what is done automatically and what staff are shown. It never drops, delays or refuses a possible
breach notice: that rule is the pipeline's, and nothing here can undo it. How verdicts come about, for
administrators: docs/sender-check.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from intake.domain import nz_words
from intake.domain.address import addresses_in, normalise_domain, registrable, to_unicode
from intake.domain.arc import arc_sentence
from intake.domain.envelope import open_envelope
from intake.domain.forwards import forwarded_senders
from intake.domain.hosts import shared_host
from intake.domain.model import Envelope, Evidence, Provider, SenderCheck
from intake.domain.model import VerdictCode as V
from intake.domain.own_checks import NOT_LOOKED_AT, OwnChecks
from intake.domain.registry import Registry, is_own
from intake.domain.results import read_results
from intake.domain.sender_case import Case
from intake.domain.signatures import DkimResult
from intake.domain.standing import authenticate
from intake.domain.trust import NOBODY, Trust
from intake.domain.verdicts import outside

_OLD = timedelta(days=30)
NOT_CHECKED = frozenset({"own_later", "dkim_later", "own_spf_temperror", "own_dmarc_later", "own_dmarc_temperror"})

__all__ = ["Registry", "build_registry", "check_again", "check_sender", "forwards_something"]


def build_registry(providers: Sequence[Provider]) -> Registry:
    """The register arranged for `check_sender`; build it once per version of the register."""
    return Registry(providers)


def check_sender(
    envelope: Envelope,
    registry: Registry,
    trust: Trust,
    own_checks: OwnChecks | None,
    own_domains: Sequence[str],
    today: date,
    inner: Sequence[tuple[Envelope, DkimResult | None]] = (),
) -> SenderCheck:
    """The sender check of one opened mail.

    Args:
        trust: whose results count for this mailbox; `trust.NOBODY` for a file that staff uploaded or attached.
        own_checks: what we found out ourselves from its bytes, None when nothing was looked at.
        own_domains: the Ministry's own domains, with or without macrons.
        today: the date in New Zealand, for exceptions with an end date.
        inner: for a staff forward, the mails inside with their own signature checks, outermost first. When it is
        empty and
            the mail holds mails, they are opened here and taken as unsigned.
    Source: design 5 (the thirteen verdicts, first match wins), docs/sender-check.md.
    """
    case = _case(envelope, registry, own_domains, today)
    if case is None:
        return _malformed(envelope)
    authenticate(case, read_results(envelope.headers, trust, envelope.from_domain), own_checks or NOT_LOOKED_AT)
    forwarded_by = arc_sentence(envelope.headers)
    if forwarded_by:
        case.note("arc", forwarded_by)
    case.proof = len(case.evidence)
    return _judged(case, envelope, inner)


def check_again(
    envelope: Envelope, before: SenderCheck, registry: Registry, own_domains: Sequence[str], today: date
) -> SenderCheck | None:
    """The verdict as the register stands now, on what was proven when the mail came: a key that was published then may be gone now,
    and what it signed stays signed.

    before: what was found then. None when that is not enough, and `check_sender` must look anew: nothing was kept about the
    proof, a part of it could not be checked, or it is a colleague's forward.
    """
    case = _case(envelope, registry, own_domains, today)
    if case is None or not before.standing or is_own(case.domain, case.own):
        return None
    proof = before.evidence[: before.proof]
    if before.standing != "pass" and any(e.code in NOT_CHECKED for e in proof):
        return None
    case.standing, case.evidence, case.proof = before.standing, list(proof), before.proof
    return _judged(case, envelope, ())


def _case(envelope: Envelope, registry: Registry, own_domains: Sequence[str], today: date) -> Case | None:
    if envelope.from_address is None or envelope.from_domain is None:
        return None
    own = tuple(normalise_domain(d.lower(), True) or d.lower() for d in own_domains)
    return Case(
        envelope.from_address, envelope.from_domain, envelope.from_display, envelope.reply_to, registry, today, own
    )


def _judged(case: Case, envelope: Envelope, inner: Sequence[tuple[Envelope, DkimResult | None]]) -> SenderCheck:
    """The verdict on a mail of which it is known how far its domain is proven."""
    _signs(case)
    _written(case, envelope.sent_at, case.today)
    if envelope.automatic or envelope.bounce:
        return _automatic(case, envelope)
    if is_own(case.domain, case.own):
        return _ours(case, envelope, inner)
    return outside(case)


def forwards_something(envelope: Envelope, own_domains: Sequence[str]) -> bool:
    """Whether the mails inside must be opened and checked for `check_sender`: it comes from our own side and holds
    mails.
    """
    return bool(envelope.inner) and envelope.from_domain is not None and is_own(envelope.from_domain, own_domains)


# ---- signals ----------------------------------------------------------------------------------------------------------


def _signs(case: Case) -> None:
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


def _written(case: Case, sent_at: datetime | None, today: date) -> None:
    """A signature says who wrote a mail, and not who sent it here now."""
    if sent_at and today - sent_at.date() > _OLD:
        when = nz_words.full(sent_at)
        case.note(
            "old_date", f"It was written on {when}. Whoever holds an old mail can send it again as it was.", "half"
        )


# ---- verdicts ---------------------------------------------------------------------------------------------------------


def _malformed(envelope: Envelope) -> SenderCheck:
    problem = envelope.from_problem or "Its From line cannot be read."
    evidence = [Evidence("from_malformed", problem, "no")]
    evidence += [Evidence("mail_note", note) for note in envelope.notes[:5]]
    reason = "The sender line is broken or contradicts itself, so nobody can be taken for the sender."
    return SenderCheck(V.MALFORMED, None, None, None, reason, tuple(evidence))


def _automatic(case: Case, envelope: Envelope) -> SenderCheck:
    why = envelope.automatic or "A mail server reports that a mail could not be delivered."
    case.note("automatic_header", why, "half")
    slugs = case.registry.by_contact(case.address) or case.registry.by_domain(case.domain)
    if slugs:
        case.note("automatic_from", f"Its domain is registered for {case.names(slugs)}.")
    return case.verdict(V.AUTOMATIC, f"No person wrote this to us. {why}", suggested=slugs)


def _ours(case: Case, envelope: Envelope, inner: Sequence[tuple[Envelope, DkimResult | None]]) -> SenderCheck:
    domain = to_unicode(case.domain)
    check = _inner_check(case, envelope, inner)
    suggested = () if check is None else (*(s for s in (check.provider,) if s), *check.suggested)
    if case.standing == "fail":
        reason = f"It names our own domain {domain} and fails the check of that domain."
        return replace(case.verdict(V.AUTH_FAILED, reason, None, suggested), inner=check)
    if case.standing == "none":
        reason = f"It names our own domain {domain}, and nobody vouches for it."
        return replace(case.verdict(V.UNAUTHENTICATED, reason, None, suggested), inner=check)
    how = {True: "it never was outside", False: "the domain is proven"}[case.internal]
    if case.standing == "weak":
        how = "the proof is weak"
    case.note(
        "own_domain", f"It comes from our own domain {domain}; {how}.", "half" if case.standing == "weak" else "yes"
    )
    if check is None:
        case.note("nothing_forwarded", "No forwarded mail was found in it.", "half")
        return case.verdict(V.STAFF_FORWARD, "A colleague sent this, and no forwarded mail was found in it.")
    reason = f"A colleague forwarded this. The mail inside: {check.reason}"
    if case.standing == "weak":  # whoever forged the colleague chose the mail inside, and what stands around it
        return replace(case.verdict(V.STAFF_FORWARD, reason, None, suggested), inner=check)
    return replace(case.verdict(V.STAFF_FORWARD, reason, check.provider, check.suggested), inner=check)


def _holds_more(around: Sequence[Envelope], case: Case) -> bool:
    """Whether something stands around a forwarded mail that its signature does not cover: files, words that are quoted, or a
    mail that names our own domain and that nobody vouches for.
    """
    claimed = (m.domain for mail in around for m in forwarded_senders(mail.body))
    quoted = any(d and not is_own(d, case.own) for d in claimed)
    return len(around) > 1 or quoted or any(not a.inline for mail in around for a in mail.attachments)


def _not_for_all(check: SenderCheck) -> SenderCheck:
    """The check of a mail beside which other things were forwarded: it proves nothing about those."""
    if check.verdict not in (V.VERIFIED_ACCOUNT, V.VERIFIED_DOMAIN, V.EXCEPTION_ADDRESS, V.PROBABLE):
        return check
    text = "Not all that was forwarded stands in the mail that is signed, and nothing proves who sent the rest."
    suggested = tuple(dict.fromkeys((*([check.provider] if check.provider else ()), *check.suggested)))
    evidence = (Evidence("not_for_all", text, "no"), *check.evidence)
    return replace(check, verdict=V.UNAUTHENTICATED, provider=None, suggested=suggested, reason=text, evidence=evidence)


def _inner_check(
    case: Case, envelope: Envelope, inner: Sequence[tuple[Envelope, DkimResult | None]]
) -> SenderCheck | None:
    mails = list(inner) or [(open_envelope(mail.raw, alone=True), None) for mail in envelope.inner[:3]]
    paths = [mail.path for mail in envelope.inner]
    around = [envelope]
    fallback: SenderCheck | None = None
    for place, (opened, dkim) in enumerate(mails):
        # what servers wrote on the inner mail stood in a colleague's hands since: only its signature speaks (step 1)
        check = check_sender(opened, case.registry, NOBODY, OwnChecks(dkim), (), case.today)
        fallback = fallback or check
        if opened.from_domain is None:
            return check  # whoever wrote it also chose the mails inside it
        if not is_own(opened.from_domain, case.own):
            note = Evidence(
                "forwarded", "A colleague forwarded it as a whole mail; only its own signature counts for the sender."
            )
            check = replace(check, evidence=(note, *check.evidence))
            within = f"{paths[place]}/" if place < len(paths) else ""
            beside = [path for n, path in enumerate(paths) if n > place and not (within and path.startswith(within))]
            return _not_for_all(check) if beside or _holds_more(around, case) else check
        around.append(opened)
    claimed = [m for m in forwarded_senders(envelope.body) if m.domain and not is_own(m.domain, case.own)]
    if not claimed or claimed[0].address is None or claimed[0].domain is None:
        return fallback
    first = claimed[0]
    quoted = Case(str(first.address), str(first.domain), first.display, None, case.registry, case.today, case.own)
    quoted.note(
        "forwarded_inline",
        "A colleague quoted it in their own mail. The sender is what the quoted lines say, and nothing proves it.",
    )
    _signs(quoted)
    return outside(quoted)
