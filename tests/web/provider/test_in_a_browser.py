"""The provider's pages in a real browser: wide and narrow, light and dark, with and without scripts, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import axe, open_browser, served, sideways
from tests.support.provider_app import MemoryDesk, provider_app
from tests.web.provider.notice import WHOLE
from tests.web.provider.test_assessment import PROFILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
WAYS = {
    "wide": {"viewport": WIDE},
    "narrow": {"viewport": NARROW},
    "narrow and dark": {"viewport": NARROW, "color_scheme": "dark"},
    "no script": {"viewport": WIDE, "java_script_enabled": False},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served(provider_app(MemoryDesk())) as address:
        yield address


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    context = browser.new_context(base_url=base, viewport=WIDE)
    yield context.new_page()
    context.close()


def press(page: Page, words: str) -> None:
    with page.expect_navigation():  # the next page with its stylesheet: what is looked at before is no page of ours
        page.get_by_role("button", name=words).first.click()


def type_in(page: Page, typed: dict[str, str | list[str]]) -> None:
    for name, values in typed.items():
        for value in [values] if isinstance(values, str) else values:
            field = page.locator(f'[name="{name}"]')
            tag = field.first.evaluate("e => e.type")
            if tag in ("radio", "checkbox"):
                page.locator(f'[name="{name}"][value="{value}"]').check()
            else:
                field.fill(value)


def states(page: Page) -> Iterator[str]:
    """Every page and state of the provider's side, one after the other."""
    for address in ("/", "/resume", "/privacy", "/accessibility", "/breach"):
        page.goto(address)
        yield address
    press(page, "Check what you wrote")
    yield "notice with errors"
    page.locator('[name="A07"][value="yes"]').check()
    yield "notice with danger"
    type_in(page, WHOLE | {"A08.at:t": "in the morning"})
    press(page, "Check what you wrote")
    press(page, "Go on with what is there")
    yield "notice to check"
    for section in ("detail", "harm", "prevent", "told"):
        page.goto(f"/breach/details/{section}")
        yield f"details {section}"
    type_in(page, {"B19": "yes", "B20": "some"})
    yield "details opened"
    press(page, "Save and come back later")
    yield "kept"
    page.goto("/breach/check")
    press(page, "Send it as it is")
    yield "receipt"
    page.goto("/assessment")
    yield "assessment start"
    page.goto("/assessment/about_you")
    yield "assessment about you"
    type_in(page, PROFILE | {"P_STAFF": "20+"})
    press(page, "Keep and go on to")
    page.goto("/assessment/devices")
    type_in(page, {"L1-DEV-01": "partly", "L1-DEV-03": "no", "L1-DEV-02": "not_applicable", "DEV[1].how_many": "2"})
    yield "assessment part opened"
    press(page, "Keep it and add another")
    yield "assessment with rows"
    press(page, "Keep and go on to")
    yield "assessment with errors"
    page.goto("/assessment/check")
    yield "assessment to check"


