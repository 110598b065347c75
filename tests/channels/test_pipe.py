"""Mails from the command line."""

from __future__ import annotations

import gzip
import io
import mailbox as standard
import os
import re
import signal
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from intake.adapters.pipe import arrivals
from intake.cli.progress import Progress
from intake.domain.errors import CannotRead
from intake.domain.model import Arrival
from tests.support.running import COMMAND, Site

NOW = datetime(2026, 11, 2, 1, 2, 3, tzinfo=UTC)
MakeMail = Callable[..., bytes]


def read(*paths: Path | str, stdin: bytes = b"") -> list[Arrival]:
    return list(arrivals([str(p) for p in paths], "default", lambda: NOW, stdin=io.BytesIO(stdin)))


def test_a_folder_of_eml_files_comes_in_the_order_of_its_names(tmp_path: Path, mail: MakeMail) -> None:
    (tmp_path / "deeper").mkdir()
    for name in ("b.eml", "a.EML", "deeper/c.eml"):
        (tmp_path / name).write_bytes(mail(ord(name[-5])))
    (tmp_path / "notes.txt").write_text("not a mail")

    found = read(tmp_path)

    assert [Path(a.label).name for a in found] == ["a.EML", "b.eml", "c.eml"]
    assert {a.channel for a in found} == {"import"}
    assert {a.received_at for a in found} == {NOW}
    assert found[0].raw == (tmp_path / "a.EML").read_bytes()


def test_a_file_keeps_its_identity_and_a_copy_elsewhere_has_its_own(tmp_path: Path, mail: MakeMail) -> None:
    (tmp_path / "a.eml").write_bytes(mail(1))
    (tmp_path / "copy.eml").write_bytes(mail(1))

    first, second = read(tmp_path / "a.eml"), read(tmp_path / "a.eml")
    copy = read(tmp_path / "copy.eml")

    assert first[0].remote_id == second[0].remote_id
    assert copy[0].remote_id != first[0].remote_id


def test_an_mbox_gives_each_mail_with_its_time_and_without_its_quotes(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(
        b"From a@b.nz Fri Oct 30 01:05:34 2026\nSubject: one\n\n>From here on\n>>From deeper\nFrom inside a line\n\n"
        b"From a@b.nz Fri Oct 30 02:05:34 2026\nSubject: two\n\nbody\n\n"
        b"From a@b.nz\nSubject: two\n\nbody\n"
    )

    one, two, three = read(tmp_path / "old")

    assert one.raw == b"Subject: one\n\nFrom here on\n>From deeper\nFrom inside a line\n"
    assert one.received_at == datetime(2026, 10, 30, 1, 5, 34, tzinfo=UTC)
    assert two.received_at == datetime(2026, 10, 30, 2, 5, 34, tzinfo=UTC)
    assert three.received_at == NOW
    assert two.raw == three.raw == b"Subject: two\n\nbody\n"
    assert len({one.remote_id, two.remote_id, three.remote_id}) == 3


def test_an_mbox_written_by_another_program_gives_the_same_mails(tmp_path: Path, mail: MakeMail) -> None:
    theirs = standard.mbox(tmp_path / "all.mbox")
    for number in range(1, 40):
        theirs.add(message_from_bytes(mail(number).replace(b"\r\n", b"\n")))
    theirs.close()

    found = read(tmp_path / "all.mbox")

    assert [a.raw for a in found] == [mail(n).replace(b"\r\n", b"\n") for n in range(1, 40)]


def test_a_maildir_gives_new_and_read_mail_with_its_time_of_delivery(tmp_path: Path, mail: MakeMail) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cur" / "1793323534.M1P1.host:2,S").write_bytes(mail(1))
    (tmp_path / "new" / "1793323599.M1P2.host").write_bytes(mail(2))
    (tmp_path / "tmp" / "1793323600.M1P3.host").write_bytes(b"half a m")

    one, two = read(tmp_path)
    (tmp_path / "cur" / "1793323534.M1P1.host:2,S").rename(tmp_path / "cur" / "1793323534.M1P1.host:2,RS")
    again, _ = read(tmp_path)

    assert one.received_at == datetime.fromtimestamp(1793323534, UTC)
    assert (one.raw, two.raw) == (mail(1), mail(2))
    assert again.remote_id == one.remote_id


def test_a_time_in_the_future_counts_as_now(tmp_path: Path) -> None:
    (tmp_path / "all.mbox").write_bytes(b"From a@b.nz Fri Oct 30 01:05:34 2099\nSubject: one\n\nbody\n")

    (arrival,) = read(tmp_path / "all.mbox")

    assert arrival.received_at == NOW


def test_standard_input_is_one_mail_and_each_time_another_delivery(mail: MakeMail) -> None:
    seen = []
    for start in (b"", b"From a@b.nz Fri Oct 30 01:05:34 2026\n"):
        (arrival,) = read("-", stdin=start + mail(1))
        assert arrival.raw == mail(1)
        assert arrival.channel == "pipe"
        seen.append(arrival.remote_id)

    assert len(set(seen)) == 2


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_nothing_on_standard_input_is_said(content: bytes) -> None:
    with pytest.raises(CannotRead, match="no mail"):
        read("-", stdin=content)


def test_a_path_that_is_not_there_and_a_folder_without_mail_are_said(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="does not exist"):
        read(tmp_path / "gone.eml")
    with pytest.raises(CannotRead, match="holds no .eml"):
        read(tmp_path)


def test_a_file_that_cannot_be_read_is_said_and_the_others_go_on(tmp_path: Path, mail: MakeMail) -> None:
    (tmp_path / "a.eml").write_bytes(b"")
    (tmp_path / "b.eml").write_bytes(mail(2))
    (tmp_path / "c.mbox").write_bytes(gzip.compress(b"From a@b.nz"))
    (tmp_path / "d.mbox").write_bytes(b"Subject: no From line\n\n")
    told: list[str] = []

    found = list(
        arrivals([str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "b.eml")], "x", lambda: NOW, told.append)
    )

    assert [a.raw for a in found] == [mail(2)] * 2
    assert [next(w for w in ("empty", "gunzip", "no mbox", "not exist") if w in said) for said in told] == [
        "empty",
        "gunzip",
        "no mbox",
        "not exist",
    ]


