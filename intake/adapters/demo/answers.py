"""Answers of the invented notices and assessments, built on the form definitions."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from forms import load
from forms.schema import Answers, Kind

_ZONE = ZoneInfo("Pacific/Auckland")
_HARMS = ("physical", "threats", "emotional", "discrimination", "employment", "identity", "financial", "reputation")


def notice(organisation: str, aware: datetime, what: str, **more: object) -> Answers:
    """Stage A of a notice, calm unless `more` says otherwise; keys of `more` are question ids."""
    local = aware.astimezone(_ZONE)
    return {
        "A01": organisation,
        "A02": "P. Example",
        "A03": "Office manager",
        "A04": "+64 21 000 0007",
        "A06": what,
        "A07": "no",
        "A08": {"at": local.replace(microsecond=0, second=0).isoformat(), "zone": "Pacific/Auckland"},
        "A09": "contained",
        "A10": "stranger",
        "A11": "contact",
        **more,
    }


def details(**more: object) -> Answers:
    """Stage B as far as an office usually knows it on the first day."""
    return {
        "B03": "staff",
        "B06": ["seen"],
        "B09": "none",
        "B10": {"kind": "estimate", "n": 3},
        "B11": ["clients"],
        "B14": "none",
        "B15": ["recalled"],
        "B16": dict.fromkeys((*_HARMS, "lost_opportunity"), "low"),
        "B17": "for_our_own_service",
        "B18": "not_sure",
        "B19": "planned",
        **more,
    }


def assessment(organisation: str, **more: object) -> Answers:
    """A self-assessment with every control in place, unless `more` says otherwise."""
    form = load.form("it-self-assessment")
    answers: Answers = {q.id: "yes" for q in form.questions if q.control}
    for question in form.questions:
        if question.id.startswith("P_") and question.kind is Kind.CHOICE:
            answers[question.id] = "no" if question.choice("no") else question.choices[0].code
    answers |= {
        "ORG": organisation,
        "P_STAFF": "6-19",
        "P_SERVICES": ["family_violence"],
        "ATT_NAME": "P. Example",
        "ATT_ROLE": "Office manager",
        "ATT_DATE": "2026-11-20",
        "ATT_TRUE": True,
    }
    answers |= more
    return {q: value for q, value in answers.items() if form.question(q)}
