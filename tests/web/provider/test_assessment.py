"""The self-assessment by web: parts, rows, plans, coming back, sending."""

from __future__ import annotations

import re

from forms import load
from tests.support.provider_app import MemoryDesk
from tests.support.visitor import Values as _Values
from tests.support.visitor import Visitor

FORM = load.form("it-self-assessment")
PROFILE: dict[str, str | list[str]] = {
    "ORG": "Mānuka Example Legal", "CONTACT": "P. Example", "CONTACT_EMAIL": "p@manuka.example",
    "P_SERVICES": ["community_law", "legal_aid"], "P_STAFF": "1", "P_CONTRACTORS": "no", "P_CHILDREN": "no",
    "P_RECORDS": "<100", "P_OFFICE": "no", "P_OFFSITE": "no", "P_BYOD": "no", "P_PAPER": "no", "P_CLOUD": "no",
    "P_SERVER": "no", "P_ITSUPPORT": "nobody", "P_OWN_DOMAIN": "no", "P_WEBSITE": "no", "P_AI": "no",
}  # fmt: skip
SIGNED: dict[str, str | list[str]] = {
    "ATT_NAME": "P. Example", "ATT_ROLE": "Manager", "ATT_DATE:d": "23", "ATT_DATE:m": "11", "ATT_DATE:y": "2026",
    "ATT_TRUE": "yes",
}  # fmt: skip


def answered(section: str, said: str = "yes") -> dict[str, str | list[str]]:
    """The same answer to each control of a part."""
    part = next(s for s in FORM.sections if s.id == section)
    return {q.id: said for q in part.questions if q.control}


def fill_in(visitor: Visitor, instead: dict[str, dict[str, str | list[str]]] | None = None) -> Visitor:
    """Everything from the first part to the check page, with yes to each control."""
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    for _ in range(len(FORM.sections)):
        if visitor.path == "/assessment/check":
            return visitor
        section = visitor.path.rpartition("/")[2]
        typed = SIGNED if section == "attestation" else answered(section) | (instead or {}).get(section, {})
        visitor.press("Keep and", typed)
        assert visitor.status == 200, visitor.words
    return visitor


def test_a_whole_assessment_goes_through_its_parts_and_gives_a_reference(visitor: Visitor, desk: MemoryDesk) -> None:
    fill_in(visitor)
    assert visitor.path == "/assessment/check" and "still open" not in visitor.words
    visitor.press("Send it now")
    assert "SA-1F5B-8" in visitor.title
    ((form, answers, as_it_is, _),) = desk.sent.values()
    assert (form, as_it_is) == ("it-self-assessment@2026.1", False)
    assert answers["P_SERVICES"] == ["community_law", "legal_aid"] and answers["ATT_TRUE"] is True
    assert answers["L1-ACCT-01"] == "yes" and "L2-ACCT-01" not in answers


def test_going_back_after_sending_shows_that_it_was_sent_and_its_reference(visitor: Visitor) -> None:
    receipt = fill_in(visitor).press("Send it now").path
    assert visitor.open("/assessment/check").path == receipt
    for back in ("/assessment", "/assessment/attestation"):
        assert "Your self-assessment was sent Your reference is SA-1F5B-8 ." in visitor.open(back).words
        assert receipt in visitor.links and "P. Example" not in visitor.response.text
    assert "was sent" not in visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).words


def test_a_contact_whom_nobody_can_reach_is_said_gently_on_the_check_page(visitor: Visitor, desk: MemoryDesk) -> None:
    fill_in(visitor).open("/assessment/about_you").press("Keep and go on", {"CONTACT_EMAIL": "ask at the desk"})
    visitor.open("/assessment/check")
    assert "ask at the desk We may not be able to reach you with this" in visitor.words
    visitor.press("Send it now")
    assert len(desk.sent) == 1


def test_only_questions_that_apply_are_asked(visitor: Visitor) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    assert "L1-ACCT-04" not in visitor.words and "L2-ACCT-01" not in visitor.words
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE | {"P_STAFF": "20+"})
    assert "L1-ACCT-04" in visitor.words and "L2-ACCT-01" in visitor.words
    assert "/assessment/governance" in visitor.links


