"""Opening a mail: its headers read strictly, its text for people, its attachments, and the mails inside it.

No input raises and none costs more than its size: `Limits` are applied to the raw bytes before anything is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from intake.domain.address import parse_mailbox, same_address, strict_mailbox
from intake.domain.automatic import automatic_mail, was_sent_to_many
from intake.domain.decoration import SMIME_SIGNATURES, is_decoration, shown_inside
from intake.domain.mime import Headers, Limits, Part, Split, content, split
from intake.domain.model import Attachment, Envelope, Inner
from intake.domain.words import calendar_words, decode, decode_header, html_to_text, unfold

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
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched"})
_META = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?([A-Za-z0-9_-]{2,40})", re.I)
_NO_MAIL = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xd8\xff", b"\x89PNG")  # a document, whatever its name
_LONG = "The text of the mail is very long; only its beginning was read."
_LOOK = 4_096  # bytes of a part that are looked at to tell a mail from a file


def open_envelope(raw: bytes, limits: Limits | None = None, alone: bool = False) -> Envelope:
    """What the bytes of a mail state. Never raises; what could not be read is in `notes`, in sentences for staff.

    `inner` lists the mails inside at every level, outermost first; each is opened on its own by its own call. With `alone` they
    are not looked for: a mail whose inner mails are known already is not searched once more at every level.
    """
    limits = limits or Limits()
    if len(raw) > limits.message:
        return _oversize(raw, limits)
    return _build(raw, split(raw, limits), limits, alone)


def _oversize(raw: bytes, limits: Limits) -> Envelope:
    opened = split(raw[: limits.oversize_peek], limits)
    opened.notes.append("The mail is larger than 35 MB. Only the beginning of its text was read, and no attachment.")
    opened.parts = [p for p in opened.parts if p.kind in _TEXTS and not p.name]
    return _build(raw, opened, limits, True)


def _build(raw: bytes, opened: Split, limits: Limits, alone: bool) -> Envelope:
    headers = opened.headers
    sender = strict_mailbox(_from_values(headers))
    problem = sender.problem
    if not problem and (opened.cut_headers or _hidden_from(headers)):
        problem = "Its headers are longer than mail may have, so the sender is not certain."
    notes = opened.notes
    mails, opened.parts = _told_apart(raw, opened.parts)
    inner = () if alone else _inner(raw, mails, limits, notes)
    attachments, body = _leaves(raw, opened.parts, limits, notes)
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


def _leaves(raw: bytes, parts: Sequence[Part], limits: Limits, notes: list[str]) -> tuple[tuple[Attachment, ...], str]:
    """The attachments of a mail and its text for people."""
    body, shown = _body(raw, [p for p in parts if _is_text(p)], limits, notes)
    attachments: list[Attachment] = []
    for part in parts:
        if _is_text(part):
            continue
        inside, note = content(raw, part)
        decoration = is_decoration(part, inside, shown)
        attachments.append(Attachment(part.path, part.name, part.kind, inside, decoration, note or _note(part)))
    if any(part.kind in SMIME_SIGNATURES for part in parts):
        notes.append("It carries an S/MIME signature, which we do not check.")
    if not body.strip():
        body = _of_calendars(attachments)
    return tuple(attachments), body


def _is_text(part: Part) -> bool:
    return part.kind in _TEXTS and not part.name and part.disposition != "attachment"


def _of_calendars(attachments: Sequence[Attachment]) -> str:
    """What an invitation says, for a mail that says nothing else: somebody may have written it there. An answer repeats it."""
    files = [a.content[:200_000] for a in attachments if a.declared_type == "text/calendar"]
    found = [calendar_words(file) for file in files if b"METHOD:REPLY" not in file]
    return "\n\n".join(words for words in found if words)


def _note(part: Part) -> str:
    return "It is somewhere else, and nothing is fetched." if part.kind == "message/external-body" else ""


def _body(raw: bytes, texts: Sequence[Part], limits: Limits, notes: list[str]) -> tuple[str, frozenset[str]]:
    """The text of a mail, and what its pages show as pictures. No more is decoded than is kept: a letter may take four bytes of
    mail, and then of memory.
    """
    decoded: list[tuple[Part, str]] = []
    room = limits.body + limits.html
    for part in texts:
        if room <= 0:
            notes.append(_LONG)
            break
        inside, note = content(raw, part)
        if note:
            notes.append("The text of the mail is broken, so it may not be whole.")
        most = limits.html if part.kind == "text/html" else limits.body
        text = decode(inside[: most * 4], _charset(part, inside))
        if len(inside) > most * 4 or len(text) > most:
            notes.append(_LONG)
            text = text[:most]
        decoded.append((part, text))
        room -= len(text)
    body = "\n\n".join(_as_letters(decoded, limits)).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if len(body) > limits.body:
        notes.append(_LONG)
    return body[: limits.body].removeprefix("\ufeff"), shown_inside(t for p, t in decoded if p.kind == "text/html")


def _charset(part: Part, inside: bytes) -> str:
    """What the part states; of a page that states nothing, what stands in the page."""
    stated = part.params.get("charset", "")
    if stated or part.kind != "text/html":
        return stated
    found = _META.search(inside[:2_048])
    return found[1].decode("ascii") if found else ""


def _as_letters(texts: Sequence[tuple[Part, str]], limits: Limits) -> Iterator[str]:
    plain_groups = {part.group for part, text in texts if part.kind != "text/html" and text.strip() and part.group}
    for part, text in texts:
        if part.kind == "text/html":
            if part.group in plain_groups:
                continue
            text = html_to_text(text, limits.html)
        if text.strip():
            yield text


# ---- mails inside -----------------------------------------------------------------------------------------------------


def _inner(raw: bytes, parts: Sequence[Part], limits: Limits, notes: list[str]) -> tuple[Inner, ...]:
    """The mails inside, breadth first so that the outermost come first."""
    found: list[Inner] = []
    level = [(raw, part, "") for part in parts]
    room = limits.inner_bytes
    for depth in range(limits.depth + 1):
        deeper: list[tuple[bytes, Part, str]] = []
        if level and depth == limits.depth:
            notes.append("Mails are nested deeper than 20 levels; what is inside was not read.")
        for around, part, prefix in level if depth < limits.depth else ():
            room -= part.end - part.start
            if len(found) >= limits.inner or room < 0:
                notes.append(f"There are more than {limits.inner} mails inside this one; the rest was not opened.")
                return tuple(found)
            mail = Inner(prefix + part.path, content(around, part)[0].lstrip(b"\r\n"))
            found.append(mail)
            if b"rfc822" in mail.raw or b".eml" in mail.raw:
                mails, _ = _told_apart(mail.raw, split(mail.raw, limits).parts)
                deeper += [(mail.raw, each, mail.path + "/") for each in mails]
        level = deeper
    return tuple(found)


def _told_apart(raw: bytes, parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The parts that are mails, and the others."""
    mails: list[Part] = []
    rest: list[Part] = []
    for part in parts:
        (mails if _is_mail(raw, part) else rest).append(part)
    return mails, rest


def _is_mail(raw: bytes, part: Part) -> bool:
    if part.kind not in ("message/rfc822", "message/global", "message/news") and not part.name.lower().endswith(".eml"):
        return False
    start = content(raw, replace(part, end=min(part.end, part.start + _LOOK)))[0]
    return not start.lstrip(b"\r\n").startswith(_NO_MAIL)
