"""Learns what each word of a mail without a form weighs, from labelled mails, and says how often that is right on mails it did not see.

Run: python -m benchmarks.learn_kinds [FOLDER ...] [--folds] [--write]
The labelled mails of the project (tests/decide/mails) are always among them; a FOLDER holds *.eml and labels.json, as
`provider-intake learn export` writes them. --folds: each set is judged by what the others teach. --write: intake/domain/kind_weights.tsv.

Logistic regression with a strong pull to zero, by coordinate descent in the dual (Yu, Huang, Lin 2011); the same mails give the same file.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intake.domain import kind, kind_features
from intake.domain.envelope import open_envelope
from intake.domain.kind_features import Sentence
from intake.domain.model import CaseKind
from tests.decide.labelled_mails import Labelled, in_folder, learning_sets

FILE = Path(kind.__file__).with_name("kind_weights.tsv")
STRENGTH = 5.0  # how much one mail counts against the pull to zero
SEEN_IN = 2  # mails that must have a feature
ROUNDS = 40
HEAD = """\
# What each word weighs, learnt from labelled mails by `python -m benchmarks.learn_kinds --write`; change the mails, not this file.
# feature, rarity, points for a notice, points for danger. CAPITALS: words of one meaning (kind_words.toml); A+B: both in one sentence.
"""
Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    rarity: Mapping[str, float]
    notice: Mapping[str, float]
    danger: Mapping[str, float]

    def weights(self) -> kind.Weights:
        of = {f: kind.Weight(r, self.notice.get(f, 0.0), self.danger.get(f, 0.0)) for f, r in self.rarity.items()}
        return kind.Weights(kind.Weight(0.0, self.notice[""], self.danger[""]), of)


def said(mail: Labelled) -> list[Sentence]:
    """The sentences of its own words."""
    words, opened = kind.words_file(), open_envelope(mail.raw)
    names = [a.name for a in opened.attachments if not a.inline]
    text = kind.text_of_mail(opened.subject, opened.body, names, words.cut)
    return kind_features.sentences(text, words.meanings)


def learn(mails: Sequence[Labelled]) -> Model:
    rows = [kind_features.counted(said(mail)) for mail in mails]
    seen = Counter(feature for row in rows for feature in row)
    rarity = {f: 1.0 + math.log((1 + len(rows)) / (1 + n)) for f, n in sorted(seen.items()) if n >= SEEN_IN}
    vectors = [_unit(row, rarity) for row in rows]
    notice, danger = (_fit(*_said_of(vectors, labels)) for labels in _labels(mails))
    return Model(rarity, notice, danger)


def _said_of(vectors: Sequence[Vector], labels: Sequence[bool | None]) -> tuple[list[Vector], list[int]]:
    """Those that somebody said it of."""
    known = [(vector, 1 if label else -1) for vector, label in zip(vectors, labels, strict=True) if label is not None]
    return [vector for vector, _ in known], [y for _, y in known]


def _labels(mails: Sequence[Labelled]) -> tuple[Sequence[bool | None], Sequence[bool | None]]:
    return [m.kind == "breach_notice" for m in mails], [m.danger for m in mails]


def _unit(row: Mapping[str, int], rarity: Mapping[str, float]) -> Vector:
    vector = {f: (1.0 + math.log(n)) * rarity[f] for f, n in row.items() if f in rarity}
    length = math.sqrt(sum(v * v for v in vector.values())) or 1.0
    return {f: v / length for f, v in vector.items()} | {"": 1.0}


def _fit(vectors: Sequence[Vector], said: Sequence[int]) -> dict[str, float]:
    """Weights by feature; "" is that of every mail. Both answers count the same together, however many mails have them."""
    share = {y: len(said) / (2 * max(1, said.count(y))) for y in (1, -1)}
    most = [STRENGTH * share[y] for y in said]
    weights: dict[str, float] = {}
    alpha = [m * 0.01 for m in most]
    for vector, y, a in zip(vectors, said, alpha, strict=True):
        _add(weights, vector, y * a)
    squares = [sum(v * v for v in vector.values()) for vector in vectors]
    order = list(range(len(said)))
    shuffle = random.Random(7)
    for _ in range(ROUNDS):
        shuffle.shuffle(order)
        for i in order:
            margin = said[i] * sum(v * weights.get(f, 0.0) for f, v in vectors[i].items())
            step = _step(alpha[i], most[i], margin, squares[i])
            alpha[i] += step
            _add(weights, vectors[i], said[i] * step)
    return weights


def _add(weights: dict[str, float], vector: Vector, times: float) -> None:
    for feature, value in vector.items():
        weights[feature] = weights.get(feature, 0.0) + times * value


def _step(alpha: float, most: float, margin: float, square: float) -> float:
    """How far one mail's share moves: where the slope of the dual is zero, by halving (it is monotone)."""
    low, high = most * 1e-9, most * (1 - 1e-9)
    for _ in range(30):
        middle = (low + high) / 2
        slope = square * (middle - alpha) + margin + math.log(middle / (most - middle))
        low, high = (middle, high) if slope < 0 else (low, middle)
    return (low + high) / 2 - alpha


# ---- how often it is right --------------------------------------------------------------------------------------------------


def tell(name: str, mails: Sequence[Labelled], weights: kind.Weights) -> None:
    """One row: found of the notices, false alarms of the others, the same for danger; at the thresholds as they are shipped."""
    found = [guessed(mail, weights) for mail in mails]
    rates = []
    for column, labels in zip(zip(*found, strict=True), _labels(mails), strict=True):
        for wanted in (True, False):
            said = [guess for guess, label in zip(column, labels, strict=True) if label is wanted]
            rates.append(f"{sum(said) / max(1, len(said)):.2f} ({sum(said)} of {len(said)})")
    print(f"| {name} | {len(mails)} | {' | '.join(rates)} |", flush=True)


def guessed(mail: Labelled, weights: kind.Weights) -> tuple[bool, bool]:
    """Whether a mail is taken for a notice, and for one of danger, by weights of its own."""
    opened = open_envelope(mail.raw)
    names = [a.name for a in opened.attachments if not a.inline]
    guess = kind.of_mail(opened.subject, opened.body, names, opened.to_many, weights)
    return guess.kind is CaseKind.BREACH_NOTICE, guess.danger


def written(weights: kind.Weights) -> str:
    """The text of `kind_weights.tsv`."""
    lines = [f"{f}\t{w.rarity:.3f}\t{w.notice:.3f}\t{w.danger:.3f}" for f, w in sorted(weights.of.items())]
    always = f"(always)\t0\t{weights.always.notice:.3f}\t{weights.always.danger:.3f}"
    return HEAD + "\n".join([always, *lines]) + "\n"


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folders", nargs="*", type=Path)
    asked.add_argument("--folds", action="store_true")
    asked.add_argument("--write", action="store_true")
    given = asked.parse_args()
    sets = {**learning_sets(), **{folder.name: in_folder(folder) for folder in given.folders}}
    if given.folds:
        print(
            "| set, not seen | mails | notices found | false alarms | danger seen | false danger |\n|---|---|---|---|---|---|"
        )
        for name, mails in sets.items():
            others = [m for other, them in sets.items() if other != name for m in them]
            tell(name, mails, learn(others).weights())
    if given.write:
        weights = learn([m for mails in sets.values() for m in mails]).weights()
        FILE.write_text(written(weights), encoding="utf-8")
        print(f"{len(weights.of)} features in {FILE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
