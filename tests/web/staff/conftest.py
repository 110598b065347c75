from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.web.staff.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def app(office: Office) -> Flask:
    return office.application()
