"""`receive`, `explain`, `read`: mails and documents from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from intake import config, receive
from intake.cli import TRY_LATER, show
from intake.domain.errors import CannotRead, IntakeError
from intake.domain.model import Arrival
from intake.examine import examine, typed_form
from intake.pipeline import Done, process_kept
from intake.ports import Delivery
from intake.wiring import NoLookups, Parts, build

T = TypeVar("T")
_TOGETHER = 20  # arrivals made durable by one commit; all are durable before any is read


def receive_mails(given: argparse.Namespace) -> int:
    parts = build(config.load())
    piped = given.paths == ["-"]
    try:
        for arrivals in _chunks(_arrivals(parts, given), _TOGETHER):
            _take(parts, arrivals, given)
    except (OSError, IntakeError) as error:
        # To a mail server 75 means: not kept, give it to me again.
        reason = error.for_staff if isinstance(error, IntakeError) else error.strerror
        print(f"provider-intake: not kept: {reason}", file=sys.stderr)
        return TRY_LATER if piped else 65
    finally:
        if "documents" in parts.__dict__:
            parts.documents.close()
    return 0


def _take(parts: Parts, arrivals: Sequence[Arrival], given: argparse.Namespace) -> None:
    for arrival, (delivery, raw) in zip(arrivals, receive.keep_in_hand(parts, arrivals), strict=True):
        if given.keep_only:
            _print_kept(arrival, delivery, given.json)
        else:
            _print_done(arrival, delivery, process_kept(parts, delivery, raw), given.json)


def _arrivals(parts: Parts, given: argparse.Namespace) -> Iterator[Arrival]:
    from intake.adapters.pipe import arrivals

    return arrivals(given.paths, given.mailbox, parts.clock)


def _print_kept(arrival: Arrival, delivery: Delivery, as_json: bool) -> None:
    if as_json:
        show.line(_where(arrival.label, delivery))
    else:
        print(f"kept  {arrival.label}")


def _print_done(arrival: Arrival, delivery: Delivery, done: Done, as_json: bool) -> None:
    if not as_json:
        print(f"{done.outcome.value:13} {', '.join(done.cases) or '-':13} {arrival.label}")
        return
    found = done.examination
    shown = show.examination(found) if found else {"kind": None, "provider": None, "sender": None, "documents": []}
    show.line(
        {
            **_where(arrival.label, delivery),
            "outcome": done.outcome.value,
            "case": done.cases[0] if done.cases else None,
            "cases": list(done.cases),
            **shown,
        }
    )


def _where(path: str, delivery: Delivery) -> dict[str, object]:
    return {
        "path": path,
        "message": delivery.raw.content_key,
        "delivery": delivery.id,
        "sha256": delivery.raw.sha256,
        "received_at": show.instant(delivery.received_at),
    }


def explain(given: argparse.Namespace) -> int:
    import hashlib

    settings = config.load()
    parts = build(settings)
    if settings.database.startswith("sqlite") and not Path(settings.database.removeprefix("sqlite:///")).exists():
        parts.__dict__["lookups"] = NoLookups()
    raw = _bytes(given.path)
    try:
        found = examine(parts, raw, "explain", given.mailbox, parts.clock())
    finally:
        if "documents" in parts.__dict__:
            parts.documents.close()
    if given.json:
        show.line(
            {
                "path": given.path,
                "message": receive.content_key(raw),
                "sha256": hashlib.sha256(raw).hexdigest(),
                "outcome": found.outcome.value,
                "case": found.update,
                "cases": [found.update] if found.update else [],
                **show.examination(found),
            }
        )
    else:
        show.explained(given.path, found)
    return 0


def read(given: argparse.Namespace) -> int:
    raw = _bytes(given.path)
    from intake.adapters.documents.runner import DocumentReader

    reader = DocumentReader()
    try:
        (document,) = reader.read([(Path(given.path).name, raw)])
    finally:
        reader.close()
    if document.how == "none" and document.media_type.startswith("text/"):
        document = typed_form(raw.decode("utf-8", "replace")) or document
    if document.how == "none":
        why = " ".join(p.message for p in document.problems) or "It is not a form that we can read."
        raise CannotRead(f"{given.path}: {why}")
    if given.json:
        show.line(show.document(document))
    else:
        show.read_document(document)
    return 0


def _bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CannotRead(f"{path} cannot be opened: {error.strerror}.") from error


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
