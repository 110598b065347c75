"""How each mailbox is, in a sentence with what to do: reached, read, moved, counted, stamped, and whether its access ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from intake.config import MailboxSettings
from intake.domain import nz_words
from intake.domain.health import Health
from intake.domain.stamps import new_shapes
from intake.ports import MailboxState

SILENT = timedelta(minutes=30)
LASTS = timedelta(minutes=15)  # trouble at every look since then does not end by itself
ENDS_SOON = timedelta(days=14)
UNSTAMPED = 20  # mails in a row


def mailbox_findings(box: MailboxSettings, state: MailboxState | None, now: datetime) -> tuple[Health, ...]:
    """What is wrong first; one line that it works when nothing is. state: None when it was never looked into."""
    part = f"mailbox {box.name}"
    if box.kind == "pipe":
        state = replace(state or MailboxState(box.name), last_contact=now)  # nobody looks into it
    if state is None or (state.last_contact is None and not state.error):
        return (Health(part, "warn", "Not reached yet.", "Start `provider-intake collect`.", "not_reached"),)
    found = [Health(part, *each) for each in _wrong(box, state, now)]
    found.sort(key=lambda one: one.state != "bad")
    return tuple(found) or (Health(part, "ok", _works(state, now)),)


def _wrong(box: MailboxSettings, state: MailboxState, now: datetime) -> Iterator[tuple[str, str, str, str]]:
    """State, sentence, what to do, code."""
    if state.error:
        where = (
            "Senders keep their mail and come again."
            if box.kind == "smtp"
            else "Nothing is lost: clocks count from when the server took it."
        )
        if state.error_since and now - state.error_since >= LASTS:
            lasted = nz_words.span(now - state.error_since)
            yield "bad", f"{state.error} This has lasted {lasted}.", where, "lasting_trouble"
        else:
            yield "bad", state.error, where, "trouble"
    if state.last_contact and now - state.last_contact > SILENT:
        silent = nz_words.span(now - state.last_contact)
        yield "bad", f"No contact for {silent}.", "Is `provider-intake collect` running?", "silent"
    if box.echo_address and _echo_is_missing(state, now):
        text = "Mail that we sent to it to prove the way did not come back."
        yield "bad", text, "Send one by hand, and look at the mail server between.", "echo_missing"
    if state.access_ends and state.access_ends - now < ENDS_SOON:
        yield _ends(state.access_ends, now)
    if (more := _surplus(state)) > 0:
        text = f"{nz_words.count(more, 'mail')} in Processed or Held {'was' if more == 1 else 'were'} never read here: moved there by hand."
        yield "bad", text, "Move them back into the folder that is collected.", "not_in_ledger"
    if (state.unstamped or 0) >= UNSTAMPED:
        text = f"The last {state.unstamped} mails bear no result of the server that is to check senders."
        yield "bad", text, "Its settings changed, or [mailboxes.NAME.trust] names another one.", "unstamped"
    for shape in new_shapes(state.shapes, nz_words.local(now).date()):
        text = f"Results about senders look another way than before: “{shape}”."
        yield (
            "warn",
            text,
            "Look at the headers of a mail of today, and prove the mailbox again (docs/sender-check.md).",
            "new_shape",
        )


def _ends(ends: datetime, now: datetime) -> tuple[str, str, str, str]:
    day = nz_words.long_day(ends)
    if ends <= now:
        return "bad", f"The secret or certificate that opens it ended on {day}.", "Put a new one in its place.", "ended"
    text = f"The secret or certificate that opens it ends on {day}, in {nz_words.span(ends - now)}."
    return "warn", text, "Put a new one in its place before.", "ends_soon"


def echo_answered(state: MailboxState) -> bool:
    """Whether the mail of ours came back, or any other mail did since: either proves the way."""
    came = [at for at in (state.echo_seen_at, state.last_message) if at]
    return state.echo_sent_at is not None and bool(came) and max(came) >= state.echo_sent_at


def _echo_is_missing(state: MailboxState, now: datetime) -> bool:
    return state.echo_sent_at is not None and now - state.echo_sent_at >= SILENT and not echo_answered(state)


def _surplus(state: MailboxState) -> int:
    if state.counted is None or state.ledger is None:
        return 0
    return state.counted - (state.counted_before or 0) - state.ledger


def _works(state: MailboxState, now: datetime) -> str:
    text = "Working."
    if state.counted is not None and state.ledger is not None:
        fewer = -_surplus(state)
        there = f"{fewer} of them no longer there" if fewer > 0 else "as many as its folders hold"
        text += f" At the last count {nz_words.count(state.ledger, 'mail')} kept, {there}."
    if state.echo_seen_at:
        text += f" The way was proven {nz_words.span(now - state.echo_seen_at)} ago."
    return text
