"""Places: found by name, by sound, by ending; joined to addresses, covered by units, apart from what is no place."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import corpora
from nlp.normalise import Normaliser
from nlp.place.area import NOWHERE, Area
from nlp.place.finder import Finder
from nlp.place.gazetteer import Gazetteer
from nlp.reader import Reader
from nlp.segment import open_segmenter

GAZETTEER = """名称,类型,别名,门牌,网格,社区,街道,区县
温江区,区县,,,,,,温江区
柳城街道,街道乡镇,,,,,柳城街道,温江区
航天社区,社区村,,,,航天社区,柳城街道,温江区
凤溪社区,社区村,,,,凤溪社区,柳城街道,温江区
航天路,道路,老航天路,1-99单,第3网格,航天社区,柳城街道,温江区
航天路,道路,老航天路,2-58双,第4网格,航天社区,柳城街道,温江区
凤溪大道,道路,,,第7网格,凤溪社区,柳城街道,温江区
丽景花园,小区,十三冶家属院,,第3网格,航天社区,柳城街道,温江区
珠江国际新城,小区,,,第7网格,凤溪社区,柳城街道,温江区
同心苑,小区,,,第5网格,航天社区,柳城街道,温江区
同心苑,小区,,,第8网格,凤溪社区,柳城街道,温江区
金座大厦,楼栋,,,第4网格,航天社区,柳城街道,温江区
区实验小学,场所,实小,,第7网格,凤溪社区,柳城街道,温江区
盛世广场,场所,,,第3网格,航天社区,柳城街道,温江区
圣世广场,场所,,,第4网格,航天社区,柳城街道,温江区
ＡＢ座天地,场所,,,第3网格,航天社区,柳城街道,温江区
東方劇院,场所,,,第3网格,航天社区,柳城街道,温江区
东方剧院,场所,,,第4网格,航天社区,柳城街道,温江区
一中  南校区,场所,,,第3网格,航天社区,柳城街道,温江区
"""
DISTRICT = Area(district="温江区")
STREET = Area("", "", "柳城街道", "温江区")
COMMUNITY = STREET._replace(community="航天社区")
THIRD, FOURTH = (COMMUNITY._replace(grid=grid) for grid in ("第3网格", "第4网格"))
OTHER = STREET._replace(community="凤溪社区")
SEVENTH = OTHER._replace(grid="第7网格")
EIGHTH = OTHER._replace(grid="第8网格")
NORMALISER, READER = Normaliser(), Reader()


class Seen(NamedTuple):
    """A place by its span in the text as sent."""

    start: int
    end: int
    text: str
    area: Area
    relation: str


class Places:
    """A finder that answers for texts as they are sent."""

    def __init__(self, gazetteer: Path) -> None:
        self._finder = Finder(Gazetteer.read(gazetteer), open_segmenter())

    def __call__(self, text: str, title: str = "") -> list[Seen]:
        return self.of([(title, text)])[0]

    def of(self, petitions: list[tuple[str, str]]) -> list[list[Seen]]:
        """The places of the text of each petition, read together."""
        sources = [field for petition in petitions for field in petition]
        texts = READER.fields(sources).texts
        seen: list[list[Seen]] = [[] for _ in petitions]
        for found in self._finder.find(texts):
            number = texts.field(found.start)
            start, end = texts.source(found.start, found.end)
            if number % 2:
                seen[number // 2].append(Seen(start, end, sources[number][start:end], found.area, found.relation))
        return seen


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    path = tmp_path_factory.mktemp("gazetteer") / "gazetteer.csv"
    path.write_text(GAZETTEER, encoding="utf-8")
    return Places(path)


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Without a gazetteer, as an office begins."""
    path = tmp_path_factory.mktemp("empty") / "gazetteer.csv"
    path.write_text(GAZETTEER.splitlines()[0], encoding="utf-8")
    return Places(path)


