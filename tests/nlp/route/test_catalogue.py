"""The catalogue: rows with dates of effect and conditions, of which the first that holds decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.petitions import default_taxonomy
from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.place.area import Area
from nlp.route.catalogue import COLUMNS, LOCAL, Catalogue, Row
from nlp.route.crosswalk import Crosswalk
from nlp.route.facts import Facts
from nlp.route.plan import Plan
from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.taxonomy import Taxonomy

TAXONOMY = default_taxonomy()
CROSSWALKS = {
    name: Crosswalk.read(RULES / f"crosswalks/{name}.csv", TAXONOMY, strict=False) for name in ("cjt214", "yuncheng")
}
SHIPPED = Catalogue.read(RULES / "catalogue.csv", TAXONOMY, CROSSWALKS)
RULEBASE = Rulebase.read(TAXONOMY)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
DAY = NOON.date()
CELLS = {"编号": "a-1", "版本": "1", "承办单位": "某局", "承办层级": "district", "生效": "2026-01-01"}


def csv(*rows: dict[str, str]) -> str:
    """A catalogue of rows that differ from a plain one in the cells that are named."""
    lines = [",".join(COLUMNS)]
    for number, row in enumerate(rows, 1):
        cells = CELLS | {"编号": f"a-{number}"} | row
        lines.append(",".join(cells.get(column, "") for column in COLUMNS))
    return "\n".join(lines) + "\n"


def read(folder: Path, *rows: dict[str, str], strict: bool = True, taxonomy: Taxonomy = TAXONOMY) -> Catalogue:
    path = folder / "catalogue.csv"
    path.write_text(csv(*rows), encoding="utf-8")
    return Catalogue.read(path, taxonomy, CROSSWALKS, strict=strict)


def facts(
    category: str = "leak", tier: str = "street", clock: str = "general", kind: str = "help", **more: object
) -> Facts:
    return Facts(category, tier, clock, kind, **more)  # type: ignore[arg-type]


def chosen(catalogue: Catalogue, matter: Facts, day: date = DAY) -> str:
    row = catalogue.find(matter, day)
    return row.number if row else ""


def test_every_matter_of_every_category_has_a_row() -> None:
    for category in TAXONOMY.codes("category"):
        for tier, clock, kind in product(*(TAXONOMY.codes(task) for task in ("tier", "clock", "type"))):
            row = SHIPPED.find(Facts(category, tier, clock, kind), DAY)
            assert row is not None, (category, tier, clock, kind)
            assert row.lead


def test_every_shipped_row_can_be_the_first_that_holds() -> None:
    for row in SHIPPED.rows:
        own = [
            Facts(category, tier, clock, kind, frozenset(row.words[:1]), area=Area(*row.place[:1]))
            for category in row.category or TAXONOMY.codes("category")
            for tier in row.tier or TAXONOMY.codes("tier")
            for clock in row.clock or TAXONOMY.codes("clock")
            for kind in row.type or TAXONOMY.codes("type")
        ]
        assert any(SHIPPED.find(matter, row.start) is row for matter in own), row.told


def test_every_shipped_row_is_in_force_and_tells_its_ground() -> None:
    for row in SHIPPED.rows:
        assert row.in_force(DAY), row.told
        assert row.legal, row.told
        assert row.level or row.lead == LOCAL, row.told


def test_the_shipped_rows_are_told_by_their_lines() -> None:
    lines = (RULES / "catalogue.csv").read_text(encoding="utf-8-sig").splitlines()
    for row in SHIPPED.rows:
        assert lines[row.line - 1].split(",")[0] == row.number
        assert row.told == f"目录 {row.number}（第 {row.version} 版，第 {row.line} 行）"


def test_the_first_row_that_holds_wins(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        {"类别": "leak", "字词条件": "水表；水管"},
        {"类别": "leak；noise", "层级条件": "city"},
        {"类别": "noise"},
        {"类别": "leak"},
        {},
    )
    assert chosen(catalogue, facts(words=frozenset({"水管", "别的"}), tier="city")) == "a-1"
    assert chosen(catalogue, facts(tier="city")) == "a-2"
    assert chosen(catalogue, facts("noise", "city")) == "a-2"
    assert chosen(catalogue, facts("noise")) == "a-3"
    assert chosen(catalogue, facts()) == "a-4"
    assert chosen(catalogue, facts("power")) == "a-5"
    assert [row.number for row in catalogue.fitting(facts(tier="city"), DAY)] == ["a-2", "a-4", "a-5"]


def test_a_row_for_all_categories_that_stands_first_goes_first(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"诉求条件": "praise"}, {"类别": "leak"})
    assert chosen(catalogue, facts(kind="praise")) == "a-1"
    assert chosen(catalogue, facts(kind="help")) == "a-2"
    assert chosen(catalogue, facts("noise", kind="praise")) == "a-1"
    assert chosen(catalogue, facts("noise")) == ""


@pytest.mark.parametrize(
    ("cells", "held", "not_held"),
    [
        (
            {"地点": "航天社区；别处"},
            facts(area=Area("", "航天社区", "", "")),
            facts(area=Area("航天网格", "", "", "")),
        ),
        ({"地点": "温江区"}, facts(area=Area("一", "二", "三", "温江区")), facts()),
        ({"字词条件": "水管；水表"}, facts(words=frozenset({"水表"})), facts(words=frozenset({"水"}))),
        ({"诉求条件": "report；help"}, facts(kind="report"), facts(kind="consult")),
        ({"层级条件": "grid;community"}, facts(tier="community"), facts(tier="street")),
        ({"时限条件": "urgent"}, facts(clock="urgent"), facts(clock="general")),
        (
            {"地点": "温江区", "字词条件": "水管"},
            facts(area=Area(district="温江区"), words=frozenset({"水管"})),
            facts(area=Area(district="温江区")),
        ),
    ],
)
def test_a_row_asks_for_place_words_type_tier_and_clock(
    tmp_path: Path, cells: dict[str, str], held: Facts, not_held: Facts
) -> None:
    catalogue = read(tmp_path, {"类别": "leak"} | cells)
    assert chosen(catalogue, held) == "a-1"
    assert chosen(catalogue, not_held) == ""


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2025, 12, 31), ""),
        (date(2026, 1, 1), "old"),
        (date(2026, 6, 30), "old"),
        (date(2026, 7, 1), "new"),
        (date(2030, 1, 1), "new"),
    ],
)
def test_a_row_holds_from_its_first_to_its_last_day(tmp_path: Path, day: date, number: str) -> None:
    catalogue = read(
        tmp_path,
        {"编号": "old", "生效": "2026-01-01", "失效": "2026-06-30"},
        {"编号": "new", "版本": "2", "生效": "2026-07-01"},
    )
    assert chosen(catalogue, facts(), day) == number
    assert catalogue.changes == [date(2026, 1, 1), date(2026, 7, 1)]


def test_a_row_of_one_day_holds_on_that_day_only(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"生效": "2026-03-05", "失效": "2026-03-05"})
    assert [bool(chosen(catalogue, facts(), date(2026, 3, day))) for day in (4, 5, 6)] == [False, True, False]


def test_a_day_of_effect_is_one_of_china(tmp_path: Path) -> None:
    (tmp_path / "catalogue.csv").write_text(csv({"编号": "new", "生效": "2026-07-01"}), encoding="utf-8")
    router = Router(Rulebase.read(TAXONOMY, tmp_path))
    plain = router.rules.profile("plain")
    for moment, number in (("2026-06-30T15:59:00+00:00", ""), ("2026-06-30T16:00:00+00:00", "new")):
        row = router.routed(plain, facts(), datetime.fromisoformat(moment))[0].row
        assert (row.number if row else "") == number


conditions = st.fixed_dictionaries(
    {
        "category": st.lists(st.sampled_from(["leak", "noise", "power"]), max_size=2, unique=True).map(tuple),
        "tier": st.lists(st.sampled_from(["grid", "city"]), max_size=1).map(tuple),
        "words": st.lists(st.sampled_from(["水管", "水表"]), max_size=1).map(tuple),
        "start": st.dates(date(2026, 1, 1), date(2026, 1, 20)),
        "end": st.none() | st.dates(date(2026, 1, 20), date(2026, 2, 10)),
    }
)
matters = st.builds(
    Facts, st.sampled_from(["leak", "noise", "power", "welfare"]), st.sampled_from(["grid", "city"]),
    st.just("general"), st.just("help"), st.frozensets(st.sampled_from(["水管", "水表"])),
)  # fmt: skip


def made(drawn: list[dict[str, object]]) -> Catalogue:
    fixed: dict[str, object] = {"version": 1, "lead": "某局", "level": "district", "support": ()}
    return Catalogue(
        "made",
        tuple(Row(line=number, number=str(number), **fixed, **row) for number, row in enumerate(drawn)),  # type: ignore[arg-type]
    )


@given(st.lists(conditions, max_size=8), matters, st.dates(date(2025, 12, 30), date(2026, 2, 15)))
def test_what_is_found_is_what_reading_all_rows_in_order_finds(
    drawn: list[dict[str, object]], matter: Facts, day: date
) -> None:
    catalogue = made(drawn)
    fitting = [
        row
        for row in catalogue.rows
        if row.start <= day <= (row.end or day)
        and (not row.category or matter.category in row.category)
        and (not row.tier or matter.tier in row.tier)
        and (not row.words or set(row.words) & matter.words)
    ]
    assert catalogue.find(matter, day) == (fitting[0] if fitting else None)
    assert list(catalogue.fitting(matter, day)) == fitting


@given(st.lists(conditions, max_size=8), matters)
def test_within_a_period_the_same_row_is_found(drawn: list[dict[str, object]], matter: Facts) -> None:
    catalogue = made(drawn)
    found: dict[int, Row | None] = {}
    for number in range(60):
        day = date(2025, 12, 25) + timedelta(days=number)
        row = catalogue.find(matter, day)
        assert found.setdefault(catalogue.period(day), row) is row


@pytest.mark.parametrize(
    ("cell", "categories"),
    [
        ("leak", ("leak",)),
        ("漏水渗水", ("leak",)),
        ("漏水渗水；noise", ("leak", "noise")),
        ("cjt214:0501", ("street_vending",)),
        ("yuncheng:0501", ("leak",)),
        ("yuncheng:0501；cjt214:0501；违章搭建", None),
        ("", ()),
    ],
)
def test_categories_are_codes_names_or_codes_of_a_city(
    tmp_path: Path, cell: str, categories: tuple[str, ...] | None
) -> None:
    if categories is None:
        with pytest.raises(RefusedData, match="第 2 行 不能使用：列“类别”：分类体系里没有 违章搭建"):
            read(tmp_path, {"类别": cell})
    else:
        assert read(tmp_path, {"类别": cell}).rows[0].category == categories


def test_every_name_of_a_category_may_stand_for_its_code(tmp_path: Path) -> None:
    catalogue = read(tmp_path, *({"类别": label.name} for label in TAXONOMY.labels("category")))
    assert [row.category for row in catalogue.rows] == [(code,) for code in TAXONOMY.codes("category")]


FAULTS = {
    "category": ({"类别": "leek"}, "类别", "分类体系里没有 leek"),
    "name of no category": ({"类别": "漏水；漏雨"}, "类别", "分类体系里没有 漏水"),
    "group of categories": ({"类别": "住房与物业"}, "类别", "分类体系里没有 住房与物业"),
    "city": ({"类别": "taiyuan:0501"}, "类别", "对照表里没有 taiyuan:0501"),
    "code of a city": ({"类别": "yuncheng:0402"}, "类别", "对照表里没有 yuncheng:0402"),
    "code without a category": ({"类别": "cjt214:0199"}, "类别", "对照表里没有 cjt214:0199"),
    "tier": ({"层级条件": "grid；village"}, "层级条件", "分类体系里没有 village"),
    "clock": ({"时限条件": "soon"}, "时限条件", "分类体系里没有 soon"),
    "type": ({"诉求条件": "cry"}, "诉求条件", "分类体系里没有 cry"),
    "tier laid down": ({"定层级": "village"}, "定层级", "分类体系里没有 village"),
    "clock laid down": ({"定时限": "soon"}, "定时限", "分类体系里没有 soon"),
    "level": ({"承办层级": "village"}, "承办层级", "分类体系里没有 village"),
    "no number": ({"编号": ""}, "编号", "不能空"),
    "no lead": ({"承办单位": " "}, "承办单位", "不能空"),
    "no version": ({"版本": ""}, "版本", "须是整数"),
    "version in words": ({"版本": "二"}, "版本", "须是整数"),
    "limit without a unit": ({"期限": "15"}, "期限", "“15”不是期限"),
    "limit in another unit": ({"期限": "2 周"}, "期限", "“2 周”不是期限"),
    "limit below nothing": ({"期限": "-2 小时"}, "期限", "“-2 小时”不是期限"),
    "no start": ({"生效": ""}, "生效", "须是日期"),
    "no such day": ({"生效": "2026-02-30"}, "生效", "须是日期"),
    "date in one": ({"生效": "20260101"}, "生效", "须是日期"),
    "date as Excel counts": ({"生效": "46023"}, "生效", "须是日期"),
    "nought for a date": ({"生效": "0"}, "生效", "须是日期"),
    "end that is no day": ({"失效": "2026-13-01"}, "失效", "须是日期"),
    "nought for an end": ({"生效": "1969-01-01", "失效": "0"}, "失效", "须是日期"),
    "date in words": ({"失效": "长期"}, "失效", "须是日期"),
    "end before start": ({"生效": "2026-05-02", "失效": "2026-05-01"}, "失效", "早于生效"),
}


@pytest.mark.parametrize(("cells", "column", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_by_line_and_column(tmp_path: Path, cells: dict[str, str], column: str, reason: str) -> None:
    with pytest.raises(RefusedData) as caught:
        read(tmp_path, {}, {}, cells, {})
    path = tmp_path / "catalogue.csv"
    assert str(caught.value).startswith(f"规则文件 {path} 第 4 行 不能使用：列“{column}”：{reason}")


def test_a_number_of_one_version_stands_once(tmp_path: Path) -> None:
    with pytest.raises(RefusedData) as caught:
        read(tmp_path, {"编号": "x"}, {}, {"编号": "x", "版本": "2"}, {"编号": "x"})
    path = tmp_path / "catalogue.csv"
    assert str(caught.value) == f"规则文件 {path} 第 5 行 不能使用：列“编号”：x 第 1 版在第 2 行已有"


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("失效", "失效日期", 1, "表头须是：编号,版本"),
        ("编号,版本", "版本,编号", 1, "表头须是：编号,版本"),
        ("2026-01-01,\n", "2026-01-01,,\n", 2, "有 18 列，应有 17 列"),
    ],
)
def test_a_table_of_another_shape_is_refused_by_its_line(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(csv({}).replace(old, new), encoding="utf-8")
    with pytest.raises(RefusedData) as caught:
        Catalogue.read(path, TAXONOMY, CROSSWALKS)
    assert str(caught.value).startswith(f"规则文件 {path} 第 {line} 行 不能使用：{reason}")


@pytest.mark.parametrize("text", ["", csv().replace("编号", "号"), csv({}).split("\n", 1)[1]])
def test_a_file_without_its_head_is_refused_and_not_an_empty_catalogue(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedData, match="第 1 行 不能使用：表头须是"):
        Catalogue.read(path, TAXONOMY, CROSSWALKS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_catalogue_of_excel_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_bytes(csv({"承办单位": "水务局", "协办单位": "物业；业委会"}).replace("\n", "\r\n").encode(encoding))
    row = Catalogue.read(path, TAXONOMY, CROSSWALKS).rows[0]
    assert (row.lead, row.support, row.line, row.start, row.end) == (
        "水务局", ("物业", "业委会"), 2, date(2026, 1, 1), None,
    )  # fmt: skip


def test_the_shipped_rows_pass_over_codes_that_an_office_has_not(tmp_path: Path) -> None:
    cells = {"类别": "leek；leak", "定层级": "village", "定时限": "soon"}
    row = read(tmp_path, cells, strict=False).rows[0]
    assert (row.set_tier, row.set_clock) == ("", "")
    assert row.holds(facts())


def planned(folder: Path, matter: Facts, *rows: dict[str, str], profile: str = "plain") -> Plan:
    """The plan of a matter under a catalogue of the office's own."""
    router = Router(replace(RULEBASE, catalogue=read(folder, *rows)))
    return router.plan(router.rules.profile(profile), matter, DAY)


