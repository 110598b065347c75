"""A folder on an IMAP server, by imapclient. The only module, with `imap_account`, that knows the protocol.

What is new is known by UID above the last one seen and, every `reconcile_minutes` or when the numbers do not add up,
by looking at every UID in the folder. A server that counts changes (CONDSTORE, RFC 7162) is not searched again when
its count is that of a look which found nothing. \\Seen plays no part: staff may open the mailbox. A mail leaves the
folder by MOVE, in `done`, which the collector calls only after the mail is durable here; so a folder that is empty is
one where everything is kept.

Traps that this code walks around (measured): `fetch` with a string set raises after the command ran, so sets
are lists of ints; `UID n:*` past the end gives the last UID; a mail that somebody expunged comes with the body
None; `abort` is not an OSError; a cut connection makes `idle_check` return at once, for ever; a notice in one
packet with the answer to IDLE stays unread.
"""

from __future__ import annotations

import imaplib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from intake.adapters.access import StateStore
from intake.adapters.imap_account import ImapAccount, SignIn, account_from_options
from intake.domain.errors import Refused, TryLater
from intake.domain.model import Arrival
from intake.domain.too_large import PART_BYTES, part_of
from intake.ports import Clock

_log = logging.getLogger("intake.imap")

CHANNEL = "imap"
_TOGETHER = 20  # mails in one FETCH ...
_TOGETHER_BYTES = 2 * 1024 * 1024  # ... and bytes; a bigger mail is fetched alone
_SIZES_TOGETHER = 500
_IDLE_LIMIT = 25 * 60.0  # seconds; servers hang up after 29 to 30 minutes (RFC 2177)
_WITHOUT_IDLE = 15.0  # seconds between looks at a server that cannot push
_STAYS = ""  # instead of a target: copied and marked, and the server cannot take it out of the folder


def imap_from_settings(name: str, options: Mapping[str, Any], store: StateStore, clock: Clock) -> ImapMailbox:
    """Raises Misconfigured when the options of the mailbox cannot work."""
    return ImapMailbox(account_from_options(name, options), store, clock)


