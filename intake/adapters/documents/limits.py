"""How much one document may cost. Each figure with its reason; a test may set smaller ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    size: int = 35_000_000  # bytes of one file: mail servers rarely let more through
    documents: int = 60  # files of one message that are read; the rest is for a person
    message_seconds: float = 20.0  # wall clock for all files of one message: the next mail waits for it
    message_cpu_seconds: float = 4.0  # of the child for one message, whatever it holds; with our own work, below 5
    unpacked: int = 36_700_160  # bytes of the mail that a wrapper holds: no more than any mail may have
    pages: int = 200  # pages that the layout reader looks at
    suggestion_pages: int = 20  # pages that suggestions are made from
    cpu_seconds: float = 3.5  # for one document; the slowest honest file of our test sets took less than 1 s
    suggestion_cpu_seconds: float = 20.0
    wall_seconds: float = 10.0  # for one document, in case the kernel does not count what it waits for
    suggestion_wall_seconds: float = 40.0
    memory: int = 512_000_000  # address space of the child
    answer: int = 1_000_000  # bytes of JSON that come back

    def as_plain(self) -> dict[str, float]:
        return asdict(self)
