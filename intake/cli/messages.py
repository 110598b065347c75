"""`receive`, `explain`, `read`: mails and documents from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from intake import config, receive
from intake.cli import BAD_BYTES, TRY_LATER, show
from intake.cli.progress import Progress
from intake.domain.errors import CannotRead, IntakeError, TryLater
from intake.domain.model import Arrival
from intake.examine import examine, typed_form
from intake.health import UNNAMED, UNNAMED_KEY
from intake.pipeline import Done, process_kept
from intake.ports import Delivery
from intake.wiring import NoLookups, Parts, build

Problem = Callable[[str], None]
Kept = tuple[Delivery, bytes | None]


def receive_mails(given: argparse.Namespace, parts: Parts | None = None) -> int:
    if given.paths == ["-"]:
        return _receive_piped(given, parts)
    parts, problems = parts or build(config.load()), list[str]()
    _warn_of_name(parts, given.mailbox)
    progress = Progress(_size(given.paths), quiet=given.json)

    def problem(sentence: str) -> None:
        problems.append(sentence)
        progress.wipe()
        print(f"provider-intake: {sentence}", file=sys.stderr)

    try:
        for arrivals in receive.in_groups(_arrivals(parts, given, problem)):
            _take(parts, arrivals, given, progress)
    except KeyboardInterrupt:
        progress.wipe()
        print(
            f"\nStopped after {progress.count} mails, which are kept. The same command goes on there.", file=sys.stderr
        )
        return 130
    except IntakeError as error:
        progress.wipe()
        print(f"provider-intake: not kept: {error.for_staff}", file=sys.stderr)
        return TRY_LATER if isinstance(error, TryLater) else BAD_BYTES
    finally:
        progress.wipe()
        _close(parts)
    _tell_passed_over(given.paths)
    return BAD_BYTES if problems else 0


def _tell_passed_over(paths: Sequence[str]) -> None:
    from intake.adapters.pipe import passed_over

    if others := passed_over(paths):
        print(
            f"provider-intake: {others} files were passed over: of a folder only .eml and .mbox are taken. Name others to have them read.",
            file=sys.stderr,
        )


def _receive_piped(given: argparse.Namespace, parts: Parts | None) -> int:
    """A mail from a mail server. Any other answer than 0 and 75 would make the server send it back to who wrote it."""
    try:
        parts = parts or build(config.load())
        (arrival,) = _arrivals(parts, given)
        ((delivery, raw),) = receive.keep_in_hand(parts, [arrival])
        _warn_of_name(parts, given.mailbox)
    except Exception as error:  # noqa: BLE001 - a door: not kept, for whatever reason; the server gives it to us again
        print(f"provider-intake: not kept: {_reason(error)}", file=sys.stderr)
        return TRY_LATER
    try:
        _finish(parts, arrival, delivery, raw, given)
    except Exception as error:  # noqa: BLE001 - a door: it is kept, and the worker takes it to its end
        print(f"provider-intake: kept, and worked on later: {_reason(error)}", file=sys.stderr)
    finally:
        _close(parts)
    return 0


def _warn_of_name(parts: Parts, mailbox: str) -> None:
    """It is kept all the same; and a word about its sender counts by no table, so that a slip of a letter must be seen."""
    if mailbox == config.DEFAULT_MAILBOX or parts.settings.mailbox(mailbox) is not None:
        return
    print(f"provider-intake: {UNNAMED.format(mailbox)}", file=sys.stderr)
    parts.store.remember(f"{UNNAMED_KEY}{mailbox[:60]}", parts.clock().isoformat())


def _reason(error: Exception) -> str:
    return error.for_staff if isinstance(error, IntakeError) else f"The program failed ({type(error).__name__})."


def _close(parts: Parts) -> None:
    if "documents" in parts.__dict__:
        parts.documents.close()


def _take(parts: Parts, arrivals: Sequence[Arrival], given: argparse.Namespace, progress: Progress) -> None:
    """Keep those that are new by one commit, then work on each; what an earlier run has done is only told."""
    found = parts.store.deliveries_of(arrivals[0].channel, given.mailbox, [a.remote_id for a in arrivals])
    known: dict[str, Kept] = {delivery.remote_id: (delivery, None) for delivery in found}
    new = [arrival for arrival in arrivals if arrival.remote_id not in known]
    known |= {d.remote_id: (d, raw) for d, raw in receive.keep_in_hand(parts, new)} if new else {}
    before = {delivery.remote_id for delivery in found}
    for arrival in arrivals:
        progress.wipe()
        if arrival.remote_id in before and not given.json:
            print("known  ", end="")
        _finish(parts, arrival, *known[arrival.remote_id], given)
        progress.step(len(arrival.raw))
    sys.stdout.flush()  # whoever reads the lines need not wait for the end


def _finish(parts: Parts, arrival: Arrival, delivery: Delivery, raw: bytes | None, given: argparse.Namespace) -> None:
    if given.keep_only:
        _print_kept(arrival, delivery, given.json)
    else:
        _print_done(arrival, delivery, process_kept(parts, delivery, raw), given.json)


def _arrivals(parts: Parts, given: argparse.Namespace, problem: Problem | None = None) -> Iterator[Arrival]:
    from intake.adapters.pipe import arrivals

    return arrivals(given.paths, given.mailbox, parts.clock, problem)


def _size(paths: Sequence[str]) -> int:
    from intake.adapters.pipe import size_of

    return size_of(paths)


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
