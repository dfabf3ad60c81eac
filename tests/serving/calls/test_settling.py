from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.calls.settling import Settling, Told, changes

RULE = Settling(0.8, 2)


def told(said: str) -> list[Told]:
    """`leak:9 noise:5!`: category, confidence in tenths, `!` for a red line."""
    answers = []
    for turn, word in enumerate(said.split(), 1):
        category, _, rest = word.partition(":")
        answers.append(Told(turn, category, int(rest.rstrip("!")) / 10, rest.endswith("!")))
    return answers


@pytest.mark.parametrize(
    ("said", "firm", "since"),
    [
        ("", False, None),
        ("a:9", False, None),  # one turn is not two
        ("a:9 a:9", True, 2),
        ("a:5 a:8", True, 2),  # only the last one has to be sure
        ("a:9 a:7", False, None),
        ("a:9 b:9", False, None),
        ("a:9 a:9 b:9 b:9", True, 4),
        ("a:9 a:9 a:7 a:9 a:9", True, 4),  # a break in between
        ("a:3!", True, 1),
        ("a:3 b:3!", True, 2),
        ("a:3! b:3!", True, 1),
        ("a:3! a:3", False, None),  # what was said later took it back
    ],
)
def test_firm_and_since_when(said: str, firm: bool, since: int | None) -> None:
    assert RULE.firm(told(said)) is firm
    assert RULE.since(told(said)) == since


def test_changes_are_counted() -> None:
    assert changes([]) == 0
    assert changes(told("a:1 a:1 b:1 b:1 a:1")) == 2


ANSWERS = st.builds(Told, st.just(0), st.sampled_from("ab"), st.floats(0, 1), st.booleans())


@given(st.lists(ANSWERS, max_size=8), st.integers(1, 4), st.floats(0.5, 1))
def test_since_is_there_where_the_answer_is_firm(answers: list[Told], same: int, confidence: float) -> None:
    numbered = [Told(turn, one.category, one.confidence, one.red_line) for turn, one in enumerate(answers, 1)]
    rule = Settling(confidence, same)
    since = rule.since(numbered)
    assert (since is not None) == rule.firm(numbered)
    if since is not None:
        assert all(rule.firm(numbered[:end]) for end in range(since, len(numbered) + 1))


def test_a_stricter_rule_settles_no_more() -> None:
    answers = told("a:6 a:9 a:9")
    assert Settling(0.8, 2).firm(answers)
    assert not Settling(0.95, 2).firm(answers)
    assert not Settling(0.8, 4).firm(answers)
