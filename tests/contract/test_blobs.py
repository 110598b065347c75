"""The kept bytes: what a `Blobs` promises, and what the files promise beside it."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from intake.adapters.blobs import FileBlobs
from intake.domain.errors import CannotRead, TryLater
from intake.ports import Blobs

KEY = bytes(range(32))
OLD_KEY = bytes(reversed(range(32)))


@pytest.fixture
def files(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs", KEY)


@pytest.fixture
def blobs(files: FileBlobs) -> Blobs:
    return files


def kept_files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_bytes_come_back_as_they_were_put(blobs: Blobs) -> None:
    contents = [b"", b"one", b"\x00\xff" * 70_000, b"one"]

    keys = blobs.put_many(contents)

    assert [blobs.get(key) for key in keys] == contents
    assert len(set(keys)) == len(contents)
    assert blobs.get(blobs.put(b"alone")) == b"alone"


def test_nothing_to_put_gives_no_keys(blobs: Blobs) -> None:
    assert blobs.put_many([]) == ()


def test_a_key_that_is_not_there_is_said_and_not_guessed(blobs: Blobs) -> None:
    with pytest.raises(CannotRead):
        blobs.get("0/0/" + "0" * 32)


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a/b/" + "g" * 32, "", "a/b/" + "a" * 32 + "\n"])
def test_a_key_is_never_a_path(files: FileBlobs, key: str) -> None:
    with pytest.raises(CannotRead):
        files.get(key)


def test_what_is_on_the_disk_tells_nothing_and_is_for_us_alone(files: FileBlobs, tmp_path: Path) -> None:
    files.put_many([b"Tama Whetu lives at 5 Example Road"] * 3)

    found = kept_files(tmp_path)

    assert len(found) == 3
    assert len({path.read_bytes() for path in found}) == 3
    assert not any(b"Tama" in path.read_bytes() for path in found)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in found)


def test_any_changed_byte_is_noticed(files: FileBlobs, tmp_path: Path) -> None:
    key = files.put(b"a notice of a breach")
    path = tmp_path / "blobs" / key
    whole = path.read_bytes()

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CannotRead):
            files.get(key)


@pytest.mark.parametrize("keep", [0, 3, 12, 60, 100])
def test_a_file_that_was_cut_is_noticed(files: FileBlobs, tmp_path: Path, keep: int) -> None:
    key = files.put(b"a notice of a breach, and some more words")
    path = tmp_path / "blobs" / key
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(CannotRead):
        files.get(key)


def test_a_file_under_the_name_of_another_is_noticed(files: FileBlobs, tmp_path: Path) -> None:
    one, other = files.put_many([b"one", b"other"])
    shutil.copy(tmp_path / "blobs" / one, tmp_path / "blobs" / other)

    with pytest.raises(CannotRead):
        files.get(other)


def test_an_older_master_key_opens_what_it_wrapped_and_wraps_nothing_more(tmp_path: Path) -> None:
    before = FileBlobs(tmp_path / "blobs", OLD_KEY).put(b"from before")
    now = FileBlobs(tmp_path / "blobs", KEY, older=[OLD_KEY])
    after = now.put(b"from now")

    assert now.get(before) == b"from before"
    assert FileBlobs(tmp_path / "blobs", KEY).get(after) == b"from now"
    with pytest.raises(CannotRead):
        FileBlobs(tmp_path / "blobs", KEY).get(before)


def test_a_master_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        FileBlobs(tmp_path, b"short")


def test_a_disk_that_cannot_take_it_says_try_later_and_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file where the folder should be")

    with pytest.raises(TryLater):
        FileBlobs(tmp_path / "blobs", KEY).put(b"a notice")


def test_no_partial_file_is_left_after_a_batch(files: FileBlobs, tmp_path: Path) -> None:
    keys = files.put_many([bytes([n]) * 1000 for n in range(50)])

    assert sorted(str(path.relative_to(tmp_path / "blobs")) for path in kept_files(tmp_path)) == sorted(keys)
