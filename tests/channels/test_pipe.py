"""Mails from the command line."""

from __future__ import annotations

import io
import mailbox as standard
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from intake.adapters.pipe import arrivals
from intake.domain.errors import CannotRead
from intake.domain.model import Arrival

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
        b"From a@b.nz nonsense\nSubject: two\n\nbody\n"
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


def test_the_progress_of_a_long_import_is_told(tmp_path: Path, mail: MakeMail) -> None:
    for number in range(5):
        (tmp_path / f"{number}.eml").write_bytes(mail(number))
    told: list[int] = []

    list(arrivals([str(tmp_path)], "default", lambda: NOW, told.append))

    assert told == [1, 2, 3, 4, 5]
