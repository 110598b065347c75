"""What staff say that a mail is comes back as something to learn from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake import judging
from intake.cli import main
from tests.decide.labelled_mails import in_folder
from tests.scenarios.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_what_a_person_said_is_exported_as_a_labelled_mail_that_only_the_operator_can_read(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = world.send(subject="bits and bobs", body="The blue one never turned up.")
    world.send(subject="Hui", body="Is it at ten?")
    case = world.case(said)
    ana = world.parts.store.add_staff("ana@min.example", "triage", "Ana")
    judging.set_kind(world.parts, ana, case, case.row.version, "breach_notice", "The blue one is a client file.")
    monkeypatch.setenv("INTAKE_CONFIG", str(world.folder / "intake.toml"))
    monkeypatch.setenv("INTAKE_DATABASE_URL", world.parts.settings.database)
    monkeypatch.setenv("INTAKE_DATA_DIR", str(world.folder / "var"))

    assert main(["learn", "export", str(tmp_path / "out"), "--json"]) == 0

    (mail,) = in_folder(tmp_path / "out")
    assert (mail.kind, mail.danger, b"never turned up" in mail.raw) == ("breach_notice", False, True)
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "out").iterdir()} == {0o600}
    assert json.loads(capsys.readouterr().out)["mails"] == 1
    assert main(["learn", "export", str(tmp_path / "out")]) == 65
