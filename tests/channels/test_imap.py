"""The IMAP mailbox against a real Dovecot."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.adapters.imap import ImapMailbox, imap_from_settings
from intake.domain.errors import Misconfigured, Refused, TryLater
from intake.domain.too_large import PART_HEADER
from intake.receive import in_groups
from tests.support.dovecot import Dovecot
from tests.support.imap_watch import ImapWatch
from tests.support.places import RememberedState

MakeMail = Callable[..., bytes]


def now() -> datetime:
    return datetime.now(UTC)


def opened(dovecot: Dovecot, name: str, state: RememberedState, **options: object) -> ImapMailbox:
    return imap_from_settings(name, dovecot.options(name, **options), state, now)


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """A folder in which the server may not write."""
    places = [folder / "tmp", folder / "new", folder / "cur", folder]
    modes = [p.stat().st_mode for p in places]
    for place in places:
        place.chmod(0)
    yield
    for place, mode in zip(reversed(places), reversed(modes), strict=True):
        place.chmod(mode)


def test_the_bytes_of_a_mail_are_those_that_were_delivered(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(
        mailbox, mail(1, body="Kia ora, 8 bit is kept: \udce9?".encode("utf-8", "surrogateescape").decode("latin-1"))
    )
    box = opened(dovecot, mailbox, state)

    (arrival,) = box.changes()

    assert arrival.raw.endswith(b"\r\n")
    assert b"Subject: Notice 1\r\n" in arrival.raw
    assert arrival.raw.startswith(b"Return-Path:")
    assert arrival.channel == "imap" and arrival.mailbox == mailbox
    assert abs((now() - arrival.received_at).total_seconds()) < 10
    box.close()


def test_mails_stay_unread_and_in_their_folder_until_they_are_done(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1), mail(2))
    box = opened(dovecot, mailbox, state)

    arrivals = list(box.changes())

    staff = dovecot.client(mailbox)
    staff.select_folder("INBOX")
    assert len(staff.search("UNSEEN")) == 2
    staff.logout()
    for arrival in arrivals:
        box.done(arrival.remote_id)
    assert dovecot.count(mailbox) == 0
    assert dovecot.count(mailbox, "Processed") == 2
    box.close()


def test_a_mail_that_staff_have_read_is_collected_all_the_same(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    staff = dovecot.client(mailbox)
    staff.select_folder("INBOX")
    staff.add_flags([1], [b"\\Seen"])
    staff.logout()
    box = opened(dovecot, mailbox, state)

    assert len(list(box.changes())) == 1
    box.close()


def test_a_mail_that_was_kept_but_not_done_comes_again_after_a_restart(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    first = opened(dovecot, mailbox, state)
    (before,) = first.changes()
    first.close()

    second = opened(dovecot, mailbox, state)
    (after,) = second.changes()

    assert after.remote_id == before.remote_id
    assert after.raw == before.raw
    second.close()


def test_a_mail_that_could_not_be_kept_comes_again_on_the_next_pass(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1), mail(2))
    box = opened(dovecot, mailbox, state)
    first, second = box.changes()
    box.done(second.remote_id)

    assert [a.remote_id for a in box.changes()] == [first.remote_id]
    box.close()


def test_a_server_that_counts_changes_is_searched_only_when_something_changed(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    """CONDSTORE (RFC 7162): the count comes with every SELECT."""
    watched = ImapWatch(dovecot.imap)
    asked: list[str] = []
    watched.watch = lambda phase, command: asked.append(command) if phase == "before" else None
    box = opened(dovecot, mailbox, state, host="127.0.0.1", port=watched.port, security="none", ca_file="")

    assert [list(box.changes()) for _ in range(3)] == [[], [], []]
    searches = asked.count("SEARCH")
    dovecot.deliver(mailbox, mail(1))
    (came,) = box.changes()
    (again,) = box.changes()
    box.done(came.remote_id)
    staff = dovecot.client(mailbox)
    staff.select_folder("Processed")
    staff.move(staff.search("ALL"), "INBOX")
    staff.logout()
    (back,) = box.changes()
    box.close()
    watched.stop()

    assert searches == 1
    assert again.remote_id == came.remote_id
    assert back.raw == came.raw


def test_a_mail_that_the_server_cannot_hand_over_holds_up_no_other(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, *(mail(n) for n in range(4)))
    broken = sorted((dovecot.folder / "mail" / mailbox / "new").iterdir())[1]
    if os.geteuid() == 0:
        os.chown(broken, 0, 0)
    broken.chmod(0)
    box = opened(dovecot, mailbox, state)
    kept = set[str]()
    for _ in range(5):
        with pytest.raises(TryLater):
            for group in in_groups(box.changes()):
                for arrival in group:
                    kept.add(arrival.remote_id)
                    box.done(arrival.remote_id)
    assert len(kept) == dovecot.count(mailbox, "Processed") == 3
    assert dovecot.count(mailbox) == 1
    box.close()


def test_new_mail_ends_the_wait_within_two_seconds(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    box = opened(dovecot, mailbox, state)
    assert list(box.changes()) == []
    delivered = []

    def deliver() -> None:
        dovecot.deliver(mailbox, mail(1))
        delivered.append(time.monotonic())

    sender = threading.Timer(1.2, deliver)
    sender.start()
    woken = box.wait(20)
    took = time.monotonic() - delivered[0]

    assert woken
    assert took < 2
    assert len(list(box.changes())) == 1
    sender.join()
    box.close()


def test_mails_at_awkward_moments_are_each_noticed_within_two_seconds(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    chance = random.Random(3)
    box = opened(dovecot, mailbox, state)
    sent: dict[int, float] = {}

    def deliver() -> None:
        for number in range(12):
            time.sleep(chance.uniform(0.2, 0.9))
            sent[number] = time.monotonic()
            dovecot.deliver(mailbox, mail(number))

    sender = threading.Thread(target=deliver)
    sender.start()
    took = []
    while len(took) < 12:
        for arrival in box.changes():
            number = int(arrival.raw.partition(b"Subject: Notice ")[2].split()[0])
            took.append(time.monotonic() - sent[number])
            box.done(arrival.remote_id)
        if len(took) < 12:
            box.wait(20)
    sender.join()

    assert max(took) < 2
    box.close()


def test_a_mail_that_came_during_the_last_command_ends_the_wait_at_once(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, mailbox, state)
    (arrival,) = box.changes()
    dovecot.deliver(mailbox, mail(2))
    box.done(arrival.remote_id)  # the server tells of the second mail in its answer to this
    began = time.monotonic()

    assert box.wait(20)
    assert time.monotonic() - began < 2
    box.close()


def test_an_idle_wait_ends_when_its_time_is_over(dovecot: Dovecot, mailbox: str, state: RememberedState) -> None:
    box = opened(dovecot, mailbox, state)
    list(box.changes())
    began = time.monotonic()

    assert not box.wait(1.5)
    assert 1.4 < time.monotonic() - began < 3
    box.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    dovecot: Dovecot, mailbox: str, state: RememberedState
) -> None:
    box = opened(dovecot, mailbox, state, ca_file="")

    with pytest.raises(TryLater) as refused:
        list(box.changes())

    assert "not trusted" in refused.value.for_staff
    assert refused.value.after >= 60


@pytest.mark.parametrize(("security", "port"), [("starttls", "imap"), ("tls", "imaps")])
def test_both_ways_of_tls_work_with_an_authority_of_ones_own(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail, security: str, port: str
) -> None:
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, mailbox, state, security=security, port=getattr(dovecot, port))

    assert len(list(box.changes())) == 1
    box.close()


def test_starttls_refuses_an_untrusted_certificate_too(dovecot: Dovecot, mailbox: str, state: RememberedState) -> None:
    box = opened(dovecot, mailbox, state, security="starttls", port=dovecot.imap, ca_file="")

    with pytest.raises(TryLater, match="not trusted"):
        list(box.changes())


def test_a_wrong_password_is_said_and_not_tried_again_at_once(
    dovecot: Dovecot, mailbox: str, state: RememberedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_MAILBOX_PASSWORD", "wrong")
    options = dovecot.options(mailbox, password_env="TEST_MAILBOX_PASSWORD")
    del options["password_file"]
    box = imap_from_settings(mailbox, options, state, now)

    with pytest.raises(TryLater, match="refused the account or its password") as refused:
        list(box.changes())

    assert refused.value.after >= 60


def test_a_folder_that_was_made_anew_is_read_from_its_beginning(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    staff = dovecot.client(mailbox)
    staff.create_folder("Notices")
    staff.append("Notices", mail(1))
    staff.append("Notices", mail(2))
    box = opened(dovecot, mailbox, state, folder="Notices")
    before = [a.remote_id for a in box.changes()]
    validity = state.mailbox_state(mailbox).uid_validity
    staff.delete_folder("Notices")
    time.sleep(1.1)  # the server's UIDVALIDITY is the second in which the folder was made
    staff.create_folder("Notices")
    staff.append("Notices", mail(1))
    staff.logout()
    box.close()

    again = opened(dovecot, mailbox, state, folder="Notices")
    after = list(again.changes())

    assert len(before) == 2
    assert len(after) == 1
    assert after[0].remote_id not in before
    assert state.mailbox_state(mailbox).uid_validity != validity
    assert state.mailbox_state(mailbox).last_uid == 1
    again.close()


def test_a_mail_that_staff_took_away_in_between_is_passed_over(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    big = "x" * 76 + "\r\n"
    dovecot.deliver(mailbox, mail(1), mail(2, body=big * 30_000), mail(3))
    box = opened(dovecot, mailbox, state)
    passing = box.changes()
    first = next(passing)  # the second is fetched alone, later

    staff = dovecot.client(mailbox)
    staff.select_folder("INBOX")
    staff.delete_messages([2])
    staff.expunge([2])
    staff.logout()
    rest = list(passing)

    assert b"Notice 1" in first.raw
    assert [b"Notice 3" in a.raw for a in rest] == [True]
    box.close()


def test_done_for_a_mail_that_is_gone_is_no_error(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, mailbox, state)
    (arrival,) = box.changes()
    staff = dovecot.client(mailbox)
    staff.select_folder("INBOX")
    staff.delete_messages([1])
    staff.expunge([1])
    staff.logout()

    box.done(arrival.remote_id)

    assert list(box.changes()) == []
    assert dovecot.count(mailbox, "Processed") == 0
    box.close()


def test_a_mail_above_the_limit_is_kept_in_part_and_held_on_the_server(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1, body=("y" * 70 + "\r\n") * 20_000), mail(2))
    box = opened(dovecot, mailbox, state, max_message_bytes=1_000_000)

    large, small = box.changes()
    box.done(large.remote_id)
    box.done(small.remote_id)

    first, _, rest = large.raw.partition(b"\r\n")
    assert first.startswith(PART_HEADER)
    assert b"Subject: Notice 1" in rest and len(rest) == 256 * 1024
    assert not small.raw.startswith(PART_HEADER)
    assert dovecot.count(mailbox, "Held") == 1
    assert dovecot.count(mailbox, "Processed") == 1
    box.close()


def test_folders_with_macrons_spaces_and_levels_work(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, mailbox, state, processed="Pānui tukatuka & co")
    (arrival,) = box.changes()

    box.done(arrival.remote_id)

    assert dovecot.count(mailbox, "Pānui tukatuka & co") == 1
    box.close()


def test_a_target_folder_that_staff_removed_is_made_again(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    box = opened(dovecot, mailbox, state)
    list(box.changes())
    staff = dovecot.client(mailbox)
    staff.delete_folder("Processed")
    staff.logout()
    dovecot.deliver(mailbox, mail(1))
    (arrival,) = box.changes()

    box.done(arrival.remote_id)

    assert dovecot.count(mailbox, "Processed") == 1
    assert dovecot.count(mailbox) == 0
    box.close()


def test_a_target_folder_that_refuses_mail_is_said_and_stops_nothing(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, mailbox, state)
    (arrival,) = box.changes()
    target = dovecot.folder / "mail" / mailbox / ".Processed"
    with without_rights(target):
        with pytest.raises(Refused, match="does not let us move it to Processed"):
            box.done(arrival.remote_id)
        dovecot.deliver(mailbox, mail(2))
        passing = box.changes()
        assert b"Notice 2" in next(passing).raw
        with pytest.raises(Refused):
            next(passing)

    assert dovecot.count(mailbox) == 2
    box.close()


def test_a_cut_connection_is_try_later_and_the_next_pass_connects_again(
    dovecot: Dovecot, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    dovecot.deliver(mailbox, mail(1), mail(2))
    box = opened(dovecot, mailbox, state)
    first, second = box.changes()
    box.done(first.remote_id)
    box._client.socket().shutdown(2)

    with pytest.raises(TryLater):
        box.done(second.remote_id)
    assert list(box.changes()) == []  # the second is moved now, without being fetched again

    assert dovecot.count(mailbox) == 0
    assert dovecot.count(mailbox, "Processed") == 2
    box.close()


def test_a_connection_cut_while_idle_is_noticed(dovecot: Dovecot, mailbox: str, state: RememberedState) -> None:
    box = opened(dovecot, mailbox, state)
    list(box.changes())
    cut = threading.Timer(1.5, lambda: box._client.socket().shutdown(2))
    cut.start()
    began = time.monotonic()

    with pytest.raises(TryLater):
        box.wait(20)

    assert time.monotonic() - began < 5
    cut.join()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"folder": "IN\r\nBOX"}, "control characters"),
        ({"processed": "a\x00b"}, "control characters"),
        ({"security": "none", "host": "mail.ministry.example"}, "this machine only"),
        ({"security": "ssl"}, "tls, starttls or none"),
        ({"password": "secret"}, "must not stand in the settings file"),
        ({"password_env": "X"}, "one of password_file and password_env"),
        ({"processed": "inbox"}, "three different folders"),
        ({"max_message_bytes": 60_000_000}, "at most 36,700,160 can be opened"),
        ({"port": "993"}, "port must be a number"),
        ({"ca_file": "/nowhere/ca.pem"}, "not a file"),
        ({"hots": "x"}, "no option “hots”"),
    ],
)
def test_options_that_cannot_work_stop_the_start_with_a_sentence(options: dict[str, object], said: str) -> None:
    given = {"host": "127.0.0.1", "account": "x", "password_file": "/nowhere"} | options

    with pytest.raises(Misconfigured, match=said) as stopped:
        imap_from_settings("breach", given, RememberedState(), now)

    assert stopped.value.for_staff.startswith("[mailboxes.breach]")
