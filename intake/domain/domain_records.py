"""What a domain's DNS says about its mail, as it was found: values for `domain_report`, made by an adapter."""

from __future__ import annotations

from dataclasses import dataclass

from intake.domain.dmarc import Walk


@dataclass(frozen=True, slots=True)
class DomainRecords:
    """Records of one domain. Each is None when DNS gave no answer, which is not the same as "there is none"."""

    domain: str  # A-labels in lower case
    mx: tuple[str, ...] | None  # names of machines; "" or "." alone says that it takes no mail (RFC 7505)
    addresses: tuple[str, ...] | None  # of the domain itself; with no MX, mail goes there (RFC 5321 5.1)
    txt: tuple[str, ...] | None
    dmarc: Walk | None  # valid records, from the domain upwards
    dmarc_text: tuple[str, ...] | None  # TXT at _dmarc. of the domain itself, sound or not
    dkim: tuple[str, ...] | None  # the common selectors under which a key stands
    token: tuple[str, ...] | None  # TXT at _provider-intake. of the domain

    @property
    def silent(self) -> bool:
        """Whether nothing at all could be asked."""
        return self.mx is None and self.txt is None and self.dmarc is None
