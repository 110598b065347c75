"""A DKIM signer of our own (RFC 6376, relaxed/relaxed, rsa-sha256): an oracle that shares no code with the checker."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@cache
def key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key pair made for this run; `number` tells several apart."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def record(private: rsa.RSAPrivateKey | None = None, more: str = "") -> str:
    """The TXT record of a key."""
    der = (
        (private or key())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"v=DKIM1; k=rsa; {more}p={base64.b64encode(der).decode()}"


def sign(
    raw: bytes,
    domain: str,
    selector: str = "s1",
    private: rsa.RSAPrivateKey | None = None,
    signed: str = "from:to:subject:date:message-id",
    tags: str = "",
    length: int | None = None,
) -> bytes:
    """`raw` (CRLF) with a signature on top. `length` covers only so many bytes of the body (l=)."""
    head, _, body = raw.partition(b"\r\n\r\n")
    covered = _relaxed_body(body)
    if length is not None:
        covered, tags = covered[:length], f"{tags}l={length}; "
    digest = base64.b64encode(hashlib.sha256(covered).digest()).decode()
    value = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; {tags}h={signed}; bh={digest}; b="
    fields = re.sub(rb"\r\n(?=[ \t])", b"", head).split(b"\r\n")
    text = b""
    left = list(fields)
    for name in signed.split(":"):
        found = next((f for f in reversed(left) if f.split(b":", 1)[0].strip().lower() == name.encode()), None)
        if found is not None:
            left.remove(found)
            text += _relaxed_field(found) + b"\r\n"
    text += _relaxed_field(b"DKIM-Signature: " + value.encode())
    signature = (private or key()).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return b"DKIM-Signature: " + value.encode() + base64.b64encode(signature) + b"\r\n" + raw


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
