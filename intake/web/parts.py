"""What the pages need of the house. `intake.wiring` gives it; nothing here chooses an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from intake.config import Settings
from intake.domain.domain_records import DomainRecords
from intake.domain.health import Health as Health
from intake.domain.registry import Registry
from intake.mail_text import Composer
from intake.ports import (
    Blobs,
    Clock,
    Delivery,
    DocumentReading,
    Doorbell,
    OperatorStore,
    RegistryStore,
    StaffStore,
    TriageStore,
)


class WebStore(TriageStore, StaffStore, RegistryStore, OperatorStore, Protocol):
    """The database as the staff pages see it."""

    def delivery(self, delivery_id: int) -> Delivery: ...


class Register(Protocol):
    """The register arranged for questions."""

    def registry(self) -> Registry: ...


class Parts(Protocol):
    """Everything that `create_app` is given."""

    @property
    def store(self) -> WebStore: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def documents(self) -> DocumentReading: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def secret(self) -> bytes:
        """32 bytes or more; keys are derived from it, it is never used as it is."""
        ...

    @property
    def composer(self) -> Composer: ...

    @property
    def doorbell(self) -> Doorbell: ...

    @property
    def desk(self) -> Any:
        """What `intake.web.provider.blueprint` takes."""
        ...

    @property
    def lookups(self) -> Register: ...

    @property
    def own_domains(self) -> tuple[str, ...]: ...

    def domain_records(self, domain: str) -> DomainRecords:
        """What a domain's DNS says about its mail. Never raises; takes seconds when nobody answers."""
        ...

    def health(self) -> Sequence[Health]:
        """What `doctor` finds, worst first. Never raises."""
        ...

    def demo_choices(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """What the demo page offers: (code, label) of each of `sender`, `form` and `attachment`. Empty outside the demo."""
        ...

    def send_demo_mail(self, sender: str, form: str, attachment: str) -> str:
        """Put one invented mail into the demo mailbox and return its subject. ValueError for a choice that there is not."""
        ...
