"""Labels become the codes of a known taxonomy, or a tree of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy
from training.dataset import Dataset
from training.labels import LONGEST, taxonomy_of, tree

WORDS = st.text(st.sampled_from("水电路灯 /／>甲"), max_size=6)


def labelled(labels: Mapping[str, Sequence[str]]) -> Dataset:
    rows = len(next(iter(labels.values())))
    headings = {"category": "大类", "tier": "层级"}
    petitions = [Petition(str(row), "楼道灯不亮") for row in range(rows)]
    return Dataset(petitions, labels, "工单.csv", "0", lines=range(2, rows + 2), headings=headings)


def test_codes_names_and_paths_of_the_base_become_its_codes(taxonomy: Taxonomy) -> None:
    code = taxonomy.codes("category")[0]
    path = taxonomy.paths[code]
    tier = taxonomy.tiers[0]
    given = {"category": [code, f" {path[-1]}", "/".join(path), ""], "tier": [tier.name, "", tier.code, ""]}
    dataset, result = taxonomy_of(labelled(given), taxonomy)
    assert dataset.labels == {"category": [code, code, code, ""], "tier": [tier.code, "", tier.code, ""]}
    assert result is taxonomy


def test_a_label_that_is_nearly_known_is_named_with_row_column_and_the_nearest(taxonomy: Taxonomy) -> None:
    name = next(label.name for label in taxonomy.categories if len(label.name) >= 4)
    with pytest.raises(
        InputError, match=rf"工单.csv 第 4 行，列 大类：标签 '{name}啊' .*最接近的是“{name}”.*--taxonomy"
    ):
        taxonomy_of(labelled({"category": [name, name, name + "啊"]}), taxonomy)


def test_other_categories_make_a_tree_of_their_own(taxonomy: Taxonomy) -> None:
    given = {
        "category": ["住房/漏水/屋顶", "环境", "", "住房/电梯", "住房"],
        "tier": [taxonomy.tiers[0].name, *[""] * 4],
    }
    dataset, own = taxonomy_of(labelled(given), taxonomy)
    assert dataset.labels["category"] == ["住房/漏水/屋顶", "环境", "", "住房/电梯", "住房/（未细分）"]
    assert dataset.labels["tier"][0] == taxonomy.tiers[0].code
    assert own.name == "工单"
    assert own.codes("category") == ["住房/漏水/屋顶", "环境", "住房/电梯", "住房/（未细分）"]
    assert own.paths["住房/漏水/屋顶"] == ["住房", "漏水", "屋顶"]
    assert (own.tiers, own.clocks, own.types) == (taxonomy.tiers, taxonomy.clocks, taxonomy.types)
    assert Taxonomy.from_dict(own.as_dict()) == own


def test_half_of_the_rows_decide_whose_labels_they_are(taxonomy: Taxonomy) -> None:
    code = taxonomy.codes("category")[0]
    with pytest.raises(InputError, match="第 3 行"):
        taxonomy_of(labelled({"category": [code, "本市自定", ""]}), taxonomy)
    _, own = taxonomy_of(labelled({"category": [code, "本市自定", "本市自定", ""]}), taxonomy)
    assert own.codes("category") == [code, "本市自定"]


@pytest.mark.parametrize("task", ["tier", "clock", "type"])
def test_other_tasks_are_always_those_of_the_base(taxonomy: Taxonomy, task: str) -> None:
    with pytest.raises(InputError, match=r"第 2 行.*派单"):
        taxonomy_of(labelled({task: ["某某科", "某某科"]}), taxonomy)


def test_a_label_as_long_as_a_text_is_refused_without_being_shown(taxonomy: Taxonomy) -> None:
    long = "某小区三号楼" * 7
    with pytest.raises(InputError, match=r"第 3 行，列 大类：标签有 42 个字.*--category") as error:
        taxonomy_of(labelled({"category": ["漏水", long]}), taxonomy)
    assert "三号楼" not in str(error.value)
    taxonomy_of(labelled({"category": ["漏水", "/".join([long[:LONGEST]] * 3)]}), taxonomy)


@given(st.lists(WORDS.map(str.strip), min_size=1, max_size=12))
def test_every_label_is_a_leaf_of_a_sound_tree(values: list[str]) -> None:
    codes, nodes = tree(values)
    assert [bool(code) for code in codes] == [bool(value) for value in values]
    if not nodes:
        return
    one = Taxonomy("t", nodes, nodes[:1], nodes[:1], nodes[:1])
    assert one.fault() == ""
    assert set(codes) - {""} == set(one.codes("category"))
    before: set[str] = {""}
    for node in nodes:
        assert node.parent in before
        before.add(node.code)


@given(st.lists(st.text(st.sampled_from("水电路灯"), min_size=1, max_size=3), min_size=1))
def test_labels_without_strokes_stay_as_they_are(values: list[str]) -> None:
    codes, nodes = tree(values)
    assert codes == values
    assert [node.code for node in nodes] == list(dict.fromkeys(values))
