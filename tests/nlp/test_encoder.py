"""The encoder's pure functions; the network itself is tested where it is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.special import softmax as of_scipy
from tokenizers import Tokenizer, models, pre_tokenizers

import nlp.encoder
from nlp.encoder import HEADS, TOKENIZER, Encoder, EncoderSettings, line, mixture, parted, softmax, whole
from nlp.heads import Matrix
from nlp.reader import Reader

SCORES = st.lists(st.lists(st.floats(-60, 60), min_size=3, max_size=3), min_size=1, max_size=8).map(np.array)


def few(settings_asked: float) -> Encoder:
    """An encoder that nobody opens: its folder is not there."""
    widths = {"category": 2, "tier": 2}
    mix = {"category": (1.0, 0.0), "tier": (0.5, 0.5)}
    return Encoder(Path("nowhere"), EncoderSettings("读：", 2, widths, settings_asked, mix))


@given(SCORES)
def test_softmax_is_that_of_scipy(scores: Matrix) -> None:
    assert np.allclose(softmax(scores), of_scipy(scores, axis=1))


@given(SCORES, SCORES, st.floats(0, 2), st.floats(0, 2))
def test_a_mixture_is_the_product_of_powers(one: Matrix, other: Matrix, a: float, b: float) -> None:
    rows = min(len(one), len(other))
    p, q = np.maximum(softmax(one[:rows]), 1e-12), np.maximum(softmax(other[:rows]), 1e-12)
    known = p**a * q**b
    assert np.allclose(mixture(p, q, (a, b)), known / known.sum(axis=1, keepdims=True), atol=1e-9)


def test_a_mixture_with_all_weight_on_one_side_is_that_side() -> None:
    one, other = np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]]), np.array([[0.1, 0.1, 0.8], [1.0, 0.0, 0.0]])
    assert np.allclose(mixture(one, other, (1, 0)), one)
    assert np.allclose(mixture(one, other, (0, 1)), other)
    assert np.isfinite(mixture(one, other, (1, 1))).all()  # each side rules out what the other is sure of


@given(SCORES, SCORES, st.floats(0, 2), st.floats(0, 2))
def test_a_mixture_is_a_distribution(one: Matrix, other: Matrix, a: float, b: float) -> None:
    rows = min(len(one), len(other))
    mixed = mixture(softmax(one[:rows]), softmax(other[:rows]), (a, b))
    assert (mixed >= 0).all()
    assert np.allclose(mixed.sum(axis=1), 1)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 125])
def test_a_network_in_parts_is_whole_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Thirteen parts: in the order of their names, the tenth would stand before the second."""
    monkeypatch.setattr(nlp.encoder, "PART", 10)
    network = np.random.default_rng(size).bytes(size)
    for name, content in parted(network):
        assert len(content) <= 10
        (tmp_path / name).write_bytes(content)
    assert len(list(tmp_path.iterdir())) == -(-size // 10)
    assert whole(tmp_path) == network


@pytest.mark.parametrize(
    ("title", "text", "known"),
    [
        ("路灯不亮", "花溪路口的路灯坏了", "读：路灯不亮 花溪路口的"),
        ("", "花溪路口的路灯坏了", "读：花溪路口的"),
        ("路灯", "", "读：路灯 "),
        ("", "", "读："),
    ],
)
def test_a_petition_is_one_line(title: str, text: str, known: str) -> None:
    assert line("读：", title, text, 5) == known


def test_the_lines_are_those_of_the_rows_that_are_asked() -> None:
    texts = Reader().fields(["标题一", "第一件诉求", "", "第二件诉求，说得很长很长很长", "标题三", "第三件"]).texts
    assert few(0.5).lines(texts, [2, 1]) == ["读：标题三 第三件", "读：第二件诉求,说得"]


def test_without_a_doubtful_answer_nobody_is_asked() -> None:
    linear = {"category": np.array([[0.9, 0.1], [0.5, 0.5]]), "tier": np.array([[0.6, 0.4], [0.6, 0.4]])}
    texts = Reader().fields(["", "一", "", "二"]).texts
    mixed, asked = few(0.5).mixed(linear, texts)
    assert mixed is linear
    assert asked.tolist() == [False, False]


class Summing:
    """Stands in for a network: a text's vector is the number of its pieces, and their sum."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, _names: None, fed: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        ids = fed["input_ids"]
        self.shapes.append(ids.shape)
        return [np.array([[ids.size, ids.sum()]], np.float32)]


@pytest.fixture
def small(tmp_path: Path) -> Encoder:
    """Real heads, and a tokenizer of one piece a character; only the network is none."""
    made = Tokenizer(models.WordLevel({"?": 0, "路": 1, "灯": 2, "坏": 3}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.save(str(tmp_path / TOKENIZER))
    weights = np.array([[0.1, -0.3, 0.7, 0.2, 0.5], [0.3, 0.1, -0.2, -0.4, 0.05]], np.float32)
    save_file({"weights": weights, "bias": np.array([0.5, 0, 0, -0.1, 0.1], np.float32)}, tmp_path / HEADS)
    mix = {"category": (0.8, 0.4), "tier": (0.0, 1.0)}
    encoder = Encoder(tmp_path, EncoderSettings("", 3, {"category": 3, "tier": 2}, 0.7, mix))
    encoder.__dict__["_session"] = Summing()
    return encoder


TEXTS = ["", "路灯", "灯", "坏坏坏坏", "", "坏", "", "灯灯路"]
LINEAR = {
    "category": np.array([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7], [0.2, 0.69, 0.11]]),
    "tier": np.array([[0.6, 0.4], [0.2, 0.8], [0.5, 0.5], [0.3, 0.7]]),
    "clock": np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]),
}


def test_lines_are_embedded_one_by_one_without_padding(small: Encoder) -> None:
    assert small.embed(["路灯", "坏坏坏坏坏", "路"]).tolist() == [[2, 3], [3, 9], [1, 1]]  # three pieces at most
    assert sorted(small.__dict__["_session"].shapes) == [(1, 1), (1, 2), (1, 3)]
    assert small.embed([]).shape == (0, 2)


def test_probabilities_are_the_heads_over_what_is_embedded(small: Encoder) -> None:
    texts = Reader().fields(TEXTS).texts
    found = small.probabilities(texts, [3, 0])
    scores = np.array([[3.0, 5.0], [2.0, 3.0]]) @ small._heads["weights"] + small._heads["bias"]
    assert np.allclose(found["category"], of_scipy(scores[:, :3], axis=1), atol=1e-6)
    assert np.allclose(found["tier"], of_scipy(scores[:, 3:], axis=1), atol=1e-6)
    nobody = small.probabilities(texts, [])
    assert {task: answers.shape for task, answers in nobody.items()} == {"category": (0, 3), "tier": (0, 2)}


def test_only_what_is_not_sure_is_asked_and_the_rest_stays(small: Encoder) -> None:
    texts, before = Reader().fields(TEXTS).texts, {task: answers.copy() for task, answers in LINEAR.items()}
    mixed, asked = small.mixed(LINEAR, texts)
    assert asked.tolist() == [False, True, False, True]  # 0.7 is sure enough
    assert len(small.__dict__["_session"].shapes) == 2
    own = small.probabilities(texts, [1, 3])
    for task in ("category", "tier"):
        assert np.array_equal(mixed[task][~asked], LINEAR[task][~asked])
        known = mixture(LINEAR[task][asked], own[task], small.settings.mix[task])
        assert np.array_equal(mixed[task][asked], known)
        assert not np.allclose(mixed[task][asked], LINEAR[task][asked])
    assert np.array_equal(mixed["clock"], LINEAR["clock"])  # no head of the encoder answers this one
    assert all(np.array_equal(LINEAR[task], before[task]) for task in LINEAR)


def test_scores_are_alike_alone_and_with_others(small: Encoder) -> None:
    """BLAS adds up many rows in another order than one: with real widths the last bits differ."""
    random, width = np.random.default_rng(1), 384
    tensors = {"weights": random.normal(0, 1, (width, 5)), "bias": random.normal(0, 1, 5)}
    wide = Encoder(small.folder, small.settings)
    wide.__dict__["_heads"] = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    vectors = random.normal(0, 1, (4, width)).astype(np.float32)
    wide.__dict__["_session"] = Drawn(vectors)
    texts = Reader().fields(["", "路", "", "路灯", "", "路灯坏", "", "路"]).texts
    together = wide.probabilities(texts, [0, 1, 2, 3])
    for row in range(4):
        alone = wide.probabilities(texts, [row])
        assert all(np.array_equal(alone[task][0], together[task][row]) for task in alone)


class Drawn:
    """Stands in for a network: a vector for each number of pieces."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors

    def run(self, _names: None, fed: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        return [self.vectors[[fed["input_ids"].size]]]
