"""盘龙区五级治理: from the building up to the district, three loops, no task to a community unapproved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from nlp.decision import Route
from nlp.place.area import Area
from nlp.route.facts import Facts
from nlp.route.profile import Profile
from nlp.route.router import Router

RECEIVED = datetime(2026, 2, 27, 9, 12, 3, tzinfo=timezone(timedelta(hours=8)))
Asked = Callable[..., Route]


@pytest.fixture(scope="module")
def panlong(router: Router) -> Profile:
    return router.rules.profile("panlong")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under panlong."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("panlong", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


GATED = (
    "illegal_construction",
    "street_vending",
    "construction_nuisance",
    "air_pollution",
    "water_soil_pollution",
    "food_drug_safety",
    "business_regulation",
    "road_maintenance",
    "traffic_management",
)


def test_panlong_has_five_levels(panlong: Profile) -> None:
    assert panlong.chain == ("楼栋", "居民小组", "社区", "街道分中心", "区级指挥中心")
    bodies = [level.body for level in panlong.levels]
    for body, part in zip(bodies, ("基础", "支撑", "依托", "主体", "主导"), strict=True):
        assert part in body


@pytest.mark.parametrize(
    ("tier", "start", "unit"),
    [
        ("grid", "楼栋", "居民小组"),
        ("community", "居民小组", "社区"),
        ("street", "社区", "街道分中心"),
        ("district", "街道分中心", "区级指挥中心（住房和城乡建设局）"),
    ],
)
def test_panlong_seats_every_tier(ask: Asked, tier: str, start: str, unit: str) -> None:
    route = ask("leak", tier)
    assert (route.profile, route.start, route.unit) == ("panlong", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


def test_panlong_ends_below_the_city_and_plain_gives_the_unit(ask: Asked) -> None:
    route = ask("leak", "city")
    assert (route.profile, route.unit) == ("panlong", "市级部门（市住房和城乡建设局）")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain == ["楼栋", "居民小组", "社区", "街道分中心", "区级指挥中心", "市级部门"]


def test_panlong_goes_up_level_by_level(ask: Asked, panlong: Profile) -> None:
    route = ask("leak", "grid")
    assert route.chain == list(panlong.chain)
    assert [climb.to for climb in route.escalation] == ["居民小组", "社区", "街道分中心", "区级指挥中心"]
    for climb, word in zip(route.escalation, ("楼栋", "自循环", "微循环", "小循环"), strict=True):
        assert word in climb.when


@pytest.mark.parametrize(
    ("tier", "loop"),
    [
        ("grid", "社区“自循环”"),
        ("community", "社区“自循环”"),
        ("street", "街道“微循环”"),
        ("district", "区级“小循环”"),
    ],
)
def test_panlong_closes_a_case_in_the_loop_that_reaches_it(ask: Asked, panlong: Profile, tier: str, loop: str) -> None:
    assert panlong.loop(tier) == loop
    assert ask("leak", tier).mode == loop


def test_panlong_closes_every_loop_in_six_steps(ask: Asked) -> None:
    for tier in ("grid", "community", "street", "district"):
        assert ask("leak", tier).steps == ["采集上报", "指挥派遣", "处理反馈", "任务核查", "结案归档", "考核评价"]


@pytest.mark.parametrize("category", GATED)
@pytest.mark.parametrize("tier", ["grid", "community"])
def test_panlong_sends_no_task_of_a_department_to_a_community_unapproved(ask: Asked, category: str, tier: str) -> None:
    route = ask(category, tier)
    assert route.unit.startswith(("街道分中心", "区级指挥中心"))
    assert "守则" in route.rule


def test_panlong_says_that_the_district_group_has_to_approve(ask: Asked) -> None:
    route = ask("street_vending", "community")
    assert all(word in route.rule for word in ("准入", "区领导小组", "批准"))
    assert "准入" not in ask("leak", "community").rule


@pytest.mark.parametrize("word", ["没有维修基金", "没有维修资金", "老旧小区"])
@pytest.mark.parametrize("tier", ["grid", "community"])
def test_panlong_pays_for_repairs_without_a_fund_by_subsidy_income_and_small_shares(
    ask: Asked, tier: str, word: str
) -> None:
    way = ask("leak", tier, words=[word]).way
    assert all(part in way for part in ("政府补贴", "公共收益", "业主"))
    assert "政府补贴" not in ask("leak", tier).way


def test_panlong_brings_six_bodies_together_in_a_community(ask: Asked, panlong: Profile) -> None:
    six = {"社区党委", "居委会", "综治站", "工作站", "业委会", "物业"}
    assert all(body in panlong.fact("六方") for body in six)
    route = ask("property_management", "community")
    assert route.way == "六方共治"
    assert six <= set(route.support)


def test_panlong_lets_the_station_serve_the_post_manage_and_the_committee_supervise(
    ask: Asked, panlong: Profile
) -> None:
    assert "工作站服务、综治站管理、居委会监督" in panlong.principles
    service = ask("welfare", "community")
    assert service.way == "工作站服务"
    assert "工作站" in service.support
    management = ask("public_security", "community")
    assert management.way == "综治站管理"
    assert "综治站" in management.support


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        (("neighbour_dispute", "community"), "调解"),
        (("noise", "grid"), "调解"),
        (("leak", "community"), "六方共治"),
        (("leak", "street"), "街道派遣处置"),
        (("leak", "district"), "区级派遣处置"),
        (("power", "district", "emergency"), "应急处置"),
    ],
)
def test_panlong_settles_each_matter_in_its_way(ask: Asked, facts: tuple[str, ...], way: str) -> None:
    assert ask(*facts).way == way


def test_panlong_tells_both_centres_of_an_emergency(ask: Asked) -> None:
    assert {"区级指挥中心", "街道分中心"} <= set(ask("leak", "community", "emergency").notify)
    assert not ask("leak", "community").notify


def test_panlong_counts_four_rates(panlong: Profile) -> None:
    assert panlong.indicators == ("处置率", "及时率", "结案率", "满意率")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("中心", ("区级中心 1 个", "街道分中心 12 个", "网格 610 个")),
        ("队伍", ("1+1+1+N", "区级巡查员", "街道监督员", "社区网格员", "志愿者", "楼栋长")),
        ("范围", ("城市管理", "安全生产", "综合治理")),
    ],
)
def test_panlong_states_what_its_documents_state(panlong: Profile, name: str, parts: tuple[str, ...]) -> None:
    assert all(part in panlong.fact(name) for part in parts)


@pytest.mark.parametrize(
    ("tier", "unit"),
    [
        ("grid", "居民小组（一组）"),
        ("community", "金星社区"),
        ("street", "龙泉街道分中心"),
        ("district", "盘龙区区级指挥中心（住房和城乡建设局）"),
    ],
)
def test_panlong_names_the_units_of_a_known_place(ask: Asked, tier: str, unit: str) -> None:
    assert ask("leak", tier, area=Area("一组", "金星社区", "龙泉街道", "盘龙区")).unit == unit
