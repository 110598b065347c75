"""Macrons, dashes and curly quotes, typed by the engines that people have, stay on the page when it is printed flat."""

from __future__ import annotations

import random
import unicodedata

import pytest

from forms import load
from forms.canonical import flat
from forms.pdf.blank import issued
from forms.pdf.stamp import fill
from intake.adapters.documents.layout import field_question
from tests.pdf.programs import FLATTENERS, Values, by_chrome_engine, by_pdfjs, texts_in_boxes
from tests.support.random_answers import random_answers

NOTICE = load.form("breach-notice")
LETTERS = "Ā ā Ē ē Ī ī Ō ō Ū ū – “Te” ‘Whare’ é ü ʻ €"
TYPED: Values = {
    "A01": "Te Whare Āwhina o Ōtautahi – “P”",
    "A02": "Mere Tūhoe-Pōtiki",
    "A06": f"{LETTERS}\nHe kōrero anō: it’s gone, whānau rang twice and asked us to ring back before noon on Thursday.",
    "A07": "yes",
    "A08.about": True,
    "B08.health": True,
    "B16.threats": "already",
    "B24": "<12m",
    "B15-more": "Ngā mihi ki a koutou katoa – kua kōrero mātou",
}


def fits(name: str, value: object) -> bool:
    """Whether a text of one line is no wider than its box; of several lines the answers fit by the way they are made."""
    kept = issued(NOTICE)
    question = field_question(NOTICE, name)
    box = kept.named()[name][0]
    if not isinstance(value, str) or box.code or question is None or question.lines > 1:
        return True
    left, _, right, _ = box.rect
    return sum(kept.widths[kept.codes.get(c, 0x3F)] for c in value) / 100 <= right - left - 6


def shown_wrong(filled: bytes, values: Values, flattener: str) -> list[tuple[str, str]]:
    """Text fields whose printed text, without blanks, is not their value."""
    shown = texts_in_boxes(FLATTENERS[flattener](filled), NOTICE)
    codes = {b.name for b in issued(NOTICE).boxes if b.code}
    wrong = []
    for name, value in values.items():
        if isinstance(value, str) and name not in codes:
            question = field_question(NOTICE, name)
            assert question is not None
            wanted = {"".join(unicodedata.normalize("NFC", value).split())}
            if shown[name] not in wanted:
                wrong.append((value, shown[name]))
    return wrong


@pytest.mark.parametrize("flattener", FLATTENERS)
def test_macrons_typed_into_chromes_engine_are_printed(flattener: str) -> None:
    assert shown_wrong(by_chrome_engine(NOTICE, TYPED), TYPED, flattener) == []


@pytest.mark.parametrize("flattener", FLATTENERS)
def test_macrons_typed_into_firefoxs_engine_are_printed(flattener: str) -> None:
    assert shown_wrong(by_pdfjs(NOTICE, [TYPED])[0], TYPED, flattener) == []


@pytest.mark.parametrize("flattener", FLATTENERS)
def test_macrons_that_we_stamp_are_printed(flattener: str) -> None:
    assert shown_wrong(fill(NOTICE, TYPED), TYPED, flattener) == []


def test_random_answers_typed_into_chromes_engine_are_printed() -> None:
    rng = random.Random(41)
    for _ in range(6):
        given = flat(NOTICE, random_answers(NOTICE, rng))
        values = {name: value for name, value in given.items() if fits(name, value)}
        assert len(values) > len(given) * 0.9
        assert shown_wrong(by_chrome_engine(NOTICE, values), values, "pdfium") == []
