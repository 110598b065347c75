"""One check of the answers against their form, the same for every way in which they arrive.

Pure. A problem never refuses a breach notice: it becomes a question back to the person, and its message says how to
mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forms.schema import Answers, Condition, Form, Kind, Problem, Question, Required
from forms.written import HOME, doubt

_ASK = {Kind.CHOICE: "Choose an answer to", Kind.MULTI: "Tick what is true for", Kind.TICK: "Tick the box"}
PLAN_NEEDS = ("what", "who", "by")


def applies(form: Form, question: Question, answers: Answers) -> bool:
    """Whether the question is asked of somebody who gave these answers.

    The reason why a control does not apply is asked only while the control itself is.
    """
    if question.applies.any_of and not _holds(question.applies, answers):
        return False
    asks_about = form.question(question.id.removesuffix("-why")) if question.id.endswith("-why") else None
    return asks_about is None or asks_about.control is None or _holds(asks_about.applies, answers)


def gaps(form: Form, answers: Answers) -> tuple[Question, ...]:
    """The controls that apply and are not in place, in the form's order."""
    return tuple(
        q for q in form.questions if q.control and answers.get(q.id) in form.gap_codes and applies(form, q, answers)
    )


def check(form: Form, answers: Answers, closing: bool = False) -> tuple[Problem, ...]:
    """What is missing or wrong in canonical answers, in the form's order.

    With `closing`, answers that are needed before a case is closed count as missing too. Codes: missing,
    unknown_choice, too_long, reason_missing, plan_missing, plan_incomplete, mitigation_missing, which_time,
    attestation_missing.
    """
    problems: list[Problem] = []
    for section in form.sections:
        for question in section.questions:
            if applies(form, question, answers):
                missing = _missing(question, answers, closing)
                problems += [_attested(p) for p in missing] if section.id == "attestation" else missing
            if question.id in answers:
                problems += _wrong(question, answers[question.id], question.id)
    problems += which_times(form, answers)
    problems += _unplanned(form, answers)
    return tuple(problems)


def which_times(form: Form, answers: Answers) -> list[Problem]:
    """Times that the clocks skipped or showed twice, unless the person says "about"."""
    problems = _doubts(form.timed, answers, "")
    for question in form.timed:
        inner = answers.get(question.id)
        if question.kind is Kind.PARTS and isinstance(inner, dict):
            problems += _doubts(question.parts, inner, f"{question.id}.")
    return problems


def _holds(condition: Condition, answers: Mapping[str, object]) -> bool:
    if not condition.any_of:
        return True
    return any(all(_shares(answers.get(name), codes) for name, codes in group) for group in condition.any_of)


def _shares(answer: object, codes: Sequence[str]) -> bool:
    return any(a in codes for a in answer) if isinstance(answer, list) else answer in codes


def _missing(question: Question, answers: Answers, closing: bool) -> list[Problem]:
    needed = question.required is Required.ALWAYS or (closing and question.required is Required.BEFORE_CLOSING)
    value = answers.get(question.id)
    if _is_empty(value):
        return [_asked(question, question.id)] if needed else []
    if question.kind is Kind.PARTS and isinstance(value, dict):
        return _missing_inside(question.parts, value, f"{question.id}.")
    if question.kind is Kind.REGISTER and isinstance(value, list):
        rows = (r for r in enumerate(value, 1) if isinstance(r[1], dict))
        return [p for n, row in rows for p in _missing_inside(question.columns, row, f"{question.id}[{n}].")]
    return []


def _missing_inside(inner: Sequence[Question], values: Mapping[str, object], before: str) -> list[Problem]:
    return [
        _asked(q, before + q.id)
        for q in inner
        if q.required is Required.ALWAYS and _is_empty(values.get(q.id)) and _holds(q.applies, values)
    ]


def _is_empty(value: object) -> bool:
    return value is None or value == [] or value == {}


