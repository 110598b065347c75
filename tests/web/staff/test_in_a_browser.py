"""The staff pages in Chromium: reflow, axe, keys, no script, and hostile words that stay words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intake.adapters.demo.answers import assessment
from intake.adapters.demo.mails import File
from intake.ports import Registration
from intake.web.auth import sign_in_link
from tests.support.browser import axe, open_browser, served, sideways
from tests.web.staff.office import CALM, GRAVE, Office, address_of
from tests.web.staff.test_hostile_words import VECTORS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ZONE = {
    "facilitation-with-a-long-name.co.nz": {
        "MX": ["a" * 60 + ".mail.protection.outlook.com"],
        "TXT": ["v=spf1 " + "x" * 200],
    },
    "_dmarc.facilitation-with-a-long-name.co.nz": {"TXT": ["v=DMARC1; p=none; rua=mailto:" + "r" * 90 + "@example.nz"]},
}
LONG = "Te-ingoa-roa-rawa-atu-o-tētahi-whakahaere-" * 4


@dataclass
class Desk:
    office: Office
    browser: Browser
    address: str
    grave: str
    calm: str
    gaps: str
    held: str

    def page(self, width: int = 1280, script: bool = True, dark: bool = False, role: str = "triage") -> Page:
        """A window of somebody who has signed in by pressing the button."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        link = sign_in_link(self.office.parts, address_of(role))
        page.goto(self.address + link[link.index("/sign-in/") :])
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in").click()
        return page

    def pages(self) -> dict[str, str]:
        return {
            "queue": "/queue",
            "queue with filters": "/queue?band=S1&sender=good",
            "empty queue": "/queue?q=nothing",
            "grave case": f"/case/{self.grave}",
            "correcting": f"/case/{self.grave}?fix=B08",
            "calm case": f"/case/{self.calm}",
            "self-assessment": f"/case/{self.gaps}",
            "held case": f"/case/{self.held}",
            "providers": "/providers",
            "provider": "/providers/kowhai",
            "a domain": "/register?of=office@mail.facilitation-with-a-long-name.co.nz",
            "an address of an internet provider": "/register?of=rua.law@xtra.co.nz",
            "add a domain": "/register",
            "who registered what": "/register/decisions",
            "a proposal": "/register/decisions/1",
            "system": "/system",
            "demo": "/demo",
            "keys": "/keys",
            "sign-in": "/sign-in",
            "no such page": "/case/BN-0000-0",
        }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("desk")
    office = Office(folder, demo=True, zone=ZONE)
    grave = office.notice(
        {**GRAVE, "A01": LONG, "A06": "x" * 400}, files=(File("x" * 200 + ".txt", "text/plain", b"x"),)
    )
    calm = office.notice({**CALM, "A10": "professional", "B12": ["other_party_in_case"]})
    gaps = office.web(assessment("Kōwhai Example Trust", **{"L1-EMAIL-01": "no"}), "it-self-assessment@2026.1")
    office.store.propose(
        Registration("exception", "rimu", "x" * 60 + "@freemail.example", "y" * 200, "a@b", until="2027-03-31")
    )
    held = office.mail("Please call.", subject="Contract " + "y" * 200, sender="a@" + "b" * 60 + ".example")
    with open_browser() as browser, served(office.application()) as address:
        yield Desk(office, browser, address, grave, calm, gaps, held)


def test_no_page_scrolls_sideways_on_a_telephone(desk: Desk) -> None:
    page = desk.page(width=320)
    for name, path in desk.pages().items():
        page.goto(desk.address + path)
        assert sideways(page) <= 0, name


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (320, False)])
def test_axe_finds_nothing_on_any_page(desk: Desk, width: int, dark: bool) -> None:
    page = desk.page(width=width, dark=dark)
    for name, path in desk.pages().items():
        page.goto(desk.address + path)
        assert axe(page) == [], name


