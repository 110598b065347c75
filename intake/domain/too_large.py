"""A mail above the limit of its mailbox: its beginning is kept, under a first line that says so, and opens a case. The mail itself
waits in Held for a person, when we read it from a server; whoever handed it to us has it no longer.
"""

from __future__ import annotations

PART_HEADER = b"X-Intake-Kept: part"
PART_BYTES = 256 * 1024  # its header and, nearly always, its text


def part_of(raw: bytes, whole: int, in_held: bool = True) -> bytes:
    """What is kept of a mail of `whole` bytes that begins with `raw`."""
    kept = raw[:PART_BYTES]
    return PART_HEADER + b"; bytes=%d; of=%d%b\r\n" % (len(kept), whole, b"; folder=held" * in_held) + kept
