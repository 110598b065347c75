"""CPU cost of `provider-intake receive --json` for each message of a folder: all work, all processes, SQLite FULL.

Run:  .venv/bin/python benchmarks/receive_cost.py --corpus DIR [--limit 300]
Prints one JSON line: messages, CPU ms a message (user and system time of the command and all its children), wall ms, peak MB, and
the outcomes, so that a cheap run that lost something shows. Start-up and imports are counted.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(sys.executable).with_name("provider-intake")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--limit", type=int, default=300)
    given = parser.parse_args()
    files = sorted(Path(given.corpus).glob("*.eml"))[: given.limit]
    with tempfile.TemporaryDirectory() as folder:
        zone = Path(folder) / "zone.json"
        zone.write_text("{}")
        env = {
            **os.environ,
            "INTAKE_DATA_DIR": str(Path(folder) / "var"),
            "INTAKE_DNS_FILE": str(zone),
            "INTAKE_TRUSTED_AUTHSERV_IDS": "mail.example.govt.nz",
        }
        subprocess.run([COMMAND, "migrate"], env=env, check=True, capture_output=True)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [COMMAND, "receive", "--json", *files], env=env, capture_output=True, text=True, check=False
        )
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return 1
    outcomes = collections.Counter(json.loads(line)["outcome"] for line in done.stdout.splitlines())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        json.dumps(
            {
                "n": len(files),
                "cpu_ms": round(cpu / len(files) * 1e3, 2),
                "wall_ms": round(wall / len(files) * 1e3, 2),
                "rss_mb": after.ru_maxrss // 1024,
                "outcomes": outcomes,
            }
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
