"""The keys that open encrypted mail (S/MIME). They stay in this process: of a hostile mail only its short encrypted key reaches
them, and what goes to the child is the key of that one mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from intake.domain.errors import Misconfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_PKCS1 = "1.2.840.113549.1.1.1"
_OAEP = "1.2.840.113549.1.1.7"
_SHA256 = bytes.fromhex("608648016503040201")  # the object id, as it stands in the parameters of OAEP


class MailKeys:
    """files: PEM files, each with one certificate and its private key (RSA, without a password)."""

    def __init__(self, files: Sequence[str] = ()) -> None:
        self._files = tuple(files)

    def content_key(self, recipients: object) -> bytes:
        """The key of a mail's content, when one of our certificates is among those whom it was encrypted for; else b"".

        recipients: what the child read, believed in nothing but its shape.
        """
        if not self._files or not isinstance(recipients, list):
            return b""
        for recipient in recipients[:50]:
            for certificate, key in self._pairs:
                if isinstance(recipient, dict) and _is_for(certificate, recipient):
                    found = _opened(key, recipient)
                    if found:
                        return found
        return b""

    def check(self) -> None:
        """Raises Misconfigured for a file that cannot be used."""
        _ = self._pairs

    @cached_property
    def _pairs(self) -> tuple[tuple[Certificate, RSAPrivateKey], ...]:
        return tuple(_pair(file) for file in self._files)


def _pair(file: str) -> tuple[Certificate, RSAPrivateKey]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        pem = Path(file).read_bytes()
        certificate, key = load_pem_x509_certificate(pem), load_pem_private_key(pem, None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(
            f"INTAKE_SMIME_FILES names {file}, which has no certificate and key that open: {error}."
        ) from error
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise Misconfigured(f"INTAKE_SMIME_FILES names {file}, whose key is not the RSA key of its certificate.")
    return certificate, key


def _is_for(certificate: Certificate, recipient: Mapping[str, object]) -> bool:
    if recipient.get("key_id"):
        from cryptography.x509 import ExtensionNotFound, SubjectKeyIdentifier

        try:
            named = certificate.extensions.get_extension_for_class(SubjectKeyIdentifier).value.digest
        except ExtensionNotFound:
            named = SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
        return recipient["key_id"] == named.hex()
    same = recipient.get("issuer") == certificate.issuer.public_bytes().hex()
    return same and recipient.get("serial") == str(certificate.serial_number)


def _opened(key: RSAPrivateKey, recipient: Mapping[str, object]) -> bytes:
    padding = _padding(recipient)
    if padding is None:
        return b""
    try:
        return key.decrypt(bytes.fromhex(str(recipient["key"])), padding)
    except (ValueError, KeyError):
        return b""


def _padding(recipient: Mapping[str, object]) -> AsymmetricPadding | None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15

    if recipient.get("algorithm") == _PKCS1:
        return PKCS1v15()
    if recipient.get("algorithm") != _OAEP:
        return None
    wide = _SHA256.hex() in str(recipient.get("parameters", ""))
    digest: hashes.HashAlgorithm = hashes.SHA256() if wide else hashes.SHA1()  # noqa: S303 - the default of RFC 8017
    return OAEP(MGF1(digest), digest, None)
