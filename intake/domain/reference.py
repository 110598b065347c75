"""The public id of a case, such as `BN-4T7K-9`: to be said on the phone, typed from paper, found in a subject.

Kind, dash, random Crockford base-32 digits (no I L O U), dash, check character. No name, no date, and no
secret: it opens nothing by itself. The check character is a sum over the field of 32 elements, in which
every place weighs differently: one wrong character, and any two digits that changed places, are always
noticed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from intake.domain.model import CaseKind

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIXES = {CaseKind.BREACH_NOTICE: "BN", CaseKind.SELF_ASSESSMENT: "SA", CaseKind.OTHER: "OT"}

_READ_AS = str.maketrans("OIL", "011")
_FULL_AT = 0.05  # a twentieth used: from then on a guessed or misheard reference would too often be somebody's
_POLYNOMIAL, _WEIGHT = 0b100101, 19  # x^5 + x^2 + 1, and an element whose powers are all different
_DASHES = r"\-\u2010\u2011\u2012\u2013\u2014\u2212"
_LENGTHS = range(4, 11)  # digits between the dashes; six last for a billion cases
_IN_TEXT = re.compile(
    rf"(?<![0-9A-Za-z])(BN|SA|OT|0T)\s?[{_DASHES} ]\s?([0-9A-Z]{{4,10}})\s?[{_DASHES} ]\s?([0-9A-Z])(?![0-9A-Za-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Either the reference as it is written, or a sentence that says what is wrong with the text."""

    reference: str | None
    problem: str = ""


def make(kind: CaseKind, rng: Random, used_fraction: float = 0.0) -> str:
    """A new random reference.

    rng: `random.SystemRandom()` in service, a seeded one in tests.
    used_fraction: references of this kind that exist, divided by 32**4. Four digits while fewer than a twentieth of the
    four-digit ones are used, then five, then six.
    """
    length = 4
    while length < 6 and used_fraction >= _FULL_AT:
        length, used_fraction = length + 1, used_fraction / len(ALPHABET)
    digits = "".join(rng.choice(ALPHABET) for _ in range(length))
    return _written(PREFIXES[kind], digits)


def parse(text: str) -> Parsed:
    """Read a reference that somebody typed: any case, O for 0, I and L for 1, spaces or nothing for dashes."""
    bare = re.sub(rf"[\s{_DASHES}._/]", "", text).upper()
    prefix, rest = _prefix(bare), bare[2:].translate(_READ_AS)
    if prefix is None:
        return Parsed(None, "A reference starts with BN, SA or OT.")
    strange = sorted(set(rest) - set(ALPHABET))
    if strange:
        return Parsed(None, f"A reference has no {' or '.join(strange)} in it. Is it another letter or figure?")
    if len(rest) - 1 not in _LENGTHS:
        return Parsed(None, "A reference has four or more characters after the first dash and one after the second.")
    digits, check = rest[:-1], rest[-1]
    if _check(prefix, digits) != check:
        return Parsed(
            None, "The last character does not fit the others. Please check each one; one of them is different."
        )
    return Parsed(_written(prefix, digits))


def find_in(text: str) -> tuple[str, ...]:
    """The references in a subject or a body that have a right check character, each once, in order."""
    found: dict[str, None] = {}
    for match in _IN_TEXT.finditer(text):
        reference = parse("".join(match.groups())).reference
        if reference:
            found[reference] = None
    return tuple(found)


def put_for_each(text: str, words: Callable[[str], str | None]) -> str:
    """The text with other words in the place of references that `find_in` finds.

    words: what stands for a canonical reference; None leaves it as it was typed.
    """

    def one(match: re.Match[str]) -> str:
        reference = parse("".join(match.groups())).reference
        return (words(reference) if reference else None) or match[0]

    return _IN_TEXT.sub(one, text)


def kind_of(reference: str) -> CaseKind:
    """The kind that a canonical reference names. Raises KeyError for another text."""
    return {prefix: kind for kind, prefix in PREFIXES.items()}[reference[:2]]


def _prefix(bare: str) -> str | None:
    said = "OT" if bare[:2] == "0T" else bare[:2]
    return said if said in PREFIXES.values() else None


def _written(prefix: str, digits: str) -> str:
    return f"{prefix}-{digits}-{_check(prefix, digits)}"


def _check(prefix: str, digits: str) -> str:
    total = 0
    for character in (prefix + digits).translate(_READ_AS):
        total = _times(total ^ ALPHABET.index(character), _WEIGHT)
    return ALPHABET[total]


def _times(left: int, right: int) -> int:
    """Product in the field of 32 elements."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        right >>= 1
        left <<= 1
        if left & 32:
            left ^= _POLYNOMIAL
    return product
