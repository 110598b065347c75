"""What our own side says about a sender: the thirteen steps from header lines to strong, weak or no evidence.

The steps are numbered as in docs/sender-check.md. A header counts only at the place where our machine is configured
to write it; the same words anywhere else are a note. Steps 1, 3, 10 are the sender check's own; 13 is a probe that
operators run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intake.domain.address import aligned, normalise_domain
from intake.domain.authres import AuthResults, Clause, Unusable, parse
from intake.domain.mime import Headers
from intake.domain.model import Evidence
from intake.domain.received import Border, address_in, find_border
from intake.domain.results_place import RESULTS, Reading, candidates, note_unused
from intake.domain.trust import Trust

MAX_RESULTS = 50


@dataclass(frozen=True, slots=True)
class TrustedResults:
    """What a mail's trusted headers come to. `passed` and `failed` are about the From domain and never both true.

    `strength` is strong, weak or none: how much a pass counts. `guess` is a receiver's own guess (at most probable).
    """

    strength: str = "none"
    passed: bool = False
    failed: bool = False
    by: str = ""  # "dmarc" or "dkim", what the pass rests on
    spf: bool = False  # aligned SPF pass: never more than probable
    guess: bool = False
    inconclusive: bool = False  # a failure that a gateway in front may have caused
    internal: bool = False  # it never was outside; speaks for our own domains only
    evidence: tuple[Evidence, ...] = ()


def read_results(headers: Headers, trust: Trust, from_domain: str | None) -> TrustedResults:
    """The steps 2 and 4 to 9, 11 and 12 over the whole header block, in order.

    Args: headers: as `Envelope.headers`; from_domain: the strictly read From domain, None when there is none.
    """
    places = [n for n, (name, _) in enumerate(headers) if name.lower() == RESULTS]
    if trust.kind == "none" or not from_domain:
        return _nobody(headers, places, trust)
    border = find_border(headers, trust.relays, trust.border, trust.inside)
    reading = Reading(trust, from_domain)
    if border.all_ours and (trust.kind == "exchange_online" or (trust.kind == "own" and not trust.shorthand)):
        return _internal(headers, border, reading)
    chosen = candidates(headers, places, border, reading)
    _take(headers, chosen, reading)
    found = _merge(reading, border)
    _elsewhere(headers, [p for p in places if p not in chosen], reading, found)
    note_unused(headers, places, reading)
    return TrustedResults(
        reading.strength if found.passed or found.spf or found.guess else "none",
        found.passed,
        found.failed,
        found.by,
        found.spf,
        found.guess,
        found.inconclusive,
        False,
        tuple(reading.evidence),
    )


def _nobody(headers: Headers, places: Sequence[int], trust: Trust) -> TrustedResults:
    if not places:
        return TrustedResults()
    why = "no server is configured whose word counts here" if trust.kind == "none" else "the sender line is not usable"
    text = f"The mail carries {len(places)} authentication results; none was taken, because {why}."
    return TrustedResults(evidence=(Evidence("results_ignored", text),))


def _internal(headers: Headers, border: Border, reading: Reading) -> TrustedResults:
    as_who = [v.strip().lower() for n, v in headers if n.lower() == "x-ms-exchange-organization-authas"]
    if reading.trust.kind == "exchange_online":
        found = as_who == [b"internal"]
        text = "Exchange Online says that one of our own accounts sent it (AuthAs: Internal), and it never was outside."
    else:
        found = border.all_inside
        text = "Only machines of ours handled it: it never was outside."
    if found:
        return TrustedResults("strong", internal=True, evidence=(Evidence("internal", text, "yes"),))
    reading.note("no_border", "No authentication result was taken: the mail shows no line from the outside.")
    return TrustedResults(evidence=tuple(reading.evidence))


# ---- 7: reading them --------------------------------------------------------------------------------------------------


def _take(headers: Headers, chosen: Sequence[int], reading: Reading) -> None:
    if len(chosen) > MAX_RESULTS:
        reading.closed = True
        reading.note(
            "results_unusable",
            f"There are {len(chosen)} authentication results in the place of ours; none counts for the sender.",
            "no",
        )
    nobody = reading.trust.kind == "exchange_online"
    for place in chosen[:MAX_RESULTS]:
        parsed = parse(headers[place][1])
        why = _why_unusable(parsed, reading.trust)
        if why:
            reading.closed = True
            reading.note(
                "results_unusable",
                f"An authentication result {reading.place} (“{parsed.serv_id[:80] or 'no id'}”) cannot be used: {why}.",
                "no",
            )
        elif isinstance(parsed, AuthResults) and (nobody or reading.trust.ours(parsed.serv_id)):
            reading.clauses += [(parsed.serv_id, clause) for clause in parsed.clauses]
    _odd_names(headers, reading)


def _why_unusable(parsed: AuthResults | Unusable, trust: Trust) -> str:
    if isinstance(parsed, Unusable):
        return parsed.reason
    if trust.kind == "exchange_online":
        if parsed.serv_id:
            return "it carries an id, and Exchange Online writes none"
    elif not parsed.serv_id:
        return "it carries no id"
    return "" if not parsed.bare or trust.bare_elements else "it holds an element that is no result"


def _odd_names(headers: Headers, reading: Reading) -> None:
    for name, _ in headers:
        if name != name.strip() and name.strip().lower() == RESULTS:
            reading.note("results_odd_name", "An authentication result has a blank before its colon; it was not taken.")
            return


# ---- 8, 9 and 12: what they come to -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    passed: bool = False
    failed: bool = False
    by: str = ""
    spf: bool = False
    guess: bool = False
    inconclusive: bool = False
    capped: bool = False  # a receiver's guess or a forwarder's seal is in it: never more than probable


def _merge(reading: Reading, border: Border) -> _Found:
    found = _Found()
    _dmarc(reading, found)
    _dkim(reading, found)
    _spf(reading, found, border)
    _compauth(reading, found)
    if found.failed and _by_gateway(reading.trust, border):
        found.failed, found.inconclusive = False, True
        reading.note(
            "gateway_in_front",
            "A gateway stands in front of Exchange Online, so the failure may be the gateway's doing.",
        )
    if reading.closed or found.failed:
        found.passed, found.by, found.spf, found.guess = False, "", False, False
    elif found.passed and found.capped:
        found.passed, found.by, found.guess = False, "", True
    return found


def _by_gateway(trust: Trust, border: Border) -> bool:
    """Whether a gateway handed the mail to Exchange Online, and Exchange Online does not look through it."""
    return (
        border.hop is not None and not trust.skip_listing and any(address_in(ip, trust.front) for ip in border.hop.ips)
    )


def _dmarc(reading: Reading, found: _Found) -> None:
    results = [(i, c) for i, c in reading.clauses if c.method == "dmarc"]
    good: list[bool] = []
    for serv_id, clause in results:
        named = clause.all("header.from") or (clause.all("d") if reading.trust.dmarc_by_d else ())
        domains = {_domain(value) for value in named}
        mine = domains == {reading.domain}
        good.append(clause.result == "pass" and mine)
        if domains and not mine:
            reading.closed = True  # their machine read another sender than we did
            _say(
                reading,
                "header_dmarc",
                serv_id,
                clause,
                f"it is about another domain than {reading.domain}, so it is not used",
                "no",
            )
        elif clause.result == "pass" and not domains:
            _say(
                reading,
                "header_dmarc",
                serv_id,
                clause,
                "it does not say which domain it is about, so it is not used",
                "half",
            )
        elif clause.result in ("fail", "reject", "quarantine", "softfail"):
            found.failed = True
            _say(reading, "header_dmarc", serv_id, clause, "the mail fails the check that its domain asks for", "no")
        elif clause.result == "pass":
            _say(reading, "header_dmarc", serv_id, clause, _counts(reading), "yes")
        elif clause.result == "bestguesspass":
            found.guess = found.capped = True
            _say(
                reading,
                "header_dmarc",
                serv_id,
                clause,
                "a guess of the receiver: the domain publishes no rule",
                "half",
            )
        elif clause.result in ("temperror", "permerror"):
            reading.closed = True
            _say(
                reading,
                "header_dmarc",
                serv_id,
                clause,
                "the check could not be made then, and a later try may give a result",
                "half",
            )
        else:
            _say(reading, "header_dmarc", serv_id, clause, "it says nothing for or against the sender", "half")
    if good and all(good):
        found.passed, found.by = True, "dmarc"
    elif any(good):
        reading.note("results_contradict", "The results contradict each other, so the worse one counts.", "no")
        found.capped = True


def _dkim(reading: Reading, found: _Found) -> None:
    for serv_id, clause in reading.clauses:
        if clause.method != "dkim" or clause.result != "pass":
            continue
        domain = _domain(clause.one("header.d") or clause.one("header.i"))
        if domain is None:
            _say(reading, "header_dkim", serv_id, clause, "it names no domain, so it is not used", "half")
        elif not aligned(domain, reading.domain):
            _say(
                reading,
                "header_dkim",
                serv_id,
                clause,
                f"the signature is of another domain than {reading.domain}",
                "half",
            )
        else:
            _say(reading, "header_dkim", serv_id, clause, _counts(reading), "yes")
            if not found.passed and not _other_dmarc(reading):
                found.passed, found.by = True, "dkim"


def _other_dmarc(reading: Reading) -> bool:
    """Whether a dmarc result stands there that is neither a pass nor silent: then a signature alone does not
    overrule it.
    """
    return any(
        c.method == "dmarc" and c.result not in ("none", "bestguesspass", "temperror", "permerror", "pass")
        for _, c in reading.clauses
    )


def _spf(reading: Reading, found: _Found, border: Border) -> None:
    if _by_gateway(reading.trust, border):
        return  # it is about the gateway, not about the sender
    for serv_id, clause in reading.clauses:
        if clause.method != "spf" or clause.result != "pass":
            continue
        domain = _domain(clause.one("smtp.mailfrom") or clause.one("smtp.mail"))
        if domain is not None and aligned(domain, reading.domain):
            found.spf = True
            _say(
                reading,
                "header_spf",
                serv_id,
                clause,
                "the sending server is the domain's own, which alone is weak evidence",
                "half",
            )


def _compauth(reading: Reading, found: _Found) -> None:
    for serv_id, clause in reading.clauses:
        if clause.method == "compauth":
            _say(
                reading,
                "header_compauth",
                serv_id,
                clause,
                "Microsoft's own estimate, which is no evidence of a sender",
                "half",
            )
            if clause.one("reason") in ("130", "451"):
                found.capped = True
        if clause.method == "dmarc" and clause.one("action") == "oreject":
            found.capped = True


def _counts(reading: Reading) -> str:
    return (
        "it counts fully"
        if reading.strength == "strong"
        else "it counts as weak evidence, because strangers could have written it there"
    )


def _say(reading: Reading, code: str, serv_id: str, clause: Clause, why: str, weight: str) -> None:
    who = f"“{serv_id}”" if serv_id else "without an id"
    reading.note(code, f"Authentication result {reading.place}, {who}: {clause}; {why}.", weight)


def _domain(value: str) -> str | None:
    """The domain of a property: a domain, an address, `<address>`, `@domain`; with or without the root's dot."""
    text = value.strip().removeprefix("<").removesuffix(">").rpartition("@")[2]
    return normalise_domain(text, True) if text and text.lower() != "none" else None


# ---- 11: our id in another place --------------------------------------------------------------------------------------


def _elsewhere(headers: Headers, places: Sequence[int], reading: Reading, found: _Found) -> None:
    trust = reading.trust
    if trust.kind == "exchange_online":
        return  # its results have no id that anybody could pretend
    own_names = (*trust.border, *trust.relays)
    for place in places[:MAX_RESULTS]:
        parsed = parse(headers[place][1])
        if not parsed.serv_id or not trust.ours(parsed.serv_id):
            continue
        claims = isinstance(parsed, AuthResults) and any(c.result == "pass" for c in parsed.clauses)
        ours = any(
            parsed.serv_id == n.lstrip(".") or (n.startswith(".") and parsed.serv_id.endswith(n)) for n in own_names
        )
        if claims and ours and trust.kind == "own" and not found.passed:
            reading.note(
                "pretends_our_header",
                f"A header claims to be ours (“{parsed.serv_id}”) and says that the sender is genuine, "
                "in a place where we do not write. It was ignored.",
                "no",
            )
            return
        reading.note(
            "our_id_elsewhere",
            f"A header with the id “{parsed.serv_id}” stands in another place than ours; it was ignored.",
        )
        return
