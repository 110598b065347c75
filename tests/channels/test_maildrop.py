"""The folder as a mailbox."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from intake.adapters.maildrop import MaildropMailbox, drop, maildrop_from_settings
from intake.domain.errors import Misconfigured


def still(path: Path, seconds: float = 5) -> None:
    """As if nobody had written to the file for a while."""
    at = time.time() - seconds
    os.utime(path, (at, at))


@pytest.mark.parametrize("option", ["foldr", "reconcile_minutes"])
def test_an_option_that_means_nothing_to_a_folder_stops_the_start(tmp_path: Path, option: str) -> None:
    with pytest.raises(Misconfigured, match=f"there is no option “{option}”"):
        maildrop_from_settings("drop", {"folder": str(tmp_path), option: 5})


def test_a_dropped_mail_is_taken_and_moved_when_it_is_done(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    drop(tmp_path, mail(1))
    box = MaildropMailbox("demo", tmp_path)

    (arrival,) = box.changes()
    assert arrival.raw == mail(1)
    assert arrival.channel == "maildrop"
    box.done(arrival.remote_id)

    assert list(box.changes()) == []
    assert [p.read_bytes() for p in (tmp_path / "done").iterdir()] == [mail(1)]


def test_the_mails_come_in_the_order_in_which_they_were_dropped(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    for number in (3, 1, 2):
        drop(tmp_path, mail(number))

    assert [a.raw for a in MaildropMailbox("demo", tmp_path).changes()] == [mail(3), mail(1), mail(2)]


def test_a_file_that_is_still_being_copied_in_is_left_alone(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    (tmp_path / "new").mkdir()
    growing = tmp_path / "new" / "slow.eml"
    box = MaildropMailbox("demo", tmp_path)
    with growing.open("wb") as file:
        file.write(mail(1)[:40])
        file.flush()
        assert list(box.changes()) == []
        file.write(mail(1)[40:])
    assert list(box.changes()) == []

    still(growing)

    assert [a.raw for a in box.changes()] == [mail(1)]


def test_other_files_links_and_empty_files_are_not_taken(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / ".hidden.eml").write_bytes(mail(1))
    (new / "notes.txt").write_bytes(mail(2))
    (new / "empty.eml").write_bytes(b"")
    (new / "folder.eml").mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes(b"not a mail")
    (new / "link.eml").symlink_to(secret)
    time.sleep(1.1)

    assert list(MaildropMailbox("demo", tmp_path).changes()) == []


def test_the_same_name_dropped_twice_is_two_deliveries(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    box = MaildropMailbox("demo", tmp_path)
    seen = []
    for number in (1, 2):
        still(drop(tmp_path, mail(number)).rename(tmp_path / "new" / "notice.eml"), seconds=5 - number)
        (arrival,) = box.changes()
        seen.append(arrival.remote_id)
        box.done(arrival.remote_id)

    assert len(set(seen)) == 2
    assert len(list((tmp_path / "done").iterdir())) == 2


def test_a_hostile_name_stays_inside_the_folder(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    still(drop(tmp_path, mail(1)).rename(tmp_path / "new" / ("\u202e\u200b..;" + "x" * 200 + ";rm -rf.eml")))
    box = MaildropMailbox("demo", tmp_path)
    (arrival,) = box.changes()

    box.done(arrival.remote_id)

    (kept,) = (tmp_path / "done").iterdir()
    assert kept.parent == tmp_path / "done"
    assert not list((tmp_path / "new").iterdir())


def test_a_reader_killed_before_done_finds_the_same_delivery_again(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    drop(tmp_path, mail(1))
    script = (
        "import os, sys, pathlib\n"
        "from intake.adapters.maildrop import MaildropMailbox\n"
        "(arrival,) = MaildropMailbox('demo', pathlib.Path(sys.argv[1])).changes()\n"
        "print(arrival.remote_id, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False
    )

    (arrival,) = MaildropMailbox("demo", tmp_path).changes()

    assert killed.returncode == -9
    assert arrival.remote_id == killed.stdout.strip()


def test_a_drop_ends_the_wait_at_once(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    box = MaildropMailbox("demo", tmp_path)
    list(box.changes())
    threading.Timer(0.3, drop, (tmp_path, mail(1))).start()
    began = time.monotonic()

    assert box.wait(10)
    assert time.monotonic() - began < 2
    list(box.changes())


def test_a_wait_without_mail_ends_in_time(tmp_path: Path) -> None:
    box = MaildropMailbox("demo", tmp_path)
    list(box.changes())

    assert not box.wait(0.4)


def test_a_copy_with_a_time_ahead_is_taken_once_it_stands_still(tmp_path: Path, mail: Callable[..., bytes]) -> None:
    (tmp_path / "new").mkdir()
    copied = tmp_path / "new" / "copied.eml"
    copied.write_bytes(mail(1))
    ahead = time.time() + 90 * 86_400
    os.utime(copied, (ahead, ahead))
    box = MaildropMailbox("demo", tmp_path)
    assert list(box.changes()) == []

    assert box.wait(5)

    assert [a.raw for a in box.changes()] == [mail(1)]


def test_what_is_never_taken_does_not_end_the_wait(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "empty.eml").touch()
    (new / "folder.eml").mkdir()
    (new / "link.eml").symlink_to(new / "empty.eml")
    still(new / "empty.eml")

    assert not MaildropMailbox("demo", tmp_path).wait(0.3)
