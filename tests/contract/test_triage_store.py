"""What staff see and do, on each engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from intake.adapters.store.case_rows import views_of
from intake.adapters.store.sql import SqlStore
from intake.domain.model import Due, OutcomeCode, Reason, Status
from intake.ports import Conflict, Correction, QueueFilter
from tests.contract.samples import (
    ASSESSMENT,
    AT,
    DRAFT,
    DUE,
    KOWHAI,
    OTHER,
    RATA,
    SEVERITY,
    filing,
    kept,
    mail,
    opened,
)
from tests.support.stores import SetClock

ANA, BEN = "ana@ministry.example", "ben@ministry.example"


def references(store: SqlStore, wanted: QueueFilter | None = None, **more: object) -> list[str]:
    return [row.reference for row in store.queue(wanted or QueueFilter(), **more)]  # type: ignore[arg-type]


def change(store: SqlStore, reference: str, **changes: object) -> int:
    row = store.case_row(reference)
    assert row is not None
    return store.change(reference, row.version, ANA, "changed", "Changed.", changes)


def due_at(hours: float) -> Due:
    return Due(first_contact=AT + timedelta(hours=hours), decision=AT + timedelta(hours=hours + 40))


# ---- the queue ----


def test_the_queue_is_ordered_by_what_is_due_first(store: SqlStore) -> None:
    for n, hours in enumerate((5, 1, 3, 1)):
        opened(store, n, draft=replace(DRAFT, due=due_at(hours)))

    assert references(store) == ["BN-0001-A", "BN-0003-A", "BN-0002-A", "BN-0000-A"]


def test_the_pages_of_the_queue_show_every_case_once(store: SqlStore) -> None:
    for n in range(23):
        opened(store, n, draft=replace(DRAFT, due=due_at(n % 4)))
    for n in range(3):
        change(store, f"BN-{n:04d}-A", status=Status.CLOSED)

    for wanted, all_of_them in ((QueueFilter(), 20), (QueueFilter(include_closed=True), 23)):
        seen: list[str] = []
        while page := store.queue(wanted, None, 6, seen[-1] if seen else None):
            seen += [row.reference for row in page]
        assert len(seen) == len(set(seen)) == all_of_them
        assert seen[:20] == references(store, limit=50)


def test_each_filter_of_the_queue_narrows_it(store: SqlStore) -> None:
    store.save_providers([KOWHAI, RATA])
    opened(store, 1, "BN-0001-A", DRAFT)
    opened(store, 2, "SA-0002-A", replace(ASSESSMENT, provider="rata-law"))
    opened(store, 3, "OT-0003-A", OTHER)
    change(store, "OT-0003-A", assignee=ANA)

    for wanted, expected in (
        (QueueFilter(kinds=("breach_notice",)), {"BN-0001-A"}),
        (QueueFilter(kinds=("breach_notice", "other")), {"BN-0001-A", "OT-0003-A"}),
        (QueueFilter(bands=("S2",)), {"BN-0001-A"}),
        (QueueFilter(bands=("S1",)), set()),
        (QueueFilter(statuses=("held",)), {"SA-0002-A"}),
        (QueueFilter(verdicts=("verified_account",)), {"BN-0001-A", "SA-0002-A", "OT-0003-A"}),
        (QueueFilter(assignee=ANA), {"OT-0003-A"}),
        (QueueFilter(assignee="nobody"), {"BN-0001-A", "SA-0002-A"}),
        (QueueFilter(provider="rata-law"), {"SA-0002-A"}),
        (QueueFilter(duty="provider"), {"BN-0001-A", "SA-0002-A", "OT-0003-A"}),
        (QueueFilter(duty="ministry"), set()),
        (QueueFilter(due_before=AT + timedelta(hours=5)), {"BN-0001-A", "OT-0003-A"}),
        (QueueFilter(marks=("POSSIBLE_DANGER",)), {"BN-0001-A"}),
        (QueueFilter(marks=("POSSIBLEXDANGER",)), set()),
        (QueueFilter(marks=("KEY_GAP_NO_PLAN", "POSSIBLE_DANGER")), {"BN-0001-A", "SA-0002-A"}),
        (QueueFilter(text="kowhai whanau"), {"BN-0001-A"}),
        (QueueFilter(text="RĀTĀ"), {"SA-0002-A"}),
        (QueueFilter(text="bn-0001"), {"BN-0001-A"}),
        (QueueFilter(text="panui 3"), {"OT-0003-A"}),
        (QueueFilter(text="100%"), set()),
        (QueueFilter(text="kowhai.e_ample"), set()),
    ):
        assert set(references(store, wanted)) == expected, wanted


def test_a_reader_sees_no_kind_that_is_not_theirs_whatever_they_ask_for(store: SqlStore) -> None:
    opened(store, 1, "BN-0001-A", DRAFT)
    opened(store, 2, "SA-0002-A", ASSESSMENT)

    assert references(store, kinds=["self_assessment"]) == ["SA-0002-A"]
    assert references(store, QueueFilter(kinds=("breach_notice",)), kinds=["self_assessment"]) == []
    assert references(store, kinds=[]) == []
    assert store.counts(kinds=["self_assessment"])["open"] == 1
    assert sum(store.counts(kinds=[]).values()) == 0


def test_the_counts_are_those_of_the_cases_whatever_was_done_to_them(store: SqlStore, clock: SetClock) -> None:
    opened(store, 1, "BN-0001-A", DRAFT)
    opened(store, 2, "SA-0002-A", ASSESSMENT)
    opened(store, 3, "OT-0003-A", replace(OTHER, status=Status.NEEDS_PERSON))
    opened(store, 4, "BN-0004-A", DRAFT)
    change(store, "BN-0001-A", assignee=ANA)
    change(store, "BN-0001-A", assignee=BEN, status=Status.WAITING_PROVIDER)
    change(store, "SA-0002-A", assignee=ANA)
    change(store, "BN-0004-A", status=Status.CLOSED)
    change(store, "SA-0002-A", marks=("CHECK_FIRST",))
    clock.at = AT + timedelta(hours=5)

    assert store.counts(ANA) == {
        "open": 3,
        "breach_notice": 1,
        "self_assessment": 1,
        "other": 1,
        "nobody": 1,
        "mine": 1,
        "held": 1,
        "needs_person": 1,
        "waiting_provider": 1,
        "key_gap": 0,
        "second_person": 0,
        "overdue": 2,
        "closed": 1,
    }
    counted: Counter[str] = Counter()
    with store.engine.connect() as connection:
        for row in connection.exec_driver_sql("SELECT * FROM cases").mappings():
            counted += views_of(row)
        kept_counts = connection.exec_driver_sql("SELECT name, n FROM counters WHERE n <> 0").all()
    assert dict(counted) == {name: n for name, n in kept_counts}


def test_changed_since_tells_a_page_whether_to_look_again(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    seen = clock()
    assert store.changed_since(seen) == 0

    clock.forward(seconds=1)
    store.add_note("BN-0001-A", ANA, "note", "A note.")

    assert store.changed_since(seen) == 1
    store.viewed("BN-0001-A", ANA)
    assert store.changed_since(clock()) == 0


def test_the_cases_of_a_provider_are_listed_the_closed_ones_last(store: SqlStore) -> None:
    store.save_providers([KOWHAI])
    for n in (1, 2):
        opened(store, n)
    opened(store, 3, draft=OTHER)
    change(store, "BN-0001-A", status=Status.CLOSED)

    assert [row.reference for row in store.cases_of("kowhai-trust")] == ["BN-0002-A", "BN-0001-A"]


# ---- changes ----


def test_a_change_is_seen_with_its_event_and_a_new_version(store: SqlStore, clock: SetClock) -> None:
    store.save_providers([KOWHAI, RATA])
    opened(store)
    clock.forward(minutes=5)
    worse = replace(SEVERITY, band="S1", by=ANA)

    version = store.change(
        "BN-0001-A",
        1,
        ANA,
        "triaged",
        "Taken on.",
        {
            "status": Status.WAITING_OTHER,
            "assignee": ANA,
            "severity": worse,
            "due": due_at(1),
            "provider": "rata-law",
            "duty": "ministry",
            "outcome": "",
            "outcome_reason": "",
            "marks": ("READ_FIRST",),
            "title": "Lost phone",
            "service": "law",
        },
        {"why": "read"},
    )

    case = store.case("BN-0001-A")
    assert case is not None
    row = case.row
    assert version == row.version == 2
    assert (row.status, row.assignee, row.band, row.duty) == ("waiting_other", ANA, "S1", "ministry")
    assert (row.provider, row.provider_name) == ("rata-law", "Rātā Community Law")
    assert (row.marks, row.service, row.changed_at) == (("READ_FIRST",), "law", clock())
    assert (case.severity, case.due) == (worse, due_at(1))
    assert (row.next_due, row.next_due_what) == (due_at(1).first_contact, "first_contact")  # to wait is no call
    event = case.events[-1]
    assert (event.actor, event.action, event.text, event.at) == (ANA, "triaged", "Taken on.", clock())
    assert event.detail["why"] == "read"
    assert event.detail["changes"]["band"] == ["S2", "S1"]  # type: ignore[index]
    assert references(store, QueueFilter(text="rata")) == ["BN-0001-A"]
    assert store.verify_events()[1] is None


def test_a_change_to_what_somebody_else_changed_is_refused(store: SqlStore) -> None:
    opened(store)
    store.change("BN-0001-A", 1, ANA, "assigned", "", {"assignee": ANA})

    with pytest.raises(Conflict):
        store.change("BN-0001-A", 1, BEN, "assigned", "", {"assignee": BEN})

    case = store.case("BN-0001-A")
    assert case is not None
    assert case.row.assignee == ANA
    assert [e.action for e in case.events].count("assigned") == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reference": "BN-9999-A"}, KeyError),
        ({"provider": "nobody-knows"}, KeyError),
        ({"status": "asleep"}, ValueError),
        ({"severity": "S1"}, TypeError),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_whole(
    store: SqlStore, changes: dict[str, object], error: type[Exception]
) -> None:
    opened(store)

    with pytest.raises(error):
        store.change("BN-0001-A", 1, ANA, "x", "", {"assignee": ANA, **changes})

    row = store.case_row("BN-0001-A")
    assert row is not None
    assert (row.version, row.assignee) == (1, None)


def test_an_unknown_reference_is_said(store: SqlStore) -> None:
    assert store.case("BN-0001-A") is None
    assert store.case_row("BN-0001-A") is None
    assert store.case_answers("BN-0001-A") == {}
    with pytest.raises(KeyError):
        store.change("BN-0001-A", 1, ANA, "x", "", {})
    with pytest.raises(KeyError):
        store.add_note("BN-0001-A", ANA, "note", "x")
    with pytest.raises(KeyError):
        store.viewed("BN-0001-A", ANA)


def test_a_closed_case_leaves_the_queue_and_comes_back_when_reopened(store: SqlStore) -> None:
    opened(store)

    change(store, "BN-0001-A", status=Status.CLOSED, outcome="not_a_breach", outcome_reason="Nothing left the office.")

    case = store.case("BN-0001-A")
    assert case is not None
    assert (case.outcome, case.outcome_reason, case.row.next_due) == ("not_a_breach", "Nothing left the office.", None)
    assert references(store) == []
    assert references(store, QueueFilter(include_closed=True)) == ["BN-0001-A"]
    change(store, "BN-0001-A", status=Status.OPEN)
    assert references(store) == ["BN-0001-A"]


def test_a_held_case_that_is_opened_says_its_own_reasons_first(store: SqlStore) -> None:
    opened(store, 1, "BN-0001-A", replace(DRAFT, status=Status.NEEDS_PERSON))
    held = store.case_row("BN-0001-A")
    change(store, "BN-0001-A", status=Status.OPEN)
    after = store.case_row("BN-0001-A")

    assert held is not None
    assert after is not None
    assert held.reasons[0] == DRAFT.reasons[0].text
    assert after.reasons[0] == SEVERITY.reasons[0].text


def test_band_and_reasons_that_change_together_are_both_what_the_queue_says(store: SqlStore) -> None:
    opened(store)
    reasons = (Reason("NEW", "It is something else."),)

    change(store, "BN-0001-A", severity=None, reasons=reasons)

    case = store.case("BN-0001-A")
    assert case is not None
    assert (case.severity, case.reasons, case.row.band) == (None, reasons, None)
    assert case.row.reasons == ("It is something else.",)
    change(store, "BN-0001-A", reasons=DRAFT.reasons, severity=SEVERITY)
    again = store.case("BN-0001-A")
    assert again is not None
    assert (again.severity, again.reasons) == (SEVERITY, DRAFT.reasons)


def test_a_corrected_answer_stands_beside_what_was_read(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    calmer = replace(SEVERITY, band="S3")
    correction = Correction("A05", ["names"], ["health", "names"], ANA, clock(), "corrected")
    reasons = (Reason("CORRECTED", "A05 was corrected."),)

    assert store.correct("BN-0001-A", 1, ANA, correction, calmer, DUE, reasons, {"duty": "ministry"}) == 2

    case = store.case("BN-0001-A")
    assert case is not None
    assert case.corrections == (correction,)
    assert case.answers["A05"].value == ["health", "names"]
    assert (case.severity, case.reasons, case.row.band) == (calmer, reasons, "S3")
    now = store.case_answers("BN-0001-A")
    assert (now["A05"].value, now["A05"].how) == (["names"], "person")
    assert case.events[-1].detail == {
        "question": "A05",
        "how": "corrected",
        "changes": {"band": ["S2", "S3"], "duty": ["provider", "ministry"]},
    }
    with pytest.raises(Conflict):
        store.correct("BN-0001-A", 1, BEN, correction, calmer, DUE, reasons, {})


def test_an_answer_that_cannot_be_read_counts_as_none(store: SqlStore, clock: SetClock) -> None:
    opened(store)
    unreadable = Correction("A05", None, ["health", "names"], ANA, clock(), "unreadable")

    store.correct("BN-0001-A", 1, ANA, unreadable, SEVERITY, DUE, (), {})

    assert "A05" not in store.case_answers("BN-0001-A")


def test_a_call_is_the_first_contact_and_a_note_is_not(store: SqlStore, clock: SetClock) -> None:
    opened(store)

    store.add_note("BN-0001-A", ANA, "note", "Kua pānuitia.")
    noted = store.case_row("BN-0001-A")
    clock.forward(minutes=1)
    store.add_note("BN-0001-A", ANA, "call", "Spoke with the office.")
    called = store.case("BN-0001-A")

    assert noted is not None
    assert called is not None
    assert noted.next_due_what == "first_contact"
    assert (called.row.next_due, called.row.next_due_what, called.row.version) == (DUE.decision, "decision", 1)
    assert [(m.direction, m.text) for m in called.messages if m.direction in ("note", "call")] == [
        ("note", "Kua pānuitia."),
        ("call", "Spoke with the office."),
    ]
    assert all("Spoke" not in e.text for e in called.events)


def test_a_mail_of_staff_is_queued_once_and_is_the_first_contact(store: SqlStore) -> None:
    opened(store, mails=())

    store.queue_mail("BN-0001-A", mail("ask:1"), ANA)
    store.queue_mail("BN-0001-A", mail("ask:1"), ANA)

    case = store.case("BN-0001-A")
    assert case is not None
    assert case.row.next_due_what == "decision"
    assert [m.direction for m in case.messages] == ["in", "out"]
    assert [e.actor for e in case.events if e.action == "mail_queued"] == [ANA]


def test_a_mail_may_belong_to_no_case(store: SqlStore) -> None:
    store.queue_mail(None, mail("sign-in:1"), "system")

    assert [m.case for m in store.mails()] == [None]
    assert [m.case for m in store.claim_mails(5, 60)] == [None]


def test_linked_cases_name_each_other_once(store: SqlStore) -> None:
    for n in (1, 2):
        opened(store, n)

    store.link("BN-0002-A", "BN-0001-A", ANA)
    store.link("BN-0001-A", "BN-0002-A", ANA)

    for one, other in (("BN-0001-A", "BN-0002-A"), ("BN-0002-A", "BN-0001-A")):
        case = store.case(one)
        assert case is not None
        assert case.linked == (other,)
    with pytest.raises(ValueError, match="itself"):
        store.link("BN-0001-A", "BN-0001-A", ANA)
    with pytest.raises(KeyError):
        store.link("BN-0001-A", "BN-0009-A", ANA)


def test_who_looked_is_on_record_and_not_in_the_way(store: SqlStore) -> None:
    opened(store)
    before = store.case("BN-0001-A")

    store.viewed("BN-0001-A", ANA)

    assert store.case("BN-0001-A") == before
    assert store.verify_events() == (6, None)


def test_suggestions_come_with_the_case_and_disturb_nobody(store: SqlStore) -> None:
    opened(store, suggest=True)
    jobs = store.claim(["suggest"], 5, 60, "w")
    row = store.case_row("BN-0001-A")
    assert row is not None

    store.suggest(jobs[0].subject, [{"question": "A05", "value": "names", "page": 2}])

    case = store.case("BN-0001-A")
    assert case is not None
    assert jobs[0].subject == row.id
    assert store.case_reference(row.id) == "BN-0001-A"
    assert store.case_reference(row.id + 1) is None
    assert case.suggestions == ({"question": "A05", "value": "names", "page": 2},)
    assert case.row.version == 1
    assert store.finish(jobs[0])


def test_another_document_for_a_case_is_suggested_from_again(store: SqlStore) -> None:
    opened(store, suggest=True)
    (job,) = store.claim(["suggest"], 5, 60, "w")
    store.finish(job)

    store.file(
        filing(kept(store, 2), "BN-0009-A", OTHER, outcome=OutcomeCode.CASE_UPDATED, update="BN-0001-A", suggest=True)
    )

    (again,) = store.claim(["suggest"], 5, 60, "w")
    assert (again.subject, again.attempt) == (job.subject, 1)  # it has all its attempts again