KNOWN = {
    # names as the gazetteer has them
    "航天路路灯坏了": ("航天路", COMMUNITY),
    "凤溪大道积水": ("凤溪大道", SEVENTH),
    "昨晚温江区停水": ("温江区", DISTRICT),
    "柳城街道停水": ("柳城街道", STREET),
    "航天社区停水": ("航天社区", COMMUNITY),
    "住在丽景花园": ("丽景花园", THIRD),
    # house numbers decide
    "航天路13号路灯坏了": ("航天路13号", THIRD),
    "航天路12号路灯坏了": ("航天路12号", FOURTH),
    "航天路200号路灯坏了": ("航天路200号", COMMUNITY),
    "航天路12-1号路灯坏了": ("航天路12-1号", FOURTH),
    "航天路12号锦绣花园3栋停电": ("航天路12号锦绣花园3栋", FOURTH),  # of the last name that is known
    # other names
    "老航天路12号积水": ("老航天路12号", FOURTH),
    "十三冶家属院漏水": ("十三冶家属院", THIRD),
    "实小放学堵车": ("实小", SEVENTH),
    # misheard: n/l, zh/z, ng/n, other characters of one sound
    "杭天路13号积水": ("杭天路13号", THIRD),
    "风溪大道积水": ("风溪大道", SEVENTH),
    "凤西大道积水": ("凤西大道", SEVENTH),
    "珠江国记新城停电": ("珠江国记新城", SEVENTH),
    "租江国际新城停电": ("租江国际新城", SEVENTH),
    "金座大沙停电": ("金座大沙", FOURTH),
    "剩世广场停电": ("剩世广场", COMMUNITY),  # heard alike, two may be meant
    "盛世广场停电": ("盛世广场", THIRD),  # written as one of them
    # shortened before a number
    "丽景3栋停电": ("丽景3栋", THIRD),
    "珠江国际3栋停电": ("珠江国际3栋", SEVENTH),
    "国际新城3栋停电": ("国际新城3栋", SEVENTH),
    # of one name several places
    "同心苑停水": ("同心苑", STREET),
    "温江区同心苑停水": ("温江区同心苑", STREET),
    "凤溪社区同心苑停水": ("凤溪社区同心苑", EIGHTH),
    "东方剧院门前积水": ("东方剧院", COMMUNITY),
    # other ways to write
    "麗景花園3棟停電": ("麗景花園3棟", THIRD),
    "航天路１３号停水": ("航天路１３号", THIRD),
    "航天\u200b路1\u200b3号停水": ("航天\u200b路1\u200b3号", THIRD),
    "ab座天地停水": ("ab座天地", THIRD),
    "一中  南校区停水": ("一中  南校区", THIRD),
    "一中 南校区停水": ("一中 南校区", THIRD),
    # joined, from the district down to the building
    "温江区柳城街道航天社区航天路12号丽景花园3栋2单元停水": (
        "温江区柳城街道航天社区航天路12号丽景花园3栋2单元",
        THIRD,
    ),
    "温江区航天路3号停水": ("温江区航天路3号", THIRD),
    "凤溪社区锦绣花园3栋停水": ("凤溪社区锦绣花园3栋", OTHER),
    "丽景花园3栋2单元501室漏水": ("丽景花园3栋2单元", THIRD),
    "丽景花园3栋2单元5楼漏水": ("丽景花园3栋2单元", THIRD),
    "丽景花园二期3栋漏水": ("丽景花园二期3栋", THIRD),
    "凤溪大道88弄5号漏水": ("凤溪大道88弄5号", SEVENTH),
    # crossings
    "航天路与凤溪大道交叉口红灯不亮": ("航天路与凤溪大道交叉口", STREET),
    "航天路和凤溪大道的交汇处红灯不亮": ("航天路和凤溪大道的交汇处", STREET),
    "航天路、凤溪大道路口红灯不亮": ("航天路、凤溪大道路口", STREET),
    "航天路凤溪大道交叉口红灯不亮": ("航天路凤溪大道交叉口", STREET),
}


@pytest.mark.parametrize(("text", "expected"), KNOWN.items(), ids=KNOWN)
def test_a_known_place_has_its_span_and_its_units(places: Places, text: str, expected: tuple[str, Area]) -> None:
    assert [(place.text, place.area) for place in places(text)] == [expected]


