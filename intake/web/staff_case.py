"""A case as it is read: what to do next, clocks, sender, band, answers, the original, messages, decision, history.

Acts on a case are in `staff_work`. Each download is logged as a look into the case, and leaves as a file that no browser opens.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from intake.ports import CaseDocument
from intake.suggest import content_of
from intake.web import case_view, staff
from intake.web.auth import me
from intake.web.parts import Parts

_FILE_POLICY = "default-src 'none'; sandbox"
_MOST_NAME = 120


def blueprint(parts: Parts) -> Blueprint:
    pages = Blueprint("case", __name__, url_prefix="/case/<reference>")

    @pages.get("")
    def page(reference: str) -> str:
        case = staff.case_of(parts, reference)
        parts.store.viewed(case.row.reference, me().address)
        return render_template("staff/case.html", **case_view.values(parts, case, me(), request.args))

    @pages.get("/original.eml")
    def original(reference: str) -> Response:
        case = staff.case_of(parts, reference)
        parts.store.viewed(case.row.reference, me().address)
        ending = "json" if case.raw.channel == "web" else "eml"
        return _file(parts.blobs.get(case.raw.blob), f"{case.row.reference}.{ending}")

    @pages.get("/document/<int:document_id>")
    def document(reference: str, document_id: int) -> Response:
        case = staff.case_of(parts, reference)
        found = next((d for d in case.documents if d.id == document_id), None)
        if found is None:
            abort(404)
        parts.store.viewed(case.row.reference, me().address)
        return _file(_content(parts, found), found.name or "document")

    return pages


def _content(parts: Parts, document: CaseDocument) -> bytes:
    """The bytes of one attachment, taken out of the kept mail again; nothing is stored twice."""
    raw = parts.blobs.get(parts.store.delivery(document.delivery).raw.blob)
    content = content_of(parts.documents, raw, document.path)
    return content if content is not None else abort(404)


def _file(content: bytes, name: str) -> Response:
    """A download that no browser renders, under a name that is only ever shown."""
    response = make_response(content)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Security-Policy"] = _FILE_POLICY
    return response


def disposition(name: str) -> str:
    """`attachment` with a name that cannot break the header or a folder (RFC 6266): plain letters, and the whole in UTF-8."""
    shown = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] not in "CZ" or c == " ")
    shown = re.sub(r'[\\/:*?"<>|;]+', "_", shown).strip(" .")[-_MOST_NAME:] or "document"
    plain = re.sub(r"[^A-Za-z0-9._ -]+", "_", shown).strip() or "document"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}"
