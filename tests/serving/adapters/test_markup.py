"""Markup: whatever stands in an answer, it is JSON or well-formed XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from serving.adapters.markup import Shape

SHAPE = Shape("all", "one")


def parsed(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - our own answer


@given(st.text(), st.none() | st.booleans() | st.integers() | st.text())
def test_any_answer_is_well_formed_xml(text: str, value: Any) -> None:
    text = text.encode("utf-8", "replace").decode()
    value = value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    tree = parsed(SHAPE.xml([{"text": text, "value": value}, {}]))
    assert [len(item) for item in tree] == [2, 0]
    assert (tree[0][1].text is None) == (value in {None, ""})


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1)))
def test_what_xml_can_hold_comes_back(values: list[str]) -> None:
    assert [item[0].text for item in parsed(SHAPE.xml([{"a": value} for value in values]))] == values


def test_one_object_is_the_whole() -> None:
    assert SHAPE.xml({"a": True, "b": [], "c": 1.5}).endswith(b"<all><a>true</a><b /><c>1.5</c></all>")
