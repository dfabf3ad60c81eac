"""How alike texts are."""

from __future__ import annotations

import random

import pytest

from corpora.variety import alike, grams, packed


def test_runs_of_characters() -> None:
    assert grams("水电水电", 2) == {"水电", "电水"}
    assert grams("水", 2) == set()


@pytest.mark.parametrize("limit", [0.2, 0.35, 0.8])
def test_the_search_for_like_texts_finds_what_comparing_all_finds(limit: float) -> None:
    draw = random.Random(5)  # noqa: S311
    texts = ["".join(draw.choices("水电气路灯噪音", k=draw.randint(1, 9))) for _ in range(120)]
    texts += [text[:-1] + "了" for text in texts[:40]]
    sets = [grams(text, 2) for text in texts]
    slow = {
        (first, second) for second in range(len(texts)) for first in range(second)
        if sets[first] & sets[second] and len(sets[first] & sets[second]) >= limit * len(sets[first] | sets[second])
    }  # fmt: skip
    assert slow
    assert set(alike(texts, 2, limit)) == slow


def test_a_stencil_packs_better_than_free_text() -> None:
    draw = random.Random(6)  # noqa: S311
    free = ["".join(chr(draw.randint(0x4E00, 0x9FA5)) for _ in range(100)) for _ in range(50)]
    assert packed(free, 1) > 0.6
    assert packed(["请有关部门尽快处理，谢谢。"] * 500, 1) < 0.05
    assert packed(free, 2) == packed(free, 2)
