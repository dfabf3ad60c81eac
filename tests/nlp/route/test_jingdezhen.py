"""景德镇城市基层党建: a community is never made responsible for enforcement, demolition or city management."""

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
def jingdezhen(router: Router) -> Profile:
    return router.rules.profile("jingdezhen")


@pytest.fixture(scope="module")
def ask(router: Router) -> Asked:
    """The route of a matter under jingdezhen."""

    def asked(category: str, tier: str, clock: str = "general", kind: str = "complaint", **more: object) -> Route:
        words = frozenset(more.pop("words", ()))
        return router.route("jingdezhen", Facts(category, tier, clock, kind, words, **more), RECEIVED)

    return asked


ENFORCEMENT = (
    "illegal_construction",
    "street_vending",
    "construction_nuisance",
    "illegal_parking",
    "parking_supply",
    "sanitation",
    "animals",
    "noise",
    "air_pollution",
    "water_soil_pollution",
    "demolition_compensation",
    "urban_planning",
    "food_drug_safety",
    "business_regulation",
    "traffic_management",
    "taxi_ridehail",
    "fire_safety",
    "public_security",
    "greening",
    "public_facilities",
    "road_maintenance",
)
FULIANG = Area(district="浮梁县")
TIERS = ("grid", "community", "street", "district", "city")


def test_jingdezhen_has_four_levels_over_its_grids(jingdezhen: Profile) -> None:
    assert jingdezhen.chain == ("网格", "社区", "街道", "区·县", "市")
    bodies = {level.name: level.body for level in jingdezhen.levels}
    assert "627" in bodies["网格"]
    assert all(
        word in bodies["街道"]
        for word in (
            "党政综合办公室",
            "市容环境管理办公室",
            "经济发展中心",
            "维稳中心",
            "城管",
            "园林",
            "市政",
        )
    )


@pytest.mark.parametrize(
    ("tier", "start", "unit"),
    [
        ("grid", "网格", "网格"),
        ("community", "网格", "社区"),
        ("street", "街道", "街道·党政综合办公室"),
        ("district", "区·县", "区·县（住房和城乡建设局）"),
        ("city", "市", "市（市住房和城乡建设局）"),
    ],
)
def test_jingdezhen_seats_every_tier_itself(ask: Asked, tier: str, start: str, unit: str) -> None:
    route = ask("leak", tier)
    assert (route.profile, route.start, route.unit) == ("jingdezhen", start, unit)
    assert f"层级 {tier}" in route.rule
    assert "external" not in route.rule


@pytest.mark.parametrize(
    ("category", "office"),
    [
        ("street_vending", "市容环境管理办公室"),
        ("sanitation", "市容环境管理办公室"),
        ("public_security", "维稳中心"),
        ("neighbour_dispute", "维稳中心"),
        ("business_regulation", "经济发展中心"),
        ("leak", "党政综合办公室"),
    ],
)
def test_jingdezhen_gives_matters_of_the_street_to_one_of_its_four_offices(
    ask: Asked, category: str, office: str
) -> None:
    assert ask(category, "street").unit.startswith(f"街道·{office}")


def test_jingdezhen_goes_up_level_by_level(ask: Asked, jingdezhen: Profile) -> None:
    route = ask("leak", "grid")
    assert route.chain == list(jingdezhen.chain)
    assert [climb.to for climb in route.escalation] == ["社区", "街道", "区·县", "市"]
    assert all(word in route.escalation[1].when for word in ("执法", "拆违", "环境"))


@pytest.mark.parametrize("category", ENFORCEMENT)
def test_jingdezhen_makes_no_community_responsible_for_enforcement(
    ask: Asked, taxonomy: Taxonomy, category: str
) -> None:
    for tier in TIERS:
        for clock in taxonomy.codes("clock"):
            for kind in taxonomy.codes("type"):
                route = ask(category, tier, clock, kind)
                assert not route.unit.startswith(("网格", "社区")), (tier, clock, kind)
                assert not route.start.startswith(("网格", "社区")), (tier, clock, kind)


@pytest.mark.parametrize("parent", ["城市管理", "生态环境"])
def test_jingdezhen_makes_no_community_responsible_for_city_management_or_environment(
    ask: Asked, taxonomy: Taxonomy, parent: str
) -> None:
    below = [category for category in taxonomy.codes("category") if parent in taxonomy.paths[category]]
    assert below
    assert set(below) <= set(ENFORCEMENT)
    for category in below:
        assert [ask(category, tier).unit for tier in TIERS if ask(category, tier).unit in {"网格", "社区"}] == []


def test_jingdezhen_leaves_to_a_community_what_is_no_enforcement(ask: Asked, taxonomy: Taxonomy) -> None:
    left = {category for category in taxonomy.codes("category") if ask(category, "community").unit == "社区"}
    assert {"leak", "property_management", "neighbour_dispute", "community_service", "elderly_disabled"} <= left
    assert left.isdisjoint(ENFORCEMENT)


def test_jingdezhen_makes_no_community_responsible_for_punishing_a_shop(ask: Asked) -> None:
    """A report that asks for inspection and punishment is 行政执法, whatever the goods."""
    for tier in ("grid", "community"):
        assert not ask("consumer_dispute", tier, "general", "report").unit.startswith(("网格", "社区"))


