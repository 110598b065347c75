"""A mailbox whose server hands out changes since a place, as Graph and Exchange do: what is common to both.

The place is not kept over a restart. At the start, every `reconcile_minutes`, and when the server says that the place
is no good any more, a whole round names everything that lies in the folder. That brings back what was handed out and
not kept when we were killed, and what the changes never name; and it is cheap, because what is kept is moved away.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from intake.adapters.mailbox_options import FolderOptions
from intake.domain.errors import Refused, TryLater
from intake.domain.model import Arrival
from intake.domain.too_large import part_of
from intake.ports import Clock

_log = logging.getLogger("intake.rounds")

_ID_LENGTH = 300  # of a remote id in the database; theirs have about 150
_FIRST = datetime.min.replace(tzinfo=UTC)


class Mail(NamedTuple):
    """What was fetched of a mail: all of it, or its beginning when it is above the limit. `size` is that of the whole."""

    raw: bytes
    size: int


class RemoteFolder(Protocol):
    """A folder on such a server. Every method raises TryLater when the server is away."""

    def everything(self) -> Mapping[str, datetime | None]:
        """All that lies there, by id, with the time at which the server took it; the place is then behind it."""
        ...

    def since(self) -> tuple[Mapping[str, datetime | None], Collection[str]] | None:
        """What came and what went since the place; None when that is no good any more, or there is none."""
        ...

    def fetch(self, item: str, limit: int) -> Mail | None:
        """No more than about `limit` bytes. None when it is gone."""
        ...

    def taken_at(self, item: str) -> datetime | None:
        """When the server took it; asked only when neither the round nor a change said so."""
        ...

    def move(self, item: str, target: str) -> None:
        """To a folder as the settings name it, made when it is missing. One that is gone is no error. Raises Refused."""
        ...

    def wait(self, seconds: float) -> bool: ...
    def count(self) -> tuple[int, int]: ...
    def close(self) -> None: ...


class RoundMailbox:
    """`intake.ports.Mailbox` over a `RemoteFolder`; for one thread."""

    def __init__(self, name: str, channel: str, options: FolderOptions, folder: RemoteFolder, clock: Clock) -> None:
        self.name = name
        self._channel, self._options = channel, options
        self._folder = folder
        self._clock = clock
        self._full_at = 0.0  # monotonic; 0: at once
        self._lying: dict[str, datetime | None] = {}  # not kept by us, as far as we know
        self._left: dict[str, str] = {}  # kept by us, and for some reason still in the folder: id -> target
        self._large: set[str] = set()
        self._failed: dict[str, int] = {}  # how often a mail could not be fetched; those wait behind the others
        self.wait, self.count, self.close = folder.wait, folder.count, folder.close

    def changes(self) -> Iterator[Arrival]:
        not_moved = self._move_left()
        self._look()
        self._failed = {item: times for item, times in self._failed.items() if item in self._lying}
        for item in sorted(self._lying, key=lambda i: (self._failed.get(i, 0), self._lying[i] or _FIRST)):
            try:
                arrival = self._fetched(item)
            except TryLater:
                self._failed[item] = self._failed.get(item, 0) + 1
                raise
            if arrival is not None:
                yield arrival
        if not_moved:
            raise not_moved

    def done(self, remote_id: str) -> None:
        item = next((i for i in (*self._lying, *self._left) if _remote(i) == remote_id), None)
        if item is None:
            return  # it went away, or was moved before
        self._lying.pop(item, None)
        self._left[item] = self._options.held if item in self._large else self._options.processed
        self._move(item)

    def _look(self) -> None:
        found = self._folder.since() if time.monotonic() < self._full_at else None
        if found is None:
            self._full_at = 0.0  # until the whole round came to its end
            self._lying = dict(self._folder.everything())
            self._full_at = time.monotonic() + self._options.reconcile_minutes * 60
        else:
            came, went = found
            self._lying |= {item: at or self._lying.get(item) for item, at in came.items()}
            self._lying = {item: at for item, at in self._lying.items() if item not in went}
        self._lying = {item: at for item, at in self._lying.items() if item not in self._left}

    def _fetched(self, item: str) -> Arrival | None:
        limit = self._options.max_message_bytes
        mail = self._folder.fetch(item, limit)
        if mail is None:
            _log.info("mail_gone mailbox=%s", self.name)  # somebody took it out of the folder
            self._lying.pop(item, None)
            return None
        raw = mail.raw
        if mail.size > limit:
            self._large.add(item)
            raw = part_of(raw, mail.size)
            _log.warning("mail_too_large mailbox=%s size=%d", self.name, mail.size)
        at = self._lying[item] or self._folder.taken_at(item) or self._clock()
        return Arrival(raw, self._channel, self.name, _remote(item), at)

    def _move_left(self) -> Refused | TryLater | None:
        """Once more for what a lost connection or a refusal left in the folder. What cannot be moved now holds up no mail that is new:
        why not is told when those were read.
        """
        not_moved: Refused | TryLater | None = None
        for item in list(self._left):
            try:
                self._move(item)
            except Refused as refused:
                not_moved = not_moved or refused
            except TryLater as away:
                self._left[item] = self._left.pop(item)  # behind the others the next time
                return away
        return not_moved

    def _move(self, item: str) -> None:
        self._folder.move(item, self._left[item])
        self._left.pop(item, None)
        self._large.discard(item)


def _remote(item: str) -> str:
    return item if len(item) <= _ID_LENGTH else hashlib.sha256(item.encode()).hexdigest()
