"""National rules, which bind every profile: red lines, what a hotline must not take, what belongs to a department."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.petitions import default_taxonomy
from nlp.decision import Route
from nlp.files import DATA, read_toml
from nlp.place.area import NOWHERE, Area
from nlp.route.facts import Facts
from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.taxonomy import Taxonomy

RECEIVED = datetime(2026, 2, 27, 9, 12, 3, tzinfo=timezone(timedelta(hours=8)))
TWO_HOURS, ONE_DAY = "2026-02-27T11:12:03+08:00", "2026-02-28T09:12:03+08:00"
SEVEN_DAYS, FIFTEEN_DAYS = "2026-03-06T09:12:03+08:00", "2026-03-14T09:12:03+08:00"
PROFILES = (
    "plain",
    "wenjiang",
    "beicai",
    "panlong",
    "jingdezhen",
    "putuo",
    "hongguanjia",
    "taicang",
    "traffic_police",
)
TAXONOMY = default_taxonomy()
CALLS = {
    "fire": "119",
    "collapse": "119",
    "trapped": "119",
    "hotcar": "119",
    "flood": "119",
    "violence": "110",
    "suicide": "110",
    "crowd": "110",
    "explosive": "110",
    "animal": "110",
    "poison": "120",
    "unconscious": "120",
    "blocked": "122",
    "gas": "燃气企业抢修",
    "wire": "供电公司抢修",
    "main": "供水企业抢修",
}
REFUSALS = [
    ("已向法院起诉", "诉讼", "人民法院"),
    ("法院已立案", "诉讼", "人民法院"),
    ("已申请强制执行", "执行", "人民法院"),
    ("已申请劳动仲裁", "仲裁", "仲裁委员会"),
    ("正在仲裁", "仲裁", "仲裁委员会"),
    ("已申请行政复议", "行政复议", "行政复议机构"),
    ("纪委已立案", "纪检监察", "纪检监察机关"),
    ("已移送纪委", "纪检监察", "纪检监察机关"),
    ("信访局已受理", "信访", "信访局"),
    ("信访复查", "信访", "信访局"),
    ("国家秘密", "国家秘密", "保密行政管理部门"),
]

WORDS = ("地锁", "没有维修基金", "拆了又建", "隐患路段", "酒驾", *(word for word, _, _ in REFUSALS))
KNOWN = Area("第3网格", "航天社区", "柳城街道", "温江区")


@pytest.fixture(scope="module")
def functional(router: Router) -> tuple[str, ...]:
    """The categories that by law belong to functional departments."""
    return next(guard.category for guard in router.rules.guards if guard.name == "functional")


def routed(router: Router, profile: str, category: str, tier: str, area: Area = NOWHERE) -> Route:
    """The route of a complaint with a general clock."""
    return router.route(profile, Facts(category, tier, "general", "complaint", area=area), RECEIVED)


def test_the_profiles_are_the_nine_of_the_reference(router: Router) -> None:
    assert {profile.name for profile in router.profiles} == set(PROFILES)


# Red lines.


def test_every_kind_of_red_line_has_its_guard_and_its_call(router: Router) -> None:
    kinds = {rule["kind"] for rule in read_toml(DATA / "redlines.toml")["rules"]}
    guarded = {kind for guard in router.rules.guards if guard.name == "red_line" for kind in guard.redline}
    assert kinds == guarded == set(CALLS)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("kind", "call"), CALLS.items())
def test_a_red_line_names_whom_to_call_and_keeps_two_hours(
    router: Router, taxonomy: Taxonomy, profile: str, kind: str, call: str
) -> None:
    for category in taxonomy.codes("category")[::3]:
        for tier in taxonomy.codes("tier"):
            facts = Facts(category, tier, "emergency", "help", redline=kind)
            plan, route = router.routed(router.rules.profile(profile), facts, RECEIVED)
            assert call in route.notify[0], (category, tier)
            assert call in route.unit, (category, tier)
            assert "守则 red_line" in route.rule
            assert plan.facts.clock == "emergency"
            assert route.due == TWO_HOURS, (category, tier)
            assert router.rank(plan.facts.tier) >= router.rank("district")


@pytest.mark.parametrize("kind", [kind for kind, call in CALLS.items() if call.isdigit()])
def test_what_is_for_110_119_120_or_122_now_is_transferred_at_once_and_followed(router: Router, kind: str) -> None:
    for profile in PROFILES:
        route = router.route(profile, Facts("leak", "community", "emergency", "help", redline=kind), RECEIVED)
        assert "not_accepted" in route.rule
        assert "立即转接" in route.rule
        assert any("12345" in name for name in route.support)
        assert route.mode != "不予受理"


@pytest.mark.parametrize("profile", PROFILES)
def test_an_emergency_without_a_red_line_names_whom_to_call_too(
    router: Router, taxonomy: Taxonomy, profile: str
) -> None:
    for category in taxonomy.codes("category"):
        route = router.route(profile, Facts(category, "grid", "emergency", "help"), RECEIVED)
        assert route.notify, category
        assert any(call in route.notify[0] for call in ("110", "119", "120", "122", "抢修")), category
        assert route.notify[0].partition("（")[0] in route.unit, category
        assert route.due == TWO_HOURS, category


@pytest.mark.parametrize(
    ("category", "call"),
    [
        ("gas_heating", "燃气企业抢修"),
        ("power", "供电公司抢修"),
        ("water_drainage", "供水企业抢修"),
        ("public_security", "110"),
        ("traffic_management", "122"),
        ("medical_service", "120"),
        ("fire_safety", "119"),
    ],
)
def test_an_emergency_calls_who_is_for_it(router: Router, category: str, call: str) -> None:
    assert call in router.route("plain", Facts(category, "grid", "emergency", "help"), RECEIVED).notify[0]


@pytest.mark.parametrize("table", ["yuncheng", "jiyuan"])
def test_no_table_of_a_city_gives_an_emergency_longer(taxonomy: Taxonomy, table: str) -> None:
    rules = Rulebase.read(taxonomy)
    router, profile = Router(rules), replace(rules.profile("plain"), clocks=table)
    longest = RECEIVED + timedelta(hours=2)
    words = frozenset({"垃圾"})
    for category in taxonomy.codes("category"):
        for kind in ("", *CALLS):
            facts = Facts(category, "street", "emergency", "help", words, kind)
            due = router.routed(profile, facts, RECEIVED)[1].due
            assert datetime.fromisoformat(due) <= longest, (category, kind)


@pytest.mark.parametrize(("word", "reason", "unit"), REFUSALS)
def test_a_red_line_is_never_refused(router: Router, word: str, reason: str, unit: str) -> None:
    for kind in CALLS:
        facts = Facts("labour_dispute", "district", "emergency", "help", frozenset({word}), kind)
        route = router.route("plain", facts, RECEIVED)
        assert route.unit != unit
        assert route.mode != "不予受理", reason


# What a hotline must not take.


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("word", "reason", "unit"), REFUSALS)
def test_what_stands_elsewhere_is_not_accepted_with_the_reason_and_where_to_turn(
    router: Router, profile: str, word: str, reason: str, unit: str
) -> None:
    for category, tier in (("labour_dispute", "district"), ("leak", "community"), ("traffic_management", "city")):
        facts = Facts(category, tier, "general", "complaint", frozenset({word}))
        plan, route = router.routed(router.rules.profile(profile), facts, RECEIVED)
        assert (route.unit, route.mode) == (unit, "不予受理")
        assert "not_accepted" in route.rule
        assert reason in route.rule
        turn = route.way.partition("：")[2]
        assert turn
        assert any(reason in line and turn in line for line in plan.reasons)
        assert "告知有权处理的机关" in route.steps
        assert not route.support
        assert not route.escalation


@pytest.mark.parametrize("profile", PROFILES)
def test_what_stands_nowhere_else_is_accepted(router: Router, taxonomy: Taxonomy, profile: str) -> None:
    for category in taxonomy.codes("category"):
        facts = Facts(category, "community", "general", "complaint")
        plan, route = router.routed(router.rules.profile(profile), facts, RECEIVED)
        assert route.mode != "不予受理"
        assert "not_accepted" not in route.rule
        assert not plan.reasons


# What belongs to a functional department.


@pytest.mark.parametrize("profile", PROFILES)
def test_what_belongs_to_a_department_is_not_dispatched_to_the_grassroots(
    router: Router, functional: tuple[str, ...], profile: str
) -> None:
    for category in functional:
        above = routed(router, profile, category, "district")
        for tier in ("grid", "community"):
            route = routed(router, profile, category, tier)
            assert replace(route, rule="", support=[]) == replace(above, rule="", support=[]), (category, tier)
            assert "functional" in route.rule
            assert "国办函〔2025〕66号" in route.rule


def test_what_belongs_to_a_department_names_the_department(router: Router, functional: tuple[str, ...]) -> None:
    for category in functional:
        assert routed(router, "plain", category, "community").unit.startswith("区县部门（"), category


def test_the_plainest_departmental_matters_are_guarded(functional: tuple[str, ...]) -> None:
    assert {"social_insurance", "school_admission", "finance", "food_drug_safety", "labour_dispute"} <= set(functional)
    assert {"leak", "neighbour_dispute", "property_management", "community_service"}.isdisjoint(functional)


def test_what_the_catalogue_gives_to_an_authority_does_not_stay_with_a_community(
    router: Router, taxonomy: Taxonomy
) -> None:
    """Companies of supply may be called from anywhere; offices, bureaus and brigades are functional departments."""
    plain = router.rules.profile("plain")
    stayed = []
    for category in taxonomy.codes("category"):
        plan = router.plan(plain, Facts(category, "community", "general", "complaint"), RECEIVED.date())
        lead = plan.row.lead if plan.row else ""
        if lead.endswith(("局", "大队", "分局")) and plan.route.unit == "社区":
            stayed.append(f"{category} {lead}")
    assert stayed == []


# Clocks in use.


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("clock", "due"),
    [("emergency", TWO_HOURS), ("urgent", ONE_DAY), ("general", SEVEN_DAYS), ("complex", FIFTEEN_DAYS)],
)
def test_every_profile_counts_the_four_clocks_in_use(router: Router, profile: str, clock: str, due: str) -> None:
    for tier in ("grid", "community", "street", "district", "city"):
        assert router.route(profile, Facts("leak", tier, clock, "help"), RECEIVED).due == due


# Routes depend on the matter.


def test_one_matter_takes_different_routes_under_different_profiles(router: Router) -> None:
    routes = [routed(router, name, "leak", "community") for name in PROFILES if name != "traffic_police"]
    assert len({route.unit for route in routes}) == 6  # three call theirs 社区
    assert len({route.start for route in routes}) >= 6
    assert len({(route.mode, route.way) for route in routes}) == 8
    assert len({tuple(route.chain) for route in routes}) == 8
    assert len({tuple(route.steps) for route in routes}) == 8


@pytest.mark.parametrize("profile", PROFILES)
def test_different_matters_take_different_routes_under_one_profile(router: Router, profile: str) -> None:
    matters = [
        ("illegal_parking", "community", "general"),
        ("parking_supply", "street", "general"),
        ("traffic_management", "district", "general"),
        ("traffic_management", "city", "emergency"),
    ]
    routes = [router.route(profile, Facts(*matter, "complaint"), RECEIVED) for matter in matters]
    assert len({route.unit for route in routes}) == 4
    assert len({(route.mode, route.way) for route in routes}) >= 3
    assert len({route.due for route in routes}) == 2


@pytest.mark.parametrize("profile", PROFILES)
def test_each_fact_of_a_matter_can_change_its_route(router: Router, profile: str) -> None:
    asked = Facts("illegal_parking", "street", "general", "help")
    base = replace(router.route(profile, asked, RECEIVED), rule="")
    for changed in (
        replace(asked, category="parking_supply"),
        replace(asked, tier="district"),
        replace(asked, clock="emergency"),
    ):
        assert replace(router.route(profile, changed, RECEIVED), rule="") != base


# Whole routes.


@pytest.mark.parametrize("profile", PROFILES)
def test_every_matter_has_a_whole_route(router: Router, taxonomy: Taxonomy, profile: str) -> None:
    system = router.rules.profile(profile)
    for tier in taxonomy.codes("tier"):
        for clock in taxonomy.codes("clock"):
            for kind in taxonomy.codes("type"):
                for category in taxonomy.codes("category"):
                    facts = Facts(category, tier, clock, kind)
                    route = router.plan(system, facts, RECEIVED.date()).route
                    _whole(route, profile)
    assert router.route(profile, facts, RECEIVED).due


def _whole(route: Route, profile: str) -> None:
    assert route.profile == profile
    assert all((route.start, route.unit, route.chain, route.mode, route.way, route.steps, route.rule))
    assert route.rule.startswith(f"{profile}：")
    assert "external" not in f"{route.start}{route.unit}{route.chain}"
    assert all(climb.to and climb.when for climb in route.escalation)
    assert len(set(route.support)) == len(route.support)
    assert len(set(route.notify)) == len(route.notify)
    assert route.unit not in route.support


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("area", [KNOWN, Area(district="浮梁县")])
def test_a_known_place_leaves_every_route_whole(router: Router, taxonomy: Taxonomy, profile: str, area: Area) -> None:
    for category in taxonomy.codes("category"):
        for tier in taxonomy.codes("tier"):
            _whole(routed(router, profile, category, tier, area=area), profile)


@given(
    profile=st.sampled_from(PROFILES),
    facts=st.builds(
        Facts,
        category=st.sampled_from(TAXONOMY.codes("category")),
        tier=st.sampled_from(TAXONOMY.codes("tier")),
        clock=st.sampled_from(TAXONOMY.codes("clock")),
        type=st.sampled_from(TAXONOMY.codes("type")),
        words=st.frozensets(st.sampled_from(WORDS), max_size=3),
        redline=st.sampled_from(["", *CALLS]),
        area=st.sampled_from([NOWHERE, KNOWN]),
        source=st.sampled_from(["", "自行发现", "中心受理"]),
    ),
)
@settings(max_examples=400, deadline=None)
def test_words_sources_and_red_lines_leave_every_route_whole(router: Router, profile: str, facts: Facts) -> None:
    route = router.route(profile, facts, RECEIVED)
    _whole(route, profile)
    assert route.due
    if facts.redline and facts.clock == "emergency":
        assert route.due == TWO_HOURS
        assert CALLS[facts.redline] in route.notify[0]
