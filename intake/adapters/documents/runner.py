"""Reads attachments: looks at the first bytes here, and gives what must be parsed to a limited child process.

A warm parent is started at the first document and forks a child for each message. When a child dies or is ended, that one document
says so, and the next one is read by a fresh child: nothing that a stranger's file does reaches another message.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from forms import load
from forms.schema import Problem
from intake.adapters.documents.frames import Nonsense, from_plain, packed
from intake.adapters.documents.keys import MailKeys
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.process import Child, ChildEnded, WarmParent, WasGone
from intake.adapters.documents.say import NOTES, SENTENCES, not_read_yet, problem
from intake.adapters.documents.sniff import PDF, TEXTS_AND_SHEETS, Kind, sniff
from intake.domain.model import ReadDocument
from intake.ports import Unpacked

KIND_OF = {"suggest": "suggestions", "picture": "pictures"} | dict.fromkeys(
    ("read", "compare", "unpack", "fences"), "documents"
)
READ = TEXTS_AND_SHEETS | {PDF}
LEAST_PICTURE = 20_000  # bytes; a photo of a page has more, a logo less
LEAST = 0.05  # seconds of CPU below which no file is begun


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child said of one file: its result and the bytes with it, or why there are none; and what that cost."""

    done: object = None
    body: bytes = b""
    failed: str = ""
    seconds: float = 0.0


