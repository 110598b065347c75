"""A gateway that stops writing what it knows of senders, or writes it another way, is noticed by its mails."""

from __future__ import annotations

import pytest

from intake.watch import watch
from tests.scenarios.world import World

FORM = b"Authentication-Results: mx.ministry.example;"


def unstamped(world: World) -> bytes:
    return world.mail().replace(FORM, b"X-Was-Results:")


def said(world: World) -> dict[str, str]:
    for name in ("breach", "privacy"):
        world.parts.store.set_mailbox_state(name, last_contact=world.at, last_message=world.at)
    return {each.code: each.text for each in world.parts.health() if each.name == "mailbox breach" and each.code}


def test_twenty_mails_without_a_stamp_are_an_alarm_and_one_with_it_ends_it(world: World) -> None:
    for _ in range(19):
        world.arrives(unstamped(world))
    assert said(world) == {}

    world.arrives(unstamped(world))
    assert "The last 20 mails bear no result" in said(world)["unstamped"]

    world.arrives(world.mail())
    assert said(world) == {}


def test_a_stamp_of_another_shape_is_told_for_a_week_and_the_first_ones_are_how_it_writes(world: World) -> None:
    world.arrives(world.mail())
    world.later(days=5)
    world.arrives(world.mail().replace(b" dkim=pass", b" iprev=pass"))  # still learning
    assert said(world) == {}
    world.later(days=20)

    world.arrives(world.mail().replace(b"\r\n dmarc=pass", b"\r\n auth=pass"))

    assert "look another way than before" in said(world)["new_shape"]
    world.later(days=8)
    assert said(world) == {}


def test_a_mailbox_whose_results_nobody_configured_expects_none(world: World) -> None:
    done = world.arrives(world.mail(), mailbox="default")

    assert done.examination is not None and done.examination.stamp is None
    assert world.parts.store.mailbox_state("default").unstamped is None


@pytest.mark.parametrize("times", [25])
def test_a_mail_of_our_own_side_counts_neither_way(world: World, times: int) -> None:
    inside = (
        b"Received: from a.ministry.example ([127.0.0.1]) by mx.ministry.example; Mon, 23 Nov 2026 09:00:00 +1300\r\n"
    )
    for n in range(times):
        world.arrives(inside + b"From: Kim <kim@ministry.example>\r\nSubject: %d\r\n\r\nHello.\r\n" % n)

    watch(world.parts)

    assert said(world) == {}
