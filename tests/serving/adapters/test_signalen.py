"""Signalen: the answer of its own classifier, from our decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.decider import Decider
from nlp.decision import CategoryAnswer, Choice
from nlp.taxonomy import Label, Taxonomy
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.adapters import signalen
from serving.adapters.signalen import predicted
from serving.journal import decided
from serving.store import tables
from tests.serving.adapters.desks import DEEP, INJECTIONS, LEAK, MIB, SECRET, Desk, opened
from tests.serving.adapters.pages import form, shown

PATH = "/signals_mltool/predict"
BASE = "https://meldingen.example"
CATEGORIES = f"{BASE}/signals/v1/public/terms/categories"


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("signalen"), signalen.routes, signalen_base=BASE + "/") as open_desk:
        yield open_desk


def test_both_lists_hold_urls_and_probabilities_and_the_decision_comes_first(desk: Desk) -> None:
    reply = desk.client.post(PATH, json={"text": LEAK})
    assert reply.status_code == 200
    answer = reply.json()
    assert set(answer) == {"hoofdrubriek", "subrubriek"}
    row = next(row for row in desk.rows(tables.decisions) if row.id == reply.headers["x-decision-id"])
    (subs, chances), (mains, sums) = answer["subrubriek"], answer["hoofdrubriek"]
    assert subs[0].startswith(mains[0] + "/sub_categories/")
    assert subs[0].endswith("/" + row.category)
    assert all(url.startswith(CATEGORIES + "/") for url in subs + mains)
    assert len(subs) == len(chances) == 5
    assert len(mains) == len(sums)
    assert sum(sums) == pytest.approx(sum(chances), abs=1e-3)
    assert all(0 <= chance <= 1 for chance in chances + sums)


def test_what_is_asked_is_on_record_and_masked(desk: Desk) -> None:
    before = desk.count(tables.decisions)
    reply = desk.client.post(PATH, json={"text": LEAK + "我的电话13800138000"})
    assert desk.count(tables.decisions) == desk.count(tables.audit) == before + 1
    row = next(row for row in desk.rows(tables.decisions) if row.id == reply.headers["x-decision-id"])
    assert row.channel == "signalen"
    assert "13800138000" not in str(decided.opened(row.content))
    assert "[手机号]" in decided.opened(row.content)["masked_text"]


@pytest.mark.parametrize("text", ["", "\0", "ab " * 700_000, *INJECTIONS])
def test_odd_texts_are_answered(desk: Desk, text: str) -> None:
    reply = desk.client.post(PATH, json={"text": text})
    assert reply.status_code == 200
    assert len(reply.json()["subrubriek"][0]) == 5


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"{}", b'{"text": 1}', b'{"text": null}', b'{"text": ["a"]}', DEEP, b"\xff\xfe",
     b'{"text": "\\ud800"}', b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
)  # fmt: skip
def test_what_is_not_asked_so_is_refused_in_its_words(desk: Desk, body: bytes) -> None:
    reply = desk.client.post(PATH, content=body)
    assert reply.status_code == 422
    assert set(reply.json()) == {"errors"}
    assert isinstance(reply.json()["errors"], str)


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    reply = desk.client.post(PATH, content=b'{"text": "' + b"a" * 5 * MIB + b'"}')
    assert reply.status_code == 413
    assert set(reply.json()) == {"errors"}


def test_a_key_is_needed(decider: Decider, tmp_path: Path) -> None:
    with opened(decider, tmp_path, signalen.routes, insecure=False) as desk:
        keys = Keys(desk.service.journal, SECRET)
        operator, data = keys.create(Scope.operator), keys.create(Scope.data)
        refused = desk.client.post(PATH, json={"text": LEAK})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert set(refused.json()) == {"errors"}
        assert desk.client.post(PATH, json={"text": LEAK}, headers={"x-api-key": data}).status_code == 403
        assert desk.count(tables.decisions) == 0
        assert desk.client.post(PATH, json={"text": LEAK}, headers={"x-api-key": operator}).status_code == 200


def test_without_a_base_the_urls_are_paths(taxonomy: Taxonomy) -> None:
    answer = CategoryAnswer("leak", "漏水渗水", ["住房与物业", "漏水渗水"], 0.9, [])
    mains, subs = (predicted(answer, taxonomy, "")[name][0] for name in ("hoofdrubriek", "subrubriek"))
    assert mains == ["/signals/v1/public/terms/categories/housing"]
    assert subs == ["/signals/v1/public/terms/categories/housing/sub_categories/leak"]


def nodes(*pairs: tuple[str, str]) -> Taxonomy:
    labels = tuple(Label(code, code, parent) for code, parent in pairs)
    some = (Label("a", "a"),)
    return Taxonomy("own", labels, some, some, some)


def test_a_taxonomy_of_any_depth_has_two_levels_there() -> None:
    own = nodes(("灯", ""), ("top", ""), ("mid", "top"), ("low", "mid"))
    answer = CategoryAnswer("low", "", [], 0.6, [Choice("灯", "", 0.3)])
    told: Any = predicted(answer, own, BASE)
    assert told["hoofdrubriek"] == ([f"{CATEGORIES}/top", f"{CATEGORIES}/%E7%81%AF"], [0.6, 0.3])
    assert told["subrubriek"][0] == [
        f"{CATEGORIES}/top/sub_categories/low", f"{CATEGORIES}/%E7%81%AF/sub_categories/%E7%81%AF"
    ]  # fmt: skip


@given(st.lists(st.floats(0, 0.2).map(lambda chance: round(chance, 4)), min_size=4, max_size=4), st.floats(0, 0.2))
def test_the_main_categories_add_up_and_go_down_after_the_first(chances: list[float], first: float) -> None:
    own = nodes(("x", ""), ("y", ""), ("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"), ("e", ""))
    others = [Choice(code, "", chance) for code, chance in zip("bcde", chances, strict=True)]
    mains, sums = predicted(CategoryAnswer("a", "", [], first, others), own, "")["hoofdrubriek"]
    assert mains[0].endswith("/x")
    assert sums[1:] == sorted(sums[1:], reverse=True)
    assert sum(sums) == pytest.approx(first + sum(chances), abs=1e-3)


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    (example,) = shown("signalen.md")
    reply = example.asked(desk.client)
    assert reply.status_code == 200
    assert form(reply.json()) == form(example.answer)
