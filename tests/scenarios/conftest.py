"""A fresh intake for each test; the child that reads documents is shared, because it takes a while to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.adapters.documents.runner import DocumentReader
from tests.scenarios.world import World


@pytest.fixture(scope="session")
def reader() -> Iterator[DocumentReader]:
    shared = DocumentReader()
    yield shared
    shared.close()


@pytest.fixture
def world(tmp_path: Path, reader: DocumentReader) -> World:
    return World(tmp_path, reader)
