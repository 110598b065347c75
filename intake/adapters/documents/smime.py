"""An S/MIME part as the mail that it holds. Runs in the child, which never sees a private key: of an encrypted mail it first says
for whom it is, and is then given the key of that one mail.
"""

from __future__ import annotations

import zlib

from intake.adapters.documents import cms
from intake.adapters.documents.as_mail import Unwrapped, entity_of, write

_CBC = {
    "2.16.840.1.101.3.4.1.2": 16,
    "2.16.840.1.101.3.4.1.22": 24,
    "2.16.840.1.101.3.4.1.42": 32,
    "1.2.840.113549.3.7": 24,  # three times DES, which old programs still write
}
_TRIPLE_DES = "1.2.840.113549.3.7"
_GCM = {"2.16.840.1.101.3.4.1.6": 16, "2.16.840.1.101.3.4.1.26": 24, "2.16.840.1.101.3.4.1.46": 32}
_SIGNED_NOTE = "smime_signed"


class Encrypted(Exception):
    """It needs a key. `recipients` say for whom it is."""

    def __init__(self, recipients: tuple[cms.Recipient, ...]) -> None:
        super().__init__("encrypted")
        self.recipients = recipients


def unwrap(raw: bytes, name: str, key: bytes, most: int) -> Unwrapped:
    """The mail in an S/MIME part. key: of this mail's content, b"" for none. most: bytes that it may hold.

    Raises Encrypted, cms.Broken, and whatever a wrong key brings.
    """
    kind, reader, element = cms.content_info(raw)
    if kind == cms.SIGNED:
        content = cms.signed_content(reader, element)
        # Without content it is certificates, or a signature of what stands beside it: nothing to read, and nothing missing.
        return Unwrapped(entity_of(content, name) if content else write((), "", b"", "", ()), (_SIGNED_NOTE,))
    if kind == cms.COMPRESSED:
        return Unwrapped(entity_of(_inflated(cms.compressed_content(reader, element), most), name))
    if kind not in (cms.ENVELOPED, cms.AUTH_ENVELOPED):
        raise cms.Broken
    sealed = cms.sealed(reader, element)
    if not key:
        raise Encrypted(sealed.recipients)
    return Unwrapped(entity_of(_opened(sealed, key), name))


def _inflated(packed: bytes, most: int) -> bytes:
    packing = zlib.decompressobj()
    content = packing.decompress(packed, most)
    if packing.unconsumed_tail:
        raise MemoryError
    return content


def _opened(sealed: cms.Sealed, key: bytes) -> bytes:
    """The content, by the key that stands in it for us. Raises cms.Broken for a cipher that we do not have, and for a wrong key."""
    if len(key) != (_CBC | _GCM).get(sealed.algorithm):
        raise cms.Broken
    if sealed.algorithm in _GCM:
        return _authenticated(sealed, key)
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.padding import PKCS7

    reader = cms.Reader(sealed.parameters)
    start = reader.octets(reader.at(0, len(sealed.parameters)))
    algorithm = TripleDES(key) if sealed.algorithm == _TRIPLE_DES else AES(key)
    opening = Cipher(algorithm, modes.CBC(start)).decryptor()
    padding = PKCS7(algorithm.block_size).unpadder()
    return padding.update(opening.update(sealed.content) + opening.finalize()) + padding.finalize()


def _authenticated(sealed: cms.Sealed, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    reader = cms.Reader(sealed.parameters)
    nonce = next(reader.inside(reader.at(0, len(sealed.parameters))))
    return AESGCM(key).decrypt(reader.octets(nonce), sealed.content + sealed.mac, sealed.also or None)
