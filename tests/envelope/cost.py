"""A program that examines one bomb after another, each followed by an honest mail, and prints what each cost as a line of JSON.

Run by `test_cost.py` in a process of its own, so that memory is that of the examination and not of the tests.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from intake import config
from intake.adapters.demo.answers import notice
from intake.adapters.demo.mails import File, write
from intake.adapters.demo.messages import filled
from intake.examine import Examination, examine
from intake.wiring import NoLookups, Parts
from tests.documents.wrapper_bombs import wrapper_bombs
from tests.envelope.bombs import bombs

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TICK = os.sysconf("SC_CLK_TCK")


def mails(which: str) -> Iterator[tuple[str, bytes]]:
    if which == "envelopes":
        yield from bombs()
        return
    for name, file, content in wrapper_bombs():
        head = f'From: a@b.nz\r\nContent-Type: application/octet-stream; name="{file}"\r\n'
        yield name, head.encode() + b"Content-Transfer-Encoding: binary\r\n\r\n" + content


def examined(parts: Parts, raw: bytes) -> Examination:
    return examine(parts, raw, "maildrop", "default", NOW)


def children() -> list[int]:
    found = [int(c) for t in Path("/proc/self/task").iterdir() for c in (t / "children").read_text().split()]
    return [c for c in found if (Path("/proc") / str(c) / "stat").exists()]


def cpu() -> float:
    """Seconds of CPU of this process and of all its children, the ended ones too."""
    times = os.times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in children():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def peak(who: str) -> float:
    """The most memory that a process has had since the last `forget`, in MB."""
    text = Path(f"/proc/{who}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))) / 1024


def forget(who: str) -> None:
    Path(f"/proc/{who}/clear_refs").write_text("5")


def main(which: str, folder: str) -> None:
    parts = Parts(config.load({"INTAKE_DATA_DIR": folder}), lambda: NOW)
    parts.__dict__["lookups"] = NoLookups()
    answers = notice("Kōwhai Example Trust", NOW, "A folder was left on a bus.")
    form = File("form.pdf", "application/pdf", filled("breach-notice", answers))
    good = write(sender="a@b.nz", subject="Our form", body="Kia ora", at=NOW, identity="good", files=[form])
    examined(parts, good)
    for name, raw in mails(which):
        forget("self")
        before, begun = cpu(), time.monotonic()
        found = examined(parts, raw)
        spent, wall, memory = cpu() - before, time.monotonic() - begun, peak("self")
        after = examined(parts, good)
        read = after.drafts[0].answers["A01"].value == "Kōwhai Example Trust"
        told = [p.code for d in found.documents for p in d.read.problems]
        line = {"name": name, "cpu": spent, "wall": wall, "memory": memory, "after": read, "problems": told[:5], "documents": len(found.documents)}  # fmt: skip
        print(json.dumps(line), flush=True)
    parts.documents.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
