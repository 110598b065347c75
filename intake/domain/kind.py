"""What a mail without a readable form is about: by its words, weighed by labelled mails, and by phrases that people wrote.

`kind_weights.tsv` holds what each word weighs, learnt by `benchmarks.learn_kinds`; `kind_words.toml` holds the words that mean the same,
phrases that always count, what is cut off, and from where on a mail is taken for a notice. Both are for people to read and to correct.
It ranks and marks, and drops nothing. A possible breach notice opens as one: false alarms are cheaper than misses.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from intake.domain import kind_features
from intake.domain.errors import Misconfigured
from intake.domain.kind_features import Sentence
from intake.domain.kind_text import Cut, fold, own_words
from intake.domain.model import CaseKind, Reason
from intake.domain.rule_set import exact_keys, parse_toml, table_of, text_of, texts_of

_WORDS = Path(__file__).with_name("kind_words.toml")
_WEIGHTS = Path(__file__).with_name("kind_weights.tsv")
_WORD = re.compile(r"\w+")
_KNOWN_WORDS = 20_000  # words of mails whose phrases are remembered
_GAP = r"(?:\W+\w[\w'’-]*){0,6}?\W+"
_SHOWN = 160  # characters of the most telling sentence
_PLAIN_QUOTES = str.maketrans("“”", "''")


@dataclass(frozen=True, slots=True)
class KindGuess:
    """A guess with its evidence: `score` is what speaks for a notice, 0 for as much as against; `words` what weighed most."""

    kind: CaseKind
    score: float
    words: tuple[str, ...]
    danger: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    name: str
    weight: float
    says: str


class Phrase(NamedTuple):
    """A phrase of a group as a pattern, and its place among the others: at one spot the first one counts."""

    place: int
    group: Group
    pattern: str


class Weight(NamedTuple):
    """What a feature of `kind_features` weighs. rarity: logarithm of how few mails have it."""

    rarity: float
    notice: float
    danger: float


@dataclass(frozen=True, slots=True)
class Words:
    """`kind_words.toml` as values. Thresholds and weights of groups are in the points of `Weight`: logarithms of odds."""

    edition: str
    notice_from: float
    danger_from: float
    to_many: float
    groups: Mapping[str, tuple[Group, ...]]  # notice, danger, assessment
    beginning: Callable[[str], tuple[Phrase, ...]]  # with this word
    meanings: Mapping[str, str]
    cut: Cut


class Weights(NamedTuple):
    """`kind_weights.tsv`. always: what a mail without any word has."""

    always: Weight
    of: Mapping[str, Weight]


def of_mail(
    subject: str,
    body: str,
    attachment_names: Sequence[str],
    to_many: bool = False,
    weights: Weights | None = None,
) -> KindGuess:
    """What a mail is about, by its own words. Never raises; the same mail always gives the same guess.

    to_many: it is list or bulk mail, whose words are more often about breaches than of one. weights: others than those shipped.
    """
    words, weights = words_file(), weights or weights_file()
    text = text_of_mail(subject, body, attachment_names, words.cut)
    said = kind_features.sentences(text, words.meanings)
    notice, danger = scores(said, weights)
    found = _found(words, fold(text))
    says, at_risk, form = (
        [(group, found[group]) for group in words.groups[each] if group in found]
        for each in ("notice", "danger", "assessment")
    )
    notice += sum(group.weight for group, _ in says)
    danger += sum(group.weight for group, _ in at_risk)
    afraid = danger >= words.danger_from
    needed = words.notice_from + (words.to_many if to_many else 0.0)
    kind = _kind(notice >= needed, bool(form))
    reasons: list[Reason] = []
    if kind is CaseKind.BREACH_NOTICE:
        shown = _shown(says, said, [_points(Counter(s.features), weights)[0] for s in said])
        reasons.append(Reason("NOTICE_WORDS", f"What speaks most for a notice: {shown}."))
    elif kind is CaseKind.SELF_ASSESSMENT:
        reasons.append(Reason("ASSESSMENT_WORDS", f"It names the self-assessment: {_shown(form, [], [])}."))
    if afraid:
        shown = _shown(at_risk, said, [_points(Counter(s.features), weights)[1] for s in said])
        reasons.append(Reason("DANGER_WORDS", f"What speaks most of danger: {shown}."))
    quoted = tuple(dict.fromkeys(word for reason in reasons for word in _QUOTED.findall(reason.text)))
    return KindGuess(kind, notice, quoted, afraid, tuple(reasons))


def text_of_mail(subject: str, body: str, attachment_names: Sequence[str], cut: Cut) -> str:
    """What is counted: subject, own words and names of files."""
    names = " . ".join(re.sub(r"[_.\-]+", " ", name) for name in attachment_names)
    return f"{subject} . {own_words(subject, body, cut)} . {names}"


def scores(said: Sequence[Sentence], weights: Weights) -> tuple[float, float]:
    """For a notice, and for danger, in points. One telling passage in a long mail is a notice too, so that score is the mean of the
    whole mail's and of its most telling passage's; danger is told by the whole.
    """
    whole = _points(kind_features.counted(said), weights)
    passage = max(_points(counted, weights)[0] for counted in kind_features.passages(said))
    return (whole[0] + passage) / 2, whole[1]


def _points(counted: Mapping[str, int], weights: Weights) -> tuple[float, float]:
    """The mean of what the known words weigh, rare ones more (tf-idf with unit length)."""
    length = notice = danger = 0.0
    for feature, times in counted.items():
        weight = weights.of.get(feature)
        if weight is not None:
            value = (1.0 + math.log(times)) * weight.rarity
            length += value * value
            notice += value * weight.notice
            danger += value * weight.danger
    root = math.sqrt(length) or 1.0
    return weights.always.notice + notice / root, weights.always.danger + danger / root


_QUOTED = re.compile("“(.+?)”")


def _shown(groups: Sequence[tuple[Group, str]], said: Sequence[Sentence], points: Sequence[float]) -> str:
    """The most telling sentence in quotes, and the phrases that count always and do not stand in it."""
    best = max(zip(points, said, strict=True), key=itemgetter(0), default=(0.0, Sentence("", [])))[1].text
    most = best if len(best) <= _SHOWN else best[:_SHOWN].rpartition(" ")[0] + " …"
    phrases = [found for group, found in groups if group.weight > 0 and found not in fold(most)]
    quotes = [most.translate(_PLAIN_QUOTES), *phrases[:2]]
    return ", ".join(f"“{quote}”" for quote in quotes if quote)


def _kind(notice: bool, form: bool) -> CaseKind:
    if notice:
        return CaseKind.BREACH_NOTICE
    return CaseKind.SELF_ASSESSMENT if form else CaseKind.OTHER


def _found(words: Words, text: str) -> dict[Group, str]:
    """What is found of each group, leftmost first. A phrase is looked for only where its first word stands: to search for all
    of them everywhere cost five times as much.
    """
    found: dict[Group, str] = {}
    for start in _WORD.finditer(text):
        for _, group, pattern in words.beginning(start[0]):
            if group not in found:
                hit = _compiled(pattern).match(text, start.start())
                if hit:
                    found[group] = " ".join(hit[0].split())
    return found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


# ---- reading the file ------------------------------------------------------------------------------


_CUTS = ("footer", "itself", "reader", "law", "in_danger", "helpline", "quoted", "forwarded")
_ALWAYS = "(always)"


@cache
def words_file() -> Words:
    """The words as they are shipped. Raises Misconfigured when the file is not whole."""
    return read_words(_WORDS.read_text(encoding="utf-8"))


def read_words(text: str) -> Words:
    """Read a words file strictly. Raises Misconfigured with the group that is wrong."""
    raw = parse_toml(text, "kind_words.toml")
    exact_keys(raw, ("edition", "threshold", "notice", "danger", "assessment", "meanings", "cut"), "kind_words.toml")
    threshold, cut = table_of(raw["threshold"], "threshold"), table_of(raw["cut"], "cut")
    exact_keys(threshold, ("notice", "danger", "to_many"), "threshold")
    exact_keys(cut, _CUTS, "cut")
    tables = {each: _groups(raw[each], each) for each in ("notice", "danger", "assessment")}
    return Words(
        edition=text_of(raw["edition"], "edition"),
        notice_from=_weight(threshold["notice"], "threshold"),
        to_many=_weight(threshold["to_many"], "threshold"),
        danger_from=_weight(threshold["danger"], "threshold"),
        groups={each: tuple(table) for each, table in tables.items()},
        beginning=_by_first_word([item for table in tables.values() for item in table.items()]),
        meanings=_meanings(table_of(raw["meanings"], "meanings")),
        cut=Cut(**{name: texts_of(cut[name], f"cut.{name}") for name in _CUTS}),
    )


def _meanings(table: Mapping[str, object]) -> dict[str, str]:
    """Word -> the name of its meaning, which is in capitals. Raises Misconfigured when a word has two."""
    found: dict[str, str] = {}
    for name, given in table.items():
        for word in " ".join(texts_of(given, f"meanings.{name}")).split():
            if word in found or not name.isupper():
                raise Misconfigured(
                    f"kind_words.toml, meanings.{name}: “{word}” has a meaning already, or its name is not in capitals."
                )
            found[word] = name
    return found


@cache
def weights_file() -> Weights:
    """The weights as they are shipped. Raises Misconfigured when the file is not whole."""
    return read_weights(_WEIGHTS.read_text(encoding="utf-8"))


def read_weights(text: str) -> Weights:
    """Lines of feature, rarity, notice, danger with tabs between; the first feature is (always). Raises Misconfigured."""
    found: dict[str, Weight] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# ") or not line:
            continue
        feature, *numbers = line.split("\t")
        try:
            found[feature] = Weight(*map(float, numbers))
        except (ValueError, TypeError) as error:
            raise Misconfigured(f"kind_weights.tsv, line {number}: a word and three numbers are expected.") from error
    if _ALWAYS not in found:
        raise Misconfigured(f"kind_weights.tsv: the line {_ALWAYS} is missing.")
    return Weights(found.pop(_ALWAYS), found)


def _groups(value: object, kind: str) -> dict[Group, tuple[str, ...]]:
    read = {}
    for name, given in table_of(value, kind).items():
        where = f"kind_words.toml, {kind}.{name}"
        table = table_of(given, where)
        exact_keys(table, ("weight", "says", "phrases"), where)
        group = Group(name, _weight(table["weight"], where), text_of(table["says"], where))
        read[group] = texts_of(table["phrases"], where)
    return read


def _by_first_word(groups: Sequence[tuple[Group, Sequence[str]]]) -> Callable[[str], tuple[Phrase, ...]]:
    whole, stems = defaultdict[str, list[Phrase]](list), defaultdict[str, list[Phrase]](list)
    for group, phrases in groups:
        for place, text in enumerate(phrases):
            phrase = Phrase(place, group, _phrase(text))
            for first in text.split()[0].split("|"):
                start = _WORD.match(first)
                if start is None:
                    raise Misconfigured(f"kind_words.toml, {group.name}: “{text}” does not begin with a letter.")
                (stems if first == start[0] + "*" else whole)[start[0]].append(phrase)

    @lru_cache(_KNOWN_WORDS)
    def beginning(word: str) -> tuple[Phrase, ...]:
        found = [*whole.get(word, ()), *(p for end in range(1, len(word) + 1) for p in stems.get(word[:end], ()))]
        return tuple(sorted(found, key=itemgetter(0)))

    return beginning


def _phrase(phrase: str) -> str:
    """`lost ... bag|file*` as a pattern: slots of words, alternatives, endings, gaps."""
    parts: list[str] = []
    for slot in phrase.split():
        if slot == "...":
            parts[-1] = parts[-1].removesuffix(r"\W+") + _GAP
        else:
            parts.append(f"(?:{'|'.join(_word(each) for each in slot.split('|'))})" + r"\W+")
    return "".join(parts).removesuffix(r"\W+")


def _word(word: str) -> str:
    return re.escape(word[:-1]) + r"\w*" if word.endswith("*") else re.escape(word) + r"\b"


def _weight(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Misconfigured(f"{where}: a number is expected.")
    return float(value)
