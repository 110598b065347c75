"""One Dovecot for all tests of a session; each test takes a mailbox of its own on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from intake.ports import MailboxState
from tests.support import dovecot as server
from tests.support.dovecot import Dovecot

_numbers = itertools.count(1)


class RememberedState:
    """The part of the store that a mailbox reader keeps its place in."""

    def __init__(self) -> None:
        self.states: dict[str, MailboxState] = {}

    def mailbox_state(self, name: str) -> MailboxState:
        return self.states.get(name, MailboxState(name))

    def set_mailbox_state(self, name: str, **fields: object) -> None:
        self.states[name] = replace(self.mailbox_state(name), **fields)  # type: ignore[arg-type]


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
