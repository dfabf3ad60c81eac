"""温江区“第一时间”机制: small matters stay in the grid, hard ones in the community, big ones in the street."""

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
def wenjiang(router: Router) -> Profile:
    return router.rules.profile("wenjiang")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under wenjiang."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("wenjiang", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


TYPES = ("complaint", "report", "help", "consult", "suggest", "praise", "other")
CLOCKS = ("emergency", "urgent", "general", "complex")


def test_wenjiang_has_its_five_levels(wenjiang: Profile) -> None:
    assert wenjiang.chain == ("治理小组", "片区地域党支部", "社区党委", "街道党工委", "区")


@pytest.mark.parametrize(
    ("category", "tier", "start", "unit"),
    [
        ("leak", "grid", "治理小组", "治理小组"),
        ("neighbour_dispute", "community", "治理小组", "片区地域党支部"),
        ("sanitation", "community", "治理小组", "片区地域党支部"),
        ("leak", "community", "治理小组", "社区党委"),
        ("property_management", "community", "治理小组", "社区党委·党建联席会"),
        ("owners_committee", "community", "治理小组", "社区党委·党建联席会"),
        ("leak", "street", "治理小组", "街道党工委"),
        ("leak", "district", "区级部门", "区级部门（住房和城乡建设局）"),
    ],
)
def test_wenjiang_seats_every_tier(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier)
    assert (route.profile, route.start, route.unit) == ("wenjiang", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


def test_wenjiang_ends_below_the_city_and_plain_gives_the_unit(ask: Asked) -> None:
    route = ask("leak", "city")
    assert (route.profile, route.unit) == ("wenjiang", "市级部门（市住房和城乡建设局）")
    assert route.rule.startswith("wenjiang：")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain == ["治理小组", "片区地域党支部", "社区党委", "街道党工委", "区", "市级部门"]


def test_wenjiang_hands_over_to_the_branch_then_the_committee(ask: Asked) -> None:
    route = ask("leak", "grid")
    assert route.chain == ["治理小组", "片区地域党支部", "社区党委", "街道党工委", "区"]
    assert [climb.to for climb in route.escalation] == [
        "片区地域党支部",
        "社区党委",
        "社区党委·党建联席会",
        "街道党工委",
        "区",
    ]


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("片区地域党支部", ("治理小组", "立即")),
        ("社区党委", ("其他片区", "社区党委委员", "协调")),
        ("社区党委·党建联席会", ("社区内", "各方")),
        ("街道党工委", ("上级支持", "专题报告")),
        ("区", ("街道",)),
    ],
)
def test_wenjiang_says_when_each_step_up_is_taken(ask: Asked, to: str, words: tuple[str, ...]) -> None:
    when = next(climb.when for climb in ask("leak", "community").escalation if climb.to == to)
    assert all(word in when for word in words)


def test_wenjiang_keeps_small_matters_in_the_grid_hard_in_the_community_big_in_the_street(
    ask: Asked, wenjiang: Profile
) -> None:
    assert "小事不出网格、难事不出社区、大事不出街道" in wenjiang.principles
    units = [ask("leak", tier).unit for tier in ("grid", "community", "street")]
    assert units == ["治理小组", "社区党委", "街道党工委"]


def test_wenjiang_reports_ordinary_matters_monthly_and_major_ones_at_once(ask: Asked, wenjiang: Profile) -> None:
    assert wenjiang.fact("报告") == "一般问题按月报告，重大问题立即报告"
    assert not ask("leak", "community").notify
    assert not ask("leak", "street").notify
    assert "街道党工委" in ask("leak", "community", "emergency").notify
    assert "街道党工委" in ask("leak", "street", "complex").notify
    step = next(climb.when for climb in ask("leak", "grid").escalation if climb.to == "街道党工委")
    assert "按月报告" in step
    assert "立即报告" in step


LOCAL = ("leak", "property_management", "neighbour_dispute", "noise", "telecom", "public_facilities")


@pytest.mark.parametrize("tier", ["grid", "community", "street", "district"])
@pytest.mark.parametrize(
    ("clock", "kind", "mode"),
    [("general", "complaint", "马上办"), ("complex", "complaint", "限时结"), ("general", "consult", "及时答")],
)
def test_wenjiang_handles_ordinary_matters_at_once_hard_ones_in_time_and_answers_promptly(
    ask: Asked, tier: str, clock: str, kind: str, mode: str
) -> None:
    """一般问题马上办，疑难问题限时结，特殊情况及时答。"""
    assert {category: ask(category, tier, clock, kind).mode for category in LOCAL} == dict.fromkeys(LOCAL, mode)


