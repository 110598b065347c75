from __future__ import annotations

from collections.abc import Iterator

import pytest

from intake.adapters.documents.runner import DocumentReader


@pytest.fixture(scope="session")
def reader() -> Iterator[DocumentReader]:
    """One reader for all tests: what one file does must not reach the next."""
    with DocumentReader() as made:
        yield made
