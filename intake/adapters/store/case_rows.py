"""A case between the model and its row: both ways, and which counted views it stands in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from intake.adapters.store.codec import decode, encode, fold, of_problems, storable, to_due
from intake.domain.marks import CONFLICT, KEY_GAP_NO_PLAN, SECOND_PERSON
from intake.domain.model import CaseDraft, CaseKind, RawMessage, Reason, SenderCheck, Severity, Status
from intake.domain.next_due import next_due
from intake.ports import QueueRow

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_TWO = 2  # sentences that the queue shows
_WAITING = frozenset({Status.WAITING_PROVIDER, Status.WAITING_OTHER})
LOCKED = " locked"  # after the kind, of a case that names a colleague

Values = dict[str, Any]


def new_case(reference: str, n: int, raw: RawMessage, draft: CaseDraft, found: Values) -> Values:
    """The row of a new case. `found`: provider_name, subject, now."""
    line = sender_line(draft.sender)
    severity = draft.severity
    words = (reference, found["provider_name"], draft.says_provider, line, draft.service, found["subject"])
    return {
        "reference": reference,
        "raw_id": raw.id,
        "n": n,
        "kind": draft.kind.value,
        "status": draft.status.value,
        "provider": draft.provider,
        "provider_name": found["provider_name"],
        "says_provider": storable(draft.says_provider),
        "service": storable(draft.service),
        "title": "",
        "verdict": draft.sender.verdict.value,
        "sender_line": line,
        "marks": encode(draft.marks),
        **when_due(draft.kind, draft.status, draft, raw.received_at),
        "received_at": raw.received_at,
        "aware_at": draft.aware_at,
        "contacted_at": None,
        "assignee": None,
        "duty": draft.duty,
        "version": 1,
        "changed_at": found["now"],
        "search": searchable(*words),
        "form": draft.form,
        "edition": draft.edition,
        "sender": encode(draft.sender),
        **severity_columns(draft.status, severity, draft.reasons),
        "score": encode(draft.score) if draft.score else None,
        "due": encode(draft.due),
        "problems": of_problems(draft.problems),
        "suggestions": "[]",
        "outcome": "",
        "outcome_reason": "",
    }


def when_due(kind: CaseKind, status: Status, draft: CaseDraft, received_at: datetime) -> Values:
    return due_columns(status, *next_due(kind, status, draft.due, received_at))


def due_columns(status: Status, at: datetime | None, what: str) -> Values:
    closed = int(status is Status.CLOSED)
    return {"closed": closed, "next_due": at, "next_due_what": what, "due_order": at or _NEVER}


def due_again(case: Mapping[Any, Any]) -> Values:
    """The due columns of a row whose status, due or contact changed."""
    status = Status(case["status"])
    due, kind = to_due(case["due"]), CaseKind(case["kind"])
    # To wait for somebody is to have read it; it is no call, so the first contact of a notice stays due.
    contacted = case["contacted_at"] is not None or (status in _WAITING and kind is not CaseKind.BREACH_NOTICE)
    return due_columns(status, *next_due(kind, status, due, case["received_at"], contacted))


def severity_columns(status: Status, severity: Severity | None, reasons: tuple[Reason, ...]) -> Values:
    """The band, why, and what the queue says of it: why somebody must look, when they must; else why it is so."""
    of_band = severity.reasons if severity else ()
    routing_first = status in (Status.HELD, Status.NEEDS_PERSON)
    both = (*reasons, *of_band) if routing_first else (*of_band, *reasons)
    return {
        "band": severity.band if severity else None,
        "severity": encode(severity) if severity else None,
        "reasons": encode(reasons),
        "first_reasons": encode([storable(r.text) for r in both[:_TWO]]),
    }


def sender_line(sender: SenderCheck) -> str:
    """The address or domain that matters: of a mail that staff forwarded, the one inside."""
    seen = sender.inner or sender
    return storable(seen.address or seen.domain or "")


def searchable(*words: str) -> str:
    return storable(fold(" ".join(w for w in words if w)))


def queue_row(row: Mapping[Any, Any]) -> QueueRow:
    return QueueRow(
        id=row["id"],
        reference=row["reference"],
        kind=row["kind"],
        provider=row["provider"],
        provider_name=row["provider_name"],
        says_provider=row["says_provider"],
        service=row["service"],
        band=row["band"],
        status=row["status"],
        verdict=row["verdict"],
        sender_line=row["sender_line"],
        reasons=tuple(decode(row["first_reasons"])),
        marks=tuple(decode(row["marks"])),
        next_due=row["next_due"],
        next_due_what=row["next_due_what"],
        received_at=row["received_at"],
        aware_at=row["aware_at"],
        assignee=row["assignee"],
        duty=row["duty"],
        version=row["version"],
        changed_at=row["changed_at"],
        linked_aware_at=row.get("linked_aware_at"),
    )


# ---- counted views -------------------------------------------------------------------------------

_BY_STATUS = {Status.HELD: "held", Status.NEEDS_PERSON: "needs_person", Status.WAITING_PROVIDER: "waiting_provider"}


def views_of(case: Mapping[Any, Any]) -> Counter[str]:
    """The counters that this case is one of. Each by kind, and apart when few may open it."""
    kind = case["kind"] + (LOCKED if f'"{CONFLICT}"' in case["marks"] else "")
    if case["closed"]:
        return Counter([f"closed/{kind}"])
    views = ["open", f"assigned {case['assignee']}" if case["assignee"] else "nobody"]
    named = _BY_STATUS.get(Status(case["status"]))
    if named:
        views.append(named)
    if f'"{KEY_GAP_NO_PLAN}"' in case["marks"]:
        views.append("key_gap")
    if f'"{SECOND_PERSON}"' in case["marks"]:
        views.append("second_person")
    return Counter(f"{view}/{kind}" for view in views)


def moved(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Counter[str]:
    """What to add to the counters when a case changed."""
    change = views_of(after)
    change.subtract(views_of(before))
    return change
