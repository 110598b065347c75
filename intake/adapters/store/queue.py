"""The queue: one page by keyset, and the numbers beside the views. Every filter has an index or narrows one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, literal, literal_column, or_, select, tuple_

from intake.adapters.store import tables as t
from intake.adapters.store.base import LINKED_AWARE_AT, Base
from intake.adapters.store.case_rows import LOCKED, queue_row
from intake.adapters.store.codec import fold
from intake.domain.marks import CONFLICT
from intake.domain.model import CaseKind
from intake.domain.reference import parse
from intake.ports import QueueFilter, QueueRow

_c = t.cases.c
_ROW = select(
    _c.id,
    _c.reference,
    _c.kind,
    _c.provider,
    _c.provider_name,
    _c.says_provider,
    _c.service,
    _c.band,
    _c.status,
    _c.verdict,
    _c.sender_line,
    _c.first_reasons,
    _c.marks,
    _c.next_due,
    _c.next_due_what,
    _c.received_at,
    _c.aware_at,
    _c.assignee,
    _c.duty,
    _c.version,
    _c.changed_at,
    LINKED_AWARE_AT,
)
_OPEN: ColumnElement[int] = literal_column("0")  # literal, so that the planner knows the index fits
NOBODY = "nobody"
VIEWS = ("open", "nobody", "held", "needs_person", "waiting_provider", "key_gap", "second_person", "closed")
CAP = 1001  # a count goes no further: "more than 1,000" is enough to know


class Queue(Base):
    def queue(
        self, wanted: QueueFilter, kinds: Sequence[str] | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[QueueRow, ...]:
        with self._read() as connection:
            last = None
            if after:
                place = select(_c.closed, _c.due_order, _c.id).where(_c.reference == after)
                last = connection.execute(place).one_or_none()
            page = queue_page(wanted, kinds, limit, last)
            return tuple(queue_row(row) for row in connection.execute(page).mappings())

    def counts(
        self, assignee: str | None = None, kinds: Sequence[str] | None = None, locked: bool = True
    ) -> Mapping[str, int]:
        seen = [kind.value for kind in CaseKind] if kinds is None else list(kinds)
        mine = f"assigned {assignee}"
        ends = ("", LOCKED) if locked else ("",)
        names = [f"{view}/{kind}{end}" for view in (*VIEWS, mine) for kind in seen for end in ends]
        apart = [] if locked else [_without(CONFLICT)]
        late = (
            select(_c.id)
            .where(_c.closed == _OPEN, _c.due_order < self._clock(), _c.kind.in_(seen), *apart)
            .limit(CAP)
            .subquery()
        )
        with self._read() as connection:
            counters = select(t.counters).where(t.counters.c.name.in_(names))
            n: dict[str, int] = dict(connection.execute(counters).all())
            overdue = connection.scalar(select(func.count()).select_from(late)) or 0
        by_view: Counter[str] = Counter({view: 0 for view in (*VIEWS, "mine")})
        for name, count in n.items():
            view = name.rsplit("/", 1)[0]
            by_view["mine" if view == mine else view] += count
        by_kind = {kind.value: sum(n.get(f"open/{kind}{end}", 0) for end in ends) for kind in CaseKind}
        return {**by_view, **by_kind, "overdue": overdue}

    def changed_since(self, at: datetime) -> int:
        changed = select(_c.id).where(_c.changed_at > at).limit(CAP).subquery()
        with self._read() as connection:
            return connection.scalar(select(func.count()).select_from(changed)) or 0

    def cases_of(self, slug: str) -> tuple[QueueRow, ...]:
        of_provider = _ROW.where(_c.provider == slug).order_by(_c.closed, _c.due_order, _c.id)
        with self._read() as connection:
            return tuple(queue_row(row) for row in connection.execute(of_provider).mappings())


def queue_page(
    wanted: QueueFilter, kinds: Sequence[str] | None, limit: int, last: tuple[int, datetime, int] | None
) -> Select[tuple[object, ...]]:
    """The statement of one page. `last`: closed, due_order and id of the last row of the page before."""
    page = _ROW.where(*_conditions(wanted, kinds)).limit(limit)
    if wanted.include_closed:
        page = page.order_by(_c.closed, _c.due_order, _c.id)
        return page if last is None else page.where(tuple_(_c.closed, _c.due_order, _c.id) > tuple_(*_bound(last)))
    page = page.where(_c.closed == _OPEN).order_by(_c.due_order, _c.id)
    return page if last is None else page.where(tuple_(_c.due_order, _c.id) > tuple_(*_bound(last)[1:]))


def _bound(last: tuple[int, datetime, int]) -> list[ColumnElement[object]]:
    return [literal(value, column.type) for value, column in zip(last, (_c.closed, _c.due_order, _c.id), strict=True)]


def _conditions(wanted: QueueFilter, kinds: Sequence[str] | None) -> list[ColumnElement[bool]]:
    found = [
        _one_of(column, values)
        for column, values in (
            (_c.kind, wanted.kinds),
            (_c.band, wanted.bands),
            (_c.status, wanted.statuses),
            (_c.verdict, wanted.verdicts),
        )
        if values
    ]
    if kinds is not None:
        found.append(_one_of(_c.kind, kinds))
    if wanted.assignee:
        found.append(_c.assignee.is_(None) if wanted.assignee == NOBODY else _c.assignee == wanted.assignee)
    if wanted.provider:
        found.append(_c.provider == wanted.provider)
    if wanted.duty:
        found.append(_c.duty == wanted.duty)
    if wanted.due_before:
        found.append(_c.due_order < wanted.due_before)
    if wanted.marks:
        found.append(or_(*(_c.marks.contains(f'"{mark}"', autoescape=True) for mark in wanted.marks)))
    found += map(_without, wanted.without_marks)
    return [*found, *_named(wanted.text)]


def _without(mark: str) -> ColumnElement[bool]:
    return ~_c.marks.contains(f'"{mark}"', autoescape=True)


def _named(text: str) -> list[ColumnElement[bool]]:
    """Cases whose search text holds every word. A text that is a reference, however it was typed, finds that case; a
    name may look like one, so its words are searched too, though not letters that were spelled out."""
    words = fold(text).split()
    held = [_c.search.contains(word, autoescape=True) for word in words]
    said = parse(text).reference
    if not said:
        return held
    spelled = all(len(word) == 1 for word in words)
    return [_c.reference == said if spelled else or_(_c.reference == said, and_(*held))]


def _one_of(column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Equal when there is one: then an index that begins with the column gives the order too."""
    return column == values[0] if len(values) == 1 else column.in_(list(values))
