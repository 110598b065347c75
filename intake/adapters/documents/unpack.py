"""The child's task of opening a wrapper: what it holds as the bytes of a mail, or why not."""

from __future__ import annotations

from dataclasses import dataclass

from intake.adapters.documents import archive, cms, smime, tnef
from intake.adapters.documents.as_mail import Unwrapped
from intake.adapters.documents.limits import Limits
from intake.domain.wrappers import MSG, TNEF, ZIP


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of an answer, as JSON values, and the bytes that go with it."""

    head: dict[str, object]
    body: bytes = b""


def unpack(body: bytes, head: dict[str, object], limits: Limits) -> Reply:
    """head: `wrapper`, the `name` of the file, and `key`, the hexadecimal key of an encrypted mail's content."""
    try:
        held = _unwrapped(body, head, limits)
    except smime.Encrypted as locked:
        return Reply({"recipients": [_plain(r) for r in locked.recipients]})
    except tnef.NotInstalled:
        return Reply({"problem": "no_tnef"})
    except archive.OneDocument:
        return Reply({"problem": "one_document"})
    except archive.Locked:
        return Reply({"problem": "encrypted"})
    except archive.TooLarge:
        return Reply({"problem": "too_large"})
    except archive.Damaged:
        return Reply({"problem": "wrapper_damaged"})
    except cms.Broken:
        return Reply({"problem": "encrypted_mail" if head.get("key") else "wrapper_damaged"})
    if len(held.mail) > limits.unpacked:
        return Reply({"problem": "too_large"})
    return Reply({"notes": list(held.notes)}, held.mail)


def _unwrapped(body: bytes, head: dict[str, object], limits: Limits) -> Unwrapped:
    if head["wrapper"] == MSG:
        from intake.adapters.documents import outlook

        return outlook.unwrap(body)
    if head["wrapper"] == TNEF:
        return tnef.unwrap(body)
    if head["wrapper"] == ZIP:
        return archive.unwrap(body, limits.unpacked)
    return smime.unwrap(body, str(head["name"]), bytes.fromhex(str(head.get("key", ""))), limits.unpacked)


def _plain(recipient: cms.Recipient) -> dict[str, object]:
    return {
        "issuer": recipient.issuer.hex(),
        "serial": str(recipient.serial),
        "key_id": recipient.key_id.hex(),
        "algorithm": recipient.algorithm,
        "parameters": recipient.parameters.hex(),
        "key": recipient.key.hex(),
    }