def test_wenjiang_names_its_three_classes(wenjiang: Profile) -> None:
    assert {"一般问题马上办", "疑难问题限时结", "特殊情况及时答"} <= set(wenjiang.principles)
    modes = {rule.mode for rule in (*wenjiang.ways, *wenjiang.modes)}
    assert modes == {"马上办", "限时结", "及时答"}


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        (("social_insurance", "community", "general", "consult"), "上级党委政府"),
        (("social_insurance", "district", "general", "complaint"), "上级党委政府"),
        (("leak", "community", "emergency", "help"), "上级党委政府"),
        (("leak", "community", "general", "help"), "群众自治协商"),
        (("property_management", "community", "general", "complaint"), "群众自治协商"),
        (("telecom", "community", "general", "complaint"), "市场力量"),
        (("public_facilities", "community", "general", "help"), "社区保障资金"),
        (("neighbour_dispute", "grid", "general", "complaint"), "调解"),
    ],
)
def test_wenjiang_settles_in_five_ways(ask: Asked, facts: tuple[str, ...], way: str) -> None:
    assert ask(*facts).way == way


def test_wenjiang_knows_no_sixth_way(ask: Asked, taxonomy: Taxonomy) -> None:
    ways = {
        ask(category, tier, clock, kind).way
        for category in taxonomy.codes("category")
        for tier in ("grid", "community", "street", "district")
        for clock in CLOCKS
        for kind in TYPES
    }
    assert ways == {"上级党委政府", "群众自治协商", "市场力量", "社区保障资金", "调解"}


def test_wenjiang_settles_a_leak_in_a_housing_estate_by_talks_with_the_parties(ask: Asked) -> None:
    route = ask("leak", "community", "general", "help")
    assert (route.mode, route.way) == ("马上办", "群众自治协商")
    assert {"物业", "业委会"} <= set(route.support)


def test_wenjiang_closes_a_case_in_six_steps(ask: Asked) -> None:
    assert ask("leak", "grid").steps == ["问题发现", "情况报告", "台账管理", "研究会商", "决策执行", "回访落实"]


def test_wenjiang_lets_residents_rate_every_body(wenjiang: Profile) -> None:
    assert "民主评议" in wenjiang.indicators


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("网格单元", ("14",)),
        ("每单元户数", ("300–400",)),
        ("片区地域党支部", ("7",)),
        ("治理小组编成", ("1 名专职组长", "2 名兼职治理员")),
        ("试点诉求", ("251", "212", "34", "5")),
        ("五种途径办结", ("上级党委政府 139", "群众自治协商 49", "市场力量 6", "社区保障资金 3", "调解 13", "210")),
        ("例会", ("日碰头", "周例会", "月总结")),
        (
            "治理员七项职责",
            ("公民教育", "环境维护", "应急处突", "信息传递", "邻里调解", "社区关爱", "事务协办"),
        ),
        ("响应时间", ("40", "10 分钟")),
    ],
)
def test_wenjiang_states_what_its_documents_state(wenjiang: Profile, name: str, parts: tuple[str, ...]) -> None:
    assert all(part in wenjiang.fact(name) for part in parts)


def test_wenjiang_says_who_sits_at_its_levels(wenjiang: Profile) -> None:
    bodies = {level.name: level.body for level in wenjiang.levels}
    assert "300–400 户" in bodies["治理小组"]
    assert all(word in bodies["片区地域党支部"] for word in ("7 个", "2 个治理小组", "社区党委委员"))
    assert all(
        word in bodies["社区党委"]
        for word in (
            "党建联席会",
            "1+4",
            "议事会",
            "监事会",
            "业委会",
            "自管会",
            "社会组织",
            "驻社区单位",
        )
    )


@pytest.mark.parametrize(
    ("category", "tier", "start", "unit"),
    [
        ("leak", "grid", "第3治理小组", "第3治理小组"),
        ("leak", "community", "第3治理小组", "航天社区党委"),
        ("property_management", "community", "第3治理小组", "航天社区党委·党建联席会"),
        ("neighbour_dispute", "community", "第3治理小组", "片区地域党支部"),
        ("leak", "street", "第3治理小组", "柳城街道党工委"),
    ],
)
def test_wenjiang_names_the_units_of_a_known_place(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier, area=Area("第3网格", "航天社区", "柳城街道", "温江区"))
    assert (route.start, route.unit) == (start, unit)
