"""What we found out about a sender ourselves, from the bytes as kept: values only, so that the sender check stays pure."""

from __future__ import annotations

from dataclasses import dataclass

from intake.domain.signatures import DkimResult


@dataclass(frozen=True, slots=True)
class SpfResult:
    """Whether the machine that handed the mail in may send for the domain of its return address (RFC 7208).

    `result` is one of RFC 7208 2.6 (pass, fail, softfail, neutral, none, permerror, temperror), or "other" when the domain is
    of another organisation than From (nothing was asked), or "unknown" when our side did not note who handed it in.
    """

    result: str
    domain: str = ""  # A-labels: of MAIL FROM, or of the greeting when MAIL FROM is empty
    ip: str = ""
    why: str = ""  # for unknown: a clause that says why

    @property
    def known(self) -> bool:
        """It says for certain whether SPF speaks for the From domain."""
        return self.result not in ("unknown", "temperror")


@dataclass(frozen=True, slots=True)
class DmarcResult:
    """What the From domain asks of its mail (RFC 9989), and whether this one keeps to it.

    `result` is pass, fail, none (no rule is published), later (DNS gave no answer), or open (a rule stands and we cannot tell,
    because nothing says whether SPF passes).
    """

    result: str
    place: str = ""  # the domain whose record counts
    policy: str = ""  # what that record asks for: none, quarantine, reject
    testing: bool = False  # t=y: the domain asks to be lenient for now
    by: tuple[str, ...] = ()  # of a pass: "dkim", "spf"
    strict: bool = False  # a name of the same organisation signed it, and the rule takes only another one


@dataclass(frozen=True, slots=True)
class OwnChecks:
    """All of it, for one mail. A part is None when it was not looked at because nothing could come of it."""

    dkim: DkimResult | None = None
    spf: SpfResult | None = None
    dmarc: DmarcResult | None = None

    @property
    def later(self) -> bool:
        """Something was not answered now that may decide: the same bytes may give more when they are checked again."""
        return (
            (self.dkim is not None and self.dkim.later)
            or (self.spf is not None and self.spf.result == "temperror")
            or (self.dmarc is not None and self.dmarc.result == "later")
        )

    @property
    def failed(self) -> bool:
        """The From domain has a rule, we could look at all that it counts, and none of it passes."""
        return self.dmarc is not None and self.dmarc.result == "fail"

    @property
    def spf_passed(self) -> bool:
        """SPF passes for the From domain's organisation: weak evidence, because many senders share a machine."""
        return self.spf is not None and self.spf.result == "pass"


NOT_LOOKED_AT = OwnChecks()
