"""How urgent a breach notice is, and why: a table, then statements that raise or lower what it gives.

Pure: the same answers under the same rule set give the same band, reasons, changes and flags.
Thresholds, table and sentences are data (`severity_rules/`). It is advice: a named person decides.
How often it is right is in docs/severity.md.
Source: Privacy Act 2020 s 113 (the six factors).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from intake.domain.model import Reason, Severity
from intake.domain.rule_set import UNKNOWN, SeverityRules, severity_rules
from intake.domain.severity_changes import changes_of
from intake.domain.severity_facts import Answers, Facts, read_facts
from intake.domain.severity_flags import flags_of, key_is_doubtful

Hit = tuple[str, int]  # code of a reason, the band that it gives

_NOTIFIABLE = {1: "likely", 2: "likely", 3: "possible", 4: "not_indicated"}
_QUESTION_MARKS = (
    "A06",
    "A07",
    "A09",
    "A10",
    "A11",
    "B05",
    "B08",
    "B09",
    "B10",
    "B14",
    "B15",
    "B16",
    "B18",
    "B19",
)


def decide(
    answers: Answers,
    rule_set: SeverityRules | str = "",
    doubtful: Collection[str] = (),
) -> Severity:
    """The band of a breach notice with its reasons, what would change it and what contradicts itself.

    answers: canonical answers by question id; unknown codes and wrong types count as not answered.
    rule_set: a rule set or its number; the latest without one.
    doubtful: ids of answers that were read, but not surely; they are tried among the changes.
    Never raises for any answers. Raises Misconfigured for a rule set that there is not.
    """
    rules = rule_set if isinstance(rule_set, SeverityRules) else severity_rules(rule_set)
    facts = read_facts(answers, rules)
    hits = _hits(facts, answers, rules)
    band = _settle(hits)
    flags = flags_of(answers, rules)
    unsure = {*doubtful, *(question for flag in flags for question in flag.questions)}
    return Severity(
        band=f"S{band}",
        reasons=_reasons(hits, band, facts, rules),
        changes=changes_of(answers, band, lambda other: band_of(other, rules), rules, unsure),
        flags=flags,
        notifiable=_NOTIFIABLE[band],
        rule_set=rules.rule_set,
    )


def band_of(answers: Answers, rules: SeverityRules) -> int:
    """The bare band, 1 critical to 4 low: `decide` without the sentences."""
    return _settle(_hits(read_facts(answers, rules), answers, rules))


# ---- the rule ------------------------------------------------------------------------------------


def _hits(facts: Facts, answers: Answers, rules: SeverityRules) -> list[Hit]:
    """Every statement that holds, in the order of the rule: table, raises, then at most one fall, then danger."""
    hits = [_cell(facts, rules)]
    hits += _by_danger(facts, rules)
    hits += _by_attack_and_number(facts, rules)
    hits += _by_order_and_harm(facts, rules)
    fall = _fall(min(band for _, band in hits), facts, answers, rules)
    if fall:
        hits.append(fall)
    if facts.danger == "yes":
        hits.append(("DANGER", 1))
    return hits


_FALLS = frozenset({"ENCRYPTED", "UNDONE", "CALM_THROUGHOUT", "DANGER_RULED_OUT"})


def _settle(hits: list[Hit]) -> int:
    """Danger now wins; else a fall, which is always the last word; else the worst statement."""
    code, band = hits[-1]
    return band if code == "DANGER" or code in _FALLS else min(each for _, each in hits)


def _cell(facts: Facts, rules: SeverityRules) -> Hit:
    known = facts.who != UNKNOWN or facts.what != UNKNOWN
    return ("TABLE" if known else "TOO_LITTLE_KNOWN", rules.table[facts.what][facts.who])


def _by_danger(facts: Facts, rules: SeverityRules) -> Iterator[Hit]:
    groups = rules.groups
    if not facts.danger_open:
        return
    grave = facts.what in groups["grave"]
    if grave and facts.stopped:
        yield "DANGER_AFTER_STOP", 2 if facts.who in groups["reachable_danger"] else 3
    elif grave:
        yield "DANGER_NOT_RULED_OUT", 2
        simply_gone = facts.cause in groups["lost_or_stolen"]
        if facts.what == "where_when" and facts.who in groups["could_find_them"] and not simply_gone:
            yield "LOCATION", 1
        if "family_violence" in facts.kinds and facts.who == "fear":
            yield "FAMILY_VIOLENCE_FEAR", 1
    hurt = any(facts.harms.get(kind) == "already" for kind in groups["bodily_harms"])
    if hurt and facts.who == "fear":
        yield "HARM_ALREADY", 1


def _by_attack_and_number(facts: Facts, rules: SeverityRules) -> Iterator[Hit]:
    groups, numbers = rules.groups, rules.numbers
    grave, number = facts.what in groups["grave"], facts.number or 0
    if _intruder_inside(facts, rules) and (grave or number >= numbers["intruder"]):
        yield "INTRUDER", 2
    out_of_reach = facts.who in groups["out_of_reach"]
    if number >= numbers["very_many"] and facts.what in groups["money_or_worse"] and out_of_reach:
        yield "VERY_MANY_PEOPLE", 2
    went_outside = facts.who != "nobody_outside" and facts.what != "nothing"
    if number >= numbers["many"] and went_outside:
        yield "MANY_PEOPLE", 3
    sensitive = bool(facts.kinds & groups["sensitive_kinds"]) or facts.order
    several = facts.number is None or facts.number > 1
    if not facts.stopped and grave and out_of_reach and several and sensitive:
        yield "SENSITIVE_STILL_OPEN", 2


def _intruder_inside(facts: Facts, rules: SeverityRules) -> bool:
    if facts.stopped:
        return False
    if facts.cause in rules.groups["intruder_causes"]:
        return True
    # The first page does not ask for the cause: a hacker who has it while it goes on is one who is inside.
    unnamed = facts.cause in ("", "unknown", "dont_know", "dont_know_yet")
    return unnamed and facts.ongoing and facts.who in rules.groups["hostile"]


def _by_order_and_harm(facts: Facts, rules: SeverityRules) -> Iterator[Hit]:
    if facts.order and facts.who not in rules.groups["sworn_to_secrecy"]:
        yield "COURT_ORDER", 3
    if _harm_high(facts) and facts.view != "not_likely":
        yield "HARM_HIGH", 3
    pressing = 3 if facts.stopped else 2
    if facts.view == "serious_likely":
        yield "PROVIDER_SAYS_SERIOUS", pressing
    if facts.commissioner_told:
        yield "COMMISSIONER_TOLD", pressing


def _harm_high(facts: Facts) -> bool:
    return any(level in ("high", "already") for level in facts.harms.values())


# ---- what lowers it ------------------------------------------------------------------------------


def _fall(band: int, facts: Facts, answers: Answers, rules: SeverityRules) -> Hit | None:
    if _sealed(facts, answers, rules):
        return "ENCRYPTED", 4
    undone = _undone(facts, rules)
    if band == 2 and undone:
        return "UNDONE", 3
    if band == 2 and _danger_ruled_out(facts, rules):
        return "DANGER_RULED_OUT", 3
    if band == 3 and undone and _among_professionals(facts, rules):
        return "UNDONE", 4
    if band == 3 and _calm_throughout(facts, undone, rules):
        return "CALM_THROUGHOUT", 4
    return None


def _sealed(facts: Facts, answers: Answers, rules: SeverityRules) -> bool:
    said = facts.protected == "strong_encryption_key_safe" and facts.cause != "ransomware"
    return said and not facts.danger_open and not key_is_doubtful(answers, rules)


def _undone(facts: Facts, rules: SeverityRules) -> bool:
    """Deleted or given back, and closed. The word of somebody they are afraid of does not count: they have read it."""
    acted = bool(facts.actions & rules.groups["undoing_actions"])
    return acted and not facts.ongoing and facts.who != "fear"


def _among_professionals(facts: Facts, rules: SeverityRules) -> bool:
    few = (facts.number or 0) < rules.numbers["few"]
    return facts.who in rules.groups["sworn_to_secrecy"] and not facts.order and few


def _danger_ruled_out(facts: Facts, rules: SeverityRules) -> bool:
    """Only the table's "we know nothing" cell is softened, and only by two answers that are known."""
    nothing_known = facts.who == UNKNOWN and facts.what == UNKNOWN
    rest = (
        *_by_danger(facts, rules),
        *_by_attack_and_number(facts, rules),
        *_by_order_and_harm(facts, rules),
    )
    return nothing_known and facts.danger == "no" and facts.view == "not_likely" and not rest


