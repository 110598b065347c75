"""Mails in files and around files: Outlook's own kinds, S/MIME, PGP. What is in them is worked as if it came as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from intake.adapters.demo.mails import delivered
from intake.adapters.documents.runner import DocumentReader
from intake.config import load as load_settings
from intake.domain.errors import Misconfigured
from intake.wiring import Parts
from tests.scenarios.test_documents import ROOT, TELLS
from tests.scenarios.world import (
    ASSESSMENT,
    BREACH,
    KOWHAI,
    NOW,
    File,
    OutcomeCode,
    World,
    assessment,
    filled,
    notice,
    notice_file,
    passes,
)
from tests.support.wrapped import Attached, encrypted, outlook, outlook_inside, pair, signed, winmail

STAFF = "R. Example <r.example@ministry.example>"
NOTICE = filled(BREACH, notice(KOWHAI, NOW, "A folder was left on a bus."))
CONTENT = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + TELLS.encode() + b"\r\n"


def one_part(world: World, kind: str, content: bytes, name: str, sender: str = "Office <office@trust.org.nz>") -> bytes:
    """A mail that is nothing but one wrapped part, as programs send signed and encrypted mail."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"] = sender, "Our notice"
    mail["Message-ID"] = f"<{name}-{world.sent}@mail.example>"
    main, _, sub = kind.partition("/")
    mail.set_content(content, maintype=main, subtype=sub, filename=name)
    return delivered(mail.as_bytes(), NOW, passes("trust.org.nz"))


# ---- Outlook files ----------------------------------------------------------------------------------------------------


def test_T08_an_outlook_file_from_a_colleague_is_worked_by_its_inner_sender_and_nothing_proves_it(world: World) -> None:
    file = outlook(body="The form is attached.", files=[Attached("breach-notice.pdf", NOTICE, "application/pdf")])
    done = world.send(
        sender=STAFF, subject="FW", body="For you.", files=[File("notice.msg", "application/vnd.ms-outlook", file)]
    )
    case = world.case(done)
    assert case.sender.verdict == "staff_forward"
    assert case.sender.inner is not None
    assert (case.sender.inner.verdict, case.sender.inner.address) == ("unauthenticated", "office@trust.org.nz")
    assert (case.row.provider, case.sender.inner.suggested) == (None, ("kowhai",))
    assert (case.row.kind, case.answers["A01"].value) == ("breach_notice", KOWHAI)
    assert [d.name for d in case.documents] == ["breach-notice.pdf"]
    assert "nothing proves who sent that mail" in world.page(done.cases[0])


def test_T08_a_signature_that_an_outlook_file_claims_to_have_is_worth_nothing(world: World) -> None:
    came = (
        "DKIM-Signature: v=1; a=rsa-sha256; d=trust.org.nz; s=s1; h=from; bh=AA==; b=AA==\r\n"
        "Authentication-Results: mx.ministry.example; dkim=pass header.d=trust.org.nz; dmarc=pass header.from=trust.org.nz\r\n"
        "From: Office <office@trust.org.nz>\r\nSubject: Our notice\r\nMessage-ID: <1@trust.org.nz>\r\n"
    )
    file = File("notice.msg", "application/octet-stream", outlook(header=came, body=TELLS))
    done = world.send(sender=STAFF, subject="FW", body="For you.", files=[file])
    inner = world.case(done).sender.inner
    assert inner is not None
    assert inner.verdict == "unauthenticated"
    assert world.row(done).kind == "breach_notice"


def test_T08_words_in_an_outlook_file_of_a_provider_count_for_the_kind(world: World) -> None:
    file = File("FW our news.msg", "application/vnd.ms-outlook", outlook(subject="Help", html=f"<p>{TELLS}".encode()))
    done = world.send(subject="Hello", body="See the mail.", files=[file])
    assert (world.row(done).kind, world.row(done).provider) == ("breach_notice", "kowhai")
    assert world.case(done).documents == ()


def test_a_form_deep_in_mails_of_all_kinds_is_read_and_can_be_downloaded(world: World) -> None:
    innermost = EmailMessage(policy=SMTP)
    innermost["From"], innermost["Subject"] = "Mere <mere@trust.org.nz>", "Form"
    innermost.set_content("Here it is.")
    innermost.add_attachment(NOTICE, maintype="application", subtype="pdf", filename="notice.pdf")
    eml = Attached("inner.eml", innermost.as_bytes(), "message/rfc822")
    file = outlook(files=[Attached(inside=outlook_inside(subject="Fw", body="And this.", files=[eml]))])
    done = world.send(body="See the mail in the mail.", files=[File("outer.msg", "application/octet-stream", file)])
    case = world.case(done)
    (document,) = case.documents
    assert (document.name, case.answers["A01"].value) == ("notice.pdf", KOWHAI)
    got = world.desk().client.get(f"/case/{done.cases[0]}/document/{document.id}")
    assert (got.status_code, got.data) == (200, NOTICE)


