"""Whose word about a sender we take, configured per mailbox: the table `[mailboxes.NAME.trust]` of the settings.

The default takes nobody's: then only a DKIM signature that we checked ourselves counts. docs/sender-check.md has an
example a receiver.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from intake.domain.address import registrable
from intake.domain.errors import Misconfigured

KINDS = ("none", "own", "gateway", "exchange_online")
STAMPS = ("above", "below", "end")
_KEYS = frozenset(
    (
        "kind",
        "ids",
        "border",
        "relays",
        "inside",
        "stamp",
        "strips",
        "front",
        "skip_listing",
        "profile",
        "dmarc_by_d",
        "bare_elements",
    )
)


@dataclass(frozen=True, slots=True)
class Trust:
    """The table, read. Patterns and ids are in lower case. `shorthand` is true when only ids were given: weak
    evidence only.
    """

    kind: str = "none"
    ids: tuple[str, ...] = ()  # exact, or ".suffix"
    border: tuple[str, ...] = ()  # by-hosts of our outermost machines
    relays: tuple[str, ...] = ()  # by-hosts further inside
    inside: tuple[str, ...] = ()  # clients of ours: networks or names
    stamp: str = "above"  # where our machine writes its results, seen from the border line
    strips: str = "no"  # "no", or the date on which a probe proved that forged results are removed
    front: tuple[str, ...] = ()  # networks of a gateway before Exchange Online
    skip_listing: bool = False  # Exchange Online looks through that gateway ("enhanced filtering")
    dmarc_by_d: bool = False  # this receiver writes dmarc=pass d=DOMAIN instead of header.from (Cisco ESA)
    bare_elements: bool = False  # tolerate elements that are no result (old Exchange Online)
    shorthand: bool = False

    @property
    def proven(self) -> bool:
        return self.strips != "no"

    def ours(self, serv_id: str) -> bool:
        return any(serv_id == i or (i.startswith(".") and serv_id.endswith(i)) for i in self.ids)


NOBODY = Trust()


def trust_from_settings(table: Mapping[str, object]) -> Trust:
    """The trust table of one mailbox. An empty one trusts nobody.

    Raises: Misconfigured, with a sentence that names the key and says what to write.
    """
    merged: dict[str, object] = {**_profile(table.get("profile", "")), **table}
    unknown = sorted(set(merged) - _KEYS)
    if unknown:
        raise Misconfigured(
            f"The trust table has a key “{unknown[0]}” that means nothing. Known are: {', '.join(sorted(_KEYS))}."
        )
    kind = str(merged.get("kind", "none"))
    if kind not in KINDS:
        raise Misconfigured(f"trust.kind is “{kind}”. Write one of: {', '.join(KINDS)}.")
    stamp = str(merged.get("stamp", "above"))
    if stamp not in STAMPS:
        raise Misconfigured(f"trust.stamp is “{stamp}”. Write one of: {', '.join(STAMPS)}.")
    trust = Trust(
        kind=kind,
        ids=_words(merged, "ids"),
        border=_words(merged, "border"),
        relays=_words(merged, "relays"),
        inside=_words(merged, "inside"),
        stamp=stamp,
        strips=_date_of_proof(merged.get("strips", "no")),
        front=_words(merged, "front"),
        skip_listing=_flag(merged, "skip_listing"),
        dmarc_by_d=_flag(merged, "dmarc_by_d"),
        bare_elements=_flag(merged, "bare_elements"),
    )
    return _complete(trust)


def _complete(trust: Trust) -> Trust:
    _networks(trust.front, "front")
    _networks([word for word in trust.inside if "/" in word], "inside")
    if trust.kind == "exchange_online":
        exchange = trust_profile("exchange_online")
        return replace(
            trust,
            border=trust.border or exchange.border,
            relays=trust.relays or exchange.relays,
            stamp="above",
            bare_elements=True,
        )
    if trust.kind in ("own", "gateway"):
        if not trust.ids:
            raise Misconfigured(
                f"trust.kind is “{trust.kind}” and trust.ids is empty. Write the id that your server stamps."
            )
        if not trust.border:
            raise Misconfigured(
                "trust.border is empty. Write the name that your outermost mail server puts after “by” "
                "in its Received line."
            )
    return trust


def _networks(words: Sequence[str], key: str) -> None:
    for word in words:
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError:
            raise Misconfigured(f"trust.{key} holds “{word}”, which is not a network such as 192.0.2.0/24.") from None


def _words(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, ())
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise Misconfigured(f"trust.{key} must be a list of words.")
    return tuple(word.strip().lower().removeprefix("*") for word in words if word.strip())


def _flag(table: Mapping[str, object], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise Misconfigured(f"trust.{key} is “{str(value)[:40]}”. Write true or false, without quotes.")
    return value


def _date_of_proof(value: object) -> str:
    text = str(value).strip().lower()
    if text in ("no", "false", ""):
        return "no"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    raise Misconfigured(
        f"trust.strips is “{text[:40]}”. Write no, or the date (YYYY-MM-DD) on which a probe proved "
        "that forged results are removed."
    )


def shorthand(ids: Sequence[str]) -> Trust:
    """What INTAKE_TRUSTED_AUTHSERV_IDS stands for: results with these ids, at the top of the mail, as weak evidence
    only.
    """
    cleaned = tuple(i.strip().lower() for i in ids if i.strip())
    if not cleaned:
        return NOBODY
    hosts = set(cleaned)
    for name in cleaned:
        owner = registrable(name.lstrip("."))
        if owner:
            hosts |= {owner, "." + owner}
    return Trust(kind="own", ids=cleaned, border=tuple(sorted(hosts)), shorthand=True)


# ---- profiles of common receivers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Profiles:
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@cache
def _profiles() -> _Profiles:
    path = Path(__file__).parent / "lists" / "receivers.toml"
    return _Profiles(tomllib.loads(path.read_text(encoding="utf-8")))


def _profile(name: object) -> Mapping[str, object]:
    if not name:
        return {}
    tables = _profiles().tables
    if name not in tables:
        raise Misconfigured(f"trust.profile is “{name}”. Known are: {', '.join(sorted(tables))}.")
    return tables[str(name)]


@cache
def trust_profile(name: str) -> Trust:
    """A receiver's profile as it stands.

    Raises: Misconfigured for an unknown name, or for a profile that needs the site's own ids first.
    """
    table = _profile(name)
    plain = {key: value for key, value in table.items() if key != "kind"}
    built = trust_from_settings(plain)
    return replace(built, kind=str(table.get("kind", "none")))
