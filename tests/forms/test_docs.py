"""The page for newcomers shows a form that works."""

from __future__ import annotations

import random
import re
from pathlib import Path

from forms.canonical import canonical, flat
from forms.load import read
from forms.schema import Kind
from tests.support.random_answers import random_answers

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-form.md").read_text(encoding="utf-8")


def test_the_example_on_the_page_is_a_form_without_a_line_of_python(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "2027.1.toml"
    path.write_text(example[1], encoding="utf-8")
    made = read(path)
    assert [q.id for q in made.questions] == ["HOURS", "LUNCH", "ROOMS"]
    for seed in range(20):
        answers = random_answers(made, random.Random(seed))
        assert canonical(made, flat(made, answers)) == (answers, ())


def test_the_page_names_every_kind_of_question() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `kind`"))
    assert {str(k) for k in Kind} | {"control"} == set(re.findall(r"`(\w+)`", row)) - {"kind"}
