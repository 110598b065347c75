"""Office files: ours give answers by the names of their fields, others words for suggestions, and none of them costs much."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from forms import load
from forms.canonical import encode, flat
from forms.pdf.stamp import stamp
from forms.schema import Answers, Form
from forms.word.blank import blank, fill, filled
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.office import read_office, suggest_office
from intake.adapters.documents.old_word import doc_text, rtf_text
from intake.adapters.documents.pdf import read_pdf
from intake.adapters.documents.runner import DocumentReader
from intake.adapters.documents.sniff import DOC, DOCX, ODS, ODT, RTF, XLS, XLSX, sniff
from intake.domain.model import ReadDocument
from tests.documents import office_files as made
from tests.documents.office_bombs import BOMBS, GOOD
from tests.support.random_answers import random_answers

FORMS = load.forms()
NOTICE = load.form("breach-notice")
ASSESSMENT = load.form("it-self-assessment")
EDITIONS = pytest.mark.parametrize("form", FORMS, ids=[f.name for f in FORMS])
SETS = int(os.environ.get("INTAKE_FORM_SETS_WORD", "60"))  # random answer sets in all
LIMITS = Limits()
RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def read(content: bytes, media_type: str = "") -> ReadDocument:
    return read_office(media_type or sniff("", content).media_type, content, LIMITS)


def answers(document: ReadDocument) -> Answers:
    return {question: answer.value for question, answer in document.answers.items()}


def codes(document: ReadDocument) -> list[str]:
    return [p.code for p in document.problems]


def suggested(content: bytes, form: Form = NOTICE, media_type: str = "") -> dict[str, str]:
    rows = suggest_office(media_type or sniff("", content).media_type, content, form, LIMITS)
    for row in rows:
        assert set(row) == {"question", "text", "page", "box", "confidence"}
        assert row["page"] is None and row["box"] is None and 0 < float(str(row["confidence"])) <= 0.7
    return {str(row["question"]): str(row["text"]) for row in rows}


def sets(form: Form, seed: str, count: int) -> Iterator[Answers]:
    rng = random.Random(f"{seed} {form.name}")
    return (random_answers(form, rng) for _ in range(max(1, count // len(FORMS))))


# ---- our Word file ----------------------------------------------------------------------------------------------------


@EDITIONS
def test_a_word_file_is_read_as_it_was_answered(form: Form) -> None:
    for given in sets(form, "word", SETS):
        document = read(filled(form, given))
        assert (document.how, document.form, document.edition) == ("docx", form.kind, form.edition)
        assert encode(answers(document)) == encode(given)
        assert codes(document) == [] and {a.confidence for a in document.answers.values()} == {1.0}


@EDITIONS
def test_a_word_file_gives_the_answers_that_a_fillable_pdf_gives(form: Form) -> None:
    for given in sets(form, "two faces", SETS // 6):
        assert encode(answers(read(filled(form, given)))) == encode(answers(read_pdf(stamp(form, given), LIMITS)))


@EDITIONS
def test_a_word_file_that_another_program_saved_is_read_while_it_keeps_the_controls(form: Form) -> None:
    for given in sets(form, "saved", 4):
        document = read(made.as_another_program_saves_it(filled(form, given)))
        assert encode(answers(document)) == encode(given)
        assert codes(document) == []


@EDITIONS
def test_a_text_of_libreoffice_is_read_by_its_controls(form: Form) -> None:
    for given in sets(form, "odt", 6):
        document = read(made.odt(form, flat(form, given)))
        assert (document.how, document.form, document.edition) == ("odt", form.kind, form.edition)
        assert encode(answers(document)) == encode(given)
        assert codes(document) == []


def test_an_empty_word_file_is_our_form_without_answers() -> None:
    document = read(blank(NOTICE))
    assert (document.how, document.form, answers(document), codes(document)) == ("docx", "breach-notice", {}, [])


def test_the_name_of_the_form_is_found_in_either_of_its_two_places() -> None:
    for content in (
        made.without(GOOD, "docProps/custom.xml"),
        made.changed(GOOD, lambda text: "<w:ftr/>".replace("/", f' xmlns:w="{made.W}"/'), "word/footer1.xml"),
    ):
        assert answers(read(content)) == {"A01": "Te Whare"}


def test_two_names_that_differ_are_both_not_believed() -> None:
    document = read(made.replaced(GOOD, ">breach-notice<", ">it-self-assessment<", "docProps/custom.xml"))
    assert (document.form, answers(document), codes(document)) == (None, {}, ["unknown_edition"])


@pytest.mark.parametrize("edition", ["1999.1", "../../etc", "x" * 9000])
def test_an_edition_that_we_do_not_have_is_for_a_person(edition: str) -> None:
    content = made.without(made.replaced(GOOD, ">2026.1<", f">{edition}<", "word/footer1.xml"), "docProps/custom.xml")
    document = read(content)
    assert (document.how, document.form, answers(document), codes(document)) == ("docx", None, {}, ["unknown_edition"])


def test_words_are_read_as_they_stand_whatever_runs_and_paragraphs_they_are_cut_into() -> None:
    cut = "<w:r><w:t>Te </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>Whare</w:t></w:r>"
    assert answers(read(made.inside(NOTICE, "A01", cut))) == {"A01": "Te Whare"}
    several = "<w:p><w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r></w:p><w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>"
    assert answers(read(made.inside(NOTICE, "A06", several))) == {"A06": "one\ntwo\na\tb"}


def test_deleted_and_hidden_words_are_no_part_of_an_answer_and_inserted_ones_are() -> None:
    kept = (
        '<w:r><w:t xml:space="preserve">We </w:t></w:r><w:del w:id="1"><w:r><w:delText>lost</w:delText></w:r></w:del>'
        '<w:ins w:id="2"><w:r><w:t>found</w:t></w:r></w:ins><w:moveFrom w:id="3"><w:r><w:t>moved</w:t></w:r></w:moveFrom>'
        '<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r><w:r><w:t xml:space="preserve"> it</w:t></w:r>'
    )
    document = read(made.inside(NOTICE, "A06", kept))
    assert (answers(document), codes(document)) == ({"A06": "We found it"}, ["tracked_changes"])


def test_the_deleted_end_of_a_paragraph_makes_one_line_of_two() -> None:
    gone = '<w:pPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr>'
    two = f"<w:p>{gone}<w:r><w:t>one</w:t></w:r></w:p><w:p><w:r><w:t> line</w:t></w:r></w:p>"
    assert answers(read(made.inside(NOTICE, "A06", two))) == {"A06": "one line"}


def test_controls_inside_a_control_keep_their_own_words() -> None:
    inner = (
        '<w:sdt><w:sdtPr><w:tag w:val="A02"/></w:sdtPr><w:sdtContent><w:r><w:t>Mere</w:t></w:r></w:sdtContent></w:sdt>'
    )
    nameless = "<w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t>Whare</w:t></w:r></w:sdtContent></w:sdt>"
    document = read(made.inside(NOTICE, "A01", f'<w:r><w:t xml:space="preserve">Te </w:t></w:r>{nameless}{inner}'))
    assert answers(document) == {"A01": "Te Whare", "A02": "Mere"}


def test_an_invitation_is_no_answer_even_when_a_program_forgot_that_it_is_one() -> None:
    assert answers(read(made.changed(blank(NOTICE), lambda text: text.replace("<w:showingPlcHdr/>", "")))) == {}


def test_words_that_are_none_of_the_choices_are_not_guessed_at() -> None:
    content = made.replaced(fill(NOTICE, {"A07": "yes"}), '<w:t xml:space="preserve">Yes</w:t>', "<w:t>Perhaps</w:t>")
    document = read(content)
    assert (answers(document), codes(document)) == ({}, ["unknown_choice"])


def test_the_words_of_a_choice_count_and_not_a_code_that_was_put_behind_them() -> None:
    swapped = made.changed(
        fill(NOTICE, {"A07": "no"}),
        lambda text: text.replace('displayText="No" w:value="no"', 'displayText="No" w:value="yes"', 1),
    )
    assert answers(read(swapped)) == {"A07": "no"}


def test_a_box_whose_mark_says_something_else_than_its_state_is_said() -> None:
    document = read(made.changed(fill(NOTICE, {"B08.health": True}), lambda text: text.replace("☒", "☐")))
    assert answers(document) == {"B08": ["health"]}
    assert [(p.id, p.code) for p in document.problems] == [("B08.health", "shown_differs")]


def test_the_same_field_answered_in_two_ways_is_asked_about() -> None:
    again = '<w:sdt><w:sdtPr><w:tag w:val="A01"/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:sdtContent></w:sdt></w:body>'
    assert answers(read(made.replaced(GOOD, "</w:body>", again.format("Te Whare")))) == {"A01": "Te Whare"}
    document = read(made.replaced(GOOD, "</w:body>", again.format("Another")))
    assert (answers(document), [(p.id, p.code) for p in document.problems]) == ({}, [("A01", "unreadable")])


def test_words_and_pictures_beside_the_boxes_are_said() -> None:
    for beside in (made.lines("We found out on Monday."), "<w:p><w:r><w:drawing/></w:r></w:p>"):
        document = read(made.replaced(GOOD, "</w:body>", f"{beside}</w:body>"))
        assert (answers(document), codes(document)) == ({"A01": "Te Whare"}, ["written_beside"])
    commented = made.packed(made.parts_of(GOOD) | {"word/comments.xml": b"<x/>"})
    assert codes(read(commented)) == ["written_beside"]


def test_boxes_that_a_program_dropped_are_said() -> None:
    all_gone = read(made.without_controls(GOOD))
    assert (all_gone.how, all_gone.form, codes(all_gone)) == ("none", "breach-notice", ["boxes_lost"])
    one_gone = read(made.changed(GOOD, lambda text: text.replace('<w:tag w:val="A02"/>', "")))
    assert (answers(one_gone), codes(one_gone)) == ({"A01": "Te Whare"}, ["boxes_missing"])


def test_rows_that_were_taken_out_of_a_register_are_no_loss() -> None:
    content = made.changed(blank(ASSESSMENT), lambda text: text.replace('w:val="ACC[5].', 'w:val="gone.'))
    assert codes(read(content)) == []


@pytest.mark.parametrize(
    "content",
    [
        made.packed(made.parts_of(GOOD) | {"word/embeddings/oleObject1.bin": b"x"}),
        made.packed(
            made.parts_of(GOOD)
            | {
                "word/_rels/settings.xml.rels": f'<Relationships {RELATIONS}><Relationship Id="r" Type="{OFFICE}attachedTemplate" '
                'Target="https://evil.example/t.dotm" TargetMode="External"/></Relationships>'.encode()
            }
        ),
        made.packed(
            made.parts_of(GOOD)
            | {
                "word/_rels/x.xml.rels": f'<Relationships {RELATIONS}><Relationship Id="r" Type="{OFFICE}image" '
                'Target="https://evil.example/p.png" TargetMode="External"/></Relationships>'.encode()
            }
        ),
        made.inside(
            NOTICE, "A01", "<w:r><w:instrText>DDEA</w:instrText></w:r><w:r><w:instrText>UTO c:\\x</w:instrText></w:r><w:r><w:t>Te Whare</w:t></w:r>"
        ),
    ],
    ids=["file inside", "template", "picture from outside", "DDE"],
)  # fmt: skip
def test_what_can_open_or_fetch_something_is_flagged_and_the_form_is_read_all_the_same(content: bytes) -> None:
    document = read(content)
    assert (answers(document), codes(document)) == ({"A01": "Te Whare"}, ["active_content"])


def test_a_link_that_somebody_must_press_is_no_such_thing() -> None:
    link = f'<Relationships {RELATIONS}><Relationship Id="r" Type="{OFFICE}hyperlink" Target="https://a.example" TargetMode="External"/></Relationships>'
    assert codes(read(made.packed(made.parts_of(GOOD) | {"word/_rels/x.xml.rels": link.encode()}))) == []


# ---- somebody else's ------------------------------------------------------------------------------------------------

STORY = "A letter went to the wrong house and was opened."
LINES = ("Organisation: Kia Manaaki Trust", "Your name: Mere Smith", "What happened?", STORY)
TOLD = {"A01": "Kia Manaaki Trust", "A02": "Mere Smith", "A06": STORY}


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        (DOCX, made.docx(made.lines(*LINES))),
        (DOCX, made.docx(made.table(*[line.replace("?", "?: ").split(": ", 1) for line in LINES[:2]]) + made.lines(*LINES[2:]))),
        (ODT, made.opened("text", "".join(f"<text:p>{line}</text:p>" for line in LINES))),
        (RTF, ("{\\rtf1\\ansi " + "\\par ".join(LINES) + "}").encode()),
        (DOC, made.doc("\r".join(LINES) + "\r")),
        (XLSX, made.xlsx([["Organisation", "Kia Manaaki Trust"], ["Your name", "Mere Smith"], ["What happened?", STORY]])),
        (XLS, made.xls([["Organisation", "Kia Manaaki Trust"], ["Your name", "Mere Smith"], ["What happened?", STORY]])),
        (ODS, made.ods([["Organisation", "Kia Manaaki Trust"], ["Your name", "Mere Smith"], ["What happened?", STORY]])),
    ],
    ids=["docx", "docx table", "odt", "rtf", "doc", "xlsx", "xls", "ods"],
)  # fmt: skip
def test_somebody_elses_file_gives_suggestions_and_no_answers(media_type: str, content: bytes) -> None:
    assert sniff("", content).media_type == media_type
    document = read(content)
    assert (document.how, document.form, answers(document), codes(document)) == ("none", None, {}, ["not_our_form"])
    found = suggested(content)
    assert {question: found.get(question) for question in TOLD} == TOLD


def test_controls_with_our_names_in_a_file_that_names_no_form_are_suggestions() -> None:
    nameless = made.without(GOOD, "docProps/custom.xml")
    nameless = made.replaced(nameless, 'w:val="_form"', 'w:val="x"', "word/footer1.xml")
    nameless = made.replaced(nameless, 'w:val="_edition"', 'w:val="y"', "word/footer1.xml")
    document = read(nameless)
    assert (answers(document), codes(document)) == ({}, ["not_our_form"])
    assert suggested(nameless)["A01"] == "Te Whare"


def test_a_form_whose_boxes_were_dropped_still_gives_suggestions() -> None:
    given = {"A01": "Te Whare", "A06": "one\ntwo", "A07": "yes", "B08.health": True}
    found = suggested(made.without_controls(fill(NOTICE, given)))
    assert found["A01"] == "Te Whare" and found["A06"] == "one\ntwo" and found["A07"] == "Yes"
    assert "health" in found["B08"].lower() and set(found) == {"A01", "A06", "A07", "B08"}


def test_fields_of_an_opendocument_form_are_read_by_their_names() -> None:
    controls = (
        '<form:form form:name="f"><form:textarea form:name="A06" form:current-value="One letter"/>'
        '<form:checkbox form:name="B08.health" form:current-state="checked"/>'
        '<form:listbox form:name="A07"><form:option form:label="Yes"/>'
        '<form:option form:label="No" form:current-selected="true"/></form:listbox></form:form>'
    )
    body = (
        f"<office:forms>{controls}</office:forms><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:p><text:user-field-get text:name="A01">Te<text:s/>Whare</text:user-field-get></text:p>'
        '<text:p><text:bookmark-start text:name="A02"/>Mere<text:bookmark-end text:name="A02"/></text:p>'
    )
    document = read(made.opened("text", body, made.hidden(NOTICE)))
    assert answers(document) == {"A01": "Te Whare", "A02": "Mere", "A06": "One letter", "A07": "no", "B08": ["health"]}
    assert codes(document) == ["tracked_changes", "boxes_missing"]


# ---- sheets -----------------------------------------------------------------------------------------------------------


@EDITIONS
@pytest.mark.parametrize("kind", [XLSX, XLS, ODS], ids=["xlsx", "xls", "ods"])
def test_a_sheet_whose_rows_begin_with_names_of_fields_is_read(form: Form, kind: str) -> None:
    make = {XLSX: made.xlsx, XLS: made.xls, ODS: made.ods}[kind]
    for given in sets(form, kind, 4):
        rows = made.answers_sheet(form, flat(form, given))
        if kind == ODS:  # a cell with two lines has two paragraphs; only its first line is compared here
            rows = [[cell.replace("\n", " ") for cell in row] for row in rows]
            given = answers(read(made.xlsx(rows)))
        document = read(make(rows))
        assert (document.how, document.form, codes(document)) == ("xlsx", form.kind, [])
        assert encode(answers(document)) == encode(given)


def test_numbers_and_days_of_a_sheet_are_read_as_they_are_meant() -> None:
    from datetime import date, datetime

    rows = [
        ["_form", "breach-notice"],
        ["_edition", "2026.1"],
        ["B10.n", 40],
        ["A08.at", datetime(2026, 11, 22, 20, 10)],
    ]
    rows += [["B19-date", date(2026, 11, 30)]]
    document = read(made.xlsx(rows))
    assert answers(document) == {
        "A08": {"at": "2026-11-22T20:10:00+13:00"}, "B10": {"n": 40}, "B19-date": "2026-11-30",
    }  # fmt: skip


def test_a_sheet_that_names_no_form_gives_suggestions_by_the_names_of_its_rows() -> None:
    content = made.xlsx([["id", "question", "answer"], ["A01", "Organisation", "Te Whare"]])
    assert codes(read(content)) == ["not_our_form"]
    assert suggested(content)["A01"] == "Te Whare"


# ---- old Word ---------------------------------------------------------------------------------------------------------


def test_an_old_word_file_is_read_piece_by_piece_with_the_results_of_its_fields() -> None:
    pieces = ("Name:\x07", "Māori Trust\x07\x07", 'See \x13 HYPERLINK "x" \x14the page\x15.\r', "Next\x0bline")
    assert doc_text(made.doc(*pieces)) == "Name:\tMāori Trust\nSee the page.\nNext\nline"


def test_an_old_word_file_with_objects_in_it_is_flagged() -> None:
    content = made.doc("Kia ora", ObjectPool={"_1": {"Contents": b"x"}})  # type: ignore[arg-type]
    assert codes(read(content)) == ["active_content", "not_our_form"]


def test_rtf_is_read_as_a_person_sees_it() -> None:
    raw = (
        rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}}{\*\generator X;}{\v hidden}M\u257?ori caf\'e9 \{x\}\line two"
        rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}\par a\cell b\cell\row}"
    )
    assert rtf_text(raw) == "Māori café {x}\ntwolink\na\tb\n"
    assert codes(read(rb"{\rtf1{\object\objemb{\*\objdata 0105}}}")) == ["active_content", "not_our_form"]


def test_a_kind_that_nobody_reads_here_says_so() -> None:
    assert codes(read(b"PK", "application/vnd.apple.pages")) == ["not_read_yet"]
    assert suggest_office("application/vnd.apple.pages", b"PK", NOTICE, LIMITS) == []


# ---- what costs much --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as made:
        yield made


@pytest.mark.parametrize(
    ("bomb", "media_type", "wanted"), BOMBS, ids=[f"{make.__name__}-{kind[-4:]}" for make, kind, _ in BOMBS]
)
def test_T25_an_office_file_that_costs_much_ends_within_the_limits(
    reader: DocumentReader, bomb: object, media_type: str, wanted: frozenset[str]
) -> None:
    assert callable(bomb)
    content = bomb()
    read, good = reader.read([("bomb", content), ("good.docx", GOOD)])
    found = set(codes(read))
    assert found & wanted if wanted else not found
    assert (not read.answers or not wanted) and answers(good) == {"A01": "Te Whare"}
    reader.suggestions(content, NOTICE.name)


def test_T19_the_child_reads_and_suggests_from_each_kind_as_it_is_done_here(reader: DocumentReader) -> None:
    for content in (
        GOOD,
        made.odt(NOTICE, {"A01": "Te Whare"}),
        made.xlsx([["_form", "breach-notice"], ["_edition", "2026.1"], ["A01", "Te Whare"]]),
    ):
        (document,) = reader.read([("form", content)])
        assert answers(document) == {"A01": "Te Whare"}
    for content in (made.doc("Organisation: Te Whare\r"), made.xls([["Organisation", "Te Whare"]])):
        (row,) = reader.suggestions(content, NOTICE.name)
        assert (row["question"], row["text"]) == ("A01", "Te Whare")
