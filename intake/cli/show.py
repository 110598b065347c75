"""What commands print: JSON lines with the names of the contract, or lines for a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from forms.schema import Problem
from intake.domain.model import (
    CaseDraft,
    Due,
    Provider,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
)
from intake.examine import Examination
from intake.ports import CaseView, QueueRow


def line(value: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "\n")


def instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def minute(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%MZ}" if at else None  # every time is in UTC


def who(row: QueueRow) -> str:
    """The provider; one that is only claimed is marked as a claim."""
    if row.provider_name:
        return row.provider_name
    return f"says {row.says_provider}" if row.says_provider else "provider not known"


def sender(check: SenderCheck) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "verdict": check.verdict.value,
        "address": check.address,
        "domain": check.domain,
        "reason": check.reason,
        "evidence": [{"code": e.code, "text": e.text, "weight": e.weight} for e in check.evidence],
    }
    if check.suggested:
        shown["suggested"] = list(check.suggested)
    if check.inner:
        shown["inner"] = sender(check.inner)
    return shown


def reasons(found: Sequence[Reason]) -> list[dict[str, Any]]:
    return [{"code": r.code, "text": r.text} for r in found]


def severity(found: Severity | None) -> dict[str, Any] | None:
    return {"band": found.band, "reasons": reasons(found.reasons)} if found else None


def due(found: Due | None) -> dict[str, Any]:
    if found is None:
        return {}
    times = {
        "first_contact": found.first_contact,
        "decision": found.decision,
        "marker_72h": found.marker_72h,
        "read_by": found.read_by,
        "plan_by": found.plan_by,
    }
    return {name: instant(at) for name, at in times.items() if at}


def answer(read: ReadAnswer) -> dict[str, Any]:
    return {
        "value": read.value,
        "how": read.how,
        "page": read.page,
        "box": list(read.box) if read.box else None,
        "confidence": round(read.confidence, 3),
    }


def problems(found: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"id": p.id, "code": p.code, "message": p.message} for p in found]


def document(read: ReadDocument) -> dict[str, Any]:
    return {
        "form": read.form,
        "edition": read.edition,
        "how": read.how,
        "answers": {name: answer(a) for name, a in read.answers.items()},
        "problems": problems(read.problems),
    }


def examination(found: Examination) -> dict[str, Any]:
    first: CaseDraft | None = found.drafts[0] if found.drafts else None
    return {
        "kind": found.kind.value,
        "provider": first.provider if first else found.sender.provider,
        "sender": sender(found.sender),
        "documents": [
            {"name": f.read.name, "media_type": f.read.media_type, **document(f.read)} for f in found.documents
        ],
        "severity": severity(first.severity) if first else None,
        "due": due(first.due) if first else {},
        "reasons": reasons(first.reasons if first else found.reasons),
        "marks": list(first.marks if first else found.marks),
    }


def explained(path: str, found: Examination) -> None:
    check = found.sender
    print(f"{path}\n  outcome   {found.outcome.value} ({found.kind.value})")
    print(f"  sender    {check.verdict.value}: {check.reason}")
    for evidence in check.evidence:
        print(f"            - {evidence.text}")
    for draft in found.drafts:
        band = draft.severity.band if draft.severity else "no band"
        print(
            f"  case      {draft.kind.value}, {draft.status.value}, {band}, provider {draft.provider or 'not settled'}"
        )
        for reason in (draft.severity.reasons if draft.severity else ()) + draft.reasons:
            print(f"            - {reason.text}")
        for name, at in due(draft.due).items():
            print(f"            {name} {at}")
    for f in found.documents:
        print(
            f"  document  {f.read.name or f.path}: {f.read.how}, {f.read.form or 'no form'}, {len(f.read.answers)} answers"
        )
        for problem in f.read.problems:
            print(f"            - {problem.message}")


def read_document(read: ReadDocument) -> None:
    print(f"{read.form or 'no form'} {read.edition or ''}, read by {read.how}")
    for name, found in read.answers.items():
        print(f"  {name:16} {found.value}")
    for problem in read.problems:
        print(f"  - {problem.id}: {problem.message}")


def queue_row(row: QueueRow) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "kind": row.kind,
        "provider": row.provider,
        "says_provider": row.says_provider,
        "service": row.service,
        "band": row.band,
        "status": row.status,
        "verdict": row.verdict,
        "sender": row.sender_line,
        "reasons": list(row.reasons),
        "marks": list(row.marks),
        "next_due": instant(row.next_due),
        "next_due_what": row.next_due_what,
        "received_at": instant(row.received_at),
        "aware_at": instant(row.aware_at),
        "linked_aware_at": instant(row.linked_aware_at),
        "assignee": row.assignee,
        "duty": row.duty,
    }


def case_view(view: CaseView) -> dict[str, Any]:
    return {
        **queue_row(view.row),
        "sender": sender(view.sender),
        "severity": severity(view.severity),
        "changes": [{"question": c.question, "answer": c.answer, "band": c.band} for c in view.severity.changes]
        if view.severity
        else [],
        "flags": [{"code": f.code, "text": f.text} for f in view.severity.flags] if view.severity else [],
        "due": due(view.due),
        "form": view.form,
        "edition": view.edition,
        "answers": {name: answer(a) for name, a in view.answers.items()},
        "problems": problems(view.problems),
        "reasons": reasons(view.reasons),
        "documents": [
            {"name": d.name, "media_type": d.media_type, "size": d.size, **document(d.read)} for d in view.documents
        ],
        "messages": [{"at": instant(m.at), "direction": m.direction, "state": m.state} for m in view.messages],
        "history": [
            {"seq": e.seq, "at": instant(e.at), "actor": e.actor, "action": e.action, "text": e.text}
            for e in view.events
        ],
        "linked": list(view.linked),
        "outcome": view.outcome,
    }


def case_for_a_person(view: CaseView) -> None:
    row = view.row
    print(f"{row.reference}  {row.band or 'no band'}  {row.status}  {who(row)}")
    print(f"  sender    {view.sender.verdict.value}: {view.sender.reason}")
    for name, at in due(view.due).items():
        print(f"  {name:14} {at}")
    for reason in (view.severity.reasons if view.severity else ()) + view.reasons:
        print(f"  - {reason.text}")
    for name, found in view.answers.items():
        print(f"  {name:16} {found.value}")


def provider(found: Provider) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "services": list(found.services),
        "relationship_manager": found.relationship_manager,
        "domains": list(found.domains),
        "contacts": [{"address": c.address, "name": c.name} for c in found.contacts],
        "exceptions": [{"address": e.address, "reason": e.reason, "until": e.until} for e in found.exceptions],
        "phone": found.phone,
    }
