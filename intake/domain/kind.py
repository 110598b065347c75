"""What a mail without a readable form is about: weighted words, in `kind_words.toml` for people to read.

It ranks and marks, and drops nothing. A possible breach notice opens as one: false alarms are cheaper than misses.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from intake.domain.errors import Misconfigured
from intake.domain.model import CaseKind, Reason
from intake.domain.rule_set import exact_keys, parse_toml, table_of, text_of, texts_of

_WORDS = Path(__file__).with_name("kind_words.toml")
_COMBINING = re.compile("[\u0300-\u036f]")
_MOST = 40_000  # characters of a body that are searched
_WROTE = re.compile(r"on .{5,80} wrote:")
# "--- your message ---": what stands below is what was answered. A forward is said before, and keeps what is below.
_QUOTES_BELOW = re.compile(
    r"[-_=*#]{2,}\s*(?:\w+ ){0,4}(?:message|mail|email|request|question|enquiry|ticket|reply)s?(?: \w+){0,3}\s*:?\s*[-_=*#]{2,}"
)
_WORD = re.compile(r"\w+")
_KNOWN_WORDS = 20_000  # words of mails whose phrases are remembered
_GAP = r"(?:\W+\w[\w'’-]*){0,6}?\W+"


@dataclass(frozen=True, slots=True)
class KindGuess:
    """A guess with its evidence: `score` is the weight for a notice, `words` what was found, group by group."""

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


@dataclass(frozen=True, slots=True)
class Words:
    """`kind_words.toml` as values."""

    edition: str
    notice_from: float
    notice_at_risk: float
    danger_from: float
    to_many: float
    groups: Mapping[str, tuple[Group, ...]]  # notice, danger, assessment
    beginning: Callable[[str], tuple[Phrase, ...]]  # with this word
    footer: tuple[str, ...]
    quoted: tuple[str, ...]
    forwarded: tuple[str, ...]


def of_mail(subject: str, body: str, attachment_names: Sequence[str], to_many: bool = False) -> KindGuess:
    """What a mail is about, by its own words. Never raises; the same mail always gives the same guess.

    to_many: it is list or bulk mail, whose words are more often about breaches than of one.
    """
    words = words_file()
    own = own_words(subject, body, words)
    names = " . ".join(re.sub(r"[_.\-]+", " ", name) for name in attachment_names)
    text = _fold(f"{subject} . {own} . {names}")
    found = _found(words, text)
    notice, danger, form = (
        [(group, found[group]) for group in words.groups[each] if group in found]
        for each in ("notice", "danger", "assessment")
    )
    score = sum(group.weight for group, _ in notice)
    at_risk = sum(group.weight for group, _ in danger) >= words.danger_from
    needed = (words.notice_at_risk if at_risk else words.notice_from) + (words.to_many if to_many else 0.0)
    kind = _kind(score >= needed, bool(form))
    shown = {CaseKind.BREACH_NOTICE: notice, CaseKind.SELF_ASSESSMENT: form, CaseKind.OTHER: []}[kind]
    telling = [hit for hit in (*shown, *(danger if at_risk else ())) if hit[0].weight > 0]
    return KindGuess(
        kind=kind,
        score=score,
        words=tuple(dict.fromkeys(found for _, found in telling)),
        danger=at_risk,
        reasons=tuple(_reason(group, found) for group, found in telling),
    )


def own_words(subject: str, body: str, words: Words) -> str:
    """The sender's own words: without quoted mails and footers. Of a forward, what is forwarded stays."""
    lines = body[:_MOST].splitlines()
    folded = _fold("\n".join(lines)).split("\n") if lines else []
    head = _fold(subject + "\n" + body[:2_000])
    if not any(sign in head for sign in words.forwarded):
        lines = list(_unquoted(lines, folded, words))
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    if not _has_footer("\n".join(folded), words):
        return "\n\n".join(paragraphs)
    return "\n\n".join(_without_footer(each, words) for each in paragraphs)


def _unquoted(lines: Sequence[str], folded: Sequence[str], words: Words) -> Iterator[str]:
    for line, small in zip(lines, folded, strict=True):
        start = small.strip()
        if start.startswith(words.quoted) or _QUOTES_BELOW.fullmatch(start):
            return
        if not start.startswith(">") and not _WROTE.fullmatch(start):
            yield line


def _has_footer(folded: str, words: Words) -> bool:
    flat = " ".join(folded.split())
    return any(sign in flat for sign in words.footer)


def _without_footer(paragraph: str, words: Words) -> str:
    """From the line where a footer begins; a footer that starts on the last lines of a signature takes only itself."""
    if not _has_footer(_fold(paragraph), words):
        return paragraph
    kept = []
    for line in paragraph.splitlines():
        if len(line) > 60 or any(sign in _fold(line) for sign in words.footer):
            break
        kept.append(line)
    return "\n".join(kept)


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


def _reason(group: Group, found: str) -> Reason:
    return Reason(code=group.name.upper(), text=f"{group.says}: “{found}”.")


def _fold(text: str) -> str:
    """Small letters without accents, straight quotes; macrons do not matter to a search."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFD", text.casefold().replace("’", "'").replace("‘", "'"))
    return _COMBINING.sub("", bare)


# ---- reading the file ------------------------------------------------------------------------------


@cache
def words_file() -> Words:
    """The words as they are shipped. Raises Misconfigured when the file is not whole."""
    return read_words(_WORDS.read_text(encoding="utf-8"))


def read_words(text: str) -> Words:
    """Read a words file strictly. Raises Misconfigured with the group that is wrong."""
    raw = parse_toml(text, "kind_words.toml")
    exact_keys(raw, ("edition", "threshold", "notice", "danger", "assessment", "cut"), "kind_words.toml")
    threshold, cut = table_of(raw["threshold"], "threshold"), table_of(raw["cut"], "cut")
    exact_keys(threshold, ("notice", "notice_at_risk", "danger", "to_many"), "threshold")
    exact_keys(cut, ("footer", "quoted", "forwarded"), "cut")
    tables = {each: _groups(raw[each], each) for each in ("notice", "danger", "assessment")}
    return Words(
        edition=text_of(raw["edition"], "edition"),
        notice_from=_weight(threshold["notice"], "threshold"),
        notice_at_risk=_weight(threshold["notice_at_risk"], "threshold"),
        to_many=_weight(threshold["to_many"], "threshold"),
        danger_from=_weight(threshold["danger"], "threshold"),
        groups={each: tuple(table) for each, table in tables.items()},
        beginning=_by_first_word([item for table in tables.values() for item in table.items()]),
        footer=texts_of(cut["footer"], "cut.footer"),
        quoted=texts_of(cut["quoted"], "cut.quoted"),
        forwarded=texts_of(cut["forwarded"], "cut.forwarded"),
    )


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
