"""The collector's loop: what stays in a folder when something fails, and that no mailbox delays another."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.adapters.doorbell import NullDoorbell
from intake.adapters.maildrop import MaildropMailbox, drop
from intake.config import Settings
from intake.domain.errors import Refused, TryLater
from intake.domain.model import Arrival
from intake.ports import Blobs, Mailbox
from intake.wiring import Parts, build
from tests.faults.test_killed_reader import notice
from tests.support.dovecot import Dovecot
from tests.support.running import Site, until
from workers.collect import read, run


class FakeMailbox:
    """A folder in memory that can be told to fail."""

    def __init__(self, name: str, *mails: bytes) -> None:
        self.name = name
        self.folder = {str(n): raw for n, raw in enumerate(mails)}
        self.done_: list[str] = []
        self.fail: Exception | None = None
        self.refuse_moves = False
        self.stuck: set[str] = set()
        self.uncountable = False
        self.put_by_hand = 0  # mails in Processed that never lay in the folder while we looked
        self.before_done: Callable[[str], None] = lambda remote_id: None

    def changes(self) -> Iterator[Arrival]:
        if self.fail:
            raise self.fail
        for remote_id, raw in list(self.folder.items()):
            if remote_id not in self.done_:
                yield Arrival(raw, "imap", self.name, remote_id, datetime.now(UTC))

    def done(self, remote_id: str) -> None:
        self.before_done(remote_id)
        if self.refuse_moves:
            raise Refused("The server does not let us move mail.")
        if remote_id in self.stuck:
            raise TryLater("It cannot be moved now.")
        self.done_.append(remote_id)

    def wait(self, seconds: float) -> bool:
        time.sleep(0.02)
        return True

    def count(self) -> tuple[int, int]:
        if self.uncountable:
            raise Refused("The folder Processed may not be counted.")
        return len(self.folder) - len(self.done_), len(self.done_) + self.put_by_hand

    def close(self) -> None:
        return


class FullDisk:
    """Blobs on a disk without space, for some contents or for all."""

    def __init__(self, real: Blobs, holds: Callable[[bytes], bool]) -> None:
        self._real, self.holds = real, holds

    def put(self, content: bytes) -> str:
        return self.put_many([content])[0]

    def put_many(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        if not all(self.holds(c) for c in contents):
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._real.put_many(contents)

    def get(self, key: str) -> bytes:
        return self._real.get(key)


class SomeParts(Parts):
    """The real parts with mailboxes, and a disk, of the test's own."""

    def __init__(self, settings: Settings, *boxes: Mailbox) -> None:
        super().__init__(replace(settings, values={**settings.values, "mailbox_poll_seconds": 1}))
        self.boxes = boxes
        self.__dict__["doorbell"] = NullDoorbell()

    def mailboxes(self) -> Iterator[Mailbox]:
        return iter(self.boxes)

    def only_holding(self, holds: Callable[[bytes], bool]) -> FullDisk:
        disk = FullDisk(build(self.settings).blobs, holds)
        self.__dict__["blobs"] = disk
        return disk


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Site(tmp_path).settings


def collecting(parts: Parts) -> threading.Event:
    stop = threading.Event()
    threading.Thread(target=run, args=(parts, stop), daemon=True).start()
    return stop


def messages(parts: Parts) -> int:
    return int(str(parts.store.outcomes()["messages"]))


def test_a_mail_is_moved_only_after_its_bytes_delivery_and_job_are_durable(settings: Settings) -> None:
    box = FakeMailbox("breach", *[notice(n) for n in range(30)])
    parts = SomeParts(settings, box)
    elsewhere = build(settings)  # looks at the files as another program would
    seen = []

    def check(remote_id: str) -> None:
        kept = [d for d in elsewhere.store.deliveries_waiting(100) if d.remote_id == remote_id]
        seen.append(len(kept) == 1 and elsewhere.blobs.get(kept[0].raw.blob) == box.folder[remote_id])

    box.before_done = check
    stop = collecting(parts)
    until(lambda: len(box.done_) == 30, 20, "all moved")
    stop.set()

    assert seen == [True] * 30


def test_a_full_disk_leaves_the_mail_in_its_folder_and_is_over_by_itself(settings: Settings) -> None:
    box = FakeMailbox("breach", notice(1), notice(2))
    parts = SomeParts(settings, box)
    disk = parts.only_holding(lambda content: False)
    stop = collecting(parts)

    until(lambda: parts.store.mailbox_state("breach").error != "", 10, "staff see it")
    assert box.done_ == []
    assert "waits on the server" in parts.store.mailbox_state("breach").error
    disk.holds = lambda content: True
    until(lambda: len(box.done_) == 2, 10, "both moved")
    until(lambda: parts.store.mailbox_state("breach").error == "", 10, "staff see that it is over")
    stop.set()


def test_one_mail_that_cannot_be_kept_does_not_hold_up_the_others(settings: Settings) -> None:
    box = FakeMailbox("breach", *[notice(n) for n in range(5)])
    parts = SomeParts(settings, box)
    parts.only_holding(lambda content: b"Notice 2\r\n" not in content)
    stop = collecting(parts)

    until(lambda: len(box.done_) == 4, 10, "the others moved")
    stop.set()

    assert "2" not in box.done_


def test_a_large_mail_for_which_the_disk_has_no_room_does_not_hold_up_small_ones(settings: Settings) -> None:
    large = [notice(n) + b"x" * 9_000_000 for n in range(6)]
    box = FakeMailbox("breach", *large, notice(7), notice(8))
    parts = SomeParts(settings, box)
    disk = parts.only_holding(lambda raw: len(raw) < 1_000_000)
    stop = collecting(parts)

    until(lambda: box.done_ == ["6", "7"], 20, "the small ones")
    disk.holds = lambda raw: True
    until(lambda: len(box.done_) == 8, 20, "the large ones too")
    stop.set()

    assert messages(parts) == 8


