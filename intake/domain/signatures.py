"""DKIM signatures as we checked them ourselves: values only, so that the sender check stays a pure function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. `result` is pass, fail, refused (right, and not good enough), later (no answer from DNS), or
    skipped.
    """

    domain: str  # A-labels, lower case; "" when it cannot be read
    selector: str
    result: str
    aligned: bool  # of the same registrable domain as From
    problems: tuple[str, ...] = ()  # sentences
    covers_shape: bool = False  # Content-Type is signed, which says how the body is divided


@dataclass(frozen=True, slots=True)
class DkimResult:
    """All signatures of one mail, from the top, at most five of them looked at."""

    signatures: tuple[Signature, ...] = ()
    odd_shape: bool = False  # there is text before the first part, or the whole body is one file

    @property
    def reshaped(self) -> bool:
        """Whether somebody may have made parts and files out of signed text: they need only change an unsigned Content-Type, and
        a gateway finds the signature as good as we do."""
        own = [s for s in self.signatures if s.aligned]
        return self.odd_shape and bool(own) and not any(s.covers_shape and s.result in ("pass", "later") for s in own)

    @property
    def passed(self) -> bool:
        """An aligned signature holds."""
        return any(s.aligned and s.result == "pass" for s in self.signatures)

    @property
    def broken(self) -> bool:
        """An aligned signature is there and does not hold: the mail was changed, or the signature is made up."""
        return any(s.aligned and s.result == "fail" for s in self.signatures)

    @property
    def later(self) -> bool:
        """An aligned signature could not be checked now; a later try may succeed."""
        return not self.passed and any(s.aligned and s.result == "later" for s in self.signatures)
