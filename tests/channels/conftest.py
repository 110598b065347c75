"""One Dovecot for all tests of a session; each test takes a mailbox of its own on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support import dovecot as server
from tests.support.dovecot import Dovecot
from tests.support.places import RememberedState

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    running = server.start(tmp_path_factory.mktemp("dovecot"))
    yield running
    running.stop()


@pytest.fixture
def mailbox() -> str:
    return f"box{next(_numbers)}"


@pytest.fixture
def state() -> RememberedState:
    return RememberedState()


@pytest.fixture
def mail() -> Callable[..., bytes]:
    def make(number: int = 1, body: str = "Our laptop was stolen.") -> bytes:
        lines = (
            "From: Aroha Example <aroha@provider.example>",
            "To: breach@ministry.example",
            f"Subject: Notice {number}",
            f"Message-ID: <notice-{number}@provider.example>",
            "",
            body,
            "",
        )
        return "\r\n".join(lines).encode()

    return make
