"""Suggestions are a help for later: a mail full of costly files must not keep the worker from the next notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from intake import suggest
from intake.adapters.documents.runner import DocumentReader
from intake.adapters.documents.say import problem
from intake.domain.model import ReadDocument
from tests.scenarios.world import PDF, File, World
from workers import jobs

FILES = [File(f"{n}.pdf", PDF, b"%PDF-1.7 " + bytes([n])) for n in range(5)]


class _Counted(DocumentReader):
    """Reads nothing; counts how often it was asked for suggestions."""

    asked = 0
    code = "not_our_form"

    def read(self, attachments: Sequence[tuple[str, bytes]], spent: float = 0.0) -> tuple[ReadDocument, ...]:
        return tuple(ReadDocument(name, PDF, "none", problems=(problem(self.code),)) for name, _ in attachments)

    def suggestions(self, content: bytes, form: str) -> tuple[Mapping[str, object], ...]:
        self.asked += 1
        return ()


def _asked(folder: Path, code: str) -> int:
    reader = _Counted()
    reader.code = code
    world = World(folder, reader)
    world.send(files=FILES)
    jobs.drain(world.parts)
    return reader.asked


def test_no_more_files_are_begun_when_the_time_of_a_case_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggest, "_SECONDS", 0.0)
    assert _asked(tmp_path, "not_our_form") == 0


def test_a_file_that_cost_too_much_is_not_looked_at_again(tmp_path: Path) -> None:
    assert _asked(tmp_path, "too_costly") == 0


def test_other_files_are_looked_at(tmp_path: Path) -> None:
    assert _asked(tmp_path, "not_our_form") == len(FILES)
