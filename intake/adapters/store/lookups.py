"""What the examination of a message asks: short reads by one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from forms.schema import Problem
from intake.adapters.store import tables as t
from intake.adapters.store.base import CASE_BY_REFERENCE, Base
from intake.adapters.store.case_rows import queue_row
from intake.adapters.store.codec import decode, to_answers, to_problems
from intake.adapters.store.filing import message_key
from intake.domain.model import BY_PERSON, ReadAnswer
from intake.ports import QueueRow, SentBefore

_s, _c, _o = t.submissions.c, t.cases.c, t.outbox.c
_READ = (
    select(_s.answers).join(t.cases, _s.case_id == _c.id).where(_c.reference == bindparam("reference")).order_by(_s.id)
)
_CORRECTED = (
    select(t.answers.c.question, t.answers.c.value)
    .join(t.cases, t.answers.c.case_id == _c.id)
    .where(_c.reference == bindparam("reference"))
    .order_by(t.answers.c.id)
)
_THREAD_IN = (
    select(_c.reference)
    .join(t.submissions, _s.case_id == _c.id)
    .where(_s.message_id.in_(bindparam("ids", expanding=True)), _s.message_id != "")
    .order_by(_s.id.desc())
    .limit(1)
)
_ECHO = select(_o.body).where(_o.message_id == bindparam("message_id"), _o.template == "echo")
_THREAD_OUT = (
    select(_c.reference)
    .join(t.outbox, _o.case_id == _c.id)
    .where(_o.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(_o.id.desc())
    .limit(1)
)
_SAME_FILE = (
    select(_c.reference)
    .join(t.submissions, _s.case_id == _c.id)
    .join(t.documents, t.documents.c.raw_id == _s.raw_id)
    .where(
        t.documents.c.sha256.in_(bindparam("files", expanding=True)),
        _s.sender_address == bindparam("address"),
        _c.received_at >= bindparam("since"),
    )
    .order_by(_s.raw_id.desc(), _s.n)
    .limit(1)
)
_MAILS_OF = (
    select(_s.raw_id)
    .join(t.cases, _s.case_id == _c.id)
    .where(_c.reference == bindparam("reference"), _s.sender_address == bindparam("address"))
)
_FILES_OF = select(t.documents.c.sha256).where(t.documents.c.raw_id.in_(_MAILS_OF))
_WORDS_OF = select(_s.subject, _s.body).where(_s.raw_id.in_(_MAILS_OF), _s.n == 0)
_PROBLEMS = select(t.cases.c.problems).where(t.cases.c.reference == bindparam("reference"))


class Lookups(Base):
    def case_row(self, reference: str) -> QueueRow | None:
        with self._read() as connection:
            row = connection.execute(CASE_BY_REFERENCE, {"reference": reference}).mappings().one_or_none()
        return None if row is None else queue_row(row)

    def case_answers(self, reference: str) -> Mapping[str, ReadAnswer]:
        with self._read() as connection:
            answers = read_answers(connection, reference)
            for row in connection.execute(_CORRECTED, {"reference": reference}):
                answers[row.question] = ReadAnswer(decode(row.value), BY_PERSON)
        return {question: answer for question, answer in answers.items() if answer.value is not None}

    def case_problems(self, reference: str) -> tuple[Problem, ...]:
        with self._read() as connection:
            kept = connection.scalar(_PROBLEMS, {"reference": reference})
        return to_problems(kept) if kept else ()

    def reference_for_message_id(self, message_ids: Sequence[str]) -> str | None:
        """The case of a mail of ours or of theirs that one of these names; ours first: only we can have made those."""
        bare = [key for key in map(message_key, message_ids) if key]
        if not bare:
            return None
        with self._read() as connection:
            ours: str | None = connection.scalar(_THREAD_OUT, {"ids": [f"<{key}>" for key in bare]})
            return ours or connection.scalar(_THREAD_IN, {"ids": bare})

    def echo(self, message_id: str) -> str | None:
        """What we wrote, when this is the number of a mail of ours that proves the way to a mailbox."""
        with self._read() as connection:
            found: str | None = connection.scalar(_ECHO, {"message_id": f"<{message_key(message_id)}>"})
        return found

    def case_with_document(self, sha256: Sequence[str], address: str, since: datetime) -> str | None:
        if not sha256:
            return None
        with self._read() as connection:
            found: str | None = connection.scalar(
                _SAME_FILE, {"files": list(sha256), "address": address.lower(), "since": since}
            )
        return found

    def sent_to_case(self, reference: str, address: str) -> SentBefore:
        where = {"reference": reference, "address": address.lower()}
        with self._read() as connection:
            files = frozenset(connection.scalars(_FILES_OF, where))
            return SentBefore(files, tuple((row.subject, row.body) for row in connection.execute(_WORDS_OF, where)))


def read_answers(connection: Connection, reference: str) -> dict[str, ReadAnswer]:
    """As read: of several messages the later over the earlier."""
    answers: dict[str, ReadAnswer] = {}
    for row in connection.execute(_READ, {"reference": reference}):
        answers |= to_answers(row.answers)
    return answers
