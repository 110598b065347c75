"""Where our own side writes its results: the headers that count, by their place (steps 5 and 6 of
docs/sender-check.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from intake.domain.authres import Clause, parse
from intake.domain.mime import Headers
from intake.domain.model import Evidence
from intake.domain.received import Border
from intake.domain.trust import Trust

RESULTS = "authentication-results"
_RUN = ("received-spf", "dkim-filter", "dmarc-filter", RESULTS)


@dataclass(slots=True)
class Reading:
    trust: Trust
    domain: str
    place: str = ""
    strength: str = "none"
    clauses: list[tuple[str, Clause]] = field(default_factory=list)  # id, clause
    closed: bool = False  # an unusable candidate: nothing positive from headers
    evidence: list[Evidence] = field(default_factory=list)

    def note(self, code: str, text: str, weight: str = "half") -> None:
        if len(self.evidence) < 24:
            self.evidence.append(Evidence(code, text, weight))


def candidates(headers: Headers, places: Sequence[int], border: Border, reading: Reading) -> list[int]:
    trust = reading.trust
    if border.place is None:
        if trust.shorthand and border.lines == 0:
            reading.place, reading.strength = "at the top of the mail", "weak"
            return [p for p in _run_down(headers, -1, trust) if p in places]
        reading.note(
            "no_border",
            f"No authentication result was taken: {border.why}, so we cannot tell where the outside begins.",
        )
        return []
    if trust.kind == "exchange_online":
        return _exchange(headers, places, border, reading)
    above = [p for p in places if p < border.place]
    if trust.shorthand:
        reading.place, reading.strength = "beside the line of our outermost server", "weak"
        return above + _run_down(headers, border.place, trust)
    if trust.stamp == "above":
        reading.place, reading.strength = "above the line of our outermost server", "strong"
        return above
    if trust.stamp == "below":
        reading.place = "directly below the line of our outermost server"
        reading.strength = "strong" if trust.proven else "weak"
        return _run_down(headers, border.place, trust)
    reading.place, reading.strength = "at the end of the headers", "weak"
    return _run_up(headers, border.place, trust)


def note_unused(headers: Headers, places: Sequence[int], reading: Reading) -> None:
    """Say why results that stand in a mail came to nothing, when nothing else has said it."""
    if not places or reading.evidence:
        return
    if reading.clauses:
        told = "; ".join(
            f"“{serv_id}”: {clause}" if serv_id else str(clause) for serv_id, clause in reading.clauses[:3]
        )
        reading.note(
            "results_silent",
            f"The authentication result {reading.place} says nothing for or against the sender ({told[:200]}).",
        )
        return
    ids = dict.fromkeys(f"“{parse(headers[place][1]).serv_id[:80]}”" for place in places[:3])
    reading.note(
        "results_ignored",
        f"It carries authentication results ({', '.join(ids)}) that are not our server's or say nothing; none was taken.",
    )


def _run_down(headers: Headers, start: int, trust: Trust) -> list[int]:
    """The results in the unbroken run below `start`; it ends at the first other field or the first id that is not
    ours.
    """
    found: list[int] = []
    for place in range(start + 1, len(headers)):
        name = headers[place][0].lower()
        if name == RESULTS:
            if not _may_be_ours(headers[place][1], trust):
                break
            found.append(place)
        elif not (name in _RUN or name.startswith(("x-", "arc-"))):
            break
    return found


def _run_up(headers: Headers, stop: int, trust: Trust) -> list[int]:
    found: list[int] = []
    for place in range(len(headers) - 1, stop, -1):
        name = headers[place][0].lower()
        if name == RESULTS:
            found.append(place)
        elif not (name in _RUN or name.startswith(("x-", "arc-"))):
            break
    return sorted(p for p in found if _may_be_ours(headers[p][1], trust))


def _may_be_ours(value: bytes, trust: Trust) -> bool:
    return trust.ours(parse(value).serv_id)


def _exchange(headers: Headers, places: Sequence[int], border: Border, reading: Reading) -> list[int]:
    assert border.place is not None and border.hop is not None
    above = [p for p in places if p < border.place]
    reading.place = "directly above the line of Exchange Online"
    if len(above) != 1:
        if above:
            reading.note(
                "results_ambiguous",
                f"{len(above)} authentication results stand where Exchange Online writes one; none was taken.",
                "no",
            )
        else:
            reading.note("no_stamp", "Exchange Online left no authentication result on this mail.")
        return []
    names = [headers[n][0].lower() for n in range(above[0] + 1, border.place)]
    source = [v for n, v in headers if n.lower() == "x-ms-exchange-organization-authsource"]
    label = border.hop.by.partition(".")[0]
    same = len(source) == 1 and source[0].strip().decode("ascii", "replace").lower().partition(".")[0] == label
    reading.strength = "strong" if names == ["received-spf"] and same else "weak"
    if reading.strength == "weak":
        what = (
            "does not stand where Exchange Online writes it"
            if names != ["received-spf"]
            else "is not tied to the server that took the mail"
        )
        reading.note("exchange_shape", f"The authentication result {what}, so it counts as weak evidence only.")
    return above
