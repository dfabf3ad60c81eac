"""Read: titles and texts folded, masked and stripped in one way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.petitions import Row
from nlp.petition import Petition
from nlp.reader import READ_AT_MOST, Reader

READER = Reader()
fields = st.lists(st.lists(st.characters(), max_size=20).map("".join), min_size=2, max_size=6).filter(
    lambda f: len(f) % 2 == 0
)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what never ends; what is linear takes a small part of this."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_titles_and_texts_stand_in_turn() -> None:
    reading = READER.read([Petition("1", "漏水", "标题甲"), Petition("2", "停电")])
    assert reading.sources == ["标题甲", "漏水", "", "停电"]
    assert reading.texts.strings == ["标题甲", "漏水", "", "停电"]


def test_a_name_in_a_phrase_that_is_stripped_is_still_masked() -> None:
    reading = READER.fields(["", "王小明女士来电反映：楼顶漏水，请李强先生核实处理，谢谢！"])
    assert reading.masked(1) == "[姓名]女士来电反映：楼顶漏水，请[姓名]先生核实处理，谢谢！"
    assert reading.texts.strings[1].startswith("楼顶漏水")


def test_the_masked_field_is_the_field_as_sent_but_for_what_was_hidden() -> None:
    reading = READER.fields(["臺灣路　漏水！！", "<p>電話：１３８１２３４５６７８</p>。\n第二段"])
    assert reading.masked(0) == "臺灣路　漏水！！"
    assert reading.masked(1) == " 電話：[手机号] 。\n第二段"


def test_lone_surrogates_leave_as_the_replacement_character() -> None:
    assert READER.fields(["", "漏\ud800水13812345678\udfff"]).masked(1) == "漏\ufffd水[手机号]\ufffd"


@given(fields)
def test_every_field_can_be_read_and_stored(sources: list[str]) -> None:
    reading = READER.fields(sources)
    assert len(reading.texts) == len(sources)
    assert all(reading.masked(number).encode() for number, source in enumerate(sources) if source)


@given(fields)
def test_a_field_is_read_alike_alone_and_in_a_batch(sources: list[str]) -> None:
    reading = READER.fields(sources)
    alone = [READER.fields(["", source]) for source in sources]
    assert reading.texts.strings == [one.texts.strings[1] for one in alone]
    assert [reading.masked(n) for n in range(len(sources))] == [one.masked(1) for one in alone]


def test_the_project_s_petitions_are_read_alike_alone_and_in_a_batch(petitions: list[Row]) -> None:
    several = [Petition(row.id, row.text, row.title) for row in petitions]
    alone = [text for petition in several for text in READER.read([petition]).texts.strings]
    assert READER.read(several).texts.strings == alone


def test_of_a_long_text_the_head_is_read_and_everything_is_masked() -> None:
    reading = READER.fields(["", "漏水" * READ_AT_MOST + "，电话13812345678"])
    assert len(reading.texts.strings[1]) == READ_AT_MOST
    assert reading.masked(1).endswith("，电话[手机号]")


@pytest.mark.parametrize(
    "piece",
    [
        "漏水",
        "你好，",
        "您好",
        "反映：",
        "请处理.",
        "，谢谢",
        "@啊",
        "a@",
        "a.b@",
        "a@b.",
        "<a ",
        "<!--",
        "<!-- ",
        "<b>",
        "&lt;",
        "&#",
        "138",
        "1 ",
        "1-",
        "1234 ",
        "话1 2",
        "先生",
        "王先生",
        "我叫",
        "微信",
        "川A",
        "\u200b",
        "...",
    ],
)
def test_a_field_of_one_piece_a_hundred_thousand_characters_long_is_read(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    with at_most(seconds=3):
        reading = READER.fields(["", text])
    assert len(reading.texts.strings[1]) <= READ_AT_MOST