class ImapMailbox:
    """`intake.ports.Mailbox` over one IMAP folder; for one thread. Connects when it must, and again after any error."""

    def __init__(self, account: ImapAccount, store: StateStore, clock: Clock) -> None:
        self.name = account.name
        self._account = account
        self._sign_in = SignIn(account, store)
        self._store = store
        self._clock = clock
        self._client: Any = None
        self._folders: dict[str, str] = {}  # as the settings name it -> as the server does
        self._validity = 0
        self._last = 0
        self._full_at = 0.0  # monotonic; 0: at once
        self._quiet: tuple[int, int] | None = (
            None  # the server's counts of changes and mails when nothing was to be done
        )
        self._large: set[int] = set()
        self._failed: dict[int, int] = {}  # how often a mail could not be fetched
        self._left: dict[int, str] = {}  # kept by us, and for some reason still in the folder: UID -> target

    # ---- the port ------------------------------------------------------------------------------

    def changes(self) -> Iterator[Arrival]:
        """What is in the folder and not known to be kept.

        Raises TryLater when the server is away; Refused, after everything was yielded, when mails cannot be moved out
        of the folder.
        """
        with self._failures():
            client = self._selected()
            refused = self._move_left()
            uids = self._wanted(client)
            self._quiet = None if uids or self._left or not self._changes else (self._changes, self._exists)
            self._failed = {uid: times for uid, times in self._failed.items() if uid in set(uids)}
            for asked in self._asked_together(uids):
                try:
                    for group in self._groups(client, asked):
                        yield from self._fetch(client, group)
                except (imaplib.IMAP4.error, OSError, TryLater):
                    self._failed |= {uid: self._failed.get(uid, 0) + 1 for uid in asked}
                    raise
            self._remember(uids)
        if refused:
            raise refused

    def done(self, remote_id: str) -> None:
        """Move the mail out of the folder: it is durable here. Held takes what was too large."""
        validity, _, number = remote_id.partition(":")
        if int(validity) != self._validity:
            return  # the folder was made anew; there the mail has another UID and is known by its content
        uid = int(number)
        self._left[uid] = self._account.folders.held if uid in self._large else self._account.folders.processed
        if self._client is None:
            return  # the connection was lost; the next look moves it first
        with self._failures():
            self._move([uid], self._left[uid])

    def wait(self, seconds: float) -> bool:
        """True as soon as there may be something new, False when `seconds` have passed."""
        if self._client is None:
            return True
        with self._failures():
            if _announced(self._client):
                return True
            if not self._client.has_capability("IDLE"):
                time.sleep(min(seconds, _WITHOUT_IDLE))
                return True
            return self._idle(min(seconds, _IDLE_LIMIT))

    def count(self) -> tuple[int, int]:
        with self._failures():
            client = self._selected()
            account = self._account
            sizes = [
                self._mails_in(client, name)
                for name in (
                    account.folders.folder,
                    *(self._folders[f] for f in (account.folders.processed, account.folders.held)),
                )
            ]
            return sizes[0], sizes[1] + sizes[2]

    def _mails_in(self, client: Any, folder: str) -> int:
        try:
            return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise Refused(
                f"The server of mailbox {self.name} does not let us count the folder {folder}. "
                "Make the folder, or give us the right to see it."
            ) from error

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    # ---- connection ----------------------------------------------------------------------------

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except TryLater:
            self._drop()
            raise
        except (imaplib.IMAP4.error, OSError) as error:
            self._drop()
            raise TryLater(
                f"Mailbox {self.name} cannot be reached ({type(error).__name__}). Mail waits on the server."
            ) from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                client.shutdown()

    def _selected(self) -> Any:
        if self._client is None:
            self._client = self._sign_in()
            if self._client.has_capability("CONDSTORE") and self._client.has_capability("ENABLE"):
                self._client.enable("CONDSTORE")  # some servers tell their count only then
            for folder in (self._account.folders.processed, self._account.folders.held):
                self._folders[folder] = _ensure_folder(self._client, folder)
        answer = self._client.select_folder(self._account.folders.folder)
        validity = int(answer[b"UIDVALIDITY"])
        if self._validity == 0:
            state = self._store.mailbox_state(self.name)
            self._validity, self._last = state.uid_validity or validity, state.last_uid
        if validity != self._validity:
            _log.warning("uidvalidity_changed mailbox=%s", self.name)
            self._left.clear()
            self._large.clear()
            self._failed.clear()
            self._validity, self._last, self._full_at, self._quiet = validity, 0, 0.0, None
        self._exists = int(answer[b"EXISTS"])
        self._changes = int(answer.get(b"HIGHESTMODSEQ", 0))
        return self._client

    # ---- what is new ---------------------------------------------------------------------------

    def _wanted(self, client: Any) -> list[int]:
        """UIDs to fetch, in order."""
        _announced(client)  # what was announced until now is in the answer to the search
        if time.monotonic() >= self._full_at:
            return self._everything(client)
        if self._quiet == (self._changes, self._exists):
            return []
        found = client.search(["UID", f"{self._last + 1}:*"])
        uids = sorted(u for u in found if u > self._last)
        if self._exists > len(uids) + len(self._left):
            return self._everything(client)
        return uids

    def _everything(self, client: Any) -> list[int]:
        self._full_at = time.monotonic() + self._account.folders.reconcile_minutes * 60
        present = set(client.search("ALL"))
        self._left = {u: target for u, target in self._left.items() if u in present}
        return sorted(present - self._left.keys())

    def _asked_together(self, uids: Sequence[int]) -> Iterator[list[int]]:
        """UIDs that one question is about. A mail that could not be fetched comes after all others, and alone: it holds up nobody."""
        fresh = [uid for uid in uids if uid not in self._failed]
        for start in range(0, len(fresh), _SIZES_TOGETHER):
            yield fresh[start : start + _SIZES_TOGETHER]
        for uid in sorted(self._failed, key=lambda u: (self._failed[u], u)):
            yield [uid]

    def _groups(self, client: Any, uids: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
        """(UID, size) in groups that are fetched together."""
        group: list[tuple[int, int]] = []
        sizes = client.fetch(list(uids), ["RFC822.SIZE"])
        for uid in uids:
            size = int(sizes.get(uid, {}).get(b"RFC822.SIZE") or 0)
            if group and (len(group) == _TOGETHER or sum(s for _, s in group) + size > _TOGETHER_BYTES):
                yield group
                group = []
            group.append((uid, size))
        if group:
            yield group

    def _fetch(self, client: Any, group: Sequence[tuple[int, int]]) -> Iterator[Arrival]:
        whole = [u for u, size in group if size <= self._account.folders.max_message_bytes]
        bodies = client.fetch(whole, ["BODY.PEEK[]", "INTERNALDATE"])
        for uid, size in group:
            if uid in whole:
                raw = bodies.get(uid, {}).get(b"BODY[]")
                raw = self._checked(client, uid, size, raw) if raw is not None else None
                at = bodies.get(uid, {}).get(b"INTERNALDATE")
            else:
                raw, at = self._part(client, uid, size)
            if raw is None:
                _log.info("mail_gone mailbox=%s uid=%d", self.name, uid)  # somebody took it out of the folder
                continue
            yield Arrival(raw, CHANNEL, self.name, f"{self._validity}:{uid}", _utc(at) or self._clock())

    def _checked(self, client: Any, uid: int, size: int, raw: bytes) -> bytes | None:
        """Some servers state a size that is not exact: then the mail counts when it comes the same twice."""
        if len(raw) == size:
            return raw
        again = client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {}).get(b"BODY[]")
        if again is not None and again != raw:
            raise TryLater(f"A mail of mailbox {self.name} came with two different contents; it is fetched again.")
        _log.warning("size_differs mailbox=%s uid=%d stated=%d got=%d", self.name, uid, size, len(raw))
        return raw if again is not None else None

    def _part(self, client: Any, uid: int, size: int) -> tuple[bytes | None, Any]:
        """The beginning of a mail above the limit, under a first line that says so. The mail stays on the server."""
        answer = client.fetch([uid], [f"BODY.PEEK[]<0.{PART_BYTES}>", "INTERNALDATE"]).get(uid, {})
        raw = answer.get(b"BODY[]<0>")
        if raw is None:
            return None, None
        self._large.add(uid)
        _log.warning("mail_too_large mailbox=%s uid=%d size=%d", self.name, uid, size)
        return part_of(raw, size), answer.get(b"INTERNALDATE")

    def _remember(self, uids: Sequence[int]) -> None:
        last = max([self._last, *uids])
        state = self._store.mailbox_state(self.name)
        if (state.uid_validity, state.last_uid) != (self._validity, last):
            self._store.set_mailbox_state(self.name, uid_validity=self._validity, last_uid=last)
        self._last = last

    # ---- moving and waiting --------------------------------------------------------------------

    def _move_left(self) -> Refused | None:
        """Once more for the mails that a lost connection or a refusal left in the folder."""
        try:
            for target in set(self._left.values()) - {_STAYS}:
                self._move([u for u, t in self._left.items() if t == target], target)
        except Refused as refused:
            return refused
        return None

    def _move(self, uids: Sequence[int], target: str) -> None:
        try:
            self._move_out(uids, target)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            # A mail that somebody took away, or a folder that somebody removed, are mended here; then once more.
            present = set(self._client.search(["UID", ",".join(map(str, uids))]))
            self._forget([u for u in uids if u not in present])
            self._folders[target] = _ensure_folder(self._client, target)
            if present:
                self._move_again(sorted(present), target)

    def _move_again(self, uids: Sequence[int], target: str) -> None:
        try:
            self._move_out(uids, target)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise Refused(
                f"Mail of mailbox {self.name} is kept here, and the server does not let us move it to {target}. "
                "Look at the rights and the space of that folder."
            ) from error

    def _move_out(self, uids: Sequence[int], target: str) -> None:
        client, folder = self._client, self._folders[target]
        if client.has_capability("MOVE"):
            client.move(list(uids), folder)
        elif client.has_capability("UIDPLUS"):
            client.copy(list(uids), folder)
            client.add_flags(list(uids), [b"\\Deleted"])
            client.uid_expunge(list(uids))
        else:
            self._copy_and_mark(client, uids, folder)
            return
        self._forget(uids)

    def _copy_and_mark(self, client: Any, uids: Sequence[int], folder: str) -> None:
        """All that such a server lets us do: a plain expunge would take away mails that others marked too."""
        flags = client.get_flags(list(uids))
        if fresh := [u for u in uids if b"\\Deleted" not in flags.get(u, ())]:
            client.copy(fresh, folder)
            client.add_flags(fresh, [b"\\Deleted"])
        self._left.update(dict.fromkeys(uids, _STAYS))

    def _forget(self, uids: Sequence[int]) -> None:
        for uid in uids:
            self._left.pop(uid, None)
            self._large.discard(uid)

    def _idle(self, seconds: float) -> bool:
        client = self._client
        client.idle()
        end = time.monotonic() + seconds
        new = _came_along(client)
        while not new and (left := end - time.monotonic()) > 0:
            began = time.monotonic()
            seen = client.idle_check(timeout=left)
            if not seen and time.monotonic() - began < left - 0.5:
                raise imaplib.IMAP4.abort("connection cut while idle")
            new = _says_exists(seen)
        _, rest = client.idle_done()
        return new or _says_exists(rest)


