"""Reading one Authentication-Results value (RFC 8601) by an own grammar: closed on doubt, linear in time.

What broke others: properties taken from another clause, a comment closed by a quoted local part that a server
echoed, the last result winning, an id without its semicolon. Here a value with any such shape is `Unusable`, and
says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intake.domain.words import unfold

MAX_BYTES = 16_384
MAX_DEPTH = 20
MAX_CLAUSES = 60


@dataclass(frozen=True, slots=True)
class Clause:
    """One result: `dkim=pass header.d=p.org.nz` is method dkim, result pass, properties (("header.d",
    "p.org.nz"),).
    """

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.properties if key == name)

    def one(self, name: str) -> str:
        """The property, or "" when it is absent or stated twice with different values."""
        values = set(self.all(name))
        return values.pop() if len(values) == 1 else ""

    def __str__(self) -> str:
        return " ".join([f"{self.method}={self.result}", *(f"{k}={v}" for k, v in self.properties)])[:300]


@dataclass(frozen=True, slots=True)
class AuthResults:
    """One header. `serv_id` is "" when none is stated (Exchange Online), else lower case without the part after
    "/".
    """

    serv_id: str
    clauses: tuple[Clause, ...] = ()
    bare: tuple[str, ...] = ()  # elements that are no result, such as the old Exchange form's domain


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value that is not taken for anything. `serv_id` is the id that it seems to claim, if one could be seen."""

    reason: str
    serv_id: str = ""


_BLANK = re.compile(r"[ \t]+")
_ATOM = re.compile(r'[^ \t()";\\=]+')
_VALUE = re.compile(r'[^ \t()";\\]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_KEY = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)?(?:/[0-9]+)?")


class _Bad(Exception):
    pass


def parse(value: bytes) -> AuthResults | Unusable:
    """One header value, folding included. Never raises; anything out of shape is `Unusable`.

    Source: RFC 8601 2.2, with the tolerances that real receivers need (no id, a bare element).
    """
    if len(value) > MAX_BYTES:
        return Unusable("it is longer than 16 KB")
    flat = unfold(value)
    if b"\0" in flat or b"\r" in flat or b"\n" in flat or re.search(rb"[\x01-\x08\x0b-\x1f\x7f]", flat):
        return Unusable("it holds control characters")
    if not flat.isascii():
        return Unusable("it holds characters outside ASCII")
    try:
        return _read(flat.decode("ascii"))
    except _Bad as bad:
        return Unusable(str(bad), _claimed(flat.decode("ascii")))


def _claimed(text: str) -> str:
    found = _ATOM.match(text)
    return found[0].lower().partition("/")[0] if found else ""


def _read(text: str) -> AuthResults:
    segments = _segments(text)
    serv_id, first = _head(segments[0])
    clauses: list[Clause] = []
    bare: list[str] = []
    for segment in segments[first:]:
        if not segment:
            continue
        if len(segment) == 1 and segment[0][0] == "word":
            if segment[0][1].lower() != "none":
                bare.append(segment[0][1].lower())
            continue
        clauses.append(_clause(segment))
        if len(clauses) > MAX_CLAUSES:
            raise _Bad("it has too many results")
    return AuthResults(serv_id, tuple(clauses), tuple(bare))


def _segments(text: str) -> list[list[tuple[str, str]]]:
    """Tokens between semicolons; comments are gone, quoted strings are whole."""
    out: list[list[tuple[str, str]]] = [[]]
    at = 0
    expect_value = False
    while at < len(text):
        char = text[at]
        if char in " \t":
            at += 1
        elif char == "(":
            at = comment_end(text, at)
            if at < 0:
                raise _Bad("a comment in it is out of shape")
        elif char == ";":
            if expect_value:
                out[-1].append(("word", ""))  # "smtp.mailfrom=;" of a mail without a return address
            out.append([])
            at, expect_value = at + 1, False
        elif char == "=" and not expect_value:
            out[-1].append(("=", "="))
            at, expect_value = at + 1, True
        else:
            word, at, kind = _word(text, at, expect_value)
            out[-1].append((kind, word))
            expect_value = False
        if len(out) > 4 * MAX_CLAUSES or len(out[-1]) > 400:
            raise _Bad("it has too many results")
    if expect_value:
        out[-1].append(("word", ""))
    return out


def _word(text: str, at: int, value: bool) -> tuple[str, int, str]:
    """An atom, or (as a value) any run of atoms and quoted strings that touch."""
    parts: list[str] = []
    kind = "word"
    pattern = _VALUE if value else _ATOM
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        found = quoted or pattern.match(text, at)
        if not found:
            break
        if quoted:
            kind = "quoted"
        parts.append(re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else found[0])
        at = found.end()
        if not value:
            break
    if not parts:
        raise _Bad("it has a quotation mark or a bracket in the wrong place")
    return "".join(parts), at, kind


def comment_end(text: str, at: int) -> int:
    """The place after the comment that begins at `at`, or -1 when it is unclosed, too deep, or holds an odd
    quotation mark.

    Servers echo what the sender chose (`domain of "a) dmarc=pass (b"@evil`): a comment that ends inside a quoted
    string is not one.
    """
    depth, quotes = 0, 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if char == '"':
            quotes += 1
        elif char == "(":
            depth += 1
            if depth > MAX_DEPTH:
                return -1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return -1 if quotes % 2 else at + 1
        at += 1
    return -1


def _head(segment: list[tuple[str, str]]) -> tuple[str, int]:
    """The id, and the segment with which results begin."""
    if len(segment) >= 2 and segment[1][0] == "=":
        return "", 0  # no id: Exchange Online begins with the first result
    if not segment or len(segment) > 2 or segment[0][0] == "=":
        raise _Bad("what stands before the first semicolon is not an id")
    if len(segment) == 2 and not segment[1][1].isdecimal():
        raise _Bad("what stands before the first semicolon is not an id")
    return segment[0][1].lower().partition("/")[0], 1


def _clause(tokens: list[tuple[str, str]]) -> Clause:
    if len(tokens) % 3 or len(tokens) < 3:
        raise _Bad("a result in it is out of shape")
    pairs = []
    for at in range(0, len(tokens), 3):
        (kind, key), (equals, _), (what, value) = tokens[at : at + 3]
        key = key.lower()
        if kind != "word" or equals != "=" or what == "=" or not _KEY.fullmatch(key):
            raise _Bad("a result in it is out of shape")
        pairs.append((key, value))
    method, result = pairs[0]
    return Clause(method.partition("/")[0], result.lower(), tuple(pairs[1:]))
