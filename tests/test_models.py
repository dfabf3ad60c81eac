"""The model that ships in the tree: it is of this corpus, small, whole, and answers with its encoder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import corpora.default
from corpora.default import SHIPPED, default_folder, is_current
from corpora.petitions import Row
from nlp.decider import Decider, Options
from nlp.model import Model, load
from nlp.petition import Petition

MB = 1e6
NOW = datetime(2026, 11, 23, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def shipped() -> Model:
    return load(SHIPPED)


def test_it_is_of_this_corpus_and_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora.default, "SHIPPED", SHIPPED)
    assert is_current(SHIPPED)
    assert default_folder(tmp_path) == SHIPPED


def test_it_is_small_and_no_file_is_large() -> None:
    sizes = [path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(sizes) <= 36 * MB
    assert max(sizes) <= 15 * MB


def test_its_card_says_on_what_it_was_trained_and_for_how_long(shipped: Model) -> None:
    encoder = shipped.card["encoder"]
    assert shipped.card["data"] == "jiesu-corpus"
    assert {"source", "layers", "rows", "held_out", "epochs", "minutes", "cascade"} <= set(encoder)
    assert shipped.card["not_learned"] == {"category": [], "tier": [], "clock": [], "type": []}


def test_the_encoder_answers_what_the_linear_model_is_not_sure_of(shipped: Model, corpus: list[Row]) -> None:
    petitions = [Petition(row.id, row.text, row.title) for row in corpus[::40]]
    decider = Decider(shipped)
    fast, high = (decider.decide(petitions, Options(NOW, evidence=False, high=asked)) for asked in (False, True))
    assert [one.id for one in high] == [one.id for one in petitions]
    assert shipped.encoder is not None
    asked = np.array([one.category.confidence < shipped.encoder.settings.asked for one in fast])
    changed = np.array(
        [one.category.confidence != other.category.confidence for one, other in zip(fast, high, strict=True)]
    )
    assert changed.any()
    assert not changed[~asked].any()


def test_a_petition_scores_the_same_alone_and_in_a_batch(shipped: Model, corpus: list[Row]) -> None:
    petitions = [Petition(row.id, row.text, row.title) for row in corpus[::1500]]
    decider, options = Decider(shipped), Options(NOW, evidence=False, high=True)
    together = decider.decide(petitions, options)
    alone = [decider.decide([petition], options)[0] for petition in petitions]
    assert [one.category for one in alone] == [one.category for one in together]
