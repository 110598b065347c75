"""The child process and the pipe to it: lengths, JSON and bytes each way, with a clock over every answer."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from intake.adapters.documents.frames import HEAD
from intake.adapters.documents.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from intake.adapters.documents.child import main; main(int(sys.argv[2]), sys.argv[3], sys.argv[4] == 'bound')"
)


class ChildEnded(Exception):
    """The child gave no answer. `code` is the problem that the document gets."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _bound() -> str:
    """Whether the kernel may end the child when its parent thread ends: only the main thread lives as long as the process.

    A child of another thread still ends when the pipe closes, at the latest after the seconds that its document has.
    """
    return "bound" if threading.current_thread() is threading.main_thread() else "free"


class WasGone(Exception):
    """The child had already ended when it was asked."""


class Child:
    """One process and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.served = 0
        self.used = 0.0  # seconds of CPU until its last answer
        self.cost = 0.0  # of that answer; of the first one, with starting the child
        self.ended_with: float | None = None  # seconds of CPU in its whole life, where the system tells
        self.folder = tempfile.mkdtemp(prefix="intake-read-")
        ours, theirs = socket.socketpair()
        self.pipe = ours
        arguments = [sys.executable, "-I", "-B", "-X", "utf8", "-c", BOOT]
        with theirs:
            self.process = subprocess.Popen(
                [*arguments, str(ROOT), str(theirs.fileno()), json.dumps(limits.as_plain()), _bound()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd=self.folder,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def ask(self, frame: bytes, seconds: float) -> tuple[dict[str, object], bytes]:
        """Send one document and wait for the answer. Raises ChildEnded, or WasGone when nothing could be sent."""
        fresh = self.served == 0
        self.served += 1
        until = time.monotonic() + seconds + (20.0 if fresh else 0.0)  # a fresh child has its imports to do
        if self.process.poll() is not None:
            raise WasGone
        try:
            self._send(frame, until)
            head_size, body_size = HEAD.unpack(self._receive(HEAD.size, until))
            if head_size > self.limits.answer + 1024 or body_size > self.limits.unpacked:
                raise ChildEnded("too_costly")
            answer = json.loads(self._receive(head_size, until))
            body = self._receive(body_size, until)
        except TimeoutError:
            raise ChildEnded("too_costly") from None
        except (OSError, ValueError):
            raise ChildEnded(self._cause()) from None
        if not isinstance(answer, dict):
            raise ChildEnded("crashed")
        used = answer.get("used")
        self.cost = max(0.0, used - self.used) if isinstance(used, float) else 0.0
        self.used += self.cost
        return answer, body

    def _send(self, frame: bytes, until: float) -> None:
        self.pipe.settimeout(max(0.01, until - time.monotonic()))
        self.pipe.sendall(frame)

    def _receive(self, size: int, until: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self.pipe.settimeout(max(0.01, until - time.monotonic()))
            part = self.pipe.recv(size - len(parts))
            if not part:
                raise ConnectionError
            parts += part
        return bytes(parts)

    def _cause(self) -> str:
        """Why it ended: the kernel's limits on time end a process by signal, and so does the parent's clock."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._wait(2)
        return "too_costly" if -(self.process.returncode or 0) in COSTLY else "crashed"

    def lost(self, allowed: float) -> float:
        """The seconds of CPU that an answer cost which did not come; all that were allowed, when the system does not tell."""
        return allowed if self.ended_with is None else max(0.0, self.ended_with - self.used)

    def end(self) -> None:
        self.pipe.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self._wait(None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, seconds: float | None) -> None:
        if self.process.returncode is None:
            before = _seconds_of_ended_children()
            self.process.wait(seconds)
            after = _seconds_of_ended_children()
            self.ended_with = None if before is None or after is None else after - before


def _seconds_of_ended_children() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


COSTLY = (9, 24, 27)  # SIGKILL, SIGXCPU, SIGPROF