def test_a_gap_asks_for_a_plan_and_sends_it_as_a_row_of_the_plan(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    gap = answered("devices") | {"L1-DEV-03": "no", "PLAN[L1-DEV-03].what": "Turn on encryption",
                                 "PLAN[L1-DEV-03].who": "Office manager"}  # fmt: skip
    visitor.open("/assessment/devices").press("Keep and go on", gap)
    assert visitor.status == 422 and visitor.title.startswith("Error:")
    assert "#PLAN-L1-DEV-03.by" in visitor.links
    assert "Encryption: say by when, or tick that cost holds you back." in visitor.words
    assert visitor.shown("PLAN[L1-DEV-03].what") == ["Turn on encryption"]
    plan = {"PLAN[L1-DEV-03].by:m": "6", "PLAN[L1-DEV-03].by:y": "2027"}
    fill_in(visitor, {"devices": gap | plan})
    assert "By when: June 2027" in visitor.words
    visitor.press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    expected = {"control": "L1-DEV-03", "what": "Turn on encryption", "who": "Office manager", "by": "2027-06"}
    assert answers["PLAN"] == [expected]


def test_a_plan_of_a_gap_that_is_closed_is_kept_and_not_sent(visitor: Visitor, desk: MemoryDesk) -> None:
    gap = answered("updates") | {"L1-UPD-01": "no", "PLAN[L1-UPD-01].what": "Switch it on"}
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    visitor.open("/assessment/updates").press("Keep and go on", gap).press("Keep and go on", {"L1-UPD-01": "yes"})
    assert visitor.open("/assessment/updates").shown("PLAN[L1-UPD-01].what") == ["Switch it on"]
    fill_in(visitor).press("Send it now")
    assert "PLAN" not in next(iter(desk.sent.values()))[1]


def test_T38_a_control_that_does_not_apply_needs_a_reason_before_it_is_sent(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    visitor.open("/assessment/email").press("Keep and go on", answered("email") | {"L1-EMAIL-01": "not_applicable"})
    assert visitor.status == 422
    assert "Say in a few words why it does not apply to you." in visitor.words
    assert visitor.shown("L1-EMAIL-01") == ["not_applicable"]
    visitor.press("Leave it open and go on")
    fill_in_rest = {"email": {"L1-EMAIL-01": "not_applicable", "L1-EMAIL-01-why": "We use no email"}}
    visitor.open("/assessment/check").press("Send it now")
    assert visitor.status == 422 and not desk.sent
    fill_in(visitor, fill_in_rest).press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["L1-EMAIL-01-why"] == "We use no email"


def test_T39_devices_are_listed_row_by_row_without_a_script(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).open("/assessment/devices")
    first = {"DEV[1].kind": "laptop", "DEV[1].how_many": "2", "DEV[1].controlled_by": "contractor",
             "DEV[1].mitigations": ["screen_lock", "encryption"]}  # fmt: skip
    visitor.press("Keep it and add another", first | {"L1-DEV-01": "partly"})
    assert "Laptop: 2" in visitor.words and "A contractor" in visitor.words
    visitor.press("Keep this one", {"DEV[2].kind": "phone", "DEV[2].opens": ["email"]})
    assert "Nothing yet" in visitor.words, "a device without a safeguard shows as unfinished"
    visitor.press("Finish Phone")
    assert visitor.shown("DEV[2].opens") == ["email"]
    assert visitor.shown("L1-DEV-01") == ["partly"], "the rest of the page is kept as well"
    visitor.press("Remove it")
    visitor.press("Change Laptop: 2", {"L1-DEV-02": "yes"})
    assert visitor.shown("DEV[1].mitigations") == ["screen_lock", "encryption"]
    visitor.press("Keep this one", {"DEV[1].mitigations": ["encryption"]})
    plan: dict[str, str | list[str]] = {
        "L1-DEV-01": "partly", "PLAN[L1-DEV-01].what": "Buy one", "PLAN[L1-DEV-01].who": "Manager",
        "PLAN[L1-DEV-01].cost": "yes",
    }  # fmt: skip
    fill_in(visitor, {"devices": plan}).press("Send it now")
    ((_, answers, _, _),) = desk.sent.values()
    assert answers["DEV"] == [
        {"kind": "laptop", "how_many": 2, "controlled_by": "contractor", "mitigations": ["encryption"]}
    ]


def test_removing_a_row_moves_the_others_up(visitor: Visitor) -> None:
    visitor.open("/assessment/email")
    for n, address in enumerate(("a@x.example", "b@x.example", "c@x.example"), 1):
        visitor.press("Keep it and add another", {f"ACC[{n}].address": address, f"ACC[{n}].controlled_by": "provider"})
    visitor.press("Change a@x.example").press("Remove it")
    assert "a@x.example" not in visitor.words
    visitor.press("Change c@x.example")
    assert visitor.shown("ACC[2].address") == ["c@x.example"]


def test_a_row_too_many_is_not_taken(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/email").press(
        "Keep and go on", {"ACC[7].address": "late@x.example", "ACC[007].address": "spy@x.example"}
    )
    assert not any("x.example" in flat for _, flat in desk.drafts.values())


def test_a_part_may_be_left_open_and_progress_says_so(visitor: Visitor) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    visitor.press("Keep and go on", {"L1-ACCT-01": "yes"}).press("Leave it open and go on")
    assert visitor.path == "/assessment/email"
    assert "1 of 3" in visitor.words and "About you Done" in visitor.words
    visitor.open("/assessment/check")
    assert "things are still open" in visitor.words


def fill_in_with_gaps(visitor: Visitor) -> Visitor:
    """Everything answered, with no to each control of the backups and updates, and not one plan."""
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    while visitor.path != "/assessment/check":
        section = visitor.path.rpartition("/")[2]
        said = "no" if section in ("updates", "backups") else "yes"
        visitor.press("Keep and", SIGNED if section == "attestation" else answered(section, said))
        if visitor.status == 422:
            visitor.press("Leave it open and go on")
    return visitor


def test_progress_counts_the_plans_that_are_missing_when_every_question_is_answered(visitor: Visitor) -> None:
    gaps = sum(controls_asked(visitor, section) for section in ("updates", "backups"))
    fill_in_with_gaps(visitor)
    of = re.search(r"(\d+) of the \1 questions that apply to you are answered\. (.*?)\.", visitor.words)
    assert of and of[2] == f"Still open: {gaps} plans for gaps"
    visitor.open("/assessment/updates")
    assert f"Still open: {gaps} plans for gaps. About" in visitor.words
    assert "All are answered" not in visitor.words and "Updates 2 plans open" in visitor.words
    assert f"questions answered. Still open: {gaps} plans for gaps" in visitor.response.text
    assert f"Still open: {gaps} plans for gaps." in visitor.open("/assessment").words


def controls_asked(visitor: Visitor, section: str) -> int:
    """How many controls of a part this visitor is asked."""
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).open(f"/assessment/{section}")
    return sum(f'name="{q}"' in visitor.response.text for q in answered(section))


def test_a_plan_of_which_two_things_are_missing_is_one_plan(visitor: Visitor) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE)
    gap = answered("updates") | {"L1-UPD-01": "no", "PLAN[L1-UPD-01].what": "Switch it on"}
    visitor.open("/assessment/updates").press("Keep and go on", gap)
    assert "Updates 1 plan open" in visitor.words and "Still open: 1 plan for a gap." in visitor.words
    done = {"PLAN[L1-UPD-01].who": "Manager", "PLAN[L1-UPD-01].cost": "yes"}
    assert "Still missing" not in visitor.press("Keep and go on", done).words


