"""Office files by their kind: Word, OpenDocument, sheets, old Word and RTF. Runs in the child; none of it needs an office program.

    read_office(media_type, raw, limits) -> ReadDocument
    suggest_office(media_type, raw, form, limits) -> list of {question, text, page, box, confidence}

The kinds are `sniff.TEXTS_AND_SHEETS`; the limits of the child hold for all of it.
"""

from __future__ import annotations

from forms.schema import Form
from intake.adapters.documents.limits import Limits
from intake.adapters.documents.named import Found, suggestions
from intake.adapters.documents.old_word import find_old, read_old
from intake.adapters.documents.opendocument import find_odt, read_odt
from intake.adapters.documents.say import not_read_yet
from intake.adapters.documents.sheets import find_sheet, read_sheet
from intake.adapters.documents.sniff import DOC, DOCX, ODS, ODT, RTF, XLS, XLSX
from intake.adapters.documents.word import find_docx, read_docx
from intake.adapters.documents.zipped import Refused
from intake.domain.model import ReadDocument


def read_office(media_type: str, raw: bytes, limits: Limits) -> ReadDocument:
    """What the file holds. Raises MemoryError when it needs more than there is; any other fault is a problem of the answer."""
    if media_type == DOCX:
        return read_docx(raw, limits)
    if media_type == ODT:
        return read_odt(raw, limits)
    if media_type in (XLSX, XLS, ODS):
        return read_sheet(media_type, raw, limits)
    if media_type in (DOC, RTF):
        return read_old(media_type, raw, limits)
    return ReadDocument("", media_type, "none", problems=(not_read_yet("of another kind"),))


def suggest_office(media_type: str, raw: bytes, form: Form, limits: Limits) -> list[dict[str, object]]:
    """For each question of the form the words that are most like it, in the form's order. Nothing from a file that cannot be read."""
    try:
        return suggestions(_found(media_type, raw), form)
    except Refused:
        return []


def _found(media_type: str, raw: bytes) -> Found:
    if media_type == DOCX:
        return find_docx(raw)
    if media_type == ODT:
        return find_odt(raw)
    if media_type in (XLSX, XLS, ODS):
        return find_sheet(media_type, raw)
    return find_old(media_type, raw) if media_type in (DOC, RTF) else Found()
