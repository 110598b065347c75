from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.valkey import EmbeddedValkey
from tests.support import dovecot as server
from tests.support.dovecot import Dovecot
from tests.support.servers import valkey_or_skip


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    running = server.start(tmp_path_factory.mktemp("dovecot"))
    yield running
    running.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with valkey_or_skip(tmp_path / "valkey") as running:
        yield running
