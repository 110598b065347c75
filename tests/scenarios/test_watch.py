"""A mailbox that falls silent, loses its access or does not add up is told to people before a notice waits in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intake.adapters.demo.mails import delivered, passes
from intake.domain.model import OutcomeCode
from intake.ports import DocumentReading, MailboxState
from intake.watch import watch
from tests.scenarios.world import NOW, World

ECHO = "quiet@ministry.example"
OPERATOR = "ops@ministry.example"


@pytest.fixture
def world(tmp_path: Path, reader: DocumentReading) -> Iterator[World]:
    box = f'[mailboxes.quiet]\nkind = "maildrop"\nfolder = "{(tmp_path / "drop-quiet").as_posix()}"\necho_address = "{ECHO}"\n'
    made = World(tmp_path, reader, more_settings=box, plain_settings=f'operator_addresses = "{OPERATOR}"\n')
    yield made
    made.close()


def alarms(world: World) -> list[str]:
    return [mail.subject for mail in world.outbox() if mail.template == "alarm"]


def said(world: World, name: str = "quiet") -> dict[str, str]:
    """What doctor says of a mailbox, by the state."""
    return {each.state: each.text for each in world.parts.health() if each.name == f"mailbox {name}"}


def echoed(world: World) -> bytes:
    """The mail that proves the way, as the Ministry's own gateway hands it over."""
    (mail,) = (m for m in world.deliver() if m["To"] == ECHO)
    return delivered(mail.as_bytes(), world.at, passes("ministry.example"))


def test_a_quiet_mailbox_gets_a_mail_of_ours_which_comes_back_opens_no_case_and_proves_the_way(world: World) -> None:
    world.collect()
    watch(world.parts)
    world.later(minutes=1)
    watch(world.parts)  # not due again
    raw = echoed(world)

    world.drop(raw, "quiet")
    world.collect()

    assert world.queue() == ()
    assert world.parts.store.outcomes()["outcomes"]["automatic"] == 1
    assert "The way was proven" in said(world)["ok"]
    assert world.outbox() == ()  # nobody has to look through a row of them
    watch(world.parts)
    assert alarms(world) == []


def test_an_echo_that_does_not_come_back_within_half_an_hour_is_an_alarm_and_one_mail_is_enough(world: World) -> None:
    world.collect()
    watch(world.parts)
    assert len(world.deliver()) == 1
    world.later(minutes=14)
    watch(world.parts)
    assert alarms(world) == []

    for _ in range(3):
        world.later(minutes=17)
        for name in ("breach", "privacy", "quiet"):
            world.parts.store.set_mailbox_state(name, last_contact=world.at)
        watch(world.parts)

    assert "did not come back" in said(world)["bad"]
    assert alarms(world) == ["Look at mailbox quiet"]
    assert "ops@ministry.example" in {m["To"] for m in world.deliver()}


def test_a_mailbox_to_which_mail_comes_needs_no_echo(world: World) -> None:
    world.drop(world.mail(), "quiet")
    world.collect()
    world.parts.store.set_mailbox_state("quiet", last_message=world.at)
    world.later(minutes=14)

    watch(world.parts)

    assert world.parts.store.mailbox_state("quiet").echo_sent_at is None


def test_somebody_elses_mail_with_the_number_of_an_echo_is_read_like_any_other(world: World) -> None:
    world.collect()
    watch(world.parts)
    (mail,) = world.deliver()
    honest = world.mail(body="A laptop with the files of our clients was stolen.")
    forged = re.sub(rb"(?im)^message-id: .*", b"Message-ID: " + str(mail["Message-ID"]).encode(), honest, count=1)

    done = world.arrives(forged, "quiet")

    assert done.outcome is OutcomeCode.CASE_OPENED
    assert world.parts.store.mailbox_state("quiet").echo_seen_at is None


@pytest.mark.parametrize(
    ("state", "words", "tone"),
    [
        ({"last_contact": NOW - timedelta(minutes=31)}, "No contact for 31 min", "bad"),
        ({"error": "The server is away."}, "The server is away.", "bad"),
        ({"access_ends": NOW + timedelta(days=13)}, "ends on", "warn"),
        ({"access_ends": NOW - timedelta(days=1)}, "ended on", "bad"),
        ({"counted": 13, "counted_before": 10, "ledger": 2}, "1 mail in Processed or Held was never read here", "bad"),
        ({"unstamped": 20}, "The last 20 mails bear no result", "bad"),
    ],
)
def test_what_is_wrong_with_a_mailbox_is_one_sentence_on_the_page_and_a_mail_to_the_operators(
    world: World, state: dict[str, object], words: str, tone: str
) -> None:
    world.parts.store.set_mailbox_state("quiet", **{"last_contact": world.at, "last_message": world.at, **state})

    watch(world.parts)
    watch(world.parts)

    assert words in said(world)[tone]
    assert len(alarms(world)) == ("error" not in state)  # a server that is away for a moment wakes nobody
    assert words in world.desk().open("/system").words


def test_trouble_that_lasts_a_quarter_of_an_hour_is_told_in_its_own_words_though_nothing_was_ever_reached(
    world: World,
) -> None:
    for _ in range(3):
        world.parts.store.set_mailbox_state("quiet", error="The password was refused.")
        watch(world.parts)
        assert alarms(world) == []
        world.later(minutes=5)

    watch(world.parts)
    (told,) = [mail for mail in world.outbox() if mail.template == "alarm"]
    assert "The password was refused. This has lasted 15 min." in told.body

    world.parts.store.set_mailbox_state("quiet", error="", last_contact=world.at)
    world.parts.store.set_mailbox_state("quiet", error="It is away.")
    # A new trouble counts from its own beginning.
    assert world.parts.store.mailbox_state("quiet").error_since == world.at


@pytest.mark.parametrize(
    "state",
    [
        {"access_ends": NOW + timedelta(days=15)},
        {"counted": 11, "counted_before": 10, "ledger": 2},
        {"unstamped": 19},
        {"last_contact": NOW - timedelta(minutes=29)},
    ],
)
def test_what_is_not_wrong_yet_wakes_nobody(world: World, state: dict[str, object]) -> None:
    world.parts.store.set_mailbox_state("quiet", **{"last_contact": world.at, "last_message": world.at, **state})

    watch(world.parts)

    assert set(said(world)) == {"ok"}
    assert alarms(world) == []


def test_mails_that_somebody_removed_from_the_server_are_said_and_are_no_trouble(world: World) -> None:
    world.parts.store.set_mailbox_state("quiet", last_contact=world.at, counted=11, counted_before=10, ledger=2)

    assert said(world)["ok"] == "Working. At the last count 2 mails kept, 1 of them no longer there."


def test_a_mailbox_that_was_never_reached_says_how_to_start(world: World) -> None:
    assert world.parts.store.mailbox_state("quiet") == MailboxState("quiet")
    assert said(world)["warn"] == "Not reached yet."
