"""Who registered what, and who agreed: proposals, decisions, and the history of the register with a chain of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from intake.adapters.store import tables as t
from intake.adapters.store.backlog import BACKLOG, from_address, from_domain
from intake.adapters.store.case_rows import queue_row
from intake.adapters.store.codec import decode, storable, to_sender
from intake.adapters.store.events import NewEvent
from intake.adapters.store.receiving import RECHECK
from intake.adapters.store.registry import CHAIN, RegistryRows
from intake.domain.model import ExceptionAddress, Provider
from intake.ports import Conflict, Event, Registration, SenderCase

PROPOSED, REGISTERED, REFUSED, WITHDRAWN = "proposed", "registered", "refused", "withdrawn"
_MOST = 500  # cases of one sender that a page looks at

_r, _c, _e = t.registrations.c, t.cases.c, t.register_events.c
_NEW = insert(t.registrations).returning(_r.id)
_ONE = select(t.registrations).where(_r.id == bindparam("number"))
_NEWEST = select(t.registrations).order_by(_r.id.desc())
_DECIDE = update(t.registrations).where(_r.id == bindparam("number"), _r.state == PROPOSED)
_HISTORY = select(t.register_events).order_by(_e.seq.desc())
_RECHECKED = (
    select(func.max(t.case_events.c.at))
    .where(t.case_events.c.case_id == _c.id, t.case_events.c.action == "sender_rechecked")
    .correlate(t.cases)
    .scalar_subquery()
)
_JOB = (
    select(t.jobs.c.id)
    .where(t.jobs.c.task == RECHECK, t.jobs.c.subject == _c.id, t.jobs.c.state != "done")
    .correlate(t.cases)
    .exists()
)
_CASES: Select[Any] = BACKLOG.with_only_columns(*t.cases.c, _RECHECKED.label("rechecked"), _JOB.label("waits"))


class RegistrationRows(RegistryRows):
    def propose(self, new: Registration) -> int:
        try:
            with self._write() as connection:
                number = self._add(connection, replace(new, state=PROPOSED, proposed_at=self._clock()))
                self._note(connection, new, new.proposed_by, "proposed", f"Proposed {_said(new)}.")
                return number
        except IntegrityError as clash:  # the very same waits for a second person already
            raise Conflict(new.subject) from clash

    def register(self, new: Registration) -> int:
        with self._write() as connection:
            version, before = self._to_change(connection, new.provider)
            if new.subject in before.domains:
                raise Conflict(new.subject)
            now = self._clock()
            done = replace(
                new, state=REGISTERED, proposed_at=now, decided_by=new.proposed_by, decided_at=now, version=version
            )
            number = self._add(connection, done)
            self._put(connection, before, done)
            self._note(connection, done, new.proposed_by, "registered", f"Registered {_said(new)}.")
            return number

    def decide(self, number: int, by: str, state: str, words: str) -> Registration:
        with self._write() as connection:
            row = connection.execute(_ONE.with_for_update(), {"number": number}).mappings().one_or_none()
            if row is None:
                raise KeyError(number)
            found = _registration(row)
            if found.state != PROPOSED or (state == REGISTERED and found.proposed_by == by):
                raise Conflict(found.subject)  # nobody agrees to what they asked for, whatever a page let through
            version, before = self._to_change(connection, found.provider)
            done = replace(
                found,
                state=state,
                decided_by=by,
                decided_at=self._clock(),
                decision=storable(words),
                version=version if state == REGISTERED else None,
            )
            changes = {k: getattr(done, k) for k in ("state", "decided_by", "decided_at", "decision", "version")}
            connection.execute(_DECIDE.values(**changes), {"number": number})
            if state == REGISTERED:
                self._put(connection, before, done)
            self._note(connection, done, by, state, f"{_ENDED[state]} {_said(done)}.")
            return done

    def registration(self, number: int) -> Registration | None:
        with self._read() as connection:
            row = connection.execute(_ONE, {"number": number}).mappings().one_or_none()
        return None if row is None else _registration(row)

    def registrations(self, state: str = "", provider: str = "", limit: int = 50) -> tuple[Registration, ...]:
        wanted = _NEWEST.limit(limit)
        if state:
            wanted = wanted.where(_r.state == state)
        if provider:
            wanted = wanted.where(_r.provider == provider)
        with self._read() as connection:
            return tuple(_registration(row) for row in connection.execute(wanted).mappings())

    def cases_from(self, sender: str) -> tuple[SenderCase, ...]:
        where = from_address(sender) if "@" in sender else from_domain(sender)
        with self._read() as connection:
            rows = connection.execute(_CASES.where(where).limit(_MOST)).mappings().all()
        return tuple(
            SenderCase(queue_row(row), to_sender(row["sender"]).standing, row["rechecked"], bool(row["waits"]))
            for row in rows
        )

    def register_history(self, provider: str = "", limit: int = 50) -> tuple[Event, ...]:
        wanted = _HISTORY.where(_e.about == provider) if provider else _HISTORY
        with self._read() as connection:
            rows = connection.execute(wanted.limit(limit)).all()
        return tuple(Event(e.seq, e.at, e.actor, e.action, e.text, decode(e.detail)) for e in rows)

    def verify_register(self) -> tuple[int, str | None]:
        with self._read() as connection:
            return CHAIN.verify(connection)

    # ---- in one transaction --------------------------------------------------------------------

    def _add(self, connection: Connection, new: Registration) -> int:
        row = {name: getattr(new, name) for name in _COLUMNS}
        return int(connection.execute(_NEW, {**row, "words": storable(new.words)}).scalar_one())

    def _put(self, connection: Connection, before: Provider, done: Registration) -> None:
        """The provider with what was registered; its cases and those of its new sender are checked again."""
        if done.kind == "domain":
            after = replace(before, domains=(*before.domains, done.subject))
        else:
            kept = tuple(e for e in before.exceptions if e.address.lower() != done.subject.lower())
            after = replace(before, exceptions=(*kept, ExceptionAddress(done.subject, done.words, done.until)))
        self._replace(connection, [after])
        self._new_version(connection)
        self._check_again(connection, [before], [after])

    def _note(self, connection: Connection, one: Registration, actor: str, action: str, text: str) -> None:
        detail = {
            name: getattr(one, name)
            for name in (
                "kind",
                "subject",
                "method",
                "proven_on",
                "words",
                "until",
                "proposed_by",
                "version",
                "decision",
            )
            if getattr(one, name)
        }
        CHAIN.append(connection, [NewEvent(one.provider, actor, action, text, detail)], self._clock())


_COLUMNS = tuple(c.name for c in t.registrations.c if c.name != "id")
_ENDED = {REGISTERED: "Agreed to", REFUSED: "Did not agree to", WITHDRAWN: "Took back"}


def _said(one: Registration) -> str:
    what = "the domain" if one.kind == "domain" else "the exception for"
    return f"{what} {one.subject}"


def _registration(row: Mapping[Any, Any]) -> Registration:
    return Registration(**row)
