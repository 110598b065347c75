"""Whether a phone number or an address that somebody gave can be used at all. It asks for a second look and never refuses."""

from __future__ import annotations

import re

from forms.schema import Kind, Question

_ENOUGH = 1000  # characters; nobody's number stands behind them
_BETWEEN_WORDS = re.compile(r"[\s<>()\[\]\",;:]+")
_ADDRESS = re.compile(r"[^@]+@(?:[^@.]+\.)+[^@.]{2,}\.?")
_NUMBER = re.compile(r"\d(?:[\s.()+\-\u2010-\u2014]*\d){6}")  # a local number of New Zealand has seven digits
_WORD_NUMBER = re.compile(r"0(?:800|508)[\s-]*[A-Z]{4}")  # free of charge, its end spelled as a word


def out_of_reach(question: Question, value: object) -> str:
    """Why nobody may be reached with this answer, in a sentence for whoever gave it; "" when it will do or is no such answer.

    A usable number or address anywhere in the text is enough: "021 000 0007, after two" will do.
    """
    text = value[:_ENOUGH] if isinstance(value, str) else ""
    if not text:
        return ""
    if question.kind is Kind.PHONE and not (_NUMBER.search(text) or _WORD_NUMBER.search(text)):
        return "We may not be able to reach you with this: we see no whole phone number in it."
    if question.kind is Kind.EMAIL and not any(_ADDRESS.fullmatch(word) for word in _BETWEEN_WORDS.split(text)):
        return "We may not be able to reach you with this: we see no whole email address in it."
    return ""
