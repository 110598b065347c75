"""Coming back: the code, the cookie, and a browser that keeps no cookies."""

from __future__ import annotations

import re
from datetime import timedelta

from tests.support.provider_app import MemoryDesk, provider_app
from tests.support.visitor import Visitor
from tests.web.provider.notice import WHOLE
from tests.web.provider.test_assessment import PROFILE

CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")


def code_on(visitor: Visitor) -> str:
    return CODE.findall(visitor.words)[0]


def test_T42_what_was_typed_comes_back_on_another_device_by_its_code(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press("Save and come back later", {"A06": "Kōwhai", "A08.at:t": "after lunch"})
    assert "Nothing has been sent yet" in visitor.words and "until Monday 30 November 2026" in visitor.words
    code = code_on(visitor)
    other = Visitor(provider_app(desk).test_client())
    other.open("/resume").press("Bring it back", {"typed_code": f" {code.lower().replace('-', ' ')} "})
    assert other.path == "/breach"
    assert other.shown("A06") == ["Kōwhai"] and other.shown("A08.at:t") == ["after lunch"]


def test_the_code_on_the_page_is_the_one_under_which_it_is_kept(visitor: Visitor, desk: MemoryDesk) -> None:
    promised = code_on(visitor.open("/breach"))
    assert not desk.drafts, "opening a page keeps nothing"
    visitor.press("Check what you wrote", WHOLE)
    assert list(desk.drafts) == [promised.replace("-", "")]


def test_a_self_assessment_goes_on_at_the_part_where_it_was_left(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).press("Save and come back later")
    code = code_on(visitor)
    other = Visitor(provider_app(desk).test_client())
    other.open("/resume").press("Bring it back", {"typed_code": code})
    assert other.path == "/assessment/accounts"
    assert "Mānuka Example Legal" in other.words and "Last kept 9:05 am" in other.words


def test_a_wrong_code_is_said_kindly_and_stays_in_the_field(visitor: Visitor) -> None:
    visitor.open("/resume").press("Bring it back", {"typed_code": "QH7M-2XKD"})
    assert visitor.status == 422 and visitor.title.startswith("Error:")
    assert visitor.shown("typed_code") == ["QH7M-2XKD"]


def test_codes_are_guessed_slowly(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/resume")
    for n in range(20):
        visitor.press("Bring it back", {"typed_code": f"AAAA-AA{n:02d}"})
    kept = desk.save_draft(None, "breach-notice@2026.1", {"A06": "found"})
    visitor.press("Bring it back", {"typed_code": kept})
    assert visitor.status == 429
    desk.now += timedelta(hours=2)
    visitor.press("Bring it back", {"typed_code": kept})
    assert visitor.shown("A06") == ["found"]


def test_a_code_in_the_page_that_we_did_not_sign_opens_nothing(visitor: Visitor, desk: MemoryDesk) -> None:
    kept = desk.save_draft(None, "breach-notice@2026.1", {"A06": "somebody else’s words"})
    visitor.open("/breach").press("Check what you wrote", {"code": kept})
    assert "somebody else" not in visitor.response.text
    assert "somebody else" in desk.drafts[kept.replace("-", "")][1]


def test_T42_without_cookies_a_notice_is_checked_changed_and_sent(without_cookies: Visitor, desk: MemoryDesk) -> None:
    visitor = without_cookies
    visitor.open("/breach").press("Check what you wrote", WHOLE)
    assert visitor.title.startswith("Check what you wrote") and "P. Example" in visitor.words
    visitor.press("Change your name")
    assert visitor.shown("A02") == ["P. Example"]
    visitor.press("Check what you wrote", {"A02": "Q. Example"}).press("Add details now")
    visitor.press("That is all for now", {"B05": "lost_paper"}).press("Send it now")
    assert "BN-5R8M-6" in visitor.title
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["A02"] == "Q. Example" and answers["B05"] == "lost_paper"


def test_T42_without_cookies_a_self_assessment_goes_from_part_to_part_and_comes_back(without_cookies: Visitor) -> None:
    visitor = without_cookies
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    assert visitor.title.startswith("Accounts")
    visitor.press("Save and come back later", {"L1-ACCT-01": "partly"})
    visitor.press("Go on now")
    assert visitor.title.startswith("Accounts") and visitor.shown("L1-ACCT-01") == ["partly"]


def test_cookies_are_closed_to_scripts_and_to_other_sites(visitor: Visitor) -> None:
    visitor.open("/breach")
    sheet = {name: visitor.shown(name)[0] for name in ("csrf_token", "code")}
    cookies = visitor.client.post("/breach", data=sheet | {"A07": "no"}).headers.getlist("Set-Cookie")
    draft = next(c for c in cookies if c.startswith("draft-breach-notice="))
    assert "HttpOnly" in draft and "SameSite=Lax" in draft and "Max-Age=604800" in draft


def test_a_code_in_a_cookie_that_we_did_not_sign_opens_nothing(visitor: Visitor, desk: MemoryDesk) -> None:
    kept = desk.save_draft(None, "breach-notice@2026.1", {"A06": "somebody else’s words"})
    visitor.client.set_cookie("draft-breach-notice", kept.replace("-", ""))
    visitor.open("/breach")
    assert "somebody else" not in visitor.response.text
