"""What comes attached: forms of every age, files that cannot or must not be opened, and mails that are too much."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pikepdf
import pillow_heif
import pypdfium2 as pdfium
import pytest

from forms import load
from forms.canonical import flat as fields_of
from forms.word import blank as word
from intake.adapters.demo.mails import delivered
from intake.adapters.demo.messages import flattened, locked, picture
from intake.domain.drafts import SURE
from tests.documents.office_files import docx, lines
from tests.pdf.programs import by_chrome_engine
from tests.scenarios.world import (
    ASSESSMENT,
    BREACH,
    KOWHAI,
    NOW,
    PDF,
    File,
    OutcomeCode,
    World,
    acknowledged,
    assessment,
    assessment_file,
    filled,
    notice,
    notice_file,
    passes,
    silent,
)

ROOT = Path(__file__).parents[2]
TELLS = "We sent a report about a client to the wrong email address this morning. It has names in it."


def encrypted_zip() -> bytes:
    """A ZIP whose one entry says that it is encrypted; what is in it is noise."""
    name, noise = b"breach.docx", b"\x93\x1f" * 40
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 1, 0, 0, 0, 0, len(noise), len(noise), len(name), 0)
    return head + name + noise


def macro_file() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
        archive.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    return made.getvalue()


def pages_file() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("Index/Document.iwa", b"\0")
    return made.getvalue()


def many_pages(count: int) -> bytes:
    """A PDF whose page tree names one page many times, which looks cheap and is dear to walk."""
    pdf = pikepdf.Pdf.new()
    page = pdf.add_blank_page()
    pdf.Root.Pages.Kids = pikepdf.Array([page.obj] * count)
    pdf.Root.Pages.Count = count
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


# ---- forms of other shapes -----------------------------------------------------------------------


def test_T14_a_photo_of_a_paper_form_is_for_a_person_and_the_clock_runs_from_arrival(world: World) -> None:
    photo = File("IMG_0042.png", "image/png", picture())
    done = world.send(subject="Privacy breach notice, filled in by hand", body=TELLS, files=[photo])
    case = world.case(done)
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert (case.row.kind, case.row.status) == ("breach_notice", "needs_person")
    assert case.answers == {}
    assert case.due.marker_72h is not None
    assert (case.due.marker_72h - case.row.received_at).total_seconds() == 72 * 3600
    assert world.row(done).next_due_what == "first_contact"
    acknowledged(world, done, "office@trust.org.nz", "full", TELLS)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
def test_T14_photos_of_our_form_without_a_word_are_one_notice_with_its_marks_for_a_person(
    world: World, kind: str
) -> None:
    photos = [File(f"IMG_{n}", "image/x", photo_of_page(n, kind)) for n in range(2)]
    done = world.send(subject="Scanned", body="", files=photos)
    case = world.case(done)
    assert (done.outcome, len(done.cases)) == (OutcomeCode.NEEDS_PERSON, 1)
    assert (case.row.kind, case.row.status) == ("breach_notice", "needs_person")
    sent = notice(KOWHAI, NOW, "A folder was left on a bus.")
    assert (
        case.answers and {q: a.value for q, a in case.answers.items() if a.confidence >= SURE}.items() <= sent.items()
    )
    assert "read from a picture" in world.page(done.cases[0])
    assert case.form == "breach-notice"
    assert "pictures of one of our forms" in world.sentences(done)
    assert case.due.first_contact is not None


def photo_of_page(number: int, kind: str) -> bytes:
    document = pdfium.PdfDocument(filled(BREACH, notice(KOWHAI, NOW, "A folder was left on a bus.")))
    document.init_forms()
    image = document[number].render(scale=200 / 72).to_pil().convert("RGB").rotate(2, expand=True, fillcolor="white")
    document.close()
    out = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(out, quality=60)
    else:
        image.save(out, kind, quality=70)
    return out.getvalue()


def test_T15_a_scan_without_a_text_layer_is_never_guessed(world: World) -> None:
    pdf = pikepdf.Pdf.new()
    pdf.add_blank_page()
    scan = io.BytesIO()
    pdf.save(scan)
    done = world.send(subject="Our form", files=[File("scan.pdf", PDF, scan.getvalue())])
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert world.case(done).answers == {}
    assert "UNREADABLE" in world.codes(done)
    assert "person" in world.sentences(done)


def test_T16_a_locked_pdf_opens_its_case_from_the_mail_and_asks_for_the_password_by_phone(world: World) -> None:
    file = File("notice.pdf", PDF, locked(filled(BREACH, notice(KOWHAI, NOW, "A folder was left on a bus."))))
    done = world.send(subject="Privacy breach", body=TELLS, files=[file])
    case = world.case(done)
    assert (case.row.kind, case.row.provider) == ("breach_notice", "kowhai")
    assert "password by phone, never by mail" in world.page(done.cases[0])
    assert world.row(done).next_due_what == "first_contact"
    mail = acknowledged(world, done, "office@trust.org.nz", "full", TELLS)
    assert "send us the password" not in mail.body


def with_edition(pdf: bytes, edition: str) -> bytes:
    """The same form, saying that it is of another edition."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        (field,) = (f for f in opened.Root.AcroForm.Fields if f.get("/T") == "_edition")
        field.V = pikepdf.String(edition)
        out = io.BytesIO()
        opened.save(out)
    return out.getvalue()


