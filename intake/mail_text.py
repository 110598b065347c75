"""Every mail that leaves, composed from `templates/mail`.

No byte that a stranger submitted can get in: a composer takes references, instants, due times, question ids of our own forms
and settings, and nothing else. The one text of a person is that of a member of staff. Headers are fixed words; a Message-ID
that is answered is taken only when it has the plain shape of one, because a header built from input is how mails are hijacked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forms.load import form as load_form
from intake.domain import nz_words
from intake.domain.model import CaseKind, Due
from intake.ports import NewMail

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

# What `templates/mail` holds for an acknowledgement; `routing.acknowledge` chooses by the sender's verdict.
ACKNOWLEDGEMENTS = tuple(f"acknowledgement_{manner}" for manner in ("full", "plain", "neutral", "advice", "staff"))
_SAYS_NOT_WHAT = ("acknowledgement_neutral", "acknowledgement_advice")

WHAT = {
    CaseKind.BREACH_NOTICE: "privacy-breach notice",
    CaseKind.SELF_ASSESSMENT: "IT self-assessment",
    CaseKind.OTHER: "message",
}

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,120}@[A-Za-z0-9.-]{1,120}>")
_LANGUAGES = ("Content-Language", "en-NZ, mi")
_AUTOMATIC = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), _LANGUAGES)
_BY_MACHINE = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"), ("Importance", "high"))
_WRITTEN_BY_A_PERSON = (_LANGUAGES,)


class MailSettings(Protocol):
    """The settings that a mail may state."""

    @property
    def values(self) -> Mapping[str, str | int | bool]: ...


class Composer:
    """Writes mails. `settings` gives the name of the Ministry, its phones and its address on the web."""

    def __init__(self, settings: MailSettings) -> None:
        stated = ("ministry", "phone", "phone_overseas", "base_url", "link_minutes")
        self._settings: Mapping[str, Any] = {name: settings.values[name] for name in stated}

    def acknowledgement(
        self,
        *,
        template: str,
        dedupe: str,
        to: str,
        reference: str,
        kind: CaseKind,
        received_at: datetime,
        due: Due,
        in_reply_to: str = "",
    ) -> NewMail:
        """That we have it, and what happens next. KeyError for a template that is not one of ACKNOWLEDGEMENTS."""
        if template not in ACKNOWLEDGEMENTS:
            raise KeyError(template)
        values = {
            "reference": reference,
            "kind": kind.value,
            "what": WHAT[kind],
            "received": nz_words.full(received_at),
            "contact_by": _by(due.first_contact, received_at),
            "read_by": _by(due.read_by, received_at),
        }
        what = "message" if template in _SAYS_NOT_WHAT else WHAT[kind]
        subject = f"We have your {what} {reference}"
        return self._mail(template, dedupe, to, subject, values, (*_AUTOMATIC, *_answering(in_reply_to)))

    def ask_for_more(
        self,
        *,
        dedupe: str,
        to: str,
        reference: str,
        form: str,
        questions: Sequence[str],
        answer_by: datetime,
        now: datetime,
    ) -> NewMail:
        """Open questions in the form's own words.

        questions: ids of the form `KIND@EDITION`; KeyError for one that it does not have.
        """
        edition = load_form(form)
        asked = []
        for question_id in questions:
            question = edition.question(question_id)
            if question is None:
                raise KeyError(question_id)
            asked.append({"id": question.id, "label": question.label})
        values = {"reference": reference, "questions": asked, "answer_by": nz_words.by(answer_by, now)}
        subject = f"{len(asked)} {'question' if len(asked) == 1 else 'questions'} about {reference}"
        return self._mail("ask_for_more", dedupe, to, subject, values, _WRITTEN_BY_A_PERSON)

    def page(
        self,
        *,
        dedupe: str,
        to: str,
        reference: str,
        band: str,
        received_at: datetime,
        due: Due,
        last: bool,
        opened: bool = True,
    ) -> NewMail:
        """To the duty officer: which case, how grave, when to call. band: "" for danger told in plain words, and for a message that
        the program could not open.

        last: the officer gets no more of them within the hour, and is told to look at the queue.
        """
        by = _by(due.first_contact, received_at)
        what = band or ("Possible danger" if opened else "Not opened")
        values = {
            "reference": reference,
            "what": what,
            "opened": opened,
            "received": nz_words.full(received_at),
            "contact_by": by,
            "last": last,
        }
        subject = f"{what}: {reference}" + (f", call by {by}" if by else "")
        return self._mail("page", dedupe, to, subject, values, _BY_MACHINE)

    def from_staff(self, *, dedupe: str, to: str, reference: str, words: str) -> NewMail:
        """What a member of staff wrote, between a greeting that names the case and our phone. `words` are theirs alone."""
        text = "\n".join(line.rstrip() for line in words.replace("\r\n", "\n").strip().split("\n"))
        values = {"reference": reference, "words": text}
        return self._mail("from_staff", dedupe, to, f"About {reference}", values, _WRITTEN_BY_A_PERSON)

    def echo(self, *, dedupe: str, to: str) -> NewMail:
        """To a mailbox of ours: when it is read there, the way to it works from end to end."""
        return self._mail("echo", dedupe, to, "The way to this address is proven by this mail", {}, _BY_MACHINE)

    def alarm(self, *, dedupe: str, to: str, part: str, text: str, mend: str) -> NewMail:
        """To an operator: what is wrong with a part of the system, and what to do. The words are those of `intake.health`."""
        return self._mail(
            "alarm", dedupe, to, f"Look at {part}", {"part": part, "text": text, "mend": mend}, _BY_MACHINE
        )

    def sign_in(self, *, dedupe: str, to: str, link: str) -> NewMail:
        """A one-time link for a member of staff. `link` is an address of our own."""
        return self._mail("sign_in", dedupe, to, "Your sign-in link", {"link": link}, _AUTOMATIC)

    def _mail(
        self,
        template: str,
        dedupe: str,
        to: str,
        subject: str,
        values: Mapping[str, object],
        headers: tuple[tuple[str, str], ...],
    ) -> NewMail:
        page = self._environment.get_template(f"mail/{template}.txt")
        return NewMail(
            dedupe=dedupe,
            to=to,
            subject=subject,
            body=page.render(**self._settings, **values).strip() + "\n",
            template=template,
            headers=headers,
        )

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        return Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - plain text; nothing of it is ever shown as HTML
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def _by(instant: datetime | None, received_at: datetime) -> str:
    return nz_words.by(instant, received_at) if instant else ""


def _answering(message_id: str) -> tuple[tuple[str, str], ...]:
    if not _MESSAGE_ID.fullmatch(message_id):
        return ()
    return (("In-Reply-To", message_id), ("References", message_id))