def _calm_throughout(facts: Facts, undone: bool, rules: SeverityRules) -> bool:
    settled = facts.danger == "no" and facts.stopped and facts.view == "not_likely"
    few = facts.number is not None and facts.number < rules.numbers["few"]
    if not (settled and few and facts.order_ruled_out) or _harm_high(facts):
        return False
    if facts.who in rules.groups["sworn_to_secrecy"]:
        return True
    if facts.who == "harmless_person" and undone:
        return True
    return facts.what in rules.groups["hardly_private"] and facts.who != "fear"


# ---- the sentences -------------------------------------------------------------------------------


def _reasons(hits: list[Hit], band: int, facts: Facts, rules: SeverityRules) -> tuple[Reason, ...]:
    """Danger first, then what gives the band, then the others from worst to calmest."""
    words = {
        "who": rules.labels_who[facts.who],
        "what": rules.labels_what[facts.what],
        "people": f"{facts.number or 0:,}",
    }
    ordered = sorted(hits, key=lambda hit: (hit[0] != "DANGER", hit[1] != band, hit[1]))
    reasons = []
    for code, given in ordered:
        text = rules.reasons[code].format(**words)
        asked = tuple(question for question in _QUESTION_MARKS if question in text)
        reasons.append(Reason(code=code, text=text, band=f"S{given}", questions=asked))
    return tuple(reasons)
