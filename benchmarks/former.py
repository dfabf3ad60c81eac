"""Former labels: what a label of an old taxonomy adds to the text, on real letters: `run()`, or with another file.

The old label is made of the true one: the parent of its category, and in one of ten rows another parent. `named`: the
old labels bear the parents' names, which the active taxonomy holds; `bare`: they bear numbers. The interval is of the
difference on the same letters (bootstrap over letters, the mean of all seeds for each).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from benchmarks.measure import figure, tell
from corpora.default import default_folder
from nlp.answers import Answers, joined
from nlp.confusion import learn
from nlp.decider import Decider, portions
from nlp.heads import Matrix
from nlp.model import load
from nlp.petition import Petition
from training.calibration import calibration_error
from training.sources import open_dataset

LETTERS = Path(__file__).parents[2] / "shared" / "gold" / "dev.jsonl"
FLIPPED, SEEDS = 0.1, 5


def answers(decider: Decider, petitions: Sequence[Petition], told: Matrix | None = None) -> Answers:
    """The answers to all petitions."""
    parts, done = [], 0
    for part in portions(petitions):
        mine = None if told is None else told[done : done + len(part)]
        parts.append(decider.answers(decider.reader.read(part), told=mine))
        done += len(part)
    return joined(parts)


def merged(decider: Decider, columns: NDArray[np.int64], seed: int, *, named: bool) -> list[str]:
    """An old label for each row: the parent of its category, or by chance another one."""
    taxonomy = decider.model.taxonomy
    names = [taxonomy.paths[code][0] for code in taxonomy.codes("category")]
    parents = sorted(set(names))
    random = np.random.default_rng(seed)
    old = np.array([parents.index(name) for name in names])[columns]
    wrong = random.random(len(old)) < FLIPPED
    old[wrong] = (old[wrong] + random.integers(1, len(parents), wrong.sum())) % len(parents)
    return [parents[column] if named else f"旧{column}" for column in old.tolist()]


def run(path: Path = LETTERS) -> None:
    """Print the accuracy with the old label against that of the text alone."""
    decider = Decider(load(default_folder(Path("var"))))
    letters = open_dataset(str(path), {})
    columns = letters.columns("category", decider.model.taxonomy)
    text = answers(decider, letters.petitions)
    alone = text.best["category"] == columns
    tell(figure("former.text.answered_alone", float(text.alone(decider.model.thresholds).mean()), "share"))
    for name, named in (("named", True), ("bare", False)):
        gains, figures = [], []
        for seed in range(SEEDS):
            labels = merged(decider, columns, seed, named=named)
            former = learn(text.marginals["category"], labels, decider.model.taxonomy)
            assert former is not None
            both = answers(decider, letters.petitions, former.told(labels))
            right, sure = both.best["category"] == columns, both.alone(decider.model.thresholds)
            gains.append(right.astype(float) - alone)
            error = calibration_error(both.confidence, right)
            figures.append((right.mean(), sure.mean(), (~right[sure]).mean(), error))
        accuracy, share, wrong, error = np.mean(figures, axis=0).tolist()
        gain = np.mean(gains, axis=0)
        edges = bootstrap((gain,), np.mean, rng=np.random.default_rng(0)).confidence_interval
        tell(figure(f"former.{name}.accuracy", accuracy, "share", float(alone.mean())))
        tell(figure(f"former.{name}.gain", 100 * float(gain.mean()), "points"))
        tell(figure(f"former.{name}.gain_low", 100 * float(edges.low), "points"))
        tell(figure(f"former.{name}.gain_high", 100 * float(edges.high), "points"))
        tell(figure(f"former.{name}.answered_alone", share, "share"))
        tell(figure(f"former.{name}.error_alone", wrong, "share"))
        tell(figure(f"former.{name}.calibration_error", error, "share"))


if __name__ == "__main__":
    run()
