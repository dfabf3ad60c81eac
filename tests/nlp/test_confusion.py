"""Old labels help where they tell something, and do no harm where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.confusion import FEW, learn
from nlp.former import Former
from nlp.heads import Matrix
from nlp.taxonomy import Taxonomy

ROWS = 1500


def made(taxonomy: Taxonomy, seed: int = 0) -> tuple[Matrix, np.ndarray]:
    """Probabilities of a text model that is right for two of three rows, and calibrated; the true columns."""
    random, width = np.random.default_rng(seed), len(taxonomy.categories)
    text = random.dirichlet(np.full(width, 0.03), ROWS) * 0.98 + 0.02 / width
    return text, np.array([random.choice(width, p=row / row.sum()) for row in text])


def right(text: Matrix, former: Former | None, labels: list[str], true: np.ndarray) -> float:
    told = former.told(labels) if former else 1
    return float(((text * told).argmax(axis=1) == true).mean())


def merged(taxonomy: Taxonomy, true: np.ndarray, wrong: float = 0.1) -> list[str]:
    random = np.random.default_rng(9)
    parents = [taxonomy.paths[code][0] for code in taxonomy.codes("category")]
    every = sorted(set(parents))
    return [str(random.choice(every)) if random.random() < wrong else parents[column] for column in true.tolist()]


def test_merged_labels_are_right_more_often_than_the_text_alone(taxonomy: Taxonomy) -> None:
    text, true = made(taxonomy)
    labels = merged(taxonomy, true)
    for old in (labels, [f"旧{sum(map(ord, label))}" for label in labels]):  # names help, but are not needed
        assert right(text, learn(text, old, taxonomy), old, true) > right(text, None, old, true) + 0.08


def test_labels_by_chance_do_no_harm_and_prove_unreliable(taxonomy: Taxonomy) -> None:
    text, true = made(taxonomy)
    labels = [f"N{number}" for number in np.random.default_rng(1).integers(0, 8, ROWS)]
    former = learn(text, labels, taxonomy)
    assert former is not None
    assert right(text, former, labels, true) > right(text, None, labels, true) - 0.015
    assert former.reliability.max() < 0.15
    sorted_out = learn(text, merged(taxonomy, true, 0), taxonomy)
    assert sorted_out is not None
    assert sorted_out.reliability.min() > 0.3


def test_rare_and_missing_labels_say_nothing(taxonomy: Taxonomy) -> None:
    text, true = made(taxonomy)
    labels = merged(taxonomy, true)
    labels[: FEW - 1] = ["偶见"] * (FEW - 1)
    labels[FEW] = ""
    former = learn(text, labels, taxonomy)
    assert former is not None
    assert "偶见" not in former
    assert "" not in former
    told = former.told(["偶见", "", "没见过", labels[-1]])
    assert (told[:3] == 1).all()
    assert told[3].max() == 1
    assert told[3].min() < 0.1


def test_without_labels_nothing_is_learned(taxonomy: Taxonomy) -> None:
    text, _ = made(taxonomy)
    assert learn(text, [""] * ROWS, taxonomy) is None
    assert learn(text, [f"都不同{row}" for row in range(ROWS)], taxonomy) is None
    assert learn(text[:0], [], taxonomy) is None


def test_a_label_for_all_rows_is_no_division_by_zero(taxonomy: Taxonomy) -> None:
    text, _ = made(taxonomy)
    former = learn(text, ["全部"] * ROWS, taxonomy)
    assert former is not None
    assert former.reliability == pytest.approx([0], abs=1e-9)


def test_it_is_kept_as_json_and_comes_out_the_same_each_time(taxonomy: Taxonomy) -> None:
    text, true = made(taxonomy)
    labels = merged(taxonomy, true)
    former = learn(text, labels, taxonomy)
    assert former is not None
    again = learn(text.copy(), list(labels), taxonomy)
    assert again is not None
    back = Former.from_dict(former.as_dict())
    assert former.digest == again.digest == back.digest
    assert (back.told(labels) == former.told(labels)).all()
    assert sum(former.counts) == ROWS