def test_a_row_lays_down_tier_clock_and_limit(tmp_path: Path) -> None:
    plan = planned(
        tmp_path, facts("noise"), {"定层级": "district", "定时限": "complex", "期限": "20 工作日", "依据": "某法"}
    )
    assert (plan.facts.tier, plan.facts.clock) == ("district", "complex")
    assert str(plan.limit) == "20 工作日"
    assert plan.route.unit == "区县部门（某局）"
    assert plan.route.legal == "某法"
    assert "目录 a-1（第 1 版，第 2 行）" in plan.route.rule


def test_a_row_that_lays_down_nothing_leaves_tier_and_clock(tmp_path: Path) -> None:
    plan = planned(tmp_path, facts("noise", "city", "urgent"), {})
    assert (plan.facts.tier, plan.facts.clock, str(plan.limit)) == ("city", "urgent", "24 小时")


def test_a_matter_without_a_row_is_for_people(tmp_path: Path) -> None:
    plan = planned(tmp_path, facts("noise"), {"类别": "leak"})
    assert plan.row is None
    assert plan.route.unit == "街道"
    assert any("派单目录没有" in reason for reason in plan.reasons)


@pytest.mark.parametrize("profile", ["plain", "wenjiang", "beicai", "panlong", "jingdezhen", "putuo", "taicang"])
@pytest.mark.parametrize("tier", TAXONOMY.codes("tier"))
def test_no_row_brings_a_functional_matter_down_to_the_grassroots(tmp_path: Path, tier: str, profile: str) -> None:
    for low in ("grid", "community"):
        plan = planned(tmp_path, facts("finance", tier), {"类别": "finance", "定层级": low}, profile=profile)
        assert plan.facts.tier not in {"grid", "community"}, (tier, low)


