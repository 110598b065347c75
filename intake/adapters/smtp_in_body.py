"""The data of mails that are on their way in: what is kept of each, and how much memory all of them may take together."""

from __future__ import annotations

from intake.domain.too_large import PART_BYTES

TAKEN_UP_TO = 3  # times max_message_bytes; above it the sender is told at once (552)


class Room:
    """Bytes of memory that are left for all mails of a door together."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> bool:
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        self._left += size


class Body:
    """The data of one mail, up to what is kept of it: all of it, or its beginning when it has more than `limit` bytes."""

    def __init__(self, room: Room, limit: int) -> None:
        self.size = 0  # bytes that came
        self.no_room = False
        self._room, self._limit = room, limit
        self._blocks: list[bytes] = []
        self._held = 0
        self._closed = False  # nothing more is kept

    @property
    def is_part(self) -> bool:
        return self.size > self._limit

    @property
    def too_large(self) -> bool:
        return self.size > self._limit * TAKEN_UP_TO

    def add(self, block: bytes) -> None:
        self.size += len(block)
        if self._closed:
            return
        if not self._room.take(len(block)):
            self.no_room = True
            self.release()
            return
        self._blocks.append(block)
        self._held += len(block)
        if self.is_part:
            self._cut()

    def take_out(self) -> bytes:
        """What is kept of the mail. Its room stays taken until `release`: somebody holds these bytes now."""
        whole = b"".join(self._blocks)
        self._blocks.clear()
        return whole

    def release(self) -> None:
        """Keep nothing more, and give back the room; twice does nothing more."""
        self._room.give(self._held)
        self._blocks.clear()
        self._held, self._closed = 0, True

    def _cut(self) -> None:
        kept = self.take_out()[: min(PART_BYTES, self._limit)]
        self._room.give(self._held - len(kept))
        self._blocks, self._held, self._closed = [kept], len(kept), True
