"""`reconcile`, `doctor`, `audit`, `migrate`, `backup`, `restore`: what operators run."""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
from pathlib import Path

from intake import config
from intake.cli import UNAVAILABLE, show
from intake.config import Settings
from intake.domain.errors import CannotRead
from intake.health import findings
from intake.wiring import build


def reconcile(given: argparse.Namespace) -> int:
    counted = build(config.load()).store.outcomes()
    if given.json:
        show.line(counted)
    else:
        for name, value in counted.items():
            print(f"{name:12} {value}")
    return 0


def doctor(given: argparse.Namespace) -> int:
    if given.probe:
        from intake.cli.probe import probe

        return probe(given)
    found = findings(build(config.load()))
    for one in found:
        if given.json:
            show.line({"part": one.name, "state": one.state, "text": one.text, "mend": one.mend})
        else:
            print(f"{one.state:6} {one.name:14} {one.text}{' ' + one.mend if one.mend else ''}")
    return UNAVAILABLE if any(f.state == "bad" for f in found) else 0


def audit(given: argparse.Namespace) -> int:
    store = build(config.load()).store
    (checked, broken), (of_register, register_broken) = store.verify_events(), store.verify_register()
    if given.json:
        show.line(
            {"events": checked, "broken": broken, "register_events": of_register, "register_broken": register_broken}
        )
    else:
        print(f"{checked} events, {broken or 'the chain is whole'}")
        print(f"{of_register} events of the register, {register_broken or 'the chain is whole'}")
    return 65 if broken or register_broken else 0


def migrate(given: argparse.Namespace) -> int:
    from intake.adapters.store import migrate as bring_up

    settings = config.load()
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    bring_up(settings.database)
    print("The database is at this version.")
    return 0


def backup(given: argparse.Namespace) -> int:
    """The database by its online backup, then the kept messages. The key is not in it: keep that apart."""
    settings = config.load()
    source, folder = _sqlite_file(settings), Path(given.folder)
    if not source.is_file():
        raise CannotRead(
            f"There is no database at {source}. Set INTAKE_DATA_DIR or INTAKE_CONFIG as the service has them."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.blob_folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # before the first message there is none
    with sqlite3.connect(source) as live, sqlite3.connect(folder / "intake.db") as copy:
        live.backup(copy)
    shutil.copytree(settings.blob_folder, folder / "blobs", dirs_exist_ok=True)
    print(f"Backed up to {folder}. The key file {settings.secret_file} is not in it: keep a copy of it apart.")
    return 0


def restore(given: argparse.Namespace) -> int:
    settings = config.load()
    target, folder = _sqlite_file(settings), Path(given.folder)
    if not (folder / "intake.db").is_file():
        raise CannotRead(f"{folder} holds no intake.db; name the folder that `backup` wrote.")
    if target.exists():
        print(f"{target} exists. Restore goes into an empty data folder only: set INTAKE_DATA_DIR.", file=sys.stderr)
        return UNAVAILABLE
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(folder / "blobs", settings.blob_folder, dirs_exist_ok=True)
    shutil.copyfile(folder / "intake.db", target)
    checked, broken = build(settings).store.verify_events()
    print(f"Restored. History: {checked} events, {broken or 'the chain is whole'}.")
    if not settings.secret_file.exists():
        print(
            f"Put your copy of the key file at {settings.secret_file} before you start anything: a new key opens no message."
        )
    return 65 if broken else 0


def _sqlite_file(settings: Settings) -> Path:
    if not settings.database.startswith("sqlite:///"):
        raise CannotRead("This command backs up SQLite. For PostgreSQL use pg_dump and a copy of the blob folder.")
    return Path(settings.database.removeprefix("sqlite:///"))
