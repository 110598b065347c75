"""Reads attachments: looks at the first bytes here, and gives what must be parsed to one warm child process.

The child is started at the first document, serves many, and is replaced after `Limits.documents_per_child`, and whenever it
dies or is ended: then that one document says so, and the next one is read by a fresh child.
"""

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
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from forms.schema import Problem
from intake.adapters.documents.frames import HEAD, Nonsense, as_plain, from_plain, packed
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.say import not_read_yet, problem
from intake.adapters.documents.sniff import PDF, Kind, sniff
from intake.domain.model import ReadDocument

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


class DocumentReader:
    """Implements `intake.ports.DocumentReading`. May be shared by threads: one document is read at a time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def read(self, attachments: Sequence[tuple[str, bytes]]) -> tuple[ReadDocument, ...]:
        """What each file holds, in order. Never raises on account of a file."""
        until = time.monotonic() + self.limits.message_seconds
        return tuple(
            self._one(name, content, in_time=n < self.limits.documents and time.monotonic() < until)
            for n, (name, content) in enumerate(attachments)
        )

    def suggestions(self, content: bytes, form: str) -> tuple[Mapping[str, object], ...]:
        """Places in anybody's flat PDF that may answer questions of `KIND@EDITION`, for a person to take or leave.

        Each has question, text, page, box and confidence. Empty when the file cannot be read within the limits.
        """
        found = self._ask("suggest", content, {"form": form}, self.limits.suggestion_wall_seconds)
        if not isinstance(found, list):
            return ()
        return tuple(row for row in found if isinstance(row, dict))

    def compare_shown(self, content: bytes, form: str) -> tuple[Problem, ...]:
        """Answers of a fillable PDF whose page shows something else than the value that was read. For when a case is opened."""
        found = self._ask("compare", content, {"form": form}, self.limits.suggestion_wall_seconds)
        if not isinstance(found, list):
            return ()
        return tuple(Problem(str(i), str(c), str(m)) for i, c, m in found)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _one(self, name: str, content: bytes, in_time: bool) -> ReadDocument:
        kind = sniff(name, content)
        if not content:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("empty"),))
        if len(content) > self.limits.size:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("too_large"),))
        if kind.quarantine:
            return ReadDocument(name, kind.media_type, "none", problems=_why_kept(kind), quarantined=True)
        if kind.media_type != PDF:
            return ReadDocument(name, kind.media_type, "none", problems=(not_read_yet(kind.what),))
        if not in_time:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("not_all_read"),))
        return self._pdf(name, content)

    def _pdf(self, name: str, content: bytes) -> ReadDocument:
        try:
            return from_plain(name, self._ask("read", content, {}, self.limits.wall_seconds))
        except Nonsense:
            self.close()
            return ReadDocument(name, PDF, "none", problems=(problem("crashed"),))

    def _ask(self, do: str, content: bytes, more: Mapping[str, object], seconds: float) -> object:
        """The child's answer, or a plain document with the problem that stands for none."""
        with self._lock:
            try:
                return self._served(packed({"do": do, **more}, content), seconds)
            except ChildEnded as end:
                self._drop()
                return _without_answer(end.code)

    def _served(self, frame: bytes, seconds: float) -> object:
        for last_try in (False, True):
            child = self._warm()
            try:
                answer = child.ask(frame, seconds)
            except _WasGone:  # it died while nobody asked it anything: no document's fault
                self._drop()
                if last_try:
                    raise ChildEnded("crashed") from None
                continue
            if "failed" in answer:
                if answer["failed"] == "too_costly":
                    self._drop()
                return _without_answer(str(answer["failed"]))
            return answer.get("done")
        raise ChildEnded("crashed")

    def _warm(self) -> _Child:
        if self._child is not None and self._child.served >= self.limits.documents_per_child:
            self._drop()
        if self._child is None:
            self._child = _Child(self.limits)
        return self._child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _why_kept(kind: Kind) -> tuple[Problem, ...]:
    found = (problem("quarantined"),)
    return (*found, problem("encrypted")) if kind.locked else found


def _without_answer(code: str) -> dict[str, object]:
    return as_plain(ReadDocument("", PDF, "none", problems=(problem(code),)))


def _bound() -> str:
    """Whether the kernel may end the child when its parent thread ends: only the main thread lives as long as the process.

    A child of another thread still ends when the pipe closes, at the latest after the seconds that its document has.
    """
    return "bound" if threading.current_thread() is threading.main_thread() else "free"


class _WasGone(Exception):
    """The child had already ended when it was asked."""


class _Child:
    """One process and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.served = 0
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

    def ask(self, frame: bytes, seconds: float) -> dict[str, object]:
        """Send one document and wait for the answer. Raises ChildEnded, or _WasGone when nothing could be sent."""
        fresh = self.served == 0
        self.served += 1
        until = time.monotonic() + seconds + (20.0 if fresh else 0.0)  # a fresh child has its imports to do
        if self.process.poll() is not None:
            raise _WasGone
        try:
            self._send(frame, until)
            head_size, body_size = HEAD.unpack(self._receive(HEAD.size, until))
            if head_size + body_size > self.limits.answer + 1024:
                raise ChildEnded("too_costly")
            answer = json.loads(self._receive(head_size, until))
        except TimeoutError:
            raise ChildEnded("too_costly") from None
        except (OSError, ValueError):
            raise ChildEnded(self._cause()) from None
        if not isinstance(answer, dict):
            raise ChildEnded("crashed")
        return answer

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
            self.process.wait(2)
        return "too_costly" if -(self.process.returncode or 0) in COSTLY else "crashed"

    def end(self) -> None:
        self.pipe.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


COSTLY = (9, 24)  # SIGKILL, SIGXCPU
