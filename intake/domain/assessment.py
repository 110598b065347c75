"""What a self-assessment shows: how many safeguards are in place, which gaps have a plan. No pass and no fail.

Gaps are allowed and need a plan; a gap in a key safeguard comes first.
Source: the Ministry's FAQ on its Privacy Guidelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forms.check import PLAN_NEEDS, applies
from forms.check import gaps as gap_controls
from forms.schema import Form, Question
from intake.domain.model import GapScore
from intake.domain.severity_facts import Answers, code

_PLAN, _DEVICES, _UNREASONED = "PLAN", "DEV", "-why"


@dataclass(frozen=True, slots=True)
class Gap:
    """A safeguard that applies and is not in place. `plan` is its row of the plan when that is whole, else None."""

    control: str
    answer: str  # partly, no, dont_know
    plan: Mapping[str, object] | None
    key: bool


def gaps(form: Form, answers: Answers) -> tuple[Gap, ...]:
    """The gaps, key ones first, then in the form's order. What is not asked of this provider is never a gap."""
    whole = _whole_plans(answers)
    found = [
        Gap(asked.id, code(answers, asked.id), whole.get(asked.id), bool(asked.control and asked.control.key))
        for asked in gap_controls(form, dict(answers))
    ]
    return tuple(sorted(found, key=lambda gap: not gap.key))


def score(form: Form, answers: Answers) -> GapScore:
    """The counts that staff and the provider see. A control without an answer is neither in place nor a gap."""
    found = gaps(form, answers)
    asked = [question for question in _controls(form) if _counts(form, question, answers)]
    return GapScore(
        applicable=len(asked),
        in_place=sum(code(answers, question.id) == "yes" for question in asked),
        with_plan=sum(gap.plan is not None for gap in found),
        without_plan=sum(gap.plan is None for gap in found),
        key_gaps=sum(gap.key for gap in found),
        key_gaps_without_plan=tuple(gap.control for gap in found if gap.key and gap.plan is None),
    )


def _controls(form: Form) -> tuple[Question, ...]:
    return tuple(question for question in form.questions if question.control)


def _counts(form: Form, question: Question, answers: Answers) -> bool:
    """Asked of this provider, and not said to be beside the point with a reason."""
    if not applies(form, question, dict(answers)):
        return False
    return code(answers, question.id) != "not_applicable" or not answers.get(question.id + _UNREASONED)


def _whole_plans(answers: Answers) -> Mapping[str, Mapping[str, object]]:
    """The first row of each control that says what, who and by when (or that cost is in the way)."""
    rows = answers.get(_PLAN)
    whole: dict[str, Mapping[str, object]] = {}
    for row in rows if isinstance(rows, (list, tuple)) else ():
        if isinstance(row, Mapping) and all(row.get(part) or _held_by_cost(row, part) for part in PLAN_NEEDS):
            whole.setdefault(str(row.get("control")), row)
    return whole


def _held_by_cost(row: Mapping[str, object], part: str) -> bool:
    return part == "by" and bool(row.get("cost"))
