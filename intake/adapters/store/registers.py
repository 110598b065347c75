"""The registers of a self-assessment as rows: the plan and the devices, so that they can be listed and followed up.

What was read is kept whole with the submission. Here stands what can be taken from it; a wrong cell is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake.adapters.store.codec import encode, storable
from intake.domain.model import ReadAnswer

_PLAN, _DEVICES = "PLAN", "DEV"


def plan_rows(answers: Mapping[str, ReadAnswer]) -> list[dict[str, Any]]:
    return [
        {
            "n": n,
            "control": _text(row, "control", 60),
            "what": _text(row, "what"),
            "who": _text(row, "who"),
            "by_when": _text(row, "by", 10),
            "cost": row.get("cost") is True,
            "interim": _text(row, "interim"),
        }
        for n, row in _rows(answers, _PLAN)
    ]


def device_rows(answers: Mapping[str, ReadAnswer]) -> list[dict[str, Any]]:
    return [
        {
            "n": n,
            "kind": _text(row, "kind", 40),
            "how_many": _number(row, "how_many"),
            "controlled_by": _text(row, "controlled_by", 40),
            "used_by_role": _text(row, "used_by_role"),
            "mitigations": encode(_codes(row, "mitigations")),
            "review_by": _text(row, "review_by", 10),
        }
        for n, row in _rows(answers, _DEVICES)
    ]


def _rows(answers: Mapping[str, ReadAnswer], question: str) -> list[tuple[int, Mapping[str, object]]]:
    answer = answers.get(question)
    if answer is None or not isinstance(answer.value, (list, tuple)):
        return []
    return [(n, row) for n, row in enumerate(answer.value, 1) if isinstance(row, Mapping)]


def _text(row: Mapping[str, object], column: str, most: int = 4000) -> str:
    value = row.get(column)
    return storable(value)[:most] if isinstance(value, str) else ""


def _number(row: Mapping[str, object], column: str) -> int | None:
    value = row.get(column)
    in_range = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if in_range and isinstance(value, int) else None


def _codes(row: Mapping[str, object], column: str) -> list[str]:
    value = row.get(column)
    return [code for code in value if isinstance(code, str)] if isinstance(value, (list, tuple)) else []
