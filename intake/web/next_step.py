"""The one thing to do now on a case: the first thing under its title."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from intake import case_reading
from intake.domain import nz_words
from intake.domain.model import CaseKind, Provider, Status
from intake.ports import CaseView, QueueRow, Staff


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


def next_step(
    case: CaseView, provider: Provider | None, to_check: int, names: Mapping[str, str], me: Staff, now: datetime
) -> NextStep:
    """The first thing under the title; the first that holds, in the order of urgency."""
    row, asked = case.row, case_reading.waiting_for_second(case)
    if row.status == Status.CLOSED:
        return NextStep("ok", "tick", "Nothing to do: this case is closed", case.outcome_reason)
    if asked is not None:
        return _second_step(asked, names, me)
    if row.next_due_what == "first_contact":
        return _call(row, provider, now)
    if row.status == Status.HELD:
        return _check_sender(row, provider)
    if row.status == Status.NEEDS_PERSON:
        return _read_it(case)
    if to_check:
        many = "1 answer" if to_check == 1 else f"{to_check} answers"
        text = "They were read unsurely or contradict each other. Until somebody looks, the worse one counts."
        return NextStep("warn", "eye", f"Next: check {many}", text, "#answers", "Check them")
    return _decide_step(case, provider, now)


def _second_step(asked: case_reading.Asked, names: Mapping[str, str], me: Staff) -> NextStep:
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
        text = f"Do not ring the one on the form. {first}"
        return NextStep("bad" if urgent else "", "phone", f"Next: call the provider {when}", text,
                        "?write=call#compose", "Record the call", provider.phone)  # fmt: skip
    text = f"We do not know the provider for sure. Find it in the register and use the number there. {first}"
    return NextStep("bad" if urgent else "", "phone", f"Next: find the provider, and call {when}", text, "#sender",
                    "Choose the provider")  # fmt: skip


def _read_it(case: CaseView) -> NextStep:
    if case_reading.edition_of(case) is None:  # then there are no questions beside which to type
        text = "Download the file. If it tells of a breach, call the provider now, and say under Answers what it is."
        return NextStep("warn", "eye", "Next: read the file", text, "#original", "Go to the file")
    text = "The system could not read it all. Open the document, and type what it says beside the questions."
    return NextStep("warn", "eye", "Next: read the document", text, "#answers", "Go to the answers")


def _check_sender(row: QueueRow, provider: Provider | None) -> NextStep:
    if row.kind == CaseKind.OTHER and provider is None:
        text = "We are not sure who sent it, and it may be nobody of a provider. Read it. Let it through with your reason, or close it."
        return NextStep("warn", "lock", "Next: check the sender", text, "#original", "Read it")
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
            return NextStep(
                "warn", "key", f"Next: agree a plan{due}", text, "?write=provider#compose", "Ask the provider"
            )
        return NextStep("", "tick", f"Next: read it{due}", "No key gap is without a plan.", "#decision", "Decide")
    return NextStep(
        "",
        "eye",
        f"Next: read it{due}",
        "It may be a notice in plain words. If it is, say so beside it.",
        "#original",
        "Read it",
    )