UNKNOWN = {
    "金桂路坑洼不平": "金桂路",
    "中山路12号门前积水": "中山路12号",
    "解放大道堵车": "解放大道",
    "芙蓉小区停电": "芙蓉小区",
    "锦绣花园3栋2单元电梯坏了": "锦绣花园3栋2单元",
    "龙泉镇停水": "龙泉镇",
    "王家湾村3组路灯不亮": "王家湾村3组",
    "星光幼儿园乱收费": "星光幼儿园",
    "梧桐里5号门前积水": "梧桐里5号",
    "锦绣花园广场停水": "锦绣花园广场",
    "金桂路和银杏街交叉口红灯不亮": "金桂路和银杏街交叉口",
}


@pytest.mark.parametrize(("text", "expected"), UNKNOWN.items(), ids=UNKNOWN)
def test_an_unknown_place_is_known_by_its_ending(places: Places, nowhere: Places, text: str, expected: str) -> None:
    for finder in (places, nowhere):
        assert [(place.text, place.area) for place in finder(text)] == [(expected, NOWHERE)]


@pytest.mark.parametrize(
    "text",
    [
        "航天社区居委会不管",
        "航天社区工作人员态度差",
        "航天社区的人说不归他们管",
        "柳城街道办事处推诿",
        "柳城街道办推诿",
        "柳城街道办不管",
        "温江区政府答复不清",
        "温江区城管不管",
        "丽景花园物业公司乱收费",
        "丽景花园的物业不管",
        "龙泉镇政府不管",
    ],
)
def test_an_office_or_a_firm_is_no_place(places: Places, text: str) -> None:
    assert places(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "这条路太烂",
        "水泥路修好了",
        "农贸市场太脏",
        "消防通道被堵",
        "乡村公路坏了",
        "老旧小区改造",
        "我们小区停水",
        "幼儿园招生不公",
        "公立医院挂号难",
        "出门没有路",
        "公路局不管",
        "社区医院太小",
        "城中村改造",
        "住在梧桐里很久了",
        "一条大街都是摊子",
        "珠江的水很脏",  # shortened without a number
        "国际新闻",
        "5号楼电梯坏了",
        "501室漏水",
        "",
        "路",
        "号",
        "\ud800\udfff",
    ],
)
def test_a_word_of_the_language_is_no_place(places: Places, nowhere: Places, text: str) -> None:
    assert places(text) == nowhere(text) == []


@pytest.mark.parametrize("text", ["三西达道积水", "奉西达道积水", "同新院停水"])
def test_what_is_heard_alike_but_written_too_differently_is_not_known(places: Places, text: str) -> None:
    assert all(place.area == NOWHERE for place in places(text))


RELATIONS = {
    "丽景花园有人烧烤": "",
    "丽景花园对面有人烧烤": "对面",
    "丽景花园斜对面有人烧烤": "斜对面",
    "丽景花园的后门有人烧烤": "后门",
    "丽景花园3栋楼下有人烧烤": "楼下",
    "航天路12号门口有人烧烤": "门口",
    "航天路与凤溪大道交叉口附近有人烧烤": "附近",
    "金桂路两侧有人烧烤": "两侧",
}


@pytest.mark.parametrize(("text", "relation"), RELATIONS.items(), ids=RELATIONS)
def test_how_what_is_meant_stands_to_a_place_is_told_and_not_quoted(places: Places, text: str, relation: str) -> None:
    (place,) = places(text)
    assert place.relation == relation
    assert not relation or not place.text.endswith(relation)


def test_several_places_come_in_the_order_of_the_text(places: Places) -> None:
    found = places("从凤溪大道到丽景花园，再到芙蓉小区，路灯都不亮")
    assert [place.text for place in found] == ["凤溪大道", "丽景花园", "芙蓉小区"]
    assert [place.area for place in found] == [SEVENTH, THIRD, NOWHERE]


