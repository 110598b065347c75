"""Every contract test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.store.sql import SqlStore
from tests.support.stores import NoPostgres, SetClock, postgres_store, sqlite_store


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[SqlStore]:
    if request.param == "sqlite":
        made = sqlite_store(tmp_path, clock)
    else:
        try:
            made = postgres_store(clock)
        except NoPostgres as why:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"PostgreSQL: {why}")
    yield made
    made.close()
