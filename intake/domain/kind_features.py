"""What a mail's words are counted by: words, two words in a row, and the same with words of one meaning put together.

`SENT to STRANGER` is found in “emailed to another” and in “posted to the wrong”; `DEVICE+LOST` in one sentence, in whatever order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from intake.domain.kind_text import fold

_WORD = re.compile(r"[a-z0-9']+")
_END = re.compile(r"[.!?;]+")
_WRAPPED = 50  # characters: a longer line may go on in the next one, a shorter one ends what it says
_MOST = 4_000  # words of a mail that count
_NUMBER = "0"  # stands for every number
_TOGETHER = 3  # sentences


class Sentence(NamedTuple):
    """A sentence as it stands in the mail, and what it is counted by."""

    text: str
    features: list[str]


def sentences(text: str, meanings: Mapping[str, str]) -> list[Sentence]:
    """The sentences of `text`. meanings: word (small letters, no accents) -> the name of its meaning."""
    left, found = _MOST, []
    for sentence in _split(text):
        words = [_NUMBER if w.isdigit() else w for w in _WORD.findall(fold(sentence))[:left]]
        left -= len(words)
        if words:
            found.append(Sentence(" ".join(sentence.split()), _features(words, meanings)))
    return found


def counted(said: Sequence[Sentence]) -> Counter[str]:
    """How often each feature stands in them."""
    return Counter(feature for each in said for feature in each.features)


def passages(said: Sequence[Sentence]) -> Iterator[Counter[str]]:
    """Three sentences in a row, for each three; of a shorter mail, all of it."""
    for start in range(max(1, len(said) - _TOGETHER + 1)):
        yield counted(said[start : start + _TOGETHER])


def _split(text: str) -> Iterator[str]:
    so_far: list[str] = []
    for line in text.splitlines():
        so_far.append(line)
        if len(line) < _WRAPPED:
            yield from _END.split(" ".join(so_far))
            so_far = []
    yield from _END.split(" ".join(so_far))


def _features(words: list[str], meanings: Mapping[str, str]) -> list[str]:
    found = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
    known = [meanings.get(w, "") for w in words]
    if not any(known):
        return found
    named = [m or w for m, w in zip(known, words, strict=True)]
    found += [m for m in known if m]
    found += [f"{a} {b}" for a, b in pairwise(named) if a.isupper() or b.isupper()]
    threes = zip(named, named[1:], named[2:], strict=False)
    found += [f"{a} {b} {c}" for a, b, c in threes if a.isupper() or b.isupper() or c.isupper()]
    return found + ["+".join(pair) for pair in combinations(sorted(set(filter(None, known))), 2)]
