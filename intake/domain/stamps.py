"""What our own side wrote on a mail about its sender, as a shape: so that it is seen when a gateway stops writing it, or writes it
another way since an update. Twenty mails without it, or a new shape, are told to the operators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from intake.domain.authres import AuthResults, parse
from intake.domain.mime import Headers
from intake.domain.received import find_border
from intake.domain.results_place import RESULTS, Reading, candidates
from intake.domain.trust import Trust

LEARNING = timedelta(days=14)  # shapes that come in the first days are how this gateway writes
NEWS = timedelta(days=7)  # for so long a new shape is told
_MOST_SHAPES = 50
_METHODS = ("dmarc", "dkim", "spf")


def stamp_of(headers: Headers, trust: Trust) -> str | None:
    """The shape of the results in the place of ours; "" when there is none; None when none is to be expected.

    A shape is the place, how many there are, their ids without numbers, and what they speak of: "above 1 mx#.min.example dkim,dmarc,spf".
    """
    if trust.shorthand or not (trust.ids or trust.kind == "exchange_online"):
        return None
    border = find_border(headers, trust.relays, trust.border, trust.inside)
    if border.all_ours:
        return None
    places = [n for n, (name, _) in enumerate(headers) if name.lower() == RESULTS]
    read = [parse(headers[n][1]) for n in candidates(headers, places, border, Reading(trust, ""))]
    usable = [one for one in read if isinstance(one, AuthResults)]
    if not usable:
        return ""
    ids = sorted({re.sub(r"\d+", "#", one.serv_id) or "(no id)" for one in usable})
    methods = sorted({clause.method for one in usable for clause in one.clauses} & set(_METHODS))
    return f"{trust.stamp} {len(usable)} {' '.join(ids)[:120]} {','.join(methods) or 'nothing'}"


def with_shape(known: str | None, shape: str, day: date) -> str | None:
    """The shapes seen so far, one a line with the day on which it was first seen; None when it is among them."""
    shapes = seen(known)
    if shape in shapes or len(shapes) >= _MOST_SHAPES:
        return None
    return "\n".join([*(f"{at.isoformat()} {one}" for one, at in shapes.items()), f"{day.isoformat()} {shape}"])


def seen(known: str | None) -> Mapping[str, date]:
    """Each shape with the day on which it was first seen."""
    lines = (line.partition(" ") for line in (known or "").splitlines())
    return {shape: date.fromisoformat(day) for day, _, shape in lines}


def new_shapes(known: str | None, today: date) -> tuple[str, ...]:
    """Those of the last days that are not from the first ones."""
    shapes = seen(known)
    if not shapes:
        return ()
    learnt = min(shapes.values()) + LEARNING
    return tuple(shape for shape, day in shapes.items() if day > learnt and today - day <= NEWS)
