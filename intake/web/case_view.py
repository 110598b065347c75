"""The values of the case page, each as a person reads it. Pure but for the look-ups of names and of the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from forms.canonical import flat
from forms.schema import Form, Kind, Question
from forms.shown import shown
from intake import triage
from intake.domain import nz_words
from intake.domain.clocks import marker_state
from intake.domain.model import CaseKind, Provider, ReadAnswer, SenderCheck, Status
from intake.ports import CaseView, Event, QueueRow, Staff
from intake.web import present, staff
from intake.web.parts import Parts

_HOW = {
    "acroform": "field of the form",
    "xfa": "field of the form",
    "layout": "read by its place on the page",
    "ocr": "read from a picture",
    "docx": "Word form",
    "xlsx": "spreadsheet",
    "odt": "text document",
    "text": "typed into the mail",
    "web": "web form",
    "person": "entered by staff",
    "none": "not read",
}
_HOW_CORRECTED = {
    "confirmed": "confirmed",
    "corrected": "corrected",
    "entered": "entered",
    "unreadable": "cannot be read",
}
_STATES = {
    "queued": present.Badge("clock", "Waiting to be sent"),
    "sending": present.Badge("clock", "Being sent"),
    "sent": present.Badge("tick", "Sent", "ok"),
    "failed": present.Badge("cross", "Could not be sent", "bad"),
    "held": present.Badge("lock", "Held back", "warn"),
}
_NOTIFIABLE = {"likely": "likely", "possible": "possible", "not_indicated": "not indicated by what is known"}
_KEY_EVENTS = frozenset({"opened", "assigned", "closed", "close_agreed", "close_asked", "band", "asked", "let_through"})


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing to do now: a heading, a sentence, a place on the page with the word of its button."""

    tone: str  # bad, warn, ok or empty
    icon: str
    head: str
    text: str
    place: str = ""
    button: str = ""
    phone: str = ""


class Field(NamedTuple):
    """One control of a correction form."""

    name: str
    label: str
    kind: str  # text, lines, choice, tick
    value: Any
    choices: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """An answer with where it came from."""

    id: str
    label: str
    short: str
    words: str
    how: str
    sure: str  # "62 % sure", or empty
    doubt: str  # why a person must look, or empty
    fields: tuple[Field, ...] = ()
    changed: str = ""  # what a person did to it
    can_fix: bool = True


def values(parts: Parts, case: CaseView, me: Staff, args: Mapping[str, str]) -> dict[str, Any]:
    """Everything that `staff/case.html` places."""
    now, row = parts.clock(), case.row
    names = staff.names_of(parts.store)
    provider = parts.store.provider(row.provider) if row.provider else None
    line = present.line(row, now, me.address, names)
    edition = triage.edition_of(case)
    fix = args.get("fix", "")
    doubtful, sure = _answers(case, edition, names, now, fix)
    asked = triage.waiting_for_second(case)
    checks = _checks(case.sender)
    step = next_step(case, provider, len(doubtful), names, me, now)
    return {
        "case": case,
        "row": row,
        "line": line,
        "page_title": ", ".join(x for x in (row.reference, line.band.word if line.band else "", line.provider) if x),
        "provider": provider,
        "next": step,
        "marker": line.marker,
        "figure": _figure(case, now),
        "clock_facts": _clock_facts(case, now),
        "sender_checks": checks,
        "raw": case.raw,
        "received": present.long_moment(case.raw.received_at),
        "suggested": _suggested(parts, case),
        "notifiable": _NOTIFIABLE.get(case.severity.notifiable, "") if case.severity else "",
        "changes": _changes(case),
        "by_hand": names.get(case.severity.by, case.severity.by)
        if case.severity and case.severity.by != "rule"
        else "",
        "gaps": _gaps(case, edition),
        "doubtful": doubtful,
        "answers": sure,
        "open": triage.open_questions(case),
        "fix": fix,
        "needed": triage.still_needed(case),
        "typing": _typing(case, edition, fix),
        "icons_used": _icons(line, checks, step),
        "form_title": edition.title if edition else "",
        "mail": _first_mail(case),
        "documents": case.documents,
        "suggestions": _suggestions(case, edition),
        "messages": _messages(case, names, now),
        "history": [_event(e, names, now) for e in reversed(case.events)],
        "contacts": provider.contacts if provider else (),
        "chase": nz_words.short(triage.chase_at(case, now), now),
        "chaser": _chaser(case, now),
        "asked": asked,
        "asked_by": names.get(asked.by, asked.by) if asked else "",
        "asked_at": nz_words.short(asked.at, now) if asked else "",
        "asked_outcome": _outcome(row, asked.outcome) if asked else "",
        "own_request": bool(asked and asked.by == me.address),
        "needs_two": triage.needs_second(case),
        "outcomes": triage.OUTCOMES[CaseKind(row.kind)],
        "closed_as": _outcome(row, case.outcome) if row.status == Status.CLOSED else "",
        "statuses": {s: present.STATUSES[s] for s in triage.BY_HAND if s != row.status and _fits(row, s)},
        "colleagues": [s for s in parts.store.all_staff() if triage.may_work(s) and triage.may_see(s, row)],
        "providers": parts.store.providers() if row.provider is None else (),
        "mine": row.assignee == me.address,
        "bands": present.BANDS,
        "duty": present.DUTIES.get(row.duty, "Not known"),
    }


