"""The writer's own words of a mail: without the mail it answers, without disclaimers. What somebody forwards is content, and stays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COMBINING = re.compile("[\u0300-\u036f]")
# Nobody's disclaimer tells what its writer did: “I sent this message to the wrong recipient, please delete it.”
_TOLD = re.compile(
    r"\b(?:i|i've|i'm|my|me|we (?:have |had |just |then )?(?:sent|emailed|mailed|posted|gave|lost|left|forwarded|attached|copied|got))\b"
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*|[.!?]+")
_MOST = 40_000  # characters of a body that are searched
_WROTE = re.compile(r"on .{5,80} wrote:")
# "--- your message ---": what stands below is what was answered. A forward is said before, and keeps what is below.
_QUOTES_BELOW = re.compile(
    r"[-_=*#]{2,}\s*(?:\w+ ){0,4}(?:message|mail|email|request|question|enquiry|ticket|reply)s?(?: \w+){0,3}\s*:?\s*[-_=*#]{2,}"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """Signs by which words are told apart from the writer's own; small letters, no accents (`[cut]` of `kind_words.toml`).

    A paragraph is a footer from the line on that holds one of `footer`; or as a whole, when it speaks of itself (`itself`)
    or of a wrong reader (`reader`), and holds two more of these or of `law`. A sentence with one of `in_danger` and one of `helpline` is
    advice to whoever reads it (“if you are in danger, call 111”), as stands below every mail of those who help.
    """

    footer: tuple[str, ...]
    itself: tuple[str, ...]
    reader: tuple[str, ...]
    law: tuple[str, ...]
    in_danger: tuple[str, ...]
    helpline: tuple[str, ...]
    quoted: tuple[str, ...]
    forwarded: tuple[str, ...]


def own_words(subject: str, body: str, cut: Cut) -> str:
    """The sender's own words: without quoted mails and footers. Of a forward, what is forwarded stays."""
    lines = body[:_MOST].splitlines()
    folded = fold("\n".join(lines)).split("\n") if lines else []
    head = fold(subject + "\n" + body[:2_000])
    if not any(sign in head for sign in cut.forwarded):
        lines = list(_unquoted(lines, folded, cut))
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    return "\n\n".join(_without_advice(_without_footer(each, cut), cut) for each in paragraphs)


def fold(text: str) -> str:
    """Small letters without accents, straight quotes; macrons do not matter to a search."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFD", text.casefold().replace("’", "'").replace("‘", "'"))
    return _COMBINING.sub("", bare)


def _unquoted(lines: Sequence[str], folded: Sequence[str], cut: Cut) -> Iterator[str]:
    for line, small in zip(lines, folded, strict=True):
        start = small.strip()
        if start.startswith(cut.quoted) or _QUOTES_BELOW.fullmatch(start):
            return
        if not start.startswith(">") and not _WROTE.fullmatch(start):
            yield line


def _without_footer(paragraph: str, cut: Cut) -> str:
    """A footer that starts on the last lines of a signature takes only itself."""
    flat = " ".join(fold(paragraph).split())
    if _is_disclaimer(flat, cut):
        return ""
    if not any(sign in flat for sign in cut.footer):
        return paragraph
    kept = []
    for line in paragraph.splitlines():
        if len(line) > 60 or any(sign in fold(line) for sign in cut.footer):
            break
        kept.append(line)
    return "\n".join(kept)


def _without_advice(paragraph: str, cut: Cut) -> str:
    if not any(sign in fold(paragraph) for sign in cut.helpline):
        return paragraph
    return "".join(each for each in _SENTENCE.findall(paragraph) if not _is_advice(" ".join(fold(each).split()), cut))


def _is_advice(flat: str, cut: Cut) -> bool:
    told = any(sign in flat for sign in cut.in_danger) and any(sign in flat for sign in cut.helpline)
    return told and not _TOLD.search(flat)


def _is_disclaimer(flat: str, cut: Cut) -> bool:
    said, reader, law = (sum(sign in flat for sign in signs) for signs in (cut.itself, cut.reader, cut.law))
    return bool(said or reader) and said + reader + law >= 3 and not _TOLD.search(flat)
