"""What a mail's words are counted by: words, two words in a row, and the same with words of one meaning put together.

`SENT to STRANGER` is found in “emailed to another” and in “posted to the wrong”; `DEVICE+LOST` in one sentence, in whatever order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

_WORD = re.compile(r"[a-z0-9']+")
_END = re.compile(r"[.!?;]+")
_WRAPPED = 50  # characters: a longer line may go on in the next one, a shorter one ends what it says
_MOST = 4_000  # words of a mail that count
_NUMBER = "0"  # stands for every number
_TOGETHER = 3  # sentences


def of_sentences(text: str, meanings: Mapping[str, str]) -> list[list[str]]:
    """The features of each sentence of `text` (folded: small letters, no accents). meanings: word -> the name of its meaning."""
    return [_of_sentence(words, meanings) for words in _sentences(text)]


def passages(sentences: Sequence[Sequence[str]]) -> Iterator[Counter[str]]:
    """How often each feature stands in three sentences in a row, for each three; of a shorter mail, in all of it."""
    for start in range(max(1, len(sentences) - _TOGETHER + 1)):
        yield Counter(feature for each in sentences[start : start + _TOGETHER] for feature in each)


def where(text: str, meanings: Mapping[str, str], wanted: str) -> str:
    """The words of the text that make a feature, for people to read; "" when it is not there."""
    for words in _sentences(text):
        if wanted in _of_sentence(words, meanings):
            return _shown(words, [meanings.get(w, w) for w in words], wanted)
    return ""


def _sentences(text: str) -> Iterator[list[str]]:
    left = _MOST
    for sentence in _split(text):
        words = [_NUMBER if w.isdigit() else w for w in _WORD.findall(sentence)[:left]]
        left -= len(words)
        if words:
            yield words


def _split(text: str) -> Iterator[str]:
    so_far: list[str] = []
    for line in text.splitlines():
        so_far.append(line)
        if len(line) < _WRAPPED:
            yield from _END.split(" ".join(so_far))
            so_far = []
    yield from _END.split(" ".join(so_far))


def _of_sentence(words: list[str], meanings: Mapping[str, str]) -> list[str]:
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


def _shown(words: list[str], named: list[str], wanted: str) -> str:
    if "+" in wanted:
        return " … ".join(w for w, m in zip(words, named, strict=True) if m in wanted.split("+"))
    parts = wanted.split()
    for start in range(len(words) - len(parts) + 1):
        if all(p in (words[start + n], named[start + n]) for n, p in enumerate(parts)):
            return " ".join(words[start : start + len(parts)])
    return ""
