"""Feedback: on disk before it is answered, once however often it is said, and a return names who is next."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.service import Service
from serving.store import tables

TEXT = "楼上卫生间一直往我家滴水，天花板都泡黄了，请派人来看看。"


@pytest.fixture
def decision(desk: TestClient) -> dict[str, Any]:
    reply = desk.post("/v1/decisions", json={"petitions": [{"id": "A-17", "text": TEXT, "phone": "13800138000"}]})
    assert reply.status_code == 200
    decided: dict[str, Any] = reply.json()["decisions"][0]
    return decided


def count(service: Service, table: Any) -> int:
    found: int | None = service.journal.read(
        lambda connection: connection.scalar(select(func.count()).select_from(table))
    )
    return found or 0


def given(decision: dict[str, Any], verdict: str, **more: Any) -> dict[str, Any]:
    return {"decision_id": decision["decision_id"], "verdict": verdict, **more}


def test_what_is_answered_is_on_disk(desk: TestClient, service: Service, decision: dict[str, Any]) -> None:
    reply = desk.post("/v1/feedback", json=given(decision, "corrected", category=decision["category"]["code"]))
    assert reply.status_code == 200
    kept = service.journal.read(lambda connection: connection.execute(select(tables.feedback)).one())
    assert kept.id == reply.json()["feedback_id"]
    assert kept.decision == decision["decision_id"]
    assert kept.verdict == "corrected"


def test_the_same_said_twice_is_one_feedback(desk: TestClient, service: Service, decision: dict[str, Any]) -> None:
    said = given(decision, "accepted", operator="甲01")
    first, second = (desk.post("/v1/feedback", json=said).json() for _ in range(2))
    assert first["feedback_id"] == second["feedback_id"]
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["recorded_at"] == second["recorded_at"]
    desk.post("/v1/feedback", json=said | {"operator": "乙02"})
    assert count(service, tables.feedback) == 2


def test_a_return_is_answered_with_who_is_next(desk: TestClient, decision: dict[str, Any]) -> None:
    said = given(decision, "returned", reason="不归我单位管，职责不符")
    reply = desk.post("/v1/feedback", json=said).json()
    assert reply["route"]["unit"]
    assert reply["route"]["unit"] != decision["route"]["unit"]
    assert "职责不符" in reply["why"]
    again = desk.post("/v1/feedback", json=said | {"unit": reply["route"]["unit"]}).json()
    assert "退单 2 次" in again["route"]["rule"]


def test_reasons_are_kept_masked(desk: TestClient, service: Service, decision: dict[str, Any]) -> None:
    desk.post("/v1/feedback", json=given(decision, "returned", reason="联系不上，电话13912345678是空号"))
    reason = service.journal.read(lambda connection: connection.scalar(select(tables.feedback.c.reason)))
    assert "13912345678" not in reason
    assert "[手机号]" in reason


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 422, "decision_id"),
        ({"decision_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "verdict": "accepted"}, 404, "没有这个决定"),
        ({"decision_id": "x' OR 1=1 --", "verdict": "accepted"}, 422, "decision_id"),
        ({"verdict": "liked"}, 422, "verdict"),
        ({"verdict": "corrected"}, 422, "至少一项"),
        ({"verdict": "corrected", "category": "nowhere"}, 422, "nowhere"),
        ({"verdict": "corrected", "tier": 3}, 422, "tier"),
        ({"verdict": "accepted", "category": "leak"}, 422, "corrected"),
        ({"verdict": "returned"}, 422, "理由"),
        ({"verdict": "returned", "reason": "长" * 2001}, 422, "reason"),
        ({"verdict": "accepted", "colour": "red"}, 422, "colour"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    desk: TestClient, service: Service, decision: dict[str, Any], body: dict[str, Any], status: int, told: str
) -> None:
    sent = {"decision_id": decision["decision_id"], **body} if body else {}
    reply = desk.post("/v1/feedback", json=sent)
    assert reply.status_code == status
    assert told in reply.text
    assert count(service, tables.feedback) == 0


def test_nul_and_injection_are_only_text(desk: TestClient, service: Service, decision: dict[str, Any]) -> None:
    words = "'; DROP TABLE decisions; --\0=cmd|' /C calc'!A0"
    reply = desk.post("/v1/feedback", json=given(decision, "accepted", operator=words, reason=words))
    assert reply.status_code == 200
    operator = service.journal.read(lambda connection: connection.scalar(select(tables.feedback.c.operator)))
    assert operator == words.replace("\0", "")
    assert count(service, tables.decisions) == 1
