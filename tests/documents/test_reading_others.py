"""Files that are not a form of ours: each says what it is and who does what next."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from forms import load
from forms.pdf.blank import blank
from forms.pdf.stamp import fill
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.runner import DocumentReader
from tests.documents import bombs
from tests.documents.test_reading_forms import read_one
from tests.pdf.programs import need

NOTICE = load.form("breach-notice")


def codes(reader: DocumentReader, content: bytes, name: str = "form.pdf") -> list[str]:
    return [p.code for p in read_one(reader, content, name).problems]


def letter(text: str = "Kia ora. We write to tell you of something that happened last week.") -> bytes:
    return bombs.one_page(b"BT /F 12 Tf 60 700 Td (" + text.encode() + b") Tj ET")


def test_T16_a_locked_pdf_asks_for_its_password_by_phone(reader: DocumentReader) -> None:
    read = read_one(reader, bombs.locked(blank(NOTICE)))
    assert (read.how, read.form, read.quarantined) == ("none", None, False)
    assert [p.code for p in read.problems] == ["encrypted"]
    assert "by phone, never by mail" in read.problems[0].message


def test_T23_a_locked_archive_and_a_macro_file_are_quarantined_unopened(reader: DocumentReader) -> None:
    archive, macros = reader.read(
        [
            ("breach.zip", bombs.zipped("breach.pdf", locked=True)),
            ("breach.docm", bombs.zipped("word/document.xml", "word/vbaProject.bin")),
        ]
    )
    assert archive.quarantined and [p.code for p in archive.problems] == ["quarantined", "encrypted"]
    assert macros.quarantined and [p.code for p in macros.problems] == ["quarantined"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("form.pages", bombs.zipped("Index/Document.iwa"), "an Apple Pages"),
        ("photo.jpg", b"\xff\xd8\xff\xe0 picture", "a picture"),
        ("forms.zip", bombs.zipped("form.pdf"), "an archive"),
        ("notes.txt", b"Kia ora", "a text file"),
    ],
)
def test_T19_a_kind_that_is_not_read_yet_says_so(reader: DocumentReader, name: str, content: bytes, said: str) -> None:
    read = read_one(reader, content, name)
    assert (read.how, read.name) == ("none", name)
    assert [p.code for p in read.problems] == ["not_read_yet"] and said in read.problems[0].message


def test_an_empty_file_and_a_damaged_one_are_asked_for_again(reader: DocumentReader) -> None:
    assert codes(reader, b"") == ["empty"]
    assert codes(reader, b"%PDF-1.7 and then nothing of the kind") == ["corrupt"]
    assert codes(reader, blank(NOTICE)[:3000]) == ["corrupt"]


def test_a_pdf_of_somebody_else_is_for_a_person(reader: DocumentReader) -> None:
    read = read_one(reader, letter())
    assert (read.how, read.form, read.pages) == ("none", None, 1)
    assert [p.code for p in read.problems] == ["not_our_form"]


def test_T15_of_pages_that_are_pictures_the_marks_are_read_and_the_words_never_guessed(reader: DocumentReader) -> None:
    need("pdftoppm")
    read = read_one(reader, scanned(fill(NOTICE, {"A01": "Te Whare", "A07": "yes"})))
    assert (read.how, {q: a.value for q, a in read.answers.items()}) == ("ocr", {"A07": "yes"})
    assert [p.code for p in read.problems] == ["marks_only", "missing_pages"]
    assert (read.form, read.edition) == ("breach-notice", "2026.1")  # its printed code says which form it is


def test_a_picture_of_something_else_names_no_form(reader: DocumentReader) -> None:
    read = read_one(reader, bombs.one_page(b"0 0 1 rg 50 50 300 300 re f"))
    assert ([p.code for p in read.problems], read.form) == (["no_text_layer"], None)


def scanned(content: bytes) -> bytes:
    """The first page as a picture in a PDF."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as work:
        source = Path(work) / "in.pdf"
        source.write_bytes(content)
        subprocess.run(
            ["pdftoppm", "-r", "150", "-l", "1", "-png", str(source), str(Path(work) / "page")], check=True, timeout=60
        )
        page = next(Path(work).glob("page*.png"))
        out = io.BytesIO()
        Image.open(page).convert("L").save(out, "PDF", resolution=150)
    return out.getvalue()


