"""Telling us about a breach, by a browser without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forms import load
from tests.support.provider_app import MemoryDesk, provider_app
from tests.support.visitor import Visitor
from tests.web.provider.notice import WHOLE

CHECK = "Check what you wrote"


def receipt_of_a_notice(visitor: Visitor) -> str:
    return visitor.open("/breach").press(CHECK, WHOLE).press("Send it now").path


def test_a_whole_notice_is_checked_sent_and_gives_a_reference(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    assert visitor.path == "/breach/check"
    assert "Monday 23 November 2026, about 7:30" in visitor.words
    assert "New Zealand daylight time" in visitor.words
    visitor.press("Send it now")
    assert visitor.path.startswith("/breach/sent/")
    assert "BN-5R8M-6" in visitor.title
    assert "We have your notice Your reference BN-5R8M-6 Received Monday 23 November 2026, 9:05 am." in visitor.words
    assert "We call you by 10:05 am today" in visitor.words
    ((form, answers, as_it_is, updates),) = desk.sent.values()
    assert (form, as_it_is, updates) == (load.form("breach-notice").name, False, None)
    assert answers["A08"] == {"at": "2026-11-23T07:30:00+13:00", "about": True}
    assert answers["A01"] == "Tōtara Example Whānau Services"
    assert answers["A06"] == WHOLE["A06"]


def test_an_empty_notice_says_what_is_missing_and_can_be_sent_as_it_is(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK)
    assert visitor.status == 422
    assert visitor.title.startswith("Error:")
    assert {"#A07", "#A06", "#A08.at", "#A05"} <= set(visitor.links)
    visitor.press("Go on with what is there").press("Send it as it is")
    assert "BN-5R8M-6" in visitor.title
    assert [(answers, as_it_is) for _, answers, as_it_is, _ in desk.sent.values()] == [({}, True)]


def test_errors_give_every_word_back_as_it_was_typed(visitor: Visitor) -> None:
    typed = {"A06": "  “Kōwhai” <b>&amp;\n\n\ttwo lines  ", "A08.at:d": "3rd", "A08.at:m": "Whiringa-ā-rangi",
             "A08.at:t": "in the morning", "A08.zone": "Pacific/Chatham", "A04": "ring the  bell", "A10": "attacker"}  # fmt: skip
    visitor.open("/breach").press(CHECK, dict(typed))
    assert visitor.status == 422
    assert {name: visitor.shown(name)[0].replace("\r\n", "\n") for name in typed} == typed


def test_what_cannot_be_read_is_said_on_the_check_page_and_reaches_a_person(visitor: Visitor, desk: MemoryDesk) -> None:
    typed = WHOLE | {"A08.at:t": "in the morning"}
    visitor.open("/breach").press(CHECK, typed)
    assert "We could not read “When did you find out?”" in visitor.words
    visitor.press("Go on with what is there")
    assert "“23 11 2026 in the morning”" in visitor.words
    visitor.press("Send it as it is")
    ((_, answers, _, _),) = desk.sent.values()
    assert str(answers["A06"]).startswith(str(WHOLE["A06"]))
    assert "When did you find out? “23 11 2026, in the morning”" in str(answers["A06"])


def test_a_phone_and_an_address_that_nobody_can_use_are_said_gently_and_sent_all_the_same(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    visitor.open("/breach").press(CHECK, WHOLE | {"A04": "call me", "A05": "mere(at)x"})
    assert visitor.status == 200 and visitor.path == "/breach/check" and "still open" not in visitor.words
    gently = "call me We may not be able to reach you with this: we see no whole phone number in it."
    assert f"{gently} You can send it all the same. Change phone to call now" in visitor.words
    assert "mere(at)x We may not be able to reach you with this: we see no whole email address" in visitor.words
    assert {"/breach#A04", "/breach#A05"} <= set(visitor.links)
    visitor.press("Send it now")
    ((_, answers, as_it_is, _),) = desk.sent.values()
    assert (answers["A04"], answers["A05"], as_it_is) == ("call me", "mere(at)x", False)


def test_a_phone_and_an_address_that_can_be_used_bring_no_warning(visitor: Visitor) -> None:
    assert "not be able to reach" not in visitor.open("/breach").press(CHECK, WHOLE).words


def test_a_text_that_is_too_long_says_the_limit_and_its_length_at_its_field_and_keeps_every_word(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    text = "One line of it.\n" * 150
    visitor.open("/breach").press(CHECK, WHOLE | {"A06": text, "A01": "x" * 300})
    said = "“In your words” has 2,399 characters, and there is room for 2,000. Please shorten it by 399."
    assert visitor.status == 422 and "#A06" in visitor.links
    assert visitor.words.count(said) == 2, "in the summary and at the field"
    assert "“Organisation” has 300 characters, and there is room for 200. Please shorten it by 100." in visitor.words
    assert visitor.shown("A06")[0].replace("\r\n", "\n") == text and visitor.shown("A01") == ["x" * 300]
    visitor.press("Go on with what is there").press("Send it as it is")
    ((_, answers, as_it_is, _),) = desk.sent.values()
    assert (answers["A06"], as_it_is) == (text.strip(), True)


def test_T35_danger_now_shows_the_111_text_before_sending(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, {"A07": "yes"})
    assert "You said that somebody is in danger. Call 111 now" in visitor.words
    visitor.press("Go on with what is there")
    assert "You said that somebody is in danger. Call 111 now" in visitor.words
    assert not desk.sent
    visitor.press("Send it as it is")
    assert [answers for _, answers, _, _ in desk.sent.values()] == [{"A07": "yes"}]


def test_T37_a_notice_of_nothing_but_i_dont_know_is_taken(visitor: Visitor, desk: MemoryDesk) -> None:
    unsure = {q: "dont_know" for q in ("A07", "A09", "A10", "A11")}
    visitor.open("/breach").press(CHECK, dict(unsure)).press("Go on with what is there").press("Send it as it is")
    assert [answers for _, answers, _, _ in desk.sent.values()] == [unsure]


def test_pressing_send_twice_gives_the_same_receipt(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    sheet = {name: visitor.shown(name)[0] for name in ("csrf_token", "code")}
    first, second = (visitor.client.post("/breach/check", data=sheet).location for _ in range(2))
    assert first == second
    assert len(desk.sent) == 1


def test_two_presses_that_cross_are_one_submission(desk: MemoryDesk) -> None:
    visitor = Visitor(provider_app(desk).test_client())
    visitor.open("/breach").press(CHECK, WHOLE)
    sheet = {name: visitor.shown(name)[0] for name in ("csrf_token", "code")}
    before = dict(desk.drafts)
    visitor.client.post("/breach/check", data=sheet)
    desk.drafts = before  # the second press began before the first had ended
    visitor.client.post("/breach/check", data=sheet)
    assert len(desk.sent) == 1


def test_a_page_that_is_too_old_loses_no_word_and_works_at_the_second_press(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach")
    visitor.press(CHECK, WHOLE | {"csrf_token": "long gone"})
    assert visitor.status == 422
    assert "Please press the button once more" in visitor.words
    assert visitor.shown("A04") == ["+64 21 000 0007"]
    assert not desk.drafts
    visitor.press(CHECK)
    assert visitor.path == "/breach/check"
    visitor.press("Send it now")
    assert len(desk.sent) == 1


def test_a_post_from_another_site_changes_nothing(visitor: Visitor, desk: MemoryDesk) -> None:
    response = visitor.client.post("/breach", data={"A07": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 422
    assert not desk.drafts and not desk.sent


def test_when_we_cannot_keep_it_the_text_stays_on_the_page(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach")
    desk.broken = {"drafts"}
    visitor.press(CHECK, WHOLE)
    assert visitor.status == 503
    assert "Your text is still here" in visitor.words and "0800 000 000" in visitor.words
    assert visitor.shown("A02") == ["P. Example"]
    desk.broken = set()
    visitor.press(CHECK).press("Send it now")
    assert len(desk.sent) == 1


def test_when_sending_breaks_the_page_says_so_and_sends_later(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    desk.broken = {"submit"}
    visitor.press("Send it now")
    assert visitor.status == 503 and "We could not save that" in visitor.words
    desk.broken = set()
    visitor.press("Send it now")
    assert "BN-5R8M-6" in visitor.title


def test_a_notice_that_is_kept_and_not_read_yet_has_a_receipt_number(visitor: Visitor, desk: MemoryDesk) -> None:
    desk.broken = {"reading"}
    visitor.open("/breach").press(CHECK, WHOLE).press("Send it now")
    assert visitor.status == 200
    assert "Your receipt number" in visitor.words and "It is kept safe, and being read" in visitor.words


def test_after_sending_nothing_typed_is_left_in_the_draft_and_the_next_notice_is_new(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).press("Send it now")
    assert not any("Tōtara" in flat or "T\\u014dtara" in flat or "0007" in flat for _, flat in desk.drafts.values())
    assert visitor.open("/breach").shown("A01") == [""]
    visitor.press(CHECK, WHOLE | {"A06": "Another one."}).press("Send it now")
    assert [updates for *_, updates in desk.sent.values()] == [None, None]


def test_going_back_after_sending_shows_that_it_was_sent_and_its_reference(visitor: Visitor, desk: MemoryDesk) -> None:
    receipt = receipt_of_a_notice(visitor)
    for back in ("/breach/check", "/breach/details/detail"):
        assert visitor.open(back).path == receipt and "BN-5R8M-6" in visitor.title
    visitor.open("/breach")
    assert visitor.status == 200 and visitor.response.headers["Cache-Control"] == "no-store"
    assert "Your notice was sent Your reference is BN-5R8M-6 . We received it Monday 23 November 2026, 9:05 am." in (
        visitor.words
    )
    assert receipt in visitor.links
    assert not any(str(typed) in visitor.response.text for name, typed in WHOLE.items() if name in ("A02", "A04"))
    visitor.press(CHECK, WHOLE | {"A06": "Another one."})
    assert visitor.path == "/breach/check", "the page is still there for the next notice"
    assert "was sent" not in visitor.open("/breach").words
    visitor.open("/breach/check").press("Send it now")
    assert len(desk.sent) == 2


def test_what_the_browser_keeps_of_a_sent_notice_is_signed_short_and_no_word_of_it(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    receipt_of_a_notice(visitor)
    (cookie,) = [c for c in visitor.client._cookies.values() if c.key == "sent-breach-notice"]
    assert cookie.max_age == 3600 and cookie.http_only
    visitor.client.set_cookie("sent-breach-notice", cookie.value[:-3] + "abc")
    assert "was sent" not in visitor.open("/breach").words
    visitor.client.set_cookie("sent-breach-notice", cookie.value)
    assert "was sent" in visitor.open("/breach").words
    desk.now += timedelta(minutes=61)
    assert "was sent" not in visitor.open("/breach").words
    assert visitor.open("/breach/check").path == "/breach"


def test_going_back_after_sending_details_says_that_they_were_sent(visitor: Visitor) -> None:
    receipt_of_a_notice(visitor)
    link = next(href for href in visitor.links if href.startswith("/breach/details"))
    assert "was sent" not in visitor.open(link).words, "the page is for more about it"
    visitor.press("That is all for now", {"B03": "client"}).press("Send it now").open(link)
    assert "Your details were sent" in visitor.words and visitor.shown("B03") == []


def test_a_notice_that_is_not_read_yet_is_named_by_its_receipt_number_on_the_way_back(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    desk.broken = {"reading"}
    receipt_of_a_notice(visitor)
    number = visitor.words.partition("Your receipt number ")[2][:8]
    assert f"Your receipt number is {number}" in visitor.open("/breach").words


def test_a_receipt_holds_no_word_of_what_was_sent(visitor: Visitor) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).press("Send it now")
    assert not any(
        str(typed) in visitor.response.text for name, typed in WHOLE.items() if name in ("A01", "A02", "A04", "A05")
    )
    assert visitor.open("/breach/sent/" + visitor.path.rpartition("/")[2][:-3] + "abc").status == 404


def test_details_can_be_added_before_sending(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    visitor.open("/breach/details")
    assert visitor.path == "/breach/details/detail"
    visitor.press("Keep and go on", {"B05": "lost_paper", "B06": ["lost", "seen"]})
    assert visitor.path == "/breach/details/information"
    visitor.press("That is all for now", {"B10.n": "2", "B10.kind": "exact"})
    assert "Paper lost" in visitor.words and "2 (exact)" in visitor.words
    visitor.press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["B06"] == ["lost", "seen"] and answers["B10"] == {"n": 2, "kind": "exact"}


def test_details_can_be_added_after_sending_to_the_same_case(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).press("Send it now")
    link = next(href for href in visitor.links if href.startswith("/breach/details"))
    visitor.open(link)
    assert "for your notice BN-5R8M-6" in visitor.words
    visitor.press("That is all for now", {"B03": "client"}).press("Send it now")
    assert "We have your details" in visitor.words
    assert [(updates, answers) for _, answers, _, updates in desk.sent.values()][1] == ("BN-5R8M-6", {"B03": "client"})


def test_details_with_nothing_in_them_are_not_sent_and_can_be_left(visitor: Visitor, desk: MemoryDesk) -> None:
    receipt = receipt_of_a_notice(visitor)
    visitor.open(next(href for href in visitor.links if href.startswith("/breach/details")))
    visitor.press("That is all for now")
    assert visitor.status == 422 and visitor.path == "/breach/details/detail"
    assert "Nothing is written yet, so there is nothing to send Write what you know" in visitor.words
    assert "your notice BN-5R8M-6 is with us" in visitor.words
    assert receipt in visitor.links
    visitor.press("That is all for now", {"B03": "client"}).press("Send it now")
    assert [(updates, answers) for _, answers, _, updates in desk.sent.values()][1:] == [
        ("BN-5R8M-6", {"B03": "client"})
    ]


def test_the_last_part_of_the_details_does_not_send_an_empty_page_either(visitor: Visitor) -> None:
    receipt_of_a_notice(visitor)
    visitor.open(next(href for href in visitor.links if href.startswith("/breach/details")))
    while visitor.status == 200 and visitor.path != "/breach/check":
        visitor.press("Keep and")
    assert visitor.status == 422 and "there is nothing to send" in visitor.words


def test_a_first_page_that_was_left_open_and_changed_after_sending_is_shown_and_adds_to_the_notice(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    left_open = visitor.open("/breach").press(CHECK, WHOLE).open("/breach").response
    visitor.open("/breach/check").press("Send it now")
    visitor.response, visitor.path = left_open, "/breach"
    visitor.press(CHECK, {"A06": "It was two folders.", "A03": ""})
    assert visitor.status == 422 and "What you change here and send now is added to it." in visitor.words
    visitor.press(CHECK, {"A03": "Manager"})
    assert "This adds to your notice BN-5R8M-6" in visitor.words and "It was two folders." in visitor.words
    visitor.press("Send it now")
    assert [(updates, answers["A06"]) for _, answers, _, updates in desk.sent.values()][1:] == [
        ("BN-5R8M-6", "It was two folders.")
    ]


def test_a_check_page_without_details_offers_no_sending_and_a_made_up_press_sends_nothing(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    receipt = receipt_of_a_notice(visitor)
    visitor.open(next(href for href in visitor.links if href.startswith("/breach/details")))
    visitor.press("Keep and go on").open("/breach/check")
    assert "Send it now" not in visitor.words and receipt in visitor.links
    sheet = {name: visitor.shown(name)[0] for name in ("csrf_token", "code")}
    answer = visitor.client.post("/breach/check", data=sheet)
    assert answer.status_code == 422 and "there is nothing to send" in answer.text
    assert len(desk.sent) == 1


def test_an_answer_that_no_longer_applies_is_not_sent(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).open("/breach/details/told")
    visitor.press("That is all for now", {"B19": "not_needed", "B19-reason": "It came back unopened"})
    visitor.open("/breach/details/told").press("That is all for now", {"B19": "no"})
    assert "It came back unopened" not in visitor.words
    visitor.press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["B19"] == "no" and "B19-reason" not in answers


def test_ticks_can_be_taken_away_again(visitor: Visitor) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).open("/breach/details/information")
    visitor.press("Keep and go on", {"B08": ["health", "child"]})
    visitor.open("/breach/details/information").press("Keep and go on", {"B08": []})
    assert visitor.open("/breach/details/information").shown("B08") == []


def test_T21_a_time_that_the_clocks_skipped_is_asked_about_and_can_be_sent(visitor: Visitor, desk: MemoryDesk) -> None:
    skipped = {"A08.at:d": "27", "A08.at:m": "9", "A08.at:t": "2:30 am", "A08.about": []}
    visitor.open("/breach").press(CHECK, WHOLE | skipped)
    assert "The clocks went forward on 27 September 2026" in visitor.words
    assert visitor.shown("A08.at:t") == ["2:30 am"]
    visitor.press("Go on with what is there").press("Send it as it is")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["A08"] == {"at": "2026-09-27T02:30:00+13:00"}


@pytest.mark.parametrize(
    ("day", "clock", "instant"),
    [
        (("22", "11", "26"), "8:10 pm", "2026-11-22T20:10:00+13:00"),
        (("22", "Nov", "2026"), "2010", "2026-11-22T20:10:00+13:00"),
        (("22", "Whiringa-ā-rangi", "2026"), "810pm", "2026-11-22T20:10:00+13:00"),
        (("4", "7", "2026"), "noon", "2026-07-04T12:00:00+12:00"),
    ],
)  # fmt: skip
def test_any_usual_way_of_writing_a_time_is_read(
    visitor: Visitor, desk: MemoryDesk, day: tuple[str, str, str], clock: str, instant: str
) -> None:
    pieces = dict(zip(("A08.at:d", "A08.at:m", "A08.at:y"), day, strict=True))
    visitor.open("/breach").press(CHECK, WHOLE | pieces | {"A08.at:t": clock}).press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["A08"] == {"at": instant, "about": True}


def test_chatham_time_is_kept_with_its_own_offset(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE | {"A08.zone": "Pacific/Chatham"})
    assert "Chatham Islands time" in visitor.words
    visitor.press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["A08"] == {"at": "2026-11-23T07:30:00+13:45", "about": True, "zone": "Pacific/Chatham"}


def test_a_copy_can_be_kept_as_the_forms_own_pdf(visitor: Visitor) -> None:
    visitor.open("/breach").press(CHECK, WHOLE).press("Save a copy for yourself")
    assert visitor.response.mimetype == "application/pdf" and visitor.response.data.startswith(b"%PDF")


def test_every_page_of_the_notice_can_be_left_quickly(visitor: Visitor) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    for address in ("/breach", "/breach/check", "/breach/details/detail"):
        assert "https://weather.example/" in visitor.open(address).links


def test_a_draft_ends_when_the_desk_says_so(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/breach").press(CHECK, WHOLE)
    desk.now += timedelta(days=8)
    desk.drafts.clear()
    assert visitor.open("/breach").shown("A01") == [""]
    assert visitor.open("/breach/check").path == "/breach"