RECEIVED = b"Received: from a by mx.ministry.example with ESMTP id 1;\r\n\tFri, 30 Oct 2026 14:05:34 +1300\r\n"
OLDER = b"Received: from b by c; Thu, 29 Oct 2026 01:02:03 +0000\r\nDelivery-Date: Thu, 29 Oct 2026 02:02:03 +0000\r\n"
TIMES = {
    RECEIVED + OLDER: datetime(2026, 10, 30, 1, 5, 34, tzinfo=UTC),
    b"Delivery-date: Thu, 29 Oct 2026 02:02:03 +0000\r\n": datetime(2026, 10, 29, 2, 2, 3, tzinfo=UTC),
    b"Received: from a by b; Fri, 30 Oct 2099 14:05:34 +1300\r\n": NOW,
    b"Received: from a by b; Fri, 30 Oct 1899 14:05:34 +1300\r\n": NOW,
    b"Received: from a by b; yesterday\r\n" + OLDER: datetime(2026, 10, 29, 2, 2, 3, tzinfo=UTC),
    b"Received: from a by b; " + b"9" * 300 + b"\r\n": datetime(2026, 10, 28, tzinfo=UTC),
    b"": datetime(2026, 10, 28, tzinfo=UTC),
}


@pytest.mark.parametrize("lines", TIMES)
def test_a_mail_counts_from_when_the_last_server_took_it_else_from_the_files_time(
    tmp_path: Path, mail: MakeMail, lines: bytes
) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(lines + mail(1))
    os.utime(file, (datetime(2026, 10, 28, tzinfo=UTC).timestamp(),) * 2)

    (arrival,) = read(file)

    assert arrival.received_at == TIMES[lines]
    assert arrival.received_at.tzinfo == UTC


