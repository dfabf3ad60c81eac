"""Proposal: a returned ticket goes on to somebody else, by the reason of the return; its clock runs on."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from nlp.route.facts import Facts
from nlp.route.proposal import Proposal, propose
from nlp.route.returns import Returned
from nlp.route.router import Router

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=8)))
STALLS = Facts("street_vending", "street", "general", "complaint")
TEAM = "街道（综合行政执法队）"


def proposed(router: Router, *returned: Returned, facts: Facts = STALLS, others: tuple[str, ...] = ()) -> Proposal:
    return propose(router, router.rules.profile("plain"), facts, returned, NOON, others)


def test_a_lack_of_power_goes_one_tier_up(router: Router) -> None:
    found = proposed(router, Returned(TEAM, "需上级支持，我队无法解决"))
    assert found.route.unit == "区县部门（城市管理局）"
    assert found.route.mode == "上报"


def test_a_wrong_office_gives_way_to_the_next_likely_category(router: Router) -> None:
    found = proposed(router, Returned(TEAM, "不属于我队职责"), others=("noise", "traffic_management"))
    assert found.route.unit not in (TEAM, "街道")
    assert "traffic_management" in found.why or "noise" in found.why


def test_who_returned_it_is_never_proposed_again(router: Router) -> None:
    for reason in ("不属于我队职责", "需上级支持", "不在辖区", "信息不全", "重复工单", "有异议", "就是不想办"):
        found = proposed(router, Returned(TEAM, reason), others=("illegal_construction",))
        assert found.route.unit != TEAM
        assert "综合行政执法队" not in found.route.unit


@pytest.mark.parametrize(
    ("reason", "unit", "mode"),
    [
        ("地址不详，无法核实", "12345 派单席（补充信息）", "补充信息后再派"),
        ("与昨天的工单重复", "12345 派单席（并单）", "并单"),
        ("对派单有异议", "12345 派单席", "派单异议复核"),
        ("别的原因", "12345 派单席", "改派复核"),
    ],
)
def test_each_reason_has_its_answer(router: Router, reason: str, unit: str, mode: str) -> None:
    route = proposed(router, Returned(TEAM, reason)).route
    assert (route.unit, route.mode) == (unit, mode)


def test_the_steps_begin_with_a_review_and_the_clock_runs_on(router: Router) -> None:
    found = proposed(router, Returned(TEAM, "不属于我队职责"))
    assert found.route.steps[:4] == ["退单单位说明理由和依据", "派单席复核", "改派或维持原派", "新承办单位签收"]
    assert found.route.due == router.route("plain", STALLS, NOON).due
    assert "退单 1 次" in found.route.rule


def test_after_two_returns_the_coordinator_decides(router: Router) -> None:
    found = proposed(router, Returned(TEAM, "不属于我队职责"), Returned("区县部门（城市管理局）", "不属于我局职责"))
    assert found.route.unit == "12345 派单席"
    assert "已退单 2 次" in found.why


def test_a_unit_that_returns_what_the_catalogue_gives_it_is_reported(router: Router) -> None:
    assert "street_vending-04" in proposed(router, Returned(TEAM, "不属于我队职责")).reported
    assert proposed(router, Returned("区县部门（水务局）", "不属于我局职责")).reported == ""
    leak = Facts("leak", "community", "general", "help")
    assert proposed(router, Returned("社区", "解决不了"), facts=leak).reported == ""


def test_each_system_has_its_own_coordinator(router: Router) -> None:
    profile = router.rules.profile("beicai")
    found = propose(router, profile, STALLS, [Returned("网格级", "有异议")], NOON)
    assert found.route.unit == "中心级指挥中心"
