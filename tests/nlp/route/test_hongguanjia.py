"""“红色管家”: from the house of a party member to the committee of the community, in six services."""

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
def hongguanjia(router: Router) -> Profile:
    return router.rules.profile("hongguanjia")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under hongguanjia."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("hongguanjia", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


SERVICES = {"维修维护", "爱心帮扶", "信息咨询", "文化娱乐", "应急处理", "矛盾调处"}


def test_hongguanjia_has_four_levels(hongguanjia: Profile) -> None:
    assert hongguanjia.chain == ("党员中心户", "楼栋党小组", "网格党支部", "社区党委")


@pytest.mark.parametrize(
    ("category", "tier", "start", "unit"),
    [
        ("leak", "grid", "党员中心户", "楼栋党小组"),
        ("leak", "community", "楼栋党小组", "网格党支部"),
        ("neighbour_dispute", "community", "楼栋党小组", "网格党支部"),
        ("property_management", "community", "网格党支部", "社区党委"),
        ("old_estate_renewal", "community", "网格党支部", "社区党委"),
    ],
)
def test_hongguanjia_seats_grid_and_community(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier)
    assert (route.profile, route.start, route.unit) == ("hongguanjia", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


@pytest.mark.parametrize(
    ("tier", "unit", "onward"),
    [
        ("street", "街道", ["街道", "区县部门", "市级部门"]),
        ("district", "区县部门（住房和城乡建设局）", ["区县部门", "市级部门"]),
        ("city", "市级部门（市住房和城乡建设局）", ["市级部门"]),
    ],
)
def test_hongguanjia_ends_at_the_community_and_plain_gives_the_unit(
    ask: Asked, tier: str, unit: str, onward: list[str]
) -> None:
    route = ask("leak", tier)
    assert (route.profile, route.unit) == ("hongguanjia", unit)
    assert route.rule.startswith("hongguanjia：")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain == ["党员中心户", "楼栋党小组", "网格党支部", "社区党委", *onward]


def test_hongguanjia_goes_up_to_the_group_the_branch_and_the_committee(ask: Asked, hongguanjia: Profile) -> None:
    route = ask("leak", "grid")
    assert route.chain == list(hongguanjia.chain)
    assert [climb.to for climb in route.escalation] == ["楼栋党小组", "网格党支部", "社区党委"]
    for climb, word in zip(route.escalation, ("党员中心户", "楼栋党小组", "社区"), strict=True):
        assert word in climb.when
    assert [climb.to for climb in ask("leak", "community").escalation] == ["网格党支部", "社区党委"]


@pytest.mark.parametrize(
    ("facts", "service"),
    [
        (("leak", "grid"), "维修维护"),
        (("public_facilities", "community"), "维修维护"),
        (("elderly_disabled", "community", "general", "help"), "爱心帮扶"),
        (("welfare", "grid", "general", "help"), "爱心帮扶"),
        (("welfare", "community", "general", "consult"), "信息咨询"),
        (("culture_sports_tourism", "community"), "文化娱乐"),
        (("neighbour_dispute", "grid"), "矛盾调处"),
        (("property_management", "grid", "general", "complaint"), "维修维护"),
    ],
)
def test_hongguanjia_serves_in_six_ways(ask: Asked, facts: tuple[str, ...], service: str) -> None:
    assert service in SERVICES
    assert ask(*facts).way == service


def test_hongguanjia_serves_in_an_emergency_at_the_level_it_has(
    ask: Asked, hongguanjia: Profile, taxonomy: Taxonomy
) -> None:
    """The sixth service: what is an emergency goes beyond the system, and its own people still act."""
    assert {way.way for way in hongguanjia.ways} == SERVICES
    ways = {
        ask(category, tier, clock, kind).way
        for category in taxonomy.codes("category")
        for tier in ("grid", "community")
        for clock in taxonomy.codes("clock")
        for kind in taxonomy.codes("type")
    }
    assert ways >= SERVICES


def test_hongguanjia_works_in_four_steps(ask: Asked, hongguanjia: Profile) -> None:
    assert ask("leak", "community").steps == ["问题收集", "统筹协调", "资源融合", "群众评议"]
    assert hongguanjia.fact("流程") == "问题收集、统筹协调、资源融合、群众评议"
    assert "群众评议" in hongguanjia.indicators


@pytest.mark.parametrize("category", ["leak", "neighbour_dispute", "owners_committee", "sanitation"])
def test_hongguanjia_acts_with_owners_property_and_partner_units(
    ask: Asked, hongguanjia: Profile, category: str
) -> None:
    assert {"业委会", "物业", "共建单位"} <= set(ask(category, "community").support)
    assert all(name in hongguanjia.fact("联动") for name in ("小区网格党支部", "业委会", "物业", "共建单位"))


def test_hongguanjia_names_six_services(hongguanjia: Profile) -> None:
    assert set(hongguanjia.fact("六项服务").split("、")) == SERVICES


def test_hongguanjia_tells_the_committee_of_an_emergency(ask: Asked) -> None:
    assert "社区党委" in ask("leak", "grid", "emergency").notify
    assert not ask("leak", "grid").notify


def test_hongguanjia_names_the_units_of_a_known_place(ask: Asked) -> None:
    area = Area("第3网格", "航天社区", "柳城街道", "温江区")
    assert ask("leak", "community", area=area).unit == "网格党支部（第3网格）"
    assert ask("property_management", "community", area=area).unit == "航天社区党委"
    assert ask("leak", "street", area=area).unit == "柳城街道"