def test_every_page_is_light_and_asks_no_other_host(desk: Desk) -> None:
    page = desk.page()
    asked: list[tuple[str, int]] = []
    page.on("response", lambda r: asked.append((r.url, len(r.body()) if r.status == 200 else 0)))
    for name, path in desk.pages().items():
        asked.clear()
        page.goto(desk.address + path, wait_until="networkidle")
        assert all(url.startswith((desk.address, "data:")) for url, _ in asked), name
        assert sum(size for _, size in asked) < 100_000 + 4_000, (name, asked)


def test_the_policy_of_the_pages_is_never_broken(desk: Desk) -> None:
    page = desk.page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in desk.pages().values():
        page.goto(desk.address + path)
    assert [words for words in said if "404" not in words] == []


def test_the_keys_move_select_and_open(desk: Desk) -> None:
    page = desk.page()
    page.goto(desk.address + "/queue")
    rows = page.locator(".q tbody tr:not(.grp)")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert rows.nth(1).get_attribute("aria-current") == "true"
    page.keyboard.press("k")
    assert rows.nth(0).get_attribute("aria-current") == "true"
    page.keyboard.press("x")
    assert rows.nth(0).locator("input[type=checkbox]").is_checked()
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.locator("#q").input_value() == "jk"
    page.locator("h1").click()
    first = rows.nth(0).get_attribute("id")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/case/{first}")


def test_the_keys_can_be_turned_off(desk: Desk) -> None:
    page = desk.page()
    page.goto(desk.address + "/keys")
    page.get_by_label("Off").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    page.goto(desk.address + "/queue")
    page.keyboard.press("j")
    assert page.locator("[aria-current=true]").count() == 0


def test_a_case_is_worked_with_the_keyboard_alone(desk: Desk) -> None:
    """From the skip link to a kept note: nothing is out of reach and nothing traps the focus."""
    page = desk.page()
    page.goto(f"{desk.address}/case/{desk.calm}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.textContent.trim().slice(0, 30)")
        )
        if "txt" in reached and page.evaluate("document.activeElement.id") == "txt":
            break
    assert {"Take it", "Sender", "txt"} <= reached
    page.keyboard.type("Typed without a mouse.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Typed without a mouse.").wait_for(timeout=5000)
    assert page.get_by_role("status").filter(has_text="The note is kept.").count() == 1


def test_everything_works_without_a_script(desk: Desk) -> None:
    page = desk.page(script=False)
    page.goto(desk.address + "/queue")
    page.locator("details.filters > summary").click()
    page.get_by_label("S1 Critical").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Apply filters").click()
    assert "band=S1" in page.url
    with page.expect_navigation():
        page.get_by_role("link", name=desk.grave).click()
    with page.expect_navigation():
        page.get_by_role("button", name="Take it").click()
    assert page.get_by_text("It is yours now.").count() == 1
    page.get_by_label("Note for staff").check()
    page.get_by_label("Text").fill("Kept without a script.")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep or send").click()
    assert page.get_by_text("Kept without a script.").count() == 1


def test_hostile_words_stay_words_in_a_real_browser(desk: Desk) -> None:
    references = [
        desk.office.notice({**GRAVE, "A01": v, "A06": v}, subject=v, files=(File(f"{n}{v}.txt", "text/plain", b"x"),))
        for n, v in enumerate(VECTORS)
    ]
    page = desk.page()
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    for path in ["/queue", "/demo", *(f"/case/{r}" for r in references)]:
        page.goto(desk.address + path)
        assert page.title() != "owned" and page.locator("iframe").count() == 0
    assert opened == []


def test_printing_a_case_opens_what_is_folded_and_hides_what_only_works_on_a_screen(desk: Desk) -> None:
    page = desk.page()
    page.goto(f"{desk.address}/case/{desk.grave}")
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Take it").is_visible()
    assert not page.locator("nav .nav").first.is_visible()
    assert page.get_by_role("heading", name="Why S1 Critical").is_visible()
