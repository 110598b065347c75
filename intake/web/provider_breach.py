"""Telling us about a breach: one page of short questions, details for those who have them, check, send, receipt.

A notice can always be sent as it is. Danger comes first on each page.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from forms.schema import Form, Section
from intake.web.form_pages import shown_ids
from intake.web.provider_pages import BROKEN, STALE, Pages, with_unread
from intake.web.provider_show import Line, answers_of, by_field, summary
from intake.web.provider_sitting import Sitting, is_fresh, unseal

KIND = "breach-notice"
DANGER, DANGER_NOW = "A07", "yes"
EMPTY = "empty"  # details without any: there is nothing to send


def routes(blueprint: Blueprint, pages: Pages) -> Callable[[Sitting], Response]:
    """Adds the pages; gives back the one that shows a sitting where it was left."""
    views = _Views(pages)
    add = blueprint.add_url_rule
    add("/breach", "breach", views.start)
    add("/breach", "breach_post", views.start_post, methods=["POST"])
    add("/breach/details", "details_start", views.details_start)
    add("/breach/details/<section>", "details", views.details)
    add("/breach/details/<section>", "details_post", views.details_post, methods=["POST"])
    add("/breach/check", "breach_check", views.check)
    add("/breach/check", "breach_check_post", views.check_post, methods=["POST"])
    add("/breach/sent/<token>", "breach_sent", views.sent)
    return lambda sitting: views.show_details(sitting, sitting.place) if sitting.place else views.show_start(sitting)


def stage(form: Form, name: str) -> list[Section]:
    return [s for s in form.sections if s.stage == name]


class _Views:
    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def sitting(self) -> Sitting:
        return self.pages.sittings.at(KIND)

    # ---- the short questions --------------------------------------------------------------------

    def start(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent or sitting.updates:  # that one is with us; this is the next
            sitting = self.pages.sittings.new(KIND)
        return self.show_start(sitting)

    def show_start(self, sitting: Sitting, trouble: str = "", errors: bool = False) -> Response:
        sections = stage(sitting.form, "A")
        asks = self.pages.asks(sitting, [s.id for s in sections])
        problems = sitting.reading.of(asks) if errors else ()
        status = 503 if trouble == BROKEN else 422 if errors or trouble else 200
        return self.pages.show(
            "breach_start.html",
            sitting,
            status,
            sections=[(s, asks[s.id]) for s in sections],
            page=self.pages.page(sitting, (), (DANGER, DANGER_NOW)),
            errors=summary(problems),
            problems=by_field(problems),
            trouble=trouble,
            danger=sitting.typed.get(DANGER) == DANGER_NOW,
        )

    def start_post(self) -> ResponseReturnValue:
        sitting = self.sitting()
        names = [s.id for s in stage(sitting.form, "A")]
        trouble = self.pages.take(sitting, names)
        if trouble:
            return self.show_start(sitting, trouble)
        if "save" in request.form:
            return self.pages.kept_page(sitting, "/breach")
        if sitting.reading.of(names) and "as_it_is" not in request.form:
            return self.show_start(sitting, errors=True)
        return self.pages.go(sitting, self.show_check, "breach_check")

    # ---- the details ----------------------------------------------------------------------------

    def details_start(self) -> ResponseReturnValue:
        first = stage(self.sitting().form, "B")[0]
        return redirect(url_for("provider.details", section=first.id, to=request.args.get("to")), 303)

    def details(self, section: str) -> ResponseReturnValue:
        to = request.args.get("to", "")
        sitting = self.sitting()
        if to and unseal(to) and sitting.updates != to:
            sitting = self.pages.sittings.new(KIND)
            sitting.updates = to
        elif not sitting.known or sitting.sent:
            return self.sent_or_start()
        return self.show_details(sitting, section)

    def show_details(self, sitting: Sitting, section: str, trouble: str = "", errors: bool = False) -> Response:
        parts = stage(sitting.form, "B")
        names = [s.id for s in parts]
        if section not in names:
            abort(404)
        n = names.index(section)
        asks = self.pages.asks(sitting, [section])[section]
        here = set(shown_ids(asks))
        problems = [p for p in sitting.reading.of([section]) if p.question in here] if errors else []
        return self.pages.show(
            "breach_details.html",
            sitting,
            503 if trouble == BROKEN else 422 if errors or trouble else 200,
            section=parts[n],
            asks=asks,
            number=n + 1,
            count=len(parts),
            before=parts[n - 1] if n else None,
            after=parts[n + 1] if n + 1 < len(parts) else None,
            page=self.pages.page(sitting, asks),
            errors=summary(problems),
            problems=by_field(problems),
            trouble=trouble,
        )

    def details_post(self, section: str) -> ResponseReturnValue:
        sitting = self.sitting()
        names = [s.id for s in stage(sitting.form, "B")]
        if section not in names:
            abort(404)
        sitting.place = section
        trouble = self.pages.take(sitting, [section])
        if trouble:
            return self.show_details(sitting, section, trouble)
        if "save" in request.form:
            return self.pages.kept_page(sitting, url_for("provider.details", section=section))
        wrong = [p for p in sitting.reading.of([section]) if p.code != "missing"]
        if wrong and "as_it_is" not in request.form:
            return self.show_details(sitting, section, errors=True)
        following = names[names.index(section) + 1 :]
        if "check" in request.form or not following:
            if self.is_empty(sitting):
                return self.show_details(sitting, section, EMPTY)
            return self.pages.go(sitting, self.show_check, "breach_check")
        return self.pages.go(sitting, lambda s: self.show_details(s, following[0]), "details", section=following[0])

    # ---- check and send -------------------------------------------------------------------------

    def check(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            return redirect(url_for("provider.breach_sent", token=sitting.sent), 303)
        return self.show_check(sitting) if sitting.known else self.sent_or_start()

    def sent_or_start(self) -> ResponseReturnValue:
        """For a page without its sitting: the receipt, when that was sent a moment ago."""
        token = self.pages.sittings.just_sent(KIND)
        return redirect(url_for("provider.breach_sent", token=token) if token else url_for("provider.breach"), 303)

    def show_check(self, sitting: Sitting, trouble: str = "") -> Response:
        form, found = sitting.form, sitting.reading
        first = [] if sitting.updates else stage(form, "A")
        later, lines = stage(form, "B"), self.written(sitting)
        problems = found.of([s.id for s in first]) + tuple(
            p for p in found.of([s.id for s in later]) if p.code != "missing"
        )
        danger = found.answers.get(DANGER, "")
        return self.pages.show(
            "breach_check.html",
            sitting,
            503 if trouble == BROKEN else 422 if trouble else 200,
            lines=lines,
            open=[(p, self.address(p.section, form)) for p in problems],
            has_details=any(s.stage == "B" for s, *_ in lines),
            first_detail=later[0].id,
            added=with_unread(sitting) != found.answers,
            danger=danger,
            trouble=trouble,
        )

    def written(self, sitting: Sitting) -> list[tuple[Section, list[Line], str]]:
        """The parts in which there is something to read, and where they are changed; of a new notice its first page whole."""
        form, found = sitting.form, []
        for section in (*stage(form, "A"), *stage(form, "B")):
            given_only = section.stage != "A" or bool(sitting.updates)
            rows = answers_of(form, section, sitting.typed, sitting.reading.answers, given_only)
            if rows:
                found.append((section, rows, self.address(section.id, form)))
        return found

    def is_empty(self, sitting: Sitting) -> bool:
        """Whether it would add nothing to the notice that we have. A notice itself is never too short to be sent."""
        return bool(sitting.updates) and not self.written(sitting)

    def address(self, section: str, form: Form) -> str:
        later = any(s.id == section for s in stage(form, "B"))
        return url_for("provider.details", section=section) if later else "/breach"

    def check_post(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            return redirect(url_for("provider.breach_sent", token=sitting.sent), 303)
        if not sitting.known:
            return self.show_start(sitting, STALE)
        if not is_fresh():
            return self.show_check(sitting, STALE)
        if "save" in request.form:
            return self.pages.kept_page(sitting, "/breach/check")
        if "copy" in request.form:
            return self.pages.copy(sitting)
        if "change" in request.form:  # of a browser without cookies, where a link would not find the sitting
            wanted = request.form["change"]
            later = any(s.id == wanted for s in stage(sitting.form, "B"))
            return self.show_details(sitting, wanted) if later else self.show_start(sitting)
        if self.is_empty(sitting):
            return self.show_check(sitting, EMPTY)
        token = self.pages.send(sitting, as_it_is=bool(sitting.reading.problems))
        if token is None:
            return self.show_check(sitting, BROKEN)
        return redirect(url_for("provider.breach_sent", token=token), 303)

    def sent(self, token: str) -> ResponseReturnValue:
        receipt = self.pages.receipt(token)
        if receipt is None or receipt["kind"] != KIND:
            abort(404)
        return self.pages.show(
            "breach_receipt.html", self.pages.sittings.new(KIND), receipt=receipt, receipt_token=token
        )