PIECES = [
    "温江区", "柳城街道", "航天社区", "航天路", "杭天路", "凤溪大道", "丽景花园", "丽景", "同心苑", "锦绣花园",
    "芙蓉小区", "广场", "市场", "金桂路", "银杏街", "中学", "12号", "１３号", "3栋", "2单元", "501室", "交叉口",
    "与", "的", "对面", "居委会", "，", "。", " ", "\n", "\u200b", "\u0301", "😀", "\ud800", "麗景花園", "㍿", "<b>",
    "&nbsp;", "在", "漏水", "13812345678", "！！", "我叫王小明", "希望解决",
]  # fmt: skip
mixed = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=12).map("".join)


@settings(max_examples=300)
@given(mixed)
@example("麗景\u200b花園３棟")
@example("\ud800航天路1\u03012号😀")
def test_a_span_of_the_source_reads_as_what_was_found(places: Places, text: str) -> None:
    texts = READER.fields(["", text]).texts
    for found in places._finder.find(texts):
        start, end = texts.source(found.start, found.end)
        assert 0 <= start < end <= len(text)
        if texts.plain[found.start : found.end].all():
            assert NORMALISER.clean([text[start:end]])[0].strings[0] == texts.whole[found.start : found.end]


@settings(max_examples=300)
@given(mixed)
@example("锦绣花园广场")
def test_places_stand_in_order_and_apart(places: Places, text: str) -> None:
    assert all(one.end <= other.start for one, other in pairwise(places(text)))


@settings(max_examples=150)
@given(st.lists(st.tuples(mixed, mixed), max_size=4))
@example([("航天路", "12号"), ("", "丽景"), ("", "3栋花园")])
@example([("", "丽景"), ("中学", "")])
def test_places_are_the_same_alone_and_in_a_batch(places: Places, petitions: list[tuple[str, str]]) -> None:
    assert places.of(petitions) == [places(text, title) for title, text in petitions]


SETS = Path(corpora.__file__).parent / "places"


@cache
def marked(name: str) -> list[dict[str, Any]]:
    lines = (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def totals(name: str) -> Counter[str]:
    """Over a marked set: what is marked, found, right by overlap and by span, and of the latter with its unit."""
    rows = marked(name)
    total: Counter[str] = Counter()
    for gazetteer in sorted({row["gazetteer"] for row in rows}):
        here = [row for row in rows if row["gazetteer"] == gazetteer]
        found = Places(SETS / f"{gazetteer}.csv").of([(row["title"], row["text"]) for row in here])
        for row, seen in zip(here, found, strict=True):
            units = {(place.start, place.end): place.area.unit for place in seen}
            there = {(place["start"], place["end"]): place["unit"] for place in row["places"]}
            total["found"] += len(units)
            total["marked"] += len(there)
            total["found rightly"] += sum(any(overlap(one, other) for other in there) for one in units)
            total["marked and found"] += sum(any(overlap(one, other) for other in units) for one in there)
            total["exact"] += len(units.keys() & there.keys())
            total["exact with its unit"] += sum(units.get(span) == unit for span, unit in there.items())
    return total


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@pytest.mark.parametrize(("name", "size"), [("open", 400), ("kept", 300)])
def test_the_marks_of_a_set_quote_its_texts(name: str, size: int) -> None:
    rows = marked(name)
    wrong = [row["id"] for row in rows if any(row["text"][p["start"] : p["end"]] != p["text"] for p in row["places"])]
    assert len(rows) == len({row["id"] for row in rows}) == size
    assert wrong == []


def test_no_text_is_in_both_sets() -> None:
    assert {row["text"] for row in marked("open")}.isdisjoint(row["text"] for row in marked("kept"))
    assert {row["gazetteer"] for row in marked("open")}.isdisjoint(row["gazetteer"] for row in marked("kept"))


def test_of_the_places_found_in_the_kept_set_hardly_any_is_none() -> None:
    total = totals("kept")
    assert total["found rightly"] / total["found"] >= 0.95, total


def test_most_places_of_the_kept_set_are_found() -> None:
    total = totals("kept")
    assert total["marked and found"] / total["marked"] >= 0.85, total


def test_most_spans_of_the_kept_set_are_exact_and_have_their_unit() -> None:
    total = totals("kept")
    assert total["exact"] / total["found"] >= 0.90, total
    assert total["exact"] / total["marked"] >= 0.85, total
    assert total["exact with its unit"] / total["exact"] >= 0.95, total
