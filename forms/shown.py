"""What a person reads: an answer in words, for summaries, the triage desk and letters."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from forms.schema import Kind, Question
from forms.written import HOME, clock_text, long_date, month_text, weekday


def shown(question: Question, value: object) -> str:
    """The canonical answer in words; a code without a choice, or a value of another shape, is shown as it stands."""
    if value is None:
        return ""
    if question.kind is Kind.PARTS and isinstance(value, dict):
        return _parts(question, value)
    if question.kind is Kind.REGISTER and isinstance(value, list):
        return "\n".join(_row(question, row) for row in value if isinstance(row, dict))
    if question.kind is Kind.MULTI and isinstance(value, list):
        chosen = [c.label for c in question.choices if c.code in value]
        return ", ".join([*chosen, *(str(v) for v in value if question.choice(str(v)) is None)])
    if question.kind is Kind.CHOICE:
        choice = question.choice(str(value))
        return choice.label if choice else str(value)
    return _single(question.kind, value)


def _single(kind: Kind, value: object) -> str:
    try:
        if kind is Kind.TIME:
            return _moment(str(value), HOME, about=False)
        if kind is Kind.DATE:
            return long_date(date.fromisoformat(str(value)))
        if kind is Kind.MONTH:
            return month_text(str(value))
    except (ValueError, IndexError, OverflowError):
        return str(value)
    if kind is Kind.NUMBER and isinstance(value, int):
        return f"{value:,}"
    return "Yes" if value is True else str(value)


def _parts(question: Question, value: dict[str, object]) -> str:
    first = question.parts[0]
    if first.kind is Kind.TIME and first.id not in value:
        return ""  # a zone, or that it was about then, says nothing of a time that nobody gave
    if first.kind is Kind.TIME:
        zone = value.get("zone")
        try:
            return _moment(str(value[first.id]), zone if isinstance(zone, str) else HOME, value.get("about") is True)
        except (ValueError, KeyError, OverflowError):
            return str(value[first.id])
    said = [(p, shown(p, value[p.id])) for p in question.parts if p.id in value]
    if first.kind is Kind.NUMBER:
        words = [text if p is first or first.id not in value else f"({_lower(text)})" for p, text in said]
        return " ".join(words)
    return "; ".join(f"{p.short}: {_lower(text)}" for p, text in said)


def _row(question: Question, row: dict[str, object]) -> str:
    return "; ".join(f"{c.short}: {shown(c, row[c.id])}" for c in question.columns if c.id in row)


def _moment(at: str, zone: str, about: bool) -> str:
    given = datetime.fromisoformat(at)
    local = given.astimezone(ZoneInfo(zone))
    words = f"{weekday(local.date())} {long_date(local.date())}, {'about ' if about else ''}{clock_text(local)}"
    return words if zone == HOME else f"{words} (Chatham Islands time)"


def _lower(text: str) -> str:
    return text if text.startswith("I ") else text[:1].lower() + text[1:]