def test_T23_a_damaged_archive_in_a_mail_in_an_outlook_file_is_for_a_person(world: World) -> None:
    archive = Attached("mails.zip", b"PK\x03\x04" + b"\x14\0\0\0\0\0" + b"a.eml" * 20, "application/zip")
    file = File("m.msg", "application/octet-stream", outlook(subject="Privacy breach", files=[archive]))
    done = world.send(subject="Privacy breach", body="", files=[file])
    (document,) = world.case(done).documents
    assert (document.name, document.read.how) == ("mails.zip", "none")
    assert "damaged or not what it says" in world.sentences(done)
    assert world.row(done).kind == "breach_notice"


def test_T23_an_old_office_file_with_macros_that_poses_as_an_outlook_file_is_quarantined(world: World) -> None:
    marks = "".join(("_VBA_PROJECT", "__properties_version1.0")).encode("utf-16-le")
    file = File("notice.msg", "application/vnd.ms-outlook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + marks)
    done = world.send(subject="Privacy breach", body="", files=[file])
    assert "QUARANTINED" in world.row(done).marks


# ---- winmail.dat ------------------------------------------------------------------------------------------------------


def test_T26_a_form_in_a_winmail_dat_is_read_and_the_wrapper_is_no_attachment(world: World) -> None:
    logo = Attached("image001.png", b"\x89PNG\r\n\x1a\n" + bytes(900), "image/png", cid="image001.png@1")
    page = b'<p>Kia ora</p><img src="cid:image001.png@1">'
    file = winmail(html=page, files=[Attached("breach-notice.pdf", NOTICE, "application/pdf"), logo])
    done = world.send(files=[File("winmail.dat", "application/ms-tnef", file)])
    case = world.case(done)
    assert [(d.name, d.path) for d in case.documents] == [("breach-notice.pdf", "2/2")]
    assert (done.outcome, case.answers["A01"].value) == (OutcomeCode.CASE_OPENED, KOWHAI)
    assert not {"UNREADABLE", "NOT_ALL_READ"} & world.codes(done)


def test_T26_a_text_that_stands_only_in_a_winmail_dat_counts(world: World) -> None:
    done = world.arrives(one_part(world, "application/ms-tnef", winmail(body=TELLS), "winmail.dat"))
    assert world.row(done).kind == "breach_notice"
    assert world.case(done).messages[0].text.startswith("We sent a report")


def test_T26_without_the_extra_a_winmail_dat_is_for_a_person_who_is_told_why(world: World) -> None:
    """The extra is left out by a copy of the program in which its name leads nowhere."""
    program = world.folder / "program"
    left = shutil.ignore_patterns("__pycache__", "static", "fonts")
    for folder in ("forms", "intake", "templates"):
        shutil.copytree(ROOT / folder, program / folder, ignore=left)
    (program / "tnefparse.py").write_text("raise ImportError\n")
    mail = world.folder / "mail.eml"
    mail.write_bytes(
        world.mail(subject="Privacy breach", files=[File("winmail.dat", "application/ms-tnef", winmail("Hello"))])
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(program), "INTAKE_DATA_DIR": str(world.folder / "without")}
    run = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())"]
    said = subprocess.run([*run, "receive", str(mail), "--json"], env=env, capture_output=True, check=True, cwd=program)
    line = json.loads(said.stdout)
    assert line["documents"][0]["name"] == "winmail.dat"
    assert "What opens it is not installed here" in line["documents"][0]["problems"][0]["message"]


# ---- S/MIME and PGP ---------------------------------------------------------------------------------------------------


def test_a_mail_with_an_opaque_signature_is_read_and_who_signed_is_not_believed(world: World) -> None:
    done = world.arrives(one_part(world, "application/pkcs7-mime", signed(CONTENT), "smime.p7m", "Eve <eve@gmail.com>"))
    case = world.case(done)
    assert case.row.kind == "breach_notice"
    assert case.documents == ()
    assert case.sender.verdict == "personal_account"
    assert "an S/MIME signature, which we do not check" in world.page(done.cases[0])


def test_a_form_in_a_signed_mail_is_read(world: World) -> None:
    inside = EmailMessage(policy=SMTP)
    inside.set_content("The form is attached.")
    inside.add_attachment(NOTICE, maintype="application", subtype="pdf", filename="notice.pdf")
    done = world.arrives(one_part(world, "application/pkcs7-mime", signed(inside.as_bytes()), "smime.p7m"))
    case = world.case(done)
    assert [(d.name, d.path) for d in case.documents] == [("notice.pdf", "1/2")]
    assert (case.row.provider, case.answers["A01"].value) == ("kowhai", KOWHAI)


def test_a_clear_signature_is_decoration(world: World) -> None:
    signature = File("smime.p7s", "application/pkcs7-signature", b"0\x80 signature")
    done = world.send(files=[notice_file(), signature])
    assert [d.name for d in world.case(done).documents] == ["breach-notice.pdf"]
    assert "UNREADABLE" not in world.codes(done)


