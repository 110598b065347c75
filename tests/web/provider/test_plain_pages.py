"""The front door, blank forms, and what every page of ours keeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forms.word.blank import MEDIA_TYPE
from tests.support.provider_app import MemoryDesk, provider_app
from tests.support.visitor import Visitor
from tests.web.provider.notice import WHOLE
from tests.web.provider.test_assessment import PROFILE

PAGES = (
    "/",
    "/breach",
    "/assessment",
    "/assessment/about_you",
    "/assessment/devices",
    "/resume",
    "/privacy",
    "/accessibility",
)
STATIC = Path(__file__).parents[3] / "intake" / "web" / "static"


def test_the_front_door_leads_to_the_notice_first(visitor: Visitor) -> None:
    links = visitor.open("/").links
    assert links.index("/breach") < links.index("/assessment") < links.index("/forms/breach-notice@2026.1.pdf")


def test_the_front_door_offers_each_blank_form_as_pdf_and_as_word_file(visitor: Visitor) -> None:
    links = visitor.open("/").links
    for form in ("breach-notice@2026.1", "it-self-assessment@2026.1"):
        assert links.index(f"/forms/{form}.docx") == links.index(f"/forms/{form}.pdf") + 1


@pytest.mark.parametrize("form", ["breach-notice", "it-self-assessment@2026.1"])
def test_blank_forms_come_as_pdf_as_word_file_and_as_schema(visitor: Visitor, form: str) -> None:
    pdf = visitor.client.get(f"/forms/{form}.pdf")
    assert pdf.data.startswith(b"%PDF") and "attachment" in pdf.headers["Content-Disposition"]
    word = visitor.client.get(f"/forms/{form}.docx")
    assert word.data.startswith(b"PK") and word.mimetype == MEDIA_TYPE
    assert re.fullmatch(r'attachment; filename="[a-z-]+-2026\.1\.docx"', word.headers["Content-Disposition"])
    assert visitor.client.get("/forms/nonsense.docx").status_code == 404
    assert visitor.client.get(f"/forms/{form}.json").get_json()["type"] == "object"
    assert visitor.client.get("/forms/nonsense.pdf").status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_pages_carry_no_inline_style_or_script_and_nothing_from_outside(visitor: Visitor, address: str) -> None:
    page = visitor.open(address).response.text
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script>", page)
    loaded = re.findall(r"(?:src|href)=\"(https?:[^\"]+)\"", page)
    assert set(loaded) <= {"https://weather.example/"}, "only the way out leads elsewhere"


@pytest.mark.parametrize("address", PAGES)
def test_a_page_with_its_stylesheet_and_script_is_below_100_kb(visitor: Visitor, address: str) -> None:
    frame = (STATIC / "site.css").stat().st_size + (STATIC / "site.js").stat().st_size
    assert len(visitor.open(address).response.data) + frame < 100_000


def test_the_one_script_is_below_3_kb() -> None:
    assert (STATIC / "site.js").stat().st_size <= 3000
    assert [p.name for p in STATIC.glob("*.js")] == ["site.js"]


def test_every_choice_of_the_notice_offers_i_dont_know(visitor: Visitor) -> None:
    page = visitor.open("/breach").response.text
    groups = re.findall(r'<div class="choices.*?</div>', page, re.DOTALL)
    assert len(groups) == 4
    assert all("I don’t know" in group for group in groups)


def test_every_label_and_description_names_something_that_is_there(desk: MemoryDesk) -> None:
    visitor = Visitor(provider_app(desk).test_client())
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).press("Keep and go on")
    pages = [visitor.response.text, visitor.open("/assessment/devices").press("Keep and go on").response.text]
    visitor.open("/breach").press("Check what you wrote", {})
    pages.append(visitor.response.text)
    visitor.press("Check what you wrote", WHOLE)
    pages += [
        visitor.open(f"/breach/details/{s}").response.text for s in ("detail", "information", "harm", "told", "prevent")
    ]
    for page in pages:
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
        wanted = re.findall(r'\sfor="([^"]+)"', page) + re.findall(r'href="#([^"]+)"', page)
        wanted += " ".join(re.findall(r'aria-describedby="([^"]+)"', page)).split()
        assert not set(wanted) - set(ids)
