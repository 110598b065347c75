"""Wrappers: files of a mail that hold a mail, or the rest of the mail that they came with. Told by their look; opened elsewhere.

An Outlook file (.msg) is a mail of its own, as a nested message/rfc822 is. A winmail.dat and an S/MIME part (smime.p7m) hold the
text and the files of the very mail that carries them, so what is found in them counts as that mail's. So do the files of a zip archive.
"""

from __future__ import annotations

from dataclasses import replace

from intake.domain.mime import Limits
from intake.domain.model import Attachment, Envelope, Inner

MSG, TNEF, SMIME, ZIP = "msg", "tnef", "smime", "zip"

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROPERTIES = "__properties_version1.0".encode("utf-16-le")  # the one stream that every Outlook file has
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_NAME_SIZE, _NAME = 26, 30  # places in the header of a zip's first file (APPNOTE.TXT 4.3.7)
# What the first file of a zip is called that is one document: Office, OpenDocument, Apple, Java.
_ONE_DOCUMENT = (
    b"[Content_Types].xml",
    b"_rels/",
    b"docProps/",
    b"word/",
    b"xl/",
    b"ppt/",
    b"mimetype",
    b"Index/",
    b"META-INF/",
)
_TNEF = b"\x78\x9f\x3e\x22"
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PGP = b"-----BEGIN PGP MESSAGE-----"
NOTHING_PROVES = "It holds an Outlook file of a mail: nothing proves who sent that mail."
LOCKED = "It is encrypted, and we have no key that opens it. Ask by phone, or ask for the web form."
TOO_DEEP = "It lies deeper inside other files than we open, so it was not opened. A person opens it."
NOT_ALL_READ = "There were more files than we read at once. A person looks at this one."
ENCRYPTED = "A part of its text is encrypted (PGP) and was not read. Ask by phone, or ask for the web form."


def wrapper(attachment: Attachment) -> str:
    """Which wrapper an attachment is: MSG, TNEF, SMIME, ZIP, or "" for none."""
    content = attachment.content
    if content.startswith(_OLE):
        return MSG if _PROPERTIES in content else ""
    if content.startswith(_TNEF):
        return TNEF
    if content.startswith(_ZIP):
        return "" if _one_document(content) else ZIP
    signed = attachment.declared_type in _SMIME or attachment.name.lower().endswith(".p7m")
    return SMIME if signed and content else ""


def _one_document(content: bytes) -> bool:
    size = int.from_bytes(content[_NAME_SIZE:_NAME], "little")
    return content[_NAME : _NAME + size].startswith(_ONE_DOCUMENT)


def is_pgp(attachment: Attachment) -> bool:
    return attachment.content[:200].lstrip().startswith(_PGP)


def without(mail: Envelope, path: str) -> Envelope:
    """The mail without the attachment at `path`: what it held is told in its place."""
    return replace(mail, attachments=tuple(a for a in mail.attachments if a.path != path))


def unwrapped(mail: Envelope, path: str, inside: Envelope) -> Envelope:
    """The mail with what its wrapper at `path` held in the wrapper's place. inside: what the wrapper held, opened on its own.

    Headers stay those of the mail. A text that stands in both counts once: Outlook writes it beside a winmail.dat and into it.
    """
    here = f"{path}/"
    files = tuple(replace(a, path=here + a.path) for a in inside.attachments)
    mails = tuple(Inner(here + i.path, i.raw) for i in inside.inner)
    at = next((n for n, a in enumerate(mail.attachments) if a.path == path), len(mail.attachments))
    return replace(
        mail,
        body=_both(mail.body, inside.body),
        attachments=(*mail.attachments[:at], *files, *mail.attachments[at + 1 :]),
        inner=(*mail.inner, *mails),
        notes=tuple(dict.fromkeys((*mail.notes, *inside.notes))),
    )


def _both(outer: str, inner: str) -> str:
    if " ".join(inner.split()) in " ".join(outer.split()):
        return outer
    return f"{outer}\n\n{inner}"[: Limits().body] if outer.strip() else inner
