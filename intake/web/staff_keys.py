"""Keys and display: what one browser chose; kept in a cookie, since no two desks are alike."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from intake.web import staff
from intake.web.parts import Parts

_YEAR = 365 * 24 * 3600


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("keys", __name__)

    @pages.get("/keys")
    def page() -> str:
        return render_template("staff/keys.html")

    @pages.post("/keys")
    def save() -> Response:
        keys, theme = request.form.get("keys", ""), request.form.get("theme", "")
        keys = keys if keys in staff.KEYS else "on"
        theme = theme if theme in staff.THEMES else "auto"
        staff.say_done("Kept for this browser.")
        response = redirect(url_for("keys.page"), 303)
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie("display", f"{keys}.{theme}", _YEAR, secure=secure, httponly=True, samesite="Lax")
        return response

    return pages
