"""What a form page costs: CPU time of one GET and one POST in process, drafts kept in memory.

    python -m benchmarks.web_forms [RUNS]

Budget: 4 ms for a GET, 6 ms for a POST (median of several rounds).
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable

from tests.support.provider_app import MemoryDesk, provider_app

BUDGET = {"GET": 4.0, "POST": 6.0}


def median_ms(call: Callable[[], object], runs: int) -> float:
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(runs):
            call()
        rounds.append((time.process_time() - began) * 1000 / runs)
    return statistics.median(rounds)


def main(runs: int = 40) -> int:
    client = provider_app(MemoryDesk()).test_client()

    def page(address: str) -> dict[str, str]:
        text = client.get(address).text
        return {k: re.search(f'name="{k}" value="([^"]*)"', text)[1] for k in ("csrf_token", "code")}  # type: ignore[index]

    notice = page("/breach") | {
        "A07": "no", "A09": "contained", "A06": "An email went to the wrong person.", "A10": "professional",
        "A11": "contact", "A08.at:d": "23", "A08.at:m": "11", "A08.at:y": "2026", "A08.at:t": "8:10 am",
        "A01": "Tōtara Example Whānau Services", "A02": "P. Example", "A03": "Office manager",
        "A04": "+64 21 000 0007", "A05": "p@totara.example",
    }  # fmt: skip
    assert client.post("/breach", data=notice).status_code == 303
    part = page("/assessment/devices") | {
        "L1-DEV-01": "partly", "L1-DEV-02": "yes", "L1-DEV-03": "no", "PLAN[L1-DEV-03].what": "Turn it on",
        "DEV[1].kind": "laptop", "DEV[1].how_many": "2", "as_it_is": "1",
    }  # fmt: skip
    assert client.post("/assessment/devices", data=part).status_code == 303
    cases: list[tuple[str, str, Callable[[], object]]] = [
        ("GET", "/breach", lambda: client.get("/breach")),
        ("POST", "/breach", lambda: client.post("/breach", data=notice)),
        ("GET", "/breach/check", lambda: client.get("/breach/check")),
        ("GET", "/breach/details/prevent", lambda: client.get("/breach/details/prevent")),
        ("GET", "/assessment/devices", lambda: client.get("/assessment/devices")),
        ("POST", "/assessment/devices", lambda: client.post("/assessment/devices", data=part)),
        ("GET", "/assessment/check", lambda: client.get("/assessment/check")),
    ]
    over = 0
    for method, address, call in cases:
        call()
        spent = median_ms(call, runs)
        over += spent > BUDGET[method]
        print(f"{method:4} {address:26} {spent:6.2f} ms CPU, budget {BUDGET[method]:.0f}")
    return min(over, 1)


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:2])))
