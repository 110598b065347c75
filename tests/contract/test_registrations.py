"""Who registered what, on both databases: a proof stands with each domain, and an exception takes two people."""

from __future__ import annotations

import pytest

from intake.adapters.store.sql import SqlStore
from intake.ports import Conflict, Registration
from tests.contract.samples import KOWHAI, RATA

LEAD, MANAGER = "lead@min.example", "manager@min.example"
DOMAIN = Registration(
    "domain", "rata-law", "new.example", "Mere spelled it.", LEAD, method="phone", proven_on="2026-11-20"
)
EXCEPTION = Registration("exception", "rata-law", "rata@xtra.co.nz", "Moving.", LEAD, until="2027-03-31")


@pytest.fixture
def register(store: SqlStore) -> SqlStore:
    store.save_providers([KOWHAI, RATA])
    return store


def accepted(store: SqlStore) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rata = store.provider("rata-law")
    assert rata is not None
    return rata.domains, tuple(e.address for e in rata.exceptions)


def test_a_domain_is_registered_at_once_with_who_and_how_and_a_new_version(register: SqlStore) -> None:
    number = register.register(DOMAIN)

    assert accepted(register) == ((*RATA.domains, "new.example"), ())
    entry = register.registration(number)
    assert entry is not None
    assert (entry.state, entry.decided_by, entry.method, entry.version) == ("registered", LEAD, "phone", 2)
    with pytest.raises(Conflict):
        register.register(DOMAIN)


def test_an_exception_stands_only_when_another_person_agrees(register: SqlStore) -> None:
    number = register.propose(EXCEPTION)

    with pytest.raises(Conflict):
        register.propose(EXCEPTION)
    with pytest.raises(Conflict):
        register.decide(number, LEAD, "registered", "")
    assert accepted(register)[1] == ()

    register.decide(number, MANAGER, "registered", "Seen the letter.")
    assert accepted(register)[1] == ("rata@xtra.co.nz",)
    with pytest.raises(Conflict):
        register.decide(number, MANAGER, "refused", "Too late.")


@pytest.mark.parametrize("state", ["refused", "withdrawn"])
def test_what_was_not_agreed_changes_nothing_and_may_be_proposed_again(register: SqlStore, state: str) -> None:
    version = register.registry_version()
    number = register.propose(EXCEPTION)
    register.decide(number, MANAGER, state, "Ask them for a domain.")

    assert (accepted(register)[1], register.registry_version()) == ((), version)
    assert register.propose(EXCEPTION) != number


def test_the_history_of_the_register_tells_each_step(register: SqlStore) -> None:
    number = register.propose(EXCEPTION)
    register.decide(number, MANAGER, "registered", "")
    register.register(DOMAIN)

    told = [(e.action, e.actor) for e in register.register_history("rata-law")]
    assert sorted(told[:3]) == [("proposed", LEAD), ("registered", LEAD), ("registered", MANAGER)]
