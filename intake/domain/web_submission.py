"""A form sent by web, as bytes that are kept and read by the same pipeline as a mail.

One JSON object: `{"submission": ID, "form": "breach-notice@2026.1", "answers": {...}, "sent_as_it_is": bool, "updates": REF|null}`.
The web form has no account, so nobody vouches for the sender: the check says so in words, and a breach notice opens all the same.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from forms.schema import Answers
from intake.domain.errors import CannotRead
from intake.domain.model import Evidence, Provider, SenderCheck, VerdictCode

CHANNEL = "web"
_NAMES = {"breach-notice": "A01", "it-self-assessment": "ORG"}


@dataclass(frozen=True, slots=True)
class WebSubmission:
    id: str
    form: str  # KIND@EDITION
    answers: Answers  # canonical
    sent_as_it_is: bool = False
    updates: str | None = None


def encode(submission: WebSubmission) -> bytes:
    return json.dumps(
        {
            "submission": submission.id,
            "form": submission.form,
            "answers": submission.answers,
            "sent_as_it_is": submission.sent_as_it_is,
            "updates": submission.updates,
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()


def decode(raw: bytes) -> WebSubmission:
    """The inverse of `encode`.

    Raises: CannotRead when the bytes are not such a submission (they were written by us, so this is a broken disk or a bug).
    """
    try:
        table = json.loads(raw)
        return WebSubmission(
            str(table["submission"]),
            str(table["form"]),
            dict(table["answers"]),
            bool(table.get("sent_as_it_is")),
            table.get("updates"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRead("A kept web submission is not what we wrote.") from error


def organisation(kind: str, answers: Answers) -> str:
    """The organisation that the form names, as typed; "" when it does not."""
    value = answers.get(_NAMES.get(kind, ""))
    return value if isinstance(value, str) else ""


def check_web_sender(named: str, providers: Sequence[Provider]) -> SenderCheck:
    """Who sent a web form: nobody vouches for it. A provider that it names is suggested, never settled."""
    same = tuple(p for p in providers if named and _fold(p.name) == _fold(named))
    evidence = [Evidence("web_form", "It came by the web form, which needs no account.", "half")]
    if not same:
        evidence.append(
            Evidence("no_provider_named", "The organisation on the form is not one that we have in the register.", "no")
            if named
            else Evidence("no_provider_named", "The form names no organisation.", "no")
        )
        return SenderCheck(
            VerdictCode.UNKNOWN_UNVERIFIED,
            None,
            None,
            None,
            "Sent by web form, and nobody vouches for who sent it.",
            tuple(evidence),
        )
    evidence.append(Evidence("named_on_form", f"The form names {same[0].name}, which is in our register.", "half"))
    evidence.append(Evidence("call_back", "Call back on the number in the register, not the one on the form.", "half"))
    return SenderCheck(
        VerdictCode.UNAUTHENTICATED,
        None,
        None,
        None,
        f"The web form names {same[0].name}, and nobody vouches for it yet.",
        tuple(evidence),
        tuple(p.slug for p in same),
    )


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())