def _fits(row: QueueRow, status: Status) -> bool:
    only = {Status.PLAN_RUNNING: CaseKind.SELF_ASSESSMENT, Status.DECIDED: CaseKind.BREACH_NOTICE}
    return status not in only or row.kind == only[status]


def _outcome(row: QueueRow, code: str) -> str:
    return triage.OUTCOMES[CaseKind(row.kind)].get(code, code)


# ---- what to do next --------------------------------------------------------------------------------------------------


def next_step(
    case: CaseView, provider: Provider | None, to_check: int, names: Mapping[str, str], me: Staff, now: datetime
) -> NextStep:
    """The first thing under the title; the first that holds, in the order of urgency."""
    row, asked = case.row, triage.waiting_for_second(case)
    if row.status == Status.CLOSED:
        return NextStep("ok", "tick", "Nothing to do: this case is closed", case.outcome_reason)
    if asked is not None:
        return _second_step(asked, names, me)
    if row.next_due_what == "first_contact":
        return _call(row, provider, now)
    if row.status == Status.HELD:
        return _check_sender(provider)
    if row.status == Status.NEEDS_PERSON:
        text = "The system could not read it all. Open the document, and type what it says beside the questions."
        return NextStep("warn", "eye", "Next: read the document", text, "#answers", "Go to the answers")
    if to_check:
        many = "1 answer" if to_check == 1 else f"{to_check} answers"
        text = "They were read unsurely or contradict each other. Until somebody looks, the worse one counts."
        return NextStep("warn", "eye", f"Next: check {many}", text, "#answers", "Check them")
    return _decide_step(case, provider, now)


def _second_step(asked: triage.Asked, names: Mapping[str, str], me: Staff) -> NextStep:
    who = names.get(asked.by, asked.by)
    if asked.by == me.address:
        text = "You asked to close this case. Somebody else must agree before it is closed."
        return NextStep("", "person", "Waiting for a second person", text, "#decision", "See the request")
    text = f"{who} wants to close it and gave reasons. Read them, then agree or say why not."
    return NextStep("warn", "person", "Next: agree, or do not", text, "#decision", "Read the reasons")


def _call(row: QueueRow, provider: Provider | None, now: datetime) -> NextStep:
    urgent = row.band in ("S1", "S2")
    left = (row.next_due or now) - now
    when = "now" if urgent and left.total_seconds() < 3600 else f"by {nz_words.short(row.next_due or now, now)}"
    first = "Ask first: is somebody in danger? If so, Police on 111 before anything else."
    if provider and provider.phone:
        text = f"It is the number in our register, not the one on the form. {first}"
        return NextStep("bad" if urgent else "", "phone", f"Next: call the provider {when}", text, "#compose",
                        "Record the call", provider.phone)  # fmt: skip
    text = f"We do not know the provider for sure. Find it in the register and use the number there. {first}"
    return NextStep("bad" if urgent else "", "phone", f"Next: find the provider, and call {when}", text, "#sender",
                    "Choose the provider")  # fmt: skip


