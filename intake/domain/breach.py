"""What a breach notice says beside its band: whose duty it is, since when the provider knows, what is still open."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

from forms.check import check
from forms.schema import Form, Problem
from intake.domain.clocks import local_instants
from intake.domain.severity_facts import Answers, code, parts

_DUTY = {"for_our_own_service": "provider", "only_for_ministry": "ministry", "both": "both"}
_SENTENCES = {
    "provider": "The provider uses the information for its own service, so the provider must tell the Commissioner "
    "and the people; the Ministry checks that it happened (B17).",
    "ministry": "The provider only keeps it for the Ministry, so the Ministry must tell the Commissioner (B17).",
    "both": "The information serves the provider and the Ministry, so both have a duty to tell the Commissioner (B17).",
    "not_known": "Whose service the information is for is not known, so it is open who must tell the Commissioner: ask the provider (B17).",
}
_HOME = "Pacific/Auckland"


def duty(answers: Answers) -> str:
    """Who must tell the Privacy Commissioner: provider, ministry, both or not_known.

    Source: Privacy Act 2020 s 11; Privacy Commissioner, knowledge base 596.
    """
    return _DUTY.get(code(answers, "B17"), "not_known")


def duty_sentence(whose: str) -> str:
    """The reason for `duty`, for staff. Raises KeyError for another word."""
    return _SENTENCES[whose]


def aware_at(answers: Answers) -> tuple[datetime | None, bool]:
    """When the provider became aware (A08), aware UTC, and whether that is only about right.

    A wall-clock time that clocks showed twice, or skipped, counts as the earlier instant and as "about"; so
    does one without an offset. (None, True) when it is not answered or not a time.
    Source: Privacy Act 2020 ss 11, 114.
    """
    told = parts(answers, "A08") or {"at": answers.get("A08")}
    written, zone = told.get("at"), told.get("zone")
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else None
        meant = local_instants(at.replace(tzinfo=None), zone if isinstance(zone, str) else _HOME) if at else ()
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        return None, True
    if at is None:
        return None, True
    about = told.get("about") is True
    if at.tzinfo is None:
        return meant[0], True
    instant = at.astimezone(UTC)
    return (meant[0], True) if len(meant) > 1 and instant in meant else (instant, about)


def open_questions(form: Form, answers: Answers) -> tuple[Problem, ...]:
    """What the notice still lacks before its case can be closed, in the form's order, each as a question back."""
    return check(form, dict(answers), closing=True)
