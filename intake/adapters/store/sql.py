"""The store: one class out of its concerns, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from intake.adapters.store.case_page import CasePages
from intake.adapters.store.desk import DeskStore
from intake.adapters.store.filing import FilingStore
from intake.adapters.store.lookups import Lookups
from intake.adapters.store.operators import OperatorRows
from intake.adapters.store.outbox import Outbox
from intake.adapters.store.people import DraftRows, StaffRows
from intake.adapters.store.queue import Queue
from intake.adapters.store.receiving import Receiving
from intake.adapters.store.registrations import RegistrationRows
from intake.ports import DraftStore, OperatorStore, RegistryStore, StaffStore, Store, TriageStore


class SqlStore(
    Receiving,
    FilingStore,  # jobs too
    Outbox,
    Lookups,
    Queue,
    CasePages,
    DeskStore,
    RegistrationRows,  # the register too
    StaffRows,
    DraftRows,
    OperatorRows,
):
    """Implements every store Protocol of `intake.ports`. Safe to share between threads."""


def _keeps_to_the_ports(store: SqlStore) -> None:
    """For mypy alone: a method that differs from its Protocol is an error here."""
    as_store: Store = store
    as_triage: TriageStore = store
    as_staff: StaffStore = store
    as_drafts: DraftStore = store
    as_registry: RegistryStore = store
    as_operators: OperatorStore = store
    del as_store, as_triage, as_staff, as_drafts, as_registry, as_operators
