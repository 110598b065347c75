"""All of it on one machine: the embedded Redis, web, worker and mailbox reader as one group of processes.

Each is a program of its own (`provider-intake serve|work|collect`) with its output in `data_dir/logs`; one that
dies is started again after a wait that grows; when this one ends, by Ctrl-C, SIGTERM or SIGKILL, all of them
end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from intake.adapters import children
from intake.adapters.valkey import EmbeddedValkey
from intake.config import Settings
from intake.domain.errors import IntakeError
from intake.wiring import build
from workers.port import answers
from workers.stopping import growing_wait, stop_on_signals

_COMMAND = (sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())")
_LOOK_SECONDS = 0.25
_READY_SECONDS = 60.0
_LONGEST_WAIT = 30.0
_LIVED_WELL = 60.0  # seconds after which an end counts as the first one again
_WEB_TRIES = 3  # without a page there is nothing to come to
UNAVAILABLE = 69


class Program:
    """One command of ours, started again when it ends by itself."""

    def __init__(self, command: str, logs: Path, environ: Mapping[str, str]) -> None:
        self.command = command
        self.log = logs / f"{command}.log"
        self.failures = 0
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._start_at = 0.0

    def ensure(self) -> None:
        now = time.monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._process = None
            self.failures = 1 if now - self._began > _LIVED_WELL else self.failures + 1
            self._start_at = now + growing_wait(self.failures, 0.5, _LONGEST_WAIT)
        if now >= self._start_at:
            self._process = children.start([*_COMMAND, self.command], self.log, self._environ)
            self._began = now

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        if self._process is not None:
            children.stop(self._process)


def run(settings: Settings) -> int:
    """Until Ctrl-C or SIGTERM; the exit code. Prints one address when the pages answer. For the main thread."""
    stop = stop_on_signals()
    parts = build(settings)
    parts.store.engine.dispose()  # opened once: the tables are there before three programs want them
    _ = parts.secret
    # Else the programs behind us would begin and end, over and over, and their logs alone say why.
    for box in settings.mailboxes:
        parts.check_mailbox(box.name)
    _ = parts.mail_sender
    redis = _redis(settings)
    environ = dict(os.environ) | ({"INTAKE_EMBEDDED_REDIS_URL": redis.url} if redis else {})
    logs = settings.folder / "logs"
    logs.mkdir(exist_ok=True, mode=0o700)
    commands = ("serve", "work", "collect") if settings.mailboxes else ("serve", "work")
    programs = [Program(command, logs, environ) for command in commands]
    try:
        return _watch(settings, programs, redis, stop)
    finally:
        for program in programs:
            program.ask_to_stop()  # all at once, so that their ends overlap
        for program in reversed(programs):
            program.stop()
        if redis:
            redis.stop()


def _redis(settings: Settings) -> EmbeddedValkey | None:
    if settings.redis_url:
        return None
    redis = EmbeddedValkey(settings.folder / "valkey")
    try:
        redis.start()
    except IntakeError as error:
        print(f"{error.for_staff} Work is found by looking every {settings.poll_seconds} s instead.")
        return None
    return redis


def _watch(settings: Settings, programs: list[Program], redis: EmbeddedValkey | None, stop: threading.Event) -> int:
    web, told, until = programs[0], False, time.monotonic() + _READY_SECONDS
    while not stop.is_set():
        for program in programs:
            program.ensure()
        if redis:
            _mend(redis)
        if not told and web.failures >= _WEB_TRIES:
            print(f"The web server ended {web.failures} times in a row. {web.log} says why.")
            return UNAVAILABLE
        if not told and (answers(str(settings.listen)) or time.monotonic() > until):
            told = True
            print(f"\n  {settings.base_url}\n\n  Ctrl-C ends it. Logs: {web.log.parent}", flush=True)
        stop.wait(_LOOK_SECONDS)
    return 0


def _mend(redis: EmbeddedValkey) -> None:
    try:
        redis.ensure()
    except IntakeError:
        return  # its log says why; workers look by themselves meanwhile