@pytest.mark.parametrize("way", ["wide", "narrow and dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser: Browser, base: str, way: str) -> None:
    context = browser.new_context(base_url=base, **WAYS[way])
    page = context.new_page()
    wrong: list[str] = []
    outside: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((base, "data:")) else outside.append(r.url))
    page.on(
        "console", lambda m: wrong.append(f"console: {m.text}") if m.type == "error" and "422" not in m.text else None
    )
    seen = 0
    for state in states(page):
        seen += 1
        wrong += [f"{state}: {found}" for found in axe(page)]
        over = sideways(page)
        wrong += [f"{state}: {over} px too wide"] if over > 0 else []
    context.close()
    assert seen == 21
    assert not wrong, "\n".join(wrong)
    assert not outside


def test_T42_a_notice_is_sent_without_a_script(browser: Browser, base: str) -> None:
    context = browser.new_context(base_url=base, **WAYS["no script"])
    page = context.new_page()
    page.goto("/breach")
    press(page, "Check what you wrote")
    assert page.title().startswith("Error:")
    assert page.locator("#errs").evaluate("e => e === document.activeElement")
    type_in(page, WHOLE)
    press(page, "Check what you wrote")
    press(page, "Send it now")
    assert "BN-" in page.title()
    context.close()


def test_T35_yes_to_danger_shows_111_at_once_without_a_script(browser: Browser, base: str) -> None:
    context = browser.new_context(base_url=base, **WAYS["no script"])
    page = context.new_page()
    page.goto("/breach")
    box = page.get_by_text("Call 111 now.", exact=True)
    assert not box.is_visible()
    page.locator('[name="A07"][value="yes"]').check()
    assert box.is_visible()
    page.locator('[name="A07"][value="no"]').check()
    assert not box.is_visible()
    context.close()


def test_what_opens_under_a_choice_opens_for_that_choice_alone(page: Page) -> None:
    page.goto("/assessment/devices")
    plan, why = page.locator('[name="PLAN[L1-DEV-02].what"]'), page.locator('[name="L1-DEV-02-why"]')
    for code, shown in (("yes", (False, False)), ("no", (True, False)), ("not_applicable", (False, True))):
        page.locator(f'[name="L1-DEV-02"][value="{code}"]').check()
        assert (plan.is_visible(), why.is_visible()) == shown
    assert not page.locator('[name="PLAN[L1-DEV-03].what"]').is_visible()


def test_T42_a_notice_is_sent_by_keyboard_alone(page: Page) -> None:
    page.goto("/breach")
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    typed = {"A06": "A folder was left on a bus.", "A02": "P. Example", "A04": "+64 21 000 0007"}
    for _ in range(60):
        keys.press("Tab")
        name, kind, words = page.evaluate(
            "[document.activeElement.name, document.activeElement.type, document.activeElement.innerText]"
        )
        if kind == "radio":
            keys.press("Space")
        elif name in typed:
            keys.type(typed[name])
        elif words == "Check what you wrote":
            break
    enter(page)
    assert page.evaluate("document.activeElement.id") == "errs"
    keys.press("Tab")
    keys.press("Enter")
    focused = page.evaluate("document.activeElement.name")
    assert focused in ("A08.at:d", "A01"), "a link of the summary leads into the field"
    press_by_key(page, "Go on with what is there")
    press_by_key(page, "Send it as it is")
    assert "BN-" in page.title()


def press_by_key(page: Page, words: str) -> None:
    """Tab on until the button is reached, then Enter."""
    for _ in range(140):
        if page.evaluate("document.activeElement.innerText") == words:
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == words
    enter(page)


def enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_enter_in_a_field_presses_the_main_button(page: Page) -> None:
    page.goto("/assessment/email")
    page.locator('[name="ACC[1].address"]').fill("office@x.example")
    enter(page)
    assert page.title().startswith("Error:"), "it was checked, not: a row was added"


def test_leaving_quickly_leaves_no_step_back(page: Page, base: str) -> None:
    page.route(
        "https://weather.example/**",
        lambda route: route.fulfill(body="<title>Weather</title>", content_type="text/html"),
    )
    page.goto("/")
    page.goto("/breach")
    page.get_by_role("link", name="Leave this page quickly").click()
    page.wait_for_url("https://weather.example/")
    page.go_back()
    assert page.url == f"{base}/"


def test_targets_are_large_enough_on_a_phone(browser: Browser, base: str) -> None:
    context = browser.new_context(base_url=base, **WAYS["narrow"])
    page = context.new_page()
    page.goto("/breach")
    heights = page.locator(".choice, .btn, main input[type=text], main input[type=tel]").evaluate_all(
        "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    context.close()
    assert len(heights) > 25 and min(heights) >= 44


def test_printing_shows_what_is_closed_and_hides_buttons(page: Page) -> None:
    page.goto("/breach")
    type_in(page, WHOLE)
    press(page, "Check what you wrote")
    page.emulate_media(media="print")
    assert not page.locator(".exit").is_visible()
    assert not page.get_by_role("button", name="Send it now").is_visible()
    assert not [a for a in page.get_by_role("link", name="Change").all() if a.is_visible()]
    assert page.get_by_text("Office manager").is_visible()


@pytest.mark.parametrize("script", [True, False])
def test_call_111_stays_in_sight_when_the_page_comes_back_with_errors(
    browser: Browser, base: str, script: bool
) -> None:
    context = browser.new_context(base_url=base, viewport=NARROW, java_script_enabled=script)
    page = context.new_page()
    page.goto("/breach")
    page.locator('[name="A07"][value="yes"]').check()
    press(page, "Check what you wrote")
    note, leave = page.locator(".note.bad").first.bounding_box(), page.locator(".exit").bounding_box()
    assert note and leave
    assert note["y"] >= leave["y"] + leave["height"]
    assert note["y"] < NARROW["height"]
    context.close()
