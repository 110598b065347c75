"""Reads a rule set (thresholds, table, sentences) strictly from its TOML file into frozen values.

A rule set is data with a number. A key too many, a key missing or a value of the wrong shape stops the
start with a sentence that names the file, so that a slip of the pen in a threshold never waits for a
night call to be found.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from intake.domain.errors import Misconfigured

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Try:
    """One answer that "what would change it" tries. `how` is set, add, number or harm."""

    question: str
    answer: str
    how: str
    says: str
    later: bool


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """One edition of the severity rule. Bands are 1 (critical) to 4 (low) in here, "S1" to "S4" outside."""

    rule_set: str
    who_order: tuple[str, ...]
    who_from: Mapping[str, str]
    what_order: tuple[str, ...]
    what_from: Mapping[str, str]
    what_else: str
    table: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, frozenset[str]]
    key_words: tuple[str, ...]
    numbers: Mapping[str, int]
    worse: Mapping[str, tuple[tuple[str, ...], ...]]
    bands: Mapping[str, str]
    reasons: Mapping[str, str]
    flags: Mapping[str, str]
    flag_words: Mapping[str, str]
    labels_who: Mapping[str, str]
    labels_what: Mapping[str, str]
    labels_details: Mapping[str, str]
    most_changes: int
    change_text: str
    tries: tuple[Try, ...]


UNKNOWN = "dont_know"
_GROUPS = frozenset(
    [
        "grave",
        "money_or_worse",
        "hardly_private",
        "could_find_them",
        "out_of_reach",
        "sworn_to_secrecy",
        "hostile",
        "reachable_danger",
        "intruder_causes",
        "lost_or_stolen",
        "sensitive_kinds",
        "court_orders",
        "undoing_actions",
        "bodily_harms",
        "key_words",
    ]
)
_NUMBERS = frozenset(["few", "intruder", "many", "very_many"])
_TOP = frozenset(
    [
        "rule_set",
        "who",
        "what",
        "table",
        "groups",
        "numbers",
        "worse",
        "bands",
        "reasons",
        "flags",
        "flag_words",
        "labels",
        "change",
    ]
)


def editions(kind: str) -> tuple[str, ...]:
    """The numbers of the rule sets of a kind ("severity", "clock"), oldest first."""
    found = (path.stem for path in (_HERE / f"{kind}_rules").glob("*.toml"))
    return tuple(sorted(found, key=lambda edition: tuple(map(int, edition.split(".")))))


def read_toml(kind: str, edition: str) -> Mapping[str, object]:
    """The bare content of one rule set. Raises Misconfigured when there is none of that number, or it is not TOML."""
    path = _HERE / f"{kind}_rules" / f"{edition}.toml"
    if edition not in editions(kind):
        raise Misconfigured(f"There is no {kind} rule set {edition!r}.")
    return parse_toml(path.read_text(encoding="utf-8"), f"{kind} rule set {edition}")


def parse_toml(text: str, where: str) -> Mapping[str, object]:
    """A TOML text as a table. Raises Misconfigured when it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{where} cannot be read: {error}") from error


@cache
def severity_rules(edition: str = "") -> SeverityRules:
    """The severity rule set of a number, the latest without one. Raises Misconfigured when it is not whole."""
    edition = edition or editions("severity")[-1]
    raw = read_toml("severity", edition)
    rules = _severity(raw, f"severity rule set {edition}")
    if rules.rule_set != edition:
        raise Misconfigured(f"The file of severity rule set {edition} calls itself {rules.rule_set}.")
    return rules


# ---- strict reading ------------------------------------------------------------------------------


def exact_keys(table: Mapping[str, object], keys: Iterable[str], where: str) -> None:
    """Raises Misconfigured unless the table has these keys and no other."""
    wanted, there = set(keys), set(table)
    if wanted != there:
        wrong = ", ".join(sorted(wanted ^ there))
        raise Misconfigured(f"{where}: missing or unknown: {wrong}.")