@pytest.mark.parametrize("low", ["grid", "community", "street"])
@pytest.mark.parametrize("tier", ["grid", "district", "city"])
def test_no_row_brings_a_red_line_down(tmp_path: Path, tier: str, low: str) -> None:
    plan = planned(tmp_path, facts("gas_heating", tier, "emergency", redline="gas"), {"定层级": low})
    assert TAXONOMY.codes("tier").index(plan.facts.tier) >= TAXONOMY.codes("tier").index("district")


@pytest.mark.parametrize("clock", ["urgent", "general", "complex"])
@pytest.mark.parametrize("redline", ["gas", "fire", ""])
def test_a_red_line_and_an_emergency_keep_their_clock(tmp_path: Path, clock: str, redline: str) -> None:
    matter = facts("gas_heating", "grid", "emergency", redline=redline)
    plan = planned(tmp_path, matter, {"定时限": clock, "期限": "15 工作日"})
    assert plan.facts.clock == "emergency"
    assert plan.limit.running == timedelta(hours=2)


def test_the_lead_of_a_guard_goes_before_that_of_a_row_which_helps(tmp_path: Path) -> None:
    plan = planned(tmp_path, facts("fire_safety", "city", "emergency", redline="fire"), {"协办单位": "物业"})
    assert plan.route.unit == "市级部门（119 消防救援）"
    assert plan.route.support[:2] == ["某局", "物业"]
    assert "119 消防救援" in plan.route.notify


