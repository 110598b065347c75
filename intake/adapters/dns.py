"""Questions to DNS: from a zone file (tests, demo, closed sites) or from the network, never for long.

A look-up that does not answer raises TryLater; the sender check then says "could not be checked now" and the mail
goes on its way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from intake.domain.address import registrable
from intake.domain.errors import Misconfigured, TryLater


class Dns(Protocol):
    """Records of one name; an empty tuple when there are none.

    Raises: TryLater when no answer could be had.
    """

    def txt(self, name: str) -> tuple[str, ...]: ...

    def mx(self, name: str) -> tuple[str, ...]: ...

    def a(self, name: str) -> tuple[str, ...]: ...

    def aaaa(self, name: str) -> tuple[str, ...]: ...

    def ptr(self, name: str) -> tuple[str, ...]: ...


class DnsZoneFile:
    """A JSON zone: `{"name": {"TXT": [..], "MX": [..], "A": [..]}}`. What it does not name does not exist.

    A record that DNS would hold in several strings may be a list of them: `{"TXT": [["v=spf1 ", "-all"]]}`.

    Raises: Misconfigured when the file is not such a zone.
    """

    def __init__(self, path: Path | str) -> None:
        try:
            table = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Misconfigured(f"INTAKE_DNS_FILE {path} cannot be read as JSON: {error}.") from error
        self._zone = _zone(table, str(path))

    def txt(self, name: str) -> tuple[str, ...]:
        return self._records(name, "TXT")

    def mx(self, name: str) -> tuple[str, ...]:
        return self._records(name, "MX")

    def a(self, name: str) -> tuple[str, ...]:
        return self._records(name, "A")

    def aaaa(self, name: str) -> tuple[str, ...]:
        return self._records(name, "AAAA")

    def ptr(self, name: str) -> tuple[str, ...]:
        return self._records(name, "PTR")

    def _records(self, name: str, kind: str) -> tuple[str, ...]:
        return self._zone.get(name.rstrip(".").lower(), {}).get(kind, ())


def _zone(table: object, path: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    if not isinstance(table, dict):
        raise Misconfigured(f"INTAKE_DNS_FILE {path} must be an object of names.")
    zone: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, records in table.items():
        if not isinstance(records, dict):
            raise Misconfigured(f"INTAKE_DNS_FILE {path}: “{name}” must be an object of record kinds.")
        zone[str(name).rstrip(".").lower()] = {
            str(kind).upper(): tuple(_record(v) for v in (values if isinstance(values, list) else [values]))
            for kind, values in records.items()
        }
    return zone


def _record(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


class DnsForOneMail:
    """The questions of one mail: each is asked once, and all together have an end in number and in time.

    Who sends a mail chooses names that we ask for, and may let each of them answer slowly.
    """

    SECONDS = 6.0
    QUESTIONS = 80  # SPF alone may need 10 hosts of 10 mail exchangers' names; nobody honest comes near

    def __init__(self, dns: Dns, clock: Callable[[], float] = time.monotonic) -> None:
        self._dns, self._clock = dns, clock
        self._end = clock() + self.SECONDS
        self._known: dict[tuple[str, str], tuple[str, ...] | TryLater] = {}

    def txt(self, name: str) -> tuple[str, ...]:
        return self._once(self._dns.txt, "TXT", name)

    def mx(self, name: str) -> tuple[str, ...]:
        return self._once(self._dns.mx, "MX", name)

    def a(self, name: str) -> tuple[str, ...]:
        return self._once(self._dns.a, "A", name)

    def aaaa(self, name: str) -> tuple[str, ...]:
        return self._once(self._dns.aaaa, "AAAA", name)

    def ptr(self, name: str) -> tuple[str, ...]:
        return self._once(self._dns.ptr, "PTR", name)

    def _once(self, ask: Callable[[str], tuple[str, ...]], kind: str, name: str) -> tuple[str, ...]:
        key = (kind, name.rstrip(".").lower())
        if key not in self._known:
            if len(self._known) >= self.QUESTIONS or self._clock() > self._end:
                raise TryLater("The sender's name servers need too many questions or too long.")
            try:
                self._known[key] = ask(key[1])
            except TryLater as later:
                self._known[key] = later
        answer = self._known[key]
        if isinstance(answer, TryLater):
            raise answer
        return answer


class DnsNetwork:
    """The resolver of this machine. 2 seconds a question; after 5 failures in a row nothing is asked for a minute.

    So a dead resolver costs a mail ten seconds once, not two seconds a mail for ever. Before it is left alone it is asked
    who serves the root, which it knows by heart: a sender's dead name servers must not stop the checks of all others. They
    are left alone themselves after 2 failures, so that a flood of mails in their name keeps nobody waiting.
    """

    SECONDS = 2.0
    FAILURES = 5
    FAILURES_OF_ONE = 2
    REMEMBERED = 1_000  # organisations
    PAUSE = 60.0

    def __init__(
        self, nameservers: Sequence[str] = (), clock: Callable[[], float] = time.monotonic, port: int = 53
    ) -> None:
        self._nameservers, self._clock, self._port = tuple(nameservers), clock, port
        self._failures = 0
        self._closed_until = 0.0
        self._silent: dict[str, tuple[int, float]] = {}  # organisation -> failures in a row, left alone until

    def txt(self, name: str) -> tuple[str, ...]:
        return self._ask(name, "TXT")

    def mx(self, name: str) -> tuple[str, ...]:
        return self._ask(name, "MX")

    def a(self, name: str) -> tuple[str, ...]:
        return self._ask(name, "A")

    def aaaa(self, name: str) -> tuple[str, ...]:
        return self._ask(name, "AAAA")

    def ptr(self, name: str) -> tuple[str, ...]:
        return self._ask(name, "PTR")

    def _ask(self, name: str, kind: str) -> tuple[str, ...]:
        if self._failures >= self.FAILURES and self._clock() < self._closed_until:
            raise TryLater("DNS did not answer several times, so it is left alone for a minute.", self.PAUSE)
        owner = registrable(name.rstrip(".").lower()) or name
        failed, until = self._silent.get(owner, (0, 0.0))
        if failed >= self.FAILURES_OF_ONE and self._clock() < until:
            raise TryLater(
                "The domain's name servers did not answer twice, so they are left alone for a minute.", self.PAUSE
            )
        try:
            answer = self._resolve(name.rstrip("."), kind)
        except TryLater:
            self._note_failure(owner, failed + 1)
            raise
        self._failures = 0
        self._silent.pop(owner, None)
        return answer

    def _note_failure(self, owner: str, failed: int) -> None:
        self._failures += 1
        if self._failures >= self.FAILURES and self._alive():
            self._failures = 0
        self._closed_until = self._clock() + self.PAUSE
        if len(self._silent) >= self.REMEMBERED:
            self._silent.clear()
        self._silent[owner] = (failed, self._closed_until)

    def _alive(self) -> bool:
        try:
            return bool(self._resolve(".", "NS"))
        except TryLater:
            return False

    def _resolve(self, name: str, kind: str) -> tuple[str, ...]:
        import dns.exception  # heavy; a site with a zone file never needs it
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.nameservers = list(self._nameservers)
                resolver.port = self._port
            resolver.lifetime, resolver.timeout = self.SECONDS, self.SECONDS / 2  # a packet that is lost is sent again
            answer = resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise TryLater("DNS did not answer in time.", self.PAUSE) from error
        return tuple(_text(record) for record in answer)


def _text(record: object) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    target = getattr(record, "exchange", None) or getattr(record, "target", None)
    return str(record if target is None else target).rstrip(".").lower()
