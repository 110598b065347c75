"""The demo's page "send a demo mail": who sends, which form, in what shape."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from intake.adapters.demo.answers import assessment, details, notice
from intake.adapters.demo.mails import File, Gateway, delivered, fails, passes, spf_only, write
from intake.adapters.demo.messages import PDF, filled, flattened, locked, picture

_SENDERS = {
    "registered": ("A registered account, signed", "Kōwhai Example Trust <office@kowhai-trust.example>", "pass"),
    "new_person": ("Somebody new at a provider’s own domain", "New Person <new.person@kowhai-trust.example>", "pass"),
    "exception": ("A registered exception at a shared host", "Rātā Law <rata.law@sharedmail.example>", "pass"),
    "personal": ("A personal account", "P. Example <p.example@freemail.example>", "pass"),
    "lookalike": ("A name close to a provider’s", "Office <office@kowhai-trvst.example>", "pass"),
    "forged": ("A provider’s name, forged", "Office <office@kowhai-trust.example>", "fail"),
    "weak": ("A provider’s domain, weak evidence", "Office <office@pohutukawa-trust.example>", "spf"),
    "stranger": ("Nobody that we know", "Somebody <somebody@nowhere.example>", "none"),
}
_FORMS = {
    "notice_s1": "Breach notice: an address reached an ex-partner",
    "notice_s4": "Breach notice: a stolen laptop, encrypted",
    "assessment": "Self-assessment: everything in place",
    "assessment_gaps": "Self-assessment: key gaps without a plan",
    "words": "No form, only words",
}
_SHAPES = {
    "fillable": "Fillable PDF",
    "flat": "Printed to a flat PDF",
    "locked": "PDF with a password",
    "photo": "Photo of a paper form",
    "none": "No attachment",
}


def choices() -> Mapping[str, Sequence[tuple[str, str]]]:
    """What the page offers: (code, label) for sender, form and attachment."""
    return {
        "sender": [(code, label) for code, (label, _, _) in _SENDERS.items()],
        "form": list(_FORMS.items()),
        "attachment": list(_SHAPES.items()),
    }


def drop(folder: Path, now: datetime, sender: str, form: str, attachment: str) -> str:
    """Put one invented mail into the demo mailbox; its subject.

    folder: of the maildrop. Raises ValueError for a choice that there is not.
    """
    if sender not in _SENDERS or form not in _FORMS or attachment not in _SHAPES:
        raise ValueError("no such choice")
    _, address, manner = _SENDERS[sender]
    kind, answers = _answers(form, now)
    subject = {"breach-notice": "Privacy breach notice", "it-self-assessment": "Our self-assessment"}.get(
        kind, "A question"
    )
    name = f"demo-{secrets.token_hex(6)}"
    raw = write(
        sender=address,
        subject=subject,
        body=_words(form),
        at=now,
        identity=name,
        files=_files(kind, answers, attachment) if kind else (),
    )
    domain = address.rpartition("@")[2].strip(">")
    gateway = {"pass": passes, "fail": fails, "spf": spf_only}.get(manner, lambda _: Gateway())(domain)
    waiting = folder / f".{name}.part"
    waiting.write_bytes(delivered(raw, now, gateway))
    waiting.rename(folder / "new" / f"{name}.eml")
    return subject


def _words(form: str) -> str:
    if form == "words":
        return "I sent a client’s file to the wrong email address this morning by mistake. What do I do now?"
    return "Kia ora\n\nPlease find our form attached.\n\nNgā mihi\nP. Example"


def _answers(form: str, now: datetime) -> tuple[str, dict[str, object]]:
    who = "Kōwhai Example Trust"
    if form == "notice_s1":
        told = "A letter with a new address went to the other party."
        more: dict[str, object] = {"A07": "dont_know", "A09": "ongoing", "A10": "fear", "A11": "where_when"}
        return "breach-notice", notice(who, now, told, **more)
    if form == "notice_s4":
        more = {"A10": "attacker", "A11": "private", **details(B05="stolen_device", B14="strong_encryption_key_safe")}
        return "breach-notice", notice(who, now, "A laptop was stolen from a car. It was encrypted.", **more)
    if form == "assessment":
        return "it-self-assessment", assessment(who)
    if form == "assessment_gaps":
        return "it-self-assessment", assessment(who, **{"L1-EMAIL-01": "no", "L1-INC-01": "partly"})
    return "", {}


def _files(kind: str, answers: dict[str, object], shape: str) -> tuple[File, ...]:
    if shape == "none":
        return ()
    if shape == "photo":
        return (File("IMG_0042.png", "image/png", picture()),)
    pdf = filled(kind, answers)
    changed = {"flat": flattened, "locked": locked}.get(shape)
    return (File(f"{kind}.pdf", PDF, changed(pdf) if changed else pdf),)
