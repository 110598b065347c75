"""Outlook files, winmail.dat and S/MIME: what the child takes out of them, and what it says when it cannot."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.x509 import SubjectKeyIdentifier

from intake.adapters.documents.keys import MailKeys
from intake.adapters.documents.runner import DocumentReader
from intake.domain.envelope import open_envelope
from intake.domain.model import Envelope
from intake.domain.wrappers import MSG, SMIME, TNEF
from tests.documents.wrapper_bombs import CBC, COMPRESSED_OID, DATA_OID, ENVELOPED_OID, SIGNED_OID
from tests.support.wrapped import (
    Attached,
    Pair,
    element,
    encrypted,
    in_pieces,
    outlook,
    outlook_inside,
    pair,
    signed,
    winmail,
)

CONTENT = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "K\u014drero. ".encode() * 400
OAEP_OID, PKCS1_OID = bytes.fromhex("06092a864886f70d010107"), bytes.fromhex("06092a864886f70d010101")
SHA256_OID, AUTH_OID = bytes.fromhex("0609608648016503040201"), bytes.fromhex("060b2a864886f70d0109100117")
GCM_OID = bytes.fromhex("0609608648016503040106")


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentReader]:
    with DocumentReader(keys=MailKeys([str(pair().written_to(tmp_path_factory.mktemp("keys")))])) as made:
        yield made


def held(reader: DocumentReader, kind: str, content: bytes, name: str = "file") -> Envelope:
    got = reader.unpack(kind, name, content)
    assert got.problem is None
    return open_envelope(got.mail)


def refused(reader: DocumentReader, kind: str, content: bytes) -> str:
    got = reader.unpack(kind, "file", content)
    assert got.mail == b""
    assert got.problem is not None
    return got.problem.code


# ---- Outlook files ----------------------------------------------------------------------------------------------------


def test_an_outlook_file_is_read_with_its_sender_its_texts_and_its_files(reader: DocumentReader) -> None:
    files = [Attached("Pānui – form.pdf", b"%PDF" * 3_000, "application/pdf"), Attached("a.txt", b"", "text/plain")]
    made = outlook(
        sender="Mere Tē", subject="Tēnā koe", body="Kōrero", html=b"<p>K\xf4rero", code_page=28591, files=files
    )
    opened = held(reader, MSG, made)

    assert (opened.from_display, opened.from_address, opened.from_problem) == ("Mere Tē", "office@trust.org.nz", "")
    assert (opened.subject, opened.body) == ("Tēnā koe", "Kōrero")
    assert opened.sent_at is not None
    assert [(a.name, a.declared_type, a.content) for a in opened.attachments] == [
        ("Pānui – form.pdf", "application/pdf", b"%PDF" * 3_000),
        ("a.txt", "text/plain", b""),
    ]


def test_the_lines_that_a_mail_came_with_count_and_those_that_vouch_for_it_do_not(reader: DocumentReader) -> None:
    came = (
        "Received: from a by b\r\nAuthentication-Results: x; dmarc=pass\r\nDKIM-Signature: v=1\r\nReturn-Path: <ana@p.org.nz>\r\n"
        "From: =?utf-8?q?Ana_T=C4=93?= <ana@p.org.nz>\r\nSubject: One\r\n two\r\nContent-Type: text/html\r\n"
        "Message-ID: <1@p.org.nz>\r\nReferences: <a@b>\r\n <c@d>\r\nDate: Fri, 20 Nov 2026 10:00:00 +1300\r\n"
    )
    opened = held(reader, MSG, outlook(header=came, body="Kia ora"))

    assert (opened.from_display, opened.from_address, opened.subject) == ("Ana Tē", "ana@p.org.nz", "One two")
    assert (opened.message_id, opened.references, opened.body) == ("<1@p.org.nz>", ("<a@b>", "<c@d>"), "Kia ora")
    names = {name.lower() for name, _ in opened.headers}
    assert not names & {"authentication-results", "dkim-signature", "received"}


@pytest.mark.parametrize("address", ["/O=EXCHANGELABS/CN=RECIPIENTS/CN=MERE", "", "a@b.nz>\r\nBcc: x@y.nz", "a b@c.nz"])
def test_an_address_that_is_none_leaves_no_sender(reader: DocumentReader, address: str) -> None:
    opened = held(reader, MSG, outlook(address=address, body="Kia ora"))

    assert opened.from_address is None
    assert {name for name, _ in opened.headers} <= {"From", "Subject", "Date", "MIME-Version", "Content-Type"}


def test_texts_in_a_code_page_are_read_and_a_wrong_letter_costs_no_more_than_itself(reader: DocumentReader) -> None:
    narrow = held(reader, MSG, outlook(subject="Да", body="Привет", sender="И", narrow="cp1251", code_page=1251))
    page = held(reader, MSG, outlook(html=b"<p>caf\xe9 \x81 x", code_page=932))

    assert (narrow.subject, narrow.from_display, narrow.body) == ("Да", "И", "Привет")
    assert "caf" in page.body


def test_mails_in_an_outlook_file_are_mails_inside(reader: DocumentReader) -> None:
    deep = outlook_inside(subject="Three", sender="C", address="c@x.nz", body="deep")
    inside = outlook_inside(subject="Two", sender="B", address="b@x.nz", files=[Attached(inside=deep)])
    opened = held(reader, MSG, outlook(files=[Attached(inside=inside), Attached("m.eml", b"From: d@x.nz\r\n\r\nhi")]))
    found = [(i.path, open_envelope(i.raw, alone=True)) for i in opened.inner]

    assert [(path, m.from_address, m.subject) for path, m in found] == [
        ("2", "b@x.nz", "Two"),
        ("3", "d@x.nz", ""),
        ("2/2", "c@x.nz", "Three"),
    ]


def test_what_cannot_be_taken_out_of_an_outlook_file_is_said(reader: DocumentReader) -> None:
    got = reader.unpack(
        MSG, "m.msg", outlook(rtf=b"LZFu", files=[Attached("far away", how=7), Attached("object", how=6)])
    )

    assert got.problem is None
    assert len(got.notes) == 3
    assert all(note.endswith(".") for note in got.notes)


def test_a_signed_mail_that_outlook_saved_is_read(reader: DocumentReader) -> None:
    whole = b'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n\r\nKia ora\r\n--b--\r\n'
    files = [Attached("smime.p7m", whole, "multipart/signed")]
    opened = held(reader, MSG, outlook(kind="IPM.Note.SMIME.MultipartSigned", files=files))

    assert opened.body == "Kia ora"


def test_a_name_in_a_wrapper_writes_no_header(reader: DocumentReader) -> None:
    name = 'a"\r\nBcc: x@y.nz\r\n\r\n--b\x00.pdf'
    files = [Attached(name, b"%PDF", "application/pdf\r\nX-A: b", cid="c>\r\nX-B: d")]
    opened = held(reader, MSG, outlook(subject="Hi\r\nBcc: x@y.nz", files=files))

    assert (opened.subject, len(opened.attachments)) == ("Hi  Bcc: x@y.nz", 1)
    assert opened.attachments[0].declared_type == "application/octet-stream"
    assert not [n for n, _ in opened.headers if n in ("Bcc", "X-A", "X-B")]


# ---- winmail.dat ------------------------------------------------------------------------------------------------------


def test_a_winmail_dat_is_read_with_its_texts_and_files(reader: DocumentReader) -> None:
    logo = Attached("logo.png", b"\x89PNG" + bytes(900), "image/png", cid="1@x")
    deep = winmail("deep words", [Attached("b.pdf", b"%PDF")])
    files = [Attached("Pānui.pdf", b"%PDF" * 900, "application/pdf"), logo, Attached("m", inside=deep)]
    opened = held(reader, TNEF, winmail("Kōrero", files, html=b'<p>K<img src="cid:1@x">'))

    assert opened.body == "Kōrero"
    assert [(a.name, a.inline, len(a.content)) for a in opened.attachments] == [
        ("Pānui.pdf", False, 3_600),
        ("logo.png", True, 904),
    ]
    (inner,) = opened.inner
    assert open_envelope(inner.raw).body == "deep words"


@pytest.mark.parametrize(
    "content",
    [b"\x78\x9f\x3e\x22", struct.pack("<IH", 0x223E9F78, 1) + b"\x02" + bytes(40), b"\x78\x9f\x3e\x22" + b"\xff" * 400],
    ids=["nothing", "a file before there is one", "noise"],
)
def test_a_winmail_dat_that_holds_nothing_is_no_error(reader: DocumentReader, content: bytes) -> None:
    got = reader.unpack(TNEF, "winmail.dat", content)

    assert got.problem is None or got.problem.code == "wrapper_damaged"
    assert held(reader, TNEF, winmail("next")).body == "next"


# ---- S/MIME: signed ---------------------------------------------------------------------------------------------------


def test_what_is_signed_is_taken_out_as_it_was_signed(reader: DocumentReader) -> None:
    whole = signed(CONTENT)
    pem = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(whole) + b"-----END PKCS7-----\n"

    for form in (whole, in_pieces(whole, CONTENT), pem, pem.partition(b"\n")[2].partition(b"-----")[0]):
        got = reader.unpack(SMIME, "smime.p7m", form)
        assert got.mail == CONTENT
        assert got.notes == ("It carries an S/MIME signature, which we do not check.",)


def test_a_file_that_was_signed_on_its_own_is_an_attachment(reader: DocumentReader) -> None:
    (found,) = held(reader, SMIME, signed(b"%PDF-1.7 form"), "form.pdf.p7m").attachments

    assert (found.name, found.content) == ("form.pdf", b"%PDF-1.7 form")


def test_a_compressed_part_is_read(reader: DocumentReader) -> None:
    packed = element(0x30, DATA_OID + element(0xA0, element(0x04, zlib.compress(CONTENT))))
    made = element(
        0x30, COMPRESSED_OID + element(0xA0, element(0x30, b"\x02\x01\x00" + element(0x30, PKCS1_OID) + packed))
    )

    assert reader.unpack(SMIME, "smime.p7m", made).mail == CONTENT


@pytest.mark.parametrize("cut", [1, 2, 10, 30, 60, 500, 2_000])
def test_a_signed_part_that_is_cut_is_damaged(reader: DocumentReader, cut: int) -> None:
    assert refused(reader, SMIME, signed(CONTENT)[:cut]) == "wrapper_damaged"


def test_no_single_wrong_byte_does_more_than_damage_a_part(reader: DocumentReader) -> None:
    whole = signed(CONTENT)
    for place in range(0, 90):
        for byte in (0x00, 0x80, 0xFF):
            got = reader.unpack(SMIME, "smime.p7m", whole[:place] + bytes([byte]) + whole[place + 1 :])
            assert got.problem is None or got.problem.code in ("wrapper_damaged", "encrypted_mail")
    assert reader.unpack(SMIME, "smime.p7m", whole).mail == CONTENT


# ---- S/MIME: encrypted ------------------------------------------------------------------------------------------------


def enveloped(who: Pair, named: str, how: str, cipher: str = "cbc") -> bytes:
    """EnvelopedData of many kinds, written here: one recipient by `named`, its key encrypted by `how`."""
    key, start = bytes(range(16)), bytes(16)
    public = who.key.public_key()
    serial = who.certificate.serial_number
    number = element(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
    rid = element(0x30, who.certificate.issuer.public_bytes() + number)
    if named == "key":
        rid = element(0x80, SubjectKeyIdentifier.from_public_key(public).digest)
    digest = element(0x30, SHA256_OID)
    ways = {
        "pkcs1": (PKCS1v15(), element(0x30, PKCS1_OID + b"\x05\x00")),
        "oaep": (OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None), element(0x30, OAEP_OID + element(0x30, b""))),
        "oaep256": (
            OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None),
            element(0x30, OAEP_OID + element(0x30, element(0xA0, digest))),
        ),
    }
    padding_, algorithm = ways[how]
    one = element(0x30, b"\x02\x01\x00" + rid + algorithm + element(0x04, public.encrypt(key, padding_)))
    if cipher == "gcm":
        closed = AESGCM(key).encrypt(start[:12], CONTENT, None)
        parameters = element(0x30, GCM_OID + element(0x30, element(0x04, start[:12]) + b"\x02\x01\x10"))
        held_ = element(0x30, DATA_OID + parameters + element(0x80, closed[:-16])) + element(0x04, closed[-16:])
        return element(0x30, AUTH_OID + element(0xA0, element(0x30, b"\x02\x01\x00" + element(0x31, one) + held_)))
    padder = padding.PKCS7(128).padder()
    closing = Cipher(AES(key), modes.CBC(start)).encryptor()
    closed = closing.update(padder.update(CONTENT) + padder.finalize()) + closing.finalize()
    held_ = element(0x30, DATA_OID + element(0x30, CBC + element(0x04, start)) + element(0x80, closed))
    return element(0x30, ENVELOPED_OID + element(0xA0, element(0x30, b"\x02\x01\x00" + element(0x31, one) + held_)))


@pytest.mark.parametrize("cipher", ["cbc", "gcm"])
@pytest.mark.parametrize("how", ["pkcs1", "oaep", "oaep256"])
@pytest.mark.parametrize("named", ["issuer", "key"])
def test_a_mail_that_is_encrypted_to_our_key_is_opened(
    keyed: DocumentReader, named: str, how: str, cipher: str
) -> None:
    assert keyed.unpack(SMIME, "smime.p7m", enveloped(pair(), named, how, cipher)).mail == CONTENT


def test_a_mail_that_a_library_encrypted_for_several_is_opened(keyed: DocumentReader) -> None:
    assert keyed.unpack(SMIME, "smime.p7m", encrypted(CONTENT, pair("x"), pair())).mail == CONTENT


def test_a_mail_for_somebody_else_and_one_that_was_changed_stay_closed(
    keyed: DocumentReader, reader: DocumentReader
) -> None:
    for_us = enveloped(pair(), "issuer", "pkcs1", "gcm")

    assert refused(keyed, SMIME, encrypted(CONTENT, pair("x"))) == "encrypted_mail"
    assert refused(reader, SMIME, for_us) == "encrypted_mail"
    assert refused(keyed, SMIME, for_us[:-1] + bytes([for_us[-1] ^ 1])) == "wrapper_damaged"


def test_a_private_key_never_stands_in_the_memory_that_children_are_forked_from(keyed: DocumentReader) -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("looks at memory through /proc")
    assert keyed.unpack(SMIME, "smime.p7m", encrypted(CONTENT)).mail == CONTENT
    secret = pair().key.private_numbers().p.to_bytes(128, "big")
    assert _holds("self", secret)
    children = [c for t in Path("/proc/self/task").iterdir() for c in (t / "children").read_text().split()]
    readers = [c for c in children if b"documents.warm" in Path(f"/proc/{c}/cmdline").read_bytes()]
    assert readers
    for child in readers:
        assert not _holds(child, secret)


def _holds(process: str, secret: bytes) -> bool:
    """Whether the bytes stand in the memory of a process, in either order."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            start, end = (int(n, 16) for n in where.split("-"))
            if "r" not in rights or "[v" in line:
                continue
            memory.seek(start)
            content = memory.read(end - start)
            if secret in content or secret[::-1] in content:
                return True
    return False


# ---- shares -----------------------------------------------------------------------------------------------------------


def test_a_wrapper_that_comes_after_the_time_of_its_message_stays_closed(reader: DocumentReader) -> None:
    got = reader.unpack(SMIME, "smime.p7m", signed(CONTENT), spent=reader.limits.message_cpu_seconds)

    assert got.problem is not None
    assert got.problem.code == "not_all_read"


def test_a_signature_that_stands_alone_holds_nothing_and_misses_nothing(reader: DocumentReader) -> None:
    alone = element(0x30, DATA_OID)
    made = element(0x30, b"\x02\x01\x01" + element(0x31, b"") + alone)
    opened = held(reader, SMIME, element(0x30, SIGNED_OID + element(0xA0, made)))

    assert (opened.body, opened.attachments) == ("", ())
