"""The linear part of the model that ships is what the corpus of this checkout gives."""

from __future__ import annotations

import numpy as np
import pytest

from corpora.default import SHIPPED
from corpora.petitions import default_taxonomy
from nlp.model import load
from training.fitting import OWN, fit
from training.sources import from_corpus

pytestmark = pytest.mark.system


def test_the_linear_part_is_rebuilt_from_the_corpus() -> None:
    shipped, again = load(SHIPPED), fit(from_corpus(), default_taxonomy(), OWN, lambda _what, _steps: None).model
    assert again.vocabulary == shipped.vocabulary
    assert np.abs(again.idf - shipped.idf).max() < 1e-5
    assert np.abs(again.heads.weights - shipped.heads.weights).max() < 0.05
    assert np.abs(again.heads.weights - shipped.heads.weights).mean() < 1e-3
    assert np.abs(again.heads.bias - shipped.heads.bias).max() < 0.05
    assert abs(again.thresholds.confidence - shipped.thresholds.confidence) < 0.02
    assert again.card["hash"] == shipped.card["hash"]
