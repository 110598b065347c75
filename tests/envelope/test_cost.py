"""What hostile mail costs from its bytes to its examination, the child's work counted: at most 5 s of CPU and 512 MB, and the next
mail is unhurt. Measured in a process of its own, over every bomb there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CPU, MEMORY = 5.0, 512.0  # seconds; megabytes

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory through /proc")


@pytest.fixture(scope="module", params=["envelopes", "wrappers"])
def costs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    run = [sys.executable, "-m", "tests.envelope.cost", request.param, str(tmp_path_factory.mktemp("cost"))]
    ended = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_T25_no_mail_costs_more_than_its_share_and_the_next_one_is_read(costs: list[dict[str, Any]]) -> None:
    assert len(costs) >= 39
    assert {c["name"]: c["cpu"] for c in costs if c["cpu"] > CPU} == {}
    assert {c["name"]: c["memory"] for c in costs if c["memory"] > MEMORY} == {}
    assert [c["name"] for c in costs if not c["after"]] == []
