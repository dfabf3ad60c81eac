"""Feedback becomes rows to train on: what was accepted, what was corrected, and what a return takes back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nlp.errors import InputError
from nlp.taxonomy import TASKS, Taxonomy
from training.corrections import Corrections, read_corrections
from training.dataset import MISSING

DECIDED = {"category": "leak", "tier": "community", "clock": "general", "type": "help"}


def at(hour: int) -> str:
    return f"2026-11-23T{hour:02}:00:00+08:00"


def said(verdict: str, hour: int, operator: str = "甲", **fields: str) -> dict[str, str]:
    return {"verdict": verdict, "at": at(hour), "operator": operator, **fields}


def line(id_: str, *feedback: dict[str, str], **decided: str) -> dict[str, Any]:
    codes = {task: {"code": code, "confidence": 0.9} for task, code in (DECIDED | decided).items()}
    decision = {"decision_id": f"D-{id_}", **codes, "route": {"unit": "桂香社区"}, "received_at": at(8)}
    petition = {"id": id_, "title": "漏水", "text": f"{id_} 楼上漏水，墙皮掉了一地"}
    return {"decision": decision, "petition": petition, "feedback": list(feedback)}


class Read:
    """Writes lines and reads them as corrections."""

    def __init__(self, folder: Path, taxonomy: Taxonomy) -> None:
        self.path, self.taxonomy = folder / "反馈.jsonl", taxonomy

    def __call__(self, *lines: object) -> Corrections:
        texts = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in lines]
        self.path.write_text("\n".join(texts), encoding="utf-8")
        return read_corrections(self.path, self.taxonomy)


@pytest.fixture
def read(tmp_path: Path, taxonomy: Taxonomy) -> Read:
    return Read(tmp_path, taxonomy)


def labels(found: Corrections) -> list[dict[str, str]]:
    return [
        {task: codes[row] for task, codes in found.dataset.labels.items() if codes[row]}
        for row in range(len(found.dataset))
    ]


def test_accepted_teaches_all_tasks_and_corrected_only_those_named(read: Read, taxonomy: Taxonomy) -> None:
    found = read(
        line("A", said("accepted", 9)), "", line("B", said("corrected", 9, "乙", category="noise", tier="street")),
        line("C"),
    )  # fmt: skip
    assert labels(found) == [DECIDED, {"category": "noise", "tier": "street"}]
    assert (found.sources, found.operators, found.lines) == (["accepted", "corrected"], ["甲", "乙"], 3)
    dataset = found.dataset
    assert [each.id for each in dataset.petitions] == ["A", "B"]
    assert dataset.petitions[0].title == "漏水"
    assert (dataset.lines, dataset.place(1)) == ([1, 3], "反馈.jsonl 第 3 行")
    assert dataset.times == [datetime.fromisoformat(at(8))] * 2
    assert dataset.columns("clock", taxonomy)[1] == MISSING


def test_tasks_that_nobody_labelled_are_absent(read: Read) -> None:
    assert list(read(line("A", said("corrected", 9, category="noise"))).dataset.labels) == ["category"]
    nothing = read(line("A", said("corrected", 9)), line("B"))
    assert (len(nothing.dataset), nothing.dataset.labels) == (0, {})


def test_a_name_is_as_good_as_a_code_and_null_as_good_as_nothing(read: Read) -> None:
    feedback: dict[str, Any] = {"verdict": "corrected", "at": "2026-11-23 09:00:00", "tier": "街道·乡镇", "type": None}
    assert labels(read(line("A", feedback))) == [{"tier": "street"}]


RETURNS = {
    "不归我单位管，属城管职责": {"category"},
    "无执法权，需上级处理": {"tier"},
    "信息不全，联系不上来电人": set(),
    "地址不在我街道，不属辖区": set(),
    "重复工单": set(),
    "对派单有异议": {"category", "tier"},
    "": {"category", "tier"},
}


@pytest.mark.parametrize("reason", RETURNS)
def test_a_return_is_never_a_label_and_takes_back_what_its_reason_doubts(read: Read, reason: str) -> None:
    found = read(line("A", said("accepted", 9), said("returned", 10, "丙", reason=reason)), line("B"))
    doubted = RETURNS[reason]
    assert labels(found) == [{task: code for task, code in DECIDED.items() if task not in doubted}]
    (negative,) = found.negatives
    assert (negative.id, negative.unit, negative.reason, negative.operator) == ("A", "桂香社区", reason, "丙")
    assert negative.doubted == {task: DECIDED[task] for task in TASKS if task in doubted}
    assert negative.place == "反馈.jsonl 第 1 行"


def test_only_returned_is_listed_and_not_trained_on(read: Read) -> None:
    found = read(line("A", said("returned", 10, reason="不归我单位管")))
    assert (len(found.dataset), len(found.negatives)) == (0, 1)


def test_a_return_leaves_a_correction_and_a_later_acceptance_alone(read: Read) -> None:
    back = said("returned", 10, "丙", reason="不归我单位管")
    found = read(
        line("A", said("corrected", 9, category="noise"), back), line("B", back, said("accepted", 11)),
    )  # fmt: skip
    assert labels(found) == [{"category": "noise"}, DECIDED]


def test_a_return_reaches_what_was_accepted_on_another_line_of_the_petition(read: Read) -> None:
    found = read(
        line("A", said("returned", 10, "丙", reason="不归我单位管")),
        line("A", said("accepted", 9)),
        line("A", said("accepted", 9, "乙"), category="noise"),
    )
    assert labels(found) == [DECIDED | {"category": "noise"}]  # the return doubts the leak, not the noise


def test_operators_who_differ_are_listed_and_not_trained_on(read: Read) -> None:
    found = read(
        line(
            "A", said("corrected", 9, "甲", category="noise", tier="grid"), said("corrected", 10, "乙", category="leak")
        )
    )
    assert labels(found) == [{"tier": "grid"}]
    (disagreement,) = found.disagreements
    assert (disagreement.id, disagreement.task) == ("A", "category")
    assert disagreement.codes == (("甲", "noise"), ("乙", "leak"))


def test_the_latest_of_one_operator_counts_whatever_the_order_of_the_file(read: Read) -> None:
    first, then = said("corrected", 9, category="noise"), said("corrected", 10, category="leak")
    for feedback in ((first, then), (then, first)):
        assert labels(read(line("A", *feedback))) == [{"category": "leak"}]
    changed = read(line("A", said("accepted", 9), said("corrected", 10, category="noise")))
    assert labels(changed) == [DECIDED | {"category": "noise"}]
    assert changed.sources == ["corrected"]


def test_petitions_without_an_id_are_told_apart_by_their_decisions(read: Read) -> None:
    lines = [line("A", said("accepted", 9)), line("B", said("corrected", 9, "乙", category="noise"))]
    for each in lines:
        each["petition"]["id"] = ""
    assert [one.id for one in read(*lines).dataset.petitions] == ["D-A", "D-B"]


BAD = {
    '{"decision"': "第 2 行：不是 JSON",
    "[]": "第 2 行：须是对象",
    "{}": "第 2 行：decision：缺少字段",
    json.dumps(line("A", {"verdict": "fine", "at": at(9)})): "第 2 行：feedback.1.verdict：不是可用的取值",
    json.dumps(line("A", {"verdict": "accepted", "at": "昨天"})): "第 2 行：feedback.1.at：须是时间",
    json.dumps(line("A", {"verdict": "accepted"})): "第 2 行：feedback.1.at：缺少字段",
    json.dumps(line("A", said("corrected", 9, category="leek"))): "第 2 行，category：.*'leek'.*最接近的是“leak”.*改正",
    json.dumps(line("A", said("accepted", 9), tier="village")): "第 2 行，tier：.*'village'.*--taxonomy",
    json.dumps({**line("A"), "petition": {"id": "A"}}): "第 2 行：petition.text：缺少字段",
    json.dumps({**line("A"), "feedback": "accepted"}): "第 2 行：feedback：须是列表",
}


@pytest.mark.parametrize("bad", BAD)
def test_a_line_that_cannot_be_read_is_named(read: Read, bad: str) -> None:
    with pytest.raises(InputError, match=BAD[bad]) as caught:
        read(line("Z", said("accepted", 9)), bad)
    assert str(caught.value).startswith(str(read.path))
    assert "墙皮" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match="打不开"):
        read_corrections(tmp_path / "x.jsonl", taxonomy)
