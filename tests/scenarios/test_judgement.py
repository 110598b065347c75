"""What the answers come to: bands with their reasons, gaps and questions back, and mail that is not for us."""

from __future__ import annotations

from intake import triage
from intake.adapters.demo.answers import details
from tests.scenarios.world import (
    BREACH,
    KOWHAI,
    NOW,
    TRIAGE,
    OutcomeCode,
    World,
    acknowledged,
    assessment_file,
    notice,
    notice_file,
    silent,
)

UNKNOWN = {q: "dont_know" for q in ("A07", "A09", "A10", "A11")}


def test_T29_a_clients_complaint_is_held_apart_and_no_provider_is_told(world: World) -> None:
    body = "I am Rangimarie. I am not happy with how long my programme at Kōwhai Example Trust takes."
    done = world.send(sender="A. Person <rangimarie@household.co.nz>", subject="Complaint", body=body)
    case = world.case(done)
    assert (case.row.kind, case.row.provider) == ("other", None)
    assert world.row(done).next_due_what == "check_sender"
    (mail,) = world.outbox()
    assert (mail.to, mail.template) == ("rangimarie@household.co.nz", "acknowledgement_neutral")
    assert "Rangimarie" not in mail.body
    triage.close(world.parts, TRIAGE, case, case.row.version, "not_for_us", "Passed on to the complaints team.")
    assert world.queue() == ()


def test_T30_a_mail_with_a_name_and_a_hidden_address_is_s1_and_nothing_of_it_leaves(world: World) -> None:
    secret = "Waimarie Tangaroa now lives at 14 Kererū Crescent"
    file = notice_file(
        A06=f"We sent a letter to her former partner. {secret}.",
        A07="dont_know",
        A10="fear",
        A11="where_when",
        A09="ongoing",
        **details(
            B08=["address_kept_secret", "contact"], B09="protection_order", B13="ex_partner_family", B15=["none"]
        ),
    )
    done = world.send(body=f"Please call. {secret}.", subject=secret, files=[file])
    case = world.case(done)
    assert case.row.band == "S1"
    assert {"LOCATION", "COURT_ORDER"} <= world.codes(done)
    acknowledged(world, done, "office@trust.org.nz", "full", secret)
    shown = " ".join((*case.row.reasons, world.sentences(done), *(e.text for e in case.events)))
    assert "Waimarie" not in shown
    assert "Kererū" not in shown


def test_T35_danger_now_is_s1_by_web_and_is_called_within_the_hour(world: World) -> None:
    answers = notice(KOWHAI, NOW, "He has her address.", A07="yes", A10="dont_know", A11="dont_know")
    receipt = world.submit(BREACH, answers)
    case = world.view(receipt.reference)
    assert (case.row.band, case.row.status, case.row.next_due_what) == ("S1", "open", "first_contact")
    assert {"DANGER", "POSSIBLE_DANGER"} <= set(case.row.marks)
    assert "111" in " ".join(r.text for r in case.reasons)
    assert case.row.next_due is not None
    assert (case.row.next_due - NOW).total_seconds() == 3600
    assert world.queue()[0].reference == receipt.reference


def laptop(**more: object) -> dict[str, object]:
    return {
        "A10": "attacker",
        "A11": "private",
        **details(B05="stolen_device", B08=["contact"], B14="strong_encryption_key_safe", B12=["attacker"]),
        **more,
    }


def test_T36_a_stolen_laptop_well_encrypted_is_s4_with_its_reason(world: World) -> None:
    done = world.send(files=[notice_file(**laptop())])
    assert world.row(done).band == "S4"
    assert "ENCRYPTED" in world.codes(done)
    assert "B14" in " ".join(q for r in world.case(done).severity.reasons for q in r.questions)  # type: ignore[union-attr]


def test_T36_the_same_laptop_is_s1_all_the_same_when_somebody_is_in_danger(world: World) -> None:
    done = world.send(files=[notice_file(**laptop(A07="yes"))])
    assert world.row(done).band == "S1"


def test_T37_everything_unknown_is_s2_and_says_call(world: World) -> None:
    done = world.send(files=[notice_file(**UNKNOWN)])
    case = world.case(done)
    assert case.row.band == "S2"
    assert "TOO_LITTLE_KNOWN" in world.codes(done)
    assert "Call and ask" in world.sentences(done)
    assert {q.id for q in triage.open_questions(case)} >= {"A07", "A09", "A10", "A11"}


def test_T38_a_key_control_that_does_not_apply_without_a_reason_is_one_question_back(world: World) -> None:
    done = world.send(files=[assessment_file(**{"L1-INC-01": "not_applicable", "CONTACT": "P. Example", "CONTACT_EMAIL": "office@trust.org.nz"})])  # fmt: skip
    case = world.case(done)
    assert done.outcome is OutcomeCode.CASE_OPENED
    assert case.answers["L1-INC-01"].value == "not_applicable"
    assert [p.id for p in case.problems] == ["L1-INC-01-why"]
    assert case.score is not None
    assert case.score.in_place < case.score.applicable
    triage.ask_for_more(world.parts, TRIAGE, case, case.row.version, "office@trust.org.nz", ["L1-INC-01-why"])
    asked = world.mails_of(done)[0]
    assert (asked.to, asked.template) == ("office@trust.org.nz", "ask_for_more")
    assert "L1-INC-01-why" in asked.body


def test_T39_contractors_laptops_without_mitigations_are_a_key_gap_that_needs_a_plan(world: World) -> None:
    row = {"kind": "laptop", "controlled_by": "contractor", "used_by_role": "Facilitators", "opens": ["email"], "why_not_provided": "Cost"}  # fmt: skip
    done = world.send(files=[assessment_file(P_CONTRACTORS="yes", **{"L1-DEV-01": "no", "DEV": [row]})])
    case = world.case(done)
    assert (done.outcome, case.row.status) == (OutcomeCode.CASE_OPENED, "open")
    assert "KEY_GAP_NO_PLAN" in world.row(done).marks
    assert case.score is not None
    assert "L1-DEV-01" in case.score.key_gaps_without_plan
    assert "Ask for what, who and by when" in world.page(done.cases[0])
    assert "Key gap, no plan" in world.desk().open("/queue").words
    assert case.answers["DEV"].value == [row]


def test_a_newsletter_is_for_a_person_to_read_and_is_not_answered(world: World) -> None:
    done = world.send(
        sender="Sector News <news@sector.example>",
        subject="Privacy News: the first hours after a breach",
        body="In this issue: stolen devices, a letter to the wrong person, and five things to do today.",
        headers=[("Precedence", "bulk"), ("List-Unsubscribe", "<https://sector.example/u>")],
    )

    row = world.row(done)
    assert (row.kind, row.verdict, row.status) == ("other", "automatic", "held")
    assert silent(world, done)
