"""The queue as a person reads it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask import Flask

from intake.domain.model import Status
from tests.web.staff.office import CALM, GRAVE, Office, address_of


def test_a_notice_from_the_registered_office_stands_on_top_with_band_reasons_verdict_and_time(
    office: Office, app: Flask
) -> None:
    calm = office.notice(CALM, subject="Laptop")
    grave = office.notice(GRAVE)
    page = office.person(app).open("/queue")
    assert page.headings[0] == "Views"
    assert "Everything open" in page.headings
    assert page.text.index(grave) < page.text.index(calm)
    row = page.text[page.text.index(grave) - 200 : page.text.index(calm)]
    for words in (
        "Call by 10:42 am",
        "in 1 h · first contact",
        "13 h 32 min since they knew",
        "Kōwhai Example Trust",
        "Breach notice",
        "S1 Critical",
        "Verified account",
        "office@kowhai-trust.example",
        "Duty: provider",
    ):
        assert words in row, words


def test_the_queue_groups_by_what_is_due_and_says_how_many(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    office.notice(CALM)
    page = office.person(app).open("/queue")
    assert "Overdue or due within the hour · 1" in page.text
    assert "Later this week · 1" in page.text


def test_an_overdue_case_says_by_how_much_without_any_script(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    office.later(hours=2, minutes=5)
    assert "Overdue 1 h 5 min" in office.person(app).open("/queue").text


def test_search_takes_macrons_or_not_and_a_reference_in_any_writing(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    for asked in ("kowhai", "KŌWHAI", reference.lower().replace("-", " "), "kowhai-trust.example"):
        assert reference in person.open(f"/queue?q={asked}").text, asked
    empty = person.open("/queue?q=kowhia")
    assert "No case has “kowhia”" in empty.headings
    assert "Search closed ones too" in empty.links


def test_filters_live_in_the_address_and_each_chip_takes_one_away(office: Office, app: Flask) -> None:
    grave, calm = office.notice(GRAVE), office.notice(CALM)
    person = office.person(app)
    page = person.open("/queue?band=S1&kind=breach_notice")
    assert grave in page.text and calm not in page.text
    assert "Band: S1 Critical" in page.text
    without = page.links["Band: S1 Critical Remove this filter"]
    assert without == "/queue?kind=breach_notice"
    assert calm in person.open(without).text


def test_the_filter_that_is_on_by_default_is_shown_as_on(office: Office, app: Flask) -> None:
    page = office.person(app).open("/queue")
    assert page.links["Status: not closed Remove this filter"] == "/queue?closed=1"


def test_each_view_of_the_side_column_shows_its_count(office: Office, app: Flask) -> None:
    office.notice(GRAVE)
    office.mail("Hello, please call us about our contract.", subject="Question", sender="a@stranger.example")
    page = office.person(app).open("/queue")
    assert "Breach notices 1 case" in page.links
    assert "Nobody has it 2 cases" in page.links
    assert "Held senders 1 case" in page.links


def test_a_press_on_take_gives_the_case_to_me_and_can_be_undone(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    person = office.person(app)
    done = person.press(person.open("/queue"), "Take")
    assert "1 case is yours now." in done.text
    row = office.case(reference).row
    assert row.assignee == address_of("triage")
    back = person.press(done, "Undo")
    assert "1 put back as it was." in back.text
    assert office.case(reference).row.assignee is None


def test_bulk_says_how_many_it_did_and_leaves_grave_cases_alone(office: Office, app: Flask) -> None:
    grave, calm = office.notice(GRAVE), office.notice(CALM)
    person = office.person(app)
    page = person.open("/queue")
    done = person.press(page, "Do it", case=page.form("Do it").options["case"], action="assign")
    assert "1 case is yours now." in done.text
    assert f"Left as they were: {grave}" in done.text
    assert office.case(grave).row.assignee is None
    assert office.case(calm).row.assignee == address_of("triage")


def test_bulk_never_opens_a_closed_case_and_its_outcome_stays(office: Office, app: Flask) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    page = person.open(f"/case/{reference}")
    person.press(page, "Close the case", outcome="duplicate", reason="The same as another.")
    version = office.case(reference).row.version
    page = person.open("/queue?status=closed")
    done = person.press(page, "Do it", case=[f"{reference}.{version}"], action="open")
    assert f"Left as they were: {reference}" in done.text
    case = office.case(reference)
    assert (case.row.status, case.outcome, case.outcome_reason) == (Status.CLOSED, "duplicate", "The same as another.")


def test_bulk_leaves_a_case_alone_that_somebody_changed_since_the_list_was_opened(office: Office, app: Flask) -> None:
    calm = office.notice(CALM)
    slow, quick = office.person(app), office.person(app, "privacy_lead")
    seen = slow.open("/queue")
    quick.press(quick.open("/queue"), "Take")
    done = slow.press(seen, "Do it", case=seen.form("Do it").options["case"], action="assign")
    assert f"Left as they were: {calm}" in done.text
    assert office.case(calm).row.assignee == address_of("privacy_lead")


def test_bulk_without_a_selection_says_what_to_do(office: Office, app: Flask) -> None:
    office.notice(CALM)
    person = office.person(app)
    assert "Nothing was selected." in person.press(person.open("/queue"), "Do it", action="assign").text


def test_a_list_says_how_many_cases_changed_since_it_was_opened(office: Office, app: Flask) -> None:
    office.notice(CALM)
    person = office.person(app)
    page = person.open("/queue")
    assert "Nothing has changed since" in person.open(page.links["Has anything changed?"]).text
    office.later(minutes=3)
    office.notice(GRAVE, subject="Another")
    changed = person.open(page.links["Has anything changed?"])
    assert "1 case changed since you opened this list at 9:42 am" in changed.text
    assert "Changed, 9:45 am" in changed.text


def test_an_empty_queue_says_why_and_where_to_look(office: Office, app: Flask) -> None:
    page = office.person(app).open("/queue")
    assert "The queue is empty" in page.headings
    assert page.links["See whether every mailbox works"] == "/system"


def test_a_long_list_goes_on_by_pages_and_no_case_is_shown_twice(office: Office, app: Flask) -> None:
    for number in range(28):
        office.web({**CALM, "A06": f"Number {number}"})
    person = office.person(app)
    first = person.open("/queue")
    assert "25 cases shown" in first.text
    second = person.open(first.links["Next page"])
    assert "3 cases shown" in second.text
    references = [href for page in (first, second) for href in page.links.values() if href.startswith("/case/")]
    assert len(references) == len(set(references)) == 28


def test_a_reader_sees_the_list_and_no_button_that_changes_it(office: Office, app: Flask) -> None:
    reference = office.notice(GRAVE)
    for role in ("auditor", "records"):
        page = office.person(app, role).open("/queue")
        assert reference in page.text
        assert not page.has_button("Take") and not page.has_button("Do it")


@pytest.mark.parametrize("value", ["", "BN-0000-0.1", "x.y", ".", "BN-4T7K-9.99999999999999999999"])
def test_a_made_up_selection_changes_nothing(office: Office, app: Flask, value: str) -> None:
    reference = office.notice(CALM)
    person = office.person(app)
    person.press(person.open("/queue"), "Do it", case=[value], action="assign")
    person.press(person.open("/queue"), "Do it", case=[f"{reference}"], action="assign")
    assert office.case(reference).row.assignee is None


def test_a_full_page_with_its_stylesheet_weighs_less_than_100_kilobytes(office: Office, app: Flask) -> None:
    for number in range(26):
        office.web({**GRAVE, "A06": f"Number {number}"})
    page = office.person(app).open("/queue")
    assert "25 cases shown" in page.text
    static = [given.get("href") or given["src"] for tag, given in page.tags if tag in ("link", "script")]
    weight = len(page.html.encode()) + sum(
        len(app.test_client().get(p).data) for p in static if p.startswith("/static/")
    )
    assert weight < 100_000, weight


def test_a_reference_is_found_as_it_is_said_on_the_phone(office: Office, app: Flask) -> None:
    reference, person = office.notice(CALM), office.person(app)
    office.notice(GRAVE)
    said = reference.replace("-", "").lower()
    for text in (said, said.replace("0", "o").replace("1", "l"), " ".join(said)):
        page = person.open("/queue?" + urlencode({"q": text}))
        assert {a for a in page.links.values() if a.startswith("/case/")} == {f"/case/{reference}"}


def test_a_filter_that_does_not_exist_is_said_to_be_left_out(office: Office, app: Flask) -> None:
    reference, person = office.notice(CALM), office.person(app)
    page = person.open("/queue?kind=breach_notice&band=S9&colour=red")
    assert "The address asks for a filter that is not there: band S9, colour red. It was left out." in page.text
    assert reference in page.text
    assert page.links["Show the list without it"] == "/queue?kind=breach_notice"
    assert "not there" not in person.open(page.links["Show the list without it"]).text


@pytest.mark.parametrize("name", ["args", "self", "**changes", "a b", "<b>"])
def test_whatever_a_filter_is_called_the_list_is_shown(office: Office, app: Flask, name: str) -> None:
    reference = office.notice(CALM)
    page = office.person(app).open("/queue?" + urlencode({name: "1"}))
    assert page.status == 200 and reference in page.text and f"not there: {name} 1." in page.text
