"""Filing: all of a message or nothing of it, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from forms.schema import Problem
from intake.adapters.store import tables as t
from intake.adapters.store.sql import SqlStore
from intake.domain.model import Due, OutcomeCode, ReadAnswer, Severity
from intake.ports import ReferenceTaken
from tests.contract.samples import (
    ANSWERS,
    ASSESSMENT,
    AT,
    DOCUMENT,
    DRAFT,
    DUE,
    KOWHAI,
    OTHER,
    SENDER,
    SEVERITY,
    filing,
    kept,
    mail,
    opened,
    to_keep,
)
from tests.support.stores import SetClock


def rows(store: SqlStore, table: str) -> int:
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_a_case_comes_back_as_it_was_filed(store: SqlStore) -> None:
    store.save_providers([KOWHAI])
    delivery = kept(store)

    assert store.file(filing(delivery)) == ("BN-0001-A",)

    case = store.case("BN-0001-A")
    assert case is not None
    assert (case.sender, case.severity, case.due, case.score) == (SENDER, SEVERITY, DUE, None)
    assert (case.form, case.edition) == ("breach-notice", "2026.1")
    assert case.answers == ANSWERS
    assert case.reasons == DRAFT.reasons
    assert case.problems == (Problem("A06", "missing", "Say how many people."),)
    assert case.raw == delivery.raw
    (document,) = case.documents
    assert document.read == DOCUMENT
    assert (document.name, document.path, document.size, document.delivery) == (DOCUMENT.name, "1.2", 5000, delivery.id)
    row = case.row
    assert row == store.case_row("BN-0001-A")
    assert (row.provider, row.provider_name, row.says_provider) == (
        "kowhai-trust",
        "Kōwhai Whānau Trust",
        "Kowhai Trust",
    )
    assert (row.kind, row.band, row.status, row.verdict) == ("breach_notice", "S2", "open", "verified_account")
    assert row.reasons == (SEVERITY.reasons[0].text, SEVERITY.reasons[1].text)
    assert (row.next_due, row.next_due_what) == (DUE.first_contact, "first_contact")
    assert (row.received_at, row.aware_at) == (AT, DRAFT.aware_at)
    assert (row.marks, row.version, row.assignee) == (("POSSIBLE_DANGER",), 1, None)


def test_the_history_of_a_new_case_says_what_was_done_and_why(store: SqlStore) -> None:
    case = store.case(opened(store))

    assert case is not None
    assert [e.action for e in case.events] == ["kept", "sender_checked", "answers_read", "routed", "mail_queued"]
    assert [e.seq for e in case.events] == [1, 2, 3, 4, 5]
    assert case.events[1].text == SENDER.reason
    assert case.events[3].detail["rule_set"] == "2026.1"
    assert store.verify_events() == (5, None)


def test_the_mail_and_its_answer_stand_on_the_case(store: SqlStore) -> None:
    case = store.case(opened(store))

    assert case is not None
    came, went = case.messages
    assert (came.direction, came.subject, came.text, came.who) == (
        "in",
        "Pānui 1",
        "Tēnā koe,\nsee the form.",
        "kowhai.example",
    )
    assert came.delivery == 1
    assert (went.direction, went.who, went.state) == ("out", "Mere@kowhai.example", "queued")


def test_a_message_may_open_two_cases_that_know_of_each_other(store: SqlStore) -> None:
    delivery = kept(store)
    both = (("BN-0001-A", DRAFT), ("SA-0001-A", ASSESSMENT))

    assert store.file(filing(delivery, drafts=both)) == ("BN-0001-A", "SA-0001-A")

    notice, assessment = store.case("BN-0001-A"), store.case("SA-0001-A")
    assert notice is not None
    assert assessment is not None
    assert notice.linked == ("SA-0001-A",)
    assert assessment.linked == ("BN-0001-A",)
    assert assessment.answers == ASSESSMENT.answers
    assert assessment.score == ASSESSMENT.score
    assert [m.subject for m in assessment.messages] == ["Pānui 1"]
    assert len(assessment.documents) == 1
    assert store.filed(delivery.id) == ("BN-0001-A", "SA-0001-A")


def test_the_plan_and_the_devices_of_an_assessment_become_rows_and_junk_does_not(store: SqlStore) -> None:
    opened(store, 1, "SA-0001-A", ASSESSMENT)

    with store.engine.connect() as connection:
        (plan,) = connection.execute(t.plan_items.select()).all()
        (device,) = connection.execute(t.devices.select()).all()
    assert (plan.control, plan.what, plan.by_when, plan.cost) == ("L1-DEV-01", "Buy laptops", "2026-12", True)
    assert (device.kind, device.how_many, device.mitigations) == ("phone", 3, '["screen_lock"]')


def test_a_held_case_says_first_why_it_is_held(store: SqlStore) -> None:
    row = store.case_row(opened(store, 1, "SA-0001-A", ASSESSMENT))

    assert row is not None
    assert row.reasons == ("The sender is to be checked first.",)
    assert (row.next_due, row.next_due_what) == (ASSESSMENT.due.read_by, "check_sender")
    assert store.delivery(1).outcome is OutcomeCode.HELD


def test_a_reference_in_use_is_said_and_nothing_is_written(store: SqlStore) -> None:
    opened(store, 1)
    delivery = kept(store, 2)
    (job,) = store.claim(["process"], 1, 60, "w")

    with pytest.raises(ReferenceTaken):
        store.file(filing(delivery, "BN-0001-A", job=job))

    assert store.filed(delivery.id) is None
    assert (rows(store, "cases"), rows(store, "documents"), rows(store, "outbox")) == (1, 1, 1)
    assert store.verify_events() == (5, None)
    assert store.counts()["open"] == 1
    assert store.file(filing(delivery, "BN-0002-A", job=job)) == ("BN-0002-A",)


@pytest.mark.parametrize("table", ["documents", "cases", "submissions", "outbox", "case_events", "counters"])
def test_a_failure_at_any_table_leaves_nothing(store: SqlStore, table: str) -> None:
    delivery = kept(store)
    (job,) = store.claim(["process"], 1, 60, "w")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO away")

    with pytest.raises(Exception, match=r"away|relation|table|database"):
        store.file(filing(delivery, job=job))

    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE away RENAME TO {table}")
    for each in ("documents", "cases", "submissions", "outbox", "case_events", "counters"):
        assert rows(store, each) == 0
    assert store.filed(delivery.id) is None
    assert store.file(filing(delivery, job=job)) == ("BN-0001-A",)


def test_filing_a_delivery_again_changes_nothing(store: SqlStore) -> None:
    delivery = kept(store)
    store.file(filing(delivery))

    assert store.file(filing(delivery, "BN-0002-A")) == ("BN-0001-A",)

    assert store.case_row("BN-0002-A") is None
    assert store.verify_events() == (5, None)


def test_the_same_message_by_another_way_ends_as_a_duplicate(store: SqlStore) -> None:
    one = kept(store, 1)
    two = kept(store, 2, content=1, mailbox="other")
    first, second = store.claim(["process"], 2, 60, "w")
    assert store.note_duplicate(two, second) is None
    store.file(filing(one, job=first))

    assert store.note_duplicate(two, second) == "BN-0001-A"
    assert store.note_duplicate(two, second) == "BN-0001-A"

    assert store.delivery(two.id).outcome is OutcomeCode.DUPLICATE
    assert store.filed(two.id) == ("BN-0001-A",)
    case = store.case("BN-0001-A")
    assert case is not None
    assert [e.action for e in case.events].count("duplicate") == 1
    assert store.job_counts() == {"due": 0, "later": 0, "leased": 0, "person": 0}


def test_two_workers_that_file_one_message_open_one_case(store: SqlStore) -> None:
    one, two = kept(store, 1), kept(store, 2, content=1, mailbox="other")
    first, second = store.claim(["process"], 2, 60, "w")

    assert store.file(filing(one, "BN-0001-A", job=first)) == ("BN-0001-A",)
    assert store.file(filing(two, "BN-0002-A", job=second)) == ("BN-0001-A",)

    assert rows(store, "cases") == 1
    assert store.delivery(two.id).outcome is OutcomeCode.DUPLICATE


def test_a_message_without_a_case_still_has_its_outcome(store: SqlStore) -> None:
    one, two = kept(store, 1), kept(store, 2, content=1, mailbox="other")

    assert store.file(filing(one, drafts=(), outcome=OutcomeCode.AUTOMATIC, mails=(), documents=())) == ()

    assert store.filed(one.id) == ()
    assert store.note_duplicate(two, None) == ""
    assert store.outcomes()["outcomes"] == {
        **dict.fromkeys([code.value for code in OutcomeCode], 0),
        "automatic": 1,
        "duplicate": 1,
    }


def test_a_command_that_files_without_a_job_leaves_no_job_behind(store: SqlStore) -> None:
    delivery = kept(store)
    (job,) = store.claim(["process"], 1, 60, "w")

    store.file(filing(delivery))

    assert not store.finish(job)
    assert store.job_counts()["leased"] == 0


def test_the_same_form_sent_again_is_found_and_noted_on_its_case(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    files = [f"{1:064x}"]
    draft_address = replace(SENDER, inner=None)
    second = kept(store, 2)
    assert store.case_with_document(files, "MERE@kowhai.example", AT - timedelta(days=14)) is None  # inner sender rules
    store.file(filing(second, "BN-0002-A", replace(DRAFT, sender=draft_address)))

    assert store.case_with_document([f"{2:064x}"], "MERE@kowhai.example", AT - timedelta(days=14)) == "BN-0002-A"
    assert store.case_with_document([f"{2:064x}"], "mere@kowhai.example", AT + timedelta(seconds=1)) is None
    assert store.case_with_document([f"{2:064x}"], "other@kowhai.example", AT - timedelta(days=14)) is None
    assert store.case_with_document([], "mere@kowhai.example", AT) is None

    third = kept(store, 3)
    again = filing(third, "BN-0003-A", outcome=OutcomeCode.DUPLICATE, duplicate_of="BN-0002-A", mails=())
    assert store.file(again) == ("BN-0002-A",)
    assert store.case_row("BN-0003-A") is None
    case = store.case("BN-0002-A")
    assert case is not None
    assert case.events[-1].action == "duplicate"
    assert [m.subject for m in case.messages if m.direction == "in"] == ["Pānui 2", "Pānui 3"]
    assert store.delivery(third.id).outcome is OutcomeCode.DUPLICATE


def test_more_of_a_notice_is_added_to_its_case_and_cannot_calm_it(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    clock.forward(hours=1)
    calmer = replace(SEVERITY, band="S4", reasons=())
    more = replace(
        DRAFT,
        severity=calmer,
        due=Due(first_contact=AT + timedelta(days=3)),
        answers={"B01": ReadAnswer("text", "acroform"), "A01": ReadAnswer("Kōwhai", "web")},
        marks=("SUPPLIER_CHAIN",),
        problems=(),
    )

    added = store.file(
        filing(
            kept(store, 2),
            "BN-0009-A",
            more,
            outcome=OutcomeCode.CASE_UPDATED,
            update="BN-0001-A",
            mails=((-1, mail("ack:2")),),
        )
    )

    assert added == ("BN-0001-A",)
    case = store.case("BN-0001-A")
    assert case is not None
    assert (case.severity, case.due) == (SEVERITY, DUE)
    assert case.row.marks == ("POSSIBLE_DANGER", "SUPPLIER_CHAIN")
    assert (case.row.version, case.row.changed_at, case.row.status) == (2, clock(), "open")
    assert case.answers == {**ANSWERS, **more.answers}
    assert store.case_answers("BN-0001-A") == {**ANSWERS, **more.answers}
    assert case.problems == ()
    assert [e.action for e in case.events][-2:] == ["message_added", "mail_queued"]
    assert len(case.documents) == 2
    assert store.case_row("BN-0009-A") is None
    assert store.counts()["open"] == 1


def test_more_of_a_notice_can_make_it_more_urgent(store: SqlStore) -> None:
    opened(store)
    worse: Severity = replace(
        SEVERITY, band="S1", reasons=(replace(SEVERITY.reasons[0], text="A person is in danger."),)
    )
    more = replace(DRAFT, severity=worse, due=replace(DUE, first_contact=AT + timedelta(hours=1)))

    store.file(filing(kept(store, 2), "BN-0009-A", more, outcome=OutcomeCode.CASE_UPDATED, update="BN-0001-A"))

    row = store.case_row("BN-0001-A")
    assert row is not None
    assert (row.band, row.next_due, row.reasons[0]) == ("S1", AT + timedelta(hours=1), "A person is in danger.")


def test_a_plain_reply_is_added_without_touching_the_answers(store: SqlStore) -> None:
    opened(store)

    store.file(
        filing(kept(store, 2), "OT-0002-A", OTHER, outcome=OutcomeCode.CASE_UPDATED, update="BN-0001-A", documents=())
    )

    case = store.case("BN-0001-A")
    assert case is not None
    assert (case.severity, case.due, case.form, dict(case.answers)) == (SEVERITY, DUE, "breach-notice", ANSWERS)
    assert case.row.version == 2


def test_a_bounce_is_noted_on_the_case_whose_mail_bounced(store: SqlStore) -> None:
    opened(store)
    bounce = kept(store, 2)

    store.file(filing(bounce, drafts=(), outcome=OutcomeCode.AUTOMATIC, update="BN-0001-A", mails=(), documents=()))

    case = store.case("BN-0001-A")
    assert case is not None
    assert case.events[-1].action == "automatic_answer"
    assert store.delivery(bounce.id).outcome is OutcomeCode.AUTOMATIC


def test_an_answer_is_found_by_the_message_it_answers(store: SqlStore) -> None:
    opened(store, 1)
    opened(store, 2)
    ours = store.claim_mails(10, 60)[1].message_id

    assert store.reference_for_message_id(["mail-1@kowhai.example"]) == "BN-0001-A"
    assert store.reference_for_message_id(["<nothing@x>", f" {ours} "]) == "BN-0002-A"
    assert store.reference_for_message_id([ours, "<mail-1@kowhai.example>"]) == "BN-0002-A"
    assert store.reference_for_message_id([]) is None
    assert store.reference_for_message_id(["", "<>"]) is None


def test_a_document_is_found_with_the_case_it_belongs_to(store: SqlStore) -> None:
    opened(store)

    found = store.document(1)

    assert found is not None
    assert (found[0].read, found[1]) == (DOCUMENT, "BN-0001-A")
    assert store.document(99) is None


def test_bytes_that_an_engine_refuses_are_replaced_and_nothing_is_lost(store: SqlStore) -> None:
    hostile = "a\x00b\ud800c"
    draft = replace(DRAFT, says_provider=hostile, service=hostile, answers={"A01": ReadAnswer(hostile, "text")})
    document = replace(DOCUMENT, name=hostile, media_type="x" * 300)

    store.file(
        filing(kept(store), draft=draft, subject=hostile, body=hostile, documents=((hostile, 1, "0" * 64, document),))
    )

    case = store.case("BN-0001-A")
    assert case is not None
    assert case.messages[0].subject == "a\ufffdb\ufffdc"
    assert case.answers["A01"].value == hostile
    assert case.documents[0].read.name == hostile


def test_keeping_and_filing_of_many_leaves_an_unbroken_chain(store: SqlStore) -> None:
    deliveries = store.keep([to_keep(n) for n in range(20)])
    for n, delivery in enumerate(deliveries):
        store.file(filing(delivery, f"BN-{n:04d}-A", DRAFT if n % 2 else ASSESSMENT))

    assert store.verify_events() == (20 * 5, None)
    assert store.outcomes()["outcomes"] == {
        **dict.fromkeys([code.value for code in OutcomeCode], 0),
        "case_opened": 10,
        "held": 10,
    }