def test_an_encrypted_mail_that_we_cannot_open_asks_for_a_call(world: World) -> None:
    done = world.arrives(one_part(world, "application/pkcs7-mime", encrypted(CONTENT), "smime.p7m"))
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert "Ask by phone, or ask for the web form" in world.sentences(done)


@pytest.fixture
def with_key(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, plain_settings=f'smime_files = "{pair().written_to(tmp_path).as_posix()}"\n')
    yield world
    world.close()


def test_an_encrypted_mail_to_our_key_is_opened_and_what_is_signed_in_it_too(with_key: World) -> None:
    inside = (
        b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        + signed(CONTENT)
    )
    others = encrypted(inside, pair("somebody.else@ministry.example"), pair())
    done = with_key.arrives(one_part(with_key, "application/pkcs7-mime", others, "smime.p7m"))
    case = with_key.case(done)
    assert (case.row.kind, case.documents) == ("breach_notice", ())
    assert case.messages[0].text.startswith("We sent a report")
    elsewhere = encrypted(CONTENT, pair("somebody.else@ministry.example"))
    shut = with_key.arrives(one_part(with_key, "application/pkcs7-mime", elsewhere, "other.p7m"))
    assert "Ask by phone" in with_key.sentences(shut)


def test_a_key_that_does_not_fit_stops_with_a_sentence(tmp_path: Path) -> None:
    one, other = pair(), pair("somebody.else@ministry.example")
    mixed = tmp_path / "mixed.pem"
    key = other.written_to(tmp_path).read_bytes()
    mixed.write_bytes(
        one.written_to(tmp_path).read_bytes().partition(b"-----BEGIN PRIV")[0] + key[key.index(b"-----BEGIN PRIV") :]
    )
    with pytest.raises(Misconfigured, match="not the RSA key of its certificate"):
        _ = Parts(load_settings({"INTAKE_SMIME_FILES": str(mixed), "INTAKE_DATA_DIR": str(tmp_path)})).documents
    with pytest.raises(Misconfigured, match="not a PEM file with a certificate"):
        load_settings({"INTAKE_SMIME_FILES": str(tmp_path / "none.pem")})


def test_a_pgp_mail_is_for_a_person_and_its_control_part_is_decoration(world: World) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"], mail["Message-ID"] = (
        "Office <office@trust.org.nz>",
        "Our notice",
        "<pgp@mail.example>",
    )
    mail.make_mixed()
    mail.add_attachment(b"Version: 1\r\n", maintype="application", subtype="pgp-encrypted")
    mail.add_attachment(
        b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", maintype="application", subtype="octet-stream", filename="encrypted.asc"
    )  # fmt: skip
    raw = mail.as_bytes().replace(b"multipart/mixed", b'multipart/encrypted; protocol="application/pgp-encrypted"')
    done = world.arrives(delivered(raw, NOW, passes("trust.org.nz")))
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert [d.name for d in world.case(done).documents] == ["encrypted.asc"]
    assert "Ask by phone, or ask for the web form" in world.sentences(done)


def test_an_automatic_answer_with_an_encrypted_file_is_shown_to_a_person(world: World) -> None:
    raw = one_part(world, "application/pkcs7-mime", encrypted(CONTENT), "smime.p7m")
    done = world.arrives(raw.replace(b"Subject: ", b"Auto-Submitted: auto-replied\r\nSubject: ", 1))
    assert world.row(done).verdict == "automatic"


# ---- two forms, whatever is around them -------------------------------------------------------------------------------


def test_T11_a_notice_in_an_outlook_file_beside_an_assessment_makes_two_linked_cases_the_notice_first(
    world: World,
) -> None:
    file = outlook(files=[Attached("notice.pdf", NOTICE, "application/pdf")])
    form = File("self-assessment.pdf", "application/pdf", filled(ASSESSMENT, assessment(KOWHAI)))
    done = world.send(files=[form, File("notice.msg", "application/octet-stream", file)])
    assert [world.view(r).row.kind for r in done.cases] == ["breach_notice", "self_assessment"]
    assert world.case(done).linked == (done.cases[1],)


def test_a_wrapper_that_breaks_takes_nothing_from_the_form_beside_it(world: World, reader: DocumentReader) -> None:
    broken = [
        File("a.msg", "application/octet-stream", outlook(body=TELLS)[:3_000]),
        File("smime.p7m", "application/pkcs7-mime", b"0\x84\xff\xff\xff\xff"),
    ]
    done = world.send(files=[*broken, notice_file()])
    case = world.case(done)
    assert case.answers["A01"].value == KOWHAI
    assert sorted(d.name for d in case.documents) == ["a.msg", "breach-notice.pdf", "smime.p7m"]
    assert "damaged or not what it says" in world.sentences(done)
