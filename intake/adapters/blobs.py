"""Kept bytes: encrypted files under random names, on stable storage before anybody is told so.

A file is

    magic "PIB1" | key id 8 | nonce 12 | wrapped data key 48 | nonce 12 | ciphertext and tag

Each has a data key of its own (AES-256-GCM), wrapped by the master key. The name of the blob and the id of the master
key are authenticated with it, so a file under another name, or cut, or changed by one bit, is refused. To destroy one
message for good, its file with its data key is destroyed; to change the master key, data keys are wrapped again. Keys
are never in the database.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from intake.domain.errors import CannotRead, TryLater

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"PIB1"
_ID, _NONCE, _KEY, _TAG = 8, 12, 32, 16
_HEAD = len(_MAGIC) + _ID
_WRAPPED = _HEAD + _NONCE + _KEY + _TAG
_NAME = re.compile(r"[0-9a-f]/[0-9a-f]/[0-9a-f]{32}")
_sync_file = getattr(os, "fdatasync", os.fsync)  # macOS has only the second
_DAMAGED = "A kept message cannot be opened: its file is damaged, or was kept under another master key."


def key_id(master_key: bytes) -> bytes:
    """Eight bytes that say which master key it is and tell nothing about it."""
    return hashlib.sha256(b"provider-intake master key" + master_key).digest()[:_ID]


class FileBlobs:
    """Blobs in a folder.

    master_key: 32 bytes, wraps what is put. older: master keys from before, which still open what they wrapped.
    """

    def __init__(self, folder: Path, master_key: bytes, older: Sequence[bytes] = ()) -> None:
        for key in (master_key, *older):
            if len(key) != _KEY:
                raise ValueError(f"A master key has {_KEY} bytes, this one has {len(key)}.")
        self._folder = folder
        self._current = master_key
        self._keys = {key_id(key): key for key in (*older, master_key)}

    def put(self, content: bytes) -> str:
        return self.put_many([content])[0]

    def put_many(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Keep all, or raise TryLater and keep none that anybody relies on. Returns the key of each.

        All are written first and synced then, so the disk can take them together; they share one folder, chosen at
        random, so there is one folder to sync.
        """
        if not contents:
            return ()
        place = "/".join(
            secrets.token_hex(1)
        )  # one of 256: soon all are there, and a million messages are 4,000 in each
        names = tuple(f"{place}/{secrets.token_hex(16)}" for _ in contents)
        try:
            self._make(place)
            self._write_all(names, contents)
        except OSError as error:
            raise TryLater("A message could not be written to the disk. It stays where it came from.", 5.0) from error
        return names

    def get(self, key: str) -> bytes:
        """The bytes as they were put. CannotRead when they are damaged or gone."""
        if not _NAME.fullmatch(key):
            raise CannotRead("This is not the key of a kept message.")
        try:
            sealed = (self._folder / key).read_bytes()
        except FileNotFoundError as error:
            raise CannotRead("A kept message is not in the store any more.") from error
        return self._open(key, sealed)

    # ---- the envelope ----

    def _seal(self, name: str, content: bytes) -> tuple[bytes, ...]:
        data_key = secrets.token_bytes(_KEY)
        head = _MAGIC + key_id(self._current)
        bound = head + name.encode()
        wrap_nonce, nonce = secrets.token_bytes(_NONCE), secrets.token_bytes(_NONCE)
        wrapped = _cipher(self._current).encrypt(wrap_nonce, data_key, bound)
        return head, wrap_nonce, wrapped, nonce, _cipher(data_key).encrypt(nonce, content, bound)

    def _open(self, name: str, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        head = sealed[:_HEAD]
        master_key = self._keys.get(head[len(_MAGIC) :])
        if not head.startswith(_MAGIC) or master_key is None or len(sealed) < _WRAPPED + _NONCE + _TAG:
            raise CannotRead(_DAMAGED)
        bound = head + name.encode()
        body = memoryview(sealed)
        try:
            data_key = _cipher(master_key).decrypt(body[_HEAD : _HEAD + _NONCE], body[_HEAD + _NONCE : _WRAPPED], bound)
            return _cipher(data_key).decrypt(body[_WRAPPED : _WRAPPED + _NONCE], body[_WRAPPED + _NONCE :], bound)
        except InvalidTag as error:
            raise CannotRead(_DAMAGED) from error

    # ---- the disk ----

    def _make(self, place: str) -> None:
        """The folders of a place; a new one is on the disk only when the one above was synced."""
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = self._folder
        for part in place.split("/"):
            above, folder = folder, folder / part
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(above)

    def _write_all(self, names: Sequence[str], contents: Sequence[bytes]) -> None:
        folder = (self._folder / names[0]).parent
        opened: list[tuple[int, Path, Path]] = []
        try:
            for name, content in zip(names, contents, strict=True):
                final = self._folder / name
                partial = final.with_suffix(".part")
                file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                opened.append((file, partial, final))
                _write(file, b"".join(self._seal(name, content)))
            for file, _, _ in opened:
                _sync_file(file)
        except BaseException:
            for file, partial, _ in opened:
                os.close(file)
                partial.unlink(missing_ok=True)
            raise
        for file, partial, final in opened:
            os.close(file)
            os.rename(partial, final)
        _sync_folder(folder)


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 37 ms that most commands need not pay

    return AESGCM(key)


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