def test_a_form_that_can_be_filled_but_is_not_ours_gives_no_answers(reader: DocumentReader) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        field = Dictionary(FT=Name.Tx, T=String("A01"), V=String("Te Whare"))
        pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]))
        out = io.BytesIO()
        pdf.save(out)
    read = read_one(reader, out.getvalue())
    assert (read.how, read.form, dict(read.answers)) == ("acroform", None, {})
    assert [p.code for p in read.problems] == ["foreign_form"]


def renamed(kind: str, edition: str) -> bytes:
    """Our form with other hidden names. They are a stranger's words: they choose a map and nothing else."""
    with pikepdf.open(io.BytesIO(fill(NOTICE, {"A01": "Te Whare"}))) as pdf:
        for node in pdf.Root.AcroForm.Fields:
            if str(node.T) in ("_form", "_edition"):
                node.V = String(kind if str(node.T) == "_form" else edition)
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "edition"),
    [("breach-notice", "1999.1"), ("../../etc", "passwd"), ("breach-notice", "*"), ("x" * 9000, "1")],
)
def test_an_edition_that_we_do_not_have_is_for_a_person(reader: DocumentReader, kind: str, edition: str) -> None:
    read = read_one(reader, renamed(kind, edition))
    assert (read.how, read.form, dict(read.answers)) == ("acroform", None, {})
    assert [p.code for p in read.problems] == ["unknown_edition"]


def test_something_that_can_run_is_flagged_and_the_form_is_read_all_the_same(reader: DocumentReader) -> None:
    filled = fill(NOTICE, {"A01": "Te Whare"})
    for content in (bombs.with_script(filled), bombs.with_file_inside(filled)):
        read = read_one(reader, content)
        assert [p.code for p in read.problems] == ["active_content"]
        assert read.answers["A01"].value == "Te Whare"
    assert "active_content" in codes(reader, bombs.with_escaped_script())
    assert codes(reader, filled) == []


def test_an_xfa_form_is_asked_for_in_another_format(reader: DocumentReader) -> None:
    assert codes(reader, bombs.xfa_only()) == ["xfa_not_read"]


def test_T25_what_is_beyond_the_limits_is_said_and_the_rest_is_read() -> None:
    limits = Limits(size=200_000, documents=3)
    form = fill(NOTICE, {"A01": "Te Whare"})
    with DocumentReader(limits) as reader:
        read = reader.read([("a.pdf", form), ("b.pdf", b"%PDF-" + b"x" * 300_000), ("c.pdf", form), ("d.pdf", form)])
    assert [[p.code for p in r.problems] for r in read] == [[], ["too_large"], [], ["not_all_read"]]
    assert [r.name for r in read] == ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]


def test_suggestions_from_somebody_elses_form_are_for_a_person(reader: DocumentReader) -> None:
    content = bombs.one_page(
        b"BT /F 12 Tf 60 700 Td (Organisation: Kia Manaaki Trust) Tj 0 -20 Td (Your name: Mere Smith) Tj "
        b"0 -20 Td (What happened?) Tj 0 -16 Td (A letter went to the wrong house and was opened.) Tj ET"
    )
    found = reader.suggestions(content, NOTICE.name)
    by_question = {str(s["question"]): s for s in found}
    assert by_question["A01"]["text"] == "Kia Manaaki Trust"
    assert by_question["A02"]["text"] == "Mere Smith"
    assert by_question["A06"]["text"] == "A letter went to the wrong house and was opened."
    for one in found:
        assert one["page"] == 1 and 0 < float(str(one["confidence"])) <= 0.7
        assert isinstance(one["box"], list) and len(one["box"]) == 4


def test_suggestions_from_a_file_that_cannot_be_read_are_none(reader: DocumentReader) -> None:
    assert reader.suggestions(b"%PDF-1.7 nothing", NOTICE.name) == ()


def test_what_the_page_shows_is_compared_inside_the_child(reader: DocumentReader) -> None:
    from tests.pdf.programs import by_pikepdf

    assert reader.compare_shown(fill(NOTICE, {"A02": "Mere"}), NOTICE.name) == ()
    found = reader.compare_shown(by_pikepdf(NOTICE, {"A02": "Mere"}), NOTICE.name)
    assert [(p.id, p.code) for p in found] == [("A02", "shown_differs")]