def test_T17_a_form_of_an_older_edition_is_read_as_that_edition_and_marked(world: World) -> None:
    """Editions are files: a copy of the program with one more beside the latest, and that command run on a mail."""
    program = world.folder / "program"
    for folder in ("forms", "intake", "templates"):
        shutil.copytree(
            ROOT / folder, program / folder, ignore=shutil.ignore_patterns("__pycache__", "static", "fonts")
        )
    editions = program / "forms" / "editions" / ASSESSMENT
    older = (
        (editions / "2026.1.toml").read_text(encoding="utf-8").replace('edition = "2026.1"', 'edition = "2025.1"', 1)
    )
    (editions / "2025.1.toml").write_text(older, encoding="utf-8")
    mail = world.folder / "old.eml"
    old = with_edition(filled(ASSESSMENT, assessment(KOWHAI)), "2025.1")
    mail.write_bytes(world.mail(files=[File("old.pdf", PDF, old)]))
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(program),
        "INTAKE_DATA_DIR": str(world.folder / "old"),
    }
    run = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())"]
    said = subprocess.run([*run, "receive", str(mail), "--json"], env=env, capture_output=True, check=True, cwd=program)
    line = json.loads(said.stdout)
    (document,) = line["documents"]
    assert "WRONG_VERSION" in line["marks"]
    assert (document["form"], document["edition"], document["how"]) == (ASSESSMENT, "2025.1", "acroform")
    assert {q: a["value"] for q, a in document["answers"].items()} == assessment(KOWHAI)
    assert "Ask only what is new" in " ".join(p["message"] for p in document["problems"])


def test_T17_a_form_of_an_edition_that_we_do_not_have_says_so_and_a_person_reads_it(world: World) -> None:
    unknown = with_edition(filled(ASSESSMENT, assessment(KOWHAI)), "2019.7")
    done = world.send(files=[File("old.pdf", PDF, unknown)])
    case = world.case(done)
    assert "WRONG_VERSION" in world.codes(done)
    assert case.answers == {}
    assert "edition of the form that we do not have" in world.sentences(done)
    assert [d.name for d in case.documents] == ["old.pdf"]
    assert not silent(world, done)


@pytest.mark.parametrize("kind", [BREACH, ASSESSMENT])
def test_T18_our_form_printed_flat_is_read_by_its_boxes_with_a_confidence_each(world: World, kind: str) -> None:
    answers = notice(KOWHAI, NOW, "A folder was left on a bus.") if kind == BREACH else assessment(KOWHAI)
    done = world.send(files=[File("printed.pdf", PDF, flattened(filled(kind, answers)))])
    case = world.case(done)
    assert done.outcome is OutcomeCode.CASE_OPENED
    read = world.answers(done)
    sure = {q for q, a in case.answers.items() if a.confidence >= 0.9}
    assert {q: read[q] for q in sure} == {q: answers[q] for q in sure}
    assert len(sure) > 0.9 * len(answers)
    assert {a.how for a in case.answers.values()} == {"layout"}
    assert all(0 < a.confidence <= 1 and a.box for a in case.answers.values())
    assert "read by its place on the page" in world.page(done.cases[0])


def test_T19_a_pages_file_is_kept_for_a_person_and_acknowledged(world: World) -> None:
    pages = File("form.pages", "application/vnd.apple.pages", pages_file())
    done = world.send(subject="IT self-assessment", body="Zebra stationery attached.", files=[pages])
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert "Apple Pages" in world.sentences(done)
    acknowledged(world, done, "office@trust.org.nz", "full", "Zebra stationery attached.")


