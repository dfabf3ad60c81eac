"""JSONL keeps the types of its fields."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import orjson
import pytest

from nlp.decider import Decider
from serving.backlog.answers import KEYS
from serving.backlog.sinks.jsonl import JsonlSink
from tests.serving.backlog.desk import answered, plan, tickets

COLUMNS = ("工单编号", "标题", "诉求内容", "附", "附")


@pytest.mark.parametrize("value", [7, 0.5, True, None, ["a", 1], {"b": None}, 2**70, "半\ud83d", "=1+1"])
def test_values_come_back_as_they_were(decider: Decider, value: object) -> None:
    rows = [[*tickets(1)[0][:3], value, "又"]]
    one = plan(columns=COLUMNS)
    line = JsonlSink(one).rendered(answered(decider, one, rows))
    held = json.loads(line)
    assert list(held) == ["工单编号", "标题", "诉求内容", "附", "附_2", *KEYS]
    assert held["附"] == value
    assert held["附_2"] == "又"
    assert isinstance(held["jiesu_confidence"], float)
    assert isinstance(held["jiesu_needs_human"], bool)


def test_what_json_has_no_form_for_becomes_text(decider: Decider) -> None:
    one = plan(columns=COLUMNS)
    rows = [[*tickets(1)[0][:3], datetime(2026, 1, 2, 3, 4, 5), Decimal("1.50")]]
    held = orjson.loads(JsonlSink(one).rendered(answered(decider, one, rows)))
    assert (held["附"], held["附_2"]) == ("2026-01-02 03:04:05", "1.50")
