"""The child: reads the documents of one message from its pipe, under limits, and answers with bounded JSON.

A fork of `warm`. It ends when the pipe closes, or when the kernel ends it. This is a door: whatever goes wrong inside becomes a
problem code.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping

from intake.adapters.documents.confine import allow_seconds
from intake.adapters.documents.frames import HEAD, as_plain, packed
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.sniff import PDF
from intake.adapters.documents.unpack import Reply, unpack

Task = Callable[[bytes, dict[str, object], Limits], object]


def serve(pipe: int, tasks: Mapping[str, Task], most: int, fences: tuple[str, ...]) -> None:
    """Answer one request after another until the pipe closes. most: bytes of JSON that an answer may have."""
    while True:
        start = _read(pipe, HEAD.size)
        if not start:
            return
        head_size, body_size = HEAD.unpack(start)
        head: dict[str, object] = json.loads(_read(pipe, head_size))
        body = _read(pipe, body_size)
        given = head["limits"]
        assert isinstance(given, dict)
        if head["do"] == "fences":
            _write(pipe, packed({"done": list(fences), "used": time.process_time()}))
            continue
        allow_seconds(float(str(head["seconds"])))
        answer = _answer(tasks[str(head["do"])], body, head, Limits(**given), most)
        allow_seconds(0)
        _write(pipe, answer)


def _documents() -> dict[str, Task]:
    """The readers of files, with what each needs already imported and loaded: the child can open no file."""
    from intake.adapters.documents import warmth

    warmth.documents()
    return {"read": _read_document, "compare": _compare, "unpack": unpack}


def _suggestions() -> dict[str, Task]:
    """Kept apart: what it loads would make every fork for a message a fifth dearer."""
    from intake.adapters.documents import warmth

    warmth.suggestions()
    return {"suggest": _suggest}


def _pictures() -> dict[str, Task]:
    from intake.adapters.documents import warmth

    warmth.pictures()
    return {"picture": _read_picture}


READERS: dict[str, Callable[[], dict[str, Task]]] = {
    "documents": _documents,
    "suggestions": _suggestions,
    "pictures": _pictures,
}


def _read_picture(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from intake.adapters.documents.picture import read_pictures

    return as_plain(read_pictures(body, str(head["media_type"]), limits))


def _read_document(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from intake.adapters.documents.office import read_office
    from intake.adapters.documents.pdf import read_pdf

    media_type = str(head["media_type"])
    return as_plain(read_pdf(body, limits) if media_type == PDF else read_office(media_type, body, limits))


def _suggest(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from forms import load
    from intake.adapters.documents.foreign import suggestions
    from intake.adapters.documents.office import suggest_office

    form, media_type = load.form(str(head["form"])), str(head["media_type"])
    if media_type == PDF:
        return suggestions(body, form, limits.suggestion_pages)
    return suggest_office(media_type, body, form, limits)


def _compare(body: bytes, head: dict[str, object], limits: Limits) -> object:
    from forms import load
    from intake.adapters.documents.shown import compare_shown

    problems = compare_shown(body, load.form(str(head["form"])))
    return [[p.id, p.code, p.message] for p in problems]


def _answer(task: Task, body: bytes, head: dict[str, object], limits: Limits, most: int) -> bytes:
    """The frame that goes back."""
    try:
        done = task(body, head, limits)
        inside = done.body if isinstance(done, Reply) else b""
        plain = done.head if isinstance(done, Reply) else done
        answer = packed({"done": plain, "used": time.process_time()}, inside)
    except MemoryError:
        return packed({"failed": "too_costly", "used": time.process_time()})
    except Exception:  # the door: any library, any odd exception, never the parent's trouble
        return packed({"failed": "corrupt", "used": time.process_time()})
    if len(answer) - len(inside) > most:
        return packed({"failed": "too_costly", "used": time.process_time()})
    return answer


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
