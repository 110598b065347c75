"""What commands print: JSON lines with the names of the contract, or lines for a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from intake.domain.model import (
    CaseDraft,
    Due,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
)
from intake.examine import Examination


def line(value: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "\n")


def instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


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


def document(read: ReadDocument) -> dict[str, Any]:
    return {
        "form": read.form,
        "edition": read.edition,
        "how": read.how,
        "answers": {name: answer(a) for name, a in read.answers.items()},
        "problems": [{"id": p.id, "code": p.code, "message": p.message} for p in read.problems],
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
