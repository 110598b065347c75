"""A mail to the duty officer when a case cannot wait until somebody looks at the queue.

It names the reference, the band and when we must call, and holds nothing that was sent to us: a pager's display is seen by many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from intake.domain.marks import POSSIBLE_DANGER
from intake.domain.model import CaseDraft, Due
from intake.domain.routing import RELIABLE
from intake.examine import Examination
from intake.mail_text import Composer
from intake.ports import Delivery, NewMail, Store

PAGED_BANDS = ("S1", "S2")


class Parts(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def composer(self) -> Composer: ...

    @property
    def duty_addresses(self) -> tuple[str, ...]: ...

    def pages_left(self, address: str, proven: bool) -> int: ...


def pages(
    parts: Parts, delivery: Delivery, found: Examination, references: tuple[str, ...]
) -> Iterator[tuple[int, NewMail]]:
    """The mails to queue with a filing, each with the place of its case in it (-1 for the case that is added to)."""
    if not parts.duty_addresses or found.duplicate_of or not found.drafts:
        return
    urgent = [
        (place, draft)
        for place, draft in enumerate(found.drafts)
        if _urgent(draft) and not (found.update and not _news(parts, found.update, draft))
    ]
    proven = found.sender.verdict in RELIABLE
    for address in parts.duty_addresses if urgent else ():
        most = parts.pages_left(address, proven)
        kept = most - parts.pages_left(address, False)  # for proven senders, when strangers have used up theirs
        for left, (place, draft) in zip(range(most, 0, -1), urgent, strict=False):
            mail = parts.composer.page(
                dedupe=f"page:{delivery.raw.content_key}:{place}:{address}",
                to=address,
                reference=found.update or references[place],
                band=draft.severity.band if draft.severity else "",
                received_at=delivery.received_at,
                due=draft.due,
                last=left in (1, kept + 1),
            )
            yield (-1 if found.update else place, mail)


def pages_unopened(parts: Parts, delivery: Delivery, reference: str) -> Iterator[tuple[int, NewMail]]:
    """The same for a message on which the program failed each time: nobody knows what stands in it."""
    for address in parts.duty_addresses:
        left = parts.pages_left(address, False)
        if left:
            yield (
                0,
                parts.composer.page(
                    dedupe=f"page:{delivery.raw.content_key}:0:{address}",
                    to=address,
                    reference=reference,
                    band="",
                    received_at=delivery.received_at,
                    due=Due(),
                    last=left == 1,
                    opened=False,
                ),
            )


def _urgent(draft: CaseDraft) -> bool:
    return POSSIBLE_DANGER in draft.marks or (draft.severity is not None and draft.severity.band in PAGED_BANDS)


def _news(parts: Parts, reference: str, draft: CaseDraft) -> bool:
    """Whether what was added makes the case more urgent than the one of which the officer was told."""
    row = parts.store.case_row(reference)
    if row is None:
        return True
    worse = draft.severity is not None and draft.severity.band < (row.band or "S9")
    return worse or (POSSIBLE_DANGER in draft.marks and POSSIBLE_DANGER not in row.marks)


__all__ = ["PAGED_BANDS", "Parts", "pages", "pages_unopened"]
