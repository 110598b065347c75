"""A fresh intake for each test; the child that reads documents is shared, because it takes a while to start.

Scenarios about who wrote and what came before are run on every kind of mailbox, each with its own server: what a mail comes to may not
hang on the way it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.documents.runner import DocumentReader
from tests.scenarios.world import MAILBOXES, World
from tests.support.places import PLACES, Servers

DIRECT = "direct"  # as a mailbox hands mail over, without one
CHANNELS = ("imap", "exchange", "graph")
_ON_ALL = re.compile(r"test_T(0[2-9]|1[0-3]|2[678]|3[1-4]|43)_")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    of_doors = metafunc.module.__name__.endswith("test_doors")  # those tests choose their door themselves
    if "channel" in metafunc.fixturenames and _ON_ALL.match(metafunc.function.__name__) and not of_doors:
        metafunc.parametrize("channel", (DIRECT, *CHANNELS))


@pytest.fixture(scope="session")
def reader() -> Iterator[DocumentReader]:
    shared = DocumentReader()
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp)
    yield running
    running.stop()


@pytest.fixture
def channel() -> str:
    return DIRECT


@pytest.fixture
def world(tmp_path: Path, reader: DocumentReader, servers: Servers, channel: str) -> World:
    places = {} if channel == DIRECT else {name: PLACES[channel](servers, tmp_path) for name in MAILBOXES}
    return World(tmp_path, reader, places=places)
