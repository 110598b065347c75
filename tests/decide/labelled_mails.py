"""Labelled mails without a readable form, as bytes, and how often the program is right about them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intake.domain.marks import POSSIBLE_DANGER
from intake.examine import Examination

MAILS = Path(__file__).with_name("mails")
AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
_NOTICE = "breach_notice"
_PART = b"--part"
_INVITATION = b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class Labelled:
    name: str
    raw: bytes
    kind: str  # breach_notice, self_assessment, other, automatic
    danger: bool | None  # None: nobody said
    certain: bool = True


@dataclass(slots=True)
class Score:
    """Rates from 0 to 1, and the names of the mails that were taken for something else."""

    notices: int = 0
    others: int = 0
    in_danger: int = 0
    not_in_danger: int = 0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    automatic_wrong: list[str] = field(default_factory=list)

    def rates(self) -> Mapping[str, float]:
        return {
            "recall": 1 - len(self.missed) / max(1, self.notices),
            "false_rate": len(self.false) / max(1, self.others),
            "danger_seen": 1 - len(self.unseen) / max(1, self.in_danger),
            "danger_false_rate": len(self.alarms) / max(1, self.not_in_danger),
            "automatic_wrong": float(len(self.automatic_wrong)),
        }


def learning_sets() -> dict[str, list[Labelled]]:
    """The mails that the weights are learnt from, by the set that they were written for."""
    return {path.stem: _read(path) for path in sorted(MAILS.glob("*.toml"))}


def _read(path: Path) -> list[Labelled]:
    whole = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_labelled(n, mail, whole["footers"]) for n, mail in enumerate(whole["mail"])]


def in_folder(folder: Path) -> list[Labelled]:
    """`*.eml` beside a `labels.json`: name -> kind, danger, and whether two readers agree (certain)."""
    if not (folder / "labels.json").is_file():
        raise SystemExit(f"{folder} holds no labels.json; `provider-intake learn export FOLDER` writes one.")
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [
        Labelled(name, (folder / f"{name}.eml").read_bytes(), said["kind"], said["danger"], said.get("certain", True))
        for name, said in labels.items()
    ]


def score(mails: Iterable[Labelled], examined: Callable[[bytes], Examination]) -> Score:
    found = Score()
    for mail in mails:
        said = examined(mail.raw)
        kind = "automatic" if said.outcome.value == "automatic" else said.kind.value
        afraid = any(d.severity and d.severity.band == "S1" for d in said.drafts) or POSSIBLE_DANGER in said.marks
        is_notice = mail.kind == _NOTICE
        found.notices += is_notice
        found.others += not is_notice
        found.in_danger += mail.danger is True
        found.not_in_danger += mail.danger is False
        if is_notice != (kind == _NOTICE):
            (found.missed if is_notice else found.false).append(mail.name)
        if mail.danger is not None and mail.danger != afraid:
            (found.unseen if mail.danger else found.alarms).append(mail.name)
        if mail.certain and (mail.kind == "automatic") != (kind == "automatic"):
            found.automatic_wrong.append(mail.name)
    return found


# ---- from the labels to bytes -----------------------------------------------------------------------------------------


def _labelled(number: int, mail: Mapping[str, Any], footers: Mapping[str, str]) -> Labelled:
    body = mail["body"] + (f"\n\n{footers[mail['footer']]}" if "footer" in mail else "")
    raw = _written(number, mail["subject"], body, mail.get("headers", ()), mail.get("files", ()))
    return Labelled(f"{number:03d} {mail['subject']}", raw, mail["kind"], mail.get("danger", False))


def _written(number: int, subject: str, body: str, headers: Sequence[str], files: Sequence[str]) -> bytes:
    text = body.replace("\n", "\r\n").encode()
    typed = next((h for h in headers if h.lower().startswith("content-type:")), "")
    head = [
        *(h for h in headers if h != typed),
        "From: Writer <writer@sender.example>",
        "To: intake@min.example",
        f"Subject: {subject}",
        "Date: Mon, 23 Nov 2026 09:00:00 +1300",
        f"Message-ID: <labelled-{number}@sender.example>",
        "MIME-Version: 1.0",
    ]
    if "text/calendar" in typed:
        lines = [f"{typed}; charset=utf-8"]
        return _joined(head, lines, b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n" + text)
    if typed:
        status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n"
        return _joined(head, [f"{typed}; boundary=part"], b"\r\n".join(_parts(text, [status])))
    if files:
        parts = [_file(name) for name in files]
        return _joined(head, ["Content-Type: multipart/mixed; boundary=part"], b"\r\n".join(_parts(text, parts)))
    return _joined(head, ["Content-Type: text/plain; charset=utf-8"], text)


def _parts(text: bytes, parts: Sequence[bytes]) -> Iterator[bytes]:
    for part in (b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text, *parts):
        yield _PART
        yield part
    yield _PART + b"--"


def _file(name: str) -> bytes:
    """Only its name counts here: what is in it cannot be read. An invitation is what a calendar program sends."""
    invitation = name.endswith(".ics")
    kind, content = (
        ("text/calendar", _INVITATION) if invitation else ("application/octet-stream", b"\x00\x01not a form")
    )
    head = f'Content-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n'
    return head.encode() + content


def _joined(head: Sequence[str], more: Sequence[str], body: bytes) -> bytes:
    return "\r\n".join((*head, *more)).encode() + b"\r\n\r\n" + body
