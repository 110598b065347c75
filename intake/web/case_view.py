"""The values of the case page, each as a person reads it. Pure but for the look-ups of names and of the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from forms.schema import Form
from intake import case_reading, judging, triage
from intake.domain import breach, nz_words
from intake.domain.clocks import marker_ends, marker_state
from intake.domain.marks import CONFLICT
from intake.domain.model import CaseKind, Provider, SenderCheck, Status, VerdictCode
from intake.ports import CaseView, Event, QueueRow, Staff
from intake.web import present, staff
from intake.web.answer_view import answers_of, suggestions, typing
from intake.web.mail_state import mail_badge
from intake.web.next_step import NextStep, next_step
from intake.web.parts import Parts

_NOTIFIABLE = {"likely": "likely", "possible": "possible", "not_indicated": "not indicated by what is known"}
_KEY_EVENTS = frozenset(
    {"kind", "locked", "opened", "assigned", "closed", "close_agreed", "close_asked", "band", "asked", "let_through"}
    | {"sender_rechecked"}
)


def values(parts: Parts, case: CaseView, me: Staff, args: Mapping[str, str]) -> dict[str, Any]:
    """Everything that `staff/case.html` places."""
    now, row = parts.clock(), case.row
    names = staff.names_of(parts.store)
    provider = parts.store.provider(row.provider) if row.provider else None
    line = present.line(row, now, me.address, names)
    edition, fix = case_reading.edition_of(case), args.get("fix", "")
    doubtful, sure = answers_of(case, edition, names, now, fix)
    checks = _checks(case.sender)
    step = next_step(case, provider, len(doubtful), names, me, now)
    return {
        "case": case,
        "row": row,
        "line": line,
        "page_title": ", ".join(x for x in (row.reference, line.band.word if line.band else "", line.provider) if x),
        "icons_used": _icons(line, checks, step),
        "provider": provider,
        "next": step,
        "mine": row.assignee == me.address,
        "sender_checks": checks,
        "unregistered": _unregistered(case.sender),
        "raw": case.raw,
        "received": present.long_moment(case.raw.received_at),
        "doubtful": doubtful,
        "answers": sure,
        "open": case_reading.open_questions(case),
        "fix": fix,
        "needed": case_reading.still_needed(case),
        "typing": typing(case, edition, fix),
        "mail": _first_mail(case),
        "documents": case.documents,
        "suggestions": suggestions(case, edition),
        "linked": [r for r in case.linked if staff.sees(parts, r)],
        "messages": _messages(case, names, now, bool(parts.settings.demo)),
        "reasons": [staff.without_hidden(parts, r.text) for r in case.reasons],
        "history": [_event(e, staff.without_hidden(parts, e.text), names, now) for e in reversed(case.events)],
        **_urgency(case, line, names, edition, now),
        **_choices(parts, case, provider, now),
        **_ending(case, names, me, now),
    }


def _urgency(
    case: CaseView, line: present.Line, names: Mapping[str, str], edition: Form | None, now: datetime
) -> dict[str, Any]:
    """Clocks, band and what would change it."""
    judged = case.severity
    return {
        "marker": line.marker,
        "figure": _figure(case, now),
        "clock_facts": _clock_facts(case, now),
        "chaser": _chaser(case, now),
        "duty_why": breach.duty_sentence(case.row.duty),
        "notifiable": _NOTIFIABLE.get(judged.notifiable, "") if judged else "",
        "changes": _changes(case),
        "by_hand": names.get(judged.by, judged.by) if judged and judged.by != "rule" else "",
        "gaps": _gaps(case, edition),
        "bands": present.BANDS,
        "duty": present.DUTIES.get(case.row.duty, "Not known"),
    }


def _choices(parts: Parts, case: CaseView, provider: Provider | None, now: datetime) -> dict[str, Any]:
    """What the forms of the page offer."""
    row = case.row
    return {
        "suggested": _suggested(parts, case),
        "kinds": judging.KINDS,
        "may_become": judging.may_become(case),
        "locked": CONFLICT in row.marks,
        "providers": parts.store.providers(),
        "contacts": provider.contacts if provider else (),
        "unreachable": parts.store.unreachable([c.address for c in provider.contacts]) if provider else frozenset(),
        "chase": nz_words.short(triage.chase_at(case, now), now),
        "statuses": {s: present.STATUSES[s] for s in triage.BY_HAND if s != row.status and _fits(row, s)},
        "colleagues": [s for s in parts.store.all_staff() if triage.may_work(s) and triage.may_see(s, row)],
        "outcomes": triage.OUTCOMES[CaseKind(row.kind)],
    }


def _ending(case: CaseView, names: Mapping[str, str], me: Staff, now: datetime) -> dict[str, Any]:
    """How it ended, or who asks whom to end it."""
    row, asked = case.row, case_reading.waiting_for_second(case)
    return {
        "needs_two": case_reading.needs_second(case),
        "closed_as": _outcome(row, case.outcome) if row.status == Status.CLOSED else "",
        "asked": asked,
        "asked_by": names.get(asked.by, asked.by) if asked else "",
        "asked_at": nz_words.short(asked.at, now) if asked else "",
        "asked_outcome": _outcome(row, asked.outcome) if asked else "",
        "own_request": bool(asked and asked.by == me.address),
    }


def _fits(row: QueueRow, status: Status) -> bool:
    only = {Status.PLAN_RUNNING: CaseKind.SELF_ASSESSMENT, Status.DECIDED: CaseKind.BREACH_NOTICE}
    return status not in only or row.kind == only[status]


def _outcome(row: QueueRow, code: str) -> str:
    return triage.OUTCOMES[CaseKind(row.kind)].get(code, code)


_OF_NOBODY = (
    VerdictCode.UNKNOWN_DOMAIN,
    VerdictCode.UNKNOWN_UNVERIFIED,
    VerdictCode.LOOKALIKE,
    VerdictCode.PERSONAL_ACCOUNT,
)


def _unregistered(check: SenderCheck) -> str:
    """The sender that somebody may want to register: a domain, or the address at a shared host; "" when it is known."""
    seen = check.inner or check
    if seen.verdict not in _OF_NOBODY:
        return ""
    return (seen.address if seen.verdict is VerdictCode.PERSONAL_ACCOUNT else seen.domain) or ""


# ---- clocks, sender, band ---------------------------------------------------------------------------------------------


def _figure(case: CaseView, now: datetime) -> Markup | None:
    row = case.row
    if row.kind != CaseKind.BREACH_NOTICE:
        return None
    return present.clock_figure(marker_state(row.known_since, now).hours)


def _clock_facts(case: CaseView, now: datetime) -> list[tuple[str, Markup, str]]:
    """What, when, and whether that is late."""
    row, due = case.row, case.due
    facts: list[tuple[str, Markup, str]] = []
    if row.kind == CaseKind.BREACH_NOTICE:
        about = Markup("about ") if due.marker_about and row.aware_at else Markup("")
        facts.append(("Knew", about + present.moment(row.aware_at, now), ""))
    facts.append(("Arrived", present.moment(row.received_at, now), ""))
    ends = due.marker_72h
    if row.kind == CaseKind.BREACH_NOTICE and row.known_since < (row.aware_at or row.received_at):
        facts.insert(1, ("Known earlier, by a linked case", present.moment(row.linked_aware_at, now), ""))
        ends = marker_ends(row.known_since)
    for word, at, what in (
        ("First contact", due.first_contact, "first_contact"),
        ("Decision", due.decision, "decision"),
        ("72 hours", ends, ""),
        ("Read by", due.read_by, "read"),
        ("Plan by", due.plan_by, "plan"),
    ):
        if at is not None:
            late = "late" if at <= now and row.next_due_what == what and row.status != Status.CLOSED else ""
            made = Markup("made, due ") if what == "first_contact" and row.next_due_what == "decision" else Markup("")
            facts.append((word, made + present.moment(at, now), late))
    return facts


class Check(NamedTuple):
    """The result of one sender check: of the mail, or of the mail inside it."""

    title: str
    badge: present.Badge
    reason: str
    evidence: tuple[tuple[str, str, str], ...]  # class, icon, sentence
    address: str


_WEIGHTS = {"yes": ("yes", "tick"), "no": ("no", "cross"), "half": ("hm", "half")}


def _checks(sender: SenderCheck) -> list[Check]:
    checks = [_check("", sender)]
    if sender.inner is not None:
        checks.append(_check("The mail inside", sender.inner))
    return checks


def _check(title: str, sender: SenderCheck) -> Check:
    evidence = tuple((*_WEIGHTS.get(e.weight, _WEIGHTS["half"]), e.text) for e in sender.evidence)
    return Check(
        title, present.VERDICTS[sender.verdict], sender.reason, evidence, sender.address or sender.domain or ""
    )


def _suggested(parts: Parts, case: CaseView) -> list[Provider]:
    if case.row.provider is not None:
        return []
    slugs = dict.fromkeys([*case.sender.suggested, *(case.sender.inner.suggested if case.sender.inner else ())])
    return [p for p in (parts.store.provider(s) for s in slugs) if p is not None]


def _changes(case: CaseView) -> list[tuple[str, present.Badge]]:
    if case.severity is None:
        return []
    return [(_learned(c.text) or f"{c.question}: {c.answer}", present.BANDS[c.band]) for c in case.severity.changes]


def _learned(text: str) -> str:
    """ "If it tells nothing (A11): S4 low." stands in a table whose head says "if" and whose next cell says the band."""
    return text.removeprefix("If ").rpartition(":")[0] or text


def _gaps(case: CaseView, edition: Form | None) -> list[tuple[str, str]]:
    """Key gaps without a plan: control and its question."""
    if case.score is None or edition is None:
        return []
    questions = (edition.question(c) for c in case.score.key_gaps_without_plan)
    return [(q.id, q.label) for q in questions if q is not None]


_ICONS = frozenset({"clip", "clock", "cross", "flag", "half", "lock", "person", "phone", "tick"})


def _icons(line: present.Line, checks: Sequence[Check], step: NextStep) -> list[str]:
    """The shapes that this page draws, each once."""
    used = {step.icon, *(c.badge.icon for c in checks), *(b.icon for b in present.BANDS.values())}
    return sorted((used | _ICONS | ({line.band.icon} if line.band else set())) - {"tick"})


# ---- messages and history ---------------------------------------------------------------------------------------------


def _first_mail(case: CaseView) -> Any:
    return next((m for m in case.messages if m.direction == "in"), None)


def _messages(case: CaseView, names: Mapping[str, str], now: datetime, demo: bool) -> list[dict[str, Any]]:
    first = _first_mail(case)
    kinds = {"in": "in", "out": "out"}
    return [
        {
            "kind": kinds.get(m.direction, "inner"),
            "direction": m.direction,
            "who": names.get(m.who, m.who),
            "at": present.moment(m.at, now),
            "subject": m.subject,
            "text": m.text,
            "state": mail_badge(m.state, demo),
            "first": m is first,
        }
        for m in case.messages
    ]


def _event(event: Event, text: str, names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "at": present.moment(event.at, now),
        "who": names.get(event.actor, event.actor).capitalize()
        if event.actor == "system"
        else names.get(event.actor, event.actor),
        "text": text,
        "key": event.action in _KEY_EVENTS,
    }


def _chaser(case: CaseView, now: datetime) -> str:
    """When the last question is asked again, while we wait for its answer."""
    if case.row.status != Status.WAITING_PROVIDER:
        return ""
    asked: Sequence[str] = [
        str(e.detail["chaser"]) for e in case.events if e.action == "asked" and "chaser" in e.detail
    ]
    at = present.parse_instant(asked[-1]) if asked else None
    return nz_words.short(at, now) if at else ""
