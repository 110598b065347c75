"""The register of providers, staff and their sessions, drafts, mailboxes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intake.adapters.store.sql import SqlStore
from intake.domain.model import Contact
from intake.ports import MailboxState, QueueFilter, Staff
from tests.contract.samples import KOWHAI, RATA, opened
from tests.support.stores import SetClock

ANA = "ana@ministry.example"


# ---- providers ----


def test_providers_come_back_as_they_were_saved_in_the_order_of_their_slugs(store: SqlStore) -> None:
    assert (store.providers(), store.registry_version()) == ((), 0)

    store.save_providers([RATA, KOWHAI])

    assert store.providers() == (KOWHAI, RATA)
    assert store.provider("kowhai-trust") == KOWHAI
    assert store.provider("nobody") is None
    assert store.registry_version() == 1


def test_a_saved_provider_replaces_the_one_before_and_its_cases_take_the_new_name(store: SqlStore) -> None:
    store.save_providers([KOWHAI, RATA])
    opened(store)
    moved = replace(
        KOWHAI, name="Kōwhai Hou", domains=("hou.example",), contacts=(Contact("x@hou.example"),), exceptions=()
    )

    store.save_providers([moved])

    assert store.providers() == (moved, RATA)
    assert store.registry_version() == 2
    row = store.case_row("BN-0001-A")
    assert row is not None
    assert row.provider_name == "Kōwhai Hou"


def test_two_providers_may_share_a_domain(store: SqlStore) -> None:
    sharing = replace(RATA, domains=KOWHAI.domains)

    store.save_providers([KOWHAI, sharing])

    assert [p.domains for p in store.providers()] == [KOWHAI.domains, KOWHAI.domains]


def test_saving_nothing_breaks_nothing(store: SqlStore) -> None:
    store.save_providers([])

    assert store.providers() == ()


# ---- staff ----


def test_staff_are_found_by_address_in_any_case_and_may_change_their_role(store: SqlStore) -> None:
    assert store.staff_member(ANA) is None

    store.add_staff("Ana@Ministry.example ", "triage", "Ana Example")
    changed = store.add_staff(ANA, "privacy_lead")

    assert changed == Staff(ANA, "privacy_lead", "Ana Example", True)
    assert store.staff_member("ANA@ministry.example") == changed
    store.add_staff("ben@ministry.example", "auditor", "Ben")
    assert [member.address for member in store.all_staff()] == [ANA, "ben@ministry.example"]


def test_whoever_left_signs_in_no_more_and_is_out_at_once(store: SqlStore, clock: SetClock) -> None:
    store.add_staff(ANA, "triage", "Ana Example")
    store.add_session("s1", ANA, clock() + timedelta(hours=12))
    store.add_link("l1", ANA, "browser", clock() + timedelta(minutes=15))

    assert store.retire_staff("Ana@ministry.example")

    assert store.session("s1", clock(), 1800) is None
    assert store.use_link("l1", "browser", clock()) is None
    member = store.staff_member(ANA)
    assert member is not None and not member.active
    assert not store.retire_staff(ANA)
    assert store.add_staff(ANA, "auditor").active


def test_a_link_opens_once_for_its_browser_and_in_its_time(store: SqlStore, clock: SetClock) -> None:
    expires = clock() + timedelta(minutes=15)
    store.add_link("token", ANA, "browser", expires)
    store.add_link("late", ANA, "browser", expires)

    assert store.use_link("token", "another browser", clock()) is None
    assert store.use_link("unknown", "browser", clock()) is None
    assert store.use_link("late", "browser", expires) is None
    assert store.use_link("token", "browser", clock()) == ANA
    assert store.use_link("token", "browser", clock()) is None


def test_a_session_lasts_while_it_is_used_and_not_beyond_its_end(store: SqlStore, clock: SetClock) -> None:
    store.add_staff(ANA, "triage", "Ana")
    started, expires = clock(), clock() + timedelta(hours=8)
    store.add_session("token", ANA, expires)

    for _ in range(3):
        found = store.session("token", clock.forward(minutes=25), 1800)
        assert found is not None
        assert (found.staff.name, found.started_at, found.expires_at) == ("Ana", started, expires)
    assert store.session("token", clock() + timedelta(minutes=31), 1800) is None
    assert store.session("token", expires, 10**6) is None
    assert store.session("unknown", clock(), 1800) is None


def test_an_ended_session_is_over(store: SqlStore, clock: SetClock) -> None:
    store.add_staff(ANA, "triage")
    store.add_session("token", ANA, clock() + timedelta(hours=8))

    store.end_session("token")

    assert store.session("token", clock(), 1800) is None


def test_somebody_who_left_has_no_session(store: SqlStore, clock: SetClock) -> None:
    store.add_staff(ANA, "triage")
    store.add_session("token", ANA, clock() + timedelta(hours=8))
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE staff SET active = (1 = 0)")

    assert store.session("token", clock(), 1800) is None


# ---- drafts ----


def test_a_draft_comes_back_as_saved_until_it_is_dropped(store: SqlStore, clock: SetClock) -> None:
    later = clock() + timedelta(days=14)
    store.save_draft("code", "breach-notice@2026.1", b"\x00cipher", later)
    store.save_draft("code", "breach-notice@2026.1", b"\xffagain", later)
    store.save_draft("other", "it-self-assessment@2026.1", b"x", later)

    assert store.draft("code", clock()) == ("breach-notice@2026.1", b"\xffagain")
    assert store.draft("code", later) is None
    store.drop_draft("code")
    assert store.draft("code", clock()) is None
    assert store.draft("other", clock()) is not None


def test_drafts_whose_time_is_over_go_with_the_next_that_is_dropped(store: SqlStore, clock: SetClock) -> None:
    store.save_draft("old", "f", b"x", clock() + timedelta(days=1))
    clock.forward(days=2)

    store.drop_draft("none")

    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM drafts").scalar_one() == 0


# ---- mailboxes ----


def test_the_state_of_a_mailbox_is_kept_field_by_field(store: SqlStore, clock: SetClock) -> None:
    assert store.mailbox_state("breach") == MailboxState("breach")

    store.set_mailbox_state("breach", uid_validity=4294967295, last_uid=17)
    store.set_mailbox_state("breach", last_contact=clock(), error="The server is away.")
    store.set_mailbox_state("assessments")

    assert store.mailbox_state("breach") == MailboxState(
        "breach", 4294967295, 17, clock(), None, "The server is away.", error_since=clock()
    )
    assert [state.name for state in store.mailbox_states()] == ["assessments", "breach"]
    with pytest.raises(KeyError):
        store.set_mailbox_state("breach", colour="red")


def test_a_search_finds_a_case_by_the_provider_that_it_was_given_later(store: SqlStore) -> None:
    store.save_providers([RATA])
    opened(store)
    store.change("BN-0001-A", 1, ANA, "provider", "Set.", {"provider": "rata-law"})

    assert [row.reference for row in store.queue(QueueFilter(text="rātā"))] == ["BN-0001-A"]