def _check_sender(provider: Provider | None) -> NextStep:
    text = "It waits because we are not sure who sent it. Call the provider, then let it through with your reason."
    phone = provider.phone if provider else ""
    return NextStep("warn", "lock", "Next: check the sender", text, "#sender", "Look at the evidence", phone)


def _decide_step(case: CaseView, provider: Provider | None, now: datetime) -> NextStep:
    row = case.row
    due = f" by {nz_words.short(row.next_due, now)}" if row.next_due else ""
    if row.provider is None:
        text = "Nothing can be sent until we know whose it is."
        return NextStep("warn", "person", "Next: say which provider this is", text, "#sender", "Choose the provider")
    if row.kind == CaseKind.BREACH_NOTICE:
        text = "Ask for what is missing, then decide with your reasons."
        return NextStep("", "flag", f"Next: decide whether it is notifiable{due}", text, "#decision", "Decide")
    if row.kind == CaseKind.SELF_ASSESSMENT:
        gaps = case.score.key_gaps_without_plan if case.score else ()
        if gaps:
            text = f"{len(gaps)} key {'gap has' if len(gaps) == 1 else 'gaps have'} no plan. Ask what is done, by whom and by when."
            return NextStep("warn", "key", f"Next: agree a plan{due}", text, "#compose", "Ask the provider")
        return NextStep("", "tick", f"Next: read it{due}", "No key gap is without a plan.", "#decision", "Decide")
    return NextStep("", "eye", f"Next: read it{due}", "It may be a notice in plain words.", "#original", "Read it")


# ---- clocks, sender, band ---------------------------------------------------------------------------------------------


def _figure(case: CaseView, now: datetime) -> Markup | None:
    row = case.row
    if row.kind != CaseKind.BREACH_NOTICE:
        return None
    return present.clock_figure(marker_state(row.aware_at or row.received_at, now).hours)


def _clock_facts(case: CaseView, now: datetime) -> list[tuple[str, Markup, str]]:
    """What, when, and whether that is late."""
    row, due = case.row, case.due
    facts: list[tuple[str, Markup, str]] = []
    if row.kind == CaseKind.BREACH_NOTICE:
        about = Markup("about ") if due.marker_about and row.aware_at else Markup("")
        facts.append(("Knew", about + present.moment(row.aware_at, now), ""))
    facts.append(("Arrived", present.moment(row.received_at, now), ""))
    for word, at, what in (
        ("First contact", due.first_contact, "first_contact"),
        ("Decision", due.decision, "decision"),
        ("72 hours", due.marker_72h, ""),
        ("Read by", due.read_by, "read"),
        ("Plan by", due.plan_by, "plan"),
    ):
        if at is not None:
            late = "late" if at <= now and row.next_due_what == what and row.status != Status.CLOSED else ""
            facts.append((word, present.moment(at, now), late))
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


# ---- answers ----------------------------------------------------------------------------------------------------------


def _answers(
    case: CaseView, edition: Form | None, names: Mapping[str, str], now: datetime, fix: str
) -> tuple[list[Answer], list[Answer]]:
    """Those that need a person, and the rest, in the form's order."""
    if edition is None:
        return [], []
    wanted, standing = triage.doubtful(case), triage.standing(case)
    why = _doubts(case)
    changed = _changed(case, names, now)
    doubtful = [
        _answer(q, standing.get(q.id), why.get(q.id, ""), edition, changed.get(q.id, ""), True)
        for q in (edition.question(i) for i in wanted)
        if q is not None
    ]
    rest = [
        _answer(q, standing.get(q.id), "", edition, changed.get(q.id, ""), q.id == fix)
        for q in edition.questions
        if q.id not in wanted and (q.id in standing or q.id in changed)
    ]
    return doubtful, rest


def _doubts(case: CaseView) -> dict[str, str]:
    why: dict[str, str] = {}
    for question, _, message in case.problems:
        why.setdefault(question.partition(".")[0].partition("[")[0], message)
    for flag in case.severity.flags if case.severity else ():
        for question in flag.questions:
            why[question] = flag.text
    return why


