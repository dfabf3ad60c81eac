"""城市道路交通治理: joint meetings down to the town, a station below, command of the police above; traffic alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
def traffic_police(router: Router) -> Profile:
    return router.rules.profile("traffic_police")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under traffic_police."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("traffic_police", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


TRAFFIC = ("traffic_management", "illegal_parking", "parking_supply")
POST, MEETING = "社区交通安全工作站", "镇街联席会议"


def test_traffic_police_has_its_levels(traffic_police: Profile) -> None:
    assert traffic_police.chain == (POST, MEETING, "大队", "支队", "总队")
    assert set(traffic_police.scope) == set(TRAFFIC)


@pytest.mark.parametrize("category", ["illegal_parking", "parking_supply"])
@pytest.mark.parametrize(
    ("tier", "start", "unit"),
    [
        ("grid", POST, POST),
        ("community", POST, POST),
        ("street", POST, MEETING),
        ("district", "大队", "大队"),
        ("city", "大队", "支队"),
    ],
)
def test_traffic_police_seats_every_tier(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier)
    assert (route.profile, route.start, route.unit) == ("traffic_police", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


@pytest.mark.parametrize(("tier", "unit"), [("street", MEETING), ("district", "大队"), ("city", "支队")])
def test_traffic_police_seats_traffic_management_above_the_community(ask: Asked, tier: str, unit: str) -> None:
    assert ask("traffic_management", tier).unit == unit


@pytest.mark.parametrize("tier", ["grid", "community"])
def test_traffic_police_keeps_the_national_guard_on_what_belongs_to_a_department(ask: Asked, tier: str) -> None:
    route = ask("traffic_management", tier)
    assert route.unit == "大队"
    assert "functional" in route.rule


def test_traffic_police_goes_up_to_the_squad_the_detachment_and_the_corps(ask: Asked, traffic_police: Profile) -> None:
    route = ask("illegal_parking", "community")
    assert route.chain == list(traffic_police.chain)
    assert [climb.to for climb in route.escalation] == [MEETING, "大队", "支队", "总队"]
    assert all(climb.when for climb in route.escalation)
    assert [climb.to for climb in ask("illegal_parking", "city").escalation] == ["支队", "总队"]
    assert "执法" in route.escalation[1].when


@pytest.mark.parametrize("tier", ["grid", "community", "street", "district", "city"])
def test_traffic_police_takes_the_plain_route_outside_its_scope_and_says_so(
    ask: Asked, router: Router, taxonomy: Taxonomy, tier: str
) -> None:
    for category in set(taxonomy.codes("category")) - set(TRAFFIC):
        for clock in ("emergency", "general"):
            route = ask(category, tier, clock)
            plain = router.route("plain", Facts(category, tier, clock, "complaint"), RECEIVED)
            assert route.profile == "traffic_police"
            assert "范围" in route.rule
            assert "plain" in route.rule
            assert replace(route, profile="", rule="") == replace(plain, profile="", rule="")


def test_traffic_police_does_not_call_its_own_matters_out_of_scope(ask: Asked) -> None:
    assert all("范围" not in ask(category, "street").rule for category in TRAFFIC)


@pytest.mark.parametrize(
    ("facts", "words", "mode", "way"),
    [
        (("traffic_management", "district", "emergency"), [], "红色预警", "警力到场"),
        (("traffic_management", "district"), ["酒驾"], "橙色预警", "严查"),
        (("traffic_management", "district"), ["炸街"], "橙色预警", "严查"),
        (("traffic_management", "district", "general", "report"), [], "黄色预警", "派警查处"),
        (("traffic_management", "district", "general", "help"), [], "蓝色预警", "排查整改"),
        (("traffic_management", "district", "general", "consult"), [], "答复", "解答"),
        (("illegal_parking", "community"), [], "劝导", "工作站"),
        (("parking_supply", "street"), [], "会商", "联席会议"),
    ],
)
def test_traffic_police_warns_in_grades_and_settles_each_matter_in_its_way(
    ask: Asked, facts: tuple[str, ...], words: list[str], mode: str, way: str
) -> None:
    route = ask(*facts, words=words)
    assert route.mode == mode
    assert way in route.way


@pytest.mark.parametrize("word", ["事故多发", "隐患路段", "危险路段", "没有护栏", "视线盲区"])
def test_traffic_police_lists_hazards_and_the_government_above_watches_them(ask: Asked, word: str) -> None:
    for tier in ("street", "district"):
        route = ask("traffic_management", tier, words=[word])
        assert route.mode == "隐患列管"
        assert all(part in route.way for part in ("隐患清单", "上一级政府", "挂牌督办"))
        assert "上一级政府" in route.support
    assert "挂牌督办" not in ask("traffic_management", "street").way


def test_traffic_police_helps_no_unit_with_itself(ask: Asked) -> None:
    """大队 is 交警大队 under another name, and 支队 is 市公安局交警支队."""
    for category in TRAFFIC:
        assert "交警大队" not in ask(category, "district").support, category
        assert not any("支队" in name for name in ask(category, "city").support), category


def test_traffic_police_closes_a_hazard_in_its_steps(ask: Asked) -> None:
    steps = ask("traffic_management", "street").steps
    assert steps == ["发现登记", "分级预警", "派警处置", "隐患列管", "核查销账", "通报"]


def test_traffic_police_tells_squad_and_detachment_of_an_emergency(ask: Asked) -> None:
    route = ask("traffic_management", "street", "emergency")
    assert {"122 交警", "大队", "支队"} <= set(route.notify)
    assert not ask("traffic_management", "street").notify


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("联席会议", ("四级", "镇", "社区交通安全工作站")),
        ("指挥", ("总队", "支队", "大队")),
        ("督办", ("隐患清单", "上一级政府", "挂牌督办")),
        ("预警", ("分级预警",)),
    ],
)
def test_traffic_police_states_what_its_documents_state(
    traffic_police: Profile, name: str, parts: tuple[str, ...]
) -> None:
    assert all(part in traffic_police.fact(name) for part in parts)


def test_traffic_police_holds_its_principles_and_rates(traffic_police: Profile) -> None:
    assert traffic_police.principles == ("四级联席会议", "分级预警", "重点违法严查", "隐患挂牌督办")
    assert traffic_police.indicators == ("响应率", "处置率", "及时率")


@pytest.mark.parametrize(
    ("tier", "unit"),
    [
        ("community", "航天社区交通安全工作站"),
        ("street", "柳城街道联席会议"),
        ("district", "温江大队"),
        ("city", "支队"),
    ],
)
def test_traffic_police_names_the_units_of_a_known_place(ask: Asked, tier: str, unit: str) -> None:
    assert ask("illegal_parking", tier, area=Area("", "航天社区", "柳城街道", "温江区")).unit == unit
