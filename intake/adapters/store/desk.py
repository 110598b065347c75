"""What staff do to a case: each change checks the version that the person saw, and leaves an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from intake.adapters.store import tables as t
from intake.adapters.store.base import CASE_TO_CHANGE
from intake.adapters.store.case_rows import due_again, moved, searchable, sender_line, severity_columns
from intake.adapters.store.codec import encode, of_problems, storable, to_reasons, to_severity
from intake.adapters.store.events import VIEWED, EventStore, NewEvent
from intake.adapters.store.outbox import mail_row, queued
from intake.domain.model import CaseKind, Due, GapScore, Reason, SenderCheck, Severity, Status
from intake.ports import Conflict, Correction, NewMail

_c = t.cases.c
_NAME = select(t.providers.c.name).where(t.providers.c.slug == bindparam("slug"))
_NOTE, _ANSWER = insert(t.notes), insert(t.answers)
_ID = select(_c.id).where(_c.reference == bindparam("reference"))
_REFERENCE_OF = select(t.cases.c.reference).where(t.cases.c.id == bindparam("case"))
_CASES_WITH = (
    select(t.cases.c.reference)
    .where(t.cases.c.id.in_(select(t.case_events.c.case_id).where(t.case_events.c.action == bindparam("action"))))
    .order_by(t.cases.c.id)
)
_SUGGEST = (
    update(t.cases)
    .where(_c.id == bindparam("case"))
    .values(suggestions=bindparam("found"), changed_at=bindparam("now"))
)
_SPOKE = {"note": ("note_added", "A note was added."), "call": ("call_noted", "A call was noted.")}
_SHOWN = (
    "status",
    "assignee",
    "provider",
    "duty",
    "outcome",
    "service",
    "kind",
    "band",
    "marks",
)  # in the event, before and after

Values = dict[str, Any]
_PLAIN: dict[str, Callable[[Any], Values]] = {
    "status": lambda value: {"status": Status(value).value},
    "kind": lambda value: {"kind": CaseKind(value).value},
    "assignee": lambda value: {"assignee": value or None},
    "due": lambda value: {"due": encode(_expect(Due, value))},
    "duty": lambda value: {"duty": str(value)},
    "outcome": lambda value: {"outcome": str(value)},
    "outcome_reason": lambda value: {"outcome_reason": storable(str(value))},
    "marks": lambda value: {"marks": encode(list(value))},
    "title": lambda value: {"title": storable(str(value))},
    "service": lambda value: {"service": storable(str(value))},
    "aware_at": lambda value: {"aware_at": value},
    "score": lambda value: {"score": None if value is None else encode(_expect(GapScore, value))},
    "problems": lambda value: {"problems": of_problems(value)},
    "sender": lambda value: {
        "sender": encode(_expect(SenderCheck, value)),
        "verdict": value.verdict.value,
        "sender_line": sender_line(value),
    },
}


class DeskStore(EventStore):
    def change(
        self,
        reference: str,
        version: int,
        actor: str,
        action: str,
        text: str,
        changes: Mapping[str, object],
        detail: Mapping[str, object] | None = None,
        mail: NewMail | None = None,
    ) -> int:
        with self._write() as connection:
            before = _case(connection, reference, version)
            reached = mail is not None and _mail_reaches(before) and before["contacted_at"] is None
            values: Values = {"contacted_at": self._clock()} if reached else {}
            for key, value in changes.items():
                values |= self._columns(connection, {**before, **values}, key, value)
            after = self._save(connection, before, values)
            event = NewEvent(before["id"], actor, action, text, {**(detail or {}), **_changes(before, after)})
            self._append(connection, [event], after["changed_at"])
            if mail:
                self._queue(connection, before["id"], mail, actor)
        return int(after["version"])

    def _queue(self, connection: Connection, case_id: int, mail: NewMail, actor: str) -> bool:
        """Whether it was queued; a mail with the same dedupe key is queued once."""
        now = self._clock()
        row = mail_row(mail, case_id, actor, now, self._mail_domain)
        if connection.execute(self._upserts.mail, [row]).one_or_none() is None:
            return False
        self._append(connection, [queued(case_id, actor, mail.template)], now)
        return True

    def _columns(self, connection: Connection, before: Mapping[Any, Any], key: str, value: Any) -> Values:
        if key == "severity":
            severity = None if value is None else _expect(Severity, value)
            return severity_columns(Status(before["status"]), severity, to_reasons(before["reasons"]))
        if key == "reasons":
            return severity_columns(Status(before["status"]), to_severity(before["severity"]), value)
        if key == "provider":
            name = connection.scalar(_NAME, {"slug": value}) if value else ""
            if name is None:
                raise KeyError(value)
            return {
                "provider": value or None,
                "provider_name": name,
                "search": f"{before['search']} {searchable(name)}".strip(),
            }
        return _PLAIN[key](value)

    def _save(self, connection: Connection, before: Mapping[Any, Any], values: Values) -> Values:
        """Write the columns with all that follows from them: what is due, the counters, the version."""
        now = self._clock()
        after = {**before, **values, "version": before["version"] + 1, "changed_at": now}
        if after["status"] != before["status"]:
            severity, reasons = to_severity(after["severity"]), to_reasons(after["reasons"])
            after |= severity_columns(Status(after["status"]), severity, reasons)
        after |= due_again(after)
        self._change_case(connection, before, after)
        self._count(connection, moved(before, after))
        return after

    def correct(
        self,
        reference: str,
        version: int,
        actor: str,
        correction: Correction,
        severity: Severity | None,
        due: Due,
        reasons: tuple[Reason, ...],
        follows: Mapping[str, object],
    ) -> int:
        with self._write() as connection:
            before = _case(connection, reference, version)
            row = {
                "case_id": before["id"],
                "question": correction.question,
                "value": encode(correction.value),
                "old": encode(correction.old),
                "by": correction.by,
                "at": correction.at,
                "how": correction.how,
            }
            connection.execute(_ANSWER, row)
            values = {**severity_columns(Status(before["status"]), severity, reasons), "due": encode(due)}
            for key, value in follows.items():
                values |= self._columns(connection, before, key, value)
            after = self._save(connection, before, values)
            detail = {"question": correction.question, "how": correction.how, **_changes(before, after)}
            text = f"Answer {correction.question}: {correction.how}."
            if before["band"] != after["band"]:
                text += f" The band is {after['band']} now, and was {before['band']}."
            self._append(
                connection, [NewEvent(before["id"], actor, "answer_checked", text, detail)], after["changed_at"]
            )
        return int(after["version"])

    def add_note(self, reference: str, actor: str, kind: str, text: str) -> None:
        action, said = _SPOKE[kind]
        with self._write() as connection:
            before = _case(connection, reference)
            now = self._clock()
            note = {"case_id": before["id"], "at": now, "actor": actor, "kind": kind, "text": storable(text)}
            connection.execute(_NOTE, note)
            self._touch(connection, before, contacted=kind == "call")
            self._append(connection, [NewEvent(before["id"], actor, action, said)], now)

    def queue_mail(self, reference: str | None, mail: NewMail, actor: str) -> None:
        """Queue a mail that a person sends; on a case that is not S1 it counts as the first human contact."""
        now = self._clock()
        with self._write() as connection:
            if reference is None:
                connection.execute(self._upserts.mail, [mail_row(mail, None, actor, now, self._mail_domain)])
                return
            before = _case(connection, reference)
            if self._queue(connection, before["id"], mail, actor):
                self._touch(connection, before, contacted=_mail_reaches(before))

    def _touch(self, connection: Connection, before: Mapping[Any, Any], contacted: bool) -> None:
        """Something was added beside the answers: others see that, and nobody's open page turns stale by it."""
        now = self._clock()
        after = {**before, "changed_at": now}
        if contacted and before["contacted_at"] is None:
            after["contacted_at"] = now
            after |= due_again(after)
        self._change_case(connection, before, after)

    def link(self, reference: str, other: str, actor: str) -> None:
        if reference == other:
            raise ValueError("A case is not linked to itself.")
        with self._write() as connection:
            one, two = (self._id(connection, r) for r in (reference, other))
            connection.execute(self._upserts.link, {"low": min(one, two), "high": max(one, two)})
            events = [
                NewEvent(here, actor, "linked", f"Linked to {there}.", {"case": there})
                for here, there in ((one, other), (two, reference))
            ]
            self._append(connection, events, self._clock())

    def case_reference(self, case_id: int) -> str | None:
        """The reference of the case with this row number, as jobs name it."""
        with self._read() as connection:
            found = connection.execute(_REFERENCE_OF, {"case": case_id}).scalar_one_or_none()
            return None if found is None else str(found)

    def cases_with(self, action: str) -> tuple[str, ...]:
        """References of the cases in whose history an action stands, in the order of the cases."""
        with self._read() as connection:
            return tuple(connection.execute(_CASES_WITH, {"action": action}).scalars())

    def suggest(self, case_id: int, suggestions: Sequence[Mapping[str, object]]) -> None:
        with self._write() as connection:
            now = self._clock()
            connection.execute(_SUGGEST, {"case": case_id, "found": encode(list(suggestions)), "now": now})

    def viewed(self, reference: str, actor: str) -> None:
        with self._write() as connection:
            case_id = self._id(connection, reference)
            self._append(connection, [NewEvent(case_id, actor, VIEWED, "The case was opened.")], self._clock())

    def _id(self, connection: Connection, reference: str) -> int:
        case_id: int | None = connection.scalar(_ID, {"reference": reference})
        if case_id is None:
            raise KeyError(reference)
        return case_id


def _case(connection: Connection, reference: str, version: int | None = None) -> Mapping[Any, Any]:
    """The row, locked. Conflict when somebody changed it since `version`."""
    row = connection.execute(CASE_TO_CHANGE, {"reference": reference}).mappings().one_or_none()
    if row is None:
        raise KeyError(reference)
    if version is not None and row["version"] != version:
        raise Conflict(reference)
    return row


def _mail_reaches(case: Mapping[Any, Any]) -> bool:
    """Whether a mail to the provider is first contact: for S1 only a call is (docs/clocks.md)."""
    return bool(case["band"] != "S1")


def _expect(kind: type, value: object) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} given where {kind.__name__} is needed")
    return value


def _changes(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Values:
    """What an event tells of the columns that changed."""
    shown = {k: [before[k], after[k]] for k in _SHOWN if before[k] != after[k]}
    return {"changes": shown} if shown else {}
