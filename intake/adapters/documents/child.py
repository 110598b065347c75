"""The child: reads one document after another from its parent's pipe, under limits, and answers with bounded JSON.

Started by `runner` with an empty environment in an empty folder. It ends when the pipe closes, when the kernel ends it, or
after an answer that says `last`. This is a door: whatever goes wrong inside becomes a problem code.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from intake.adapters.documents.confine import allow_seconds, confine
from intake.adapters.documents.frames import HEAD, as_plain, packed
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.unpack import Reply, unpack

Task = Callable[[bytes, dict[str, object], Limits], object]


def main(pipe: int, limits_text: str, bound: bool) -> None:
    """Serve until the parent closes the pipe. `limits_text` is the JSON of a Limits; `bound`: end with the parent thread."""
    limits = Limits(**json.loads(limits_text))
    tasks = _preloaded()
    confine(limits.memory, bound)
    while True:
        start = _read(pipe, HEAD.size)
        if not start:
            return
        head_size, body_size = HEAD.unpack(start)
        head: dict[str, object] = json.loads(_read(pipe, head_size))
        body = _read(pipe, body_size)
        task = str(head["do"])
        allow_seconds(float(str(head["seconds"])))
        answer, last = _answer(tasks[task], body, head, limits)
        allow_seconds(0)
        _write(pipe, answer)
        if last:
            return


def _preloaded() -> dict[str, Task]:
    """The readers, with what each document needs already imported."""
    from forms import load
    from intake.adapters.documents.pdf import read_pdf

    load.forms()

    def read(body: bytes, head: dict[str, object], limits: Limits) -> object:
        return as_plain(read_pdf(body, limits))

    return {"read": read, "suggest": _suggest, "compare": _compare, "unpack": unpack}


def _suggest(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from forms import load
    from intake.adapters.documents.foreign import suggestions

    return suggestions(body, load.form(str(head["form"])), limits.suggestion_pages)


def _compare(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from forms import load
    from intake.adapters.documents.shown import compare_shown

    problems = compare_shown(body, load.form(str(head["form"])))
    return [[p.id, p.code, p.message] for p in problems]


def _answer(task: Task, body: bytes, head: dict[str, object], limits: Limits) -> tuple[bytes, bool]:
    """The frame that goes back, and whether this child should end after it."""
    try:
        done = task(body, head, limits)
        inside = done.body if isinstance(done, Reply) else b""
        plain = done.head if isinstance(done, Reply) else done
        answer = packed({"done": plain, "used": time.process_time()}, inside)
    except MemoryError:
        return packed({"failed": "too_costly", "used": time.process_time()}), True
    except Exception:  # the door: any library, any odd exception, never the parent's trouble
        return packed({"failed": "corrupt", "used": time.process_time()}), False
    if len(answer) - len(inside) > limits.answer:
        return packed({"failed": "too_costly", "used": time.process_time()}), False
    return answer, False


def _read(pipe: int, size: int) -> bytes:
    """Exactly so many bytes, or nothing when the pipe is closed."""
    if size == 0:
        return b""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(pipe, min(size - len(parts), 1 << 20))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _write(pipe: int, frame: bytes) -> None:
    """By write(2): the calls for sockets are refused to this process."""
    view = memoryview(frame)
    while view:
        view = view[os.write(pipe, view) :]
