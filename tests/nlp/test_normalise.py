"""Normalise: one form, found again in the source, and found once only."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.folding import folding
from nlp.normalise import Normaliser
from nlp.text import NEWLINE, Texts

PIECES = [
    "<b>",
    "</p>",
    "<a href='x'>",
    "<br/>",
    "<",
    ">",
    "&",
    "&nbsp;",
    "&lt;",
    "&gt;",
    "&#60;",
    "&amp;",
    "<!-- x -->",
    "臺灣",
    "鷹",
    "乾",
    "...",
    "……",
    "！！",
    "　",
    " ",
    "\n",
    "\u200b",
    "\ud800",
    "\udfff",
    "\x00",
    "e\u0301",
    "㎡",
    "①",
    "市民来电反映：",
    "您好，",
    "请住建局核实处理，",
    "谢谢！",
    "漏水",
    "请尽快处理",
    "反映:",
    "[姓名]女士来电",
]
hostile = st.lists(st.one_of(st.characters(), st.sampled_from(PIECES)), max_size=20).map("".join)
several = st.lists(hostile, min_size=1, max_size=4)
normaliser = Normaliser()


def cleaned(*sources: str) -> Texts:
    return normaliser.clean(sources)[0]


def stripped(source: str) -> str:
    return normaliser.strip(cleaned(source)).strings[0]


@given(several)
def test_cleaning_twice_changes_nothing(sources: list[str]) -> None:
    once = cleaned(*sources).strings
    assert cleaned(*once).strings == once


@given(several)
def test_stripping_twice_changes_nothing(sources: list[str]) -> None:
    once = normaliser.strip(cleaned(*sources))
    assert normaliser.strip(once).strings == once.strings
    assert normaliser.strip(cleaned(*once.strings)).strings == once.strings


@given(several)
def test_a_text_is_normalised_alike_alone_and_in_a_batch(sources: list[str]) -> None:
    assert normaliser.strip(cleaned(*sources)).strings == [stripped(source) for source in sources]


@given(several)
@example(["<b>漏</b>", "", "㎡&nbsp;市"])
def test_every_code_point_stands_for_a_span_of_its_source(sources: list[str]) -> None:
    texts = normaliser.strip(cleaned(*sources))
    for number, source in enumerate(sources):
        first, last = texts.bounds[number], texts.bounds[number + 1] - 1
        start, end = texts.start[first:last], texts.end[first:last]
        assert ((start >= 0) & (start < end) & (end <= len(source))).all()
        assert (start[1:] >= start[:-1]).all()
        assert (end[1:] >= end[:-1]).all()


@given(several)
def test_a_plain_code_point_is_what_its_source_folds_to(sources: list[str]) -> None:
    table, texts = folding(), cleaned(*sources)
    for position in range(len(texts.codes)):
        if texts.plain[position] and texts.codes[position] != NEWLINE:
            character = sources[texts.field(position)][texts.start[position]]
            assert table.first[ord(character)] == texts.codes[position]


@given(several)
@example(["漏水<b", ">停电"])  # markup does not reach from one petition into the next
@example(["漏水<!", "-- 停电 -->"])
def test_there_are_as_many_texts_as_sources(sources: list[str]) -> None:
    texts = cleaned(*sources)
    assert len(texts) == len(texts.strings) == len(sources)
    assert (texts.codes == NEWLINE).sum() == len(sources)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("臺灣的鷹", "台湾的鹰"),
        ("漏\u200b水\x07了", "漏水了"),
        ("漏水！！！", "漏水!"),
        ("漏水……", "漏水."),
        ("怎么办？！？！", "怎么办?!?!"),
        ("　　第一段\n\n  第二段  ", "第一段 第二段"),
        ("\ud800漏", "\ufffd漏"),
        ("", ""),
        ("\u200b\u200b", ""),
    ],
)
def test_many_writings_have_one_form(source: str, result: str) -> None:
    assert cleaned(source).strings == [result]


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("<p>漏水</p>", "漏水"),
        ("<a href='http://x'>漏水</a>", "漏水"),
        ("漏水<br/>严重", "漏水 严重"),
        ("<b\u200b>漏水</b>", "漏水"),
        ("漏水&nbsp;严重", "漏水 严重"),
        ("漏水&#12290;严重", "漏水 严重"),
        ("漏水&#x3002;严重", "漏水 严重"),
        ("＜ｂ＞漏水＜／ｂ＞", "漏水"),
        ("漏水<!-- 内部备注 -->严重", "漏水 严重"),
    ],
)
def test_remains_of_markup_go(source: str, result: str) -> None:
    assert cleaned(source).strings == [result]


@pytest.mark.parametrize("text", ["3<5且5>3", "水费<300元", "a&b", "温度>30度<40度"])
def test_signs_that_are_no_markup_stay(text: str) -> None:
    assert cleaned(text).strings == [text]


@pytest.mark.parametrize(
    "opening",
    [
        "市民来电反映：",
        "热心市民来电反映：",
        "来电人反映，",
        "群众来电称：",
        "居民来信反映:",
        "反映：",
        "诉求人表示，",
        "您好，",
        "你好！",
        "诉求内容：",
        "市民来电反映如下：",
        "市民反映以下问题：",
        "您好，市民来电反映：",
    ],
)
def test_the_hotline_s_opening_phrases_go(opening: str) -> None:
    assert stripped(opening + "三单元楼顶漏水") == "三单元楼顶漏水"


@pytest.mark.parametrize("separator", ["，", "。", "！", "；", " "])
@pytest.mark.parametrize(
    "closing",
    [
        "请住建局核实处理，谢谢！",
        "请住建局核实处理。",
        "望相关部门尽快处理。谢谢",
        "希望市水务局尽快解决。",
        "请尽快处理",
        "谢谢！",
        "恳请街道办协调解决，谢谢！",
        "请核实处理。",
        "感谢您！",
        "请供电公司调查处理为盼。",
    ],
)
def test_the_hotline_s_closing_phrases_go(separator: str, closing: str) -> None:
    assert stripped(f"三单元楼顶漏水{separator}{closing}").rstrip(",。!; ") == "三单元楼顶漏水"


@pytest.mark.parametrize(
    "text", ["楼顶漏水,反映过多次没有人管", "请了三个师傅都没修好", "谢谢大家帮忙但还是漏水", "住建局说不归他们管"]
)
def test_phrases_inside_a_petition_stay(text: str) -> None:
    assert stripped(text) == text


@pytest.mark.parametrize("phrase", ["您好，", "反映：", "谢谢！"])
def test_a_petition_of_phrases_alone_is_short_or_empty(phrase: str) -> None:
    assert len(stripped(phrase * 3)) <= len(phrase)


def test_what_was_taken_out_is_noted_in_the_source() -> None:
    _, removed = normaliser.clean(["", "漏<b>水"])
    assert {number: [tuple(edit) for edit in edits] for number, edits in removed.items()} == {1: [(1, 4, " ")]}
