"""`learn`: what staff said a mail is, as labelled mails to learn from."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from intake import config
from intake.cli import show
from intake.domain.errors import CannotRead
from intake.domain.web_submission import CHANNEL
from intake.ports import CaseView
from intake.wiring import build

_SAID = "kind"  # the action by which a person says what a case is
_WARNING = "These are whole mails about real people. Keep them on this machine, read them there, and delete the folder afterwards."


def learn(given: argparse.Namespace) -> int:
    """Writes NAME.eml and labels.json, as `python -m benchmarks.learn_kinds` reads them."""
    parts = build(config.load())
    folder = Path(given.folder)
    if folder.exists():
        raise CannotRead(f"{folder} exists already. Name a new folder: it will hold whole mails.")
    folder.mkdir(parents=True, mode=0o700)
    labels = {}
    for reference in parts.store.cases_with(_SAID):
        view = parts.store.case(reference)
        if view is not None and view.raw.channel != CHANNEL:
            _write(folder / f"{reference}.eml", parts.blobs.get(view.raw.blob))
            labels[reference] = _label(view)
    _write(folder / "labels.json", json.dumps(labels, indent=1, ensure_ascii=False).encode())
    if given.json:
        show.line({"folder": str(folder), "mails": len(labels)})
        return 0
    print(f"{len(labels)} mails that somebody said the kind of, in {folder}. {_WARNING}")
    return 0


def _label(view: CaseView) -> dict[str, object]:
    """Nobody was asked about danger, and the program's own opinion must not teach the program: it is null until somebody writes it."""
    why = next((e.text for e in reversed(view.events) if e.action == _SAID), "")
    return {"kind": view.row.kind, "danger": None, "certain": True, "why": why}


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
