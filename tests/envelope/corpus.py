"""Ordinary mails in the shapes that mail programs make, from a seed: what our splitter and the standard library must agree on."""

from __future__ import annotations

import random
from email import policy
from email.message import EmailMessage
from functools import cache

_TEXTS = ("Kia ora", "We lost a laptop.\n\nNgā mihi", "From the phone\n.\n--\nAna", "ā" * 90, "a" * 300, "")


def _one(seed: int) -> bytes:
    rnd = random.Random(seed)
    mail = EmailMessage(policy=policy.SMTP if seed % 3 else policy.default)
    mail["From"] = rnd.choice(("Ana <ana@p.org.nz>", '"Tē Rangi, Mere" <mere@p.org.nz>', "hemi@p.org.nz"))
    mail["Subject"] = rnd.choice(("notice", "Kōrero – pānui", "x" * 200))
    mail.set_content(rnd.choice(_TEXTS), cte=rnd.choice(("8bit", "base64", "quoted-printable")))
    if rnd.random() < 0.6:
        mail.add_alternative("<html><body><p>" + rnd.choice(_TEXTS) + "</p></body></html>", subtype="html")
        if rnd.random() < 0.3:
            page = mail.get_payload()[1]  # type: ignore[index]
            page.add_related(rnd.randbytes(800), "image", "png", cid="<logo>")  # type: ignore[union-attr]
    for _ in range(rnd.choice((0, 1, 1, 2, 5))):
        name = rnd.choice(("form.pdf", "kōrero.pdf", "a b (1).docx", "x" * 120 + ".pdf", 'quote".pdf'))
        mail.add_attachment(rnd.randbytes(rnd.choice((0, 1, 700, 40_000))), "application", "pdf", filename=name)
    if rnd.random() < 0.2:
        mail.add_attachment(rnd.choice(_TEXTS), subtype="plain", filename="notes.txt")
    if rnd.random() < 0.25:
        inner = EmailMessage()
        inner["From"], inner["Subject"] = "c@x.nz", "inside"
        inner.set_content(rnd.choice(_TEXTS))
        mail.add_attachment(inner)
    raw = mail.as_bytes()
    return raw if seed % 5 else raw.replace(b"\r\n", b"\n")


@cache
def corpus(count: int = 60) -> tuple[bytes, ...]:
    """`count` mails, the same on every run."""
    return tuple(_one(seed) for seed in range(count))
