"""Crosswalks: codes of a city's management system to and from the categories."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.petitions import default_taxonomy
from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.route.crosswalk import Crosswalk
from nlp.taxonomy import Taxonomy

TAXONOMY = default_taxonomy()
CJT214 = Crosswalk.read(RULES / "crosswalks/cjt214.csv", TAXONOMY)
YUNCHENG = Crosswalk.read(RULES / "crosswalks/yuncheng.csv", TAXONOMY)
BOTH = {"cjt214": CJT214, "yuncheng": YUNCHENG}

# city-codes.md, “Older CJ/T order, sub-classes”.
CLASSES = {
    "01 市容环境": (
        "01 私搭乱建 02 暴露垃圾 03 积存垃圾渣土 04 道路不洁 05 水域不洁 06 绿地脏乱 07 废弃车辆 08 废弃家具设施 "
        "09 非装饰性树挂 10 道路破损 11 河堤破损 12 道路遗撒 13 建筑物外立面不洁 14 水域秩序 15 焚烧树叶垃圾 "
        "16 油烟污染 17 动物尸体 18 私自饲养家禽家畜 99 其他"
    ),
    "02 宣传广告": "01 非法小广告 02 违章张贴悬挂广告牌匾 03 占道广告牌 04 街头散发广告 05 广告招牌破损",
    "03 施工管理": "01 施工扰民 02 工地扬尘 03 施工废弃料 04 施工占道 05 无证掘路 99 其他",
    "04 突发事件": (
        "01 路面塌陷 02 自来水管破裂 03 燃气管道破裂 04 下水道堵塞或破损 05 热力管道破裂 06 道路积水 "
        "07 道路积雪结冰 08 架空线缆损坏 09 群发性事件 99 其他"
    ),
    "05 街面秩序": (
        "01 无照经营游商 02 流浪乞讨 03 占道废品收购 04 店外经营 05 机动车乱停放 06 非机动车乱停放 07 乱堆物堆料 "
        "08 商业噪音 09 黑车拉客 10 露天烧烤 11 沿街晾挂 12 非法出版物销售 13 空调室外机低挂 99 其他"
    ),
}
# city-codes.md, “Yuncheng limits (examples)”.
EXAMPLES = {
    "0101": "私搭乱建", "0110": "暴露生活垃圾", "0301": "施工扰民", "0401": "无照经营游商", "0405": "店外经营",
    "0406": "占道经营", "0496": "占用消防通道", "0501": "供水管道破裂", "0502": "燃气管道破裂",
    "0504": "热力管道破裂", "0505": "路面塌陷",
}  # fmt: skip


def test_cjt214_holds_exactly_the_codes_of_the_reference_with_their_names() -> None:
    expected = {}
    for major, minors in CLASSES.items():
        code, kind = major.split()
        words = minors.split()
        for minor, name in zip(words[::2], words[1::2], strict=True):
            expected[code + minor] = name + kind if name == "其他" else name
    assert len(expected) == 54
    assert {event.code: event.name for event in CJT214.events} == expected


def test_yuncheng_holds_exactly_the_examples_of_the_reference() -> None:
    assert {event.code: event.name for event in YUNCHENG.events} == EXAMPLES


@pytest.mark.parametrize(
    ("code", "cjt214", "yuncheng"),
    [
        ("0501", "street_vending", "leak"),
        ("0401", "road_maintenance", "street_vending"),
        ("0502", "welfare", "gas_heating"),
        ("0504", "street_vending", "gas_heating"),
        ("0505", "illegal_parking", "road_maintenance"),
        ("0405", "gas_heating", "street_vending"),
        ("0406", "water_drainage", "street_vending"),
        ("0110", "road_maintenance", "sanitation"),
        ("0101", "illegal_construction", "illegal_construction"),
        ("0301", "construction_nuisance", "construction_nuisance"),
    ],
)
def test_a_code_means_what_its_city_says(code: str, cjt214: str, yuncheng: str) -> None:
    assert (CJT214.category(code), YUNCHENG.category(code)) == (cjt214, yuncheng)


@pytest.mark.parametrize(
    ("category", "cjt214", "yuncheng"),
    [
        ("leak", "0402", "0501"),
        ("street_vending", "0501", "0406"),
        ("gas_heating", "0403", "0502"),
        ("illegal_construction", "0101", "0101"),
        ("sanitation", "0102", "0110"),
    ],
)
def test_a_category_is_sent_by_the_main_code_of_the_city(category: str, cjt214: str, yuncheng: str) -> None:
    sent = [crosswalk.event(category) for crosswalk in (CJT214, YUNCHENG)]
    assert [event.code for event in sent if event] == [cjt214, yuncheng]


@pytest.mark.parametrize("name", BOTH)
def test_every_category_of_a_table_has_one_main_code_that_leads_back_to_it(name: str) -> None:
    crosswalk = BOTH[name]
    for category in {event.category for event in crosswalk.events if event.category}:
        assert len([event for event in crosswalk.events if event.category == category and event.main]) == 1
        sent = crosswalk.event(category)
        assert sent is not None
        assert sent.main
        assert crosswalk.category(sent.code) == category


@pytest.mark.parametrize("name", BOTH)
def test_every_code_is_answered_or_reported(name: str) -> None:
    crosswalk = BOTH[name]
    codes = [event.code for event in crosswalk.events]
    assert crosswalk.unmapped(codes) == [code for code in codes if not crosswalk.category(code)]
    assert all(crosswalk.category(code) in {"", *TAXONOMY.codes("category")} for code in codes)


def test_codes_without_a_category_are_reported_never_guessed() -> None:
    assert CJT214.unmapped(["0101", "0199", "9999", "0111", "", "101", "0102 "]) == [
        "0199",
        "9999",
        "0111",
        "",
        "101",
        "0102 ",
    ]
    assert YUNCHENG.unmapped(["0501", "0402", "0105"]) == ["0402", "0105"]
    assert CJT214.category("9999") == ""
    assert all(code.endswith("99") for code in CJT214.unmapped(f"{major}99" for major in ("01", "03", "04", "05")))


def test_categories_that_a_city_has_no_code_for_are_reported() -> None:
    codes = TAXONOMY.codes("category")
    unsent = CJT214.unsent(codes)
    assert set(unsent) == set(codes) - {event.category for event in CJT214.events}
    assert "social_insurance" in unsent
    assert "leak" not in unsent
    assert all(CJT214.event(category) is None for category in unsent)
    assert YUNCHENG.unsent(["noise", "leak", "nowhere"]) == ["noise", "nowhere"]


HEAD = "编码,名称,类别,主\n"


def read(folder: Path, text: str, *, strict: bool = True, taxonomy: Taxonomy = TAXONOMY) -> Crosswalk:
    path = folder / "mine.csv"
    path.write_text(HEAD + text, encoding="utf-8")
    return Crosswalk.read(path, taxonomy, strict=strict)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("01,甲,leak,是\n02,乙,noise,\n01,丙,power,\n", 4, "列“编码”：01：空或重复"),
        ("01,甲,leak,是\n\n,乙,noise,\n", 4, "列“编码”：空：空或重复"),
        ("01,甲,leak,是\n02,乙,leek,\n", 3, "列“类别”：分类体系里没有 leek"),
        ("01,甲,leak,是\n02,乙,leak,是\n", 3, "列“主”：leak 已有主编码"),
        ("01,甲,leak\n", 2, "有 3 列，应有 4 列"),
    ],
)
def test_a_broken_table_is_refused_by_line_and_column(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(RefusedData) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"规则文件 {tmp_path / 'mine.csv'} 第 {line} 行 不能使用：{reason}"


def test_a_shipped_table_may_hold_categories_that_an_office_has_not(tmp_path: Path) -> None:
    crosswalk = read(tmp_path, "01,甲,leek,是\n02,乙,leak,是\n", strict=False)
    assert crosswalk.category("02") == "leak"
    assert crosswalk.name == "mine"


def test_the_main_code_is_sent_wherever_it_stands(tmp_path: Path) -> None:
    for text in ("01,甲,leak,是\n02,乙,leak,\n", "02,乙,leak,\n01,甲,leak,是\n"):
        event = read(tmp_path, text).event("leak")
        assert event is not None
        assert event.code == "01"


@given(st.lists(st.tuples(st.sampled_from(["leak", "noise", "power", ""]), st.booleans()), max_size=12))
def test_what_is_sent_leads_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, bool]]) -> None:
    sent: set[str] = set()
    lines = []
    for number, (category, main) in enumerate(rows):
        lines.append(f"{number:04},名,{category},{'是' if main and category and category not in sent else ''}\n")
        sent |= {category} if main else set()
    crosswalk = read(tmp_path_factory.getbasetemp(), "".join(lines))
    for category in ("leak", "noise", "power"):
        event = crosswalk.event(category)
        assert (event is None) == all(other != category for other, _ in rows)
        assert event is None or crosswalk.category(event.code) == category
        assert event is None or event.main or all(not main for other, main in rows if other == category)
