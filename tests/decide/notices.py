"""Breach notices of this project's own making: random ones for properties, and the steps from a calm answer to a worse one."""

from __future__ import annotations

import random
from collections.abc import Callable

from intake.domain.rule_set import severity_rules

Notice = dict[str, object]

RULES = severity_rules()
CAUSES = [
    "email_wrong_person",
    "lost_device",
    "stolen_device",
    "lost_paper",
    "ransomware",
    "account_taken_over",
    "phishing",
    "supplier_hit",
    "unknown",
]
KINDS = [
    "contact",
    "address_kept_secret",
    "dob_id",
    "financial",
    "login",
    "health",
    "child",
    "family_violence",
    "sexual",
    "offending_court",
    "other",
]
RECIPIENTS = [
    "none",
    "trusted_professional",
    "known_helpful",
    "known_unhelpful",
    "another_client",
    "unknown",
    "public_online",
    "attacker",
    "other_party_in_case",
]
ACTIONS = ["recalled", "deleted_confirmed", "retrieved", "wiped", "password_reset", "access_removed", "police", "none"]
HARMS = ["physical", "threats", "emotional", "identity", "financial"]
COUNTS = (1, 2, 5, 19, 20, 99, 100, 199, 200, 499, 500, 4_000)
STEPPED = ("A07", "A09", "A10", "A11", "B09", "B14", "B18", "B19")


def flat(question: str) -> list[str]:
    return [code for step in RULES.worse[question] for code in step]


def random_notice(rng: random.Random) -> Notice:
    """Any answer may be missing or "I don't know"; nothing has to fit together."""
    notice: Notice = {}
    for question in STEPPED:
        chance = rng.random()
        if chance < 0.8:
            notice[question] = rng.choice(flat(question))
        elif chance < 0.9:
            notice[question] = "dont_know"
    if rng.random() < 0.6:
        notice["B05"] = rng.choice(CAUSES)
    for question, codes in (("B08", KINDS), ("B12", RECIPIENTS), ("B15", ACTIONS)):
        if rng.random() < 0.6:
            notice[question] = sorted(rng.sample(codes, rng.choice((1, 1, 2, 3))))
    if rng.random() < 0.6:
        notice["B10"] = {"n": rng.choice(COUNTS), "kind": "exact"}
    if rng.random() < 0.5:
        levels = flat("B16")
        notice["B16"] = {harm: rng.choice((levels[0], *levels)) for harm in HARMS}
    return notice


def worsened(notice: Notice, rng: random.Random) -> Notice | None:
    """The same notice with one known answer made worse; None when the drawn answer cannot get worse."""
    question = rng.choice((*STEPPED, "B08", "B10", "B12", "B15", "B16"))
    change = _WORSEN.get(question, _step)
    worse = change(notice, question, rng)
    return None if worse is None else {**notice, question: worse}


def _step(notice: Notice, question: str, rng: random.Random) -> object | None:
    return _next(str(notice.get(question, "")), question, rng)


def _next(code: str, question: str, rng: random.Random) -> str | None:
    steps = RULES.worse[question]
    at = next((place for place, step in enumerate(steps) if code in step), None)
    worse = [] if at is None else [each for step in steps[at + 1 :] for each in step]
    return rng.choice(worse) if worse else None


def _one_more(codes: list[str]) -> Callable[[Notice, str, random.Random], object | None]:
    def add(notice: Notice, question: str, rng: random.Random) -> object | None:
        ticked = notice.get(question)
        left = [code for code in codes if isinstance(ticked, list) and code not in ticked]
        return sorted([*ticked, rng.choice(left)]) if isinstance(ticked, list) and left else None

    return add


def _one_less(notice: Notice, question: str, rng: random.Random) -> object | None:
    ticked = notice.get(question)
    if not isinstance(ticked, list):
        return None
    gone = rng.choice(ticked)
    return [code for code in ticked if code != gone] or ["none"]


def _more_people(notice: Notice, question: str, rng: random.Random) -> object | None:
    count = notice.get(question)
    known = count.get("n") if isinstance(count, dict) else None
    more = [number for number in COUNTS if isinstance(known, int) and number > known]
    return {"n": rng.choice(more), "kind": "exact"} if more else None


def _more_harm(notice: Notice, question: str, rng: random.Random) -> object | None:
    harms = notice.get(question)
    if not isinstance(harms, dict):
        return None
    harm = rng.choice(sorted(harms))
    level = _next(harms[harm], "B16", rng)
    return None if level is None else {**harms, harm: level}


_WORSEN = {
    "B08": _one_more(KINDS),
    "B10": _more_people,
    "B12": _one_more(RECIPIENTS),
    "B15": _one_less,
    "B16": _more_harm,
}
