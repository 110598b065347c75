"""Filing: everything that one message came to, in one transaction with the end of its job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from intake.adapters.store import tables as t
from intake.adapters.store.base import CASE_TO_CHANGE, REGISTRY_VERSION, clashes_on
from intake.adapters.store.case_rows import (
    Values,
    due_again,
    moved,
    new_case,
    searchable,
    sender_line,
    severity_columns,
    views_of,
)
from intake.adapters.store.codec import (
    answers_text,
    decode,
    document_text,
    encode,
    of_problems,
    storable,
    to_due,
    to_reasons,
    to_severity,
)
from intake.adapters.store.events import SYSTEM, EventStore, NewEvent
from intake.adapters.store.jobqueue import JobStore
from intake.adapters.store.outbox import BOUNCED, mail_row, queued
from intake.adapters.store.receiving import RECHECK, SUGGEST, new_job
from intake.adapters.store.registers import device_rows, plan_rows
from intake.domain.later import next_try, unanswered
from intake.domain.model import (
    CaseDraft,
    CaseKind,
    OutcomeCode,
    ReadAnswer,
    Reason,
    Status,
)
from intake.domain.next_due import added_to, back_before_staff
from intake.ports import Delivery, Filing, Job, ReferenceTaken

_d, _s, _c = t.deliveries.c, t.submissions.c, t.cases.c
_OUTCOME = (
    update(t.deliveries).where(_d.id == bindparam("delivery"), _d.outcome.is_(None)).values(outcome=bindparam("ended"))
)
_DOCUMENTS = insert(t.documents)
_SUBMISSIONS = insert(t.submissions)
_CASE = insert(t.cases).returning(_c.id)
_NAME = select(t.providers.c.name).where(t.providers.c.slug == bindparam("slug"))
_DELIVERY = select(_d.raw_id, _d.outcome).where(_d.id == bindparam("delivery"))
_DELIVERY_TO_END = _DELIVERY.with_for_update()
# Shared by all who file; a change of the register waits for them, or they for it.
_REGISTER = select(t.settings.c.value).where(t.settings.c.name == REGISTRY_VERSION).with_for_update(read=True)
_REFERENCES = (
    select(_s.n, _c.reference, _c.id)
    .outerjoin(t.cases, _s.case_id == _c.id)
    .where(_s.raw_id == bindparam("raw"))
    .order_by(_s.n)
)


class FilingStore(JobStore, EventStore):
    def file(self, filing: Filing) -> tuple[str, ...]:
        try:
            with self._write() as connection:
                return _Desk(self, connection, filing).file()
        except _AlreadyFiled:
            return self.filed(filing.delivery.id) or ()
        except IntegrityError as clash:
            if clashes_on(clash, "cases", "reference"):
                raise ReferenceTaken(*(reference for reference, _ in filing.drafts)) from clash
            if clashes_on(clash, "cases", "raw_id") or clashes_on(clash, "submissions", "raw_id"):
                self.note_duplicate(filing.delivery, filing.job)  # another delivery of the same message was faster
                return self.filed(filing.delivery.id) or ()
            raise

    def filed(self, delivery_id: int) -> tuple[str, ...] | None:
        with self._read() as connection:
            delivery = connection.execute(_DELIVERY, {"delivery": delivery_id}).one()
            if delivery.outcome is None:
                return None
            return _references(connection, delivery.raw_id)

    def note_duplicate(self, delivery: Delivery, job: Job | None) -> str | None:
        with self._read() as connection:  # nearly every message is new: asking first spares the lock of a write
            if connection.execute(_REFERENCES, {"raw": delivery.raw.id}).first() is None:
                return None
        with self._write() as connection:
            stands = connection.execute(_DELIVERY_TO_END, {"delivery": delivery.id}).one()
            first = connection.execute(_REFERENCES, {"raw": delivery.raw.id}).first()
            if first is None:
                return None
            if stands.outcome is None:
                self._end_job(connection, delivery, job)
                connection.execute(_OUTCOME, {"delivery": delivery.id, "ended": OutcomeCode.DUPLICATE.value})
                if first.id is not None:
                    event = NewEvent(
                        first.id,
                        SYSTEM,
                        "duplicate",
                        "The same message came again. It opened nothing new.",
                        {"delivery": delivery.id, "channel": delivery.channel, "mailbox": delivery.mailbox},
                    )
                    self._append(connection, [event], self._clock())
            return first.reference or ""


class _AlreadyFiled(Exception):
    """This very delivery has its outcome."""


def _references(connection: Connection, raw_id: int) -> tuple[str, ...]:
    rows = connection.execute(_REFERENCES, {"raw": raw_id})
    return tuple(dict.fromkeys(row.reference for row in rows if row.reference))


class _Desk:
    """One filing under way: what is collected while rows are written in the order that foreign keys ask for."""

    def __init__(self, store: FilingStore, connection: Connection, filing: Filing) -> None:
        self.store = store
        self.connection = connection
        self.filing = filing
        self.now = store._clock()
        self.events: list[NewEvent] = []
        self.counts: Counter[str] = Counter()
        self.case_ids: list[int] = []
        self._encoded: dict[int, str] = {}  # by identity: the filing holds on to each while this lives

    def file(self) -> tuple[str, ...]:
        filing, execute = self.filing, self.connection.execute
        register = int(self.connection.scalar(_REGISTER) or 0)
        ended = {"delivery": filing.delivery.id, "ended": filing.outcome.value}
        if execute(_OUTCOME, ended).rowcount != 1:
            raise _AlreadyFiled
        self.store._end_job(self.connection, filing.delivery, filing.job)
        if filing.documents:
            execute(_DOCUMENTS, self._document_rows())
        joined = filing.duplicate_of or filing.update
        references = self._join(joined) if joined else self._open()
        self._queue_mails()
        if filing.came_back:
            self._note_bounces()
        if filing.suggest and self.case_ids:
            execute(self.store._upserts.job_again, new_job(SUGGEST, self.case_ids[0], self.now))
        again = self._check_again_at(register)
        if again and not joined:
            jobs = [new_job(RECHECK, case_id, again) for case_id in self.case_ids]
            execute(self.store._upserts.job_again, jobs)
        if self.events:
            self.store._append(self.connection, self.events, self.now)
        self.store._count(self.connection, self.counts)
        return references

    def _check_again_at(self, register: int) -> datetime | None:
        """When the sender is to be checked again: at once when the register changed while it was checked, later when DNS gave no
        answer, else never."""
        if self.filing.register is not None and self.filing.register != register:
            return self.now
        return next_try(self.now, self.now) if unanswered(self.filing.sender) else None

    # ---- new cases ----

    def _open(self) -> tuple[str, ...]:
        rows, references = [], []
        for n, (reference, draft) in enumerate(self.filing.drafts):
            values = new_case(reference, n, self.filing.delivery.raw, draft, self._found(draft.provider))
            case_id = self.connection.execute(_CASE, values).scalar_one()
            self.case_ids.append(case_id)
            references.append(reference)
            rows.append(self._submission(n, case_id, draft))
            self._registers(case_id, draft)
            self.counts += views_of(values)
            self.events += self._first_events(case_id, draft)
        self.connection.execute(_SUBMISSIONS, rows or [self._submission(0, None, None)])
        return tuple(references)

    def _found(self, provider: str | None) -> Values:
        name = self.connection.execute(_NAME, {"slug": provider}).scalar() if provider else None
        return {"provider_name": name or "", "subject": self.filing.subject, "now": self.now}

    def _submission(self, n: int, case_id: int | None, draft: CaseDraft | None) -> Values:
        filing, first = self.filing, n == 0
        return {
            "raw_id": filing.delivery.raw.id,
            "n": n,
            "delivery_id": filing.delivery.id,
            "case_id": case_id,
            "filed_at": self.now,
            "message_id": message_key(filing.message_id) if first else "",
            "sender_address": sender_line(filing.sender).lower(),
            "sender": encode(filing.sender) if first else "",
            "subject": storable(filing.subject) if first else "",
            "body": storable(filing.body) if first else "",
            "form": draft.form if draft else None,
            "edition": draft.edition if draft else None,
            "document": draft.document if draft else None,
            "answers": self._answers(draft.answers) if draft else "{}",
        }

    def _registers(self, case_id: int, draft: CaseDraft, again: bool = False) -> None:
        if draft.kind is not CaseKind.SELF_ASSESSMENT:
            return
        for table, rows in ((t.plan_items, plan_rows(draft.answers)), (t.devices, device_rows(draft.answers))):
            if rows and again:
                self.connection.execute(delete(table).where(table.c.case_id == case_id))
            if rows:
                self.connection.execute(insert(table), [{**row, "case_id": case_id} for row in rows])

    def _first_events(self, case_id: int, draft: CaseDraft) -> Iterable[NewEvent]:
        filing = self.filing
        arrived = filing.delivery
        came = {"delivery": arrived.id, "channel": arrived.channel, "mailbox": arrived.mailbox}
        yield NewEvent(
            case_id, SYSTEM, "kept", "The message was kept as it came.", {**came, "sha256": arrived.raw.sha256}
        )
        yield NewEvent(case_id, SYSTEM, "sender_checked", draft.sender.reason, {"verdict": draft.sender.verdict.value})
        if draft.form:
            yield NewEvent(
                case_id,
                SYSTEM,
                "answers_read",
                f"{len(draft.answers)} answers were read from the form.",
                {"form": draft.form, "edition": draft.edition, "answers": len(draft.answers)},
            )
        yield NewEvent(case_id, SYSTEM, "routed", _routed(draft), _route(draft))

    # ---- a message that belongs to a case ----

    def _join(self, reference: str) -> tuple[str, ...]:
        before = self.connection.execute(CASE_TO_CHANGE, {"reference": reference}).mappings().one()
        case_id = before["id"]
        self.case_ids.append(case_id)
        adds = self.filing.outcome is OutcomeCode.CASE_UPDATED
        draft = self.filing.drafts[0][1] if adds and self.filing.drafts else None
        self.connection.execute(_SUBMISSIONS, [self._submission(0, case_id, draft)])
        if self.filing.outcome is not OutcomeCode.AUTOMATIC:  # anybody can write a bounce
            after = {**before, **self._added(before, draft if draft and draft.form else None)}
            self.store._change_case(self.connection, before, after)
            self.counts.update(moved(before, after))
        if draft:
            self._registers(case_id, draft, again=True)
        self.events.append(self._joined(case_id))
        return (reference,)

    def _added(self, before: Mapping[Any, Any], draft: CaseDraft | None) -> Values:
        marks = decode(before["marks"])
        adds = self.filing.outcome is OutcomeCode.CASE_UPDATED
        new = [*self.filing.marks, *(self.filing.drafts[0][1].marks if adds and self.filing.drafts else ())]
        values: Values = {
            "version": before["version"] + 1,
            "changed_at": self.now,
            "marks": encode(list(dict.fromkeys([*marks, *new]))),
            "search": f"{before['search']} {searchable(self.filing.subject)}".strip(),
            "status": Status(back_before_staff(Status(before["status"])) if adds else before["status"]).value,
        }
        if draft is None:
            known = self._with_news(to_reasons(before["reasons"]))
            values |= severity_columns(Status(values["status"]), to_severity(before["severity"]), known)
            return values | due_again({**before, **values})
        severity, due = added_to(to_severity(before["severity"]), to_due(before["due"]), draft.severity, draft.due)
        reasons = draft.reasons if severity is draft.severity else to_reasons(before["reasons"])
        values |= severity_columns(Status(values["status"]), severity, self._with_news(reasons, draft))
        values |= {
            "duty": before["duty"] if draft.duty == "not_known" else draft.duty,
            "service": storable(draft.service) or before["service"],
            "due": encode(due),
            "score": encode(draft.score) if draft.score else before["score"],
            "problems": of_problems(draft.problems),
            "aware_at": draft.aware_at or before["aware_at"],
            "form": before["form"] or draft.form,
            "edition": before["edition"] or draft.edition,
        }
        return values | due_again({**before, **values})

    def _with_news(self, reasons: tuple[Reason, ...], draft: CaseDraft | None = None) -> tuple[Reason, ...]:
        """With what the message that was added tells beside the band, such as that not all of it could be read."""
        known = {reason.code for reason in reasons}
        told = (*(draft.reasons if draft else ()), *self.filing.reasons)
        return (*reasons, *(reason for reason in dict.fromkeys(told) if reason.code not in known))

    def _joined(self, case_id: int) -> NewEvent:
        filing = self.filing
        came: dict[str, object] = {"delivery": filing.delivery.id, "channel": filing.delivery.channel}
        action, text = _JOINED.get(filing.outcome, _JOINED[OutcomeCode.CASE_UPDATED])
        return NewEvent(case_id, SYSTEM, action, text, {**came, "sender": filing.sender.verdict.value})

    # ---- the rest ----

    def _answers(self, answers: Mapping[str, ReadAnswer]) -> str:
        """The answers of a case are mostly those of a document, the very same mapping: encoded once."""
        known = self._encoded.get(id(answers))
        if known is None:
            known = self._encoded[id(answers)] = answers_text(answers)
        return known

    def _document_rows(self) -> list[Values]:
        arrived = self.filing.delivery
        return [
            {
                "raw_id": arrived.raw.id,
                "delivery_id": arrived.id,
                "n": n,
                "path": storable(path),
                "name": storable(read.name),
                "media_type": storable(read.media_type)[:120],
                "size": size,
                "sha256": sha256,
                "read_as": document_text(read),
                "answers": self._answers(read.answers),
            }
            for n, (path, size, sha256, read) in enumerate(self.filing.documents)
        ]

    def _queue_mails(self) -> None:
        new = [
            mail_row(mail, self._case_of(index), SYSTEM, self.now, self.store._mail_domain)
            for index, mail in self.filing.mails
        ]
        if new:
            rows = self.connection.execute(self.store._upserts.mail, new)
            self.events += [queued(row.case_id, SYSTEM, row.template) for row in rows if row.case_id]

    def _note_bounces(self) -> None:
        rows = self.connection.execute(BOUNCED, {"ids": [f"<{message_key(i)}>" for i in self.filing.came_back]})
        text = "Our mail came back: it could not be delivered. Reach the provider another way."
        self.events += [
            NewEvent(row.case_id, SYSTEM, "mail_bounced", text, {"mail": row.id, "template": row.template})
            for row in rows
            if row.case_id
        ]

    def _case_of(self, index: int) -> int | None:
        if not self.case_ids:
            return None
        return self.case_ids[max(index, 0)]


_JOINED = {
    OutcomeCode.CASE_UPDATED: ("message_added", "Another message came for this case."),
    OutcomeCode.DUPLICATE: ("duplicate", "The same form came again from the same address. It opened nothing new."),
    OutcomeCode.AUTOMATIC: ("automatic_answer", "An automatic answer or a bounce came for this case."),
}


def _routed(draft: CaseDraft) -> str:
    if draft.severity and draft.severity.reasons:
        return f"Band {draft.severity.band}. {draft.severity.reasons[0].text}"
    if draft.reasons:
        return draft.reasons[0].text
    return "The case was opened."


def _route(draft: CaseDraft) -> dict[str, object]:
    severity = draft.severity
    return {
        "status": draft.status.value,
        "band": severity.band if severity else None,
        "rule_set": severity.rule_set if severity else None,
        "clock_rule": draft.due.rule,
        "reasons": [r.code for r in (*(severity.reasons if severity else ()), *draft.reasons)],
    }


def message_key(message_id: str) -> str:
    """A Message-ID as it is compared: without brackets and space around it."""
    return storable(message_id).strip().strip("<>").strip()[:1000]
