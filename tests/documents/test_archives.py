"""Zip archives: their files are those of the mail, and none can cost more than any other file."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from intake.adapters.documents.runner import DocumentReader
from intake.domain.envelope import open_envelope
from intake.domain.wrappers import ZIP
from tests.documents.bombs import zipped


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def held(reader: DocumentReader, content: bytes) -> dict[str, bytes]:
    got = reader.unpack(ZIP, "breach.zip", content)
    assert got.problem is None
    return {a.name: a.content for a in open_envelope(got.mail).attachments}


def refused(reader: DocumentReader, content: bytes) -> str:
    got = reader.unpack(ZIP, "breach.zip", content)
    assert got.mail == b"" and got.problem is not None
    return got.problem.code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_the_files_of_an_archive_are_taken_out_byte_for_byte(reader: DocumentReader, method: int) -> None:
    binary = bytes(range(256)) * 50 + b"\r\n--boundary--\r\n"
    assert held(reader, packed(("a.bin", binary), ("b.txt", b"Kia ora"), method=method)) == {
        "a.bin": binary,
        "b.txt": b"Kia ora",
    }


def test_a_name_is_its_last_part_and_keeps_its_macrons(reader: DocumentReader) -> None:
    assert set(held(reader, packed(("../../etc/Pānui.txt", b"1"), ("C:\\forms\\two.txt", b"2")))) == {
        "Pānui.txt",
        "two.txt",
    }


def test_utf8_names_that_do_not_say_so_are_read(reader: DocumentReader) -> None:
    raw = packed(("Whaanui-x.txt", b"1")).replace(b"Whaanui-x.txt", "Wh\u0101nui-x.txt".encode())
    assert list(held(reader, raw)) == ["Whānui-x.txt"]


def test_what_a_mac_or_windows_adds_is_left_away(reader: DocumentReader) -> None:
    assert set(
        held(reader, packed(("__MACOSX/._a.pdf", b"x"), ("f/.DS_Store", b"x"), ("Thumbs.db", b"x"), ("a.pdf", b"y")))
    ) == {"a.pdf"}


def test_a_mail_in_an_archive_is_a_mail_inside(reader: DocumentReader) -> None:
    got = reader.unpack(ZIP, "z.zip", packed(("note.eml", b"From: a@b.nz\r\nSubject: Hei\r\n\r\nKia ora\r\n")))
    (inner,) = open_envelope(got.mail).inner
    assert open_envelope(inner.raw).subject == "Hei"


def test_more_files_than_are_read_are_said(reader: DocumentReader) -> None:
    got = reader.unpack(ZIP, "z.zip", packed(*((f"{n}.txt", b"x") for n in range(61))))
    assert len(open_envelope(got.mail).attachments) == 60
    assert any("not read" in note for note in got.notes)


def test_an_archive_that_needs_a_password_says_so(reader: DocumentReader) -> None:
    assert (
        refused(
            reader,
            packed(("a.txt", b"x")).replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        )
        == "encrypted"
    )


@pytest.mark.parametrize("name", ["[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"])
def test_the_shell_of_one_document_is_no_archive(reader: DocumentReader, name: str) -> None:
    assert refused(reader, zipped("first.txt", name)) == "one_document"


def test_T25_an_archive_that_swells_is_given_up_soon_and_the_next_is_read(reader: DocumentReader) -> None:
    begun = time.monotonic()
    assert refused(reader, packed(("zeros", bytes(400_000_000)))) == "too_large"
    assert refused(reader, packed(*((f"{n}", bytes(2_000_000)) for n in range(30)))) == "too_large"
    assert time.monotonic() - begun < 10
    assert held(reader, packed(("a", b"b"))) == {"a": b"b"}


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_damaged_archive_says_so(reader: DocumentReader, cut: float) -> None:
    whole = packed(("a.txt", b"x" * 500), ("b.txt", b"y" * 500), method=zipfile.ZIP_STORED)
    assert refused(reader, whole[: int(len(whole) * cut)]) == "wrapper_damaged"


def test_a_file_whose_sum_is_wrong_is_left_out_and_said(reader: DocumentReader) -> None:
    raw = packed(("a.txt", b"x" * 500), ("b.txt", b"y" * 500), method=zipfile.ZIP_STORED).replace(
        b"y" * 500, b"z" * 500
    )
    got = reader.unpack(ZIP, "z.zip", raw)
    assert [a.name for a in open_envelope(got.mail).attachments] == ["a.txt"]
    assert any("not read" in note for note in got.notes)


def test_an_empty_archive_holds_nothing(reader: DocumentReader) -> None:
    assert held(reader, packed()) == {}
