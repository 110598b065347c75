"""How long from a mail's delivery to its case, and what waiting costs: real IMAP server, real worker and collector.

    python -m benchmarks.idle_latency [--mails 20] [--idle-seconds 20] [--without-idle]

--without-idle: the server cannot push and is looked at from time to time.
Prints JSON: seconds from the server's 250 to the filed case (p50, p95, max), and the CPU that collector and worker use while nothing
arrives, in milliseconds a minute each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path

from intake.adapters.valkey import EmbeddedValkey
from intake.wiring import Parts
from tests.support import dovecot as server
from tests.support.running import Site, until

_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=20)
    options.add_argument("--idle-seconds", type=float, default=20.0)
    options.add_argument("--without-idle", action="store_true")
    given = options.parse_args()
    offered = "IMAP4rev1 UIDPLUS MOVE" if given.without_idle else ""
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(Path(name), given.mails, given.idle_seconds, offered)))


def measure(folder: Path, mails: int, idle_seconds: float, offered: str) -> dict[str, object]:
    """offered: what the server says that it can do; empty: all that it can."""
    imap, redis = server.start(folder / "dovecot", offered), EmbeddedValkey(folder / "valkey")
    redis.start()
    (folder / "site").mkdir()
    site = Site(folder / "site", {"breach": imap.options("breach")}, redis_url=redis.url)
    parts = site.parts()
    try:
        assert parts.store.outcomes()["messages"] == 0
        running = {command: site.start(command).pid for command in ("work", "collect")}
        _one(parts, imap, 0)  # both are up and warm
        took = sorted(_one(parts, imap, number) for number in range(1, mails + 1))
        before = {command: _cpu_ms(pid) for command, pid in running.items()}
        time.sleep(idle_seconds)
        idle = {c: round((_cpu_ms(pid) - before[c]) * 60 / idle_seconds, 1) for c, pid in running.items()}
    finally:
        site.stop()
        redis.stop()
        imap.stop()
    return {
        "mails": mails,
        "seconds": {
            "p50": round(took[len(took) // 2], 3),
            "p95": round(took[int(len(took) * 0.95)], 3),
            "max": round(took[-1], 3),
        },
        "idle_cpu_ms_a_minute": idle,
    }


def _one(parts: Parts, imap: server.Dovecot, number: int) -> float:
    time.sleep(random.uniform(0.2, 1.5))
    imap.deliver(
        "breach",
        f"From: Person <person{number}@provider{number}.example>\r\nTo: breach@ministry.example\r\n"
        f"Subject: Notice {number}\r\nMessage-ID: <{number}@provider.example>\r\n\r\n"
        "Our laptop was stolen.\r\n".encode(),
    )

    def filed() -> bool:
        counted = parts.store.outcomes()
        return counted["messages"] == number + 1 and counted["waiting"] == 0

    return until(filed, 90, "a case")


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS


if __name__ == "__main__":
    main()