def test_a_server_time_in_an_mbox_is_better_than_its_from_line_which_has_no_zone(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(b"From a@b.nz Fri Oct 30 14:05:34 2026\n" + RECEIVED + b"Subject: one\n\nbody\n")

    (arrival,) = read(tmp_path / "a.mbox")

    assert arrival.received_at == datetime(2026, 10, 30, 1, 5, 34, tzinfo=UTC)


def test_a_sentence_that_begins_with_from_ends_no_mail_though_nobody_quoted_it(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(
        b"From a@b.nz Fri Oct 30 01:05:34 2026\nSubject: one\n\nHello,\n\nFrom here on: nothing.\n\nFrom now\nwe wait.\n"
        b"\nFrom a@b.nz\nSubject: two\n\nbody\n\nFrom the end"
    )

    one, two = read(tmp_path / "a.mbox")

    assert one.raw.endswith(b"Hello,\n\nFrom here on: nothing.\n\nFrom now\nwe wait.\n")
    assert two.raw == b"Subject: two\n\nbody\n\nFrom the end"


def test_a_length_that_the_sender_states_hides_no_mail(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(
        b"From a@b.nz Fri Oct 30 01:05:34 2026\nSubject: one\nContent-Length: 99999\n\nx\n\n"
        b"From a@b.nz Fri Oct 30 01:05:35 2026\nSubject: two\n\ny\n"
    )

    assert [a.raw[:12] for a in read(tmp_path / "a.mbox")] == [b"Subject: one", b"Subject: two"]


@pytest.mark.parametrize("begin", [b"\n\n", b"\xef\xbb\xbf", b"\r\n"])
def test_an_mbox_with_something_before_its_first_line_is_an_mbox_all_the_same(tmp_path: Path, begin: bytes) -> None:
    mails = b"From a@b.nz Fri Oct 30 01:05:34 2026\nSubject: one\n\nx\n\nFrom a@b.nz Fri Oct 30 01:05:34 2026\nSubject: two\n\n"
    (tmp_path / "a").write_bytes(begin + mails + b"a mail that is cut of")

    assert [a.raw for a in read(tmp_path / "a")] == [b"Subject: one\n\nx\n", b"Subject: two\n\na mail that is cut of"]


def test_ten_thousand_mails_of_one_mbox_take_the_memory_of_one(tmp_path: Path) -> None:
    one = b"From a@b.nz Fri Oct 30 01:05:34 2026\nSubject: %d\n\n" + b"words of a notice\n" * 300 + b"\n"
    with (tmp_path / "all.mbox").open("wb") as file:
        for number in range(10_000):
            file.write(one % number)
    tracemalloc.start()
    count = sum(1 for _ in arrivals([str(tmp_path / "all.mbox")], "x", lambda: NOW))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 10_000
    assert peak < 4_000_000  # of a file of 54 MB


# ---- the command ----------------------------------------------------------------------------------


def mbox(path: Path, count: int) -> Path:
    with path.open("wb") as file:
        for n in range(count):
            file.write(
                b"From a@b.nz Fri Oct 30 01:05:34 2026\nFrom: p%d@b%d.example\nSubject: %d\n\nHello %d\n\n"
                % (n, n, n, n)
            )
    return path


def test_an_import_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    site, box = Site(tmp_path), mbox(tmp_path / "all.mbox", 400)
    broken = subprocess.Popen(
        [*COMMAND, "receive", str(box)],
        env=site.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pipesize=4096,  # bytes: it waits for us after some lines, however late we are
        # Whoever runs us in the background may have switched Ctrl-C off, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert broken.stdout is not None and broken.stderr is not None
    broken.stdout.readline()
    broken.send_signal(signal.SIGINT)
    broken.stdout.read()
    said = broken.stderr.read().decode()
    assert broken.wait(20) == 130
    assert "which are kept. The same command goes on there." in said and "Traceback" not in said
    before = site.say("reconcile")[0]["deliveries"]
    assert 0 < before < 400

    again = site.say("receive", str(box))
    third = site.say("receive", str(box))

    assert len(again) == len(third) == 400
    assert [line["delivery"] for line in again] == [line["delivery"] for line in third]
    counted = site.say("reconcile")[0]
    assert (counted["messages"], counted["deliveries"], counted["waiting"], counted["missing"]) == (400, 400, 0, 0)
    blobs = [p for p in (tmp_path / "var" / "blobs").rglob("*") if p.is_file()]
    assert len(blobs) == 400  # what was known was not written again


def test_json_lines_are_all_that_an_import_prints(tmp_path: Path) -> None:
    site, box = Site(tmp_path), mbox(tmp_path / "all.mbox", 3)

    ended = subprocess.run([*COMMAND, "receive", str(box), "--json"], env=site.environ, capture_output=True, check=True)

    assert len(ended.stdout.splitlines()) == 3
    assert ended.stderr == b""


def test_one_bad_path_among_good_ones_is_said_and_ends_with_65(tmp_path: Path) -> None:
    site, box = Site(tmp_path), mbox(tmp_path / "all.mbox", 3)
    gone = tmp_path / "gone.eml"

    ended = subprocess.run(
        [*COMMAND, "receive", str(gone), str(box)], env=site.environ, capture_output=True, check=False
    )

    assert ended.returncode == 65
    assert ended.stderr.decode() == f"provider-intake: {gone} does not exist.\n"
    assert len(ended.stdout.splitlines()) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_nothing_when_it_is_over_at_once() -> None:
    terminal, log = Terminal(), io.StringIO()
    for out in (terminal, log):
        progress = Progress(1_000, out=out)
        progress.step(10)
        assert out.getvalue() == ""
    shown = Progress(1_000, out=terminal)
    quiet = Progress(1_000, quiet=True, out=terminal)
    time.sleep(0.25)
    shown.step(100)
    quiet.step(100)
    shown.wipe()

    line, _, wiped = terminal.getvalue().partition("\r\x1b[K")[2].partition("\r")
    assert re.fullmatch(r"1 mails, \d a second, about \d s left", line)
    assert wiped == "\x1b[K"
