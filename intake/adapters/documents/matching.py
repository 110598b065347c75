"""Which question some words ask, by the words that carry meaning. For suggestions to a person, never for answers. Pure.

Every reader of foreign documents finds pairs in its own way, words that ask and words that may answer; here they meet our questions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from forms.schema import Form, Kind, Question

Rect = tuple[float, float, float, float]
LONGEST = 2_000  # characters of one suggestion
AFTER = 5  # lines under a label that may belong to its answer
LEAST = 0.5  # how alike words and question must be
DOUBT = 0.7  # a suggestion is never surer than this
STORY, STORY_AS_CHOICE = 80, 0.6  # characters of a text that is told, and how much less it fits a question with choices
OPEN = (Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL)
MOST_PAIRS = 2_000  # of one document that are compared
LONGEST_LABEL = 300  # characters; what is longer asks nothing
ASKS = r"(.{3,160}?[:?])"  # a label at the beginning of a line
OWN_ID = re.compile(r"^[A-Z]{1,3}\d{1,2}\b[\w-]*$")  # of a question, as our forms print it after its words
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are at by do does for have how if in is it its of on or our the their they this to us was we what when where "
        "which who why will with you your",
    )
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Words that ask and words that may answer them."""

    label: str
    text: str
    page: int | None = None
    box: Rect | None = None  # of the answer


def suggested(pairs: Iterable[Pair], form: Form) -> list[dict[str, object]]:
    """The best pair for each question, in the form's order: {question, text, page, box, confidence}."""
    words = list(_ways(form))
    best: dict[str, dict[str, object]] = {}
    for _, pair in zip(range(MOST_PAIRS), pairs, strict=False):
        asked = _words(pair.label[:LONGEST_LABEL])
        if not asked or not pair.text.strip():
            continue
        score, question = _closest(asked, words, len(pair.text))
        if question is None or score < LEAST:
            continue
        sure = round(score * DOUBT, 2)
        held = best.get(question.id)
        if held is None or sure > float(str(held["confidence"])):
            best[question.id] = row(question.id, pair.text, sure, pair.page, pair.box)
    return [best[q.id] for q in form.questions if q.id in best]


def row(question: str, text: str, sure: float, page: int | None = None, box: Rect | None = None) -> dict[str, object]:
    """One suggestion as JSON values."""
    return {
        "question": question,
        "text": text.strip()[:LONGEST],
        "page": page,
        "box": [round(v, 1) for v in box] if box else None,
        "confidence": sure,
    }


def told(lines: Sequence[str]) -> Iterator[Pair]:
    """Pairs of plain lines: a label, then its answer after a colon, a question mark or a tab, or on the next lines."""
    for index, line in enumerate(lines):
        label, text = _split(line)
        if label and not text:
            text = "\n".join(_under(lines[index + 1 : index + 1 + AFTER]))
        if label and text:
            yield Pair(label, text)


def _split(line: str) -> tuple[str, str]:
    before, tab, after = line.strip().partition("\t")
    if tab:
        return before, " ".join(after.split())
    match = re.match(ASKS + r"\s*(.*)", before)
    return (match[1], OWN_ID.sub("", match[2])) if match else ("", "")


def _under(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\t" in line.strip() or re.match(ASKS + r"(\s|$)", line):
            return
        if line.strip():
            yield line.strip()


def _ways(form: Form) -> Iterator[tuple[Question, list[frozenset[str]]]]:
    """Each question with the ways in which it may be asked: its label, its short name, and a story by its section's title."""
    for section in form.sections:
        for question in section.questions:
            if question.columns:
                continue
            ways = [_words(question.label), _words(question.short)]
            if question.kind is Kind.LONG_TEXT:
                ways.append(_words(section.title))
            yield question, [w for w in ways if w]


def _closest(
    asked: frozenset[str], words: list[tuple[Question, list[frozenset[str]]]], length: int
) -> tuple[float, Question | None]:
    """The question whose words are most alike; a story is no answer to a question with choices."""
    best: tuple[float, Question | None] = (0.0, None)
    for question, ways in words:
        fit = STORY_AS_CHOICE if length > STORY and question.kind not in OPEN else 1.0
        for way in ways:
            shared = len(asked & way)
            score = fit * 2 * shared / (len(asked) + len(way)) if shared else 0.0
            if score > best[0]:
                best = (score, question)
    return best


def _words(text: str) -> frozenset[str]:
    """The words that carry meaning, without case, macrons and plural s."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    found = (w.rstrip("s") if len(w) > 3 else w for w in re.findall(r"[a-z0-9]+", bare))
    return frozenset(w for w in found if w not in COMMON)
