"""A tally counts every row once, in any order, and keeps no text that is not masked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from corpora.petitions import Row as Written
from corpora.rows.row import Row
from nlp.decider import Decider
from serving.backlog.answers import Answered
from serving.backlog.sample import CHANGED, KEPT
from serving.backlog.tally import EARLIER, LATER, SAME, WITHOUT, Tally, kind, lie
from tests.serving.backlog.backlog import decided, plan_of, row_of

PHONE = "13800138000"


def packed(tally: Tally) -> str:
    return json.dumps(tally.as_dict(), sort_keys=True, ensure_ascii=False)


@pytest.fixture(scope="module")
def answered(decider: Decider, corpus: list[Written]) -> list[Answered]:
    rows = []
    for number, written in enumerate(corpus[:600], 2):
        old = written.category if number % 3 else ""
        rows.append(row_of(number, written, old, "昨天" if number % 10 == 0 else "2026-11-20 10:00"))
    rows[5] = Row(7, ("坏",), "列数不对")
    rows[6] = row_of(8, replace(corpus[0], text=f"请回电话{PHONE}，楼道灯坏了", title=""), "不是")
    return decided(decider, rows)


def test_every_row_counts_once(answered: list[Answered]) -> None:
    tally = Tally.of(plan_of(), answered)
    assert tally.read == 600 == tally.decided + tally.human + tally.rejected
    assert tally.rejected == 1
    assert tally.rejects == {"列数不对": {"": [1]}}
    known = [one for one in answered if one.decision]
    assert tally.unread == sum(str(one.row.cells[4]) == "昨天" for one in known)
    assert tally.unlabelled == sum(one.row.cells[3] == "" for one in known)
    assert tally.changed == sum(one.row.cells[3] != one.decision.category.code for one in known if one.decision)
    for flows in (tally.labels, tally.units, tally.days, tally.deadlines):
        assert sum(numbers[0] for targets in flows.values() for numbers in targets.values()) == 599
    bins = [sum(numbers[3:]) == numbers[0] for targets in tally.labels.values() for numbers in targets.values()]
    assert all(bins)


def test_the_order_and_the_parts_do_not_matter(answered: list[Answered]) -> None:
    plan, whole = plan_of(), Tally.of(plan_of(), answered)
    parts = [Tally.of(plan, answered[start : start + 70]) for start in range(0, 600, 70)]
    parts.sort(key=lambda part: min(one.rank for one in part.sample))  # an order by chance
    one = Tally()
    for part in parts:
        one = part.merged(one)
    assert packed(one) == packed(whole) == packed(Tally.total(parts))
    assert Tally.from_dict(json.loads(packed(whole))) == whole


def test_the_sample_is_by_chance_bounded_and_masked(answered: list[Answered]) -> None:
    tally = Tally.of(plan_of(), answered)
    assert len(tally.sample) == min(CHANGED, tally.changed)
    assert len(tally.kept) == min(KEPT, 599 - tally.changed)
    assert len({one.number for one in tally.sample + tally.kept}) == len(tally.sample) + len(tally.kept)
    assert PHONE not in packed(tally)
    assert "请回电话" in packed(Tally.of(plan_of(), answered[6:7]))
    other = Tally.of(replace(plan_of(), now="2026-11-24T09:00:00+08:00"), answered)
    assert [one.number for one in other.kept] != [one.number for one in tally.kept]


def test_every_row_changes_where_there_are_no_old_labels(answered: list[Answered]) -> None:
    tally = Tally.of(plan_of(without="category"), answered)
    assert (tally.changed, tally.kept) == (599, ())
    assert set(tally.labels) == {""}


@pytest.mark.parametrize(
    ("old", "told"),
    [("2026-11-27", SAME), ("2026年11月26日", LATER), ("2026-12-01", EARLIER), ("尽快", WITHOUT), ("", WITHOUT)],
)
def test_deadlines_are_compared_by_the_day(old: str, told: str) -> None:
    assert lie(old, "2026-11-27T09:00:00+08:00") == told
    assert lie(old, "") == WITHOUT


def test_a_reason_loses_what_is_one_rows_own() -> None:
    assert kind("把握不足：类别正确的概率 0.512，低于 0.918") == "把握不足"
    assert kind("含 3 件事，主次请核对") == "含几件事"
    assert kind("红线规则 fire（火情）：“着火”，时限升为紧急") == "红线规则 fire（火情）"
    assert kind("：") == "："
