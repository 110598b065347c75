"""The same scenarios through the doors themselves: a folder, a real IMAP server, the public web pages; seen on the staff pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from forms import load
from intake.adapters.documents.runner import DocumentReader
from intake.domain import nz_words
from tests.pdf.programs import by_pikepdf
from tests.scenarios.typed import as_in_a_pdf, send_assessment, send_notice, typed
from tests.scenarios.world import (
    ASSESSMENT,
    BREACH,
    KOWHAI,
    NOW,
    PDF,
    File,
    World,
    assert_nothing_submitted,
    assessment,
    assessment_file,
    notice,
    notice_file,
)
from tests.support import dovecot as server
from tests.support.dovecot import Dovecot
from tests.support.visitor import Visitor

FORM = load.form(BREACH)


def reference_on(visitor: Visitor) -> str:
    """The reference that the receipt shows to whoever sent the form."""
    assert visitor.status == 200
    (reference,) = set(re.findall(r"(?:BN|SA)-[0-9A-Z]{4,6}-[0-9A-Z]\b", visitor.words))
    return reference


# ---- a folder ------------------------------------------------------------------------------------


def test_T01_a_mail_in_the_folder_is_read_filed_moved_and_its_sender_told_by_smtp(world: World) -> None:
    world.drop(world.mail(subject="Annual paperwork", files=[assessment_file()]))
    world.collect()
    (row,) = world.queue()
    assert (row.kind, row.verdict, row.provider_name) == ("self_assessment", "verified_account", KOWHAI)
    folder = world.folder / "drop-breach"
    assert [p.name for p in (folder / "new").iterdir()] == []
    assert len(list((folder / "done").iterdir())) == 1
    (told,) = world.deliver()
    assert (told["To"], told["Auto-Submitted"]) == ("office@trust.org.nz", "auto-replied")
    assert row.reference in told["Subject"]
    assert "Annual paperwork" not in told.as_string()
    world.collect()
    assert len(world.queue()) == 1


def test_T12_the_same_file_dropped_twice_is_one_case(world: World) -> None:
    raw = world.mail(files=[notice_file()])
    world.drop(raw)
    world.collect()
    world.drop(raw)
    world.collect()
    assert len(world.queue()) == 1
    outcomes = world.parts.store.outcomes()["outcomes"]
    assert isinstance(outcomes, dict)
    assert {code: n for code, n in outcomes.items() if n} == {"case_opened": 1, "duplicate": 1}


def test_T27_machines_that_write_to_the_folder_leave_the_queue_empty(world: World) -> None:
    world.drop(
        world.mail(subject="Out of office", body="Back on Monday.", headers=[("Auto-Submitted", "auto-replied")])
    )
    world.collect()
    assert world.queue() == ()
    assert world.deliver() == []


# ---- a mail server -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    running = server.start(tmp_path_factory.mktemp("dovecot"))
    yield running
    running.stop()


def test_T03_a_notice_over_imap_opens_a_case_and_leaves_the_folder(
    dovecot: Dovecot, tmp_path: Path, reader: DocumentReader
) -> None:
    box = dovecot.options("scenario", kind="imap")
    lines = [
        f"{name} = {value if isinstance(value, int) else chr(34) + str(value) + chr(34)}" for name, value in box.items()
    ]
    world = World(tmp_path, reader, more_settings="\n[mailboxes.server]\n" + "\n".join(lines) + "\n")
    raw = world.mail(sender="Mere <mere.kowhai@gmail.com>", subject="Hacked", files=[notice_file(A10="attacker")])
    dovecot.deliver("scenario", raw)
    world.collect()
    (row,) = world.queue()
    assert (row.kind, row.status, row.verdict) == ("breach_notice", "open", "personal_account")
    assert dovecot.count("scenario") == 0
    case = world.view(row.reference)
    assert (case.raw.channel, case.raw.mailbox) == ("imap", "server")


# ---- the web form, and the page of the case ------------------------------------------------------


def test_T35_danger_now_shows_111_before_sending_and_stands_first_on_the_desk(world: World) -> None:
    answers = notice(KOWHAI, NOW, "He has her address.", A05="office@trust.org.nz", A07="yes")
    visitor = world.visitor()
    visitor.open("/breach").press("Check", typed(FORM, answers))
    assert visitor.path == "/breach/check"
    assert "111" in visitor.words
    visitor.press("Send it now")
    reference = reference_on(visitor)
    world.send(files=[notice_file()])
    assert world.queue()[0].reference == reference
    page = world.page(reference)
    assert "S1 Critical" in page
    assert "Somebody is in danger now" in page
    assert "Police on 111" in page


def test_T37_a_web_notice_of_nothing_but_unknowns_is_s2_and_says_call(world: World) -> None:
    unknown = {q: "dont_know" for q in ("A07", "A09", "A10", "A11")}
    visitor = send_notice(world.visitor(), FORM, notice(KOWHAI, NOW, "Something is wrong.", **unknown))
    page = world.page(reference_on(visitor))
    assert "S2 High" in page
    assert "Call and ask" in page


def test_T40_nobody_vouches_for_a_web_form_and_its_page_says_so(world: World) -> None:
    visitor = send_notice(world.visitor(), FORM, notice(KOWHAI, NOW, "A folder was left on a bus."))
    reference = reference_on(visitor)
    row = world.view(reference).row
    assert (row.status, row.provider, row.verdict) == ("open", None, "unauthenticated")
    assert "nobody vouches for it" in world.page(reference)
    assert world.deliver() == []


def test_T38_a_web_assessment_is_held_until_somebody_has_checked_who_sent_it(world: World) -> None:
    answers = assessment(KOWHAI, CONTACT="P. Example", CONTACT_EMAIL="office@trust.org.nz")
    reference = reference_on(send_assessment(world.visitor(), load.form(ASSESSMENT), answers))
    desk = world.desk().open(f"/case/{reference}")
    assert "Held until somebody has checked the sender" in desk.words
    desk.press("Let it through", {"reason": "I called the number in our register."})
    assert world.view(reference).row.status == "open"


@pytest.mark.parametrize("way", ["pdf", "web"])
@pytest.mark.parametrize(
    ("day", "month", "year", "earlier"),
    [("27", "9", "2026", "2026-09-26T13:30:00+00:00"), ("4", "4", "2027", "2027-04-03T13:30:00+00:00")],
    ids=["never was", "was twice"],
)
def test_T21_a_time_that_was_not_or_was_twice_is_accepted_asked_about_and_counted_early(
    world: World, way: str, day: str, month: str, year: str, earlier: str
) -> None:
    instant = nz_words.local(NOW).fromisoformat(earlier)
    world.at = instant + timedelta(hours=9)
    answers = notice(KOWHAI, world.at, "A folder was left on a bus.", A05="office@trust.org.nz")
    if way == "pdf":
        fields = {**as_in_a_pdf(FORM, answers), "A08.at": f"{day} {month} {year}, 2:30 am"}
        pdf = by_pikepdf(FORM, fields)
        case = world.case(world.send(files=[File("notice.pdf", PDF, pdf)]))
    else:
        pieces = {"A08.at:d": day, "A08.at:m": month, "A08.at:y": year, "A08.at:t": "2:30 am"}
        answers["A08"] = {"at": world.at.isoformat()}  # on a page the zone is a tick for the Chatham Islands
        visitor = world.visitor().open("/breach").press("Check", {**typed(FORM, answers), **pieces})
        assert "2:30 am" in visitor.words
        visitor.press("Go on with what is there").press("Send it")
        case = world.view(reference_on(visitor))
    assert case.row.aware_at == instant
    assert case.due.marker_72h == instant + timedelta(hours=72)
    assert case.due.marker_about
    assert ("A08", "which_time") in {(p.question, p.code) for p in case.problems}


def test_T22_the_case_page_says_monday_ten_to_five(world: World) -> None:
    friday = nz_words.local(NOW).fromisoformat("2026-11-20T03:50:00+00:00")
    world.at = friday + timedelta(hours=2)
    done = world.send(files=[notice_file(friday)])
    page = world.page(done.cases[0])
    assert re.search(r"Mon(day)? 23 Nov(ember)?( 2026)?, 4:50 pm", page), page[:3000]


def test_T09_more_answers_by_web_join_the_case_of_the_receipt(world: World) -> None:
    visitor = send_notice(world.visitor(), FORM, notice(KOWHAI, NOW, "A folder was left on a bus."))
    reference = reference_on(visitor)
    more = next(href for href in visitor.links if "/breach/details" in href)
    visitor.open(more).press("Keep", {"B01:d": "20", "B01:m": "11", "B01:y": "2026", "B01:t": "4 pm", "B03": "staff"})
    visitor.open("/breach/check").press("Send it")
    assert reference_on(visitor) == reference
    assert len(world.queue()) == 1
    assert world.view(reference).answers["B03"].value == "staff"


def test_T30_the_page_of_a_case_shows_hostile_words_as_words(world: World) -> None:
    words = "<script>alert(1)</script> <img src=x onerror=alert(2)> {{ 7*7 }} ' OR 1=1 --"
    done = world.send(subject=words, body=words, files=[notice_file(A06=words, A02=words, name="<b>.pdf")])
    browser = world.desk().open(f"/case/{done.cases[0]}")
    assert browser.status == 200
    assert "<script>alert" not in browser.response.text
    assert "onerror=alert(2)>" not in browser.response.text
    assert "{{ 7*7 }}" in browser.words


def test_T13_a_person_links_two_cases_on_the_page(world: World) -> None:
    first = world.send(files=[notice_file()])
    second = world.send(files=[notice_file(name="two.pdf", A03="Manager")])
    world.desk().open(f"/case/{first.cases[0]}").press("Link", {"other": second.cases[0]})
    assert world.case(first).linked == second.cases
    assert second.cases[0] in world.page(first.cases[0])


def test_T13_the_clock_of_a_linked_case_counts_from_the_earliest_knowledge_of_both(world: World) -> None:
    late, early = NOW - timedelta(hours=2), NOW - timedelta(hours=30)
    first = world.send(files=[notice_file(late)])
    second = world.send(files=[notice_file(early, name="two.pdf", A03="Manager")])
    page = world.desk().open(f"/case/{first.cases[0]}")
    assert "2 h since the provider knew" in page.words
    page.press("Link", {"other": second.cases[0]})
    page.open(f"/case/{first.cases[0]}")
    assert "30 h since the provider knew" in page.words
    assert "Known earlier, by a linked case" in page.words
    assert "Known earlier" not in world.page(second.cases[0])


def test_T34_the_earlier_of_a_web_form_and_a_mail_keeps_its_clock_when_they_are_linked(world: World) -> None:
    visitor = send_notice(world.visitor(), FORM, notice(KOWHAI, NOW, "A folder was left on a bus."))
    reference = reference_on(visitor)
    world.later(hours=1)
    mail = world.send(files=[notice_file()])
    world.desk().open(f"/case/{reference}").press("Link", {"other": mail.cases[0]})
    assert world.view(reference).linked == mail.cases
    assert world.view(reference).row.received_at == NOW
    assert next(r.reference for r in world.queue()) == reference


def test_every_acknowledgement_that_left_repeats_nothing(world: World) -> None:
    secret = "Waimarie Tangaroa, 14 Kererū Crescent, Ōtautahi"
    for sender in ("Office <office@trust.org.nz>", "Mere <mere.kowhai@gmail.com>", "Me <me@facilitation.co.nz>"):
        world.send(sender=sender, subject=secret, body=secret, files=[notice_file(A06=secret, A02=secret)])
    sent = world.deliver()
    assert len(sent) == 3
    for mail in world.outbox():
        assert_nothing_submitted(mail, secret)
    assert not any(word in mail.as_string() for mail in sent for word in ("Waimarie", "Tangaroa", "Crescent"))


def test_a_month_that_nobody_filled_in_is_no_error(world: World) -> None:
    visitor = world.visitor().open("/breach").press("Check", typed(FORM, notice(KOWHAI, NOW, "A folder was left.")))
    visitor.open("/breach/details/prevent").press("Keep")
    assert visitor.status == 200
