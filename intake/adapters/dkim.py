"""Checking DKIM signatures (RFC 6376) of the stored bytes with dkimpy, stricter than it is.

Refused although dkimpy says they hold: a body length (l=), keys under 1,024 bits, keys in testing (t=y), SHA-1, a
second From or Subject that is not signed, a signature by a public suffix. The body hash is checked before any
question to DNS, so a bogus signature costs nobody a look-up; only signatures of the From domain's own organisation
are checked, at most five.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from intake.adapters.dns import Dns
from intake.domain.address import aligned, normalise_domain, registrable, strict_mailbox
from intake.domain.errors import TryLater
from intake.domain.mime import Headers, Limits, split_headers
from intake.domain.signatures import DkimResult, Signature
from intake.domain.words import unfold

MAX_SIGNATURES = 5
MIN_KEY = 1024  # bits
_MAX_VALUE = 4_096  # bytes of one signature header
_SINGLE = ("from", "subject", "date", "reply-to", "to", "content-type", "content-transfer-encoding", "message-id")
_LOOKED_AT = 2_000  # bytes of the body
_PREAMBLE = re.compile(rb"This is an? [\w /.-]{1,60} (?:in MIME format|\(RFC [\w ]{1,30}\))\.*", re.I)
_TAG = re.compile(rb"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=([^;]*)")


def verify(raw: bytes, dns: Dns) -> DkimResult:
    """The signatures of a mail, checked against the bytes as they were kept. Never raises.

    Args: dns: answers for the keys; when it has no answer the signature is "later".
    """
    if b"dkim-signature" not in raw[: Limits().header_block].lower():
        return DkimResult()
    headers, body, _, cut = split_headers(raw, 0, len(raw), Limits())
    sender = strict_mailbox([value for name, value in headers if name.strip().lower() == "from"])
    values = [value for name, value in headers if name.lower() == "dkim-signature"]
    if cut or sender.domain is None:
        return DkimResult(tuple(Signature("", "", "skipped", False) for _ in values[:MAX_SIGNATURES]))
    mail = _Mail(raw, headers, body, sender.domain, dns)
    found: list[Signature] = []
    checked = 0
    for place, value in enumerate(values[:50]):
        if checked >= MAX_SIGNATURES:
            break
        signature = mail.check(place, value)
        checked += signature.result != "skipped"
        found.append(signature)
    return DkimResult(tuple(found), _odd_shape(headers, raw[body : body + _LOOKED_AT]))


@dataclass(slots=True)
class _Mail:
    raw: bytes
    headers: Headers
    body: int
    domain: str
    dns: Dns

    def check(self, place: int, value: bytes) -> Signature:
        tags = _tags(value) if len(value) <= _MAX_VALUE else {}
        domain = normalise_domain(tags.get("d", b"").decode("utf-8", "replace"), True) or ""
        selector = tags.get("s", b"").decode("ascii", "replace")
        if not domain or not selector:
            return Signature(domain, selector, "fail", False, ("It is not written as a signature must be.",))
        if registrable(domain) is None:
            return Signature(domain, selector, "refused", False, ("It is of a public suffix, which nobody owns.",))
        if not aligned(domain, self.domain):
            return Signature(domain, selector, "skipped", False)
        problem = self._refused(tags) or self._body_differs(tags)
        if problem:
            return Signature(domain, selector, "fail" if "changed" in problem else "refused", True, (problem,))
        signed = [name.strip().lower() for name in tags["h"].split(b":")]
        return replace(self._with_key(place, domain, selector, tags), covers_shape=b"content-type" in signed)

    def _refused(self, tags: Mapping[str, bytes]) -> str:
        if tags.get("v") != b"1" or "b" not in tags or "bh" not in tags or "h" not in tags:
            return "It is not written as a signature must be."
        if "l" in tags:
            return "It covers only a part of the text (l=), so text could be added."
        if tags.get("a", b"").lower() != b"rsa-sha256":
            return "It is of a kind that we do not rely on (only rsa-sha256)."
        signed = Counter(name.strip().lower().decode("ascii", "replace") for name in tags["h"].split(b":"))
        if not signed["from"]:
            return "It does not cover the sender line."
        there = Counter(name.lower() for name, _ in self.headers)
        for name in _SINGLE:
            if there[name] > 1 and there[name] > signed[name]:
                return f"The mail has a second {name.capitalize()} line that the signature does not cover."
        return ""

    def _body_differs(self, tags: Mapping[str, bytes]) -> str:
        _, _, how = tags.get("c", b"simple/simple").lower().partition(b"/")
        if how not in (b"relaxed", b"simple", b""):
            return "It is not written as a signature must be."
        try:
            stated = base64.b64decode(_packed(tags["bh"]), validate=True)
        except (binascii.Error, ValueError):
            return "It is not written as a signature must be."
        body = canonical_body(self.raw, self.body, how == b"relaxed")
        return "" if hashlib.sha256(body).digest() == stated else "The text was changed after it was signed."

    def _with_key(self, place: int, domain: str, selector: str, tags: Mapping[str, bytes]) -> Signature:
        def answer(result: str, *problems: str) -> Signature:
            return Signature(domain, selector, result, True, problems)

        name = f"{selector}._domainkey.{domain}"
        try:
            records = [r for r in self.dns.txt(name) if "p=" in r.replace(" ", "")]
        except TryLater as later:
            return answer("later", later.for_staff)
        if len(records) != 1:
            return answer(
                "fail", "Its key is not published." if not records else "More than one key is published for it."
            )
        key = _tags(records[0].encode("utf-8", "replace"))
        problem = _key_refused(key, tags, domain)
        if problem:
            return answer("refused", problem)
        holds, why = _signed(self.raw[: self.body], place, tags, records[0])
        return answer("pass" if holds else "refused" if why else "fail", *((why,) if why else ()))


def _odd_shape(headers: Headers, start: bytes) -> bool:
    """Whether the body does not begin as its Content-Type says that it does: `start` is the first of it."""
    kinds = [unfold(value).strip().lower() for name, value in headers if name.lower() == "content-type"]
    if not kinds or kinds[0].startswith(b"text/"):
        return False
    if not kinds[0].startswith(b"multipart/"):
        return True
    before = re.split(rb"(?m)^--", start, maxsplit=1)[0].strip()
    return bool(before) and not _PREAMBLE.fullmatch(before)


def _key_refused(key: Mapping[str, bytes], tags: Mapping[str, bytes], domain: str) -> str:
    flags = [flag.strip() for flag in key.get("t", b"").lower().split(b":")]
    if key.get("v", b"DKIM1") != b"DKIM1" or key.get("k", b"rsa").lower() != b"rsa":
        return "Its key is of a kind that we do not rely on."
    if not _packed(key.get("p", b"")):
        return "Its key was withdrawn by the domain."
    if b"y" in flags:
        return "Its key is marked as a test (t=y)."
    if "h" in key and b"sha256" not in [h.strip() for h in key["h"].lower().split(b":")]:
        return "Its key does not allow this kind of signature."
    if "s" in key and not {b"*", b"email"} & {s.strip() for s in key["s"].lower().split(b":")}:
        return "Its key is not for mail."
    identity = tags.get("i", b"").decode("utf-8", "replace").rpartition("@")[2]
    if b"s" in flags and identity and normalise_domain(identity, True) != domain:
        return "Its key does not speak for names below the domain (t=s)."
    return ""


def _signed(head: bytes, place: int, tags: Mapping[str, bytes], record: str) -> tuple[bool, str]:
    """Whether the header hash is signed by the key; with a sentence when it is and yet does not count."""
    import dkim  # only a mail whose body hash is right gets here

    try:
        checker: Any = dkim.DKIM(head, minkey=MIN_KEY)
        sig, include, lines = checker.verify_headerprep(place)
        sig.pop(b"bh")  # checked already; dkimpy's own way is quadratic on long runs of blanks
        checker.pk, checker.keysize, checker.ktag, checker.seqtlsrpt = dkim.evaluate_pk(tags["s"], record.encode())
        if checker.keysize < MIN_KEY:
            return False, f"Its key has {checker.keysize} bits; at least {MIN_KEY} are needed."
        return bool(checker.verify_sig_process(sig, include, lines[place], None)), ""
    except dkim.DKIMException as error:
        if "x= value is past" in str(error):
            return False, "It had expired (x=)."
        return False, "It is not written as a signature must be."
    except (ValueError, KeyError, IndexError, TypeError, AssertionError):
        return False, "It is not written as a signature must be."


def canonical_body(raw: bytes, start: int, relaxed: bool) -> bytes:
    """The body in the form that is hashed (RFC 6376 3.4.3 and 3.4.4), in linear time."""
    body = raw[start:]
    if body.count(b"\n") != body.count(b"\r\n"):
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if relaxed:
        body = body.replace(b"\t", b" ")
        while b"  " in body:  # each turn halves the longest run
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    if end:
        return body[:end] + b"\r\n"
    return b"" if relaxed else b"\r\n"


def _tags(value: bytes) -> dict[str, bytes]:
    """The tags of a signature or a key, {} when one is stated twice or the list is out of shape (RFC 6376 3.2)."""
    tags: dict[str, bytes] = {}
    for piece in unfold(value).split(b";"):
        if not piece.strip():
            continue
        match = _TAG.fullmatch(piece)
        if match is None or match[1].decode() in tags:
            return {}
        tags[match[1].decode()] = match[2].strip()
    return tags


def _packed(value: bytes) -> bytes:
    return b"".join(value.split())
