"""Retraining: what is left to learn from, how the judged rows are kept apart, and what the report tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nlp.drift import Profile
from nlp.errors import InputError
from nlp.model import Model
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy
from training import testset
from training.dataset import Dataset
from training.fitting import Recipe
from training.heads import FitSettings
from training.prior import Prior
from training.retraining import LATEST, QUICK, Prepared, Retrained, extras, prepare, retrain, seen
from training.split import split

SETTINGS = FitSettings(jobs=1, folds=2)
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def quietly(_what: str, _steps: int) -> None:
    """No progress bar."""


@pytest.fixture(scope="module")
def recipe(model: Model) -> Recipe:
    return Recipe(heads=SETTINGS, prior=Prior(model))


@pytest.fixture(scope="module")
def prepared(office: Dataset, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """With one ticket of a category that nobody else has."""
    codes = ["花木组", *office.labels["category"][1:]]
    return prepare(replace(office, labels={"category": codes}), taxonomy, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def done(prepared: Prepared, recipe: Recipe) -> Retrained:
    return retrain(prepared, recipe, quietly, quick=True)


def test_labels_of_its_own_make_a_taxonomy_and_strictly_they_are_refused(
    office: Dataset, prepared: Prepared, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    assert set(prepared.taxonomy.codes("category")) == {"花木组", *office.labels["category"]}
    assert prepared.taxonomy.codes("tier") == taxonomy.codes("tier")
    with pytest.raises(InputError, match=r"工单\.csv 第 2 行，列 标签.*--taxonomy"):
        prepare(office, taxonomy, tmp_path, strict=True)


def test_the_frozen_test_set_is_left_out_and_told(office: Dataset, taxonomy: Taxonomy, tmp_path: Path) -> None:
    testset.freeze(office, tmp_path)
    frozen = {petition.text for petition in testset.read(tmp_path).petitions}
    left = prepare(office, taxonomy, tmp_path)
    assert frozen
    assert not frozen & {petition.text for petition in left.dataset.petitions}
    told = next(finding for finding in left.findings if finding.kind == "frozen")
    assert told.count == len(office) - len(left.dataset) >= len(frozen)


def test_quickly_only_a_tenth_is_judged(prepared: Prepared, done: Retrained) -> None:
    apart = split(prepared.dataset, QUICK, SETTINGS.seed)
    assert done.judged.known["category"].nonzero()[0].tolist() == apart.held
    assert len(done.judged.tasks["category"].labels) == len(apart.held) < 0.2 * len(prepared.dataset)
    assert done.judged.alone.nonzero()[0].tolist() == sorted(set(done.judged.alone.nonzero()[0]) & set(apart.held))
    assert done.apart == apart.told
    assert done.fit.model.scores["rows"] == len(apart.held)


def test_a_rare_class_is_listed_with_its_row(prepared: Prepared, done: Retrained, model: Model) -> None:
    assert done.fit.model.card["not_learned"]["category"] == ["花木组"]
    told = extras(done, prepared, done.fit.model, model)
    rare = next(finding for finding in told.findings or () if finding.kind == "not_learned")
    assert (rare.count, list(rare.lines)) == (1, [2])
    assert "花木组" in rare.told
    assert "只有 1 条" in rare.told


def test_the_report_tells_of_the_suspects_of_judged_rows_and_the_curve(
    prepared: Prepared, done: Retrained, model: Model
) -> None:
    told = extras(done, prepared, done.fit.model, None)
    assert (
        sorted(one.row for one in (told.suspects or {})["category"])
        == split(prepared.dataset, QUICK, SETTINGS.seed).held
    )
    assert told.curve
    assert told.curve.total == len(prepared.dataset) - 1
    assert told.threshold == done.fit.model.thresholds.confidence
    assert (told.drift, told.held_out) == (None, done.apart)


def test_drift_is_told_where_the_live_model_kept_a_profile(prepared: Prepared, done: Retrained, model: Model) -> None:
    mute = replace(model, card={key: value for key, value in model.card.items() if key != "profile"})
    assert extras(done, prepared, done.fit.model, mute).drift is None  # none was kept
    assert extras(done, prepared, done.fit.model, model).drift is not None
    profile = seen(model, prepared.dataset)
    assert profile.rows == len(prepared.dataset)
    assert sum(profile.mix.values()) == profile.rows
    live = replace(model, card=dict(model.card) | {"profile": profile.as_dict()})
    drift = extras(done, prepared, done.fit.model, live).drift
    assert drift
    assert drift.before == drift.after == Profile.from_dict(profile.as_dict())


def test_with_times_the_latest_are_judged_and_all_are_learned(
    office: Dataset, taxonomy: Taxonomy, recipe: Recipe, tmp_path: Path
) -> None:
    times = [DAY + timedelta(days=(7 * row) % 200) for row in range(len(office))]
    timed = prepare(replace(office, times=times), taxonomy, tmp_path)
    plain = Recipe(heads=SETTINGS)
    done = retrain(timed, plain, quietly)
    apart = split(timed.dataset, LATEST, SETTINGS.seed)
    judged = done.judged.known["category"].nonzero()[0].tolist()
    assert apart.by == "time"
    assert judged == apart.held
    known = [time for time in timed.dataset.times if time]
    assert min(known[row] for row in judged) >= max(known[row] for row in apart.training)
    assert "时间" in done.apart
    assert done.fit.report.known["category"].all()  # the model itself learned from every row
    assert done.judged.model == done.fit.report.model


def test_without_times_every_row_is_judged_by_a_model_that_has_not_seen_it(
    prepared: Prepared, taxonomy: Taxonomy
) -> None:
    done = retrain(prepared, Recipe(heads=SETTINGS), quietly)
    assert done.judged is done.fit.report
    assert done.judged.known["category"].sum() == len(prepared.dataset) - 1
    assert "交叉验证" in done.apart


def test_groups_of_the_data_are_never_parted(office: Dataset, taxonomy: Taxonomy, tmp_path: Path) -> None:
    groups = [f"来电人{row // 4 % 25}" for row in range(len(office))]
    grouped = prepare(replace(office, groups=groups), taxonomy, tmp_path)
    done = retrain(grouped, Recipe(heads=SETTINGS), quietly, quick=True)
    held = done.judged.known["category"]
    numbers = grouped.dataset.group_numbers
    assert held.any()
    assert not set(numbers[held]) & set(numbers[~held])


def test_english_rows_are_left_out_and_told(office: Dataset, taxonomy: Taxonomy, tmp_path: Path) -> None:
    petitions = [Petition("E", "The street lamp is broken and nobody comes to mend it."), *office.petitions[1:]]
    left = prepare(replace(office, petitions=petitions), taxonomy, tmp_path)
    told = next(finding for finding in left.findings if finding.kind == "not_chinese")
    assert (told.count, list(told.lines)) == (1, [2])
    assert len(left.dataset) == len(office) - 1
    assert np.all([petition.id != "E" for petition in left.dataset.petitions])
