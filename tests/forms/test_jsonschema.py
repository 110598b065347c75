"""The schema accepts every valid set of answers and refuses what is not canonical.

No validator is installed, so the few keywords that the schema uses are checked by the small reader below.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from forms.jsonschema import schema
from forms.load import form, forms
from forms.schema import Form
from tests.support.random_answers import random_answers

NOTICE = schema(form("breach-notice"))
TYPES: dict[str, type | tuple[type, ...]] = {"object": dict, "array": list, "string": str, "integer": int}
KNOWN = {
    "$schema", "$id", "title", "description", "type", "properties", "additionalProperties", "oneOf", "const", "items", "format",
    "minItems", "uniqueItems", "minProperties", "pattern", "minimum", "minLength", "maxLength",
}  # fmt: skip


def fits(rule: dict[str, Any], value: object) -> bool:
    assert set(rule) <= KNOWN
    if "type" in rule and (not isinstance(value, TYPES[rule["type"]]) or value is True):
        return False
    if "const" in rule and (value != rule["const"] or type(value) is not type(rule["const"])):
        return False
    if "oneOf" in rule and sum(fits(r, value) for r in rule["oneOf"]) != 1:
        return False
    if isinstance(value, dict):
        names = rule["properties"]
        known = all(k in names and fits(names[k], v) for k, v in value.items())
        return known and len(value) >= rule.get("minProperties", 0)
    if isinstance(value, list):
        once = len({json.dumps(v, sort_keys=True) for v in value}) == len(value) or not rule.get("uniqueItems")
        return once and len(value) >= rule.get("minItems", 0) and all(fits(rule["items"], v) for v in value)
    if isinstance(value, str):
        long_enough = rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", 10**9)
        return long_enough and re.search(rule.get("pattern", ""), value) is not None
    return not isinstance(value, int) or value >= rule.get("minimum", 0)


@pytest.mark.parametrize("edition", forms(), ids=lambda f: f.name)
def test_every_valid_set_of_answers_fits_the_schema(edition: Form) -> None:
    rules = json.loads(json.dumps(schema(edition)))
    rng = random.Random(3)
    assert all(fits(rules, random_answers(edition, rng)) for _ in range(60))


@pytest.mark.parametrize(
    "answers",
    [
        {"A07": "maybe"},
        {"A07": None},
        {"A99": "x"},
        {"B06": []},
        {"B06": ["seen", "seen"]},
        {"B06": "seen"},
        {"A08": "2026-11-22T20:10:00+13:00"},
        {"A08": {"at": "2026-11-22 20:10"}},
        {"A08": {"about": False}},
        {"B10": {"n": -1}},
        {"B10": {"n": "40"}},
        {"B10": {}},
        {"B19-date": "22/11/2026"},
        {"B26-by": "2027-13"},
        {"A06": ""},
        {"A06": "x" * 2001},
    ],
)
def test_what_is_not_canonical_does_not_fit(answers: dict[str, object]) -> None:
    assert not fits(NOTICE, answers)


@pytest.mark.parametrize("edition", forms(), ids=lambda f: f.name)
def test_the_schema_names_its_dialect_and_every_question_with_its_label(edition: Form) -> None:
    made: dict[str, Any] = schema(edition)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {i: p["title"] for i, p in made["properties"].items()} == {q.id: q.label for q in edition.questions}
    assert made["additionalProperties"] is False
