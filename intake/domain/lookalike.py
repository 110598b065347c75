"""Names that are close to a provider's and not theirs.

kōwhai.org.nz and kowhai.org.nz are two domains: never taken for one another, and each is flagged beside the other.
Short names have real neighbours (cab, cap), so they are compared by their look only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from intake.domain.address import registrable, to_unicode
from intake.domain.hosts import common_words

SHORT = 4  # letters; up to here only the same look counts
CONTAINED = 6  # letters that a name must have to be looked for inside others
_FAR = 10  # from this length on two slips of the pen count as close
_LOOKS = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "3": "e",
        "5": "s",
        "|": "l",
        "а": "a",
        "е": "e",
        "о": "o",
        "р": "p",
        "с": "c",
        "у": "y",
        "х": "x",
        "і": "i",
        "ј": "j",
        "ѕ": "s",
        "һ": "h",
        "ԁ": "d",
        "ԛ": "q",
        "ԝ": "w",
        "к": "k",
        "м": "m",
        "н": "h",
        "т": "t",
        "в": "b",
        "г": "r",
        "п": "n",
        "и": "u",
        "ѵ": "v",
        "ɡ": "g",
        "ɩ": "i",
        "ı": "i",
        "α": "a",
        "ο": "o",
        "ρ": "p",
        "ε": "e",
        "ι": "i",
        "κ": "k",
        "ν": "v",
        "τ": "t",
        "υ": "u",
        "χ": "x",
        "η": "n",
        "ω": "w",
        "γ": "y",
        "σ": "o",
        "ո": "n",
        "օ": "o",
        "ս": "u",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "ß": "ss",
        "þ": "p",
    }
)


@lru_cache(maxsize=8192)
def skeleton(text: str) -> str:
    """How a name looks: no macrons and accents, no hyphens and dots, letters of other scripts as the Latin ones they
    resemble.
    """
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LOOKS)
    letters = re.sub(r"[^a-z0-9]+", "", kept) if kept.isascii() else "".join(c for c in kept if c.isalnum())
    looks = letters.replace("rn", "m").replace("vv", "w").replace("cl", "d")
    return looks.replace("i", "l") if len(looks) > SHORT else looks


def label_of(domain: str) -> str:
    """The name that somebody chose: "trust" of mail.trust.org.nz, as people read it."""
    owner = registrable(domain) or domain
    return to_unicode(owner).split(".", 1)[0]


def near(one: str, other: str, limit: int) -> bool:
    """Whether the Damerau-Levenshtein distance (adjacent swaps count once) is at most `limit`."""
    if abs(len(one) - len(other)) > limit:
        return False
    start, end = 0, min(len(one), len(other))
    while start < end and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if max(len(one), len(other)) <= limit:
        return True
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if before and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return False
        before, last = last, row
    return last[-1] <= limit


def _letters(text: str) -> int:
    mask = 0
    for char in text:
        mask |= 1 << (ord(char) % 61)
    return mask


class Lookalikes:
    """An index over the domains to protect. `of` answers in well under a millisecond for a thousand of them."""

    def __init__(self, domains: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._looks: dict[str, list[str]] = {}
        self._lengths: dict[int, list[tuple[str, int, str]]] = {}
        self._long: dict[str, str] = {}
        for domain in dict.fromkeys(domains):
            owner = registrable(domain)
            if owner is None or owner in self._exact:
                continue
            self._exact.add(owner)
            self._add(owner)

    def _add(self, owner: str) -> None:
        look = skeleton(label_of(owner))
        self._looks.setdefault(look, []).append(owner)
        if len(look) > SHORT:
            self._lengths.setdefault(len(look), []).append((look, _letters(look), owner))
        plain = label_of(owner).replace("-", "")
        if len(look) >= CONTAINED and look not in _common() and plain not in common_words():
            self._long.setdefault(look, owner)

    def of(self, domain: str) -> tuple[str, str]:
        """The protected domain that `domain` resembles and how (a clause in words), or ("", "")."""
        owner = registrable(domain)
        if owner is None or owner in self._exact:
            return "", ""
        hidden = self._whole_inside(domain)
        if hidden:
            return hidden, "holds that whole domain in its own name"
        look = skeleton(label_of(domain))
        for other in self._looks.get(look, ()):
            return other, self._how_same(owner, other)
        if len(look) > SHORT:
            close = self._near(look)
            return close if close[0] else self._inside(look)
        return "", ""

    def _how_same(self, owner: str, other: str) -> str:
        if label_of(owner) == label_of(other):
            return "is the same name with another ending"
        return "looks the same when read quickly"

    def _whole_inside(self, domain: str) -> str:
        labels = domain.split(".")
        for start in range(len(labels)):
            for stop in range(start + 2, len(labels)):
                if ".".join(labels[start:stop]) in self._exact:
                    return ".".join(labels[start:stop])
        return ""

    def _near(self, look: str) -> tuple[str, str]:
        mask = _letters(look)
        for length in range(len(look) - 2, len(look) + 3):
            for other, letters, owner in self._lengths.get(length, ()):
                limit = 2 if len(other) >= _FAR and len(look) >= _FAR else 1
                if (
                    abs(length - len(look)) <= limit
                    and (mask ^ letters).bit_count() <= 2 * limit
                    and near(look, other, limit)
                ):
                    return owner, f"differs from it by {'a letter' if near(look, other, 1) else 'two letters'}"
        return "", ""

    def _inside(self, look: str) -> tuple[str, str]:
        for start in range(len(look)):
            for stop in range(start + CONTAINED, len(look) + 1):
                owner = self._long.get(look[start:stop])
                if owner:
                    return owner, "holds that name inside its own"
        return "", ""


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(skeleton(word) for word in common_words())
