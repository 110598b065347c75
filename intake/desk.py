"""The provider's side of the web, as use cases: send a form, keep a draft, find it again.

A submission is durable before anything else happens; then it is read at once, so that the reference shows on the screen. When the
reading fails, the receipt says that the form is kept: the worker takes it up, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from forms import load
from forms.schema import Answers
from intake import pipeline, receive
from intake.config import Settings
from intake.domain.clocks import marker_ends
from intake.domain.errors import IntakeError
from intake.domain.model import Arrival
from intake.domain.reference import ALPHABET
from intake.domain.web_submission import CHANNEL, WebSubmission, encode
from intake.ports import DraftStore, QueueRow

log = logging.getLogger("intake.desk")
MAILBOX = "web"
_CODE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person who sent a form is shown. `reference` is None while the form is kept and not read yet."""

    reference: str | None
    receipt: str  # sha-256 of what was kept, hex: the same for a second press of the button
    received_at: datetime
    first_contact: datetime | None = None
    marker_72h: datetime | None = None
    read_by: datetime | None = None
    held: bool = False


class Parts(pipeline.Parts, receive.Parts, Protocol):
    @property
    def settings(self) -> Settings: ...

    @property
    def secret(self) -> bytes: ...


class Desk:
    def __init__(self, parts: Parts, drafts: DraftStore) -> None:
        self._parts = parts
        self._drafts = drafts
        self.settings = parts.settings
        self.clock = parts.clock

    def submit(
        self, form_name: str, answers: Answers, token: str, as_it_is: bool = False, updates: str | None = None
    ) -> Receipt:
        """Send a form.

        form_name: KIND@EDITION. answers: canonical. token: made with the page; the same token is the same submission, so a
        button pressed twice sends once. updates: a reference that this person proved to know.
        Raises: whatever stops the durable accept; then nothing is promised, and the caller gives every word back.
        """
        submission = WebSubmission(token, form_name, answers, as_it_is, updates)
        raw = encode(submission)
        arrival = Arrival(raw, CHANNEL, MAILBOX, token, self.clock())
        (delivery,) = receive.keep(self._parts, [arrival])
        proof = hashlib.sha256(raw).hexdigest()
        try:
            done = pipeline.process(self._parts, delivery.id)
        except (IntakeError, OSError, ValueError, KeyError, RuntimeError) as error:
            # The door of the web: what was kept is safe, and the worker tries again.
            log.error("submission kept, not read", extra={"delivery": delivery.id, "error": type(error).__name__})
            return Receipt(None, proof, delivery.received_at)
        return self._receipt(done.cases, proof, delivery.received_at)

    def _receipt(self, cases: tuple[str, ...], proof: str, received_at: datetime) -> Receipt:
        row: QueueRow | None = self._parts.store.case_row(cases[0]) if cases else None
        if row is None:
            return Receipt(cases[0] if cases else None, proof, received_at)
        notice = row.kind == "breach_notice"
        return Receipt(
            reference=row.reference,
            receipt=proof,
            received_at=row.received_at,
            first_contact=row.next_due if notice else None,
            marker_72h=marker_ends(row.known_since) if notice else None,
            read_by=None if notice else row.next_due,
            held=row.status == "held",
        )

    # ---- drafts ----------------------------------------------------------------------------------------------------------

    def save_draft(self, code: str | None, form_name: str, flat: Mapping[str, object]) -> str:
        """Keep what was typed, encrypted under the code that only this person has; the code (a new one when none is given)."""
        kept = code if code and self._normal(code) else _new_code()
        content = json.dumps(flat, ensure_ascii=False).encode()
        expires = self.clock() + timedelta(days=self.settings.draft_days)
        self._drafts.save_draft(self._hash(kept), load.form(form_name).name, self._seal(kept, content), expires)
        return kept

    def draft(self, code: str) -> tuple[str, dict[str, object]] | None:
        """Form name and flat answers, or None for a code that is unknown, wrong or over."""
        if not self._normal(code):
            return None
        found = self._drafts.draft(self._hash(code), self.clock())
        if found is None:
            return None
        content = json.loads(self._open(code, found[1]))
        return found[0], content

    def drop_draft(self, code: str) -> None:
        if self._normal(code):
            self._drafts.drop_draft(self._hash(code))

    def _hash(self, code: str) -> str:
        return hmac.new(self._parts.secret, b"draft code " + self._normal(code).encode(), hashlib.sha256).hexdigest()

    def _key(self, code: str) -> bytes:
        return hmac.new(self._parts.secret, b"draft key " + self._normal(code).encode(), hashlib.sha256).digest()

    def _seal(self, code: str, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return nonce + AESGCM(self._key(code)).encrypt(nonce, content, b"draft")

    def _open(self, code: str, cipher: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key(code)).decrypt(cipher[:12], cipher[12:], b"draft")

    @staticmethod
    def _normal(code: str) -> str:
        """Any case, O for 0, I and L for 1, dashes and blanks ignored; "" when it is no code."""
        plain = "".join(code.upper().split()).replace("-", "").translate(str.maketrans("OIL", "011"))
        return plain if len(plain) == _CODE_DIGITS and all(c in ALPHABET for c in plain) else ""


def _new_code() -> str:
    digits = "".join(secrets.choice(ALPHABET) for _ in range(_CODE_DIGITS))
    return f"{digits[:4]}-{digits[4:]}"
