"""SIGKILL between every two steps of a mail that leaves: by SMTP, Exchange and Graph it comes at least once, and always the same mail."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path

import pytest

from intake.adapters import children
from intake.ports import OWN_ID, NewMail
from intake.wiring import build
from tests.faults.killing import DELIVER, SENDING
from tests.support.places import PLACES, ExchangePlace, GraphPlace, Servers
from tests.support.running import Site
from tests.support.smtp_sink import sink
from tests.support.stores import SetClock
from workers.deliver import send_due
from workers.maintain import sweep

Taken = Callable[[], list[bytes]]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp)
    yield running
    running.stop()


@pytest.fixture(params=["smtp", "exchange", "graph"])
def way(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[tuple[Site, Taken]]:
    """A site that sends by it, and what its server has taken."""
    with ExitStack() as open_now:
        if request.param == "smtp":
            server = open_now.enter_context(sink())
            yield Site(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"), lambda: [t.content for t in server.taken]
            return
        place = PLACES[request.param](servers, tmp_path)
        assert isinstance(place, ExchangePlace | GraphPlace)
        boxes = place.server.boxes
        before = {address: len(box.sent) for address, box in boxes.items()}

        def taken() -> list[bytes]:
            return [raw for address, box in boxes.items() for raw in box.sent[before.get(address, 0) :]]

        yield Site(tmp_path, {"breach": place.options}, send_by="breach"), taken


@pytest.mark.parametrize("step", SENDING)
def test_a_sender_killed_at_this_step_loses_no_mail_and_sends_no_other(way: tuple[Site, Taken], step: str) -> None:
    site, taken = way
    parts = site.parts()
    parts.store.queue_mail(
        None, NewMail("test:1", "person@provider.example", "Hello", "Kia ora\n", "sign_in"), "system"
    )

    killed = children.start(
        [sys.executable, "-m", "tests.faults.killing", step, DELIVER], site.folder / "killed.log", site.environ
    )
    assert killed.wait(30) == -signal.SIGKILL
    clock = SetClock()
    clock.forward(days=3650)  # every lease is over
    again = build(site.settings, clock)
    sweep(again)
    assert again.mail_sender is not None
    assert send_due(again, again.mail_sender) == (0 if step == "after_the_mark" else 1)

    assert len(taken()) == (2 if step == "after_the_servers_yes" else 1)
    assert len({message_from_bytes(raw)[OWN_ID] for raw in taken()}) == 1
    assert [mail.state for mail in parts.store.mails()] == ["sent"]
