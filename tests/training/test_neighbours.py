"""Near duplicates are found whatever their number, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.neighbours import NEAR, first_of_each, grams, near_pairs, similarity

SIGNS = "楼上漏水夜里很吵路灯不亮井盖丢了公交太少学校门口堵车垃圾没人清运停水三天暖气冷电梯坏"
TEXTS = st.text(st.sampled_from(SIGNS), max_size=30)


def drawn(rng: np.random.Generator, count: int, length: int = 100) -> list[str]:
    return ["".join(chr(0x4E00 + sign) for sign in row) for row in rng.integers(0, 3000, (count, length))]


def changed(rng: np.random.Generator, text: str, changes: int) -> str:
    signs = list(text)
    for at in rng.choice(len(text), changes, replace=False):
        signs[at] = "改"
    return "".join(signs)


def test_pairs_above_the_limit_are_found_and_none_below() -> None:
    rng = np.random.default_rng(7)
    first = drawn(rng, 1000)
    second = [changed(rng, text, number % 6) for number, text in enumerate(first)]
    pairs = set(map(tuple, near_pairs([*first, *second]).tolist()))
    near = {
        (row, row + 1000) for row in range(1000) if similarity(grams(first[row]), grams(second[row])) >= NEAR
    }  # fmt: skip
    assert 300 < len(near) < 900
    assert pairs <= near
    assert len(pairs) >= 0.99 * len(near)


def test_a_template_of_thousands_is_one_cluster_without_all_its_pairs() -> None:
    rng = np.random.default_rng(8)
    base = drawn(rng, 1)[0]
    texts = [changed(rng, base, 1) for _ in range(2000)]
    pairs = near_pairs(texts)
    assert len(pairs) < 60 * len(texts)
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(texts),) * 2)
    assert connected_components(graph)[0] == 1


def test_few_texts_have_few_pairs() -> None:
    assert near_pairs([]).shape == near_pairs(["水"]).shape == (0, 2)
    assert near_pairs(["水", "水", "电"]).tolist() == [[0, 1]]


@given(st.lists(TEXTS, max_size=12))
def test_every_pair_is_near_and_equal_texts_are_connected(texts: list[str]) -> None:
    pairs = near_pairs(texts)
    assert all(one < other for one, other in pairs.tolist())
    assert all(similarity(grams(texts[one]), grams(texts[other])) >= NEAR for one, other in pairs.tolist())
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(texts),) * 2)
    cluster = connected_components(graph)[1] if texts else []
    assert all(cluster[texts.index(text)] == cluster[row] for row, text in enumerate(texts))


def test_of_each_cluster_the_first_stands_for_all_even_with_a_word_changed() -> None:
    text = "桂香苑五栋二单元楼道的灯坏了半个月，老人晚上上楼看不清台阶，请尽快派人来修，物业一直推脱没有人管"
    changed, other = text.replace("半个月", "二十天"), "青石巷口每天傍晚都有三轮车占道卖菜"
    texts = [text, other, text, changed, "", "", "灯"]
    assert first_of_each(texts).tolist() == [0, 1, 4, 6]
    assert first_of_each(texts, met=1).tolist() == [1, 4, 6]
    assert first_of_each([changed, *texts], met=1).tolist() == [2, 5, 7]
    assert first_of_each([]).tolist() == []
