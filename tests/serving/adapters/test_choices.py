"""Choices: what a labelling configuration asks; what is no honest one is refused before it is parsed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import InputError
from nlp.taxonomy import Taxonomy
from serving.adapters.choices import questions

TEXT = '<Text name="letter" value="$text"/>'


def view(choices: str, text: str = TEXT) -> str:
    return f"<View>{text}{choices}</View>"


def choices(name: str, *tags: str, to: str = "letter") -> str:
    return f'<Choices name="{name}" toName="{to}">{"".join(tags)}</Choices>'


def choice(value: str, alias: str = "") -> str:
    return f'<Choice value="{value}"' + (f' alias="{alias}"/>' if alias else "/>")


def test_choices_are_read_by_codes_names_and_aliases(taxonomy: Taxonomy) -> None:
    offered = choices(
        "what",
        choice("漏水渗水"),
        choice("power"),
        choice("Water!", "water_drainage"),
        choice("噪声"),
        choice("<x>".replace("<", "&lt;")),
    )
    (one,) = questions(view(offered), taxonomy)
    assert (one.name, one.to_name, one.field, one.task) == ("what", "letter", "text", "category")
    assert one.choices["leak"] == "漏水渗水"
    assert one.choices["power"] == "power"
    assert one.choices["water_drainage"] == "water_drainage"  # Label Studio keeps the alias
    assert one.code("漏水渗水") == "leak"
    assert one.code("噪声") not in {"leak", "power"}
    assert one.code("不存在") is None


def test_the_alias_is_what_is_sent_back_whichever_of_the_two_is_ours(taxonomy: Taxonomy) -> None:
    (one,) = questions(view(choices("c", choice("漏水渗水", "L1"))), taxonomy)
    assert one.choices == {"leak": "L1"}


@pytest.mark.parametrize(
    ("name", "values", "task"),
    [
        ("tier", ["社区·村", "city"], "tier"),
        ("Clock", ["7日"], "clock"),
        ("q1", ["投诉", "求助"], "type"),
        ("q2", ["2小时"], "clock"),
    ],
)
def test_a_question_is_known_by_its_name_or_by_what_it_offers(
    taxonomy: Taxonomy, name: str, values: list[str], task: str
) -> None:
    (one,) = questions(view(choices(name, *map(choice, values))), taxonomy)
    assert one.task == task
    assert list(one.choices.values()) == values


def test_several_questions_nested_choices_comments_and_other_tags(taxonomy: Taxonomy) -> None:
    config = view(
        "<!-- 类别 --><Header value='x'/><View>"
        + choices("a", '<Choice value="住房"><Choice value="漏水渗水"/></Choice>')
        + choices("b", choice("good"), choice("bad"))
        + choices("type", choice("咨询"))
        + "</View>"
    )
    assert [(one.name, one.task) for one in questions(config, taxonomy)] == [("a", "category"), ("type", "type")]


@pytest.mark.parametrize("config", ["<View/>", "<View></View>", view(""), view(choices("c", choice("x")))])
def test_a_configuration_may_ask_nothing_of_ours(taxonomy: Taxonomy, config: str) -> None:
    assert questions(config, taxonomy) == []


FIXED = '<Text name="letter" value="固定的话"/>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = [
    f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">{LAUGHS}]><View>&l9;</View>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><View/>',
    "<!doctype html><View/>", "<! DOCTYPE a><View/>", "<View>&unknown;</View>",
    "", "\0", "not xml", "<View>", "<View></Choices>", "<View/><View/>", "<View a='1' a='2'/>", "<View>\0</View>",
    "<View " * 1000, "{" * 1000,
    '<?xml version="1.0" encoding="utf-16"?><View' + "\ufeff",
    view(choices("c", choice("漏水渗水"), to="nothing")), view(choices("c", choice("漏水渗水")), FIXED),
    view(choices("c", choice("x")) * 51),
]  # fmt: skip


@pytest.mark.parametrize("config", HOSTILE)
def test_a_hostile_or_broken_configuration_is_refused(taxonomy: Taxonomy, config: str) -> None:
    with pytest.raises(InputError, match="label_config"):
        questions(config, taxonomy)


def test_depth_costs_nothing(taxonomy: Taxonomy) -> None:
    deep = "<View>" * 20_000 + TEXT + choices("c", choice("漏水渗水")) + "</View>" * 20_000
    assert len(questions(deep, taxonomy)) == 1


@given(st.text(alphabet="<>/!&;$= \"'ViewChoicestoNamevalue漏水渗", max_size=200))
def test_whatever_is_sent_is_read_or_refused(taxonomy: Taxonomy, config: str) -> None:
    with suppress(InputError):
        assert isinstance(questions(config, taxonomy), list)
