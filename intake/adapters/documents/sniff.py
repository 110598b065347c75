"""What a file is, by its first bytes and never by what it calls itself. Runs in the parent: looks, decodes nothing.

A name can only make things worse: a text that is called `.js` would run when somebody double-clicks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PDF = "application/pdf"
OCTETS = "application/octet-stream"
OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
DOCX, XLSX = OFFICE + "wordprocessingml.document", OFFICE + "spreadsheetml.sheet"
ODT, ODS = OPEN + "text", OPEN + "spreadsheet"
DOC, XLS, RTF = "application/msword", "application/vnd.ms-excel", "application/rtf"
TEXTS_AND_SHEETS = frozenset({DOCX, XLSX, ODT, ODS, DOC, XLS, RTF})
ZIP_ENTRIES = 2000  # local headers that are looked at

STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "a picture"),
    (b"\xff\xd8\xff", "image/jpeg", "a picture"),
    (b"GIF8", "image/gif", "a picture"),
    (b"II*\x00", "image/tiff", "a picture"),
    (b"MM\x00*", "image/tiff", "a picture"),
    (b"BM", "image/bmp", "a picture"),
    (b"{\\rtf", RTF, "a Word (RTF) document"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef", "a winmail.dat file"),
)
RUNS: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"#!", "text/x-script"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b", "application/gzip"),
    (b"ITSF", "application/vnd.ms-htmlhelp"),
)
RUNS_BY_NAME = re.compile(
    r"\.(exe|com|scr|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msp|jar|lnk|url|cpl|reg|iso|img|vhdx?|"
    r"docm|dotm|xlsm|xltm|xlam|pptm|potm|xll|appx|one|chm|scf|inf|apk|dmg|pkg|sh)[\s.]*$",
    re.IGNORECASE,
)
HEIC = (b"heic", b"heix", b"mif1", b"heim", b"hevc", b"avif")


@dataclass(frozen=True, slots=True)
class Kind:
    media_type: str
    what: str  # for people: "a picture", "a Word document"
    quarantine: bool = False
    locked: bool = False  # a password is needed to open it


def sniff(name: str, content: bytes) -> Kind:
    """The kind of a file. Cheap: searches a few byte strings, whatever the size."""
    kind = _by_content(content)
    if not kind.quarantine and RUNS_BY_NAME.search(name):
        return Kind(kind.media_type, "a program or script by its name", quarantine=True)
    return kind


def _by_content(content: bytes) -> Kind:
    head = content[:1024]
    if b"%PDF-" in head:
        return Kind(PDF, "a PDF")
    for start, media_type in RUNS:
        if head.startswith(start):
            return Kind(media_type, "a program or a packed file", quarantine=True)
    for start, media_type, what in STARTS:
        if head.startswith(start):
            return Kind(media_type, what)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(content)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC:
        return Kind("image/heic", "a picture")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind("image/webp", "a picture")
    return _text(head)


def _text(head: bytes) -> Kind:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return Kind("text/html", "a web page")
    if start.startswith((b"<?xml", b"<svg")):
        return Kind("application/xml", "an XML file")
    if b"\x00" not in head:
        return Kind("text/plain", "a text file")
    return Kind(OCTETS, "of a kind that we do not know")


def _zip(content: bytes) -> Kind:
    if _locked_zip(content):
        return Kind("application/zip", "a locked archive", quarantine=True, locked=True)
    if b"vbaProject.bin" in content or b"Basic/script-lb.xml" in content:
        return Kind("application/zip", "a document with macros", quarantine=True)
    start = content[:200]
    for mark, media_type, what in OPEN_DOCUMENTS:
        if b"mimetype" + mark in start:
            return Kind(media_type, what)
    for mark, media_type, what in ZIPPED:
        if mark in content:
            return Kind(media_type, what)
    return Kind("application/zip", "an archive")


ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"word/document.xml", DOCX, "a Word document"),
    (b"xl/workbook", XLSX, "an Excel workbook"),
    (b"ppt/presentation.xml", OFFICE + "presentationml.presentation", "a PowerPoint file"),
    (b"Index/Document.iwa", "application/vnd.apple.pages", "an Apple Pages or Numbers file"),
)
OPEN_DOCUMENTS = tuple(
    (f"{OPEN}{kind}".encode(), f"{OPEN}{kind}".rstrip("."), what)
    for kind, what in (
        ("text", "a LibreOffice or OpenDocument text"),
        ("spreadsheet", "an OpenDocument spreadsheet"),
        ("presentation", "an OpenDocument presentation"),
        ("", "an OpenDocument file"),
    )
)


def _locked_zip(content: bytes) -> bool:
    """Whether a local header says that its entry is encrypted (bit 0 of its flags)."""
    at = 0
    for _ in range(ZIP_ENTRIES):
        at = content.find(b"PK\x03\x04", at)
        if at < 0 or at + 8 > len(content):
            return False
        if content[at + 6] & 1:
            return True
        at += 4
    return False


def _ole(content: bytes) -> Kind:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Kind("application/x-ole-storage", "a locked Office file", quarantine=True, locked=True)
    if "_VBA_PROJECT".encode("utf-16-le") in content or "Macros".encode("utf-16-le") in content:
        return Kind("application/x-ole-storage", "an old Office file with macros", quarantine=True)
    if "WordDocument".encode("utf-16-le") in content:
        return Kind(DOC, "an old Word document")
    if "Workbook".encode("utf-16-le") in content:
        return Kind(XLS, "an old Excel workbook")
    if "__substg1.0_".encode("utf-16-le") in content:
        return Kind("application/vnd.ms-outlook", "an Outlook message")
    return Kind("application/x-ole-storage", "an old Office file")