class DocumentReader:
    """Implements `intake.ports.DocumentReading`. May be shared by threads: one document is read at a time."""

    def __init__(self, limits: Limits | None = None, keys: MailKeys | None = None) -> None:
        self.limits = limits or Limits()
        self._keys = keys or MailKeys()
        self._lock = threading.Lock()
        self._parents: dict[str, WarmParent] = {}  # by kind
        self._child: Child | None = None  # of the message at hand

    def read(self, attachments: Sequence[tuple[str, bytes]], spent: float = 0.0) -> tuple[ReadDocument, ...]:
        """What each file holds, in order. Never raises on account of a file.

        spent: seconds of CPU that the message has cost before; all of it together may cost `message_cpu_seconds`.
        """
        with self._lock:
            try:
                return self._read(attachments, spent)
            finally:
                self._drop()

    def _read(self, attachments: Sequence[tuple[str, bytes]], spent: float) -> tuple[ReadDocument, ...]:
        until = time.monotonic() + self.limits.message_seconds
        left = self.limits.message_cpu_seconds - spent
        found = []
        for n, (name, content) in enumerate(attachments):
            in_time = n < self.limits.documents and time.monotonic() < until and left > LEAST
            last = n + 1 == len(attachments)
            share = min(left if last else left / 2, self.limits.cpu_seconds)  # a dear file takes no form's turn away
            document, seconds = self._one(name, content, share if in_time else 0.0)
            found.append(document)
            left -= seconds
        return tuple(found)

    def unpack(self, wrapper: str, name: str, content: bytes, spent: float = 0.0) -> Unpacked:
        """What one of `intake.domain.wrappers` holds. Never raises on account of a file."""
        if len(content) > self.limits.size:
            return Unpacked(problem=problem("too_large"))
        head = {"wrapper": wrapper, "name": name[:250]}
        first = self._opened(head, content, spent)
        sealed = first.done.get("recipients") if isinstance(first.done, dict) else None
        if sealed is None:
            return _unpacked(first, first.seconds)
        key = self._keys.content_key(sealed)
        if not key:
            return Unpacked(problem=problem("encrypted_mail"), seconds=first.seconds)
        second = self._opened({**head, "key": key.hex()}, content, spent + first.seconds)
        return _unpacked(second, first.seconds + second.seconds)

    def _opened(self, head: Mapping[str, object], content: bytes, spent: float) -> Answer:
        left = min(self.limits.message_cpu_seconds - spent, self.limits.cpu_seconds)
        if left <= LEAST:
            return Answer(failed="not_all_read")
        return self._alone("unpack", content, head, self.limits.wall_seconds, left)

    def suggestions(self, content: bytes, form: str) -> tuple[Mapping[str, object], ...]:
        """Places in anybody's flat PDF, text or sheet that may answer questions of `KIND@EDITION`, for a person to take or leave.

        Each has question, text, page, box and confidence. Empty when the file cannot be read within the limits.
        """
        if sniff("", content).media_type not in READ:
            return ()
        found = self._slowly("suggest", content, form)
        if not isinstance(found, list):
            return ()
        return tuple(row for row in found if isinstance(row, dict))

    def compare_shown(self, content: bytes, form: str) -> tuple[Problem, ...]:
        """Answers of a fillable PDF whose page shows something else than the value that was read. For when a case is opened."""
        found = self._slowly("compare", content, form)
        if not isinstance(found, list):
            return ()
        return tuple(Problem(str(i), str(c), str(m)) for i, c, m in found)

    def _slowly(self, do: str, content: bytes, form: str) -> object:
        limits = self.limits
        return self._alone(
            do,
            content,
            {"form": form, "media_type": sniff("", content).media_type},
            limits.suggestion_wall_seconds,
            limits.suggestion_cpu_seconds,
        ).done

    def fences(self) -> tuple[str, ...]:
        """Which of `confine.FENCES` this machine puts around a child; tried with a real one. Empty when none can be had."""
        done = self._alone("fences", b"", {}, self.limits.wall_seconds, 1.0).done
        return tuple(str(name) for name in done) if isinstance(done, list) else ()

    def close(self) -> None:
        with self._lock:
            self._drop()
            for kind in tuple(self._parents):
                self._cool(kind)

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _one(self, name: str, content: bytes, seconds: float) -> tuple[ReadDocument, float]:
        """What a file holds, and the seconds that it cost of those that it has (0: the message has none left)."""
        kind = sniff(name, content)
        if not content:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("empty"),)), 0.0
        if len(content) > self.limits.size:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("too_large"),)), 0.0
        if kind.quarantine:
            return ReadDocument(name, kind.media_type, "none", problems=_why_kept(kind), quarantined=True), 0.0
        picture = kind.media_type.startswith("image/") and len(content) >= LEAST_PICTURE
        unread = ReadDocument(name, kind.media_type, "none", problems=(not_read_yet(kind.what),))
        if kind.media_type not in READ and not (picture and seconds):
            return unread, 0.0
        if not seconds:
            return ReadDocument(name, kind.media_type, "none", problems=(problem("not_all_read"),)), 0.0
        if picture:
            return self._pictures(name, kind.media_type, content, seconds, unread)
        found, spent = self._parsed("read", name, kind.media_type, content, seconds)
        if (
            kind.media_type != PDF
            or [p.code for p in found.problems if not p.id][-1:] != ["no_text_layer"]
            or seconds - spent < LEAST
        ):
            return found, spent
        looked, more = self._pictures(name, PDF, content, seconds - spent, found)
        return looked, spent + more

    def _pictures(
        self, name: str, media_type: str, content: bytes, seconds: float, unread: ReadDocument
    ) -> tuple[ReadDocument, float]:
        """What pages that are pictures show; when looking costs more than it may, `unread`: a person looks in any case."""
        found, spent = self._parsed("picture", name, media_type, content, seconds)
        given_up = any(p.code in ("too_costly", "crashed") for p in found.problems)
        if given_up or (found.how == "none" and unread.problems and media_type == PDF):
            return unread, spent
        flags = tuple(p for p in unread.problems if p.code not in ("no_text_layer", "not_read_yet"))
        return replace(found, problems=(*flags, *found.problems)), spent

    def _parsed(
        self, do: str, name: str, media_type: str, content: bytes, seconds: float
    ) -> tuple[ReadDocument, float]:
        answer = self._ask(do, content, {"media_type": media_type}, self.limits.wall_seconds, seconds)
        if answer.failed:
            return ReadDocument(name, media_type, "none", problems=(problem(answer.failed),)), answer.seconds
        try:
            return from_plain(name, answer.done), answer.seconds
        except Nonsense:
            self._drop()
            return ReadDocument(name, media_type, "none", problems=(problem("crashed"),)), answer.seconds

    def _alone(self, do: str, content: bytes, more: Mapping[str, object], wall: float, seconds: float) -> Answer:
        """The answer of a child of its own."""
        with self._lock:
            try:
                return self._ask(do, content, more, wall, seconds)
            finally:
                self._drop()

    def _ask(self, do: str, content: bytes, more: Mapping[str, object], wall: float, seconds: float) -> Answer:
        """The child's answer, or why there is none, and what it cost."""
        head = {"do": do, "seconds": seconds, "limits": self.limits.as_plain(), **more}
        if self._child is not None and self._child.parent.kind != KIND_OF[do]:
            self._drop()
        try:
            child = self._child = self._child or self._fresh(KIND_OF[do])
        except WasGone:
            return Answer(failed="crashed")
        try:
            told, body = child.ask(packed(head, content), wall)
        except ChildEnded as end:
            self._drop()
            return Answer(failed=end.code, seconds=child.lost(seconds))
        failed = str(told.get("failed", ""))
        failed = failed if failed in SENTENCES or not failed else "crashed"
        if failed == "too_costly":
            self._drop()
        return Answer(told.get("done"), body, failed, child.cost)

    def _fresh(self, kind: str) -> Child:
        """A forked child. Raises WasGone when even a new warm parent gives none."""
        if kind in self._parents and self._parents[kind].editions != load.held():
            self._cool(kind)  # an edition was published since it loaded them
        for _ in range(2):
            parent = self._parents.get(kind) or WarmParent(kind)
            self._parents[kind] = parent
            try:
                return parent.child(self.limits, self.limits.memory)
            except WasGone:  # it ended while nobody asked it anything: no document's fault
                self._cool(kind)
        raise WasGone

    def _cool(self, kind: str) -> None:
        self._parents.pop(kind).close()

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _why_kept(kind: Kind) -> tuple[Problem, ...]:
    found = (problem("quarantined"),)
    return (*found, problem("encrypted")) if kind.locked else found


def _unpacked(answer: Answer, seconds: float) -> Unpacked:
    done = answer.done if isinstance(answer.done, dict) else {}
    code = answer.failed or str(done.get("problem", "")) or ("" if answer.body else "wrapper_damaged")
    if code == "corrupt":
        code = "wrapper_damaged"
    if code:
        return Unpacked(problem=problem(code if code in SENTENCES else "crashed"), seconds=seconds)
    notes = done.get("notes")
    told = [NOTES[str(n)] for n in notes if str(n) in NOTES] if isinstance(notes, list) else []
    return Unpacked(answer.body, tuple(told), seconds=seconds)
