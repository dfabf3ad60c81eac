"""Plain: five levels without local names; where every other system ends, this one goes on."""

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
def plain(router: Router) -> Profile:
    return router.rules.profile("plain")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under plain."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("plain", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


def test_plain_has_five_levels(plain: Profile) -> None:
    assert plain.chain == ("网格", "社区", "街道", "区县部门", "市级部门")
    assert not plain.scope
    assert not plain.guards


@pytest.mark.parametrize(
    ("tier", "unit"),
    [
        ("grid", "网格"),
        ("community", "社区"),
        ("street", "街道"),
        ("district", "区县部门（住房和城乡建设局）"),
        ("city", "市级部门（市住房和城乡建设局）"),
    ],
)
def test_plain_seats_every_tier_at_its_own_level(ask: Asked, tier: str, unit: str) -> None:
    route = ask("leak", tier)
    assert (route.profile, route.start, route.unit) == ("plain", unit.partition("（")[0], unit)
    assert route.rule.startswith("plain：")
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


def test_plain_goes_up_level_by_level_and_says_when(ask: Asked, plain: Profile) -> None:
    route = ask("leak", "grid")
    assert route.chain == list(plain.chain)
    assert [climb.to for climb in route.escalation] == ["社区", "街道", "区县部门", "市级部门"]
    conditions = [climb.when for climb in route.escalation]
    assert all(conditions)
    assert len(set(conditions)) == 4


@pytest.mark.parametrize(("tier", "left"), [("grid", 4), ("community", 3), ("street", 2), ("district", 1), ("city", 0)])
def test_plain_leaves_only_the_steps_above_who_has_the_matter(ask: Asked, tier: str, left: int) -> None:
    steps = ["社区", "街道", "区县部门", "市级部门"]
    assert [climb.to for climb in ask("leak", tier).escalation] == steps[4 - left :]


def test_plain_closes_a_case_in_its_steps_and_counts_the_three_rates_of_a_hotline(ask: Asked, plain: Profile) -> None:
    assert ask("leak", "grid").steps == ["受理登记", "派单", "办理", "反馈", "回访", "结案归档"]
    assert plain.indicators == ("响应率", "解决率", "满意率")


@pytest.mark.parametrize(
    ("facts", "mode", "way"),
    [
        (("leak", "community", "emergency", "help"), "立即处置", "应急联动"),
        (("social_insurance", "district", "general", "consult"), "答复", "政策解答"),
        (("other", "street", "general", "suggest"), "转办", "研究采纳"),
        (("other", "street", "general", "praise"), "转办", "研究采纳"),
        (("power", "district", "urgent", "help"), "限时办理", "抢修排险"),
        (("leak", "community", "general", "complaint"), "按时限办理", "上门协调"),
        (("sanitation", "street", "general", "report"), "按时限办理", "核查执法"),
        (("housing_purchase", "district", "complex", "complaint"), "会商办理", "多部门联办"),
        (("housing_purchase", "district", "general", "complaint"), "按时限办理", "部门办理"),
    ],
)
def test_plain_settles_each_matter_in_its_way(ask: Asked, facts: tuple[str, ...], mode: str, way: str) -> None:
    route = ask(*facts)
    assert (route.mode, route.way) == (mode, way)


def test_plain_tells_who_is_on_duty_of_an_emergency_alone(ask: Asked) -> None:
    assert "值班领导" in ask("leak", "community", "emergency").notify
    assert all(not ask("leak", "community", clock).notify for clock in ("urgent", "general", "complex"))


@pytest.mark.parametrize(
    ("tier", "unit"),
    [
        ("grid", "第3网格"),
        ("community", "航天社区"),
        ("street", "柳城街道"),
        ("district", "温江区部门（住房和城乡建设局）"),
        ("city", "市级部门（市住房和城乡建设局）"),
    ],
)
def test_plain_names_the_units_of_a_known_place(ask: Asked, tier: str, unit: str) -> None:
    area = Area("第3网格", "航天社区", "柳城街道", "温江区")
    assert ask("leak", tier, area=area).unit == unit


@pytest.mark.parametrize(
    ("clock", "end"),
    [
        ("emergency", "2026-02-27T11:12:03+08:00"),
        ("urgent", "2026-02-28T09:12:03+08:00"),
        ("general", "2026-03-06T09:12:03+08:00"),
        ("complex", "2026-03-14T09:12:03+08:00"),
    ],
)
def test_plain_counts_the_four_clocks_in_use(ask: Asked, clock: str, end: str) -> None:
    assert ask("leak", "community", clock).due == end
