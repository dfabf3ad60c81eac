"""Outcomes and the rates made of them: each ticket counts where the definitions say, by the last word on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.service import Service

TEXT = "小区门口的路灯不亮，晚上看不见路。"


@pytest.fixture
def decisions(desk: TestClient, service: Service) -> list[dict[str, Any]]:
    """Four tickets that were received ten days ago: their clocks are over, or not."""
    received = (service.settings.now() - timedelta(days=10)).isoformat(timespec="seconds")
    petitions = [{"id": f"A-{row}", "text": TEXT, "received_at": received} for row in range(4)]
    found: list[dict[str, Any]] = desk.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    return found


def tell(desk: TestClient, service: Service, decision: dict[str, Any], event: str, days: float, **more: Any) -> Any:
    at = (service.settings.now() - timedelta(days=days)).isoformat(timespec="seconds")
    body = {"decision_id": decision["decision_id"], "event": event, "unit": "区城管局", "at": at, **more}
    reply = desk.post("/v1/outcomes", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def rates(desk: TestClient, **window: str) -> dict[str, tuple[int, int]]:
    found = desk.get("/v1/indicators", params=window).json()["indicators"]
    return {rate["name"]: (rate["numerator"], rate["denominator"]) for rate in found}


def test_the_rates_count_what_they_say(desk: TestClient, service: Service, decisions: list[dict[str, Any]]) -> None:
    done, late, reopened, silent = decisions
    for decision in decisions:
        tell(desk, service, decision, "dispatched", 9.9)
    for decision, answered in ((done, 9.5), (late, 8)):  # within a day, and not
        tell(desk, service, decision, "responded", answered)
    tell(desk, service, done, "resolved", 9, satisfied=True, caller_resolved=True)
    tell(desk, service, done, "closed", 8.5)
    tell(desk, service, late, "resolved", 0.1, satisfied=False, caller_resolved=True)
    tell(desk, service, reopened, "resolved", 9)
    tell(desk, service, reopened, "closed", 8)
    tell(desk, service, reopened, "reopened", 7)
    assert silent
    assert rates(desk) == {
        "响应率": (1, 4),
        "处置率": (3, 4),
        "及时率": (2, 4),
        "结案率": (1, 4),
        "解决率": (2, 2),
        "满意率": (1, 2),
    }


def test_a_reopened_ticket_counts_again_once_it_is_closed(
    desk: TestClient, service: Service, decisions: list[dict[str, Any]]
) -> None:
    for event, days in (("dispatched", 9.9), ("resolved", 9), ("closed", 8), ("reopened", 7)):
        tell(desk, service, decisions[0], event, days)
    assert rates(desk)["结案率"] == (0, 1)
    tell(desk, service, decisions[0], "closed", 5)
    assert rates(desk)["结案率"] == (1, 1)


def test_the_callers_last_word_counts(desk: TestClient, service: Service, decisions: list[dict[str, Any]]) -> None:
    tell(desk, service, decisions[0], "dispatched", 9.9)
    tell(desk, service, decisions[0], "closed", 8, satisfied=True)
    tell(desk, service, decisions[0], "closed", 5, satisfied=False)
    assert rates(desk)["满意率"] == (0, 1)


def test_the_same_told_twice_is_one_outcome(
    desk: TestClient, service: Service, decisions: list[dict[str, Any]]
) -> None:
    at = service.settings.now().isoformat(timespec="seconds")
    body = {"decision_id": decisions[0]["decision_id"], "event": "received", "unit": "街道", "at": at}
    first, second = (desk.post("/v1/outcomes", json=body).json() for _ in range(2))
    assert first["outcome_id"] == second["outcome_id"]
    assert second["repeated"]


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"event": "eaten"}, 422, "event"),
        ({"at": "2026"}, 422, "at"),
        ({"at": 1764000000}, 422, "at"),
        ({"at": "2126-01-01T00:00:00+08:00"}, 422, "将来"),
        ({"unit": None}, 422, "unit"),
        ({"satisfied": True}, 422, "resolved"),
        ({"decision_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, 404, "没有这个决定"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    desk: TestClient, decisions: list[dict[str, Any]], change: dict[str, Any], status: int, told: str
) -> None:
    at = "2026-11-01T09:00:00+08:00"
    body = {"decision_id": decisions[0]["decision_id"], "event": "received", "unit": "街道", "at": at}
    reply = desk.post("/v1/outcomes", json=body | change)
    assert reply.status_code == status
    assert told in reply.text


def test_acceptance_and_correction_by_category_tier_and_model(
    desk: TestClient, decisions: list[dict[str, Any]]
) -> None:
    code = decisions[0]["category"]["code"]
    for decision, verdict in zip(decisions, ("accepted", "accepted", "corrected"), strict=False):
        more = {"category": code} if verdict == "corrected" else {}
        desk.post("/v1/feedback", json={"decision_id": decision["decision_id"], "verdict": verdict, **more})
    changed = {"decision_id": decisions[0]["decision_id"], "verdict": "corrected", "category": code}
    desk.post("/v1/feedback", json=changed)  # the last word on the first one
    said = desk.get("/v1/indicators").json()["feedback"]
    assert (said["total"]["accepted"], said["total"]["corrected"], said["total"]["decisions"]) == (1, 2, 3)
    assert said["total"]["corrected_rate"] == 0.6667
    assert [row["category"] for row in said["by_category"]] == [code]
    assert [row["model"] for row in said["by_model"]] == [decisions[0]["model"]]
    assert sum(row["decisions"] for row in said["by_tier"]) == 3


def test_an_empty_window_has_no_rates(desk: TestClient) -> None:
    reply = desk.get("/v1/indicators", params={"since": "2020-01-01", "until": "2020-02-01"}).json()
    assert reply["decisions"]["total"] == 0
    assert all(rate["rate"] is None for rate in reply["indicators"])
    assert desk.get("/v1/indicators", params={"since": "2020-02-01", "until": "2020-01-01"}).status_code == 422
