"""Mail that no person wrote to us alone: bounces, automatic replies, receipts, list mail. Judged by headers, never by
words alone.

A subject such as "Out of office" counts only beside a header that machines set. An unsubscribe link alone proves
nothing: tools for newsletters add it to mail that a provider's staff wrote. Sources: RFC 3834, RFC 3464, RFC 2919,
RFC 8098.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from intake.domain.mime import Headers
from intake.domain.model import Attachment
from intake.domain.words import decode_header

_REPLY_SUBJECT = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out[ -]of[ -](?:the[ -])?office|"
    r"away from (?:my|the) (?:desk|office)|on leave|(?:not )?read:|undeliver(?:able|ed)|"
    r"delivery status|mail delivery|returned mail|failure notice)",
    re.I,
)
_MACHINE = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply", "x-vacation")
_HINTS = ("x-auto-response-suppress", "x-ms-exchange-generated-message-source", "x-loop", "x-failed-recipients")
_TO_MANY = "Its header says that it is list or bulk mail"
MACHINE_HEADERS = _MACHINE + _HINTS
_FAILED = re.compile(rb"^action:[ \t]*failed", re.I | re.M)


def automatic_mail(
    headers: Headers,
    root: str,
    params: Mapping[str, str],
    address: str | None,
    body: str,
    attachments: Sequence[Attachment],
) -> tuple[str, bool]:
    """Why the mail is automatic, in a sentence ("" when it is not), and whether it says that mail could not be
    delivered.
    """
    got: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key not in got and _wanted(key):
            got[key] = decode_header(value, 500)
    local = (address or "").partition("@")[0].lower()
    report = _report(root, params, attachments)
    if report[0]:
        return report
    if local == "mailer-daemon" or "x-failed-recipients" in got:
        return "A mail server wrote it: mail could not be delivered.", True
    null = got.get("return-path", "-").replace(" ", "") == "<>"
    if null and local == "postmaster":
        return "A mail server wrote it: mail could not be delivered.", True
    return _by_header(got, null, local) or _invitation_answer(attachments, body), False


def was_sent_to_many(why: str) -> bool:
    """Whether the reason is that of a newsletter or a list: a person wrote it, to many, and a person here reads it."""
    return why.startswith(_TO_MANY)


def _wanted(key: str) -> bool:
    return (
        key in ("auto-submitted", "precedence", "return-path", "subject", "feedback-id")
        or key in _MACHINE
        or key in _HINTS
        or key.startswith("list-")
    )


def _report(root: str, params: Mapping[str, str], attachments: Sequence[Attachment]) -> tuple[str, bool]:
    if root != "multipart/report":
        return "", False
    kind = params.get("report-type", "").lower()
    if kind == "disposition-notification":
        return "It is a receipt: it says whether a mail was read.", False
    if kind == "feedback-report":
        return "It is a mail provider's report about another mail.", False
    status = [a.content for a in attachments if a.declared_type == "message/delivery-status"]
    failed = any(_FAILED.search(text[:65_536]) for text in status)
    if status and not failed:
        return "A mail server reports on the delivery of a mail that is still under way or has arrived.", False
    return "A mail server reports that a mail could not be delivered.", True


def _by_header(got: Mapping[str, str], null: bool, local: str) -> str:
    submitted = re.split(r"[;\s(]", got.get("auto-submitted", "no").strip().lower(), maxsplit=1)[0]
    if submitted and submitted != "no":
        return f"Its header says that a machine sent it (Auto-Submitted: {submitted[:30]})."
    if any(name in got for name in _MACHINE):
        return "Its header says that it is an automatic reply."
    if null:
        return "It was sent without a return address, as automatic replies and bounces are."
    precedence = got.get("precedence", "").strip().lower()
    if precedence == "auto_reply":
        return "Its header says that it is an automatic reply."
    if precedence in ("bulk", "list", "junk"):
        return f"{_TO_MANY} (Precedence: {precedence})."
    if "list-id" in got or "list-post" in got:
        return f"{_TO_MANY}."
    if any(name in got for name in _HINTS) and _REPLY_SUBJECT.match(got.get("subject", "")):
        return "Its header and its subject are those of an automatic reply."
    return ""


def _invitation_answer(attachments: Sequence[Attachment], body: str) -> str:
    if len(body.strip()) > 60:
        return ""  # somebody wrote words with it
    for part in attachments:
        if part.declared_type == "text/calendar" and re.search(rb"^METHOD:REPLY", part.content[:2_000], re.M):
            return "It answers an invitation to a meeting, and nobody wrote anything with it."
    return ""
