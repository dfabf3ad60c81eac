"""Decode together: the best answer that can be true, and probabilities that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.petitions import Row, default_taxonomy
from nlp.features import Features, weighted
from nlp.files import DATA, read_toml
from nlp.heads import Probabilities
from nlp.joint import JOINED, Table
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import Taxonomy

TAXONOMY = default_taxonomy()
TABLE = Table(TAXONOMY)
WIDTHS = {task: len(TAXONOMY.labels(task)) for task in JOINED}
seeds = st.integers(0, 2**32 - 1)


def random_heads(seed: int, rows: int = 5, sharpness: float = 0.3) -> Probabilities:
    rng = np.random.default_rng(seed)
    return {task: np.maximum(rng.dirichlet(np.full(width, sharpness), rows), 1e-12) for task, width in WIDTHS.items()}


def certain(**codes: str) -> Probabilities:
    """Heads that are nearly sure of one code each."""
    heads = {}
    for task in JOINED:
        heads[task] = np.full((1, WIDTHS[task]), 0.1 / WIDTHS[task])
        heads[task][0, TAXONOMY.codes(task).index(codes[task])] += 0.9
    return heads


def cube(heads: Probabilities, row: int) -> np.ndarray:
    """The probability of every combination, by brute force."""
    category, tier, clock = (heads[task][row] for task in JOINED)
    return category[:, None, None] * tier[None, :, None] * clock[None, None, :] * TABLE.allowed


@settings(max_examples=40)
@given(seeds, st.sampled_from([0.02, 0.3, 2.0]))
def test_the_answer_is_the_best_of_all_combinations(seed: int, sharpness: float) -> None:
    heads = random_heads(seed, sharpness=sharpness)
    joint = TABLE.decode(heads)
    for row in range(5):
        mass = cube(heads, row)
        answer = tuple(int(joint.best[task][row]) for task in JOINED)
        assert mass[answer] == pytest.approx(mass.max(), rel=1e-9)
        assert TABLE.allowed[answer]


@settings(max_examples=40)
@given(seeds, st.sampled_from([0.02, 0.3, 2.0]))
def test_marginals_and_confidence_are_those_of_the_joint(seed: int, sharpness: float) -> None:
    heads = random_heads(seed, sharpness=sharpness)
    joint = TABLE.decode(heads)
    for row in range(5):
        mass = cube(heads, row) / cube(heads, row).sum()
        for axis, task in enumerate(JOINED):
            others = tuple(other for other in range(3) if other != axis)
            np.testing.assert_allclose(joint.marginals[task][row], mass.sum(axis=others), atol=1e-9)
            assert joint.marginals[task][row].sum() == pytest.approx(1)
        decided = mass[int(joint.best["category"][row])].sum()
        assert joint.confidence[row] == pytest.approx(decided, abs=1e-9)


@pytest.mark.parametrize(
    "codes",
    [
        {"category": "social_insurance", "tier": "grid", "clock": "general"},
        {"category": "labour_dispute", "tier": "grid", "clock": "general"},
        {"category": "leak", "tier": "grid", "clock": "complex"},
        {"category": "urban_planning", "tier": "district", "clock": "urgent"},
    ],
)
def test_three_maxima_that_contradict_give_an_answer_that_does_not(codes: dict[str, str]) -> None:
    heads = certain(**codes)
    separate = tuple(int(heads[task][0].argmax()) for task in JOINED)
    joint = TABLE.decode(heads)
    together = tuple(int(joint.best[task][0]) for task in JOINED)
    assert not TABLE.allowed[separate]
    assert TABLE.allowed[together]
    assert sum(one != other for one, other in zip(separate, together, strict=True)) == 1


def test_real_petitions_whose_maxima_contradict_are_decided_without_contradiction(
    model: Model, corpus: list[Row]
) -> None:
    texts = Reader().read([Petition(row.id, row.text, row.title) for row in corpus[::3]]).texts
    features = Features(model.features, open_segmenter())
    tokens = features.tokens(texts)
    columns = model.vocabulary.table.columns(tokens.key)
    counts = features.counts(tokens, columns, len(texts) // 2, len(model.vocabulary))
    heads = model.heads.probabilities(weighted(counts, model.idf))
    separate = TABLE.allowed[tuple(heads[task].argmax(axis=1) for task in JOINED)]
    joint = TABLE.decode(heads)
    assert not separate.all()
    assert TABLE.allowed[tuple(joint.best[task] for task in JOINED)].all()


def test_an_emergency_may_arise_from_any_matter_somewhere() -> None:
    emergency = TAXONOMY.codes("clock").index("emergency")
    assert TABLE.allowed[:, :, emergency].any(axis=1).all()
    assert TABLE.allowed.any(axis=(1, 2)).all()


def test_every_petition_of_the_corpus_is_possible(corpus: list[Row]) -> None:
    place = {task: {code: n for n, code in enumerate(TAXONOMY.codes(task))} for task in JOINED}
    impossible = [
        f"{row.id}: {row.category} {row.tier} {row.clock}"
        for row in corpus
        if not TABLE.allowed[tuple(place[task][getattr(row, task)] for task in JOINED)]
    ]
    assert impossible == []


def test_every_code_of_the_rules_is_one_of_the_default_taxonomy() -> None:
    rules = read_toml(DATA / "impossible.toml")["rules"]
    unknown = [
        code for rule in rules for task in JOINED for code in rule.get(task, []) if code not in TAXONOMY.codes(task)
    ]
    assert unknown == []
    assert [rule["why"] for rule in rules if set(rule) - {"why", *JOINED} or not rule["why"]] == []


def test_a_taxonomy_without_the_codes_of_the_rules_allows_everything() -> None:
    plain = {
        key: [{"code": f"{key}1", "name": "甲"}, {"code": f"{key}2", "name": "乙"}]
        for key in ("nodes", "tiers", "clocks", "types")
    }
    assert Table(Taxonomy.from_dict({"name": "other", **plain})).allowed.all()
