"""Labels by code, name or path, and the help for one that nobody knows."""

from __future__ import annotations

import pytest

from nlp.errors import InputError
from nlp.taxonomy import TASKS, Taxonomy
from training.label.names import Names


def test_every_label_is_found_by_code_and_by_the_name_that_is_told(taxonomy: Taxonomy) -> None:
    names = Names(taxonomy)
    for task in TASKS:
        for code in taxonomy.codes(task):
            assert names.code(task, f" {names.told(task, code)} ", "x") == code
            assert names.code(task, code, "x") == code
    assert names.code("category", "住房与物业/漏水渗水", "x") == "leak"


def test_two_categories_of_one_name_are_told_by_their_paths(taxonomy: Taxonomy) -> None:
    data = taxonomy.as_dict() | {
        "nodes": [
            {"code": "a", "name": "甲"}, {"code": "b", "name": "乙"},
            {"code": "a1", "name": "杂项", "parent": "a"}, {"code": "b1", "name": "杂项", "parent": "b"},
        ]
    }  # fmt: skip
    names = Names(Taxonomy.from_dict(data))
    assert names.all("category") == ["甲/杂项", "乙/杂项"]
    assert names.code("category", "乙/杂项", "x") == "b1"
    with pytest.raises(InputError, match="杂项"):
        names.code("category", "杂项", "x")


def test_an_unknown_label_is_answered_with_the_nearest_and_what_to_do(taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError) as caught:
        Names(taxonomy).code("category", "漏水渗氺", "表.xlsx 第 7 行")
    assert str(caught.value).startswith("表.xlsx 第 7 行：")
    assert "“漏水渗水”" in str(caught.value)
    assert "--taxonomy" in str(caught.value)


def test_an_error_quotes_no_petition(taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError) as caught:
        Names(taxonomy).code("category", "槐荫里 3 栋楼上整夜装修，孩子没法睡觉，请来人看看", "x")
    assert "槐荫里" not in str(caught.value)
