"""The same pages on the real house: desk, pipeline, store and blobs in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from intake import wiring
from intake.config import load
from intake.web.app import create_app
from tests.support.visitor import Visitor
from tests.web.provider.notice import WHOLE
from tests.web.provider.test_assessment import fill_in


@pytest.fixture
def house(tmp_path: Path) -> wiring.Parts:
    return wiring.build(load({"INTAKE_DATA_DIR": str(tmp_path)}))


@pytest.fixture
def visitor(house: wiring.Parts) -> Visitor:
    return Visitor(create_app(house).test_client())


def test_a_notice_becomes_a_case_while_the_person_waits(visitor: Visitor, house: wiring.Parts) -> None:
    visitor.open("/breach").press("Check what you wrote", WHOLE).press("Send it now")
    reference = visitor.title.partition("reference ")[2].split()[0]
    row = house.store.case_row(reference)
    assert row is not None and row.kind == "breach_notice" and row.says_provider == WHOLE["A01"]
    answers = house.store.case_answers(reference)
    assert answers["A06"].value == WHOLE["A06"] and answers["A06"].how == "web"


def test_sending_twice_is_one_case_and_details_go_to_the_same_one(visitor: Visitor, house: wiring.Parts) -> None:
    visitor.open("/breach").press("Check what you wrote", WHOLE)
    sheet = {name: visitor.shown(name)[0] for name in ("csrf_token", "code")}
    first, second = (visitor.client.post("/breach/check", data=sheet).location for _ in range(2))
    assert first == second
    visitor.open(first)
    reference = visitor.title.partition("reference ")[2].split()[0]
    visitor.open(next(h for h in visitor.links if h.startswith("/breach/details")))
    visitor.press("That is all for now", {"B05": "lost_paper"}).press("Send it now")
    assert f"Your reference {reference}" in visitor.words
    assert house.store.case_answers(reference)["B05"].value == "lost_paper"
    assert house.store.case_answers(reference)["A02"].value == "P. Example"
    assert house.store.outcomes()["messages"] == 2


def test_a_self_assessment_of_somebody_unknown_is_held_and_says_so(visitor: Visitor, house: wiring.Parts) -> None:
    fill_in(visitor).press("Send it now")
    reference = visitor.title.partition("reference ")[2].split()[0]
    row = house.store.case_row(reference)
    assert row is not None and row.status == "held"
    assert "We check first that it comes from your organisation." in visitor.words


def test_what_is_not_sent_yet_lies_sealed_on_the_disk(visitor: Visitor, tmp_path: Path) -> None:
    visitor.open("/breach").press("Save and come back later", WHOLE)
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"breach-notice" in kept
    assert b"programme papers" not in kept and b"+64 21 000 0007" not in kept
    assert visitor.open("/breach").shown("A04") == ["+64 21 000 0007"]


def test_the_public_pages_need_no_sign_in_and_carry_the_strict_policy(visitor: Visitor) -> None:
    for address in ("/", "/breach", "/assessment", "/resume", "/privacy", "/accessibility"):
        assert visitor.open(address).status == 200
        assert "default-src 'none'" in visitor.response.headers["Content-Security-Policy"]
        assert visitor.response.headers["Cache-Control"] == "no-store"
    assert visitor.open("/nothing-here").status == 404
