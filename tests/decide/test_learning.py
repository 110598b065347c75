"""What staff say that a mail is comes back as something to learn from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.learn_kinds import guessed, learn, written
from intake import judging
from intake.cli import main
from intake.domain import kind
from intake.domain.errors import Misconfigured
from tests.decide.labelled_mails import in_folder, learning_sets
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
    assert mail.kind == "breach_notice" and b"never turned up" in mail.raw
    assert mail.danger is None  # nobody was asked
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "out").iterdir()} == {0o600}
    assert json.loads(capsys.readouterr().out)["mails"] == 1
    assert main(["learn", "export", str(tmp_path / "out")]) == 65


def test_the_weights_are_those_that_the_labelled_mails_give() -> None:
    sets = learning_sets()
    learnt = kind.read_weights(written(learn([m for mails in sets.values() for m in mails]).weights()))
    shipped = kind.weights_file()

    assert set(learnt.of) == set(shipped.of)
    assert (
        max(abs(learnt.of[f].notice - w.notice) + abs(learnt.of[f].danger - w.danger) for f, w in shipped.of.items())
        < 0.02
    )


def test_hard_mails_that_nothing_was_learnt_from_are_mostly_told_right() -> None:
    """docs/kinds.md tells what each set comes to; here stands what no change may fall below."""
    sets = learning_sets()
    hard = sets.pop("hard")
    weights = learn([m for mails in sets.values() for m in mails]).weights()
    found = {
        wanted: [guessed(m, weights)[0] for m in hard if (m.kind == "breach_notice") is wanted]
        for wanted in (True, False)
    }

    assert sum(found[True]) / len(found[True]) >= 0.93
    assert sum(found[False]) / len(found[False]) <= 0.10


def test_a_weight_that_is_no_number_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="line 2"):
        kind.read_weights("(always)\t0\t0\t0\nword\tmuch\t1\t1\n")
    with pytest.raises(Misconfigured, match="always"):
        kind.read_weights("word\t1\t1\t1\n")
