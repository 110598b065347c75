"""What the store promises beyond its methods: the chain, the migrations, the plans of its queries, cheap imports."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.dialects import sqlite

from intake.adapters.store import HEAD, migrate, open_store
from intake.adapters.store.migrations.upgrade import config
from intake.adapters.store.queue import queue_page
from intake.adapters.store.sql import SqlStore
from intake.adapters.store.tables import metadata
from intake.adapters.store.types import UTCDateTime
from intake.domain.errors import TryLater
from intake.domain.model import CaseKind, Status
from intake.ports import Conflict, QueueFilter
from tests.contract.samples import ASSESSMENT, AT, DRAFT, OTHER, filing, kept, opened, to_keep
from tests.support.stores import SetClock, sqlite_store, sqlite_url

# ---- the chain of events ----


def _forget_the_triggers(store: SqlStore) -> None:
    """What somebody with the owner's rights can do; the chain must show it all the same."""
    with store.engine.begin() as connection:
        if store.engine.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER case_events_no_{verb}")
        else:
            connection.exec_driver_sql("ALTER TABLE case_events DISABLE TRIGGER ALL")


@pytest.mark.parametrize(
    ("attack", "checked", "said"),
    [
        ("UPDATE case_events SET text = 'Nothing to see.' WHERE seq = 3", 2, "event 3"),
        ("UPDATE case_events SET detail = '{}' WHERE seq = 4", 3, "event 4"),
        ("UPDATE case_events SET actor = 'somebody' WHERE seq = 2", 1, "Event 2"),
        ("UPDATE case_events SET case_id = 2 WHERE seq = 2", 1, "Event 2"),
        ("UPDATE case_events SET hash = digest WHERE seq = 5", 4, "Event 5"),
        ("DELETE FROM case_events WHERE seq = 1", 0, "Event 1 is missing"),
        ("DELETE FROM case_events WHERE seq = 6", 5, "Event 6 is missing"),
        ("DELETE FROM case_events WHERE seq > 8", 8, "The last events are missing"),
        ("DELETE FROM case_events", 0, "The last events are missing"),
    ],
)
def test_an_event_that_was_tampered_with_is_found(store: SqlStore, attack: str, checked: int, said: str) -> None:
    for n in (1, 2):
        opened(store, n)
    assert store.verify_events() == (10, None)
    _forget_the_triggers(store)

    with store.engine.begin() as connection:
        connection.exec_driver_sql(attack)

    good, wrong = store.verify_events()
    assert good == checked
    assert said in (wrong or "")


@pytest.mark.parametrize("attack", ["UPDATE case_events SET text = 'x'", "DELETE FROM case_events"])
def test_the_database_refuses_to_change_an_event(store: SqlStore, attack: str) -> None:
    opened(store)

    with pytest.raises(Exception, match="append only"), store.engine.begin() as connection:
        connection.exec_driver_sql(attack)

    assert store.verify_events() == (5, None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["open", "assess", "other", "again", "assign", "close", "reopen", "note", "stale", "view"]),
            st.integers(0, 5),
        ),
        max_size=25,
    )
)
def test_whatever_is_done_the_chain_holds_and_the_counts_are_right(tmp_path: Path, acts: list[tuple[str, int]]) -> None:
    store = sqlite_store(tmp_path, SetClock())
    drafts = {"open": DRAFT, "assess": ASSESSMENT, "other": replace(OTHER, status=Status.NEEDS_PERSON)}
    for n, (act, which) in enumerate(acts):
        reference = f"BN-{which:04d}-A"
        row = store.case_row(reference)
        if act in drafts and row is None:
            store.file(filing(kept(store, n), reference, drafts[act]))
        elif act == "again":
            store.note_duplicate(kept(store, n, content=which), None)
        elif row is not None:
            _do(store, act, reference, row.version, n)

    assert store.verify_events()[1] is None
    open_rows = store.queue(QueueFilter(), limit=100)
    counts = store.counts("ana")
    assert counts["open"] == len(open_rows)
    assert counts["mine"] == sum(row.assignee == "ana" for row in open_rows)
    assert counts["nobody"] == sum(row.assignee is None for row in open_rows)
    assert counts["held"] == sum(row.status == "held" for row in open_rows)
    assert [counts[kind] for kind in CaseKind] == [sum(r.kind == kind for r in open_rows) for kind in CaseKind]
    assert store.outcomes()["missing"] == 0
    store.close()


def _do(store: SqlStore, act: str, reference: str, version: int, n: int) -> None:
    changes: dict[str, dict[str, object]] = {
        "assign": {"assignee": "ana" if n % 2 else None},
        "close": {"status": Status.CLOSED},
        "reopen": {"status": Status.OPEN},
    }
    if act in changes:
        store.change(reference, version, "ana", act, act, changes[act])
    elif act == "note":
        store.add_note(reference, "ana", "call" if n % 2 else "note", "words")
    elif act == "stale":
        with pytest.raises(Conflict):
            store.change(reference, version - 1, "ana", act, act, {"assignee": "ben"})
    elif act == "view":
        store.viewed(reference, "ana")


