"""The Word face: made again the same, every field a content control, and what a screen reader needs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from forms import load
from forms.pdf.plan import Control, plan
from forms.schema import Form
from forms.word.blank import blank, fill
from forms.word.controls import LONGEST_NAME
from forms.word.markup import W14, W
from tests.pdf.try_out import FORM as TRY_OUT

FORMS = (*load.forms(), TRY_OUT)
EDITIONS = pytest.mark.parametrize("form", FORMS, ids=[f.name for f in FORMS])
NOTICE = load.form("breach-notice")
ROOT = Path(__file__).parents[2]
NS = {"w": W, "w14": W14}


def part(content: bytes, name: str = "word/document.xml") -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return etree.fromstring(packed.read(name))


def values(root: etree._Element, path: str) -> list[str]:
    return [str(v) for v in root.xpath(path, namespaces=NS)]


@EDITIONS
def test_the_same_edition_gives_the_same_bytes(form: Form) -> None:
    assert fill(form, {}) == fill(form, {}) == blank(form)
    with zipfile.ZipFile(io.BytesIO(blank(form))) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(2026, 1, 1, 0, 0, 0)}


@EDITIONS
def test_every_field_of_the_fillable_pdf_is_a_control_with_its_name_as_tag(form: Form) -> None:
    tags = values(part(blank(form)), "//w:sdt/w:sdtPr/w:tag/@w:val")
    assert tags == list(dict.fromkeys(f.name for f in plan(form).fields))


@EDITIONS
def test_tags_and_titles_are_no_longer_than_word_takes_and_numbers_are_given_once(form: Form) -> None:
    content = blank(form)
    for kind in ("tag", "alias"):
        assert max(map(len, values(part(content), f"//w:{kind}/@w:val"))) <= LONGEST_NAME
    numbers = values(part(content), "//w:sdtPr/w:id/@w:val") + values(
        part(content, "word/footer1.xml"), "//w:sdtPr/w:id/@w:val"
    )
    assert len(numbers) == len(set(numbers))


@EDITIONS
def test_choices_are_lists_of_codes_and_labels_that_differ_and_begin_with_nothing(form: Form) -> None:
    root = part(blank(form))
    lists = root.xpath("//w:dropDownList", namespaces=NS)
    for found in lists:
        codes, labels = values(found, "w:listItem/@w:value"), values(found, "w:listItem/@w:displayText")
        assert codes[0] == "" and len(set(codes)) == len(codes) and len(set(labels)) == len(labels)
    single = {f.name for f in plan(form).fields if f.control in (Control.RADIO, Control.DROP_DOWN)}
    assert len(lists) == len(single)


def test_what_is_written_stands_in_its_control() -> None:
    root = part(fill(NOTICE, {"A01": "Ō & <co>", "A06": "one\ntwo", "A07": "yes", "B08.health": True, "nowhere": "x"}))
    inside = {str(s.xpath("string(w:sdtPr/w:tag/@w:val)", namespaces=NS)): s for s in root.iter(f"{{{W}}}sdt")}
    assert values(inside["A01"], "w:sdtContent//w:t/text()") == ["Ō & <co>"]
    assert values(inside["A06"], "w:sdtContent//w:t/text()") == ["one", "two"]
    assert len(inside["A06"].findall(f".//{{{W}}}br")) == 1
    assert values(inside["A07"], "w:sdtContent//w:t/text()") == ["Yes"]
    assert values(inside["B08.health"], ".//w14:checked/@w14:val") == ["1"]
    assert values(inside["B08.child"], ".//w14:checked/@w14:val") == ["0"]
    assert [len(inside[name].findall(f".//{{{W}}}showingPlcHdr")) for name in ("A01", "A02")] == [0, 1]


@EDITIONS
def test_the_file_names_its_form_twice(form: Form) -> None:
    content = blank(form)
    said = part(content, "docProps/custom.xml")
    assert {p.get("name"): p[0].text for p in said} == {"_form": form.kind, "_edition": form.edition}
    foot = part(content, "word/footer1.xml")
    assert values(foot, "//w:sdt/w:sdtPr/w:tag/@w:val") == ["_form", "_edition"]
    assert set(values(foot, "//w:lock/@w:val")) == {"sdtContentLocked"}


@EDITIONS
def test_headings_go_down_step_by_step_and_tables_mark_their_head(form: Form) -> None:
    root = part(blank(form))
    levels = [int(v[-1]) for v in values(root, "//w:pStyle/@w:val") if re.fullmatch(r"Heading[1-4]", v)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert root.xpath("count(//w:tbl) = count(//w:tbl/w:tr[1]/w:trPr/w:tblHeader)", namespaces=NS)


@EDITIONS
def test_title_and_language_are_set_and_every_style_that_is_used_is_there(form: Form) -> None:
    content = blank(form)
    core = part(content, "docProps/core.xml")
    assert core.findtext("{http://purl.org/dc/elements/1.1/}title") == form.title
    styles = part(content, "word/styles.xml")
    assert values(styles, "//w:rPrDefault//w:lang/@w:val") == ["en-NZ"]
    used = set(values(part(content), "//w:pStyle/@w:val | //w:rStyle/@w:val | //w:tblStyle/@w:val"))
    assert used <= set(values(styles, "//w:style/@w:styleId"))


def test_a_breach_notice_says_at_the_top_what_to_do_in_danger() -> None:
    text = "".join(part(blank(NOTICE)).itertext())
    assert "If somebody is in danger, call 111 now." in text[:700]
    assert "If somebody is in danger" not in "".join(part(blank(load.form("it-self-assessment"))).itertext())


def test_the_command_writes_the_word_file(tmp_path: Path) -> None:
    target = tmp_path / "form.docx"
    run = [sys.executable, "-c", "import sys; from intake.cli import main; sys.exit(main())"]
    ended = subprocess.run([*run, "form", "docx", "breach-notice@2026.1", "-o", str(target)], cwd=ROOT, check=False)
    assert ended.returncode == 0
    assert target.read_bytes() == blank(NOTICE)