@pytest.mark.parametrize("kind", [BREACH, ASSESSMENT])
def test_T19_our_word_form_is_read_by_its_boxes_and_opens_its_case(world: World, kind: str) -> None:
    answers = notice(KOWHAI, NOW, "A folder was left on a bus.") if kind == BREACH else assessment(KOWHAI)
    done = world.send(
        subject="For you", body="", files=[File("form.docx", word.MEDIA_TYPE, word.filled(load.form(kind), answers))]
    )
    assert done.outcome is OutcomeCode.CASE_OPENED
    case = world.case(done)
    assert world.answers(done) == answers
    assert {a.how for a in case.answers.values()} == {"docx"}
    assert "Word form" in world.page(done.cases[0])


def test_T19_a_word_letter_that_is_none_of_our_forms_is_for_a_person(world: World) -> None:
    letter = docx(lines("Organisation: Kowhai", "What happened?", "A folder was left on a bus."))
    done = world.send(
        subject="Privacy breach", body="Please see our letter.", files=[File("letter.docx", word.MEDIA_TYPE, letter)]
    )
    assert done.outcome is OutcomeCode.NEEDS_PERSON
    assert "not one of our forms" in world.sentences(done)


# ---- files that nobody opens ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("breach.zip", encrypted_zip()),
        ("breach.docm", macro_file()),
        ("breach.docx", macro_file()),
        ("breach.exe", b"MZ" + bytes(60)),
        ("breach.pdf.js", b"var a = 1;"),
    ],
    ids=["encrypted zip", "macro file", "macro file by content", "program", "script by name"],
)
def test_T23_a_file_that_can_run_is_quarantined_and_the_case_opens(world: World, name: str, content: bytes) -> None:
    done = world.send(subject="Privacy breach", body="", files=[File(name, "application/octet-stream", content)])
    case = world.case(done)
    assert case.row.kind == "breach_notice"
    (document,) = case.documents
    assert document.read.quarantined
    assert document.read.how == "none"
    assert "UNREADABLE" in world.codes(done)
    assert "QUARANTINED" in world.row(done).marks
    assert "quarantined: open it only when you must" in world.page(done.cases[0])
    assert "Quarantined" in world.desk().open("/queue").words
    assert not silent(world, done)


def archive(*files: File) -> File:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in files:
            opened.writestr(file.name, file.content)
    return File("forms.zip", "application/zip", made.getvalue())


def test_T23_forms_in_archives_are_read_each_makes_its_case_and_the_breach_comes_first(world: World) -> None:
    inside = File("inner.zip", "application/zip", archive(notice_file()).content)
    done = world.send(subject="Forms", body="Two forms.", files=[archive(assessment_file(), inside)])
    assert [world.case(done, n).row.kind for n in (0, 1)] == ["breach_notice", "self_assessment"]
    assert all(d.read.how == "acroform" for d in world.case(done).documents)


def test_T23_a_program_in_an_archive_is_quarantined_and_the_notice_beside_it_is_read(world: World) -> None:
    done = world.send(files=[archive(File("setup.exe", "", b"MZ" + bytes(60)), notice_file())])
    case = world.case(done)
    assert case.row.kind == "breach_notice" and case.answers
    assert [d.read.quarantined for d in case.documents] == [True, False]


def test_T23_an_archive_that_is_damaged_opens_the_case_for_a_person(world: World) -> None:
    cut = archive(notice_file()).content[:2000]
    done = world.send(subject="Privacy breach", body="", files=[File("breach.zip", "application/zip", cut)])
    assert world.case(done).row.kind == "breach_notice"
    assert "UNREADABLE" in world.codes(done)


