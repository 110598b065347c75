"""What would change the band: the rule is run again on each open or doubtful answer."""

from __future__ import annotations

from collections.abc import Callable, Collection

from intake.domain.model import Change
from intake.domain.rule_set import SeverityRules, Try
from intake.domain.severity_facts import OPEN, Answers, code, codes, parts, people


def changes_of(
    answers: Answers,
    band: int,
    judge: Callable[[Answers], int],
    rules: SeverityRules,
    doubtful: Collection[str] = (),
) -> tuple[Change, ...]:
    """The answers that move the band, most telling first: open and doubtful ones before what time can still change.

    judge: the rule, as a function of answers to a band of 1 to 4.
    """
    asked: dict[str, object] = dict(answers)
    unsure: list[tuple[Try, int]] = []
    later: list[tuple[Try, int]] = []
    for each in rules.tries:
        open_now = each.question in doubtful or is_open(answers, each.question)
        if not open_now and not each.later:
            continue
        tried = judge({**asked, each.question: _answer(answers, each)})
        if tried != band:
            (unsure if open_now else later).append((each, tried))
    kept = _pick(unsure, band, rules.most_changes)
    if len(kept) < 2:
        kept += _pick(later, band, rules.most_changes - len(kept))
    return tuple(_change(each, tried, rules) for each, tried in kept)


def is_open(answers: Answers, question: str) -> bool:
    """Not answered yet, or answered "I don't know"."""
    if question == "B10":
        return people(answers) is None
    if question == "B16":
        return not parts(answers, "B16") or "dont_know" in parts(answers, "B16").values()
    if question in ("B08", "B12", "B15"):
        return not codes(answers, question) - OPEN
    return code(answers, question) in ("", *OPEN)


def _answer(answers: Answers, each: Try) -> object:
    if each.how == "add":
        return sorted((codes(answers, each.question) - OPEN - {"none"}) | {each.answer})
    if each.how == "number":
        return {"n": int(each.answer), "kind": "estimate"}
    if each.how == "harm":
        return {**parts(answers, each.question), each.answer: "high"}
    return each.answer


def _pick(found: list[tuple[Try, int]], band: int, most: int) -> list[tuple[Try, int]]:
    """One line a question, the one that moves furthest; then the furthest questions, at least one of each direction."""
    best: dict[tuple[str, bool], tuple[Try, int]] = {}
    for each, tried in found:
        key = (each.question, tried < band)
        if key not in best or abs(tried - band) > abs(best[key][1] - band):
            best[key] = (each, tried)
    ranked = sorted(best.values(), key=lambda line: -abs(line[1] - band))  # stable: first page first
    worse = [line for line in ranked if line[1] < band]
    calmer = [line for line in ranked if line[1] > band]
    heads = worse[:1] + calmer[:1]
    return (heads + [line for line in ranked if line not in heads])[:most]


def _change(each: Try, tried: int, rules: SeverityRules) -> Change:
    band = f"S{tried}"
    text = rules.change_text.format(says=each.says, question=each.question, band=band, name=rules.bands[band])
    return Change(question=each.question, answer=each.answer, band=band, text=text)
