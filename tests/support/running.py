"""Our own commands as real processes, on a data folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intake.adapters import children
from intake.config import Settings, load
from intake.wiring import Parts, build

COMMAND = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())"]


class Site:
    """One installation: its settings, its processes, and what it says of itself."""

    def __init__(self, folder: Path, mailboxes: Mapping[str, Mapping[str, object]] | None = None, **settings: object):
        self.folder = folder
        config = folder / "intake.toml"
        config.write_text("".join(table(name, options) for name, options in (mailboxes or {}).items()))
        here = str(Path(__file__).resolve().parents[2])
        self.environ = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": here,
            "INTAKE_CONFIG": str(config),
            "INTAKE_DATA_DIR": str(folder / "var"),
            **{f"INTAKE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> Settings:
        return load(self.environ)

    def parts(self) -> Parts:
        """What the commands work with, in this process: to look at the database as they left it."""
        return build(self.settings)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        (self.folder / "var").mkdir(exist_ok=True)
        process = children.start([*COMMAND, command], self.folder / f"{command}.log", self.environ)
        self.processes.append(process)
        return process

    def say(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return [json.loads(line) for line in self.run(*arguments, "--json").splitlines()]

    def run(self, *arguments: str) -> str:
        """What a command prints; it must end well."""
        ended = self.ends(*arguments)
        ended.check_returncode()
        return ended.stdout

    def ends(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command to its end, however that is."""
        return subprocess.run(
            [*COMMAND, *arguments], env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def log(self, command: str) -> str:
        path = self.folder / f"{command}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        for process in self.processes:
            children.stop(process)


def until(true: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for something; the seconds it took. Fails with `what` when it does not come."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


def table(name: str, options: Mapping[str, object]) -> str:
    """`[mailboxes.NAME]` of the settings file."""
    lines = [f"[mailboxes.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in options.items())]
    return "\n".join(lines) + "\n\n"
