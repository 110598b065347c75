"""Mails a second through our own door: real `provider-intake collect`, real SMTP clients, SQLite FULL, files encrypted and synced.

Run:  .venv/bin/python -m benchmarks.smtp_in [--mails 2000] [--kilobytes 5] [--clients 8]
Prints one JSON line: mails, mails a second, CPU ms a mail of the door, its peak memory, and how many were kept, so that a fast run
that lost something shows. The worker does not run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import smtplib
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.support.mail_door import RECIPIENT, options
from tests.support.running import Site, until


def mail(number: int, size: int) -> bytes:
    head = f"From: p{number}@provider.example\r\nSubject: Notice {number}\r\nMessage-ID: <{number}@provider.example>\r\n\r\n"
    line = "Our laptop was stolen, and there were files of forty people on it.\r\n"
    return (head + line * (size // len(line) + 1)).encode()


def send(port: int, numbers: range, size: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mx.provider.example") as client:
        for number in numbers:
            client.sendmail("p@provider.example", [RECIPIENT], mail(number, size))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--kilobytes", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        box = options(Path(folder))
        site = Site(Path(folder), {"breach": box})
        parts, port = site.parts(), int(box["listen"].rpartition(":")[2])
        door = site.start("collect")
        until(lambda: parts.store.mailbox_state("breach").last_contact is not None, 30, "an open door")
        each = given.mails // given.clients
        before, began = cpu_seconds(door.pid), time.perf_counter()
        senders = [
            threading.Thread(target=send, args=(port, range(n * each, n * each + each), given.kilobytes * 1024))
            for n in range(given.clients)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        seconds = time.perf_counter() - began
        figures = {
            "mails": each * given.clients,
            "kilobytes": given.kilobytes,
            "clients": given.clients,
            "per_second": round(each * given.clients / seconds, 1),
            "cpu_ms": round((cpu_seconds(door.pid) - before) / (each * given.clients) * 1e3, 2),
            "peak_mb": peak_megabytes(door.pid),
            "kept": parts.store.outcomes()["messages"],
        }
        site.stop()
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if figures["kept"] == figures["mails"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
