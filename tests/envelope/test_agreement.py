"""Our splitter against the standard library, part by part; and what opening a mail costs."""

from __future__ import annotations

import email
import random
import time
from email.header import decode_header, make_header
from email.message import Message

from intake.domain.envelope import open_envelope
from intake.domain.mime import Limits, content, split
from tests.envelope.bombs import HEAD
from tests.envelope.corpus import corpus

Leaf = tuple[str, str, str, bytes | None]


def ours(raw: bytes) -> list[Leaf]:
    parts = split(raw, Limits()).parts
    return [(p.path, p.kind, p.name, None if p.kind == "message/rfc822" else content(raw, p)[0]) for p in parts]


def theirs(raw: bytes) -> list[Leaf]:
    found: list[Leaf] = []

    def walk(part: Message, path: str) -> None:
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            for number, child in enumerate(payload, 1):
                assert isinstance(child, Message)
                walk(child, f"{path}.{number}" if path else str(number))
            return
        whole = part.get_content_type() == "message/rfc822"
        name = str(make_header(decode_header(part.get_filename() or "")))
        decoded = None if whole else part.get_payload(decode=True)
        assert decoded is None or isinstance(decoded, bytes)
        found.append((path or "1", part.get_content_type(), name, decoded))

    walk(email.message_from_bytes(raw), "")
    return found


def test_our_splitter_and_the_standard_library_agree_on_every_part() -> None:
    different = [n for n, raw in enumerate(corpus(300)) if ours(raw) != theirs(raw)]

    assert different == []


def test_boundaries_inside_boundaries_are_told_apart() -> None:
    inner = (
        b'Content-Type: multipart/alternative; boundary="b1"\r\n\r\n--b1\r\n\r\none\r\n--b1\r\n\r\ntwo\r\n--b1--\r\n'
    )
    raw = (
        HEAD
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble --b\r\n--b\r\n'
        + inner
        + b"\r\n--b \t\r\n\r\nthree --b\r\n--b1\r\n--b--\r\nafter"
    )

    assert ours(raw) == theirs(raw)
    assert [leaf[3] for leaf in ours(raw)] == [b"one", b"two", b"three --b\r\n--b1"]


def test_a_multipart_without_its_end_keeps_its_last_part() -> None:
    raw = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n'

    assert [leaf[3] for leaf in ours(raw)] == [b"one", b"two"] == [leaf[3] for leaf in theirs(raw)]


def test_opening_a_mail_of_150_kb_costs_less_than_three_milliseconds() -> None:
    import base64

    file = base64.encodebytes(random.Random(1).randbytes(110_000)).replace(b"\n", b"\r\n")
    part = b'Content-Type: application/pdf; name="form.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + file
    raw = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n' + part + b"--b--\r\n"
    open_envelope(raw)

    costs = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(10):
            open_envelope(raw)
        costs.append((time.process_time() - start) / 10)

    assert min(costs) < 0.003
