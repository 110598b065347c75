"""A desk in memory and a visitor for each test."""

from __future__ import annotations

import pytest

from tests.support.provider_app import MemoryDesk, provider_app
from tests.support.visitor import Visitor


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
def visitor(desk: MemoryDesk) -> Visitor:
    return Visitor(provider_app(desk).test_client())


@pytest.fixture
def without_cookies(desk: MemoryDesk) -> Visitor:
    return Visitor(provider_app(desk).test_client(use_cookies=False))
