"""Opening a mail with all that is in it: the mails inside, and the wrappers around mails and files (docs/decisions/0010).

The envelope is opened in this process, by our own reader of mails. A wrapper (an Outlook file, a winmail.dat, an S/MIME part, a zip
archive) is opened in the documents' limited child, which gives what it holds as the bytes of a mail; that goes the same way again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from forms.schema import Problem
from intake.domain.envelope import open_envelope
from intake.domain.model import Attachment, Envelope, Inner
from intake.domain.wrappers import (
    ENCRYPTED,
    LOCKED,
    MSG,
    NOT_ALL_READ,
    NOTHING_PROVES,
    TOO_DEEP,
    is_pgp,
    unwrapped,
    without,
    wrapper,
)
from intake.ports import DocumentReading, Unpacked

MOST_WRAPPERS = 20  # of one mail, at all depths
MOST_FILES = 400  # that came out of wrappers, before the next one stays closed
MOST_BYTES = 73_400_320  # that they hold together: twice what a mail may have
DEEPEST = 8  # wrappers and mails around one another
_MAILS = 20  # as the reader of envelopes has it


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail with every mail inside it, each with what stands before the paths of its parts ("" for the mail itself, first).

    closed: paths of attachments that stayed closed, and why. seconds: of CPU that the child needed.
    """

    mails: tuple[tuple[str, Envelope], ...]
    closed: Mapping[str, Problem]
    seconds: float = 0.0

    @property
    def envelope(self) -> Envelope:
        return self.mails[0][1]

    @property
    def attachments(self) -> tuple[tuple[str, Attachment], ...]:
        """What somebody attached, in every mail, by its whole path."""
        return tuple((prefix + a.path, a) for prefix, mail in self.mails for a in mail.attachments if not a.inline)


def open_mail(documents: DocumentReading, raw: bytes, towards: str | None = None) -> Opened:
    """The mail and all that can be opened in it. Never raises for any bytes.

    towards: the path of one attachment that is wanted; then only the wrappers around that one are opened.
    """
    return _Opening(documents, towards).run(open_envelope(raw))


class _Opening:
    """One mail being opened: what is still to be looked at, and what it has cost so far."""

    def __init__(self, documents: DocumentReading, towards: str | None) -> None:
        self.documents = documents
        self.towards = towards
        self.closed: dict[str, Problem] = {}
        self.seconds = 0.0
        self.room = MOST_BYTES
        self.wrappers = 0
        self.files = 0

    def run(self, first: Envelope) -> Opened:
        mails: list[tuple[str, Envelope]] = []
        found: list[Inner] = []  # mails that came out of wrappers
        waiting = deque([("", first), *((f"{i.path}/", open_envelope(i.raw, alone=True)) for i in first.inner)])
        while waiting:
            prefix, mail = waiting.popleft()
            whole, more = self._unwrapped(prefix, mail)
            mails.append((prefix, whole))
            for inner in more:
                if len(first.inner) + len(found) >= _MAILS:
                    self._say_left_out(mails)
                    break
                found.append(inner)
                waiting.append((f"{inner.path}/", open_envelope(inner.raw, alone=True)))
        mails[0] = ("", replace(mails[0][1], inner=(*first.inner, *found)))
        return Opened(tuple(mails), self.closed, self.seconds)

    def _unwrapped(self, prefix: str, mail: Envelope) -> tuple[Envelope, list[Inner]]:
        """The mail with its wrappers opened, and the mails that were in them, by their whole paths."""
        more: list[Inner] = []
        waiting = deque(mail.attachments)
        while waiting:
            attachment = waiting.popleft()
            path = prefix + attachment.path
            kind = wrapper(attachment) if self._wanted(path) else ""
            if is_pgp(attachment):
                self.closed[path] = Problem("", "encrypted_mail", LOCKED)
            if not kind:
                continue
            got = self._unpacked(kind, attachment, path)
            if got.problem:
                if got.problem.code != "one_document":
                    self.closed[path] = got.problem
                continue
            if kind == MSG:
                mail = replace(without(mail, attachment.path), notes=(*mail.notes, NOTHING_PROVES, *got.notes))
                more += _with_those_inside(path, got.mail)
                continue
            inside = open_envelope(got.mail)
            self.files += len(inside.attachments)
            mail = _noted(unwrapped(mail, attachment.path, inside), got, bool(mail.body.strip()))
            more += [Inner(f"{path}/{i.path}", i.raw) for i in inside.inner]
            waiting.extend(a for a in mail.attachments if a.path.startswith(f"{attachment.path}/"))
        if "-----BEGIN PGP MESSAGE-----" in mail.body:
            mail = replace(mail, notes=(*mail.notes, ENCRYPTED))
        return mail, more

    def _unpacked(self, kind: str, attachment: Attachment, path: str) -> Unpacked:
        if path.count("/") >= DEEPEST:
            return Unpacked(problem=Problem("", "too_deep", TOO_DEEP))
        if self.wrappers >= MOST_WRAPPERS or self.files >= MOST_FILES or self.room <= 0:
            return Unpacked(problem=Problem("", "not_all_read", NOT_ALL_READ))
        self.wrappers += 1
        got = self.documents.unpack(kind, attachment.name, attachment.content, self.seconds)
        self.seconds += got.seconds
        self.room -= len(got.mail)
        return got

    def _wanted(self, path: str) -> bool:
        return self.towards is None or self.towards.startswith(f"{path}/")

    def _say_left_out(self, mails: list[tuple[str, Envelope]]) -> None:
        note = f"There are more than {_MAILS} mails inside this one; the rest was not opened."
        prefix, first = mails[0]
        mails[0] = (prefix, replace(first, notes=tuple(dict.fromkeys((*first.notes, note)))))


def _with_those_inside(path: str, raw: bytes) -> list[Inner]:
    inside = open_envelope(raw).inner
    return [Inner(path, raw), *(Inner(f"{path}/{i.path}", i.raw) for i in inside)]


def _noted(mail: Envelope, got: Unpacked, said_beside: bool) -> Envelope:
    """A text that only Outlook can show is no loss where the mail says the same in plain words beside it."""
    notes = (n for n in got.notes if not (said_beside and "(RTF)" in n))
    return replace(mail, notes=tuple(dict.fromkeys((*mail.notes, *notes))))


__all__ = ["Opened", "open_mail"]
