"""The Received lines of our own side, read from the top: which one did our outermost machine write for the outside
client?

That one is the border line. Everything below it was written by strangers, whatever it says (docs/sender-check.md).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from intake.domain.authres import comment_end
from intake.domain.mime import Headers
from intake.domain.words import unfold

MAX_RECEIVED = 100
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9a-fA-F:.]{3,45})\]")
_REVERSE = re.compile(r"([A-Za-z0-9._-]{1,253})\s*\[")
_GREETED = re.compile(r"(?<!\S)(helo|ident)=.*")  # what Exim notes of the client's own words, behind the address
_QMAIL = re.compile(r"\s*\(qmail \d+ invoked (?:from network|by uid \d+|by alias)\)")


@dataclass(frozen=True, slots=True)
class Hop:
    """One Received line. `by` is the host that wrote it, "(qmail)" for qmail's line without one, "" when it cannot
    be read.

    `ips` and `names` are every address and reverse name in the part about the client, also those that the client
    chose itself: a line counts as "from inside" only when all of them are ours. `witnessed` tells whether our
    machine noted an address.
    """

    by: str
    ips: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    witnessed: bool = False
    client: bool = False  # the line names a client at all
    address: str = ""  # the one address that our machine noted of the client; "" unless nothing else can be meant
    helo: str = ""  # what the client called itself: a claim


def parse_hop(value: bytes) -> Hop:
    """A Received value. The host names that a stranger can choose (HELO, comments) never count as `by`."""
    flat = unfold(value[:4_096]).decode("utf-8", "replace")
    if _QMAIL.match(flat):
        return Hop("(qmail)")
    bare, comments = _comments(flat)
    words = bare.partition(";")[0].split()
    place = 2 if words and words[0].lower() == "from" else 0
    if len(words) < place + 2 or [word.lower() for word in words].count("by") != 1 or words[place].lower() != "by":
        return Hop("")  # a second "by" is a greeting with blanks in it
    by = words[place + 1].lower().rstrip(".")
    if not place:
        return Hop(by)
    noted = [ip for text in comments for ip in _addresses(_GREETED.split(text, maxsplit=1)[0])]
    claimed = [words[1], *(found[0] for found in map(_GREETED.search, comments) if found)]
    said = [ip for ip in (_ip(found) for text in claimed for found in _LITERAL.findall(text)) if ip]
    names = [name.lower() for text in comments for name in _REVERSE.findall(text)]
    plain = len(set(noted)) == 1 and "(" not in flat.split()[1]  # else the greeting may hold what looks like a note
    address = noted[0] if plain else ""
    return Hop(by, tuple(noted + said), tuple(names), bool(noted), True, address, _helo(words[1], comments))


def _helo(word: str, comments: Sequence[str]) -> str:
    found = _GREETED.search(comments[0]) if comments else None
    greeting = found[0].split()[0].partition("=")[2] if found and found[1] == "helo" else word
    return greeting[:253].lower().rstrip(".")


def _addresses(comment: str) -> list[str]:
    whole = _ip(comment.strip())
    return [whole] if whole else [ip for ip in (_ip(found) for found in _LITERAL.findall(comment)) if ip]


def _comments(text: str) -> tuple[str, list[str]]:
    """The text without its comments, and the comments before the first "by" outside of them; ("", []) when out of
    shape.
    """
    out: list[str] = []
    comments: list[str] = []
    at, past_by = 0, False
    while at < len(text):
        start = text.find("(", at)
        end = len(text) if start < 0 else start
        piece = text[at:end]
        if ")" in piece:
            return "", []  # a bracket that nothing opened: somebody closed a comment early
        past_by = past_by or " by " in f" {piece} "
        out.append(piece)
        if start < 0:
            break
        at = comment_end(text, start)
        if at < 0:
            return "", []
        if not past_by:
            comments.append(text[start + 1 : at - 1])
        out.append(" ")
    return "".join(out), comments


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def host_matches(host: str, patterns: Sequence[str]) -> bool:
    """Whether a by-host is one of `patterns`: a name, `.suffix`, `ipv6` for an address of that kind, `qmail` for its
    line.
    """
    for pattern in patterns:
        if pattern == "qmail":
            if host == "(qmail)":
                return True
        elif pattern == "ipv6":
            if ":" in host and _ip(host.strip("[]")):
                return True
        elif host == pattern or (pattern.startswith(".") and host.endswith(pattern)):
            return True
    return False


def address_in(ip: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of some networks ("192.0.2.0/24"); names among them are passed over."""
    if not ip:
        return False
    address = ipaddress.ip_address(ip)
    for text in networks:
        if "/" not in text and not _ip(text):
            continue
        network = ipaddress.ip_network(text, strict=False)
        if network.version == address.version and address in network:
            return True
    return False


