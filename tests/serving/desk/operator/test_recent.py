"""Recent tickets: the same place first, then the same rare words, masked, fast, and gone once they are deleted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.desk.operator.recent import MOST, Recents, Ticket
from serving.service import Service
from serving.store import tables
from tests.serving.desk.operator.conftest import LEAK, NAME, PHONE


@pytest.fixture
def recents(service: Service) -> Recents:
    return Recents(service.journal, service.settings.now)


def decide(desk: TestClient, **petitions: str) -> None:
    sent = [{"id": number, "text": text} for number, text in petitions.items()]
    assert desk.post("/v1/decisions", json={"petitions": sent}).status_code == 200


def test_the_same_place_comes_before_the_same_words(desk: TestClient, recents: Recents) -> None:
    decide(
        desk,
        lamp="航天路12号3栋门口的路灯整排不亮，晚上漆黑",
        leak="航天路88号楼上漏水，天花板泡黄",
        other="青杉苑的垃圾桶满了没人倒",
    )
    recents.read()
    assert len(recents) == 3
    found = recents.like(["航天路12号5栋"], ["楼上", "天花板"])
    assert found[0].ticket.petition == "lamp"
    assert found[0].places
    assert recents.like(["１２号"], []) == []
    assert recents.like([], ["没有这个词"]) == []
    assert recents.like(["航天路12号"], [], but="lamp") == []


def test_what_is_new_is_read_and_what_was_read_is_not_read_twice(desk: TestClient, recents: Recents) -> None:
    decide(desk, a="航天路12号路灯不亮")
    recents.read()
    recents.read()
    decide(desk, b="航天路12号垃圾没人倒", a="航天路12号路灯还是不亮")
    recents.read()
    assert len(recents) == 3
    assert {like.ticket.petition for like in recents.like(["航天路12号"], [])} == {"a", "b"}


def test_only_masked_text_is_held(desk: TestClient, recents: Recents) -> None:
    decide(desk, a=f"我叫{NAME}，电话{PHONE}，航天路12号3栋501，{LEAK}")
    recents.read()
    held = str(vars(recents))
    assert PHONE not in held
    assert NAME not in held
    assert "栋501" not in held  # the digits alone may be part of an id


def test_a_suggestion_tells_of_them_and_of_corrections_but_not_of_what_was_deleted(
    desk: TestClient, service: Service, suggest: Any
) -> None:
    text = "航天路12号楼上漏水，天花板泡黄"
    decided = desk.post("/v1/decisions", json={"petitions": [{"id": "old", "text": text}]}).json()["decisions"][0]
    given = {"decision_id": decided["decision_id"], "verdict": "corrected", "category": "noise"}
    assert desk.post("/v1/feedback", json=given).status_code == 200
    near = until(lambda: suggest(text, id="new")["recent"])
    assert near[0]["petition"] == "old"
    assert near[0]["category"] == "噪音扰民"
    assert near[0]["places"] == ["航天路12号"]
    assert suggest(text, id="old")["recent"] == []

    def erase(unit: Any) -> None:
        unit.connection.execute(tables.feedback.delete())
        unit.connection.execute(tables.decisions.delete())

    service.journal.write_now(erase)
    assert suggest(text, id="new")["recent"] == []


def until(look: Any) -> Any:
    """What is read in the background, once it is there."""
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_a_full_index_answers_within_two_milliseconds_and_forgets_the_oldest(recents: Recents) -> None:
    words = [f"词{number}" for number in range(60)]
    for number in range(MOST):
        few = tuple(words[(number * step) % 60] for step in (1, 7, 11, 13))
        recents._add(Ticket(f"{number:026}", str(number), number, "类", "单位", "头", (f"路{number % 50}号",), few))
    taken = []
    for number in range(50):
        begun = time.perf_counter()
        found = recents.like([f"路{number}号"], words[:4])
        taken.append(time.perf_counter() - begun)
        assert len(found) == 5
    assert sorted(taken)[25] < 0.002, sorted(taken)[25]
    recents.read()  # all of them are from 1970
    assert len(recents) == 0
    assert recents._having == {}
