"""Random canonical answer sets that pass their form's check: material for the round trips of every face.

Texts hold what breaks faces: macrons, en dashes, curly and straight quotes, angle brackets, several lines. They fit their boxes:
at most `lines` lines of 70 characters, and never longer than the form allows.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from forms.check import applies, check, gaps
from forms.schema import Answers, Form, Kind, Question, Required

WIDTH = 70  # characters that fit on one line of a box
PLAN_ROWS = 12

_WORDS = [
    "Tōtara",
    "whānau",
    "Kāpiti",
    "Ōtautahi",
    "folder",
    "was",
    "left",
    "on",
    "the",
    "bus",
    "–",
    "we",
    "rang",
    "“Metro”",
    "twice",
    "‘today’",
    "it's",
    "a",
    "50%",
    "guess",
    "&",
    "more",
    "said",
    '"no"',
    "<not",
    "opened>",
    "café",
    "naïve",
    "Māori",
    "pēpi",
    "(two)",
    "files;",
    "nothing",
    "yet:",
    "3/4",
    "back,",
    "see",
    "row",
    "#7",
    "at",
    "8:10",
    "pm",
    "Whangārei",
]


def random_answers(form: Form, rng: random.Random, share: float = 0.7) -> Answers:
    """A canonical valid set: every answer that is needed, and about `share` of the others."""
    answers: Answers = {}
    for question in form.questions:
        if question.control is None and not question.id.endswith("-why") and question.kind is not Kind.REGISTER:
            _answer(form, question, answers, rng, share)
    most_gaps = rng.randint(0, PLAN_ROWS)
    for question in form.questions:
        if question.control and applies(form, question, answers):
            gap = len(gaps(form, answers)) < most_gaps and rng.random() < 0.3
            answers[question.id] = rng.choice(form.gap_codes if gap else ("yes", "yes", "yes", "not_applicable"))
    for question in form.questions:
        if question.id.endswith("-why") or question.kind is Kind.REGISTER:
            _answer(form, question, answers, rng, share)
    done = {q.id: answers[q.id] for q in form.questions if q.id in answers}
    problems = check(form, done)
    assert problems == (), problems
    return done


def random_text(question: Question, rng: random.Random) -> str:
    """Canonical text that fits the question's box."""
    if question.kind is Kind.EMAIL:
        return rng.choice(["office@totara.example", "p.example+intake@xn--kpiti-f3a.example", "o'neil@trust.example"])
    if question.kind is Kind.PHONE:
        return rng.choice(["+64 21 000 0007", "04 000 0000", "(03) 000-0000 ext. 2"])
    lines = rng.randint(1, question.lines) if question.kind is Kind.LONG_TEXT else 1
    room = min(question.max_length or 10**6, WIDTH * lines)
    text = "\n".join(_line(rng) for _ in range(lines))[:room].rstrip()
    return text or "Ā"


def _line(rng: random.Random) -> str:
    text = rng.choice(_WORDS)
    for _ in range(rng.randint(0, 10)):
        longer = f"{text} {rng.choice(_WORDS)}"
        text = longer if len(longer) <= WIDTH else text
    return text


def _answer(form: Form, question: Question, answers: Answers, rng: random.Random, share: float) -> None:
    needed = question.required is Required.ALWAYS or question.id == "PLAN"
    if applies(form, question, answers) and (needed or rng.random() < share):
        value = _register(form, question, answers, rng, share) if question.columns else _value(question, rng, share)
        if value not in ([], {}):
            answers[question.id] = value


def _value(question: Question, rng: random.Random, share: float) -> object:
    codes = [c.code for c in question.choices]
    if question.kind is Kind.CHOICE:
        return rng.choice(codes)
    if question.kind is Kind.MULTI:
        return sorted(rng.sample(codes, rng.randint(1, len(codes))))
    if question.kind is Kind.DATE:
        return (date(2026, 1, 1) + timedelta(days=rng.randrange(700))).isoformat()
    if question.kind is Kind.MONTH:
        return f"{rng.randint(2026, 2029)}-{rng.randint(1, 12):02d}"
    if question.kind is Kind.TIME:
        return _moment(rng, "Pacific/Auckland")
    if question.kind is Kind.NUMBER:
        return rng.choice([0, 1, 2, 12, 999, 1_000, 20_000])
    if question.kind is Kind.TICK:
        return True
    if question.kind is Kind.PARTS:
        return _parts(question, rng, share)
    return random_text(question, rng)


def _moment(rng: random.Random, zone: str) -> str:
    # Noon to 11 pm: the clocks change at night, and `which_time` has tests of its own.
    day = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=rng.randrange(700))
    return day.replace(hour=rng.randint(12, 22), minute=rng.randrange(60)).isoformat()


def _parts(question: Question, rng: random.Random, share: float) -> dict[str, object]:
    made: dict[str, object] = {}
    for part in sorted(question.parts, key=lambda p: bool(p.applies.any_of)):
        siblings = Form("", "", "", ())
        if applies(siblings, part, made) and (part.required is Required.ALWAYS or rng.random() < share):
            made[part.id] = _value(part, rng, share)
    if "at" in made and "zone" in made:
        made["at"] = _moment(rng, str(made["zone"]))
    return {p.id: made[p.id] for p in question.parts if p.id in made}


def _register(form: Form, question: Question, answers: Answers, rng: random.Random, share: float) -> list[object]:
    if question.id == "PLAN":
        return [_row(question, rng, share, control=g.id) for g in gaps(form, answers)]
    return [_row(question, rng, share) for _ in range(rng.randint(1, question.max_rows))]


def _row(question: Question, rng: random.Random, share: float, **given: str) -> dict[str, object]:
    row: dict[str, object] = {}
    for column in question.columns:
        planned = bool(given) and column.id in ("what", "who", "by")
        if column.id in given:
            row[column.id] = given[column.id]
        elif planned or column.required is Required.ALWAYS or rng.random() < share:
            row[column.id] = _value(column, rng, share)
    return row