def _says_exists(responses: Sequence[Any]) -> bool:
    return any(isinstance(r, tuple) and len(r) > 1 and r[1] == b"EXISTS" for r in responses)


def _announced(client: Any) -> bool:
    """Whether the server told of new mail beside the answer to a command; asking clears it."""
    _, lines = client._imap.response("EXISTS")
    return bool(lines and lines[-1] is not None)


def _came_along(client: Any) -> bool:
    """Whether lines came in one packet with the answer to IDLE: the library waits at the socket and would not see them.

    That is how a server tells of mail that arrived while we were busy; without this look it waits for the next mail.
    """
    file = getattr(client._imap, "_file", None) or client._imap.file
    connection = client.socket()
    patience = connection.gettimeout()
    connection.settimeout(0)
    try:
        return bool(file.peek(1))
    except OSError:
        return False  # nothing yet: TLS says so by an error
    finally:
        connection.settimeout(patience)


def _utc(at: Any) -> datetime | None:
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None


def _ensure_folder(client: Any, folder: str) -> str:
    """The folder's name on the server, made when it is missing; some servers want folders below a prefix (INBOX.)."""
    names = [folder]
    with suppress(imaplib.IMAP4.error, IndexError, TypeError):
        prefix = client.namespace().personal[0][0]
        if prefix and not folder.startswith(prefix):
            names.append(prefix + folder)
    for name in names:
        if client.folder_exists(name):
            return name
    for name in names:
        try:
            client.create_folder(name)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            continue
        return name
    return folder  # the move will be refused, with a sentence for staff
