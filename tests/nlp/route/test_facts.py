"""Conditions on matters, and what they say of one another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.place.area import NOWHERE, Area
from nlp.route.facts import CONDITIONS, Facts, When

FACTS = Facts(
    "leak", "grid", "urgent", "help", frozenset({"漏水", "水管"}), "main", Area("", "航天社区", "", "温江区"), "热线"
)
MET = {
    "category": ("noise", "leak"), "tier": ("grid",), "clock": ("urgent", "general"), "type": ("help",),
    "source": ("热线",), "redline": ("main", "gas"), "words": ("水管", "电线"), "place": ("别处", "航天社区"),
}  # fmt: skip
UNMET = {
    "category": ("noise",), "tier": ("city", "street"), "clock": ("general",), "type": ("report",), "source": ("网站",),
    "redline": ("",), "words": ("电线", "漏"), "place": ("航天",), "parent": ("住房与物业",),
}  # fmt: skip


def test_an_empty_condition_always_holds() -> None:
    assert When().holds(FACTS)
    assert When().holds(Facts("", "", "", ""))
    assert When().constrained == frozenset()


@pytest.mark.parametrize("name", MET)
def test_a_list_holds_if_it_has_what_the_matter_has(name: str) -> None:
    when = replace(When(), **{name: MET[name]})
    assert when.holds(FACTS)
    assert when.constrained == {name}


@pytest.mark.parametrize("name", [name for name in UNMET if name != "parent"])
def test_a_list_without_what_the_matter_has_does_not_hold(name: str) -> None:
    assert not replace(When(), **{name: UNMET[name]}).holds(FACTS)


@pytest.mark.parametrize("name", [name for name in UNMET if name != "parent"])
def test_all_lists_must_hold(name: str) -> None:
    assert replace(When(), **MET).holds(FACTS)
    assert not replace(When(), **(MET | {name: UNMET[name]})).holds(FACTS)


@pytest.mark.parametrize("redline", ["", "gas"])
def test_no_red_line_is_asked_for_by_an_empty_name(redline: str) -> None:
    assert When(redline=("",)).holds(replace(FACTS, redline=redline)) == (not redline)


def test_what_is_not_known_of_a_place_meets_no_condition() -> None:
    assert not When(place=("温江区",)).holds(replace(FACTS, area=NOWHERE))
    assert When(place=("温江区",)).holds(FACTS)


def test_equal_facts_are_one_key() -> None:
    assert hash(FACTS) == hash(replace(FACTS))
    assert replace(FACTS, source="") != FACTS


def test_every_list_of_a_condition_is_listed() -> None:
    assert CONDITIONS == ("parent", "category", "tier", "clock", "type", "source", "redline", "words", "place")


VALUES = ["a", "b", "c"]
lists = st.lists(st.sampled_from(VALUES), max_size=3, unique=True).map(tuple)
NAMES = [name for name in CONDITIONS if name != "parent"]
whens = st.builds(When, **dict.fromkeys(NAMES, lists))
one = st.sampled_from(["", *VALUES])
matters = st.builds(
    Facts, one, one, one, one, st.frozensets(st.sampled_from(VALUES)), one, st.builds(Area, one, one, one, one), one
)  # fmt: skip


@given(whens, whens, st.data())
def test_what_meets_the_contained_condition_meets_the_containing_one(
    outer: When, inner: When, data: st.DataObject
) -> None:
    inner = replace(inner, **{name: getattr(outer, name)[:2] or getattr(inner, name) for name in NAMES})
    has = {name: data.draw(st.sampled_from(getattr(inner, name) or VALUES)) for name in NAMES}
    facts = Facts(
        *(has[name] for name in ("category", "tier", "clock", "type")), frozenset({has["words"]}), has["redline"],
        Area(street=has["place"]), has["source"],
    )  # fmt: skip
    assert inner.holds(facts)
    assert outer.contains(inner)
    assert outer.holds(facts)


@given(whens, whens, matters)
def test_a_condition_that_holds_where_the_other_does_not_does_not_lie_in_it(
    one: When, other: When, facts: Facts
) -> None:
    if one.holds(facts) and not other.holds(facts):
        assert not other.contains(one)


def test_containing_by_hand() -> None:
    leak, wide = When(category=("leak",)), When(category=("leak", "noise"))
    assert wide.contains(leak)
    assert not leak.contains(wide)
    assert wide.contains(When(category=("leak",), tier=("grid",)))
    assert not When(category=("leak",), tier=("grid",)).contains(leak)
    assert When().contains(leak)
    assert not leak.contains(When())


@given(whens, whens)
def test_conditions_that_meet_ask_the_same_and_some_matter_meets_both(one: When, other: When) -> None:
    assert one.meets(other) == other.meets(one)
    assert one.meets(one)
    if one.meets(other):
        shared = {name: next(iter(set(getattr(one, name)) & set(getattr(other, name))), "") for name in NAMES}
        facts = Facts(
            *(shared[name] for name in ("category", "tier", "clock", "type")), frozenset({shared["words"]}),
            shared["redline"], Area(shared["place"]), shared["source"],
        )  # fmt: skip
        assert one.holds(facts)
        assert other.holds(facts)


def test_meeting_by_hand() -> None:
    assert When(words=("a", "b")).meets(When(words=("b", "c")))
    assert not When(words=("a",)).meets(When(words=("b",)))
    assert not When(words=("a",)).meets(When(words=("a",), tier=("grid",)))
