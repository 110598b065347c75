"""The register as staff read it: providers, and one provider with domains, contacts, exceptions and cases."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from intake import triage
from intake.domain import nz_words
from intake.onboarding import METHODS
from intake.ports import QueueRow, Registration
from intake.web import present, staff
from intake.web.auth import me
from intake.web.parts import Parts


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("providers", __name__, url_prefix="/providers")

    @pages.get("")
    def every() -> str:
        return render_template(
            "staff/providers.html",
            providers=sorted(parts.store.providers(), key=lambda p: p.name),
            waiting=len(parts.store.registrations("proposed")),
        )

    @pages.get("/<slug>")
    def one(slug: str) -> str:
        provider = parts.store.provider(slug)
        if provider is None:
            abort(404)
        now, names = parts.clock(), staff.names_of(parts.store)
        rows = [row for row in parts.store.cases_of(slug) if triage.may_see(me(), row)]
        today = nz_words.local(now).date().isoformat()
        return render_template(
            "staff/provider.html",
            provider=provider,
            lines=[present.line(row, now, me().address, names) for row in rows],
            counts=_counts(rows),
            unreachable=parts.store.unreachable([c.address for c in provider.contacts]),
            exceptions=[(e, e.until < today) for e in provider.exceptions],
            proofs=_proofs(parts.store.registrations("registered", slug)),
        )

    return pages


def _proofs(entries: tuple[Registration, ...]) -> dict[str, str]:
    """How each domain was proven; the newest counts. One that came with an import has none."""
    return {
        e.subject: f"proven on {nz_words.day(e.proven_on)}: {METHODS[e.method].lower()}"
        for e in reversed(entries)
        if e.method in METHODS
    }


def _counts(rows: list[QueueRow]) -> list[tuple[str, int]]:
    return [(words, sum(row.kind == kind for row in rows)) for kind, words in present.KINDS.items()]
