"""The prior: words that another model knows, and its answers where the office has no labels of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nlp.answers import Answers
from nlp.decider import Decider
from nlp.features import Features, weighted
from nlp.model import Model
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import TASKS, Taxonomy
from nlp.vocabulary import Vocabulary
from training.dataset import Dataset
from training.fitting import Fit, Recipe, fit
from training.heads import FitSettings
from training.labels import taxonomy_of
from training.prior import Prior, prior_of, scale

SETTINGS = FitSettings(jobs=1, folds=2)


def learned(dataset: Dataset, taxonomy: Taxonomy, prior: Prior | None) -> Fit:
    return fit(dataset, taxonomy, Recipe(heads=SETTINGS, prior=prior), lambda _what, _steps: None)


def answers(model: Model, dataset: Dataset) -> Answers:
    return Decider(model).answers(Reader().fields(dataset.fields))


@pytest.fixture(scope="module")
def prior(model: Model) -> Prior:
    return prior_of(model)


@pytest.fixture(scope="module")
def own(office: Dataset, taxonomy: Taxonomy) -> Taxonomy:
    return taxonomy_of(office, taxonomy)[1]


@pytest.fixture(scope="module")
def done(office: Dataset, own: Taxonomy, prior: Prior) -> Fit:
    return learned(office, own, prior)


@pytest.fixture(scope="module")
def tiers(office: Dataset) -> Dataset:
    """The same tickets with nothing but the tier, which the office gives by the wish at their end."""
    codes = ["district" if "部门" in one.text or "答复" in one.text else "grid" for one in office.petitions]
    return replace(office, labels={"tier": codes}, headings={"tier": "层级"})


def test_other_tasks_are_answered_as_the_default_model_answers_them(model: Model, office: Dataset, done: Fit) -> None:
    theirs, ours = answers(model, office), answers(done.model, office)
    assert done.model.tasks == list(TASKS)
    assert set(done.model.heads.lent) == set(model.heads.lifts) != set()
    for task in TASKS[1:]:
        assert (theirs.best[task] == ours.best[task]).mean() >= 0.9, task  # own categories forbid no tier: not all
        assert np.abs(theirs.marginals[task] - ours.marginals[task]).max(axis=1).mean() < 0.05
    right = ours.best["category"] == office.columns("category", done.model.taxonomy)
    assert right.mean() > 0.95


def test_the_card_says_who_answers_what(model: Model, done: Fit, taxonomy: Taxonomy) -> None:
    assert done.model.card["answered_by"] == {
        task: {"model": model.name, "labels": taxonomy.codes(task)} for task in TASKS[1:]
    }
    assert done.model.card["not_learned"] == {"category": []}
    assert done.model.card["prior"] == model.name
    assert list(done.model.scores["tasks"]) == ["category"]


def test_of_one_task_alone_the_others_come_from_the_prior(
    model: Model, office: Dataset, tiers: Dataset, taxonomy: Taxonomy, prior: Prior
) -> None:
    done = learned(tiers, taxonomy, prior)
    assert done.model.thresholds == model.thresholds
    assert list(done.model.card["answered_by"]) == list(TASKS)
    assert done.model.card["answered_by"]["category"]["labels"] == taxonomy.codes("category")
    assert done.model.card["answered_by"]["tier"]["labels"] == ["community", "street", "city"]
    assert done.model.heads.temperatures["category"] == model.heads.temperatures["category"]
    assert set(done.model.heads.lifts) == {"clock", "type"}  # those of the tier would be the default model's
    theirs, ours = answers(model, office), answers(done.model, office)
    assert (theirs.best["category"] == ours.best["category"]).mean() >= 0.9
    assert (theirs.best["type"] == ours.best["type"]).mean() >= 0.95
    assert (ours.best["tier"] == tiers.columns("tier", taxonomy)).mean() > 0.9


def test_single_labels_that_were_not_learned_come_from_the_prior(
    model: Model, tiers: Dataset, taxonomy: Taxonomy, prior: Prior
) -> None:
    done = learned(tiers, taxonomy, prior)
    codes = taxonomy.codes("tier")
    absent = ["community", "street", "city"]
    assert done.model.card["not_learned"]["tier"] == absent
    place, theirs = done.model.heads.columns("tier").start, model.heads.columns("tier").start
    for column, code in enumerate(codes):
        same = done.model.heads.bias[place + column] == model.heads.bias[theirs + column]
        assert same == (code in absent)


def test_a_label_that_was_learned_keeps_its_own_weights(done: Fit) -> None:
    columns = done.model.heads.columns("category")
    assert np.array_equal(done.model.heads.weights[:, columns], done.fitted["category"].weights)
    assert np.array_equal(done.model.heads.bias[columns], done.fitted["category"].bias)


def test_filled_heads_are_those_of_the_prior_on_its_own_words(model: Model, office: Dataset, done: Fit) -> None:
    """Every word that it knows has its weight, every other word none."""
    there = model.vocabulary.table.columns(done.model.vocabulary.keys)
    for task in TASKS[1:]:
        filled = done.model.heads.weights[:, done.model.heads.columns(task)]
        theirs = model.heads.weights[:, model.heads.columns(task)]
        assert np.array_equal(filled[there >= 0], theirs[there[there >= 0]])
        assert not filled[there < 0].any()


def test_the_vocabulary_is_that_of_both_and_known_words_keep_their_idf(model: Model, prior: Prior) -> None:
    known = model.vocabulary.words[0]
    own = Vocabulary(tuple(sorted(["石桥村村口", known])), ("砚池巷",))
    both, idf = prior.extended(own, np.array([7, 8, 9], np.float32))
    assert set(both.words) == {*model.vocabulary.words, *own.words}
    assert set(both.grams) == {*model.vocabulary.grams, *own.grams}
    assert len(idf) == len(both)
    names = [*both.words, *both.grams]
    assert idf[names.index("石桥村村口")] == 7 + own.words.index("石桥村村口")
    assert idf[len(both.words) + both.grams.index("砚池巷")] == 9
    assert idf[both.words.index(known)] == model.idf[0]


def test_an_office_without_words_of_its_own_has_those_of_the_model(model: Model, prior: Prior) -> None:
    both, idf = prior.extended(Vocabulary((), ()), np.empty(0, np.float32))
    assert set(both.words) == set(model.vocabulary.words)
    assert np.array_equal(np.sort(idf), np.sort(model.idf))


def test_the_scores_of_the_prior_have_the_spread_that_is_said(model: Model, office: Dataset, prior: Prior) -> None:
    features = Features(model.features, open_segmenter(model.features.segmenter))
    tokens = features.tokens(Reader().fields(office.fields).texts)
    columns = model.vocabulary.table.columns(tokens.key)
    matrix = weighted(features.counts(tokens, columns, len(office), len(model.vocabulary)), model.idf)
    weights = prior.weights(model.vocabulary, matrix)
    assert weights.shape == (len(model.vocabulary), model.heads.widths["category"])
    assert weights.dtype == np.float32
    assert np.std(matrix @ weights) == pytest.approx(scale(len(office)), rel=1e-3)
    assert scale(10) > scale(1000) > scale(10**9) > 0


def test_a_prior_that_knows_no_word_says_nothing(office: Dataset, done: Fit, prior: Prior) -> None:
    strange = Vocabulary(tuple(f"甲{chr(0x3400 + number)}" for number in range(done.material.matrix.shape[1])), ())
    assert not prior.weights(strange, done.material.matrix).any()


def test_with_few_rows_the_prior_helps(office: Dataset, taxonomy: Taxonomy, prior: Prior) -> None:
    """Twenty rows of the office, judged on the other 180."""
    rest = office.part(range(20, 200))
    few = office.part(range(20))
    own = taxonomy_of(few, taxonomy)[1]
    known = rest.columns("category", own)
    with_prior = answers(learned(few, own, prior).model, rest).best["category"] == known
    assert with_prior.mean() > 0.8


def test_a_model_without_vectors_is_a_prior_without_them(model: Model) -> None:
    assert prior_of(model) == Prior(model, None)
