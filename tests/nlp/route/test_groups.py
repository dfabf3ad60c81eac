"""Names that stand for several categories: upper nodes of the taxonomy, and lists of a place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.route.facts import Facts, When
from nlp.route.groups import Groups
from nlp.route.profile import Way
from nlp.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def groups(taxonomy: Taxonomy) -> Groups:
    return Groups(taxonomy, {})


def test_an_upper_node_stands_for_all_categories_below_it(groups: Groups, taxonomy: Taxonomy) -> None:
    for node in taxonomy.nodes:
        if not node.parent:
            below = {code for code, path in taxonomy.paths.items() if path[0] == node.name}
            assert below
            assert set(groups.spread(When(parent=(node.name,))).category) == below


def test_of_a_deep_tree_every_upper_node_is_a_name() -> None:
    other = [{"code": "x", "name": "x"}]
    nodes = [("a", ""), ("b", "a"), ("c", "b"), ("d", "b"), ("e", "a"), ("f", "")]
    taxonomy = Taxonomy.from_dict(
        {
            "name": "deep",
            "nodes": [{"code": code, "name": code.upper(), "parent": parent} for code, parent in nodes],
            "tiers": other,
            "clocks": other,
            "types": other,
        }
    )
    deep = Groups(taxonomy, {})
    assert deep.spread(When(parent=("A",))).category == ("c", "d", "e")
    assert deep.spread(When(parent=("B",))).category == ("c", "d")
    assert deep.unknown(When(parent=("C",))) == "C"  # a category is no group


def test_a_rule_without_groups_stays_as_it_is(groups: Groups) -> None:
    rule = When(category=("leak",), words=("漏水",))
    assert groups.spread(rule) is rule


def test_groups_add_to_the_categories_of_a_rule_and_leave_the_rest(groups: Groups) -> None:
    rule = Way(parent=("生态环境",), category=("leak",), tier=("grid",), mode="一", way="二", support=("三",))
    spread = groups.spread(rule)
    assert spread.category[0] == "leak"
    assert "noise" in spread.category
    assert (spread.parent, spread.tier, spread.mode, spread.way, spread.support) == ((), ("grid",), "一", "二", ("三",))


def test_a_rule_for_a_group_that_nobody_knows_holds_for_no_matter(groups: Groups, taxonomy: Taxonomy) -> None:
    spread = groups.spread(When(parent=("没有这一类",)))
    assert not any(spread.holds(Facts(code, "grid", "general", "help")) for code in taxonomy.codes("category"))


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        (When(), ""),
        (When(category=("leak",), tier=("grid",), clock=("urgent",), type=("help",), parent=("生态环境",)), ""),
        (When(category=("leak", "leek")), "leek"),
        (When(tier=("village",)), "village"),
        (When(clock=("soon",)), "soon"),
        (When(type=("cry",)), "cry"),
        (When(parent=("生态",)), "生态"),
        (When(category=("生态环境",)), "生态环境"),
        (When(tier=("leak",)), "leak"),
    ],
)
def test_the_first_code_or_group_that_nobody_knows_is_named(groups: Groups, rule: When, lost: str) -> None:
    assert groups.unknown(rule) == lost


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_lists_of_a_place_are_names_too(groups: Groups, tmp_path: Path) -> None:
    mine = groups.with_list(written(tmp_path, "类别,清单,来源\nleak,甲,x\nnoise,乙,x\nsanitation,甲,x\n"))
    assert mine.spread(When(parent=("甲",))).category == ("leak", "sanitation")
    assert mine.spread(When(parent=("乙", "甲"))).category == ("noise", "leak", "sanitation")
    assert mine.unknown(When(parent=("甲", "乙", "生态环境"))) == ""
    assert groups.unknown(When(parent=("甲",))) == "甲"  # the groups without the list stay as they were


def test_a_second_list_joins_the_first(groups: Groups, tmp_path: Path) -> None:
    mine = groups.with_list(written(tmp_path, "类别,清单,来源\nleak,甲,x\n"))
    more = mine.with_list(written(tmp_path, "类别,清单,来源\nnoise,甲,x\npower,丙,x\n"))
    assert more.spread(When(parent=("甲", "丙"))).category == ("leak", "noise", "power")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("类别,清单\nleak,甲\n", 1, "表头须是：类别,清单,来源"),
        ("类别,清单,来源\nleak,甲,x\nnoise,乙\n", 3, "有 2 列，应有 3 列"),
    ],
)
def test_a_broken_list_is_refused_by_its_line(
    groups: Groups, tmp_path: Path, text: str, line: int, reason: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(RefusedData) as caught:
        groups.with_list(path)
    assert str(caught.value) == f"规则文件 {path} 第 {line} 行 不能使用：{reason}"


def test_the_two_lists_of_taicang_divide_all_categories_and_are_assumed(groups: Groups, taxonomy: Taxonomy) -> None:
    mine = groups.with_list(RULES / "lists/taicang.csv")
    assert set(mine.lists) == {"协助清单", "履职清单"}
    assert Counter(code for codes in mine.lists.values() for code in codes) == Counter(taxonomy.codes("category"))
    lines = (RULES / "lists/taicang.csv").read_text(encoding="utf-8-sig").splitlines()
    assert {line.split(",")[2] for line in lines[1:]} == {"assumed"}
