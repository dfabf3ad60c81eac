"""A finding names its first lines, and says when there are more."""

from __future__ import annotations

import json

import pytest

from training.findings import SHOWN, Finding


@pytest.mark.parametrize(
    ("count", "lines", "where"),
    [
        (2, [3, 8], "第 3、8 行"),
        (9, [3, 8], "第 3、8 行等"),
        (4, [], ""),
        (SHOWN + 1, list(range(1, SHOWN + 2)), f"第 {'、'.join(map(str, range(1, SHOWN + 1)))} 行等"),
    ],
)
def test_it_names_its_first_lines(count: int, lines: list[int], where: str) -> None:
    assert Finding("dropped", "正文为空。", count, lines).where == where


def test_a_kind_has_a_title_and_an_unknown_one_stands_for_itself() -> None:
    assert Finding("conflict", "", 1).title == "同样的文字、不同的标签"
    assert Finding("别的", "", 1).title == "别的"


def test_it_is_plain_data() -> None:
    told = Finding("leak", "一条也在测试集里。", 1, (7,)).as_dict()
    assert json.loads(json.dumps(told)) == {"kind": "leak", "told": "一条也在测试集里。", "count": 1, "lines": [7]}
