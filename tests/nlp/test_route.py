"""Route: the unit of the tier, the end of the clock, under each profile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from nlp.errors import InputError, RefusedData, UnknownProfile
from nlp.files import PROFILES
from nlp.route import Router
from nlp.taxonomy import TASKS, Taxonomy

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 2, 27, 12, 30, 15, tzinfo=CHINA)


@pytest.fixture(scope="module")
def router(taxonomy: Taxonomy) -> Router:
    return Router(taxonomy)


@pytest.mark.parametrize(
    ("profile", "tier", "start", "unit"),
    [
        ("plain", "grid", "网格", "网格"),
        ("plain", "community", "社区", "社区"),
        ("plain", "street", "街道", "街道"),
        ("plain", "district", "区县部门", "区县部门"),
        ("plain", "city", "市级部门", "市级部门"),
        ("wenjiang", "grid", "治理小组", "治理小组"),
        ("wenjiang", "community", "治理小组", "社区党委"),
        ("wenjiang", "street", "治理小组", "街道党工委"),
        ("wenjiang", "district", "区级部门", "区级部门"),
        ("wenjiang", "city", "市级部门", "市级部门"),
    ],
)
def test_every_tier_has_its_unit(router: Router, profile: str, tier: str, start: str, unit: str) -> None:
    route = router.route(profile, ("noise", tier, "general", "complaint"), NOON)
    assert (route.profile, route.start, route.unit) == (profile, start, unit)
    assert profile in route.rule
    assert tier in route.rule


def test_where_a_profile_ends_the_rule_says_so(router: Router) -> None:
    beyond = router.route("wenjiang", ("noise", "city", "general", "complaint"), NOON)
    within = router.route("wenjiang", ("noise", "district", "general", "complaint"), NOON)
    assert "external" in beyond.rule
    assert "external" not in within.rule


def test_a_route_of_wenjiang_has_its_chain_and_steps(router: Router) -> None:
    route = router.route("wenjiang", ("leak", "community", "general", "help"), NOON)
    assert route.chain == ["治理小组", "片区地域党支部", "社区党委", "街道党工委", "区"]
    assert route.steps == ["问题发现", "情况报告", "台账管理", "研究会商", "决策执行", "回访落实"]
    assert (route.mode, route.way, route.support) == ("马上办", "群众自治协商", ["物业", "业委会"])


@pytest.mark.parametrize(
    ("codes", "way"),
    [
        (("leak", "community", "emergency", "help"), "上级党委政府"),
        (("leak", "community", "general", "consult"), "上级党委政府"),
        (("social_insurance", "district", "complex", "complaint"), "上级党委政府"),
        (("neighbour_dispute", "grid", "general", "complaint"), "调解"),
        (("sanitation", "community", "general", "report"), "社区保障资金"),
        (("noise", "community", "general", "complaint"), "群众自治协商"),
    ],
)
def test_wenjiang_settles_in_its_five_ways(router: Router, codes: tuple[str, ...], way: str) -> None:
    assert router.route("wenjiang", codes, NOON).way == way


@pytest.mark.parametrize(
    ("clock", "due"),
    [
        ("emergency", "2026-02-27T14:30:15+08:00"),
        ("urgent", "2026-02-28T12:30:15+08:00"),
        ("general", "2026-03-06T12:30:15+08:00"),
        ("complex", "2026-03-14T12:30:15+08:00"),
    ],
)
@pytest.mark.parametrize("profile", ["plain", "wenjiang"])
def test_a_clock_ends_to_the_second(router: Router, profile: str, clock: str, due: str) -> None:
    assert router.route(profile, ("noise", "street", clock, "complaint"), NOON).due == due
    assert router.due(clock, NOON) == due


def test_fractions_of_a_second_are_left_out(router: Router) -> None:
    assert router.due("emergency", NOON.replace(microsecond=999_999)) == "2026-02-27T14:30:15+08:00"


def test_the_same_moment_in_two_zones_ends_in_each_its_own(router: Router) -> None:
    codes = ("noise", "grid", "urgent", "complaint")
    here, there = (router.route("plain", codes, moment).due for moment in (NOON, NOON.astimezone(UTC)))
    assert here == "2026-02-28T12:30:15+08:00"
    assert there == "2026-02-28T04:30:15+00:00"


def test_every_combination_of_codes_has_a_route(router: Router, taxonomy: Taxonomy) -> None:
    categories, tiers, clocks, types = (taxonomy.codes(task) for task in TASKS)
    for profile in router.profiles:
        for tier in tiers:
            for clock in clocks:
                for kind in types:
                    for category in categories[::7]:
                        route = router.route(profile.name, (category, tier, clock, kind), NOON)
                        assert all(
                            (route.start, route.unit, route.mode, route.way, route.chain, route.steps, route.rule)
                        )


def test_the_codes_of_the_profiles_are_those_of_the_default_taxonomy(router: Router, taxonomy: Taxonomy) -> None:
    for profile in router.profiles:
        assert set(profile.levels) <= set(taxonomy.codes("tier"))
        for way in profile.ways:
            assert all(set(getattr(way, task)) <= set(taxonomy.codes(task)) for task in TASKS)


def test_an_unknown_profile_is_named_with_those_that_are_known(router: Router) -> None:
    for ask in (
        lambda: router.check("atlantis"),
        lambda: router.route("atlantis", ("leak", "grid", "general", "help"), NOON),
    ):
        with pytest.raises(UnknownProfile, match=r"atlantis.*plain.*wenjiang") as caught:
            ask()
        assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "plain"', ""),
        ('unit = "网格"', 'unti = "网格"'),
        ('[[ways]]\nmode = "按时限办理"', '[[ways]]\ntier = ["grid"]\nmode = "按时限办理"'),
        ("[levels.grid]", "[levels.grid"),
    ],
)
def test_a_profile_with_a_fault_is_refused_by_its_file(
    tmp_path: Path, taxonomy: Taxonomy, before: str, after: str
) -> None:
    text = (PROFILES / "plain.toml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "mine.toml").write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(RefusedData, match=r"mine\.toml"):
        Router(taxonomy, tmp_path)
