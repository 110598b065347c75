"""Programs that we start: an own session, output to a log file, and an end with us even when we are killed.

A child that shares our output would hold a caller's pipe open after we are gone, and one that outlives us would
go on working on a folder that somebody starts a second time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def start(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None, mode: int = 0o600
) -> subprocess.Popen[bytes]:
    """Start a program whose output goes to the end of `log`. Raises OSError.

    On Linux the kernel ends it when the *thread* that called this ends: call it from one that lives as long as the
    program should.
    """
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env=None if environ is None else dict(environ),
            start_new_session=True,
            preexec_fn=_end_with_parent(),
        )
    finally:
        os.close(handle)


def stop(process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
    """End a program and all that it started: asked first, killed after `seconds`."""
    if process.poll() is not None:
        return  # its number may be somebody else's by now
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(seconds)


def _end_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: after the fork nothing may be loaded
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel
