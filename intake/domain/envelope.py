"""Opening a mail: its headers read strictly, its text for people, its attachments, and the mails inside it.

No input raises and none costs more than its size: `Limits` are applied to the raw bytes before anything is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from intake.domain.address import parse_mailbox, same_address, strict_mailbox
from intake.domain.automatic import automatic_mail, was_sent_to_many
from intake.domain.mime import Headers, Limits, Part, Split, content, split
from intake.domain.model import Attachment, Envelope, Inner
from intake.domain.words import decode, decode_header, html_to_text, unfold

__all__ = ["Limits", "header_values", "open_envelope"]

_TOKEN = re.compile(r"<[^<>\s]{1,990}>")
_FROM_AFTER_CR = re.compile(rb"\r[ \t]*from[ \t]*:", re.I)
_DATE = re.compile(
    r"(\d{1,2})[ -]+([A-Za-z]{3})[a-z]*[ -]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([+-]\d{4}|[A-Za-z]{1,5})?"
)
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {m: n for n, m in enumerate(_MONTH_NAMES, 1)}
_ZONES = {
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "nzst": 12,
    "nzdt": 13,
}
_SIGNATURES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/ms-tnef-signature",
    }
)
_DECORATION = frozenset(
    {
        "text/calendar",
        "application/ics",
        "text/rfc822-headers",
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "text/x-amp-html",
        "text/vcard",
        "text/x-vcard",
    }
)
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched"})
_PASTED = re.compile(r"image\d{3}\.(?:png|jpe?g|gif)|outlook-[\w-]+\.(?:png|jpe?g|gif)", re.I)
_NO_MAIL = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xd8\xff", b"\x89PNG")  # a document, whatever its name
_PICTURE = 200_000  # bytes; a larger inline picture may be a photo of a form, so it is shown as an attachment


def open_envelope(raw: bytes, limits: Limits | None = None) -> Envelope:
    """What the bytes of a mail state. Never raises; what could not be read is in `notes`, in sentences for staff.

    `inner` lists the mails inside at every level, outermost first; each is opened on its own by its own call, and
    its own `inner` then repeats the deeper ones.
    """
    limits = limits or Limits()
    if len(raw) > limits.message:
        return _oversize(raw, limits)
    return _build(raw, split(raw, limits), limits)


def _oversize(raw: bytes, limits: Limits) -> Envelope:
    opened = split(raw[: limits.oversize_peek], limits)
    opened.notes.append("The mail is larger than 35 MB. Only the beginning of its text was read, and no attachment.")
    opened.parts = [p for p in opened.parts if p.kind in _TEXTS and not p.name]
    return _build(raw, opened, limits)


def _build(raw: bytes, opened: Split, limits: Limits) -> Envelope:
    headers = opened.headers
    sender = strict_mailbox(_from_values(headers))
    problem = sender.problem
    if not problem and (opened.cut_headers or _hidden_from(headers)):
        problem = "Its headers are longer than mail may have, so the sender is not certain."
    notes = opened.notes
    inner = _inner(raw, opened, limits, notes)
    attachments, texts = _leaves(raw, opened.parts, notes)
    body = _body(texts, limits, notes)
    why, bounce = automatic_mail(headers, opened.root, opened.root_params, sender.address, body, attachments)
    return Envelope(
        from_address=None if problem else sender.address,
        from_domain=None if problem else sender.domain,
        from_display="" if problem else sender.display,
        from_problem=problem,
        reply_to=_reply_to(headers, notes),
        return_path=_return_path(headers),
        subject=decode_header(_first(headers, "subject")),
        message_id=_message_id(headers),
        in_reply_to=_tokens(headers, "in-reply-to"),
        references=_tokens(headers, "references"),
        sent_at=_date(_first(headers, "date")),
        automatic=why,
        to_many=was_sent_to_many(why),
        bounce=bounce,
        body=body,
        attachments=attachments,
        inner=inner,
        headers=headers,
        notes=tuple(dict.fromkeys(notes)),
    )


# ---- headers ----------------------------------------------------------------------------------------------------------


def with_inner(envelope: Envelope) -> tuple[tuple[str, Envelope], ...]:
    """The mail and every mail inside it, opened, each with what stands before the paths of its parts ("" for the mail itself)."""
    return ("", envelope), *((f"{inner.path}/", open_envelope(inner.raw)) for inner in envelope.inner)


def header_values(headers: Headers, name: str) -> list[bytes]:
    """The raw values of every header of that name (given in lower case), from the top."""
    return [value for key, value in headers if key.lower() == name]


def _first(headers: Headers, name: str) -> bytes:
    return next((value for key, value in headers if key.lower() == name), b"")


def _from_values(headers: Headers) -> list[bytes]:
    # "From :" is another way in which programs differ, so it counts as a From line here
    values = [value for key, value in headers if key.strip().lower() == "from"]
    if len(values) == 1 and any(key != key.strip() and key.strip().lower() == "from" for key, _ in headers):
        return [*values, b""]
    return values


def _hidden_from(headers: Headers) -> bool:
    return any(b"\r" in value and _FROM_AFTER_CR.search(value) for _, value in headers)


def _reply_to(headers: Headers, notes: list[str]) -> str | None:
    values = header_values(headers, "reply-to")
    if not values:
        return None
    text = decode(unfold(values[0][:4_000]))
    found = parse_mailbox(text)
    if found.address is None and "," in text:
        notes.append("Answers to it go to more than one address.")
        found = parse_mailbox(text.split(",", 1)[0])
    if found.address is None and text.strip():
        notes.append("The line that says where answers go cannot be read.")
    return found.address


def _return_path(headers: Headers) -> str | None:
    values = header_values(headers, "return-path")
    if not values:
        return None
    text = decode(unfold(values[0][:1_000])).strip()
    inner = text[text.find("<") + 1 : text.rfind(">")].strip() if text.endswith(">") and "<" in text else text
    return same_address(inner) if "@" in inner else ""


def _message_id(headers: Headers) -> str:
    text = decode_header(_first(headers, "message-id"), 1_000)
    found = _TOKEN.search(text)
    return found[0] if found else text


def _tokens(headers: Headers, name: str) -> tuple[str, ...]:
    text = decode_header(_first(headers, name), 32_768)
    return tuple(dict.fromkeys(_TOKEN.findall(text)))[:100]


def _date(value: bytes) -> datetime | None:
    found = _DATE.search(decode_header(value, 200))
    if not found or found[2].lower() not in _MONTHS:
        return None
    year = int(found[3])
    if len(found[3]) < 4:  # RFC 5322 4.3
        year += 2000 if year < 50 else 1900
    zone = (found[7] or "+0000").lower()
    hours = (
        _ZONES.get(zone, 0) * 60 if zone[0] not in "+-" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:]))
    )
    try:
        at = datetime(
            year,
            _MONTHS[found[2].lower()],
            int(found[1]),
            int(found[4]),
            int(found[5]),
            min(int(found[6] or 0), 59),
            tzinfo=timezone(timedelta(minutes=hours)),
        )
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# ---- parts ------------------------------------------------------------------------------------------------------------


def _leaves(
    raw: bytes, parts: Iterable[Part], notes: list[str]
) -> tuple[tuple[Attachment, ...], list[tuple[Part, str]]]:
    attachments: list[Attachment] = []
    texts: list[tuple[Part, str]] = []
    for part in parts:
        if part.kind in _TEXTS and not part.name and part.disposition != "attachment":
            body, note = content(raw, part)
            texts.append((part, decode(body, part.params.get("charset", ""))))
            if note:
                notes.append("The text of the mail is broken, so it may not be whole.")
            continue
        body, note = content(raw, part)
        attachments.append(
            Attachment(part.path, part.name, part.kind, body, _is_decoration(part, len(body)), note or _note(part))
        )
    return tuple(attachments), texts


def _is_decoration(part: Part, size: int) -> bool:
    if part.kind in _SIGNATURES or part.kind in _DECORATION:
        return True
    if not part.kind.startswith("image/") or part.disposition == "attachment" or size >= _PICTURE:
        return False
    return bool(part.content_id and (part.related or _PASTED.fullmatch(part.name)))


def _note(part: Part) -> str:
    name = part.name.lower()
    if part.kind in ("application/ms-tnef", "application/vnd.ms-tnef") or name == "winmail.dat":
        return "A wrapper of Outlook's own kind. It was kept and not unpacked."
    if part.kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") or name == "smime.p7m":
        return "A signed or encrypted mail (S/MIME). It was kept and not opened."
    if part.kind == "application/pgp-encrypted":
        return "The mail is encrypted (PGP). It was kept and not opened."
    if part.kind == "message/external-body":
        return "It is somewhere else, and nothing is fetched."
    return ""


def _body(texts: list[tuple[Part, str]], limits: Limits, notes: list[str]) -> str:
    plain_groups = {part.group for part, text in texts if part.kind != "text/html" and text.strip() and part.group}
    out: list[str] = []
    for part, text in texts:
        if part.kind == "text/html":
            if part.group in plain_groups:
                continue
            if len(text) > limits.html:
                notes.append("The text of the mail is very long; only its beginning was read.")
            text = html_to_text(text, limits.html)
        if text.strip():
            out.append(text)
    body = "\n\n".join(out).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if len(body) > limits.body:
        notes.append("The text of the mail is very long; only its beginning was read.")
    return body[: limits.body]


def _inner(raw: bytes, opened: Split, limits: Limits, notes: list[str]) -> tuple[Inner, ...]:
    """The mails inside, taken out of `opened.parts`, breadth first so that the outermost come first."""
    found: list[Inner] = []
    level = _mails(raw, opened, "")
    depth = 1
    while level and depth <= limits.depth:
        deeper: list[Inner] = []
        for mail in level:
            if len(found) >= limits.inner:
                notes.append(f"There are more than {limits.inner} mails inside this one; the rest was not opened.")
                return tuple(found)
            found.append(mail)
            if b"rfc822" in mail.raw or b".eml" in mail.raw:
                deeper += _mails(mail.raw, split(mail.raw, limits), mail.path + "/")
        level, depth = deeper, depth + 1
    if level:
        notes.append("Mails are nested deeper than 20 levels; what is inside was not read.")
    return tuple(found)


def _mails(raw: bytes, opened: Split, prefix: str) -> list[Inner]:
    mails, rest = [], []
    for part in opened.parts:
        named = part.kind in ("message/rfc822", "message/global", "message/news") or part.name.lower().endswith(".eml")
        inside = content(raw, part)[0].lstrip(b"\r\n") if named else b""
        if named and not inside.startswith(_NO_MAIL):
            mails.append(Inner(prefix + part.path, inside))
        else:
            rest.append(part)
    opened.parts = rest
    return mails
