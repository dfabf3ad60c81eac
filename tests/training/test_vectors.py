"""Static vectors: the mean of the pieces, small on disk, and reduced as the formulas say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from training.vectors import LEVELS, RARE, Vectors, packed, reduced

WORDS = {"[UNK]": 0, "[CLS]": 1, "路": 2, "灯": 3, "坏": 4, "水": 5}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One piece a character, behind a mark that opens the text."""
    made = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.post_processor = processors.TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", 1)])
    return made


@pytest.fixture(scope="module")
def vectors(tokenizer: Tokenizer) -> Vectors:
    table = np.arange(18).reshape(6, 3).astype(np.int8)
    return Vectors(tokenizer, table, np.array([1, 0.5, 2], np.float32))


def test_a_string_has_the_mean_of_its_pieces(vectors: Vectors) -> None:
    rows = vectors.table * vectors.scales
    found = vectors.of(["路灯", "水", "灯灯坏", "猫"])
    assert found.dtype == np.float32
    assert np.allclose(found, [rows[[2, 3]].mean(axis=0), rows[5], rows[[3, 3, 4]].mean(axis=0), rows[0]])


def test_each_string_is_by_itself(vectors: Vectors) -> None:
    strings = ["路", "路灯坏", "", "水水", ""]
    together = vectors.of(strings)
    assert np.isfinite(together).all()
    assert np.allclose(together, [vectors.of([one])[0] for one in strings])


def test_saving_and_reading_gives_the_same(vectors: Vectors, tokenizer: Tokenizer, tmp_path: Path) -> None:
    vectors.save(tmp_path / "vectors.safetensors")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Vectors.read(tmp_path / "vectors.safetensors", tmp_path / "tokenizer.json")
    assert again.table.dtype == np.int8
    assert np.array_equal(again.of(["路灯坏了"]), vectors.of(["路灯坏了"]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_packing_loses_at_most_half_a_step(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    known = (random.normal(0, size, (40, 5)) * [1, 10, 0.1, 1, 0]).astype(np.float32)
    small = packed(Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]")), known)
    assert np.abs(small.table.astype(int)).max() <= LEVELS
    lost = np.abs(small.table * small.scales - known)
    within = np.abs(known) <= LEVELS * small.scales * (1 + 1e-6)
    assert (lost <= small.scales * 0.501)[within].all()
    assert within.mean() > 0.95


def test_what_lies_far_out_is_cut_off_and_the_rest_stays_fine() -> None:
    known = np.r_[np.random.default_rng(1).normal(0, 1, (200, 1)), [[1000.0]]].astype(np.float32)
    small = packed(Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]")), known)
    assert small.scales[0] * LEVELS == pytest.approx(4 * known.std(), rel=1e-4)
    assert small.table[-1, 0] == LEVELS


def test_the_directions_are_those_of_the_principal_components() -> None:
    """With each piece as frequent as the others."""
    embedded = np.random.default_rng(2).normal(0, 1, (50, 8)) * np.arange(1, 9)
    found = reduced(embedded.astype(np.float32), np.ones(50, np.int64), 3)
    theirs = PCA(3).fit_transform(embedded) * RARE / (RARE + 1 / 50)
    assert found.shape == (50, 3)
    assert np.allclose(np.abs(found), np.abs(theirs), rtol=1e-2, atol=1e-6)


def test_counts_weigh_as_if_the_pieces_stood_there_so_often() -> None:
    random = np.random.default_rng(3)
    embedded = random.normal(0, 1, (12, 4)) * [4, 3, 2, 1]
    counts = random.integers(1, 6, 12)
    repeated = np.repeat(embedded, counts, axis=0)
    known = PCA(2).fit(repeated).transform(embedded) * (RARE / (RARE + counts / counts.sum()))[:, None]
    assert np.allclose(np.abs(reduced(embedded.astype(np.float32), counts, 2)), np.abs(known), rtol=1e-2, atol=1e-7)


def test_a_frequent_piece_is_shorter_and_one_that_never_stood_there_counts_once() -> None:
    embedded = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    even = np.linalg.norm(reduced(embedded, np.array([10, 10, 10, 10])), axis=1)
    assert np.allclose(even, even[0])
    assert np.array_equal(reduced(embedded, np.array([0, 9, 9, 9])), reduced(embedded, np.array([1, 9, 9, 9])))
    often = np.linalg.norm(reduced(embedded, np.array([10_000, 10_000, 10, 10])), axis=1)
    assert often[:2].max() < 0.01 * often[2:].min()
