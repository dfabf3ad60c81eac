from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.calls.call import MOST_CHARACTERS, MOST_TURNS, Call, CallTooLong
from serving.calls.seams import Seams
from serving.calls.settling import Told
from serving.calls.turns import TurnIn

SEAMS = Seams()
EMPTY = Call("01JDCS0000000000000000000A", 0)


def said(text: str, number: int | None = None, speaker: str = "市民", *, final: bool = True) -> TurnIn:
    return TurnIn.model_validate({"speaker": speaker, "text": text, "number": number, "final": final})


def heard(call: Call, *turns: TurnIn) -> Call:
    return call.heard(turns, SEAMS)


def test_turns_are_kept_by_number_and_appended_without() -> None:
    call = heard(EMPTY, said("漏水", 5), said("喂", 2), said("三天了"), said("好的", speaker="坐席"))
    assert [(turn.number, turn.text, turn.caller) for turn in call.turns] == [
        (2, "喂", True), (5, "漏水", True), (6, "三天了", True), (7, "", False),
    ]  # fmt: skip
    assert call.transcript() == "喂 漏水 三天了"
    assert call.transcript(5) == "喂 漏水"


def test_a_partial_turn_gives_way_to_a_later_one_but_not_the_other_way() -> None:
    call = heard(EMPTY, said("我家", 1, final=False))
    call = heard(call, said("我家漏", 1, final=False))
    assert call.transcript() == "我家漏"
    call = heard(call, said("我家漏水了", 1))
    assert heard(call, said("我家漏", 1, final=False)) == call
    assert heard(call, said("我家没漏水", 1)).transcript() == "我家没漏水"


def test_the_operator_is_not_kept() -> None:
    call = heard(EMPTY, said("您的电话是13812345678吗", 1, "operator"), said("对", 2, "citizen"))
    assert "138" not in repr(call)
    assert call.transcript() == "对"


def test_answers_to_other_words_are_forgotten() -> None:
    call = heard(EMPTY, said("漏水", 1), said("三天", 2), said("没人管", 3))
    call = Call(call.decision_id, 0, call.turns, tuple(Told(turn, "leak", 0.9) for turn in (1, 2, 3)))
    assert [one.turn for one in heard(call, said("四天", 2)).told] == [1]
    assert heard(call, said("三天", 2)) == call  # the same again
    assert len(heard(call, said("对", 4)).told) == 3


def test_a_number_over_three_turns_is_not_kept_in_the_bytes() -> None:
    call = EMPTY
    for number, text in enumerate(["我电话138", "1234", "5678"]):
        call = heard(Call.opened(call.packed), said(text, number))
    assert call.transcript() == "我电话[号码] [号码] [号码]"


def test_limits() -> None:
    full = heard(EMPTY, *(said("a", number) for number in range(MOST_TURNS)))
    assert heard(full, said("b", 0)).turns[0].text == "b"
    with pytest.raises(CallTooLong):
        heard(full, said("b"))
    with pytest.raises(CallTooLong):
        heard(EMPTY, said("漏" * (MOST_CHARACTERS + 1), 1))
    assert heard(EMPTY, said("漏" * MOST_CHARACTERS, 1)).turns


def test_a_closed_call_knows_its_turns_and_no_words() -> None:
    call = heard(EMPTY, said("漏水", 1)).closed()
    assert call.ended
    assert call.transcript() == ""
    assert not call.lacks([said("漏水", 1)])
    assert call.lacks([said("漏水", 2)])
    assert call.lacks([said("漏水")])


TURNS = st.lists(
    st.builds(said, st.text("漏水三天138 ，嗯", max_size=12), st.integers(0, 6), st.sampled_from(["市民", "坐席"])),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(TURNS)
def test_packed_and_opened_are_inverse(turns: list[TurnIn]) -> None:
    call = Call(EMPTY.decision_id, 5, told=(Told(1, "leak", 0.5, red_line=True),), location="那里", subject="ab")
    call = call.heard(turns, SEAMS)
    assert Call.opened(call.packed) == call
    assert Call.opened(call.packed).packed == call.packed


@settings(max_examples=60, deadline=None)
@given(TURNS)
def test_the_same_post_again_changes_nothing(turns: list[TurnIn]) -> None:
    call = EMPTY.heard(turns, SEAMS)
    last = {turn.number: turn for turn in turns}
    assert call.heard(list(last.values()), SEAMS).heard(list(last.values()), SEAMS) == call.heard(
        list(last.values()), SEAMS
    )
