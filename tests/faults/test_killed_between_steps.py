"""SIGKILL between every two steps of a mailbox reader, at the very moment at which its server sees the step, on every kind of server.

What the server sees is what can be lost: the list of what is there, the mail that was handed out, the move that was asked for, and the
move that was done and never answered. What happens inside us between the mail and the move (bytes, then delivery and job) is hit
by the kills at random of test_killed_reader.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.test_killed_reader import cases, notice, settled
from tests.support.imap_watch import ImapWatch
from tests.support.places import HELD, NEW, PLACES, PROCESSED, ExchangePlace, GraphPlace, ImapPlace, Place, Servers
from tests.support.running import Site, until

Watch = Callable[[str, str], None]
_NOTHING: Watch = lambda phase, asked: None  # noqa: E731
_STEPS = {
    "imap": ("SELECT", "SEARCH", "BODY", "MOVE"),
    "exchange": ("SyncFolderItems", "GetItem", "MoveItem"),
    "graph": ("delta", "$value", "move"),
}
_POINTS = [(kind, phase, step) for kind, steps in _STEPS.items() for step in steps for phase in ("before", "after")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp)
    yield running
    running.stop()


class Watched:
    """A mailbox whose server tells of each step."""

    def __init__(self, kind: str, servers: Servers, folder: Path) -> None:
        self.place: Place
        if kind == "imap":
            dovecot = servers.dovecot()
            self.place = ImapPlace(dovecot)
            self._tells: object = ImapWatch(dovecot.imap)
            port = self._tells.port
            self.options = {**self.place.options, "host": "127.0.0.1", "port": port, "security": "none", "ca_file": ""}
            return
        self.place = PLACES[kind](servers, folder)
        assert isinstance(self.place, ExchangePlace | GraphPlace)
        self._tells = self.place.server
        self.options = dict(self.place.options)

    def watch(self, watch: Watch) -> None:
        self._tells.watch = watch  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "phase", "step"), _POINTS)
def test_a_reader_killed_at_this_step_loses_no_mail_and_opens_no_case_twice(
    servers: Servers, tmp_path: Path, kind: str, phase: str, step: str
) -> None:
    watched = Watched(kind, servers, tmp_path)
    place = watched.place
    place.deliver(*[notice(n) for n in range(3)])
    site = Site(tmp_path, {"breach": watched.options})
    parts = site.parts()
    assert parts.store.outcomes()["messages"] == 0  # the tables are there before anybody is killed
    killed, pid = threading.Event(), list[int]()
    known = threading.Event()

    def kill(at: str, asked: str) -> None:
        if (at, asked) == (phase, step) and not killed.is_set():
            known.wait(10)
            killed.set()
            os.kill(pid[0], signal.SIGKILL)

    watched.watch(kill)
    try:
        reader = site.start("collect")
        pid.append(reader.pid)
        known.set()
        assert killed.wait(20), f"the reader never came to {phase} {step}"
        assert reader.wait(10) == -signal.SIGKILL
        watched.watch(_NOTHING)
        site.start("work")
        site.start("collect")
        until(lambda: place.lying(NEW) == [], 30, "an empty folder")
        until(lambda: settled(parts, 3), 30, "an outcome for each")
    finally:
        watched.watch(_NOTHING)
        site.stop()

    (counted,) = site.say("reconcile")
    assert counted["outcomes"]["case_opened"] == 3 and counted["missing"] == 0
    assert len(set(cases(parts))) == 3
    assert len(place.lying(PROCESSED)) == 3 and place.lying(HELD) == []
