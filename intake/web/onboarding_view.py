"""Values for the pages about registering a domain: what was found, in badges and sentences, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from forms import load
from intake import onboarding, triage
from intake.domain import domain_report, nz_words
from intake.domain.address import to_unicode
from intake.domain.domain_records import DomainRecords
from intake.onboarding import Backlog, Look
from intake.ports import Registration, SenderCase, Staff
from intake.web import present
from intake.web.parts import Parts
from intake.web.present import Badge

_SHAPES = {"ok": "tick", "warn": "warn", "bad": "cross", "": "half"}
_STATES: Mapping[str, Badge] = {
    "proposed": Badge("person", "Waits for a second person", "warn"),
    "registered": Badge("tick", "Registered", "ok"),
    "refused": Badge("cross", "Not agreed", "bad"),
    "withdrawn": Badge("half", "Taken back"),
}
_CONTROLS: Mapping[str, Badge] = {
    "met": Badge("tick", "Met", "ok"),
    "not_met": Badge("cross", "Not met yet", "bad"),
    "ask": Badge("unknown", "Ask them"),
}
ICONS = (
    "cross",
    "warn",
    "half",
    "clock",
    "unknown",
    "person",
    "lock",
    "eye",
    "m1",
    "m2",
    "m3",
    "m4",
)  # beside verdicts


class Part(NamedTuple):
    """A finding about the domain, as it stands in a box."""

    name: str
    badge: Badge
    text: str
    records: tuple[str, ...]


class Shown(NamedTuple):
    """What the page says on top."""

    tone: str
    icon: str
    head: str
    text: str


def looked(parts: Parts, staff: Staff, found: Look) -> dict[str, Any]:
    """All that the page about one domain shows."""
    records = None if found.refusal else parts.domain_records(found.domain)
    subject = found.address if found.shared and found.address else found.domain
    cases = seen(parts, staff, subject)
    counted = onboarding.backlog(cases)
    token = onboarding.token_for(parts.secret, found.domain)
    return {
        "found": found,
        "name": to_unicode(found.domain),
        "top": _top(parts, found, records),
        "found_parts": [_part(f) for f in domain_report.findings(records)] if records else [],
        "protection": domain_report.protection(records) if records else None,
        "whose": _whose(parts, found),
        "counted": counted,
        "foretold": _foretold(counted),
        "cases": lines(parts, staff, cases),
        "controls": _controls(records, found),
        "token": token,
        "token_found": domain_report.token_found(records, token),
        "proof_label": f"{domain_report.PROOF_LABEL}.{found.domain}",
    }


def seen(parts: Parts, staff: Staff, subject: str) -> list[SenderCase]:
    """The open cases of a sender that this person may open."""
    return [case for case in parts.store.cases_from(subject) if triage.may_see(staff, case.row)]


def lines(parts: Parts, staff: Staff, cases: Sequence[SenderCase]) -> list[tuple[present.Line, SenderCase]]:
    now = parts.clock()
    return [(present.line(case.row, now, staff.address, {}), case) for case in cases]


def _top(parts: Parts, found: Look, records: DomainRecords | None) -> Shown:
    name = to_unicode(found.domain)
    if found.shared:
        if found.address:
            text = "Two people may accept this one address for a while: one proposes it, another agrees."
        else:
            text = "Paste a whole address to propose an exception for it, or ask them for a domain of their own."
        return Shown("warn", "person", f"{name} cannot be registered: it is {found.shared}", text)
    if found.refusal:
        return Shown("bad", "cross", f"{name} cannot be registered", found.refusal)
    if found.owners:
        text = "Its mail is checked as theirs. Only a domain that several providers share is registered again."
        return Shown("ok", "tick", f"{name} is registered for {_named(parts, found.owners)}", text)
    if found.close_to:
        whose = f"{_named(parts, found.close_owners)}’s {to_unicode(found.close_to)}"
        whose = whose if found.close_owners else f"our own {to_unicode(found.close_to)}"
        text = "Somebody may be pretending. Ring the real one, on the number in our register, before you do anything."
        return Shown("bad", "lookalike", f"{name} looks like {whose}", text)
    if records is None or records.silent:
        return Shown(
            "warn", "clock", f"DNS gave no answer about {name}", "Look again in a minute. Nothing else is wrong."
        )
    if any(f.code in ("mail_none", "mail_never") for f in domain_report.findings(records)):
        return Shown(
            "bad", "warn", f"{name} takes no mail", "Check the spelling, and ask them for the address they use."
        )
    text = "Prove that it is theirs, then register it. What its DNS says is advice, and no proof of whose it is."
    return Shown("", "domain", f"{name} belongs to no provider yet", text)


def _named(parts: Parts, slugs: Sequence[str]) -> str:
    registry = parts.lookups.registry()
    return " and ".join(registry.name(slug) for slug in slugs[:3])


def _part(found: domain_report.Finding) -> Part:
    shape = "clock" if found.code.endswith("_later") else _SHAPES[found.tone]
    return Part(found.part, Badge(shape, found.word, found.tone), found.text, found.records)


def _whose(parts: Parts, found: Look) -> list[tuple[str, str, str]]:
    """For the list of evidence: tone, shape, sentence."""
    said: list[tuple[str, str, str]] = []
    name = to_unicode(found.domain)
    if found.owners:
        said.append(("yes", "tick", f"It stands in the register for {_named(parts, found.owners)}."))
    elif not found.refusal:
        said.append(("hm", "half", "It stands in the register for nobody."))
    if found.shared:
        said.append(
            ("no", "cross", f"It is {found.shared}: strangers have accounts there, and no provider controls them.")
        )
    if found.below:
        text = f"You wrote {to_unicode(found.below)}. What somebody registered is {name}, and all names below it count."
        said.append(("hm", "half", text))
    if found.close_to:
        whose = _named(parts, found.close_owners) if found.close_owners else "the Ministry"
        said.append(("no", "cross", f"It {found.close_how}: {to_unicode(found.close_to)}, of {whose}."))
    elif not found.refusal and not found.owners:
        said.append(("yes", "tick", "It looks like no registered domain, and not like ours."))
    if "xn--" in found.domain:
        said.append(("hm", "half", f"Machines write it {found.domain}."))
    return said


def _foretold(counted: Backlog) -> list[str]:
    """What registering would come to for the cases that are in doubt, in sentences."""
    told = (
        (counted.verified, "would become verified"),
        (counted.probable, "would become probable, on weak evidence"),
        (counted.opened, "of them are held now, and would open"),
        (counted.failed, "failed the domain’s own check, and would stay in doubt"),
        (counted.unproven, "would still need a call: nothing proves who sent them"),
    )
    return [f"{n} {words}" for n, words in told if n]


def _controls(records: DomainRecords | None, found: Look) -> list[tuple[str, str, Badge, str]]:
    """Id, short name of the edition, badge, sentence; a control that the edition has not is left out."""
    if found.refusal and not found.shared:
        return []
    form = load.form("it-self-assessment")
    shown = []
    for control in domain_report.controls(records, found.shared):
        question = form.question(control.question)
        if question is not None:
            shown.append((control.question, question.short, _CONTROLS[control.state], control.text))
    return shown


# ---- what was registered ----------------------------------------------------------------------------------------------


def entry(parts: Parts, one: Registration, names: Mapping[str, str]) -> dict[str, Any]:
    """A registration or a proposal, for a list or its own page."""
    now = parts.clock()
    provider = parts.store.provider(one.provider)
    return {
        "id": one.id,
        "subject": one.subject if one.kind == "exception" else to_unicode(one.subject),
        "what": "Exception" if one.kind == "exception" else "Domain",
        "provider": provider.name if provider else one.provider,
        "slug": one.provider,
        "badge": _STATES[one.state],
        "state": one.state,
        "method": onboarding.METHODS.get(one.method, ""),
        "proven_on": _long_date(one.proven_on),
        "until": _long_date(one.until),
        "words": one.words,
        "decision": one.decision,
        "proposed_by": names.get(one.proposed_by, one.proposed_by),
        "proposed_at": present.moment(one.proposed_at, now),
        "decided_by": names.get(one.decided_by, one.decided_by),
        "decided_at": present.moment(one.decided_at, now) if one.decided_at else "",
    }


def _long_date(text: str) -> str:
    return nz_words.day(text) if text else ""


def changed(one: Registration, cases: Sequence[SenderCase]) -> tuple[int, int]:
    """Of the open cases of its sender: how many came to something else since it was registered, how many still wait."""
    since: datetime | None = one.decided_at
    return sum(bool(since and c.rechecked and c.rechecked >= since) for c in cases), sum(c.waits for c in cases)