def test_T24_a_file_with_malware_is_quarantined_and_the_mail_is_worked_from_its_words(world: World) -> None:
    file = File("invoice.pdf.scr", PDF, b"MZ\x90\x00" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE")
    done = world.send(subject="Privacy breach", body=TELLS, files=[file])
    case = world.case(done)
    assert (case.row.kind, case.documents[0].read.quarantined) == ("breach_notice", True)
    assert case.messages[0].text.startswith("We sent a report")
    acknowledged(world, done, "office@trust.org.nz", "full", f"{TELLS} invoice.pdf.scr")


# ---- too much ------------------------------------------------------------------------------------


def test_T25_forty_attachments_are_all_listed_and_the_form_among_them_is_read(world: World) -> None:
    files = [File(f"page{n}.txt", "application/x-page", f"page {n}".encode()) for n in range(39)]
    done = world.send(subject="Privacy breach", files=[*files, notice_file()])
    case = world.case(done)
    assert len(case.documents) == 40
    assert case.answers["A01"].value == KOWHAI


def test_T25_beyond_what_is_read_of_one_mail_the_rest_is_said_to_be_unread(world: World) -> None:
    files = [File(f"page{n}.pdf", PDF, f"%PDF-1.4 page {n}".encode()) for n in range(75)]
    done = world.send(subject="Privacy breach", body=TELLS, files=files)
    assert world.row(done).kind == "breach_notice"
    assert "more files than we read at once" in world.sentences(done)


def test_T25_a_mail_of_forty_megabytes_opens_a_case_from_its_beginning(world: World) -> None:
    big = world.mail(subject="Privacy breach", body=TELLS)
    filler = base64.encodebytes(bytes(30_000_000))
    head, _, _ = big.partition(b"\r\n\r\n")
    mail = EmailMessage(policy=SMTP)
    mail.set_content(TELLS)
    mail.add_attachment(b"placeholder", maintype="application", subtype="octet-stream", filename="big.bin")
    body = mail.as_bytes().replace(base64.encodebytes(b"placeholder").strip(), filler)
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-")))
    done = world.arrives(head + b"\r\n" + body)
    case = world.case(done)
    assert case.raw.size > 36_700_160
    assert (case.row.kind, case.row.provider) == ("breach_notice", "kowhai")
    assert "larger than 35 MB" in world.page(done.cases[0])
    assert "NOT_ALL_READ" in world.codes(done)


def test_T25_a_pdf_of_ten_thousand_pages_delays_nobody(world: World) -> None:
    done = world.send(subject="Privacy breach", body=TELLS, files=[File("long.pdf", PDF, many_pages(10_000))])
    assert world.row(done).kind == "breach_notice"
    after = world.send(files=[notice_file()])
    assert after.outcome is OutcomeCode.CASE_OPENED


# ---- decoration ----------------------------------------------------------------------------------


def tnef() -> bytes:
    """A stream that calls itself TNEF and says in no word how its letters are written: signature, key, and a message class."""
    value = b"IPM.Note\x00"
    attribute = struct.pack("<BII", 1, 0x00078008, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)
    return struct.pack("<IH", 0x223E9F78, 1) + attribute


def with_decoration(world: World) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Office <office@trust.org.nz>"
    mail["To"] = "breach@intake.ministry.example"
    mail["Subject"] = "Privacy breach notice"
    mail["Message-ID"] = "<decorated@mail.example>"
    mail.set_content(TELLS)
    mail.add_alternative(f'<p>{TELLS}</p><img src="cid:logo">', subtype="html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(picture(), "image", "png", cid="<logo>", filename="image001.png", disposition="inline")  # type: ignore[union-attr]
    file = notice_file()
    mail.add_attachment(file.content, maintype="application", subtype="pdf", filename=file.name)
    mail.add_attachment(
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", maintype="text", subtype="calendar", filename="invite.ics"
    )
    return delivered(mail.as_bytes(), NOW, passes("trust.org.nz"))


def test_T26_a_logo_and_an_invitation_are_decoration_and_no_attachments(world: World) -> None:
    done = world.arrives(with_decoration(world))
    case = world.case(done)
    assert [d.name for d in case.documents] == ["breach-notice.pdf"]
    assert case.answers["A01"].value == KOWHAI
    assert "UNREADABLE" not in world.codes(done)


def test_T26_a_winmail_dat_that_does_not_open_is_for_a_person(world: World) -> None:
    done = world.send(subject="Privacy breach", body=TELLS, files=[File("winmail.dat", "application/ms-tnef", tnef())])
    assert world.row(done).kind == "breach_notice"
    assert "damaged or not what it says" in world.sentences(done)
    assert [d.name for d in world.case(done).documents] == ["winmail.dat"]


# ---- and never: one bad file beside a good one ---------------------------------------------------


def test_a_broken_file_beside_a_form_takes_nothing_from_the_form(world: World) -> None:
    done = world.send(files=[File("broken.pdf", PDF, b"%PDF-1.7 oh"), assessment_file(), File("empty.pdf", PDF, b"")])
    case = world.case(done)
    assert case.answers["ORG"].value == KOWHAI
    assert sorted(d.name for d in case.documents) == ["broken.pdf", "empty.pdf", "self-assessment.pdf"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\u202efdp.exe", "x" * 400 + ".pdf", "nul\x00.pdf", "CON", "\u200b.htaccess"]
)
def test_a_hostile_file_name_is_words_on_a_page_and_never_a_path(world: World, name: str) -> None:
    mail = world.mail(files=[assessment_file(name="name-of-the-file.pdf")])
    done = world.arrives(mail.replace(b"name-of-the-file.pdf", name.encode()))
    assert done.cases
    kept = [p for p in world.folder.rglob("*") if p.is_file()]
    assert not [p for p in kept if "htaccess" in p.name or "passwd" in p.name or "xxxx" in p.name or p.name == "CON"]


def test_T25_a_mail_that_was_kept_in_part_opens_a_case_and_none_of_its_cut_files_is_opened(world: World) -> None:
    whole = world.mail(body="A file was sent to the wrong person.", files=[notice_file()])
    line = b"X-Intake-Kept: part; bytes=%d; of=99000000; folder=held\r\n" % len(whole)
    done = world.arrives(line + whole[:60_000])
    case = world.case(done)
    assert case.row.kind == "breach_notice"
    assert [p.code for d in case.documents for p in d.read.problems] == ["too_large"]
    assert "UNREADABLE" in case.row.marks


def test_a_form_whose_name_ends_like_that_of_a_mail_is_read_as_the_form_it_is(world: World) -> None:
    form = notice_file().content
    done = world.send(files=[File("notice.eml", PDF, form)], body="See attached.")
    assert world.row(done).kind == "breach_notice"
    assert world.answers(done)["A01"] == KOWHAI


@pytest.mark.parametrize("flat", [False, True], ids=["fillable", "flat"])
def test_words_that_we_could_not_read_stand_beside_their_question_for_a_person(world: World, flat: bool) -> None:
    answers = fields_of(load.form(BREACH), notice(KOWHAI, world.at, "A folder was left on a bus."))
    pdf = by_chrome_engine(load.form(BREACH), {**answers, "A08.at": "teatime the day before yesterday"})
    done = world.send(files=[File("notice.pdf", PDF, flattened(pdf) if flat else pdf)])
    page = world.page(done.cases[0])
    assert world.row(done).kind == "breach_notice"
    assert "Not understood: teatime the day before yesterday" in " ".join(page.split())


TEATIME, SOME = "teatime the day before yesterday", "rather a lot of them"


def doubly_unread(world: World) -> tuple[str, str]:
    """A case in whose form neither the time nor the number could be read, and its subject line in our answer."""
    answers = fields_of(load.form(BREACH), notice(KOWHAI, world.at, "A folder was left on a bus."))
    pdf = by_chrome_engine(load.form(BREACH), {**answers, "A08.at": TEATIME, "B10.n": SOME})
    done = world.send(files=[File("notice.pdf", PDF, pdf)])
    (acknowledgement,) = world.deliver()
    return done.cases[0], str(acknowledgement["Subject"])


def test_words_that_we_could_not_read_stay_until_somebody_has_looked_at_their_own_question(world: World) -> None:
    reference, _ = doubly_unread(world)
    assert {TEATIME, SOME} == not_understood(world, reference)
    desk = world.desk().open(f"/case/{reference}?fix=A02").press("Keep what I typed: Your name", {"A02": "P. Example"})
    assert {TEATIME, SOME} == not_understood(world, reference)
    desk.open(f"/case/{reference}").press("Cannot be read: How many people", {})
    assert {TEATIME} == not_understood(world, reference)
    desk.open(f"/case/{reference}").press("Keep what I typed: When did you", {"A08.at": "20 11 2026, 8:10 pm"})
    assert not_understood(world, reference) == set()


def test_T09_a_reply_that_answers_something_else_hides_no_words_that_we_could_not_read(world: World) -> None:
    reference, subject = doubly_unread(world)
    reply = world.send(subject=f"Re: {subject}", body="B10.n: 3\n")
    assert reply.cases == (reference,)
    assert {TEATIME} == not_understood(world, reference)


def not_understood(world: World, reference: str) -> set[str]:
    """What the case page gives a person to read who knows more than we do."""
    page = " ".join(world.page(reference).split())
    return {words for words in (TEATIME, SOME) if f"Not understood: {words}" in page}


def test_a_time_that_could_not_be_read_is_open_has_nothing_to_confirm_and_enter_keeps_what_was_typed(
    world: World,
) -> None:
    reference, _ = doubly_unread(world)
    desk = world.desk().open(f"/case/{reference}")
    assert (
        f"Not understood: {TEATIME} · field of the form, page 2" in desk.words
        and "Answers 9 read · 2 to check" in desk.words
    )
    assert "new Zealand" not in desk.words and "When did you find out? (A08)" in desk.words
    buttons = [text for text in desk.buttons if "find out" in text]
    assert [text.partition(":")[0] for text in buttons] == ["Keep what I typed", "Cannot be read"]
