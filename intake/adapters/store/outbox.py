"""What leaves: one row a mail, queued with the case in one transaction, sent from here with a stable Message-ID."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from intake.adapters.store import tables as t
from intake.adapters.store.codec import decode, encode, storable
from intake.adapters.store.events import SYSTEM, EventStore, NewEvent
from intake.ports import NewMail, OutgoingMail, SentMail

TRIES = 48  # with the waits below a little under two days: a mail server may be down for that long
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0  # seconds

_o = t.outbox.c
_QUEUED: ColumnElement[str] = literal_column("'queued'")

_QUEUED_AS = {
    "acknowledgement": "The answer to the sender was queued.",
    "page": "A mail to whoever is on duty was queued.",
    "ask": "Questions to the provider were queued.",
}


def _claiming(skip_locked: bool) -> ReturningUpdate[tuple[object, ...]]:
    due = (
        select(_o.id)
        .where(_o.state == _QUEUED, _o.due_at <= bindparam("now"))
        .order_by(_o.due_at, _o.id)
        .limit(bindparam("most"))
    )
    chosen = (due.with_for_update(skip_locked=True) if skip_locked else due).cte("chosen")
    return (
        update(t.outbox)
        .where(_o.id.in_(select(chosen.c.id)))
        .values(state="sending", attempts=_o.attempts + 1, lease_until=bindparam("until"))
        .returning(_o.id, _o.message_id, _o.to_address, _o.subject, _o.body, _o.case_id, _o.attempts, _o.headers)
    )


_CLAIM = {"sqlite": _claiming(skip_locked=False), "postgresql": _claiming(skip_locked=True)}
_REFERENCES = select(t.cases.c.id, t.cases.c.reference).where(t.cases.c.id.in_(bindparam("ids", expanding=True)))
_ENDED = (
    update(t.outbox)
    .where(_o.id == bindparam("mail"), _o.attempts == bindparam("mine"), _o.state.in_(("sending", "queued")))
    .values(
        state=bindparam("to"),
        due_at=bindparam("at"),
        lease_until=None,
        error=bindparam("why"),
        sent_at=bindparam("sent"),
    )
    .returning(_o.case_id, _o.template)
)
BOUNCED = (
    update(t.outbox)
    .where(_o.message_id.in_(bindparam("ids", expanding=True)), _o.state.in_(("sent", "sending")))
    .values(state="bounced", error="A mail server reported that it could not be delivered.")
    .returning(_o.id, _o.case_id, _o.template)
)
_ENDED_FOR = (
    select(_o.to_key, _o.state)
    .where(_o.to_key.in_(bindparam("addresses", expanding=True)), _o.state.in_(("sent", "bounced", "failed")))
    .order_by(_o.id)
)
_RECENT = (
    select(t.outbox, t.cases.c.reference)
    .outerjoin(t.cases, _o.case_id == t.cases.c.id)
    .where((_o.template != "echo") | (_o.state == "failed"))  # those that go well are counted on their mailbox
    .order_by(_o.id.desc())
    .limit(bindparam("most"))
)
_TO = select(func.count()).where(_o.to_key == bindparam("address"), _o.created_at >= bindparam("since"))
_TO_OF = _TO.where(_o.template == bindparam("template"))
_TO_ALL = select(func.count()).where(_o.created_at >= bindparam("since"))
_TO_ALL_OF = _TO_ALL.where(_o.template == bindparam("template"))


class Outbox(EventStore):
    def claim_mails(self, limit: int, lease_seconds: int) -> tuple[OutgoingMail, ...]:
        now = self._clock()
        values = {"now": now, "most": limit, "until": now + timedelta(seconds=lease_seconds)}
        with self._write() as connection:
            rows = connection.execute(_CLAIM[self.engine.dialect.name], values).all()
            ids = [row.case_id for row in rows if row.case_id]
            references = dict(connection.execute(_REFERENCES, {"ids": ids}).all()) if ids else {}
        return tuple(
            OutgoingMail(
                id=row.id,
                message_id=row.message_id,
                to=row.to_address,
                subject=row.subject,
                body=row.body,
                case=references.get(row.case_id),
                attempt=row.attempts,
                headers=tuple((name, value) for name, value in decode(row.headers)),
            )
            for row in sorted(rows, key=lambda row: int(row.id))
        )

    def mail_sent(self, mail: OutgoingMail) -> None:
        now = self._clock()
        self._end_mail(mail, {"to": "sent", "at": now, "why": "", "sent": now}, "mail_sent", "A mail was sent.")

    def mail_failed(self, mail: OutgoingMail, error: str, permanent: bool) -> None:
        """Tried again later, with growing waits; `failed`, and an event on the case, when it is for good."""
        now = self._clock()
        why = storable(error)[:500]
        if permanent or mail.attempt >= TRIES:
            values = {"to": "failed", "at": now, "why": why, "sent": None}
            self._end_mail(mail, values, "mail_failed", "A mail could not be sent. Reach the provider another way.")
            return
        wait = min(_FIRST_WAIT * 2 ** (mail.attempt - 1), _LONGEST_WAIT)
        self._end_mail(mail, {"to": "queued", "at": now + timedelta(seconds=wait), "why": why, "sent": None}, "", "")

    def _end_mail(self, mail: OutgoingMail, values: Mapping[Any, Any], action: str, text: str) -> None:
        with self._write() as connection:
            row = connection.execute(_ENDED, {"mail": mail.id, "mine": mail.attempt, **values}).one_or_none()
            if row is not None and row.case_id and action:
                detail = {"mail": mail.id, "template": row.template, "attempt": mail.attempt}
                self._append(connection, [NewEvent(row.case_id, SYSTEM, action, text, detail)], self._clock())

    def mails(self, limit: int = 50) -> tuple[SentMail, ...]:
        with self._read() as connection:
            return tuple(_sent(row) for row in connection.execute(_RECENT, {"most": limit}).mappings())

    def unreachable(self, addresses: Sequence[str]) -> frozenset[str]:
        keys = {a.lower(): _inbox(a) for a in addresses}
        with self._read() as connection:
            newest = dict(connection.execute(_ENDED_FOR, {"addresses": list(keys.values())}).all())
        return frozenset(address for address, key in keys.items() if newest.get(key, "sent") != "sent")

    def mails_to(self, address: str, since: datetime, template: str = "") -> int:
        to_one, to_all = (_TO_OF, _TO_ALL_OF) if template else (_TO, _TO_ALL)
        counting = to_one if address else to_all
        where = {"since": since, **({"address": _inbox(address)} if address else {})}
        where |= {"template": template} if template else {}
        with self._read() as connection:
            return int(connection.execute(counting, where).scalar_one())


def _inbox(address: str) -> str:
    """What mails are counted by: a+1@, a+2@ … end in one inbox, and would pass a limit that counts each (RFC 5233)."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def queued(case_id: int, actor: str, template: str) -> NewEvent:
    """The event that a mail of this template waits to be sent."""
    text = _QUEUED_AS.get(template.partition("_")[0], "A mail to the provider was queued.")
    return NewEvent(case_id, actor, "mail_queued", text, {"template": template})


def mail_row(mail: NewMail, case_id: int | None, actor: str, now: datetime, domain: str) -> dict[str, Any]:
    """The Message-ID is drawn, once: whoever can work it out can say that a mail came back that they never got."""
    return {
        "dedupe": mail.dedupe,
        "message_id": f"<{secrets.token_hex(20)}@{domain}>",
        "case_id": case_id,
        "actor": actor,
        "to_address": mail.to,
        "to_key": _inbox(mail.to),
        "subject": mail.subject,
        "body": mail.body,
        "template": mail.template,
        "headers": encode(mail.headers),
        "state": "queued",
        "due_at": now,
        "attempts": 0,
        "error": "",
        "created_at": now,
    }


def _sent(row: Mapping[Any, Any]) -> SentMail:
    return SentMail(
        id=row["id"],
        at=row["created_at"],
        to=row["to_address"],
        subject=row["subject"],
        body=row["body"],
        template=row["template"],
        state=row["state"],
        case=row["reference"],
        attempts=row["attempts"],
        error=row["error"],
        sent_at=row["sent_at"],
    )