def _asked(question: Question, at: str) -> Problem:
    if at.endswith("-why"):
        return Problem(at, "reason_missing", "Say in a few words why it does not apply to you.")
    if question.id == "mitigations":
        return Problem(
            at, "mitigation_missing", "Tick what you do instead on this device. If it is nothing yet, do one."
        )
    return Problem(at, "missing", f"{_ASK.get(question.kind, 'Fill in')} “{question.label}”.")


def _attested(problem: Problem) -> Problem:
    return Problem(problem.id, "attestation_missing", f"{problem.message} We can only take a form that somebody signs.")


# ---------------------------------------------------------------- what is there and does not fit


def _wrong(question: Question, value: object, at: str) -> list[Problem]:
    if question.kind in (Kind.CHOICE, Kind.MULTI):
        codes = value if isinstance(value, list) else [value]
        return [_unknown(question, str(c), at) for c in codes if question.choice(str(c)) is None]
    if question.kind is Kind.PARTS and isinstance(value, dict):
        return _wrong_inside(question.parts, value, f"{at}.")
    if question.kind is Kind.REGISTER and isinstance(value, list):
        rows = (r for r in enumerate(value, 1) if isinstance(r[1], dict))
        return [p for n, row in rows for p in _wrong_inside(question.columns, row, f"{at}[{n}].")]
    if question.max_length and isinstance(value, str) and len(value) > question.max_length:
        room, over = question.max_length, len(value) - question.max_length
        has = f"“{question.short}” has {len(value):,} characters, and there is room for {room:,}."
        return [Problem(at, "too_long", f"{has} Please shorten it by {over:,}.")]
    return []


def _wrong_inside(inner: Sequence[Question], values: Mapping[str, object], before: str) -> list[Problem]:
    return [p for q in inner if q.id in values for p in _wrong(q, values[q.id], before + q.id)]


def _unknown(question: Question, code: str, at: str) -> Problem:
    shown = code if len(code) <= 40 else code[:40] + "…"
    return Problem(
        at, "unknown_choice", f"“{shown}” is not one of the answers to “{question.label}”. Choose one of them."
    )


def _doubts(questions: Sequence[Question], values: Mapping[str, object], before: str) -> list[Problem]:
    problems: list[Problem] = []
    zone = values.get("zone") if before else HOME
    for question in questions:
        if question.kind is not Kind.TIME:
            continue
        at = values.get(question.id)
        about = values.get("about" if before else f"{question.id}-about")
        if isinstance(at, str) and not about:
            sentence = doubt(at, zone if isinstance(zone, str) else HOME)
            problems += [Problem(before + question.id, "which_time", sentence)] if sentence else []
    return problems


# ---------------------------------------------------------------- gaps and plans


def _unplanned(form: Form, answers: Answers) -> list[Problem]:
    """A gap needs a row in the plan: what, who, and by when or that cost is in the way."""
    register = form.plan
    if register is None:
        return []
    rows = answers.get(register.id)
    planned = [(n, r) for n, r in enumerate(rows if isinstance(rows, list) else [], 1) if isinstance(r, dict)]
    problems: list[Problem] = []
    for gap in gaps(form, answers):
        own = [(n, row) for n, row in planned if row.get("control") == gap.id]
        if not own:
            message = "say what you will do, who does it and by when. A gap is all right, a plan is what counts."
            problems.append(Problem(gap.id, "plan_missing", f"{gap.short}: {message}"))
        elif not any(not _lacking(row) for _, row in own):
            n, row = own[0]
            problems += [_incomplete(register, gap, n, part) for part in _lacking(row)]
    return problems


def _lacking(row: Mapping[str, object]) -> list[str]:
    return [part for part in PLAN_NEEDS if not row.get(part) and not (part == "by" and row.get("cost"))]


def _incomplete(register: Question, gap: Question, n: int, part: str) -> Problem:
    mend = {
        "what": "say what you will do",
        "who": "say who does it, by role",
        "by": "say by when, or tick that cost holds you back",
    }
    return Problem(f"{register.id}[{n}].{part}", "plan_incomplete", f"{gap.short}: {mend[part]}.")
