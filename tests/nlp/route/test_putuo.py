"""普陀区居民区治理: residents deliberate, the station of the area helps, the town and the district stand above."""

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
def putuo(router: Router) -> Profile:
    return router.rules.profile("putuo")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under putuo."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("putuo", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


STATION = "网格化片区综合管理服务站"


def test_putuo_has_five_levels(putuo: Profile) -> None:
    assert putuo.chain == ("楼组", "居民区", STATION, "街镇", "区")


@pytest.mark.parametrize(
    ("category", "tier", "start", "unit"),
    [
        ("leak", "grid", "楼组", "楼组"),
        ("leak", "community", "居民区", "居民区"),
        ("property_management", "community", "居民区", "居民区"),
        ("street_vending", "community", "居民区", STATION),
        ("illegal_construction", "community", "居民区", STATION),
        ("leak", "street", STATION, "街镇"),
        ("leak", "district", "区", "区（住房和城乡建设局）"),
    ],
)
def test_putuo_seats_every_tier(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier)
    assert (route.profile, route.start, route.unit) == ("putuo", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


def test_putuo_ends_below_the_city_and_plain_gives_the_unit(ask: Asked) -> None:
    route = ask("leak", "city")
    assert (route.profile, route.unit) == ("putuo", "市级部门（市住房和城乡建设局）")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain[-2:] == ["区", "市级部门"]


def test_putuo_goes_up_by_the_station_to_the_town_and_the_district(ask: Asked) -> None:
    route = ask("leak", "grid")
    assert [climb.to for climb in route.escalation] == ["居民区", STATION, "街镇", "区"]
    for climb, word in zip(route.escalation, ("楼组", "执法", "片区站", "区级部门"), strict=True):
        assert word in climb.when
    assert [climb.to for climb in ask("leak", "street").escalation] == ["街镇", "区"]


def test_putuo_deliberates_in_four_steps(ask: Asked, putuo: Profile) -> None:
    assert ask("leak", "community").steps == ["动员", "协商", "决议实施", "监督评议"]
    assert putuo.fact("协商") == "动员、协商、决议实施、监督评议"


def test_putuo_is_rated_by_the_committee_itself_and_by_the_street(putuo: Profile) -> None:
    assert {"居委会自评", "街道评议"} <= set(putuo.indicators)
    assert all(word in putuo.fact("评议") for word in ("居委会自评", "街道"))


def test_putuo_puts_property_and_owners_under_the_guidance_of_the_committee(ask: Asked, putuo: Profile) -> None:
    assert "居委会指导业委会、物业" in putuo.principles
    body = next(level.body for level in putuo.levels if level.name == "居民区")
    assert all(word in body for word in ("居委会", "物业", "业委会", "指导"))
    assert {"居委会", "业委会", "物业"} <= set(ask("leak", "community").support)


@pytest.mark.parametrize(
    ("category", "way"),
    [
        ("owners_committee", "业委会物业矛盾"),
        ("property_management", "业委会物业矛盾"),
        ("old_estate_renewal", "老旧小区改造"),
        ("parking_supply", "停车难"),
        ("illegal_construction", "无违居村"),
    ],
)
@pytest.mark.parametrize("tier", ["grid", "community", "street"])
def test_putuo_puts_its_four_priorities_first(ask: Asked, category: str, tier: str, way: str) -> None:
    route = ask(category, tier)
    assert route.mode == "重点事项"
    assert way in route.way


@pytest.mark.parametrize("word", ["拆了又建", "拆后重建", "又搭", "复建"])
def test_putuo_answers_new_building_after_a_demolition_jointly(ask: Asked, word: str) -> None:
    route = ask("illegal_construction", "community", words=[word])
    assert all(part in route.way for part in ("拆后", "联合"))
    assert {"城管", "居委会", "物业"} <= set(route.support)
    assert "联合" not in ask("illegal_construction", "community").way


@pytest.mark.parametrize(
    ("facts", "mode", "way"),
    [
        (("power", "community", "emergency"), "立即处置", "应急联动"),
        (("neighbour_dispute", "community"), "居民自治", "动员协商，决议实施"),
        (("neighbour_dispute", "street"), "片区联动", "街镇力量处置"),
        (("school_admission", "district"), "按时限办理", "部门办理"),
    ],
)
def test_putuo_settles_each_matter_in_its_way(ask: Asked, facts: tuple[str, ...], mode: str, way: str) -> None:
    route = ask(*facts)
    assert (route.mode, route.way) == (mode, way)


def test_putuo_names_its_priorities(putuo: Profile) -> None:
    assert all(
        word in putuo.fact("重点") for word in ("业委会物业矛盾", "老旧小区改造", "停车难", "无违居村", "新违建")
    )


def test_putuo_tells_the_town_and_the_station_of_an_emergency(ask: Asked) -> None:
    assert {"街镇", STATION} <= set(ask("leak", "community", "emergency").notify)
    assert not ask("leak", "community").notify


@pytest.mark.parametrize(
    ("tier", "unit"),
    [
        ("grid", "楼组（3号楼组）"),
        ("community", "航运居民区"),
        ("street", "长寿路街道"),
        ("district", "普陀区（住房和城乡建设局）"),
    ],
)
def test_putuo_names_the_units_of_a_known_place(ask: Asked, tier: str, unit: str) -> None:
    assert ask("leak", tier, area=Area("3号楼组", "航运社区", "长寿路街道", "普陀区")).unit == unit
