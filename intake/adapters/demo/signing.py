"""A DKIM key of the invented providers, made when the demo starts: its public half goes into the demo's DNS zone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

SELECTOR = "demo"
DOMAINS = ("xn--ttara-whnau-qjb49g.example", "kowhai-trust.example")
Sign = Callable[[bytes, str], bytes]


def key_file(folder: Path) -> bytes:
    """The private key as PEM; made once and kept beside the demo's database."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    path = folder / "demo-dkim.pem"
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        path.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        path.chmod(0o600)
    return path.read_bytes()


def zone(pem: bytes) -> dict[str, dict[str, list[str]]]:
    """The DNS records that say whose key it is, in the form of INTAKE_DNS_FILE."""
    from cryptography.hazmat.primitives import serialization

    public = serialization.load_pem_private_key(pem, None).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    return {f"{SELECTOR}._domainkey.{domain}": {"TXT": [record]} for domain in DOMAINS}


def signer(pem: bytes) -> Sign:
    """Signs a mail for a domain of DOMAINS as its provider's server would (RFC 6376)."""

    def sign(raw: bytes, domain: str) -> bytes:
        from dkim import sign as dkim_sign

        headers = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
        made: bytes = dkim_sign(
            raw, SELECTOR.encode(), domain.encode(), pem, include_headers=[*headers, b"from", b"subject"]
        )
        return made + raw

    return sign
