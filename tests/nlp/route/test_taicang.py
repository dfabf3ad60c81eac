"""太仓“政社互动”: two lists say what residents do themselves and where they only help the government."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from nlp.checked import read_table
from nlp.decision import Route
from nlp.files import RULES
from nlp.place.area import Area
from nlp.route.facts import Facts
from nlp.route.groups import COLUMNS
from nlp.route.profile import Profile
from nlp.route.router import Router
from nlp.taxonomy import Taxonomy

RECEIVED = datetime(2026, 2, 27, 9, 12, 3, tzinfo=timezone(timedelta(hours=8)))
Asked = Callable[..., Route]


@pytest.fixture(scope="module")
def taicang(router: Router) -> Profile:
    return router.rules.profile("taicang")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under taicang."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("taicang", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


OWN, ASSISTS = "履职清单", "协助清单"
MEETINGS = ("听证会", "评议会", "议事会")


@pytest.fixture(scope="module")
def lists() -> dict[str, dict[str, str]]:
    """The rows of the lists, by category."""
    return {row["类别"]: row for _, row in read_table(RULES / "lists" / "taicang.csv", COLUMNS)}


def test_taicang_lists_hold_every_category_once_and_mark_each_row_assumed(
    lists: dict[str, dict[str, str]], taxonomy: Taxonomy
) -> None:
    rows = [row["类别"] for _, row in read_table(RULES / "lists" / "taicang.csv", COLUMNS)]
    assert len(rows) == 52
    assert sorted(rows) == sorted(taxonomy.codes("category"))
    assert {row["清单"] for row in lists.values()} == {OWN, ASSISTS}
    assert {row["来源"] for row in lists.values()} == {"assumed"}


def test_taicang_has_three_levels(taicang: Profile) -> None:
    assert taicang.chain == ("村居", "镇街道", "县级市")
    assert taicang.lists == "taicang"


@pytest.mark.parametrize(
    ("category", "tier", "start", "unit"),
    [
        ("leak", "grid", "村居", "村居"),
        ("leak", "community", "村居", "村居"),
        ("power", "grid", "镇街道", "镇街道"),
        ("power", "community", "镇街道", "镇街道"),
        ("leak", "street", "镇街道", "镇街道"),
        ("leak", "district", "县级市", "县级市（住房和城乡建设局）"),
    ],
)
def test_taicang_seats_every_tier(ask: Asked, category: str, tier: str, start: str, unit: str) -> None:
    route = ask(category, tier)
    assert (route.profile, route.start, route.unit) == ("taicang", start, unit)
    assert "external" not in route.rule


def test_taicang_ends_below_the_city_and_plain_gives_the_unit(ask: Asked) -> None:
    route = ask("leak", "city")
    assert (route.profile, route.unit) == ("taicang", "市级部门（市住房和城乡建设局）")
    assert "external" in route.rule
    assert "plain" in route.rule
    assert route.chain == ["村居", "镇街道", "县级市", "市级部门"]


def test_taicang_goes_up_to_the_town_and_the_county_level_city(ask: Asked, taicang: Profile) -> None:
    route = ask("leak", "grid")
    assert route.chain == list(taicang.chain)
    assert [climb.to for climb in route.escalation] == ["镇街道", "县级市"]
    assert "清单" in route.escalation[0].when
    assert "法定权限" in route.escalation[1].when


@pytest.mark.parametrize("tier", ["grid", "community"])
def test_taicang_leaves_its_own_list_to_the_residents(ask: Asked, lists: dict[str, dict[str, str]], tier: str) -> None:
    for category, row in lists.items():
        if row["清单"] == OWN:
            route = ask(category, tier)
            assert (route.unit, route.mode) == ("村居", "自治履职"), category


@pytest.mark.parametrize("tier", ["grid", "community"])
@pytest.mark.parametrize("clock", ["urgent", "general", "complex"])
def test_taicang_never_makes_residents_responsible_for_what_they_only_assist(
    ask: Asked, lists: dict[str, dict[str, str]], tier: str, clock: str
) -> None:
    for category, row in lists.items():
        if row["清单"] == ASSISTS:
            route = ask(category, tier, clock)
            assert not route.unit.startswith("村居"), category
            assert not route.start.startswith("村居"), category
            assert "政府主责" in route.mode, category


@pytest.mark.parametrize("tier", ["grid", "community"])
def test_taicang_residents_assist_with_everything_on_the_other_list(
    ask: Asked, lists: dict[str, dict[str, str]], tier: str
) -> None:
    alone = [
        category
        for category, row in lists.items()
        if row["清单"] == ASSISTS and "村居" not in ask(category, tier).support
    ]
    assert alone == []


def test_taicang_says_that_the_list_is_assumed(ask: Asked) -> None:
    rule = ask("power", "community").rule
    assert all(word in rule for word in (ASSISTS, "设定", "政府负责", "村居协助"))
    assert ASSISTS not in ask("leak", "community").rule


@pytest.mark.parametrize("category", ["property_management", "sanitation"])
@pytest.mark.parametrize("tier", ["grid", "community"])
def test_taicang_settles_property_and_sanitation_in_meetings_of_residents(ask: Asked, category: str, tier: str) -> None:
    route = ask(category, tier)
    assert all(meeting in route.way for meeting in MEETINGS)


def test_taicang_settles_resettlement_housing_in_meetings_of_residents(ask: Asked) -> None:
    """安置房 is a matter of housing_security: some tier of it has to lead to the meetings."""
    ways = [ask("housing_security", tier).way for tier in ("grid", "community", "street")]
    assert any(all(meeting in way for meeting in MEETINGS) for way in ways)


@pytest.mark.parametrize("category", ["neighbour_dispute", "noise", "animals"])
def test_taicang_mediators_settle_disputes(ask: Asked, category: str) -> None:
    route = ask(category, "community")
    assert all(mediator in route.way for mediator in ("乡贤议事厅", "老娘舅"))
    assert {"乡贤议事厅", "老娘舅"} <= set(route.support)


@pytest.mark.parametrize(
    ("facts", "mode", "way"),
    [
        (("community_service", "community"), "自治履职", "村居自办"),
        (("power", "community"), "政府主责、村居协助", "政府办理，村居协助"),
        (("leak", "street"), "政府主责", "部门办理"),
        (("power", "community", "emergency"), "政府主责", "应急处置"),
    ],
)
def test_taicang_settles_each_matter_in_its_way(ask: Asked, facts: tuple[str, ...], mode: str, way: str) -> None:
    route = ask(*facts)
    assert (route.mode, route.way) == (mode, way)


def test_taicang_checks_the_lists_before_it_acts(ask: Asked) -> None:
    steps = ask("leak", "community").steps
    assert steps.index("清单核对") < steps.index("办理或协助") < steps.index("听证·评议·议事")


def test_taicang_tells_the_town_of_an_emergency(ask: Asked) -> None:
    assert "镇街道" in ask("leak", "grid", "emergency").notify
    assert not ask("leak", "grid").notify


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("两份清单", ("自治组织依法协助政府管理事项", "自治组织依法履行职责事项")),
        ("调解", ("乡贤议事厅", "老娘舅")),
        ("议事", (*MEETINGS, "物业", "环境卫生", "安置房")),
    ],
)
def test_taicang_states_what_its_documents_state(taicang: Profile, name: str, parts: tuple[str, ...]) -> None:
    assert all(part in taicang.fact(name) for part in parts)


def test_taicang_keeps_the_responsibility_with_the_government(taicang: Profile) -> None:
    assert any("协助" in principle and "责任在政府" in principle for principle in taicang.principles)
    assert any("履行职责" in principle and "村居自办" in principle for principle in taicang.principles)
    assert {"解决率", "满意率"} <= set(taicang.indicators)


def test_taicang_names_the_units_of_a_known_place(ask: Asked) -> None:
    area = Area("", "东林村", "城厢镇", "太仓市")
    units = [ask("leak", tier, area=area).unit for tier in ("grid", "community", "street")]
    assert units == ["东林村", "东林村", "城厢镇"]
