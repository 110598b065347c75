"""A folder as a mailbox: what is dropped into `new/` as *.eml is collected, and moved to `done/` once it is kept.

The channel of laptops, of the demo, and of anything that can write a file. A file is taken once it has stood
still for a second; what `drop` puts there is whole from the start and is taken at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intake.adapters.mailbox_options import only_known
from intake.domain.errors import Refused, TryLater
from intake.domain.model import Arrival

CHANNEL = "maildrop"
_STILL = 1.0  # seconds without a change, after which a file counts as whole
_FORGOTTEN = 60.0  # seconds; before, it may be on its way to its name
_LOOK_EVERY = 0.25  # seconds
_DROPPED = re.compile(r"\d{20}-[0-9a-f]{8}\.eml")  # written by `drop`, so whole
_NAME_BYTES = 120  # of a name that is carried over to done/


def drop(folder: Path, raw: bytes, below: str = "new") -> Path:
    """Put a mail into the folder so that it is seen whole or not at all. below: new, or done for one that was kept. Raises OSError."""
    place = folder / below
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    hidden = place / f".{name}"
    with hidden.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return hidden.rename(place / f"{name}.eml")


def maildrop_from_settings(name: str, options: Mapping[str, Any]) -> MaildropMailbox:
    """Raises Misconfigured for an option that means nothing."""
    only_known(name, options, ("folder",))
    return MaildropMailbox(name, Path(str(options["folder"])))


class MaildropMailbox:
    """`intake.ports.Mailbox` over a folder; for one thread."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._new, self._done = folder / "new", folder / "done"
        self._paths: dict[str, Path] = {}

    def changes(self) -> Iterator[Arrival]:
        """Every whole file in new/, oldest first. Raises TryLater when the folder cannot be read, Refused at the end for files that
        may not be read.
        """
        try:
            self._make_folders()
            waiting = self._waiting()
        except OSError as error:
            raise TryLater(f"The folder of mailbox {self.name} cannot be read ({error.strerror}).") from error
        self._paths.clear()
        closed = 0
        for path, seen in waiting:
            raw = _read(path)
            if raw is None or not _whole(path, seen):
                closed += raw is None and path.exists() and not os.access(path, os.R_OK)
                continue
            remote_id = _remote_id(path, seen, raw)
            self._paths[remote_id] = path
            at = datetime.fromtimestamp(seen.st_mtime, UTC)
            yield Arrival(raw, CHANNEL, self.name, remote_id, min(at, datetime.now(UTC)), label=str(path))
        if closed:
            raise Refused(
                f"Files of mailbox {self.name} in new/ may not be read ({closed}). Give us the right to read them."
            )
        if others := self._others():
            raise Refused(
                f"{others} of the files of mailbox {self.name} in new/ are not taken. If they are mails, name them *.eml."
            )

    def done(self, remote_id: str) -> None:
        """Move the file to done/. Raises TryLater when the folder does not allow it; the mail is kept all the same."""
        path = self._paths.pop(remote_id, None)
        if path is None:
            return
        try:
            path.rename(self._free_name(path.name))
        except FileNotFoundError:
            return  # somebody took it away; it is kept
        except OSError as error:
            raise TryLater(
                f"Mail of mailbox {self.name} is kept and cannot be moved to done/ ({error.strerror})."
            ) from error

    def wait(self, seconds: float) -> bool:
        """True as soon as a file is there, False when `seconds` have passed."""
        end = time.monotonic() + seconds
        while True:
            try:
                if any(_may_be_taken(path, seen) for path, seen in self._waiting()):
                    return True
            except OSError:
                return True  # `changes` says what is wrong
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK_EVERY))

    def count(self) -> tuple[int, int]:
        try:
            self._make_folders()
            new, done = ([e for e in os.scandir(f) if _is_mail(e.name)] for f in (self._new, self._done))
            return len(new), len(done)
        except OSError as error:
            raise TryLater(f"The folder of mailbox {self.name} cannot be read ({error.strerror}).") from error

    def close(self) -> None:
        self._paths.clear()

    def _make_folders(self) -> None:
        for folder in (self._new, self._done):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _waiting(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for entry in os.scandir(self._new):
            if _is_mail(entry.name):
                seen = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(seen.st_mode):
                    found.append((Path(entry.path), seen))
        return sorted(found, key=lambda f: (f[1].st_mtime_ns, f[0].name))

    def _others(self) -> int:
        """Files that lie there for a while and are no *.eml: somebody may believe that they were sent."""
        files = [e for e in os.scandir(self._new) if not e.name.startswith(".") and not _is_mail(e.name)]
        seen = [e.stat(follow_symlinks=False) for e in files]
        return sum(stat.S_ISREG(s.st_mode) and time.time() - s.st_mtime > _FORGOTTEN for s in seen)

    def _free_name(self, name: str) -> Path:
        kept = os.fsdecode(os.fsencode(name.removesuffix(".eml"))[-_NAME_BYTES:])
        target = self._done / f"{kept}.eml"
        while target.exists():
            target = self._done / f"{kept}~{secrets.token_hex(3)}.eml"
        return target


def _is_mail(name: str) -> bool:
    return name.lower().endswith(".eml") and not name.startswith(".")


def _read(path: Path) -> bytes | None:
    """None when it went away. A link is not followed: it could lead to any file of this machine."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read()


def _whole(path: Path, seen: os.stat_result) -> bool:
    try:
        now = path.lstat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns) and _stands_still(path, now)


def _stands_still(path: Path, seen: os.stat_result) -> bool:
    now = time.time()
    # A copy may keep a time that lies ahead; then the time counts at which this machine last saw a change.
    changed = seen.st_mtime if seen.st_mtime <= now else seen.st_ctime
    return seen.st_size > 0 and (bool(_DROPPED.fullmatch(path.name)) or now - changed >= _STILL)


def _may_be_taken(path: Path, seen: os.stat_result) -> bool:
    """Whether a look is worth while: what is empty, still written to, or not ours to read would only be passed over."""
    return _stands_still(path, seen) and os.access(path, os.R_OK)


def _remote_id(path: Path, seen: os.stat_result, raw: bytes) -> str:
    """The same for one file however often we look at it, another for the next file of that name."""
    of = hashlib.sha256(f"{seen.st_mtime_ns}:{len(raw)}:".encode() + os.fsencode(path.name))
    return of.hexdigest()[:16] + hashlib.sha256(raw).hexdigest()[:32]
