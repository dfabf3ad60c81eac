"""Dispatch: places, words and matters lead to local units; other rules are put in force whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.decider import Decider, Options
from nlp.decision import Decision, Place
from nlp.dispatch import Asked, Dispatched, Dispatcher
from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.redline import RedLine
from nlp.route.rulebase import Rulebase
from nlp.segment import open_segmenter
from nlp.taxonomy import Taxonomy

NOW = datetime(2026, 11, 23, 9, 12, 3, tzinfo=timezone(timedelta(hours=8)))
WENJIANG = Options(now=NOW, profile="wenjiang")
LEAK, LIGHT = ("leak", "community", "general", "help"), ("public_facilities", "community", "general", "help")
GAZETTEER = """名称,类型,别名,门牌,网格,社区,街道,区县
温江区,区县,,,,,,温江区
航天路,道路,,1-99单,第3网格,航天社区,柳城街道,温江区
航天路,道路,,2-98双,第4网格,航天社区,柳城街道,温江区
凤溪大道,道路,,,第7网格,凤溪社区,涌泉街道,温江区
丽景花园,小区,,,第3网格,航天社区,柳城街道,温江区
"""
SECRETS = ["13812345678", "510123199001011234", "川A12345", "我叫王小明", "501室"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office's own folder, with nothing but the places it knows."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "gazetteer.csv").write_text(GAZETTEER, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rules(taxonomy: Taxonomy, office: Path) -> Rulebase:
    return Rulebase.read(taxonomy, office=office)


@pytest.fixture(scope="module")
def dispatcher(rules: Rulebase) -> Dispatcher:
    return Dispatcher(rules, open_segmenter())


@pytest.fixture(scope="module")
def local(model: Model, rules: Rulebase) -> Decider:
    return Decider(model, rules=rules)


def sent(dispatcher: Dispatcher, petitions: Sequence[Petition], profile: str = "wenjiang",
         codes: tuple[str, str, str, str] = LEAK) -> list[Dispatched]:  # fmt: skip
    asked = [Asked(codes, None) for _ in petitions]
    return dispatcher.dispatch(petitions, Reader().read(petitions), asked, profile, NOW)


def one(dispatcher: Dispatcher, text: str, title: str = "", location: str = "", tier: str = "community") -> Dispatched:
    codes = ("leak", tier, "general", "help")
    return sent(dispatcher, [Petition("1", text, title, location=location)], codes=codes)[0]


def test_a_known_place_gives_units_their_local_names(dispatcher: Dispatcher) -> None:
    route = one(dispatcher, "航天路13号漏水").matters[0].route
    assert (route.start, route.unit) == ("第3治理小组", "航天社区党委")
    assert route.chain == ["治理小组", "片区地域党支部", "社区党委", "街道党工委", "区"]
    assert "不在地名库" not in route.rule


@pytest.mark.parametrize(
    ("tier", "start", "unit"),
    [
        ("grid", "第3治理小组", "第3治理小组"),
        ("community", "第3治理小组", "航天社区党委"),
        ("street", "第3治理小组", "柳城街道党工委"),
    ],
)
def test_each_tier_has_the_unit_that_covers_the_place(dispatcher: Dispatcher, tier: str, start: str, unit: str) -> None:
    route = one(dispatcher, "航天路13号漏水", tier=tier).matters[0].route
    assert (route.start, route.unit) == (start, unit)


def test_the_house_number_decides_the_grid(dispatcher: Dispatcher) -> None:
    assert one(dispatcher, "航天路13号漏水").matters[0].route.start == "第3治理小组"
    assert one(dispatcher, "航天路12号漏水").matters[0].route.start == "第4治理小组"
    assert one(dispatcher, "航天路漏水").matters[0].route.start == "治理小组"


def test_the_facts_hold_the_whole_area(dispatcher: Dispatcher) -> None:
    facts = one(dispatcher, "航天路13号漏水").plan.facts
    assert tuple(facts.area) == ("第3网格", "航天社区", "柳城街道", "温江区")


def test_an_unknown_place_is_told_and_has_the_default_units(dispatcher: Dispatcher) -> None:
    result = one(dispatcher, "芙蓉小区漏水")
    route = result.matters[0].route
    assert (route.start, route.unit) == ("治理小组", "社区党委")
    assert "“芙蓉小区”不在地名库，用层级的默认单位" in route.rule
    assert [(place.text, place.unit) for place in result.places] == [("芙蓉小区", "")]


def test_without_a_place_nothing_is_said_of_one(dispatcher: Dispatcher) -> None:
    result = one(dispatcher, "楼道漏水")
    assert result.places == []
    assert "地名库" not in result.matters[0].route.rule
    assert result.matters[0].route.start == "治理小组"


def test_a_known_place_beside_an_unknown_one_is_enough(dispatcher: Dispatcher) -> None:
    route = one(dispatcher, "从芙蓉小区到丽景花园都漏水").matters[0].route
    assert route.start == "第3治理小组"
    assert "地名库" not in route.rule


def test_a_location_goes_before_title_and_text(dispatcher: Dispatcher) -> None:
    result = one(dispatcher, "凤溪大道漏水", "丽景花园漏水", "航天路12号")
    assert result.matters[0].route.start == "第4治理小组"
    assert [(place.field, place.text, place.unit) for place in result.places] == [
        ("location", "航天路12号", "第4网格"),
        ("title", "丽景花园", "第3网格"),
        ("text", "凤溪大道", "第7网格"),
    ]


def test_a_title_goes_before_the_text(dispatcher: Dispatcher) -> None:
    assert one(dispatcher, "凤溪大道漏水", "丽景花园漏水").matters[0].route.start == "第3治理小组"


def test_what_agrees_makes_a_location_finer(dispatcher: Dispatcher) -> None:
    assert one(dispatcher, "航天路13号漏水", location="温江区").matters[0].route.start == "第3治理小组"
    assert one(dispatcher, "凤溪大道漏水", location="航天路12号").matters[0].route.unit == "航天社区党委"


def test_an_unknown_location_is_told_where_nothing_else_is_known(dispatcher: Dispatcher) -> None:
    assert "“芙蓉小区”不在地名库" in one(dispatcher, "漏水", location="芙蓉小区").matters[0].route.rule
    known = one(dispatcher, "航天路13号漏水", location="芙蓉小区").matters[0].route
    assert known.start == "第3治理小组"
    assert "地名库" not in known.rule


def test_locations_go_to_their_own_petitions(dispatcher: Dispatcher) -> None:
    petitions = [
        Petition("1", "漏水"),
        Petition("2", "漏水", location="航天路12号"),
        Petition("3", "丽景花园漏水"),
        Petition("4", "漏水", "凤溪大道", location="芙蓉小区"),
    ]
    results = sent(dispatcher, petitions)
    starts = ["治理小组", "第4治理小组", "第3治理小组", "第7治理小组"]
    assert [result.matters[0].route.start for result in results] == starts
    assert results == [sent(dispatcher, [petition])[0] for petition in petitions]


def test_a_name_does_not_reach_from_one_petition_into_the_next(dispatcher: Dispatcher) -> None:
    petitions = [Petition("1", "昨天在锦绣"), Petition("2", "停水", "中学")]
    assert [result.places for result in sent(dispatcher, petitions)] == [[], []]
    assert one(dispatcher, "中学停水", "锦绣").places == []


@pytest.mark.parametrize("profile", ["plain", "wenjiang", "beicai", "panlong", "jingdezhen", "putuo", "hongguanjia",
                                     "taicang", "traffic_police"])  # fmt: skip
def test_every_profile_tells_places_and_what_is_unknown(dispatcher: Dispatcher, profile: str) -> None:
    known, unknown = sent(dispatcher, [Petition("1", "丽景花园漏水"), Petition("2", "芙蓉小区漏水")], profile)
    assert [place.unit for place in known.places] == ["第3网格"]
    assert "“芙蓉小区”不在地名库" in unknown.matters[0].route.rule
    assert known.matters[0].route.profile == profile


def test_each_matter_has_the_place_and_the_words_of_its_own_sentences(dispatcher: Dispatcher) -> None:
    text = "丽景花园3栋漏水，还在保修期。凤溪大道路灯不亮。"
    petitions = [Petition("1", text)]
    reading = Reader().read(petitions)
    first = int(reading.texts.bounds[1])
    cut = first + text.index("凤溪")
    end = int(reading.texts.bounds[2]) - 1
    asked = [Asked(LEAK, None, [(LEAK, first, cut), (LIGHT, cut, end)])]
    (result,) = dispatcher.dispatch(petitions, reading, asked, "wenjiang", NOW)
    light = result.matters[1]
    assert [(matter.category, text[matter.start : matter.end]) for matter in result.matters] == [
        ("leak", "丽景花园3栋漏水，还在保修期。"),
        ("public_facilities", "凤溪大道路灯不亮。"),
    ]
    assert [plan.facts.area.grid for plan in result.plans] == ["第3网格", "第7网格"]
    assert light.route.start == "第7治理小组"
    assert "保修期" in result.plans[0].facts.words
    assert "保修期" not in result.plans[1].facts.words


def test_a_red_line_is_that_of_the_matter_that_shows_it(dispatcher: Dispatcher) -> None:
    text = "丽景花园3栋起火。凤溪大道路灯不亮。"
    petitions = [Petition("1", text)]
    reading = Reader().read(petitions)
    first, end = int(reading.texts.bounds[1]), int(reading.texts.bounds[2]) - 1
    cut = first + text.index("凤溪")
    fire = ("fire_safety", "district", "emergency", "help")
    asked = [Asked(fire, RedLine("fire", "起火", ("起火",)), [(fire, first, cut), (LIGHT, cut, end)])]
    (result,) = dispatcher.dispatch(petitions, reading, asked, "plain", NOW)
    assert [plan.facts.redline for plan in result.plans] == ["fire", ""]
    assert [matter.clock for matter in result.matters] == ["emergency", "general"]
    asked = [Asked(fire, RedLine("fire", "起火", ("起火",)), [(LIGHT, cut, end), (LEAK, first, cut)])]
    (result,) = dispatcher.dispatch(petitions, reading, asked, "plain", NOW)
    assert result.matters[1].clock == "emergency"


def test_a_clock_runs_from_the_time_of_receipt(dispatcher: Dispatcher) -> None:
    early = NOW - timedelta(days=2)
    results = sent(dispatcher, [Petition("1", "漏水"), Petition("2", "漏水", received_at=early)], "plain")
    due = [datetime.fromisoformat(result.matters[0].route.due) for result in results]
    assert due == [NOW + timedelta(days=7), early + timedelta(days=7)]


PIECES = [
    "温江区", "航天路", "杭天路", "12号", "１３号", "麗景花園", "3栋", "2单元", "芙蓉小区", "对面", "漏水", "，", "。",
    "\n", " ", "\u200b", "\u0301", "😀", "\ud800", "㍿", "<b>", "&nbsp;", "小区", "中学", *SECRETS,
]  # fmt: skip
fields = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=10).map("".join)


@settings(max_examples=200)
@given(st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=3))
@example([("", "丽景", ""), ("中学", "", "")])
@example([("麗景花園\u200b３栋2单元501室", "航\u200b天路1\u03012号", "我叫王小明😀丽景花园13812345678")])
def test_places_quote_their_field_and_nothing_that_masking_hides(
    dispatcher: Dispatcher, sources: list[tuple[str, str, str]]
) -> None:
    petitions = [Petition(str(n), text, title, location=place) for n, (title, text, place) in enumerate(sources)]
    for petition, result in zip(petitions, sent(dispatcher, petitions), strict=True):
        reading = Reader().fields([petition.title, petition.text, petition.location, ""])
        hidden = {name: reading.personal.get(n, []) for n, name in enumerate(("title", "text", "location"))}
        for place in result.places:
            source: str = getattr(petition, place.field)
            assert place.text == source[place.start : place.end] != ""
            assert not any(place.start < edit.end and edit.start < place.end for edit in hidden[place.field])
        said = str([asdict(matter) for matter in result.matters])
        assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("field", ["title", "text", "location"])
def test_a_place_beside_personal_data_is_quoted_without_them(dispatcher: Dispatcher, field: str, secret: str) -> None:
    told = {"title": "", "text": "漏水", "location": ""} | {field: f"丽景花园3栋2单元{secret}，漏水"}
    (result,) = sent(dispatcher, [Petition("1", told["text"], told["title"], location=told["location"])])
    assert [(place.text, place.field) for place in result.places] == [("丽景花园3栋2单元", field)]
    assert secret not in str(asdict(result.matters[0]))


def content(decisions: Sequence[Decision]) -> list[dict[str, object]]:
    return [{key: value for key, value in asdict(one).items() if key != "decision_id"} for one in decisions]


PETITIONS = [
    Petition("1", "航天路13号楼道漏水，物业没人管"),
    Petition("2", "芙蓉小区楼道漏水，物业没人管"),
    Petition("3", "楼道漏水，物业没人管", location="航天路12号"),
]


def test_a_decider_decides_by_the_rules_of_its_office(local: Decider, decider: Decider) -> None:
    first, second, third = local.decide(PETITIONS, WENJIANG)
    assert first.route.start == "第3治理小组"
    assert first.places == [Place("航天路13号", 0, 6, "第3网格", "", "text")]
    assert "“芙蓉小区”不在地名库" in second.route.rule
    assert third.route.start == "第4治理小组"
    assert [one.route.start for one in decider.decide(PETITIONS, WENJIANG)] == ["治理小组"] * 3


def test_other_rules_hold_from_the_next_batch_on(model: Model, taxonomy: Taxonomy, rules: Rulebase) -> None:
    decider = Decider(model)
    before = content(decider.decide(PETITIONS, WENJIANG))
    decider.put_in_force(rules)
    assert decider.router.rules is rules
    assert decider.decide(PETITIONS, WENJIANG)[0].route.start == "第3治理小组"
    decider.put_in_force(Rulebase.read(taxonomy))
    assert content(decider.decide(PETITIONS, WENJIANG)) == before


GUARDS = (RULES / "guards.toml").read_text(encoding="utf-8")
CATALOGUE = (RULES / "catalogue.csv").read_text(encoding="utf-8").splitlines()
BROKEN = {
    "no unit": ("gazetteer.csv", "名称,网格\n航天路,\n"),
    "no kind": ("gazetteer.csv", "名称,类型,网格\n航天路,马路,第3网格\n"),
    "not toml": ("guards.toml", GUARDS + "\n[[guards"),
    "no columns": ("catalogue.csv", "编号,版本\nleak-01,1\n"),
    "cut off": ("catalogue.csv", "\n".join([*CATALOGUE, "leak-99,1"])),
    "no profile": ("profiles/wenjiang.toml", 'name = "wenjiang"\n'),
    "a name that reads as one character": ("gazetteer.csv", "名称,网格\n路\u200b,第3网格\n"),
    "a word of one character": ("catalogue.csv", f"{CATALOGUE[0]}\nleak-99,1,leak,,,,,水,属地,,,,,,,2026-01-01,\n"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), BROKEN.values(), ids=BROKEN)
def test_broken_rules_are_refused_and_leave_the_old_in_force(
    model: Model, taxonomy: Taxonomy, rules: Rulebase, tmp_path: Path, name: str, text: str
) -> None:
    decider = Decider(model, rules=rules)
    before = content(decider.decide(PETITIONS, WENJIANG))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedData, match=path.name):
        decider.put_in_force(Rulebase.read(taxonomy, office=tmp_path))
    assert decider.router.rules is rules
    assert content(decider.decide(PETITIONS, WENJIANG)) == before


def test_a_folder_that_is_not_there_is_refused(taxonomy: Taxonomy, tmp_path: Path) -> None:
    with pytest.raises(RefusedData, match="没有这个文件夹"):
        Rulebase.read(taxonomy, office=tmp_path / "nowhere")
