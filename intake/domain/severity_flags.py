"""Contradictions: two answers that cannot both be true. They are shown side by side, and a person settles them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from intake.domain.model import Flag
from intake.domain.rule_set import SeverityRules
from intake.domain.severity_facts import (
    Answers,
    code,
    codes,
    parts,
    people,
    what_by_details,
    who_by_details,
)

_KEY_SAFE = "strong_encryption_key_safe"


def flags_of(answers: Answers, rules: SeverityRules) -> tuple[Flag, ...]:
    """Every contradiction, each with its two answers in a sentence. The band stays at the worse."""
    return (
        *_who_calmer(answers, rules),
        *_what_calmer(answers, rules),
        *_key_safe(answers, rules),
        *_contained_but_nothing_done(answers, rules),
        *_one_person_of_many_kinds(answers, rules),
        *_no_harm_but_danger(answers, rules),
    )


def key_is_doubtful(answers: Answers, rules: SeverityRules) -> bool:
    """The key is said to be safe, but logins were lost with the thing. Ticks only: words of the story set no band."""
    gone = code(answers, "B05") in rules.groups["lost_or_stolen"]
    return code(answers, "B14") == _KEY_SAFE and gone and "login" in codes(answers, "B08")


def _who_calmer(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    said, details = code(answers, "A10"), who_by_details(answers, rules)
    order = rules.who_order
    if said not in order or not details or order.index(said) >= order.index(details):
        return
    ticked = (t for t in codes(answers, "B12") if rules.who_from.get(t) == details)
    other = _named(ticked, rules)
    yield _flag("WHO_CALMER", rules, ("A10", "B12"), one=rules.labels_who[said], other=other)


def _what_calmer(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    said, details = code(answers, "A11"), what_by_details(answers, rules)
    order = rules.what_order
    if said not in order or not details or details == rules.what_else:
        return
    if order.index(said) >= order.index(details):
        return
    ticked = (t for t in codes(answers, "B08") if rules.what_from.get(t) == details)
    other = _named(ticked, rules)
    yield _flag("WHAT_CALMER", rules, ("A11", "B08"), one=rules.labels_what[said], other=other)


def _key_safe(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    gone = code(answers, "B05") in rules.groups["lost_or_stolen"]
    if not gone or code(answers, "B14") != _KEY_SAFE:
        return
    if key_is_doubtful(answers, rules):
        other = rules.flag_words["logins_lost"]
        yield _flag("KEY_SAFE_DOUBTFUL", rules, ("B14", "B08"), other=other)
        return
    found = _key_words(rules.key_words).search(code(answers, "A06"))
    if found:
        other = rules.flag_words["story"].format(word=found.group(0).lower())
        yield _flag("KEY_SAFE_DOUBTFUL", rules, ("B14", "A06"), other=other)


@cache
def _key_words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})s?\b", re.IGNORECASE)


def _contained_but_nothing_done(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    if code(answers, "A09") == "contained" and codes(answers, "B15") == {"none"}:
        yield _flag("CONTAINED_NOTHING_DONE", rules, ("A09", "B15"))


def _one_person_of_many_kinds(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    kinds = codes(answers, "B11") & rules.labels_details.keys()
    if people(answers) == 1 and len(kinds) > 1:
        yield _flag("ONE_PERSON_MANY_KINDS", rules, ("B10", "B11"), other=_named(kinds, rules))


def _no_harm_but_danger(answers: Answers, rules: SeverityRules) -> Iterator[Flag]:
    harms, danger = parts(answers, "B16"), code(answers, "A07")
    if danger in ("yes", "dont_know") and harms and all(h == "none" for h in harms.values()):
        other = rules.labels_details[danger]
        yield _flag("NO_HARM_BUT_DANGER", rules, ("B16", "A07"), other=other)


def _named(ticked: Iterator[str] | frozenset[str], rules: SeverityRules) -> str:
    return ", ".join(sorted(rules.labels_details[each] for each in ticked))


def _flag(name: str, rules: SeverityRules, questions: tuple[str, str], **words: str) -> Flag:
    return Flag(code=name, text=rules.flags[name].format(**words), questions=questions)
