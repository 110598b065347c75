"""The system page: one thing to do on top, then mailboxes, jobs, what leaves, and an account of every message that adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, render_template

from intake.config import MAILBOX_KINDS, MailboxSettings
from intake.domain import nz_words
from intake.domain.model import OutcomeCode
from intake.mailbox_health import mailbox_findings
from intake.ports import MailboxState, SentMail
from intake.web import present, staff
from intake.web.mail_state import mail_badge, mail_kind
from intake.web.parts import Health, Parts

_OUTCOMES: Mapping[str, str] = {
    OutcomeCode.CASE_OPENED: "Case opened",
    OutcomeCode.CASE_UPDATED: "Added to a case",
    OutcomeCode.HELD: "Held",
    OutcomeCode.DUPLICATE: "Duplicate",
    OutcomeCode.AUTOMATIC: "Automatic",
    OutcomeCode.NEEDS_PERSON: "Needs a person",
}
_JOBS: Mapping[str, str] = {
    "due": "Due",
    "later": "Will try again",
    "leased": "Running",
    "person": "Given to a person",
}
_TASKS: Mapping[str, str] = {
    "process": "Read a message",
    "recheck": "Check a sender again",
    "suggest": "Look for answers in another document",
}
_TONES = {"ok": present.Badge("tick", "Working", "ok"), "warn": present.Badge("warn", "Look at this", "warn"),
          "bad": present.Badge("cross", "Broken", "bad")}  # fmt: skip


class Account(NamedTuple):
    """Where every delivery ended. `adds_up` is false when one is nowhere."""

    received: int
    columns: tuple[tuple[str, int], ...]
    waiting: int
    missing: int
    adds_up: bool
    said: str


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("system", __name__)

    @pages.get("/system")
    def page() -> str:
        now = parts.clock()
        counted, health = account(parts.store.outcomes()), list(parts.health())
        mails = parts.store.mails(40)
        return render_template(
            "staff/system.html",
            account=counted,
            health=[(_named(h), f"{h.text} {h.mend}".strip(), _TONES.get(h.state, _TONES["warn"])) for h in health],
            first=first_thing(counted, health, mails),
            mailboxes=_mailboxes(parts, now),
            jobs=_jobs(parts.store.job_counts()),
            tasks=[(words, _jobs(parts.store.job_counts(task))) for task, words in _TASKS.items()],
            mails=[_mail(m, now, parts) for m in mails],
            oldest=_oldest(parts.store.oldest_waiting(), now),
            checked=nz_words.full(now),
        )

    return pages


def account(outcomes: Mapping[str, Any]) -> Account:
    """The accounting of messages: received is what ended somewhere, plus what is being read; nothing else is allowed."""
    ended: Mapping[str, int] = outcomes.get("outcomes", {})
    columns = tuple((words, int(ended.get(code, 0))) for code, words in _OUTCOMES.items())
    waiting, missing = int(outcomes.get("waiting", 0)), int(outcomes.get("missing", 0))
    received = int(outcomes.get("deliveries", 0))
    total = sum(n for _, n in columns) + waiting
    said = " + ".join(f"{n:,}" for n in [*(n for _, n in columns), waiting]) + f" = {total:,}"
    return Account(received, columns, waiting, missing, total == received and not missing, said)


def first_thing(counted: Account, health: Sequence[Health], mails: Sequence[SentMail]) -> tuple[str, str, str]:
    """The note on top: its tone, heading and sentence."""
    if not counted.adds_up:
        text = (
            f"{counted.received:,} were received and {counted.said}. {counted.missing:,} have neither an end nor a job. "
            "Nothing is deleted: run “provider-intake reconcile”, it names them and puts them back to work."
        )
        return "bad", "The count of messages does not add up", text
    for state in ("bad", "warn"):
        found = next((h for h in health if h.state == state), None)
        if found is not None:
            return state, _named(found), f"{found.text} {found.mend}".strip()
    failed = [m for m in mails if m.state in ("failed", "bounced")]
    if failed:
        text = "Open the case and reach the provider another way. The reason stands in the list below."
        return "warn", f"{len(failed)} {'mail' if len(failed) == 1 else 'mails'} could not be sent", text
    return "ok", "Nothing needs you here", "Every message is in one place, and every part works."


def _named(part: Health) -> str:
    return part.name[:1].upper() + part.name[1:]


def _mailboxes(parts: Parts, now: datetime) -> list[dict[str, Any]]:
    """Those of the settings, in their order; one that left the settings and has a state is shown behind them."""
    states = {state.name: state for state in parts.store.mailbox_states()}
    boxes = [*parts.settings.mailboxes]
    boxes += [MailboxSettings(name, "") for name in states if parts.settings.mailbox(name) is None]
    return [_mailbox(box, states.get(box.name), parts.store.waiting_from(box.name), now) for box in boxes]


def _mailbox(
    box: MailboxSettings, state: MailboxState | None, oldest: datetime | None, now: datetime
) -> dict[str, Any]:
    found = mailbox_findings(box, state, now)
    state = state or MailboxState(box.name)
    return {
        "name": box.name,
        "kind": MAILBOX_KINDS[box.kind].label if box.kind in MAILBOX_KINDS else "not in the settings",
        "badge": _TONES[found[0].state],
        "said": [f"{each.text} {each.mend}".strip() for each in found if each.state != "ok"],
        "last_message": present.moment(state.last_message, now) if state.last_message else "none yet",
        "last_contact": _ago(state.last_contact, now),
        "oldest": nz_words.span(now - oldest) if oldest else "none",
        "access_ends": nz_words.long_day(state.access_ends) if state.access_ends else "–",
        "proven": _ago(state.echo_seen_at, now) if box.echo_address else "–",
        "counted": "not yet" if state.counted is None else f"{state.counted - (state.counted_before or 0):,}",
        "kept": "–" if state.ledger is None else f"{state.ledger:,}",
    }


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{nz_words.span(now - at)} ago" if at else "not yet"


def _jobs(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(words, int(counts.get(state, 0))) for state, words in _JOBS.items()]


def _mail(mail: SentMail, now: datetime, parts: Parts) -> dict[str, Any]:
    """What a mail says is not shown here: a sign-in link must not be readable by a colleague. Nor is it shown who wrote about
    a case to those who may not open it; the mail server's name is enough to mend what broke."""
    seen, demo = not mail.case or staff.sees(parts, mail.case), bool(parts.settings.demo)
    return {
        "at": present.moment(mail.at, now),
        "to": mail.to if seen else f"somebody at {mail.to.rpartition('@')[2]}",
        "what": mail_kind(mail.template),
        "badge": mail_badge(mail.state, demo) or mail_badge("queued", demo),
        "case": mail.case if seen else "",
        "error": mail.error if seen else mail.error.replace(mail.to, "the address"),
        "attempts": mail.attempts,
    }


def _oldest(instant: datetime | None, now: datetime) -> str:
    return nz_words.span(now - instant) if instant else "none"
