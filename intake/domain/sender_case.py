"""The mail under check: what is known of its sender, and the evidence as it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from intake.domain.model import Evidence, SenderCheck, VerdictCode
from intake.domain.registry import Registry, is_own


@dataclass(slots=True)
class Case:
    """The mail under check, and what has been found out so far."""

    address: str
    domain: str
    display: str
    reply_to: str | None
    registry: Registry
    today: date
    own: tuple[str, ...]
    standing: str = "none"  # pass, weak, none, fail: how far the From domain is proven
    internal: bool = False
    evidence: list[Evidence] = field(default_factory=list)
    proof: int = 0  # how many of them are about the standing

    @property
    def domain_is_ours(self) -> bool:
        return is_own(self.domain, self.own)

    def note(self, code: str, text: str, weight: str = "half") -> None:
        self.evidence.append(Evidence(code, text, weight))

    def names(self, slugs: Sequence[str]) -> str:
        """The providers' names, for a sentence."""
        names = [self.registry.name(slug) for slug in slugs[:4]]
        return " or ".join(names) if names else "a provider"

    def verdict(
        self, verdict: VerdictCode, reason: str, provider: str | None = None, suggested: Sequence[str] = ()
    ) -> SenderCheck:
        """The result, with all evidence noted so far."""
        return SenderCheck(
            verdict,
            self.address,
            self.domain,
            provider,
            reason,
            tuple(self.evidence),
            tuple(suggested),
            standing=self.standing,
            proof=self.proof,
        )
