"""Whoever is on duty hears of a grave case at once, at any hour, and reads nothing in it that was sent to us."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake import receive
from intake.adapters.documents.runner import DocumentReader
from intake.domain.model import Arrival
from intake.pipeline import process
from intake.ports import SentMail
from tests.scenarios.world import (
    BREACH,
    KOWHAI,
    NOW,
    Done,
    Gateway,
    World,
    assert_nothing_submitted,
    notice,
    notice_file,
)

CHRISTMAS_NIGHT = datetime(2026, 12, 24, 13, 0, tzinfo=UTC)  # 2:00 am on 25 December in New Zealand
GRAVE = {"A07": "yes", "A10": "fear", "A11": "where_when"}
CALM = {"A07": "no", "A09": "contained", "A10": "nobody_outside", "A11": "contact"}
UNSURE = {"A07": "dont_know", "A09": "dont_know", "A10": "dont_know", "A11": "dont_know"}


@pytest.fixture
def world(tmp_path: Path, reader: DocumentReader) -> World:
    lines = 'duty_addresses = "duty@ministry.example"\npages_per_hour = 3\n'
    return World(tmp_path, reader, plain_settings=lines)


def pages(world: World) -> list[SentMail]:
    """Oldest first."""
    return [m for m in reversed(world.parts.store.mails(100)) if m.template == "page"]


def test_T20_the_duty_officer_is_paged_at_2_am_on_christmas_day(world: World) -> None:
    world.at = CHRISTMAS_NIGHT
    secret = "Waimarie Tangaroa, 14 Kererū Crescent"
    done = world.send(subject=secret, body=secret, files=[notice_file(CHRISTMAS_NIGHT, A02=secret, **GRAVE)])
    (page,) = pages(world)
    assert page.to == "duty@ministry.example"
    assert page.subject.startswith(f"S1: {done.cases[0]}, call by")
    assert f"/case/{done.cases[0]}" in page.body
    assert "3:00 am" in page.body
    assert "Police on 111 come first" in page.body
    assert_nothing_submitted(page, secret)
    (left, *_) = [m for m in world.deliver() if m["To"] == "duty@ministry.example"]
    assert left["Auto-Submitted"] == "auto-generated"


def test_T20_an_s2_of_that_night_is_paged_too(world: World) -> None:
    world.at = CHRISTMAS_NIGHT
    done = world.send(files=[notice_file(CHRISTMAS_NIGHT, **UNSURE)])
    (page,) = pages(world)
    assert page.subject.startswith(f"S2: {done.cases[0]}")
    assert "11:00 am" in page.body


def test_T35_danger_now_on_the_web_form_pages_the_duty_officer(world: World) -> None:
    receipt = world.submit(BREACH, notice(KOWHAI, NOW, "He has her address.", A07="yes"))
    (page,) = pages(world)
    assert page.subject.startswith(f"S1: {receipt.reference}")


def test_danger_told_in_plain_words_pages_too(world: World) -> None:
    world.send(
        subject="Hello",
        body="Her ex-partner has her new address and says he will come to her house tonight. She is scared for her life.",
    )
    (page,) = pages(world)
    assert page.to == "duty@ministry.example"


def test_a_calm_notice_and_a_self_assessment_wake_nobody(world: World) -> None:
    calm = world.send(files=[notice_file(**CALM)])
    assert world.row(calm).band in ("S3", "S4")
    assert pages(world) == []


def _answer(world: World, first: Done, **answers: str) -> None:
    world.later(minutes=5)
    typed = "\n".join(f"{question}: {value}" for question, value in answers.items())
    world.send(subject=f"Re: {first.cases[0]}", body=typed)


def test_what_makes_a_case_graver_pages_once_and_more_of_the_same_does_not(world: World) -> None:
    first = world.send(files=[notice_file(**CALM)])
    assert pages(world) == []
    _answer(world, first, A07="yes")
    assert world.row(first).band == "S1"
    assert len(pages(world)) == 1
    _answer(world, first, A09="ongoing")
    assert len(pages(world)) == 1


def test_a_wave_of_grave_notices_ends_in_one_mail_that_says_look_at_the_queue(world: World) -> None:
    for number in range(5):
        world.send(gateway=Gateway(), files=[notice_file(name=f"{number}.pdf", A03=f"Clerk {number}", **GRAVE)])
    told = pages(world)
    assert len(told) == 3
    assert ["this is the last mail" in page.body for page in told] == [False, False, True]
    world.later(hours=2)
    world.send(files=[notice_file(name="later.pdf", A03="Clerk later", **GRAVE)])
    assert len(pages(world)) == 4


DANGER = "Her ex-partner has her new address and says he will come to her house tonight. She is scared for her life."


def test_strangers_cannot_use_up_the_pages_of_a_proven_sender(world: World) -> None:
    for number in range(5):
        stranger = f"eve@stranger-{number}.example"
        world.send(sender=stranger, gateway=Gateway(), subject="Hello", body=f"{number}: {DANGER}")
    assert len(pages(world)) == 3
    done = world.send(files=[notice_file(**GRAVE)])
    assert pages(world)[-1].case == done.cases[0]


def test_the_officer_is_told_when_pages_for_strangers_end_with_one_of_a_proven_sender(world: World) -> None:
    for number in range(2):
        world.send(
            sender=f"eve@stranger-{number}.example", gateway=Gateway(), subject="Hello", body=f"{number}: {DANGER}"
        )
    world.send(files=[notice_file(**GRAVE)])
    world.send(sender="eve@stranger.example", gateway=Gateway(), subject="Hello", body=f"More: {DANGER}")
    assert ["this is the last mail" in page.body for page in pages(world)] == [False, False, True]


def test_other_mails_to_the_duty_address_use_up_no_page(world: World) -> None:
    for number in range(3):
        world.send(sender="duty@ministry.example", gateway=Gateway(), subject="Hello", body=f"Question {number}")
    world.send(files=[notice_file(**GRAVE)])
    assert len(pages(world)) == 1


def test_the_last_page_says_so_when_one_mail_holds_two_notices(world: World) -> None:
    def stranger(*names: str) -> None:
        files = [notice_file(name=f"{name}.pdf", A03=f"Clerk {name}", **GRAVE) for name in names]
        world.send(sender="eve@stranger.example", gateway=Gateway(), files=files)

    stranger("a")
    stranger("b", "c", "d")
    assert ["this is the last mail" in page.body for page in pages(world)] == [False, False, True]


def test_nobody_is_paged_about_the_same_notice_sent_again(world: World) -> None:
    file = notice_file(**GRAVE)
    world.send(files=[file])
    world.later(hours=1, minutes=1)
    world.send(files=[file])
    assert len(pages(world)) == 1


@pytest.mark.parametrize(("days", "told"), [(8, 0), (6, 2)])
def test_mail_brought_over_from_elsewhere_that_is_old_wakes_nobody_and_answers_nobody(
    world: World, days: int, told: int
) -> None:
    raw = world.mail(files=[notice_file(**GRAVE)])
    taken = world.at
    world.later(days=days)
    (delivery,) = receive.keep(world.parts, [Arrival(raw, receive.IMPORT, "breach", "old-1", taken)])

    done = process(world.parts, delivery.id)

    assert len(world.mails_of(done)) == told
    row = world.row(done)
    assert row.band == "S1" and row.next_due is not None and row.next_due < world.at  # it stands on top, overdue