def _changed(case: CaseView, names: Mapping[str, str], now: datetime) -> dict[str, str]:
    """What a person did last to each answer."""
    return {
        c.question: f"{_HOW_CORRECTED.get(c.how, c.how)} by {names.get(c.by, c.by)}, {nz_words.short(c.at, now)}"
        for c in case.corrections
    }


def _typing(case: CaseView, edition: Form | None, fix: str) -> Answer | None:
    """The open question that somebody wants to type in now."""
    question = edition.question(fix) if edition else None
    if edition is None or question is None or fix in triage.standing(case):
        return None
    return _answer(question, None, "", edition, "", True)


def _answer(
    question: Question, given: ReadAnswer | None, doubt: str, edition: Form, changed: str, controls: bool
) -> Answer:
    """controls: with fields to correct it; the others get a link, so that the page stays light."""
    sure = f"{given.confidence * 100:.0f} % sure" if given and given.confidence < 1 else ""
    how = _HOW.get(given.how, given.how) if given else ""
    if given and given.page:
        how += f", page {given.page}"
    words = shown(question, given.value) if given else ""
    return Answer(
        id=question.id,
        label=question.label,
        short=question.short or question.label,
        words=words,
        how=how,
        sure=sure,
        doubt=doubt,
        fields=fields(edition, question, given.value if given else None) if controls else (),
        changed=changed,
        can_fix=question.kind is not Kind.REGISTER,
    )


def fields(edition: Form, question: Question, value: object) -> tuple[Field, ...]:
    """Controls to correct one answer. A register is corrected as a whole on the document, not here."""
    if question.kind is Kind.REGISTER:
        return ()
    filled = flat(edition, {question.id: value}) if value is not None else {}
    parts = question.parts or (question,)
    return tuple(_field(question, part, filled) for part in parts)


def _field(question: Question, part: Question, filled: Mapping[str, Any]) -> Field:
    name = question.id if part is question else f"{question.id}.{part.id}"
    label = part.short or part.label
    value = filled.get(name, "")
    if part.kind is Kind.CHOICE:
        return Field(name, label, "choice", value, triage.choices_of(part))
    if part.kind is Kind.MULTI:
        chosen = value if isinstance(value, list) else [value] if value else []
        chosen = [*chosen, *(k.removeprefix(f"{name}.") for k in filled if k.startswith(f"{name}."))]
        return Field(name, label, "many", chosen, triage.choices_of(part))
    if part.kind is Kind.TICK:
        return Field(name, label, "tick", bool(value))
    if part.kind is Kind.TIME and isinstance(value, str) and value:
        return Field(name, label, "text", _time_words(value))
    return Field(name, label, "lines" if part.kind is Kind.LONG_TEXT else "text", value)


def _time_words(value: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    local = nz_words.local(at)
    return f"{local.day} {local:%B} {local.year}, {nz_words.clock(at)}"


def _suggestions(case: CaseView, edition: Form | None) -> list[tuple[str, str, str]]:
    """From documents that are not our form: question, what it may be, and how surely. Never taken by themselves."""
    found = []
    for each in case.suggestions:
        question = edition.question(str(each.get("question", ""))) if edition else None
        label = question.short if question else str(each.get("label", each.get("question", "")))
        value = each.get("value", each.get("text", ""))
        words = shown(question, value) if question else str(value)
        sure = each.get("confidence")
        found.append((label, words, f"{float(sure) * 100:.0f} % sure" if isinstance(sure, (int, float)) else ""))
    return found


# ---- messages and history ---------------------------------------------------------------------------------------------


def _first_mail(case: CaseView) -> Any:
    return next((m for m in case.messages if m.direction == "in"), None)


def _messages(case: CaseView, names: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
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
            "state": _STATES.get(m.state),
            "first": m is first,
        }
        for m in case.messages
    ]


def _event(event: Event, names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "at": present.moment(event.at, now),
        "who": names.get(event.actor, event.actor).capitalize()
        if event.actor == "system"
        else names.get(event.actor, event.actor),
        "text": event.text,
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
