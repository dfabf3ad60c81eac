"""北蔡镇四级管理: units and grids find and settle, the centre dispatches, the town leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from nlp.decision import Route
from nlp.place.area import Area
from nlp.route.facts import Facts
from nlp.route.profile import Profile
from nlp.route.router import Router
from nlp.taxonomy import Taxonomy

RECEIVED = datetime(2026, 2, 27, 9, 12, 3, tzinfo=timezone(timedelta(hours=8)))
Asked = Callable[..., Route]


@pytest.fixture(scope="module")
def beicai(router: Router) -> Profile:
    return router.rules.profile("beicai")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under beicai."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("beicai", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


FOUND, RECEIVED_BY_CENTRE = "自行发现", "中心受理"


def test_beicai_has_four_levels(beicai: Profile) -> None:
    assert beicai.chain == ("单元级", "网格级", "中心级", "镇级")
    bodies = {level.name: level.body for level in beicai.levels}
    assert all(word in bodies["单元级"] for word in ("居村委", "物业公司", "企事业单位"))
    assert "网格长" in bodies["网格级"]
    assert "指挥中心" in bodies["中心级"]
    assert "领导小组" in bodies["镇级"]


@pytest.mark.parametrize(
    ("channel", "source"),
    [
        ("单元", FOUND),
        ("网格巡查", FOUND),
        ("居委会自查", FOUND),
        ("上级派单", RECEIVED_BY_CENTRE),
        ("12345", RECEIVED_BY_CENTRE),
        ("12345热线", RECEIVED_BY_CENTRE),
        ("镇热线", RECEIVED_BY_CENTRE),
        ("门户网站", RECEIVED_BY_CENTRE),
        ("", RECEIVED_BY_CENTRE),
    ],
)
def test_beicai_tells_by_the_channel_how_a_case_came_in(beicai: Profile, channel: str, source: str) -> None:
    assert beicai.way_in(channel) == source


@pytest.mark.parametrize(
    ("source", "tier", "clock", "start", "unit"),
    [
        (FOUND, "grid", "general", "单元级", "单元级（物业、企事业单位）"),
        (FOUND, "community", "general", "单元级", "单元级（居村委）"),
        (FOUND, "street", "general", "网格级", "网格级"),
        (RECEIVED_BY_CENTRE, "grid", "general", "中心级", "单元级（物业、企事业单位）"),
        (RECEIVED_BY_CENTRE, "community", "general", "中心级", "单元级（居村委）"),
        (RECEIVED_BY_CENTRE, "street", "general", "中心级", "网格级"),
        (RECEIVED_BY_CENTRE, "district", "general", "中心级", "镇级（住房和城乡建设局）"),
    ],
)
def test_beicai_seats_every_tier_by_the_source_of_the_case(
    ask: Asked, source: str, tier: str, clock: str, start: str, unit: str
) -> None:
    route = ask("leak", tier, clock, source=source)
    assert (route.profile, route.start, route.unit) == ("beicai", start, unit)
    assert f"层级 {tier}" in route.rule


@pytest.mark.parametrize("source", [FOUND, RECEIVED_BY_CENTRE])
def test_beicai_leaves_to_the_centre_what_is_too_much_for_a_grid(ask: Asked, source: str) -> None:
    route = ask("leak", "street", "complex", source=source)
    assert route.unit.startswith("中心级")
    assert "中心级" in route.start


def test_beicai_ends_at_the_town_and_plain_goes_on(ask: Asked) -> None:
    route = ask("leak", "city")
    assert (route.profile, route.unit) == ("beicai", "市级部门（市住房和城乡建设局）")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain == ["单元级", "网格级", "中心级", "镇级", "市级部门"]
    town = ask("leak", "district")
    assert town.escalation[-1].to == "镇级"
    assert "external" in town.escalation[-1].when


def test_beicai_settles_at_the_unit_and_reports_up_what_the_unit_cannot(ask: Asked) -> None:
    route = ask("leak", "community", source=FOUND)
    assert [climb.to for climb in route.escalation] == ["网格级", "中心级", "镇级"]
    assert all(word in route.escalation[0].when for word in ("单元", "上报"))
    assert all(word in route.escalation[1].when for word in ("网格不能", "协调", "部门", "执法"))
    assert all(word in route.escalation[2].when for word in ("重大事件", "联合行动", "领导小组"))


@pytest.mark.parametrize(
    ("tier", "above"),
    [("community", ["网格级", "中心级", "镇级"]), ("street", ["中心级", "镇级"])],
)
def test_beicai_goes_up_from_who_settles_it_also_where_the_centre_dispatched_it(
    ask: Asked, tier: str, above: list[str]
) -> None:
    assert [climb.to for climb in ask("leak", tier, source=RECEIVED_BY_CENTRE).escalation] == above


def test_beicai_leaves_self_government_to_the_committee_and_the_grid_supports(ask: Asked, taxonomy: Taxonomy) -> None:
    routes = {category: ask(category, "community") for category in taxonomy.codes("category")}
    own = {category: route for category, route in routes.items() if route.unit == "单元级（居村委）"}
    assert {"leak", "property_management", "neighbour_dispute"} <= set(own)
    helped = {category: "、".join(route.support + route.sideways) for category, route in own.items()}
    alone = [category for category, helpers in helped.items() if "网格" not in helpers]
    assert alone == []


def test_beicai_stalls_move_to_a_place_for_them_with_the_next_grid_at_the_side(ask: Asked) -> None:
    for tier in ("community", "street"):
        route = ask("street_vending", tier)
        assert route.sideways == ["网格一", "网格二"]
        assert "疏导点" in route.way
        assert route.mode == "联动处置"


def test_beicai_private_ground_locks_are_led_by_housing_with_city_management_police_and_works(ask: Asked) -> None:
    for tier in ("community", "street"):
        route = ask("illegal_parking", tier, words=["地锁"])
        assert "房管牵头" in route.way
        assert {"房管", "城管", "公安", "市政"} <= set(route.support)
        assert route.mode == "联动处置"


def test_beicai_major_incidents_call_the_centre_all_three_grids_and_the_mobile_team(
    ask: Asked, taxonomy: Taxonomy
) -> None:
    fewer = []
    for category in taxonomy.codes("category"):
        route = ask(category, "street", "emergency")
        assert {"指挥中心", "镇领导小组"} <= set(route.notify)
        if route.sideways != ["网格一", "网格二", "网格三"] or "机动队" not in route.way:
            fewer.append(category)
    assert fewer == []


def test_beicai_hard_matters_of_the_street_are_not_left_to_one_grid(ask: Asked) -> None:
    route = ask("leak", "street", "complex")
    assert all(word in route.unit for word in ("中心级", "三个网格", "机动队"))
    assert route.mode != "网格处置"
    assert route.sideways == ["网格一", "网格二", "网格三"]


@pytest.mark.parametrize(
    ("facts", "mode", "way", "helpers"),
    [
        (("leak", "community"), "自行处置", "居村委自治解决，网格支持", {"网格长"}),
        (("leak", "street"), "网格处置", "网格长分片派单，责任队员处置", set()),
        (("leak", "district"), "中心协调", "协调职能部门和执法力量", set()),
        (("illegal_construction", "street"), "联动处置", "城管、房办、规土联合认定拆除", {"城管", "房办", "规土"}),
        (("fire_safety", "street"), "联动处置", "消防、安监联合检查", {"消防", "安监", "公安"}),
        (("food_drug_safety", "district"), "联动处置", "工商、食药监联合检查", {"工商", "食药监"}),
        (("illegal_parking", "street"), "联动处置", "交警与联勤队清障", {"交警", "城管"}),
        (("other", "street", "general", "consult"), "中心回复", "统一回复", set()),
    ],
)
def test_beicai_settles_each_matter_in_its_way(
    ask: Asked, facts: tuple[str, ...], mode: str, way: str, helpers: set[str]
) -> None:
    route = ask(*facts)
    assert (route.mode, route.way) == (mode, way)
    assert helpers <= set(route.support)


def test_beicai_closes_a_case_after_feedback_and_a_call_back(ask: Asked) -> None:
    steps = ask("leak", "street").steps
    assert [step for step in steps if step not in {"反馈", "回访"}] == [
        "分类登记",
        "网格长分片派单",
        "片区责任队员处理",
        "中心统一回复·结案·上报·归档",
    ]
    assert steps.index("片区责任队员处理") < steps.index("反馈") < steps.index("回访") < len(steps) - 1


def test_beicai_counts_four_rates(beicai: Profile) -> None:
    assert beicai.indicators == ("处置率", "及时率", "结案率", "满意率")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("网格", ("3",)),
        ("联勤联动队", ("公安", "城管", "交警", "工商", "安监", "消防", "食药监", "房办", "规土")),
        ("来源", ("单元", "网格", "上级派单", "12345", "镇热线", "门户网站")),
        ("五项机制", ("发现", "处置", "联动", "督办", "考核")),
        ("监督", ("监督与处置分离",)),
        ("巡逻", ("定时", "定点", "定责")),
        ("评议", ("代表", "巡访员", "第三方")),
        ("分析", ("热点", "薄弱")),
    ],
)
def test_beicai_states_what_its_documents_state(beicai: Profile, name: str, parts: tuple[str, ...]) -> None:
    assert all(part in beicai.fact(name) for part in parts)


def test_beicai_separates_supervision_and_answers_a_call_to_the_scene(beicai: Profile) -> None:
    assert "监督与处置分离" in beicai.principles
    assert any("无条件" in principle and "立即" in principle for principle in beicai.principles)
    assert any("自治" in principle and "居村委" in principle for principle in beicai.principles)


def test_beicai_names_the_grid_and_the_town_of_a_known_place(ask: Asked) -> None:
    area = Area("第2网格", "莲溪社区", "北蔡镇", "浦东新区")
    assert ask("leak", "street", source=FOUND, area=area).unit == "网格级（第2网格）"
    assert ask("leak", "district", area=area).unit == "镇级（北蔡镇）（住房和城乡建设局）"
