"""How far the From domain is proven: the word of our gateway and our own checks, brought together (step 10).

The table of docs/sender-check.md, "Two opinions", says which combination comes to what, and why.
"""

from __future__ import annotations

from intake.domain.address import to_unicode
from intake.domain.model import Evidence
from intake.domain.own_checks import DmarcResult, OwnChecks, SpfResult
from intake.domain.results import TrustedResults
from intake.domain.sender_case import Case
from intake.domain.signatures import DkimResult, Signature


def authenticate(case: Case, results: TrustedResults, own: OwnChecks) -> None:
    """Set the case's standing (pass, weak, none or fail), with the evidence for it."""
    case.evidence += results.evidence
    _note_dkim(case, own.dkim)
    _note_spf(case, own.spf)
    _note_dmarc(case, own.dmarc)
    signed = own.dkim is not None and own.dkim.passed
    if results.internal and case.domain_is_ours:
        case.internal, case.standing = True, "pass"
    elif signed:
        case.standing = _signed(case, results, own)
    elif results.failed:
        case.standing = "fail"
    elif own.failed:
        case.standing = _own_failure(case, results, own)
    elif results.passed and results.strength == "strong":
        case.standing = "pass"
    elif results.passed or results.spf or results.guess or own.spf_passed:
        case.standing = "weak"
    _reshaped(case, own)
    _nothing(case, own)


def _signed(case: Case, results: TrustedResults, own: OwnChecks) -> str:
    """A signature of the From domain's organisation holds."""
    if results.failed:
        case.note(
            "disagree",
            "Our own check of the signature passes and the receiving server's check fails, so neither is relied on alone.",
        )
        return "weak"
    if own.dmarc is None or not own.dmarc.strict:
        return "pass"
    case.note(
        "own_dmarc_strict",
        f"A name of the same organisation signed it, and the rule of {to_unicode(own.dmarc.place)} asks for more than that.",
    )
    return "pass" if results.passed and results.strength == "strong" else "weak"


def _own_failure(case: Case, results: TrustedResults, own: OwnChecks) -> str:
    """It fails the domain's own rule by what we have; the word of our gateway, which saw it first, may say otherwise."""
    if not (results.passed or results.spf or results.guess):
        return "fail"
    if results.strength != "strong":
        case.note("disagree", "A weak result speaks for the sender, and our own check fails, so neither counts.", "no")
        return "none"
    if results.passed and own.dkim is not None and own.dkim.broken:
        case.note(
            "changed_inside",
            "The receiving server's check passes, and a signature no longer holds here: as when our own side adds a line to a mail.",
        )
        return "pass"
    case.note("disagree", "The receiving server's check passes and our own check fails, so neither is relied on alone.")
    return "weak"


def _reshaped(case: Case, own: OwnChecks) -> None:
    if own.dkim and own.dkim.reshaped and case.standing in ("pass", "weak"):
        case.standing = "none"
        case.note(
            "reshaped",
            "What is signed does not say how the mail is divided, and it begins as no mail of this kind does: "
            "somebody may have made files out of its text.",
            "no",
        )


def _nothing(case: Case, own: OwnChecks) -> None:
    if case.standing != "none":
        return
    if own.later:
        case.note(
            "own_later",
            "DNS gave no answer, so a part could not be checked now; a later try may give a result.",
            "half",
        )
    case.note("no_result", f"Nothing that we can rely on says that {to_unicode(case.domain)} really sent it.", "no")


# ---- what we found ourselves, in sentences ----------------------------------------------------------------------------


def _note_dkim(case: Case, dkim: DkimResult | None) -> None:
    if dkim is None or not dkim.signatures:
        case.note("dkim_none", "It carries no DKIM signature that we could check ourselves.")
        return
    for found in dkim.signatures:
        if found.aligned or found.result != "skipped":
            case.evidence.append(_signature(found))
    others = sorted({s.domain for s in dkim.signatures if s.result == "skipped" and s.domain})
    if others:
        case.note(
            "dkim_other",
            f"It is also signed by {', '.join(to_unicode(d) for d in others)[:200]}, which says nothing about this sender.",
        )


def _signature(found: Signature) -> Evidence:
    why = (" " + " ".join(found.problems)) if found.problems else ""
    name = f"The signature of {to_unicode(found.domain) or 'an unreadable domain'} (selector {found.selector[:60] or 'none'})"
    if found.result == "pass" and found.aligned:
        return Evidence("dkim_pass", f"{name} holds: we checked it ourselves.{why}", "yes")
    if found.result == "later":
        return Evidence("dkim_later", f"{name} could not be checked now.{why}")
    if found.result == "refused":
        return Evidence("dkim_refused", f"{name} is not good enough to count.{why}", "no")
    return Evidence("dkim_fail", f"{name} does not hold.{why}", "no")


_SPF = {
    "fail": ("says that {ip} may not send for it", "no"),
    "softfail": ("says that {ip} should not send for it", "no"),
    "neutral": ("says neither yes nor no to {ip}", "half"),
    "none": ("does not say which machines may send for it", "half"),
    "permerror": ("publishes a rule for its machines that cannot be read", "half"),
    "temperror": ("could not be asked now which machines may send for it", "half"),
}


def _note_spf(case: Case, spf: SpfResult | None) -> None:
    if spf is None:
        return
    domain = to_unicode(spf.domain)
    if spf.result == "unknown":
        case.note("own_spf_unknown", f"The sending machine could not be checked (SPF): {spf.why}.")
    elif spf.result == "other":
        whose = f"Its return address is of {domain}" if domain else "It has no return address with a domain"
        case.note("own_spf_other", f"{whose}, so the sending machine {spf.ip} says nothing about this sender (SPF).")
    elif spf.result == "pass":
        text = f"The sending machine {spf.ip} may send for {domain} (SPF, our own check), which alone is weak evidence."
        case.note("own_spf_pass", text)
    else:
        words, weight = _SPF[spf.result]
        case.note(
            f"own_spf_{spf.result}", f"The domain {domain} {words.format(ip=spf.ip)} (SPF, our own check).", weight
        )


def _note_dmarc(case: Case, dmarc: DmarcResult | None) -> None:
    if dmarc is None:
        return
    domain = to_unicode(case.domain)
    if dmarc.result == "none":
        case.note("own_dmarc_none", f"No rule says what mail of {domain} must pass (DMARC).")
        return
    if not dmarc.place:
        case.note("own_dmarc_later", f"The rule for mail of {domain} could not be asked for now (DMARC).")
        return
    lenient = ", in test" if dmarc.testing else ""
    rule = f"the rule of {to_unicode(dmarc.place)} (DMARC, p={dmarc.policy}{lenient})"
    if dmarc.result == "pass":
        how = " and ".join({"dkim": "its signature", "spf": "the sending machine"}[by] for by in dmarc.by)
        case.note("own_dmarc_pass", f"It keeps to {rule} by {how}.", "yes" if "dkim" in dmarc.by else "half")
    elif dmarc.result == "fail":
        text = f"It breaks {rule}: neither a signature nor the sending machine is one that counts for {domain}."
        case.note("own_dmarc_fail", text, "no")
    else:
        case.note(f"own_dmarc_{dmarc.result}", f"Whether it keeps to {rule} cannot be told now.")
