"""Returned tickets: what kind of reason is given, told by its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.route.returns import ReturnRules

SHIPPED = ReturnRules.read(RULES / "returns.toml")
WORDS = [(reason.name, word) for reason in SHIPPED.reasons for word in reason.words]


@pytest.mark.parametrize(("name", "word"), WORDS)
def test_every_word_tells_its_kind(name: str, word: str) -> None:
    assert SHIPPED.reason(word).name == name
    assert SHIPPED.reason(f"经核查，{word}，请另派。").name == name


@pytest.mark.parametrize(
    ("text", "name", "answer"),
    [
        ("与昨日的工单反映的是同一问题，申请并单", "重复", "merge"),
        ("来电人未留门牌，地址不详，电话打不通", "信息不全", "complete"),
        ("该路段不在辖区，应由东街街道办理", "不属辖区", "other_place"),
        ("社区没有执法权，需上级协调", "权限不足", "higher_tier"),
        ("对派单有异议，目录有误", "派单异议", "review"),
        ("此事不归我局，主管部门是水务局", "职责不符", "other_lead"),
        ("今日下雨", "其他理由", "review"),
        ("", "其他理由", "review"),
    ],
)
def test_reasons_as_units_write_them(text: str, name: str, answer: str) -> None:
    reason = SHIPPED.reason(text)
    assert (reason.name, reason.answer) == (name, answer)


def test_the_last_takes_the_rest_and_the_kinds_are_all_there() -> None:
    assert SHIPPED.reasons[-1].words == ()
    assert all(reason.words for reason in SHIPPED.reasons[:-1])
    assert {reason.answer for reason in SHIPPED.reasons} == {
        "other_lead", "higher_tier", "other_place", "complete", "merge", "review",
    }  # fmt: skip
    assert SHIPPED.most > 0
    assert SHIPPED.steps


RULE = """\
steps = ["复核"]
most = 2

[[reasons]]
name = "甲"
answer = "merge"
mode = "并单"
words = ["重复"]

[[reasons]]
name = "乙"
answer = "review"
mode = "复核"
words = ["重复派单", "异议"]

[[reasons]]
name = "丙"
answer = "review"
mode = "复核"
"""


def read(folder: Path, text: str) -> ReturnRules:
    path = folder / "returns.toml"
    path.write_text(text, encoding="utf-8")
    return ReturnRules.read(path)


@pytest.mark.parametrize(("text", "name"), [("重复派单有异议", "甲"), ("有异议", "乙"), ("别的", "丙")])
def test_the_first_kind_that_fits_decides(tmp_path: Path, text: str, name: str) -> None:
    assert read(tmp_path, RULE).reason(text).name == name


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('answer = "review"', 'answer = "ignore"', 12, "reasons.2.answer：不是可用的取值"),
        ("most = 2", 'most = "两次"', 2, "most：须是整数"),
        ('mode = "并单"\n', "", 4, "reasons.1.mode：缺少字段"),
        ('words = ["重复"]', 'words = "重复"', 8, "reasons.1.words：须是列表"),
        ('words = ["重复"]', 'word = ["重复"]', 8, "reasons.1.word：没有这个字段"),
        ("most = 2\n", "", 1, "most：缺少字段"),
        ('steps = ["复核"]\n', "", 1, "steps：缺少字段"),
    ],
)
def test_broken_rules_are_refused_by_their_line(tmp_path: Path, old: str, new: str, line: int, reason: str) -> None:
    with pytest.raises(RefusedData) as caught:
        read(tmp_path, RULE.replace(old, new))
    assert str(caught.value) == f"规则文件 {tmp_path / 'returns.toml'} 第 {line} 行 不能使用：{reason}"


def test_rules_without_a_last_kind_for_the_rest_are_refused(tmp_path: Path) -> None:
    """Otherwise every reason that no word tells would be taken for the last kind, or for none."""
    with pytest.raises(RefusedData, match=r"returns\.toml"):
        read(tmp_path, RULE + 'words = ["剩下"]\n')


def test_rules_without_any_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedData, match=r"returns\.toml"):
        read(tmp_path, "steps = []\nmost = 1\nreasons = []\n")
