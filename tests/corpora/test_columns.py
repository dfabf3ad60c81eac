"""The columns of a table are named, known by their usual names, or guessed; what makes no sense is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from corpora.columns import choose
from corpora.options import named
from nlp.errors import InputError

HOTLINE = ["工单编号", "诉求标题", "诉求内容", "受理时间", "来电号码", "事发地址", "渠道", "一级分类", "二级分类",
           "承办单位", "办理期限", "回访"]  # fmt: skip


def test_the_columns_of_a_hotline_are_known() -> None:
    chosen = choose("a.csv", HOTLINE, [], {}, labels=False)
    assert chosen.headings == {
        "id": "工单编号", "title": "诉求标题", "text": "诉求内容", "time": "受理时间", "phone": "来电号码",
        "location": "事发地址", "channel": "渠道", "category": "一级分类/二级分类", "unit": "承办单位",
        "deadline": "办理期限",
    }  # fmt: skip
    assert not chosen.guessed


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["workordercode", "workordercontent", "place", "dispatchtime", "processlimited"], "workordercontent"),
        (["service_request_id", "Description", "address", "requested_datetime"], "Description"),
        ([" 内容 ", "编号"], " 内容 "),
    ],
)
def test_other_systems_and_odd_spaces_are_known_and_names_stay_as_they_are(names: list[str], text: str) -> None:
    assert choose("a", names, [], {}, labels=False).column("text") == text


def test_a_backlog_needs_no_labels_and_guesses_none() -> None:
    rows = [(number, f"第{number}栋楼道的灯坏了没有人修", ("甲类", "乙类")[number % 2]) for number in range(10)]
    chosen = choose("a", ["序", "说了什么", "哪一类"], rows, {}, labels=False)
    assert (chosen.roles, chosen.guessed) == ({"text": ("说了什么",)}, {"text"})
    assert chosen.shown() == "正文 ← 列『说了什么』（猜的，用 --text 可改）"
    learned = choose("a", ["序", "说了什么", "哪一类"], rows, {}, labels=True)
    assert (learned.column("category"), learned.guessed) == ("哪一类", {"text", "category"})


@pytest.mark.parametrize(
    ("names", "levels"),
    [
        (["内容", "二级分类", "一级分类"], ("一级分类", "二级分类")),
        (["内容", "诉求小类", "诉求大类", "诉求中类"], ("诉求大类", "诉求中类", "诉求小类")),
        (["内容", "小类", "大类"], ("大类", "小类")),
        (["内容", "问题大类名称", "问题小类名称"], ("问题大类名称", "问题小类名称")),
        (["内容", "诉求小类", "事件大类"], ("事件大类",)),
        (["内容", "小类"], ()),
    ],
)
def test_labels_may_stand_in_a_column_a_level(names: list[str], levels: tuple[str, ...]) -> None:
    assert choose("a", names, [], {}, labels=False).roles.get("category", ()) == levels


def test_rows_are_looked_at_only_where_names_say_nothing() -> None:
    def unread() -> Iterator[Sequence[str]]:
        raise AssertionError
        yield

    assert choose("a", ["内容"], unread(), {}, labels=False).column("text") == "内容"


def test_what_is_named_goes_first_and_short_rows_do_no_harm() -> None:
    given = named(text="说明", category=["大类", "小类"], type_=None, id_="号")
    assert given == {"text": ("说明",), "category": ("大类", "小类"), "id": ("号",)}
    chosen = choose("a", ["号", "内容", "说明", "大类", "小类", "编号"], [("1",)], given, labels=False)
    assert chosen.headings == {"text": "说明", "category": "大类/小类", "id": "号"}
    assert (
        choose("a", ["甲", "乙"], [("1",), ("2", "青石巷的路灯不亮了，请来看看")], {}, labels=False).column("text")
        == "乙"
    )


@pytest.mark.parametrize(
    ("names", "given", "told"),
    [
        (["甲", "乙"], {}, "找不到正文列"),
        (["内容"], {"title": "部门"}, r"没有列 部门（指定给 title）；有：内容"),
        (["内容", "题"], {"title": ["内容", "题"]}, "--title 只能指定一列"),
        (["内容", "题"], {"title": "题", "text": "题"}, "题 派了两个用处"),
        (["内容", "题", "内容 "], {}, "有两列都叫 内容"),
        (["", "", ""], {}, "找不到正文列"),
        ([f"c{number}" for number in range(10_000)], {}, "共 10000 列"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(names: list[str], given: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        choose("a.csv", names, [], given, labels=False)


def test_a_first_row_that_is_a_petition_is_no_head() -> None:
    names = ["1", "青石巷楼下的路灯一直不亮，请派人来修"]
    with pytest.raises(InputError, match="第一行像是一件工单"):
        choose("a.csv", names, [("2", "楼上漏水漏了半个月没有人管")], {}, labels=False)


def test_a_column_with_a_formula_without_value_is_refused_where_it_matters() -> None:
    chosen = choose("a.xlsx", ["内容", "序号"], [], {}, labels=False)
    chosen.refuse_formulas("a.xlsx", {"序号": "B2"})
    with pytest.raises(InputError, match="单元格 A7，列 内容"):
        chosen.refuse_formulas("a.xlsx", {"内容": "A7"})
