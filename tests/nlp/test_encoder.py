"""The encoder's pure functions; the network itself is tested where it is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax as of_scipy

import nlp.encoder
from nlp.encoder import Encoder, EncoderSettings, line, mixture, parted, softmax, whole
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
