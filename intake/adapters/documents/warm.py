"""The warm parent of the children that read: imports the readers once, forks a child for each message, and touches no document.

Started by `process` with an empty environment in an empty folder. It has one thread, so a fork of it is whole. It takes one
command at a time over a socket, as a line of JSON, and ends when that socket closes.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from collections.abc import Mapping

from intake.adapters.documents import child
from intake.adapters.documents.confine import confine, die_with_parent

LINE = 4096  # bytes of a command; each is far shorter


def main(control_number: int, kind: str) -> None:
    """Serve until the socket closes. kind: which readers to import, one of `child.READERS`."""
    with socket.socket(fileno=control_number) as control:
        tasks = child.READERS[kind]()
        gc.collect()
        gc.freeze()  # what stands now is shared with every child, and not copied by looking at it
        while True:
            line, pipes, _, _ = socket.recv_fds(control, LINE, 1)
            if not line:
                return
            command = json.loads(line)
            answer = _fork(control, pipes[0], tasks, command) if command["do"] == "fork" else _end(command["pid"])
            control.sendall(json.dumps(answer).encode() + b"\n")


def _fork(
    control: socket.socket, pipe: int, tasks: Mapping[str, child.Task], command: Mapping[str, object]
) -> dict[str, object]:
    pid = os.fork()
    if pid:
        os.close(pipe)
        return {"pid": pid}
    try:  # the child: it never comes back from here
        control.close()
        die_with_parent()
        gc.disable()  # it lives for one message; a round of collecting would copy pages for nothing
        fences = confine(int(str(command["memory"])))
        child.serve(pipe, tasks, int(str(command["answer"])), fences)
    finally:
        os._exit(0)


def _end(pid: int) -> dict[str, object]:
    """End a child that is still there; its status and the CPU of its whole life. Nobody else waits for it, so the number is its own."""
    os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "used": used.ru_utime + used.ru_stime}
