"""What the provider's pages need of the house: `intake.desk.Desk` is one, a test may bring another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from forms.schema import Answers
from intake.config import Settings


class Receipt(Protocol):
    """What the person who sent a form is shown. `reference` is None while the form is kept and not read yet."""

    @property
    def reference(self) -> str | None: ...
    @property
    def receipt(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def first_contact(self) -> datetime | None: ...
    @property
    def marker_72h(self) -> datetime | None: ...
    @property
    def read_by(self) -> datetime | None: ...
    @property
    def held(self) -> bool: ...


class Desk(Protocol):
    @property
    def settings(self) -> Settings: ...

    def clock(self) -> datetime: ...

    def submit(
        self, form_name: str, answers: Answers, token: str, as_it_is: bool = False, updates: str | None = None
    ) -> Receipt:
        """Send a form. The same token is the same submission. Raises when it could not be kept."""
        ...

    def save_draft(self, code: str | None, form_name: str, flat: Mapping[str, object]) -> str:
        """Keep what was typed under the code; the code."""
        ...

    def draft(self, code: str) -> tuple[str, dict[str, object]] | None:
        """Form name and what was typed; None for a code that is unknown, wrong or over."""
        ...

    def drop_draft(self, code: str) -> None: ...
