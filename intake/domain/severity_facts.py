"""What a breach notice says that matters for its band: the answers, read tolerantly, and what follows from them.

An unknown code or a value of the wrong type counts as not answered. Nothing here decides; `severity` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intake.domain.rule_set import UNKNOWN, SeverityRules

Answers = Mapping[str, object]
OPEN = frozenset({"dont_know", "dont_know_yet", "unknown"})


def code(answers: Answers, question: str) -> str:
    """The code of a choice, or "" when it is not answered."""
    value = answers.get(question)
    return value if isinstance(value, str) else ""


def codes(answers: Answers, question: str) -> frozenset[str]:
    """The codes of a multiple choice, empty when it is not answered."""
    value = answers.get(question)
    if not isinstance(value, (list, tuple, set, frozenset)):
        return frozenset()
    return frozenset(each for each in value if isinstance(each, str))


def parts(answers: Answers, question: str) -> Mapping[str, object]:
    """The parts of an answer with parts, empty when it is not answered."""
    value = answers.get(question)
    return value if isinstance(value, Mapping) else {}


def people(answers: Answers) -> int | None:
    """How many people in all (B10), None when it is not known."""
    count = parts(answers, "B10")
    number = count.get("n")
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        return None
    return None if count.get("kind") == "unknown" else number


def worst(found: frozenset[str], order: tuple[str, ...]) -> str:
    """The code furthest along the order, "" when there is none."""
    return max(found, key=order.index, default="")


def who_by_details(answers: Answers, rules: SeverityRules) -> str:
    """Who has it by B12, the worst tick; "" when B12 says nothing."""
    ticked = codes(answers, "B12")
    return worst(frozenset(rules.who_from[t] for t in ticked if t in rules.who_from), rules.who_order)


def what_by_details(answers: Answers, rules: SeverityRules) -> str:
    """The most private thing by B08; "" when B08 says nothing."""
    ticked = codes(answers, "B08") - OPEN
    kinds = frozenset(rules.what_from.get(t, rules.what_else) for t in ticked)
    return worst(kinds, rules.what_order)


@dataclass(frozen=True, slots=True)
class Facts:
    """The answers as the rule sees them."""

    who: str  # a column of the table
    what: str  # a row of the table
    danger: str  # no, yes or dont_know (A07)
    stopped: bool  # the hole is closed (A09)
    ongoing: bool
    cause: str
    kinds: frozenset[str]  # B08
    order: bool  # a court order or a suppression (B09)
    order_ruled_out: bool
    number: int | None  # people
    protected: str  # B14
    actions: frozenset[str]  # B15
    harms: Mapping[str, str]  # B16, by kind of harm
    view: str  # B18
    commissioner_told: bool

    @property
    def danger_open(self) -> bool:
        return self.danger != "no"


def read_facts(answers: Answers, rules: SeverityRules) -> Facts:
    """What the answers say, under one rule set. Never raises."""
    danger = code(answers, "A07")
    order = code(answers, "B09")
    return Facts(
        who=_who(answers, rules),
        what=_what(answers, rules),
        danger=danger if danger in ("no", "yes") else UNKNOWN,
        stopped=code(answers, "A09") == "contained",
        ongoing=code(answers, "A09") == "ongoing",
        cause=code(answers, "B05"),
        kinds=codes(answers, "B08"),
        order=order in rules.groups["court_orders"],
        order_ruled_out=order == "none",
        number=people(answers),
        protected=code(answers, "B14"),
        actions=codes(answers, "B15"),
        harms={
            kind: level
            for kind, level in parts(answers, "B16").items()
            if isinstance(kind, str) and isinstance(level, str)
        },
        view=code(answers, "B18"),
        commissioner_told=code(answers, "B19") == "yes",
    )


def _who(answers: Answers, rules: SeverityRules) -> str:
    said = code(answers, "A10")
    if "other_party_in_case" in codes(answers, "B12"):
        return "fear"
    if said in rules.who_order:
        return said
    details = who_by_details(answers, rules)
    if said == UNKNOWN:  # "I don't know" is not made calmer by the ticks so far, only worse
        return details if details == "fear" else UNKNOWN
    return details or UNKNOWN


def _what(answers: Answers, rules: SeverityRules) -> str:
    said, details = code(answers, "A11"), what_by_details(answers, rules)
    if said == UNKNOWN:
        return details if details == "where_when" else UNKNOWN
    if said not in rules.what_order:
        return details or UNKNOWN
    if not details or details == rules.what_else:  # "nothing" may well be public contact details
        return said
    return max(said, details, key=rules.what_order.index)
