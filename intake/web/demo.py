"""The demo's own page: send an invented mail, see the case that it became, and read every mail that would have left.

It exists in the demo only. It shows sign-in links too: nothing here is real, and nothing leaves the machine.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from intake.ports import QueueFilter
from intake.web import present
from intake.web.mail_state import mail_badge
from intake.web.parts import Parts


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("demo", __name__)

    @pages.get("/demo")
    def page() -> str:
        return render_template("staff/demo.html", **_values(parts))

    @pages.post("/demo")
    def send() -> Response:
        form = request.form
        try:
            subject = parts.send_demo_mail(form.get("sender", ""), form.get("form", ""), form.get("attachment", ""))
        except ValueError:
            flash("Choose a sender, a form and an attachment from the lists.")
        else:
            flash(f"Sent: {subject}. It becomes a case within a few seconds.")
        return redirect(url_for("demo.page"), 303)

    return pages


def _values(parts: Parts) -> dict[str, Any]:
    now = parts.clock()
    newest = sorted(parts.store.queue(QueueFilter(include_closed=True), None, 200), key=lambda row: -row.id)[:15]
    lines = [(row, present.line(row, now, "", {}), present.moment(row.received_at, now)) for row in newest]
    mails = [(m, present.moment(m.at, now), mail_badge(m.state, demo=True)) for m in parts.store.mails(30)]
    badges = [line.verdict for _, line, _ in lines] + [line.band for _, line, _ in lines] + [b for _, _, b in mails]
    drawn = {badge.icon for badge in badges if badge}
    return {
        "demo_icons": sorted(drawn - {"tick"}),
        "choices": parts.demo_choices(),
        "cases": lines,
        "mails": mails,
        "staff_members": parts.store.all_staff(),
    }