def test_a_mail_that_cannot_be_moved_now_does_not_hold_up_the_others(settings: Settings) -> None:
    box = FakeMailbox("breach", *(notice(n) for n in range(45)))
    box.stuck = {"0"}
    parts = SomeParts(settings, box)
    stop = collecting(parts)

    until(lambda: len(box.done_) == 44, 20, "all others")
    until(lambda: "cannot be moved now" in parts.store.mailbox_state("breach").error, 5, "the trouble")
    stop.set()

    assert messages(parts) == 45


def test_a_folder_that_cannot_be_counted_is_read_all_the_same(settings: Settings) -> None:
    box = FakeMailbox("breach", notice(1))
    box.uncountable = True
    parts = SomeParts(settings, box)
    stop = collecting(parts)

    until(lambda: box.done_ == ["0"], 20, "the mail")
    until(lambda: "may not be counted" in parts.store.mailbox_state("breach").error, 5, "the trouble")
    box.uncountable = False
    until(lambda: parts.store.mailbox_state("breach").counted_before == 0, 20, "the count")
    stop.set()


def test_a_broken_mailbox_never_delays_another(settings: Settings) -> None:
    broken, slow, good = FakeMailbox("broken"), FakeMailbox("slow", notice(1)), FakeMailbox("good")
    broken.fail = TryLater("The server is away.")
    slow.before_done = lambda remote_id: time.sleep(20)
    parts = SomeParts(settings, broken, slow, good)
    stop = collecting(parts)
    until(lambda: parts.store.mailbox_state("broken").error == "The server is away.", 10, "staff see it")

    good.folder["1"] = notice(9)
    took = until(lambda: good.done_ == ["1"], 10, "the good one")
    stop.set()

    assert took < 2
    assert parts.store.mailbox_state("good").error == ""
    assert parts.store.mailbox_state("good").last_message is not None


def test_any_error_of_a_mailbox_is_survived(settings: Settings) -> None:
    box = FakeMailbox("odd")
    box.fail = ZeroDivisionError()
    parts = SomeParts(settings, box)
    stop = collecting(parts)
    until(lambda: "ZeroDivisionError" in parts.store.mailbox_state("odd").error, 10, "staff see it")

    box.fail = None
    box.folder["1"] = notice(1)

    until(lambda: box.done_ == ["1"], 10, "collected again")
    stop.set()


def test_mail_that_may_not_be_moved_is_kept_once_and_said(settings: Settings) -> None:
    box = FakeMailbox("stuck", notice(1))
    box.refuse_moves = True
    parts = SomeParts(settings, box)
    stop = collecting(parts)

    until(lambda: "move mail" in parts.store.mailbox_state("stuck").error, 10, "staff see it")
    time.sleep(0.3)
    stop.set()

    assert parts.store.outcomes()["deliveries"] == 1


def test_a_drop_folder_is_collected_to_its_end(settings: Settings, tmp_path: Path) -> None:
    for number in range(25):
        drop(tmp_path / "drop", notice(number))
    parts = SomeParts(settings, MaildropMailbox("demo", tmp_path / "drop"))
    stop = collecting(parts)

    until(lambda: messages(parts) == 25, 10, "all kept")
    until(lambda: not list((tmp_path / "drop" / "new").iterdir()), 10, "an empty folder")
    stop.set()


def test_the_same_mail_in_two_mailboxes_and_in_a_folder_made_anew_is_one_message(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    """Each delivery is counted, and the second and third are duplicates of the first: no second case."""
    site = Site(tmp_path, {name: dovecot.options(name, folder="Notices") for name in ("one", "two")})
    parts = site.parts()
    raw = notice(1)
    stop = threading.Event()

    def put(name: str) -> None:
        staff = dovecot.client(name)
        if staff.folder_exists("Notices"):
            staff.delete_folder("Notices")
            time.sleep(1.1)
        staff.create_folder("Notices")
        staff.append("Notices", raw)
        staff.logout()

    put("one")
    put("two")
    one, two = parts.mailboxes()
    threads = [threading.Thread(target=read, args=(parts, box, stop), daemon=True) for box in (one, two)]
    for thread in threads:
        thread.start()
    until(lambda: parts.store.outcomes()["deliveries"] == 2, 20, "both kept")
    until(lambda: dovecot.count("one", "Processed") == 1, 20, "moved")
    put("one")
    with_third = build(site.settings)  # as after a restart
    third = next(with_third.mailboxes())
    threading.Thread(target=read, args=(with_third, third, stop), daemon=True).start()
    until(lambda: parts.store.outcomes()["deliveries"] == 3, 20, "the third kept")
    stop.set()

    assert messages(parts) == 1


def test_mail_that_lay_in_processed_before_our_time_is_not_missed_and_what_comes_by_hand_later_is(
    settings: Settings,
) -> None:
    box = FakeMailbox("breach", notice(1), notice(2))
    box.put_by_hand = 40
    parts = SomeParts(settings, box)
    stop = collecting(parts)
    until(lambda: parts.store.mailbox_state("breach").counted_at is not None, 10, "counted")
    stop.set()
    first = parts.store.mailbox_state("breach")

    box.put_by_hand += 1
    stop = collecting(parts)  # a new start counts at once
    until(lambda: parts.store.mailbox_state("breach").counted != first.counted, 10, "counted again")
    stop.set()
    second = parts.store.mailbox_state("breach")

    assert (first.counted, first.counted_before, first.ledger) == (42, 40, 2)
    assert (second.counted, second.counted_before, second.ledger) == (43, 40, 2)
