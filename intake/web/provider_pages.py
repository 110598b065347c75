"""What every page of a provider's form does in the same way: open the sitting, take what was sent, keep it, go on.

Nothing typed is lost: a page that is too old, a server that cannot keep, an answer that does not fit all give the text back.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from forms.canonical import encode
from forms.schema import Answers, Kind
from forms.web import sent_rows, unread, web_form
from intake.domain import nz_words
from intake.web.desk import Desk, Receipt
from intake.web.form_pages import Ask, asked, page_of, shown_ids
from intake.web.provider_show import Page, greeting, registers
from intake.web.provider_sitting import Sitting, Sittings, is_fresh, keeps_cookies, seal, unseal

log = logging.getLogger("intake.web.provider")

STALE = "stale"  # the page was open for long, or its cookie is gone
_SOON = timedelta(hours=16)  # the bands that are called: an hour, or four that pause at night
BROKEN = "broken"  # it could not be kept on our side


class Pages:
    """Shared by the notice and the self-assessment."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sittings = Sittings(desk)

    # ---- taking what was sent -------------------------------------------------------------------

    def asks(self, sitting: Sitting, sections: Sequence[str]) -> dict[str, tuple[Ask, ...]]:
        """The questions of each section that are asked of this person."""
        answers = sitting.reading.answers
        return {s: asked(page_of(sitting.form, s), sitting.form, answers) for s in sections}

    def take(self, sitting: Sitting, sections: Sequence[str]) -> str:
        """Write what was sent into the sitting and keep it. "" when all is well, else STALE or BROKEN."""
        shown = [i for asks in self.asks(sitting, sections).values() for i in shown_ids(asks)]
        rows = sent_rows(sitting.form, sections, request.form)
        sent = web_form(sitting.form, sections, rows)(request.form, data=sitting.typed)
        sitting.write(sent.typed(sitting.typed, [*shown, *(register for register, _ in rows)]))
        if not is_fresh():
            return STALE
        if sitting.sent:  # sent already, and changed since: what comes now adds to the same case
            sitting.updates, sitting.sent = sitting.sent, ""
        if not sitting.updates and unseal(request.form.get("updates", "")):
            sitting.updates = request.form["updates"]
        return "" if self.sittings.keep(sitting) else BROKEN

    # ---- showing --------------------------------------------------------------------------------

    def show(self, template: str, sitting: Sitting, status: int = 200, **more: object) -> Response:
        now = self.desk.clock()
        updated = unseal(sitting.updates) if sitting.updates else None
        page = render_template(
            f"provider/{template}",
            sitting=sitting,
            typed=sitting.typed,
            code=sitting.code,
            signed=sitting.signed(),
            token=generate_csrf(),
            updates=updated and updated.get("reference"),
            greeting=greeting(now),
            kept=nz_words.clock(sitting.kept_at) if sitting.kept_at else "",
            was_sent=self.receipt_just_sent(sitting),
            no_cookies=request.method == "POST" and not keeps_cookies(),
            **more,
        )
        return make_response(page, status)

    def receipt_just_sent(self, sitting: Sitting) -> dict[str, object] | None:
        """The receipt for whoever comes back to an empty page after sending; None when the page is for something else."""
        token = "" if sitting.known else self.sittings.just_sent(sitting.form.kind)
        receipt = self.receipt(token) if token and token != sitting.updates else None
        return receipt and {**receipt, "token": token}

    def page(
        self, sitting: Sitting, asks: Sequence[Ask], danger: tuple[str, str] = ("", ""), open_row: str = ""
    ) -> Page:
        year = str(nz_words.local(self.desk.clock()).year)
        return Page(registers(sitting.form, asks, sitting.typed, open_row), *danger, year)

    def kept_page(self, sitting: Sitting, back: str) -> Response:
        """“Save and come back later”: the code, large, and what to do with it."""
        until = nz_words.long_day(self.desk.clock() + timedelta(days=int(self.desk.settings.draft_days)))
        return self.show("kept.html", sitting, until=until, back=back)

    def go(self, sitting: Sitting, view: Callable[[Sitting], Response], endpoint: str, **values: Any) -> Response:
        """On to another page: by redirect, or at once when the browser keeps no cookie that would find the sitting there."""
        if keeps_cookies():
            return redirect(url_for(f"provider.{endpoint}", **values), 303)
        return view(sitting)

    def copy(self, sitting: Sitting) -> Response:
        """What was typed, on the form's own PDF, for the person to keep."""
        from forms.pdf.stamp import stamp  # heavy, and few ask for it

        response = make_response(stamp(sitting.form, with_unread(sitting)))
        response.mimetype = "application/pdf"
        response.headers["Content-Disposition"] = f'attachment; filename="{sitting.form.kind}-copy.pdf"'
        return response

    # ---- sending --------------------------------------------------------------------------------

    def send(self, sitting: Sitting, as_it_is: bool) -> str | None:
        """The token of the receipt, or None when it could not be kept. Pressed twice, it is the same receipt."""
        if sitting.sent:
            return sitting.sent
        answers = with_unread(sitting)
        content = f"{sitting.code} {sitting.form.name} {sitting.updates} ".encode() + encode(answers)
        token = hashlib.sha256(content).hexdigest()[:40]
        updated = unseal(sitting.updates) if sitting.updates else None
        reference = updated.get("reference") if updated else None
        try:
            receipt = self.desk.submit(
                sitting.form.name, answers, token, as_it_is, reference if isinstance(reference, str) else None
            )
        except Exception as error:  # noqa: BLE001 - a door: the page says what is safe and gives every word back
            log.error("submission_not_kept error=%s", type(error).__name__)
            return None
        sitting.sent = seal(_of_receipt(receipt, sitting.form.kind, updated is not None))
        sitting.write({})  # what was typed is in the case now; only the receipt stays under the code
        self.sittings.remember_sent(sitting.form.kind, sitting.sent)
        if self.sittings.keep(sitting):
            self.sittings.forget(sitting.form.kind)
        return sitting.sent

    def receipt(self, token: str) -> dict[str, object] | None:
        """A receipt as its page shows it; instants are datetimes again."""
        values = unseal(token)
        if values is None:
            return None
        now = self.desk.clock()
        for name in ("received_at", "first_contact", "marker_72h", "read_by"):
            at = values.get(name)
            values[name] = datetime.fromisoformat(at) if isinstance(at, str) else None
        received, contact = values["received_at"], values["first_contact"]
        values["received"] = nz_words.full(received) if isinstance(received, datetime) else ""
        values["soon"] = (
            isinstance(contact, datetime) and isinstance(received, datetime) and contact - received <= _SOON
        )
        values["call_by"] = nz_words.by(contact, now) if isinstance(contact, datetime) else ""
        for name in ("marker_72h", "read_by"):
            at = values[name]
            values[f"{name}_words"] = nz_words.full(at) if isinstance(at, datetime) else ""
        return values


def _of_receipt(receipt: Receipt, kind: str, added: bool) -> dict[str, object]:
    times = {n: getattr(receipt, n) for n in ("received_at", "first_contact", "marker_72h", "read_by")}
    return {
        "kind": kind,
        "reference": receipt.reference,
        "proof": receipt.receipt,
        "held": receipt.held,
        "added": added,
        **{n: at.isoformat() for n, at in times.items() if at},
    }


def with_unread(sitting: Sitting) -> Answers:
    """The answers; what was typed and cannot be read by machine goes to the person's own words, so that somebody reads it."""
    answers = dict(sitting.reading.answers)
    words = unread(sitting.form, sitting.typed, sitting.reading)
    own = next((q for q in sitting.form.questions if q.kind is Kind.LONG_TEXT and not q.applies.any_of), None)
    if not words or own is None:
        return answers
    lines = [f"{label} “{text}”" for label, text in words]
    answers[own.id] = "\n\n".join(t for t in (str(answers.get(own.id, "")), "Also written in the form:", *lines) if t)
    return answers


__all__ = ["BROKEN", "STALE", "Pages", "with_unread"]
