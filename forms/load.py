"""Editions: the TOML files of `forms/editions/KIND/EDITION.toml`, read strictly and kept.

An edition is written by people who do not program, so a mistake in it stops the reading with a `FormError` that names
the file, the line and the reason: nothing is guessed, no key is skipped. How to write one: `docs/adding-a-form.md`.
"""

from __future__ import annotations

import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path

from forms.edition import FormError, Reader
from forms.schema import Form

__all__ = ["EDITIONS", "FormError", "form", "forms", "held", "hold", "read"]

EDITIONS = Path(__file__).parent / "editions"


def forms() -> tuple[Form, ...]:
    """Every edition that is there, by kind, the oldest edition first. Raises `FormError` when one is wrong."""
    return tuple(_kept(path) for path in held())


def form(name: str) -> Form:
    """The form `KIND@EDITION`, or the latest edition of `KIND`; read once and kept.

    Raises `FormError` when there is no such form, or when its file is wrong.
    """
    kind, at, edition = name.partition("@")
    there = held()
    found = [p for p in there if p.parent.name == kind and (not at or p.stem == edition)]
    if not found:
        known = ", ".join(f"{p.parent.name}@{p.stem}" for p in there)
        raise FormError(name, 0, f"there is no such form. The forms are: {known}")
    return _kept(found[-1])


def read(path: Path | str) -> Form:
    """One edition file, whatever folder it lies in. Raises `FormError` with file, line and reason."""
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FormError(str(path), 0, "the file is not in UTF-8; save it as UTF-8") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise FormError(str(path), line, f"this is not TOML: {error}") from error
    return Reader(str(path), text, table, form).form()


@lru_cache(maxsize=256)
def _kept(path: Path) -> Form:
    found = read(path)
    if (found.kind, found.edition) != (path.parent.name, path.stem):
        raise FormError(str(path), 0, f"the file says that it is {found.name}; its folder and name do not")
    return found


def held() -> tuple[Path, ...]:
    """The edition files by kind, the oldest first. Listed again when a folder changed: every page asks for a form."""
    if _FOR_GOOD:
        return _FOR_GOOD[0]
    changed = [entry.stat().st_mtime_ns for entry in os.scandir(EDITIONS) if entry.is_dir()]
    return _listed(EDITIONS, (EDITIONS.stat().st_mtime_ns, *changed))


_FOR_GOOD: list[tuple[Path, ...]] = []


def hold() -> tuple[Form, ...]:
    """Every edition that is there now, read and kept for good: for a process that can open no file later."""
    _FOR_GOOD[:] = [held()]
    return forms()


@lru_cache(maxsize=8)
def _listed(folder: Path, changed: tuple[int, ...]) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*/*.toml"), key=_age))


def _age(path: Path) -> tuple[str, tuple[int, ...]]:
    return path.parent.name, tuple(int(n) for n in re.findall(r"\d+", path.stem))