def test_a_row_that_is_not_finished_is_counted_as_something_to_look_at(visitor: Visitor) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).open("/assessment/devices")
    device = answered("devices") | {"L1-DEV-01": "partly", "DEV[1].kind": "phone", "DEV[1].controlled_by": "contractor"}
    plan = {"PLAN[L1-DEV-01].what": "Buy one", "PLAN[L1-DEV-01].who": "Manager", "PLAN[L1-DEV-01].cost": "yes"}
    visitor.press("Keep and go on", device | plan)
    assert visitor.status == 422 and "Devices Look again" in visitor.words
    assert re.search(r"Still open: \d answers? to look at again\.", visitor.words)


def test_nothing_is_sent_while_something_is_open(visitor: Visitor, desk: MemoryDesk) -> None:
    visitor.open("/assessment/about_you").press("Keep and go on", PROFILE).open("/assessment/check").press(
        "Send it now"
    )
    assert visitor.status == 422 and visitor.title.startswith("Error:") and not desk.sent


def test_an_unknown_part_and_a_made_up_row_button_are_refused(visitor: Visitor) -> None:
    assert visitor.open("/assessment/nonsense").status == 404
    visitor.open("/assessment/email")
    sheet: _Values = {"csrf_token": visitor.shown("csrf_token"), "row": ["add NONSENSE 1"]}
    assert visitor.client.post("/assessment/email", data=sheet).status_code == 400