# ---- migrations ----


def test_the_migrations_make_the_tables_that_the_program_knows(store: SqlStore) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_there_is_one_line_of_migrations_and_its_head_is_the_constant() -> None:
    script = ScriptDirectory.from_config(config())

    assert script.get_heads() == [HEAD]
    assert script.get_bases() == ["0001"]


def test_an_empty_database_is_made_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'intake.db'}"

    assert migrate(url) is None
    assert migrate(url) == HEAD


def test_two_that_start_together_on_an_empty_database_make_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'intake.db'}"
    program = f"from intake.adapters.store import migrate; migrate({url!r})"

    starting = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]

    assert [started.wait(60) for started in starting] == [0, 0, 0]
    assert migrate(url) == HEAD


def test_a_start_on_a_database_that_is_up_to_date_does_not_load_alembic(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from intake.adapters.store import migrate\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        f"print(migrate({sqlite_url(tmp_path)!r}), 'alembic' in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [HEAD, "False"]


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER)")  # a table of the second revision is in the way
    connection.close()

    with pytest.raises(Exception, match="notes"):
        migrate(f"sqlite:///{path}")

    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert tables == [("notes",)]


# ---- the plans of the queue ----

_LAST = (0, AT, 1)


@pytest.mark.parametrize(
    "wanted",
    [
        QueueFilter(),
        QueueFilter(kinds=("breach_notice",)),
        QueueFilter(assignee="ana"),
        QueueFilter(assignee="nobody"),
        QueueFilter(kinds=("breach_notice", "other"), assignee="nobody"),
        QueueFilter(kinds=("breach_notice", "other")),
        QueueFilter(provider="kowhai-trust"),
        QueueFilter(bands=("S1", "S2"), statuses=("open",), text="kowhai"),
        QueueFilter(include_closed=True),
    ],
)
@pytest.mark.parametrize("last", [None, _LAST])
def test_no_page_of_the_queue_reads_or_sorts_the_whole_table(
    tmp_path: Path, wanted: QueueFilter, last: tuple[int, datetime, int] | None
) -> None:
    store = sqlite_store(tmp_path, SetClock())
    page = queue_page(wanted, None, 50, last).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": False, "render_postcompile": True}
    )

    with store.engine.connect() as connection:
        values = tuple(
            value.isoformat() if isinstance(value, datetime) else value
            for value in (page.params[name] for name in page.positiontup or ())
        )
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}", values)]
    store.close()

    whole = [step for step in plan if step.startswith("SCAN") and "USING INDEX" not in step]
    assert whole == []
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_claiming_and_counting_use_their_indexes(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path, SetClock())
    seen: list[tuple[str, object]] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, values: object, *___: object) -> None:
        seen.append((statement, values))

    store.claim(["process"], 5, 60, "w")
    store.claim_mails(5, 60)
    store.sweep()
    store.counts("ana")
    store.changed_since(AT)
    store.deliveries_waiting(5)
    store.job_counts()
    store.mails_to("x@y", AT)
    store.reference_for_message_id(["<x>"])
    store.case_with_document(["0"], "x@y", AT)

    with store.engine.connect() as connection:
        for statement, values in list(seen):
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            whole = [
                s for s in plan if s.startswith("SCAN") and "INDEX" not in s and "chosen" not in s and "anon" not in s
            ]
            assert whole in ([], ["SCAN (subquery-1)"]), (statement, plan)
    store.close()


# ---- time, locks, durability ----


def test_a_time_without_a_zone_is_refused_and_every_zone_comes_back_as_utc(store: SqlStore) -> None:
    store.set_mailbox_state("m", last_contact=datetime(2026, 9, 27, 3, 30, tzinfo=timezone(timedelta(hours=13))))

    back = store.mailbox_state("m").last_contact
    assert back == datetime(2026, 9, 26, 14, 30, tzinfo=UTC)
    assert back is not None
    assert back.tzinfo is UTC
    with pytest.raises(Exception, match="without a zone"):
        store.set_mailbox_state("m", last_contact=datetime(2026, 9, 27))


def test_on_sqlite_the_order_of_stored_text_is_the_order_of_time() -> None:
    stored = UTCDateTime()
    dialect = sqlite.dialect()
    times = [AT + timedelta(microseconds=n * 999_999) for n in range(50)]

    texts = [stored.process_bind_param(at, dialect) for at in times]

    assert texts == sorted(texts)
    assert len({len(text) for text in texts}) == 1
    assert [stored.process_result_value(text, dialect) for text in texts] == times


def test_sqlite_waits_for_the_disk_and_keeps_its_foreign_keys(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path, SetClock())

    with store.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_lock_that_lasts_says_try_later_and_readers_do_not_wait_for_it(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    store = open_store(url, SetClock())
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 20"))
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(TryLater):
        store.keep([to_keep(1)])
    assert store.outcomes()["messages"] == 0

    other.execute("ROLLBACK")
    other.close()
    assert kept(store).new
    store.close()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a file"):
        open_store("sqlite://", SetClock())
