"""The IT self-assessment: one part a page, as many sittings as it takes, a plan under each gap, check, send.

A part may be left unfinished and come back to; the whole is sent once nothing is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from forms.web import Placed, without_row
from intake.web.form_pages import page_of, shown_ids
from intake.web.provider_pages import BROKEN, STALE, Pages
from intake.web.provider_show import Progress, answers_of, by_field, progress, summary
from intake.web.provider_sitting import Sitting, is_fresh

KIND = "it-self-assessment"
_MOST_LISTED = 8  # more open things than these are counted by part


def routes(blueprint: Blueprint, pages: Pages) -> Callable[[Sitting], Response]:
    """Adds the pages; gives back the one that shows a sitting where it was left."""
    views = _Views(pages)
    add = blueprint.add_url_rule
    add("/assessment", "assessment", views.start)
    add("/assessment/check", "assessment_check", views.check)
    add("/assessment/check", "assessment_check_post", views.check_post, methods=["POST"])
    add("/assessment/sent/<token>", "assessment_sent", views.sent)
    add("/assessment/<section>", "part", views.part)
    add("/assessment/<section>", "part_post", views.part_post, methods=["POST"])
    return lambda sitting: views.show_part(sitting, sitting.place or sitting.form.sections[0].id)


class _Views:
    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def sitting(self) -> Sitting:
        return self.pages.sittings.at(KIND)

    def start(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            sitting = self.pages.sittings.new(KIND)
        steps = self.steps(sitting)
        place = next((s for s in steps.steps if s.section.id == sitting.place), steps.steps[0])
        return self.pages.show("assessment_start.html", sitting, steps=steps, place=place)

    def steps(self, sitting: Sitting) -> Progress:
        found = sitting.reading
        return progress(sitting.form, found.answers, found.problems)

    # ---- one part -------------------------------------------------------------------------------

    def part(self, section: str) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            sitting = self.pages.sittings.new(KIND)
        return self.show_part(sitting, section, open_row=request.args.get("row", ""))

    def show_part(
        self, sitting: Sitting, section: str, trouble: str = "", errors: bool = False, open_row: str = ""
    ) -> Response:
        try:
            found = page_of(sitting.form, section)
        except KeyError:
            abort(404)
        steps = self.steps(sitting)
        if all(s.section.id != section for s in steps.steps):
            abort(404)
        asks = self.pages.asks(sitting, [section])[section]
        here = set(shown_ids(asks))
        problems = [p for p in sitting.reading.of([section]) if p.question in here or "[" in p.name] if errors else []
        return self.pages.show(
            "assessment_part.html",
            sitting,
            503 if trouble == BROKEN else 422 if errors or trouble else 200,
            section=found.section,
            asks=asks,
            steps=steps,
            before=steps.before(section),
            after=steps.after(section),
            page=self.pages.page(sitting, asks, open_row=open_row or self.wrong_row(problems)),
            errors=summary(problems),
            problems=by_field(problems),
            trouble=trouble,
        )

    def wrong_row(self, problems: Sequence[Placed]) -> str:
        """The row of a register that the first problem in one is about, so that its link leads somewhere."""
        row = next((n for n in (p.name for p in problems) if "[" in n and n.partition("[")[2][0].isdigit()), "")
        return row.partition("]")[0].replace("[", " ")

    def part_post(self, section: str) -> ResponseReturnValue:
        sitting = self.sitting()
        if all(s.id != section for s in sitting.form.sections):
            abort(404)
        sitting.place = section
        trouble = self.pages.take(sitting, [section])
        if trouble:
            return self.show_part(sitting, section, trouble)
        if "later" in request.form:
            return self.pages.kept_page(sitting, url_for("provider.part", section=section))
        if "row" in request.form:
            return self.row(sitting, section, request.form["row"])
        if sitting.reading.of([section]) and "as_it_is" not in request.form:
            return self.show_part(sitting, section, errors=True)
        after = self.steps(sitting).after(section)
        if after is None:
            return self.pages.go(sitting, self.show_check, "assessment_check")
        following = after.section.id
        return self.pages.go(sitting, lambda s: self.show_part(s, following), "part", section=following)

    def row(self, sitting: Sitting, section: str, wanted: str) -> ResponseReturnValue:
        """Open, keep, add or remove a row of a register; everything else on the page is kept as well."""
        verb, name, key = (*wanted.split(" "), "", "")[:3]
        register = sitting.form.question(name)
        if register is None or not register.columns or not key.isdigit():
            abort(400)
        opened = ""
        if verb == "remove":
            sitting.write(without_row(register, sitting.typed, key))
            self.pages.sittings.keep(sitting)
        elif verb == "open":
            opened = f"{name} {key}"
        elif verb == "add":
            rows = self.pages.page(sitting, self.pages.asks(sitting, [section])[section]).registers
            opened = f"{name} {len(rows[name].rows) + 1}" if name in rows else ""
        return self.pages.go(
            sitting,
            lambda s: self.show_part(s, section, open_row=opened),
            "part",
            section=section,
            **({"row": opened} if opened else {}),
            _anchor=f"{name}-open" if opened else name,
        )

    # ---- check and send -------------------------------------------------------------------------

    def check(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            return redirect(url_for("provider.assessment_sent", token=sitting.sent), 303)
        token = "" if sitting.known else self.pages.sittings.just_sent(KIND)
        if token:  # back from the receipt
            return redirect(url_for("provider.assessment_sent", token=token), 303)
        if not sitting.known:
            return redirect(url_for("provider.assessment"), 303)
        return self.show_check(sitting)

    def show_check(self, sitting: Sitting, trouble: str = "", errors: bool = False) -> Response:
        form, found = sitting.form, sitting.reading
        steps = self.steps(sitting)
        parts = [(s.section, answers_of(form, s.section, sitting.typed, found.answers)) for s in steps.steps]
        return self.pages.show(
            "assessment_check.html",
            sitting,
            503 if trouble == BROKEN else 422 if errors or trouble else 200,
            parts=parts,
            steps=steps,
            open=found.problems if len(found.problems) <= _MOST_LISTED else (),
            open_count=len(found.problems),
            open_parts=[(s.section, n) for s in steps.steps if (n := len(found.of([s.section.id])))],
            errors=errors,
            trouble=trouble,
        )

    def check_post(self) -> ResponseReturnValue:
        sitting = self.sitting()
        if sitting.sent:
            return redirect(url_for("provider.assessment_sent", token=sitting.sent), 303)
        if not sitting.known or not is_fresh():
            return self.show_check(sitting, STALE)
        if "save" in request.form:
            return self.pages.kept_page(sitting, "/assessment/check")
        if "copy" in request.form:
            return self.pages.copy(sitting)
        if "change" in request.form:  # of a browser without cookies, where a link would not find the sitting
            return self.show_part(sitting, request.form["change"])
        if sitting.reading.problems:
            return self.show_check(sitting, errors=True)
        token = self.pages.send(sitting, as_it_is=False)
        if token is None:
            return self.show_check(sitting, BROKEN)
        return redirect(url_for("provider.assessment_sent", token=token), 303)

    def sent(self, token: str) -> ResponseReturnValue:
        receipt = self.pages.receipt(token)
        if receipt is None or receipt["kind"] != KIND:
            abort(404)
        return self.pages.show(
            "assessment_receipt.html", self.pages.sittings.new(KIND), receipt=receipt, receipt_token=token
        )
