"""A mistake in an edition is told with file, line and reason, and nothing is guessed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from forms.load import EDITIONS, FormError, form, read

SMALL = """\
kind = "small"
edition = "1"
title = "Small form"

[conditions]
big = [{ SIZE = ["20+"] }]

[lists]
yes_no = [["yes", "Yes"], ["no", "No"]]

[[section]]
id = "one"
title = "One"

[[section.question]]
id = "SIZE"
kind = "choice"
label = "How big?"
short = "Size"
choices = [["1", "One"], ["20+", "Many"]]

[[section.question]]
id = "MORE"
kind = "register"
label = "More"
short = "More"
max_rows = 2
applies = ["big"]

[[section.question.column]]
id = "open"
kind = "choice"
label = "Open?"
short = "Open"
choices = "yes_no"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "1.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistake(folder: Path, text: str) -> FormError:
    with pytest.raises(FormError) as caught:
        read(written(folder, text))
    return caught.value


def line_of(text: str, marker: str) -> int:
    return text[: text.index(marker)].count("\n") + 1


def test_the_small_form_is_right(tmp_path: Path) -> None:
    made = read(written(tmp_path, SMALL))
    assert [q.id for q in made.questions] == ["SIZE", "MORE"]
    assert made.questions[1].applies.any_of == ((("SIZE", ("20+",)),),)
    assert [c.code for c in made.questions[1].columns[0].choices] == ["yes", "no"]


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("[lists]", "[lists", "[lists", "not TOML"),
        ("[lists]", "[list]", "[list]", "unknown key 'list'"),
        ("[lists]", '[paper]\npublisher = "We"\n[lists]', "publisher", "[paper] has no purpose"),
        (
            "[lists]",
            '[paper]\npublisher = "We"\npurpose = "Tell us"\nnotes = [["Only one"]]\n[lists]',
            "notes",
            "a note is [beginning, rest]",
        ),
        ("[lists]", 'round = ["round"]\n[lists]', "round", "leads back to itself"),
        ("[lists]", 'round = [{ SIZE = "1" }]\n[lists]', "round", "list of codes"),
        ("[lists]", 'round = ["square"]\n[lists]', "round", "no list 'square'"),
        ('id = "MORE"', 'id = "SIZE"', 'id = "SIZE"\nkind = "register"', "have the id 'SIZE'"),
        ('id = "MORE"', 'id = "MO.RE"', "MO.RE", "letters, digits"),
        ('label = "More"\n', "", 'id = "MORE"', "has no label"),
        ('short = "Size"', 'shrot = "Size"', "shrot", "unknown key 'shrot'"),
        ('kind = "register"', 'kind = "registre"', "registre", "kind is one of"),
        ('kind = "register"', 'kind = "text"', "[[section.question.column]]", "which has no column"),
        ("max_rows = 2", 'max_rows = "2"', "max_rows", "wrong type"),
        ("max_rows = 2\n", "", 'id = "MORE"', "has no max_rows"),
        ('["big"]', '["bigger"]', '["bigger"]', "no list 'bigger'"),
        ('["big"]', '[{ SIZES = ["1"] }]', "SIZES", "unknown question 'SIZES'"),
        ('["big"]', '[{ SIZE = ["2"] }]', '["2"]', "code '2', which SIZE does not have"),
        ('["big"]', '"sometimes"', "sometimes", '"always" or a list'),
        ('["20+", "Many"]', '["twenty plus", "Many"]', "twenty plus", "the code 'twenty plus'"),
        ('["20+", "Many"]', '["1", "Many"]', '"Many"', "two choices have the code '1'"),
        ('["20+", "Many"]', '["20+", "one"]', '"one"]', "two choices have the label 'one'"),
        ('["20+", "Many"]', '["20+"]', '"1", "One"', "a choice is [code, label]"),
        ('choices = "yes_no"', 'choices = "no_yes"', "no_yes", "no list 'no_yes'"),
        ('label = "Open?"', 'label = "Open?"\nsource = ["ACT"]', "ACT", "no source 'ACT'"),
        (
            'kind = "choice"\nlabel = "Open?"',
            'kind = "register"\nlabel = "Open?"',
            'kind = "register"\nlabel = "Open?"',
            "cannot be of kind register",
        ),
        ('id = "one"\ntitle = "One"', 'id = "one"\n', 'id = "one"', "a section has no title"),
        ('edition = "1"\n', "", "", "the form has no edition"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str, reason: str) -> None:
    assert old in SMALL
    text = SMALL.replace(old, new, 1)
    error = mistake(tmp_path, text)
    assert reason in error.reason
    assert error.line == line_of(text, at), str(error)
    assert str(tmp_path / "1.toml") in str(error)


def test_a_file_that_is_not_utf_8_says_so(tmp_path: Path) -> None:
    path = tmp_path / "1.toml"
    path.write_bytes(SMALL.replace("Small form", "Wh\u0101nau").encode("utf-16"))
    with pytest.raises(FormError, match="save it as UTF-8"):
        read(path)


def test_a_form_that_nobody_has_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(FormError, match=r"breach-notice@2026\.1"):
        form("breach-notice@1999.1")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_broken_in_an_edition_is_a_form_error_inside_the_file(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    whole = (EDITIONS / "breach-notice" / "2026.1.toml").read_text(encoding="utf-8").splitlines()
    lines = whole[:125]
    broken = 0
    for _ in range(40):
        copy = list(lines)
        at = rng.randrange(len(copy))
        old, new = rng.choice([("=", "= 5 #"), ("=", "= [] #"), ('"', ""), ("[[", "["), ("id", "idd"), ("=", "= {} #")])
        copy[at] = copy[at].replace(old, new, 1) if rng.random() < 0.8 else ""
        try:
            read(written(tmp_path, "\n".join(copy)))
        except FormError as error:
            broken += 1
            assert 0 <= error.line <= len(copy) + 1, str(error)
    assert broken > 5
