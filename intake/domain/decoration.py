"""Which parts of a mail are decoration: logos, signatures, invitations, the reports of machines. All else is an attachment that
somebody sent.

When in doubt a part is an attachment: a logo that is shown as a file costs a glance, a photo of a form that is taken for a logo
costs a notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from intake.domain.mime import Part

SMIME_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_KINDS = SMIME_SIGNATURES | frozenset(
    {
        "application/pgp-signature",
        "application/pgp-encrypted",  # the line "Version: 1" beside what is encrypted
        "application/ms-tnef-signature",
        "text/calendar",
        "application/ics",
        "text/rfc822-headers",
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "message/global-headers",
        "message/global-delivery-status",
        "message/global-disposition-notification",
        "text/x-amp-html",
        "text/vcard",
        "text/x-vcard",
    }
)
_BY_START = ((".ics", b"BEGIN:VCALENDAR"), (".vcf", b"BEGIN:VCARD"))  # programs that call everything an octet stream
_PASTED = re.compile(r"image\d{3}\.(?:png|jpe?g|gif)|outlook-[\w-]+\.(?:png|jpe?g|gif)", re.I)
# Names that phones and cameras give: a photo of a form stays one however it was put into the mail.
_PHOTO = re.compile(r"(?:img|dsc|pxl|mvimg|photo|scan)[-_ ]?\w*\.\w+|image\d\.jpe?g|(?:19|20)\d{6}[-_]\d+\.\w+", re.I)
_PICTURE = 200_000  # bytes; a larger inline picture may be a photo of a form
_CID = re.compile(r"cid:([^\s\"'<>)]{1,250})", re.I)


def shown_inside(pages: Iterable[str]) -> frozenset[str]:
    """The Content-IDs, without their brackets, that the HTML of a mail shows as pictures in its text."""
    return frozenset(unquote(found) for page in pages for found in _CID.findall(page))


def is_decoration(part: Part, content: bytes, shown: frozenset[str]) -> bool:
    """Whether a leaf is no attachment. shown: what `shown_inside` found in the mail's pages."""
    if part.kind in _KINDS:
        return True
    name = part.name.lower()
    if any(name.endswith(end) and content.lstrip()[:40].startswith(start) for end, start in _BY_START):
        return True
    if name.endswith(".p7s") and part.kind == "application/octet-stream":
        return True
    return part.kind.startswith("image/") and _is_logo(part, len(content), shown)


def _is_logo(part: Part, size: int, shown: frozenset[str]) -> bool:
    if size >= _PICTURE or part.kind in ("image/heic", "image/heif") or _PHOTO.fullmatch(part.name):
        return False
    cid = part.content_id.strip().strip("<>")
    if cid and cid in shown:
        return True
    if part.disposition == "attachment":
        return False
    return bool(cid and (part.related or _PASTED.fullmatch(part.name)))