def test_jingdezhen_sends_power_and_money_with_a_task(ask: Asked, jingdezhen: Profile) -> None:
    assert any("权随责走" in principle and "费随事转" in principle for principle in jingdezhen.principles)
    for task in ("行政执法", "拆迁拆违", "环境整治", "城市管理", "招商引资"):
        assert any(task in principle for principle in jingdezhen.principles)
    rule = ask("street_vending", "community").rule
    assert all(word in rule for word in ("社区不得", "权随责走", "费随事转"))
    assert "权随责走" not in ask("leak", "community").rule


def test_jingdezhen_has_a_county_town_without_streets(ask: Asked) -> None:
    route = ask("leak", "street", area=FULIANG)
    assert (route.start, route.unit) == ("社区管理机构", "社区管理机构")
    assert route.chain == ["社区", "社区管理机构", "县"]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("clock", ["emergency", "general"])
def test_jingdezhen_names_no_street_in_a_county_town_without_streets(ask: Asked, tier: str, clock: str) -> None:
    for category in ("leak", "neighbour_dispute", "street_vending", "property_management"):
        route = ask(category, tier, clock, area=FULIANG)
        named = [route.start, route.unit, *route.chain, *route.notify, *(climb.to for climb in route.escalation)]
        assert [name for name in named if "街道" in name] == [], category
        assert any("县" in name for name in route.chain), category


def test_jingdezhen_guards_hold_in_the_county_town_too(ask: Asked) -> None:
    for category in ENFORCEMENT:
        for tier in ("grid", "community"):
            assert ask(category, tier, area=FULIANG).unit.startswith(("社区管理机构", "浮梁县")), (category, tier)


@pytest.mark.parametrize("place", ["昌江区", "珠山区", "乐平市"])
def test_jingdezhen_has_streets_elsewhere(ask: Asked, place: str) -> None:
    assert ask("leak", "street", area=Area(district=place)).unit == "街道·党政综合办公室"


@pytest.mark.parametrize(
    ("category", "tier"),
    [
        ("demolition_compensation", "community"),
        ("demolition_compensation", "district"),
        ("neighbour_dispute", "grid"),
        ("neighbour_dispute", "street"),
    ],
)
def test_jingdezhen_mediates_at_the_door_within_eight_minutes(ask: Asked, category: str, tier: str) -> None:
    route = ask(category, tier)
    assert "8 分钟" in route.mode
    assert "580" in route.way
    assert "580 党员调解团" in route.support


def test_jingdezhen_gives_small_help_at_the_door_within_eight_minutes_too(ask: Asked) -> None:
    """580 takes anything from demolition quarrels to small help."""
    for category in ("other", "community_service", "elderly_disabled"):
        assert "580" in ask(category, "grid", "general", "help").way, category


@pytest.mark.parametrize("category", ["property_management", "old_estate_renewal", "village_governance"])
def test_jingdezhen_consults_in_hearings_talks_and_reviews(ask: Asked, category: str) -> None:
    route = ask(category, "community")
    assert all(word in route.way for word in ("听证会", "协调会", "评议会"))
    assert "群众说事中心" in route.support


def test_jingdezhen_enforces_with_staff_that_moved_down_to_the_streets(ask: Asked) -> None:
    route = ask("street_vending", "community")
    assert route.mode == "下沉执法"
    assert {"城管", "园林", "市政"} <= set(route.support)


@pytest.mark.parametrize(
    ("facts", "mode"),
    [
        (("power", "street", "emergency"), "立即处置"),
        (("medical_service", "district", "general", "consult"), "答复"),
        (("leak", "community"), "就地办理"),
        (("leak", "district"), "按时限办理"),
    ],
)
def test_jingdezhen_settles_each_matter_in_its_mode(ask: Asked, facts: tuple[str, ...], mode: str) -> None:
    assert ask(*facts).mode == mode


def test_jingdezhen_checks_access_before_it_dispatches(ask: Asked) -> None:
    steps = ask("leak", "street").steps
    assert steps.index("准入核对") < steps.index("派单")
    assert "群众评议" in steps


def test_jingdezhen_tells_the_street_and_the_district_of_an_emergency(ask: Asked) -> None:
    assert {"街道维稳中心", "区·县应急管理局"} <= set(ask("leak", "community", "emergency").notify)
    assert not ask("leak", "community").notify


def test_jingdezhen_grades_four_ways(jingdezhen: Profile) -> None:
    assert any(all(grade in name for grade in ("好", "较好", "一般", "差")) for name in jingdezhen.indicators)
    assert {"解决率", "满意率"} <= set(jingdezhen.indicators)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("社区网格", ("627",)),
        ("街道机构", ("党政综合办公室", "市容环境管理办公室", "经济发展中心", "维稳中心")),
        ("准入清单", ("4 类 30 项", "8 类 84 项")),
        ("督查", ("周", "月", "季", "好、较好、一般、差")),
        ("580 党员调解团", ("8 分钟",)),
        ("协商", ("群众说事中心", "听证会", "协调会", "评议会")),
    ],
)
def test_jingdezhen_states_what_its_documents_state(jingdezhen: Profile, name: str, parts: tuple[str, ...]) -> None:
    assert all(part in jingdezhen.fact(name) for part in parts)


def test_jingdezhen_names_the_units_of_a_known_place(ask: Asked) -> None:
    area = Area("第5网格", "里村社区", "里村街道", "珠山区")
    units = [ask("leak", tier, area=area).unit for tier in ("grid", "community", "street", "district")]
    assert units == ["第5网格", "里村社区", "里村街道·党政综合办公室", "珠山区（住房和城乡建设局）"]
