"""Values as the pipeline would hand them to the store. All names and addresses are invented."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from forms.schema import Problem
from intake.adapters.store.sql import SqlStore
from intake.domain.model import (
    CaseDraft,
    CaseKind,
    Change,
    Contact,
    Due,
    Evidence,
    ExceptionAddress,
    Flag,
    GapScore,
    OutcomeCode,
    Provider,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
    Status,
    VerdictCode,
)
from intake.ports import Delivery, Filing, NewMail, ToKeep

AT = datetime(2026, 9, 1, 20, 30, tzinfo=UTC)

KOWHAI = Provider(
    slug="kowhai-trust",
    name="Kōwhai Whānau Trust",
    services=("family_violence", "parenting"),
    relationship_manager="r.example@ministry.example",
    domains=("kowhai.example", "mail.kowhai.example"),
    contacts=(Contact("mere@kowhai.example", "Mere Example"), Contact("office@kowhai.example")),
    exceptions=(ExceptionAddress("kowhai@shared.example", "Their mail is being moved", "2026-12-31"),),
    phone="04 000 0001",
)
RATA = Provider(slug="rata-law", name="Rātā Community Law", services=("law",), domains=("rata.example",))

SENDER = SenderCheck(
    verdict=VerdictCode.VERIFIED_ACCOUNT,
    address="Mere@kowhai.example",
    domain="kowhai.example",
    provider="kowhai-trust",
    reason="It came from an account that the provider controls.",
    evidence=(Evidence("dkim_aligned", "Signed by kowhai.example.", "yes"),),
    suggested=("kowhai-trust",),
    inner=SenderCheck(VerdictCode.PROBABLE, None, "kowhai.example", None, "Inside."),
)
SEVERITY = Severity(
    band="S2",
    reasons=(
        Reason("HEALTH", "Health details of a client were seen by others (A05).", "S2", ("A05",)),
        Reason("FEW", "Fewer than ten people (A06).", "", ("A06",)),
        Reason("THIRD", "A third reason.", "", ()),
    ),
    changes=(Change("A07", "yes", "S3", "It came back unread."),),
    flags=(Flag("CONTRADICTION", "A05 and A09 contradict each other.", ("A05", "A09")),),
    notifiable="likely",
    rule_set="2026.1",
)
DUE = Due(
    first_contact=AT + timedelta(hours=4),
    decision=AT + timedelta(hours=48),
    marker_72h=AT + timedelta(hours=60),
    marker_about=True,
    rule="clocks 2026.1",
)
ANSWERS: Mapping[str, ReadAnswer] = {
    "A01": ReadAnswer("Kōwhai Whānau Trust", "acroform", 1, (10.0, 20.5, 30.0, 40.0), 0.93),
    "A05": ReadAnswer(["health", "names"], "acroform", 2),
    "A08": ReadAnswer({"at": "2026-09-01T08:00:00+12:00", "about": "about"}, "acroform"),
}
DOCUMENT = ReadDocument(
    name="pānui \u202eexe.pdf",
    media_type="application/pdf",
    how="acroform",
    form="breach-notice",
    edition="2026.1",
    answers=ANSWERS,
    problems=(Problem("A06", "missing", "Say how many people."),),
    pages=3,
)
DRAFT = CaseDraft(
    kind=CaseKind.BREACH_NOTICE,
    status=Status.OPEN,
    provider="kowhai-trust",
    service="family_violence",
    duty="provider",
    sender=SENDER,
    severity=SEVERITY,
    score=None,
    due=DUE,
    aware_at=AT - timedelta(hours=12),
    marks=("POSSIBLE_DANGER",),
    reasons=(Reason("DANGER", "Somebody may be in danger (A10).", "", ("A10",)),),
    answers=ANSWERS,
    form="breach-notice",
    edition="2026.1",
    document=0,
    says_provider="Kowhai Trust",
    problems=(Problem("A06", "missing", "Say how many people."),),
)
ASSESSMENT = replace(
    DRAFT,
    kind=CaseKind.SELF_ASSESSMENT,
    status=Status.HELD,
    severity=None,
    score=GapScore(40, 35, 3, 2, 1, ("L1-DEV-01",)),
    due=Due(read_by=AT + timedelta(days=7), plan_by=AT + timedelta(days=28), rule="clocks 2026.1"),
    aware_at=None,
    marks=("KEY_GAP_NO_PLAN", "CHECK_FIRST"),
    reasons=(Reason("SENDER_UNVERIFIED", "The sender is to be checked first."),),
    answers={
        "PLAN": ReadAnswer([{"control": "L1-DEV-01", "what": "Buy laptops", "by": "2026-12", "cost": True}], "web"),
        "DEV": ReadAnswer(
            [{"kind": "phone", "how_many": 3, "controlled_by": "staff_member", "mitigations": ["screen_lock"]}, "junk"],
            "web",
        ),
    },
    form="it-self-assessment",
)
OTHER = replace(
    DRAFT,
    kind=CaseKind.OTHER,
    severity=None,
    due=Due(read_by=AT + timedelta(hours=4)),
    aware_at=None,
    marks=(),
    answers={},
    form=None,
    edition=None,
    document=None,
    provider=None,
    problems=(),
)


def to_keep(n: int, content: int | None = None, **changes: Any) -> ToKeep:
    key = hashlib.sha256(f"content {n if content is None else content}".encode()).hexdigest()
    values: dict[str, Any] = {
        "content_key": key,
        "sha256": key,
        "size": 1000 + n,
        "blob": f"aa/bb/{n:032x}",
        "channel": "imap",
        "mailbox": "default",
        "remote_id": f"7:{n}",
        "received_at": AT,
    }
    return ToKeep(**{**values, **changes})


def kept(store: SqlStore, n: int = 1, **changes: Any) -> Delivery:
    return store.keep([to_keep(n, **changes)])[0]


def filing(delivery: Delivery, reference: str = "BN-0001-A", draft: CaseDraft = DRAFT, **changes: Any) -> Filing:
    n = delivery.id
    values: dict[str, Any] = {
        "delivery": delivery,
        "job": None,
        "outcome": OutcomeCode.HELD if draft.status is Status.HELD else OutcomeCode.CASE_OPENED,
        "documents": (("1.2", 5000, f"{n:064x}", DOCUMENT),),
        "sender": draft.sender,
        "subject": f"Pānui {n}",
        "body": "Tēnā koe,\nsee the form.",
        "message_id": f"<mail-{n}@kowhai.example>",
        "drafts": ((reference, draft),),
        "mails": ((0, mail(f"ack:{n}")),),
    }
    return Filing(**{**values, **changes})


def mail(dedupe: str, to: str = "Mere@kowhai.example") -> NewMail:
    return NewMail(dedupe, to, "We have your notice", "Thank you.", "ack", (("Auto-Submitted", "auto-replied"),))


def opened(store: SqlStore, n: int = 1, reference: str = "", draft: CaseDraft = DRAFT, **changes: Any) -> str:
    """A case that a message opened; its reference."""
    reference = reference or f"BN-{n:04d}-A"
    return store.file(filing(kept(store, n), reference, draft, **changes))[0]
