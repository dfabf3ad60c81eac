"""The taxonomy: 52 categories, trees of any depth, and faults that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import RefusedData
from nlp.taxonomy import TASKS, Taxonomy

OTHERS = {key: [{"code": f"{key}-1", "name": "一"}] for key in ("tiers", "clocks", "types")}


def tree(*nodes: tuple[str, str]) -> dict[str, Any]:
    """A taxonomy as plain data, its nodes given as (code, parent)."""
    return {
        "name": "t",
        "nodes": [{"code": code, "name": f"名{code}", "parent": parent} for code, parent in nodes],
        **OTHERS,
    }


def test_the_default_taxonomy_has_the_codes_of_the_guide(taxonomy: Taxonomy) -> None:
    assert {task: len(taxonomy.labels(task)) for task in TASKS} == {"category": 52, "tier": 5, "clock": 4, "type": 7}
    assert taxonomy.codes("tier") == ["grid", "community", "street", "district", "city"]
    assert {label.code: label.hours for label in taxonomy.clocks} == {
        "emergency": 2,
        "urgent": 24,
        "general": 168,
        "complex": 360,
    }
    assert all(len(path) == 2 and all(path) for path in taxonomy.paths.values())
    assert taxonomy.paths["leak"] == ["住房与物业", "漏水渗水"]


@given(st.integers(1, 200))
def test_a_path_leads_down_a_tree_of_any_depth(depth: int) -> None:
    taxonomy = Taxonomy.from_dict(tree(*((str(n), str(n - 1) if n else "") for n in range(depth))))
    assert taxonomy.codes("category") == [str(depth - 1)]
    assert taxonomy.paths == {str(depth - 1): [f"名{n}" for n in range(depth)]}


def test_branches_may_differ_in_depth_and_children_may_stand_first() -> None:
    taxonomy = Taxonomy.from_dict(tree(("c", "b"), ("b", "a"), ("a", ""), ("d", "")))
    assert taxonomy.paths == {"c": ["名a", "名b", "名c"], "d": ["名d"]}


@pytest.mark.parametrize(
    ("nodes", "fault"),
    [
        ([("a", ""), ("a", "")], "编码重复：a"),
        ([("a", "nowhere")], "a 的上级 nowhere 不存在"),
        ([("a", "a")], "成环"),
        ([("a", "b"), ("b", "c"), ("c", "a"), ("d", "")], "成环"),
        ([], "空"),
    ],
)
def test_a_tree_that_is_none_is_refused(nodes: list[tuple[str, str]], fault: str) -> None:
    with pytest.raises(RefusedData, match=fault):
        Taxonomy.from_dict(tree(*nodes), "mine.toml")


@pytest.mark.parametrize("key", ["name", "nodes", "tiers", "clocks", "types"])
def test_a_missing_part_is_named(key: str) -> None:
    data = {name: value for name, value in tree(("a", "")).items() if name != key}
    with pytest.raises(RefusedData, match=rf"mine\.toml.*{key}"):
        Taxonomy.from_dict(data, "mine.toml")


@pytest.mark.parametrize("row", [{"code": "x"}, {"code": "x", "name": "y", "colour": "z"}, "x"])
def test_a_wrong_row_is_refused(row: object) -> None:
    with pytest.raises(RefusedData, match=r"mine\.toml"):
        Taxonomy.from_dict(tree(("a", "")) | {"tiers": [row]}, "mine.toml")


def test_a_file_that_is_no_toml_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(RefusedData, match=r"taxonomy\.toml"):
        Taxonomy.read(path)
    with pytest.raises(RefusedData, match=r"nowhere\.toml"):
        Taxonomy.read(tmp_path / "nowhere.toml")


def test_plain_data_build_the_same_taxonomy(taxonomy: Taxonomy) -> None:
    again = Taxonomy.from_dict(taxonomy.as_dict())
    assert again == taxonomy
    assert again.hash == taxonomy.hash


def test_the_hash_changes_with_the_content(taxonomy: Taxonomy) -> None:
    data = taxonomy.as_dict()
    data["clocks"][0]["hours"] = 3
    assert Taxonomy.from_dict(data).hash != taxonomy.hash