def table_of(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Misconfigured(f"{where}: a table is expected.")
    return value


def text_of(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise Misconfigured(f"{where}: a text is expected.")
    return value


def number_of(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misconfigured(f"{where}: a whole number is expected.")
    return value


def texts_of(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Misconfigured(f"{where}: a list is expected.")
    return tuple(text_of(each, where) for each in value)


def text_table(value: object, where: str) -> Mapping[str, str]:
    return {key: text_of(text, f"{where}.{key}") for key, text in table_of(value, where).items()}


def _severity(raw: Mapping[str, object], name: str) -> SeverityRules:
    exact_keys(raw, _TOP, name)
    who, what = table_of(raw["who"], name), table_of(raw["what"], name)
    groups, labels = table_of(raw["groups"], name), table_of(raw["labels"], name)
    numbers, change = table_of(raw["numbers"], name), table_of(raw["change"], name)
    exact_keys(who, ("order", "from_details"), f"{name}, who")
    exact_keys(what, ("order", "from_details", "anything_else"), f"{name}, what")
    exact_keys(groups, _GROUPS, f"{name}, groups")
    exact_keys(numbers, _NUMBERS, f"{name}, numbers")
    exact_keys(labels, ("who", "what", "details"), f"{name}, labels")
    exact_keys(change, ("most", "text", "try"), f"{name}, change")
    who_order = texts_of(who["order"], f"{name}, who")
    what_order = texts_of(what["order"], f"{name}, what")
    return SeverityRules(
        rule_set=text_of(raw["rule_set"], name),
        who_order=who_order,
        who_from=_into(who["from_details"], who_order, f"{name}, who.from_details"),
        what_order=what_order,
        what_from=_into(what["from_details"], what_order, f"{name}, what.from_details"),
        what_else=text_of(what["anything_else"], name),
        table=_table(raw["table"], what_order, who_order, f"{name}, table"),
        groups={key: frozenset(texts_of(codes, key)) for key, codes in groups.items()},
        key_words=texts_of(groups["key_words"], name),
        numbers={key: number_of(number, key) for key, number in numbers.items()},
        worse=_worse(raw["worse"], f"{name}, worse"),
        bands=text_table(raw["bands"], f"{name}, bands"),
        reasons=text_table(raw["reasons"], f"{name}, reasons"),
        flags=text_table(raw["flags"], f"{name}, flags"),
        flag_words=text_table(raw["flag_words"], f"{name}, flag_words"),
        labels_who=text_table(labels["who"], f"{name}, labels.who"),
        labels_what=text_table(labels["what"], f"{name}, labels.what"),
        labels_details=text_table(labels["details"], f"{name}, labels.details"),
        most_changes=number_of(change["most"], name),
        change_text=text_of(change["text"], name),
        tries=_tries(change["try"], f"{name}, change.try"),
    )


def _into(value: object, allowed: tuple[str, ...], where: str) -> Mapping[str, str]:
    found = text_table(value, where)
    strange = set(found.values()) - set(allowed)
    if strange:
        raise Misconfigured(f"{where}: unknown: {', '.join(sorted(strange))}.")
    return found


def _table(
    value: object, rows: tuple[str, ...], columns: tuple[str, ...], where: str
) -> Mapping[str, Mapping[str, int]]:
    raw = table_of(value, where)
    exact_keys(raw, (*rows, UNKNOWN), where)
    read: dict[str, Mapping[str, int]] = {}
    for row, cells in raw.items():
        cells = table_of(cells, where)
        exact_keys(cells, (*columns, UNKNOWN), f"{where}.{row}")
        read[row] = {column: number_of(band, where) for column, band in cells.items()}
        if not all(1 <= band <= 4 for band in read[row].values()):
            raise Misconfigured(f"{where}.{row}: a band is 1 to 4.")
    return read


def _worse(value: object, where: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    raw = table_of(value, where)
    read: dict[str, tuple[tuple[str, ...], ...]] = {}
    for question, steps in raw.items():
        if not isinstance(steps, list):
            raise Misconfigured(f"{where}.{question}: a list of steps is expected.")
        read[question] = tuple(texts_of(step, f"{where}.{question}") for step in steps)
    return read


def _tries(value: object, where: str) -> tuple[Try, ...]:
    if not isinstance(value, list):
        raise Misconfigured(f"{where}: a list is expected.")
    read = []
    for each in value:
        line = table_of(each, where)
        exact_keys(line, ("question", "answer", "how", "says", "later"), where)
        how = text_of(line["how"], where)
        if how not in ("set", "add", "number", "harm"):
            raise Misconfigured(f"{where}: how is set, add, number or harm, not {how}.")
        read.append(
            Try(
                question=text_of(line["question"], where),
                answer=text_of(line["answer"], where),
                how=how,
                says=text_of(line["says"], where),
                later=line["later"] is True,
            )
        )
    return tuple(read)
