"""The end of a message on which the program failed each time: a case where people look, and a call to whoever is on duty."""

from __future__ import annotations

from intake.domain.marks import READ_FIRST, UNREADABLE
from intake.domain.model import CaseDraft, CaseKind, Due, OutcomeCode, Reason, SenderCheck, Status, VerdictCode
from intake.paging import pages_unopened
from intake.pipeline import Parts, is_old, with_references
from intake.ports import Delivery, Filing, Job, NewMail

_SENDER = SenderCheck(
    VerdictCode.UNKNOWN_UNVERIFIED, None, None, None, "The message was not opened, so its sender was not checked."
)


def give_to_person(parts: Parts, delivery: Delivery, job: Job, why: str) -> tuple[str, ...]:
    """The reference of its case. Raises StaleJob; then nothing is written."""

    def file(references: tuple[str, ...]) -> tuple[str, ...]:
        mails = () if is_old(parts, delivery) else tuple(pages_unopened(parts, delivery, references[0]))
        return parts.store.file(filing(delivery, job, references[0], why, mails))

    return with_references((CaseKind.OTHER,), file)


def filing(
    delivery: Delivery, job: Job, reference: str, why: str, mails: tuple[tuple[int, NewMail], ...] = ()
) -> Filing:
    """Of kind other: nobody knows what stands in it. mails: as in Filing."""
    reasons = (Reason(UNREADABLE, why),)
    draft = CaseDraft(
        kind=CaseKind.OTHER,
        status=Status.NEEDS_PERSON,
        provider=None,
        service="",
        duty="not_known",
        sender=_SENDER,
        severity=None,
        score=None,
        due=Due(),
        aware_at=None,
        marks=(UNREADABLE, READ_FIRST),
        reasons=reasons,
        answers={},
        form=None,
        edition=None,
        document=None,
    )
    return Filing(
        delivery=delivery,
        job=job,
        outcome=OutcomeCode.NEEDS_PERSON,
        documents=(),
        sender=_SENDER,
        subject="",
        body="",
        message_id="",
        drafts=((reference, draft),),
        reasons=reasons,
        marks=draft.marks,
        mails=mails,
    )
