"""Servers that can do less than today's: without MOVE, without UIDPLUS, without IDLE."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from intake.adapters.imap import imap_from_settings
from tests.support import dovecot as server
from tests.support.places import RememberedState

MakeMail = Callable[..., bytes]


def now() -> datetime:
    return datetime.now(UTC)


def test_without_move_a_mail_is_copied_and_only_it_is_expunged(
    tmp_path: Path, state: RememberedState, mail: MakeMail
) -> None:
    old = server.start(tmp_path / "dovecot", "IMAP4rev1 UIDPLUS IDLE")
    try:
        old.deliver("box", mail(1), mail(2))
        box = imap_from_settings("box", old.options("box"), state, now)
        first, second = box.changes()
        staff = old.client("box")
        staff.select_folder("INBOX")
        staff.delete_messages([int(second.remote_id.partition(":")[2])])  # marked, and not ours to take away

        box.done(first.remote_id)

        staff.noop()
        assert len(staff.search("ALL")) == 1
        staff.logout()
        assert old.count("box", "Processed") == 1
        box.close()
    finally:
        old.stop()


def test_without_uidplus_a_mail_stays_marked_and_is_neither_fetched_nor_copied_again(
    tmp_path: Path, state: RememberedState, mail: MakeMail
) -> None:
    old = server.start(tmp_path / "dovecot", "IMAP4rev1")
    try:
        old.deliver("box", mail(1))
        box = imap_from_settings("box", old.options("box"), state, now)
        (arrival,) = box.changes()
        box.done(arrival.remote_id)

        assert list(box.changes()) == []
        assert list(box.changes()) == []
        old.deliver("box", mail(2))
        assert [b"Notice 2" in a.raw for a in box.changes()] == [True]

        assert old.count("box") == 2
        assert old.count("box", "Processed") == 1
        box.close()
    finally:
        old.stop()


def test_without_idle_the_folder_is_looked_at_again_after_the_wait(
    tmp_path: Path, state: RememberedState, mail: MakeMail
) -> None:
    old = server.start(tmp_path / "dovecot", "IMAP4rev1 MOVE UIDPLUS")
    try:
        box = imap_from_settings("box", old.options("box"), state, now)
        assert list(box.changes()) == []
        old.deliver("box", mail(1))
        began = time.monotonic()

        assert box.wait(1)

        assert 0.9 < time.monotonic() - began < 3
        assert len(list(box.changes())) == 1
        box.close()
    finally:
        old.stop()
