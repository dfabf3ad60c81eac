"""What operators said: by operator, and where they do not agree."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from serving.desk.data.opinions import corrections, disagreements, operators
from serving.service import Service


@pytest.fixture
def said(desk: TestClient, service: Service) -> list[str]:
    """Four decisions of which people said this and that."""
    petitions = [{"id": f"A{row}", "text": f"小区门口的路灯不亮{row}，电话13912345678"} for row in range(4)]
    decided = desk.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    first, second, third, fourth = (one["decision_id"] for one in decided)
    codes = service.office.decider.model.taxonomy.codes("category")
    one, other = [code for code in codes if code != decided[0]["category"]["code"]][:2]
    for body in (
        {"decision_id": first, "verdict": "corrected", "category": one, "operator": "甲", "reason": "找王13800001111"},
        {"decision_id": first, "verdict": "corrected", "category": other, "operator": "乙"},
        {"decision_id": second, "verdict": "corrected", "category": one, "operator": "甲"},
        {"decision_id": second, "verdict": "corrected", "category": other, "operator": "甲"},
        {"decision_id": third, "verdict": "accepted", "operator": "甲"},
        {"decision_id": third, "verdict": "corrected", "category": one, "operator": "乙"},
        {"decision_id": fourth, "verdict": "returned", "reason": "不归我们管", "operator": "丙"},
    ):
        reply = desk.post("/v1/feedback", json=body)
        assert reply.status_code == 200, reply.text
    return [one, other]


def test_by_operator(said: list[str], service: Service) -> None:
    found = service.journal.read(lambda store: operators(store, 0))
    assert [(one.name, one.accepted, one.corrected, one.returned) for one in found] == [
        ("甲", 1, 3, 0), ("乙", 0, 2, 0), ("丙", 0, 0, 1),
    ]  # fmt: skip
    assert found[0].corrected_rate == 0.75
    assert service.journal.read(lambda store: operators(store, 1 << 60)) == []


def test_only_different_people_disagree_and_only_where_both_corrected(said: list[str], service: Service) -> None:
    (found,) = service.journal.read(lambda store: disagreements(store, 0))
    assert (found.petition, found.task) == ("A0", "category")
    assert list(found.said) == [("甲", said[0]), ("乙", said[1])]


def test_corrections_are_listed_masked(said: list[str], service: Service) -> None:
    found = service.journal.read(lambda store: corrections(store, 0))
    assert [one["operator"] for one in found] == ["乙", "甲", "甲", "乙", "甲"]
    assert found[-1]["changed"][0][2] == said[0]
    assert "13912345678" not in str(found)
    assert "13800001111" not in str(found)
    mine = service.journal.read(lambda store: corrections(store, 0, "乙"))
    assert {one["operator"] for one in mine} == {"乙"}


def test_the_page(desk: TestClient, said: list[str]) -> None:
    page = desk.get("/data/opinions?days=7&operator=%E4%B9%99").text
    assert "75.0%" in page
    assert "A0" in page
    assert "看所有人的" in page
    assert desk.get("/data/opinions?days=abc").status_code == 200
    assert desk.get("/data/opinions?operator=%00").status_code == 200


def test_a_ticket_tells_all_that_was_said_of_it(desk: TestClient, said: list[str], service: Service) -> None:
    (found,) = service.journal.read(lambda store: disagreements(store, 0))
    page = desk.get(f"/data/tickets/{found.decision}").text
    assert "甲 · 更正" in page
    assert "乙 · 更正" in page
    assert "13912345678" not in page
    assert desk.get("/data/tickets/nothing").status_code == 404
    assert desk.get("/data/tickets/%00").status_code == 404