def test_no_row_takes_on_what_the_hotline_must_not_take(tmp_path: Path) -> None:
    matter = facts("labour_dispute", "district", words=frozenset({"法院已立案"}))
    plan = planned(tmp_path, matter, {"定层级": "grid", "定时限": "urgent", "期限": "1 小时"})
    assert plan.route.unit == "人民法院"
    assert plan.route.mode == "不予受理"
    assert any("不予受理" in reason for reason in plan.reasons)


def test_a_row_that_raises_the_clock_to_an_emergency_calls_its_guard(tmp_path: Path) -> None:
    plan = planned(tmp_path, facts("gas_heating", "grid", "general"), {"定时限": "emergency"})
    assert plan.facts.clock == "emergency"
    assert plan.facts.tier == "district"
    assert plan.limit.running == timedelta(hours=2)
    assert "燃气企业抢修" in plan.route.notify


def test_no_row_undoes_the_guard_of_a_profile(tmp_path: Path) -> None:
    """景德镇: enforcement and city management are never a community's, whatever the catalogue says."""
    for low in ("grid", "community"):
        plan = planned(tmp_path, facts("illegal_construction", "street"), {"定层级": low}, profile="jingdezhen")
        assert plan.facts.tier not in {"grid", "community"}
        plan = planned(tmp_path, facts("illegal_construction", "grid"), {"定层级": low}, profile="jingdezhen")
        assert plan.facts.tier not in {"grid", "community"}
