"""What a file is, told by its first bytes."""

from __future__ import annotations

import pytest

from intake.adapters.documents.sniff import sniff
from tests.documents.bombs import zipped

OPEN_TEXT = b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.textPK"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\n\n junk before %PDF-1.4", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n123", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"II*\x00", "image/tiff"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"{\\rtf1", "application/rtf"),
        (b"<html><body>", "text/html"),
        (b"Kia ora", "text/plain"),
        (b"\x01\x00\x02", "application/octet-stream"),
        (zipped("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (zipped("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (zipped("Index/Document.iwa"), "application/vnd.apple.pages"),
        (zipped("letter.txt"), "application/zip"),
        (OPEN_TEXT, "application/vnd.oasis.opendocument.text"),
        (OPEN_TEXT.replace(b"text", b"spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
        (OLE + "WordDocument".encode("utf-16-le"), "application/msword"),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, media_type: str) -> None:
    kind = sniff("form.pdf", content)
    assert kind.media_type == media_type and not kind.quarantine


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("form.pdf", b"MZ\x90\x00"),
        ("form.pdf", b"\x7fELF"),
        ("form", b"#!/bin/sh"),
        ("form.zip", zipped("form.pdf", locked=True)),
        ("form.docm", zipped("word/document.xml", "word/vbaProject.bin")),
        ("form.docx", zipped("word/document.xml", "word/vbaProject.bin")),
        ("form.doc", OLE + "Macros".encode("utf-16-le")),
        ("form.xlsx", OLE + "EncryptedPackage".encode("utf-16-le")),
        ("form.7z", b"7z\xbc\xaf\x27\x1c"),
        ("form.rar", b"Rar!\x1a\x07\x00"),
        ("form.pdf.js", b"var a = 1"),
        ("form.PDF.EXE ", b"hello"),
        ("form.lnk", b"L\x00\x00\x00\x01\x14\x02\x00"),
    ],
)
def test_T23_what_can_run_or_hides_its_contents_is_kept_apart(name: str, content: bytes) -> None:
    assert sniff(name, content).quarantine


def test_a_harmless_name_does_not_make_a_file_harmless() -> None:
    assert sniff("holiday.jpg", b"MZ\x90").quarantine
    assert sniff("holiday.jpg", b"%PDF-1.7").media_type == "application/pdf"
