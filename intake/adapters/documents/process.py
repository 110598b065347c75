"""The processes that read and the pipes to them: lengths, JSON and bytes each way, with a clock over every answer."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from forms import load
from intake.adapters.documents.frames import HEAD
from intake.adapters.documents.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from intake.adapters.documents.warm import main; main(int(sys.argv[2]), sys.argv[3])"
ONE_THREAD = {
    "OMP_THREAD_LIMIT": "1",
    "OPENBLAS_NUM_THREADS": "1",
}  # a fork of a process with threads would be half a process
STARTING = 60.0  # seconds in which a warm parent has its imports done, on a machine that has much else to do
FORKING = 5.0  # seconds in which it answers from then on
MOST_SAID = 4096  # bytes of one of its answers


class ChildEnded(Exception):
    """The child gave no answer. `code` is the problem that the document gets."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WasGone(Exception):
    """There was nobody to ask: the warm parent, or the child, had ended before."""


class WarmParent:
    """The process that has the readers loaded and forks a child for each message. It is given no document and no secret."""

    def __init__(self, kind: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="intake-read-")
        self.kind = kind
        self.begun = False
        self.editions = load.held()  # that it knows
        ours, theirs = socket.socketpair()
        self.control = ours
        arguments = [sys.executable, "-I", "-B", "-X", "utf8", "-c", BOOT, str(ROOT), str(theirs.fileno()), kind]
        with theirs:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ONE_THREAD,
                cwd=self.folder,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def child(self, limits: Limits, memory: int) -> Child:
        """A fresh child. Raises WasGone when this process is not there any more, or does not answer."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                said = self._ask({"do": "fork", "memory": memory, "answer": limits.answer}, theirs.fileno())
            except WasGone:
                ours.close()
                raise
        return Child(self, ours, int(str(said["pid"])), limits)

    def ended(self, pid: int) -> Mapping[str, object]:
        """End a child: {signal, used}; empty when nobody can tell any more."""
        try:
            return self._ask({"do": "end", "pid": pid})
        except WasGone:
            return {}

    def _ask(self, command: Mapping[str, object], pipe: int | None = None) -> dict[str, object]:
        self.control.settimeout(FORKING if self.begun else STARTING)
        line = json.dumps(command).encode()
        said = b""
        try:
            socket.send_fds(self.control, [line], [] if pipe is None else [pipe])
            while not said.endswith(b"\n") and len(said) < MOST_SAID:
                part = self.control.recv(MOST_SAID)
                if not part:
                    raise WasGone
                said += part
            answer = json.loads(said)
        except (OSError, ValueError):
            raise WasGone from None
        self.begun = True
        if not isinstance(answer, dict):
            raise WasGone
        return answer

    def close(self) -> None:
        self.control.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Child:
    """One forked process and the pipe to it."""

    def __init__(self, parent: WarmParent, pipe: socket.socket, pid: int, limits: Limits) -> None:
        self.parent = parent
        self.pipe = pipe
        self.pid = pid
        self.limits = limits
        self.used = 0.0  # seconds of CPU until its last answer
        self.cost = 0.0  # of that answer
        self._end: Mapping[str, object] | None = None

    def ask(self, frame: bytes, seconds: float) -> tuple[dict[str, object], bytes]:
        """Send one document and wait for the answer. Raises ChildEnded."""
        until = time.monotonic() + seconds
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
        """Why it ended: the kernel's limits on time end a process by signal, and so does the clock of the one that waits."""
        return "too_costly" if self.end().get("signal") in COSTLY else "crashed"

    def lost(self, allowed: float) -> float:
        """The seconds of CPU that an answer cost which did not come; all that were allowed, when nobody can tell."""
        used = self.end().get("used")
        return max(0.0, used - self.used) if isinstance(used, float) else allowed

    def end(self) -> Mapping[str, object]:
        """End it, once; how it ended and what its whole life cost."""
        if self._end is None:
            self.pipe.close()
            self._end = self.parent.ended(self.pid)
        return self._end


COSTLY = (signal.SIGKILL, signal.SIGXCPU, signal.SIGPROF)