def inside(hop: Hop, own: Sequence[str]) -> bool:
    """Whether the client of a line is a machine of ours: the same machine, or one of `own` (networks, names,
    `.suffixes`).
    """
    if not hop.witnessed:
        return False
    if all(ipaddress.ip_address(ip).is_loopback or address_in(ip, own) for ip in hop.ips):
        return True
    names = [pattern for pattern in own if "/" not in pattern]
    return bool(hop.names) and all(host_matches(name, names) for name in hop.names)


@dataclass(frozen=True, slots=True)
class Border:
    """Where the outside begins. `place` is the border line's index among the headers, None when it was not found."""

    place: int | None
    hop: Hop | None
    lines: int  # Received lines that were read
    all_ours: bool  # every line was written by a machine of ours
    all_inside: bool  # and for a client of ours: the mail never was outside
    why: str = ""  # why no border was found, else ""


def find_border(headers: Headers, relays: Sequence[str], border: Sequence[str], own: Sequence[str]) -> Border:
    """Walk the Received lines from the top to the first one that our border wrote for an outside client (step 4)."""
    lines, only_inside = 0, True

    def none(why: str, ours: bool = False) -> Border:
        return Border(None, None, lines, ours, ours and only_inside, why)

    for place, (name, value) in enumerate(headers):
        if name.lower() != "received":
            continue
        lines += 1
        if lines > MAX_RECEIVED:
            return none("there are more than 100 Received lines")
        hop = parse_hop(value)
        if not hop.by:
            return none("a Received line above the border cannot be read")
        from_inside = not hop.client or inside(hop, own)
        at_border = host_matches(hop.by, border)
        if at_border and not from_inside:
            return Border(place, hop, lines, False, False)
        if not at_border and not host_matches(hop.by, relays):
            return none(f"the Received line of “{hop.by[:80]}” is not one of ours")
        only_inside = only_inside and from_inside
    return none("every Received line is our own", True) if lines else none("there is no Received line")


# ---- who handed the mail to our border --------------------------------------------------------------------------------

_INSIDE_NETWORKS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)
_PATH = re.compile(r"<([^<>\s]{0,320})>")


@dataclass(frozen=True, slots=True)
class Client:
    """What our own side noted of the machine that handed a mail in: its address, its greeting, and MAIL FROM ("" for <>)."""

    ip: str
    helo: str
    mail_from: str


def client_of(headers: Headers, border: Border, front: Sequence[str] = ()) -> Client | str:
    """The client at the border line and the MAIL FROM that our delivering machine wrote above it, or why it is not known.

    Args: front: networks of a gateway that hands in other people's mail; its address says nothing about a sender.
    """
    if border.place is None or border.hop is None:
        return border.why
    if not border.hop.address:
        return "the line of our outermost server does not say plainly which machine handed it in"
    address = ipaddress.ip_address(border.hop.address)
    ip = str(getattr(address, "ipv4_mapped", None) or address)
    if address_in(ip, _INSIDE_NETWORKS) or address_in(ip, front):
        return f"{ip} handed it in, which is a machine on the way and not the sender's"
    paths = [value for name, value in headers[: border.place] if name.lower() == "return-path"]
    found = _PATH.fullmatch(unfold(paths[0]).decode("utf-8", "replace").strip()) if len(paths) == 1 else None
    if found is None:
        return "our server noted no return address (MAIL FROM)" if not paths else "its return address is not plain"
    return Client(ip, border.hop.helo, found[1])
