"""Weeks: drift is told when petitions are not what the model learned, once, and not for chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from nlp.drift import BINS, Profile
from serving import weeks
from serving.events.kinds import DRIFTED
from serving.events.outbox import Outbox
from serving.events.targets import Target
from serving.service import Service
from serving.store import tables

TEXTS = ("小区门口的路灯不亮", "楼上卫生间漏水到我家", "工地半夜还在打桩", "垃圾桶满了没有人倒")


def ask(desk: TestClient, rows: int) -> list[str]:
    petitions = [{"id": str(row), "text": TEXTS[row % len(TEXTS)]} for row in range(rows)]
    return [
        one["category"]["code"] for one in desk.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    ]


def learned(service: Service, mix: dict[str, int], confidence: list[int]) -> Service:
    """The same service with a model that keeps such a profile on its card."""
    decider = service.office.decider
    profile = Profile(sum(mix.values()), mix, 0.1, 20.0, tuple(confidence)).as_dict()
    decider.model = replace(decider.model, card={**decider.model.card, "profile": profile})
    return service


@pytest.fixture(autouse=True)
def _model_back(service: Service) -> Iterator[None]:
    """Other tests share the decider."""
    before = service.office.decider.model
    yield
    service.office.decider.model = before


def confidences(service: Service) -> list[int]:
    sure = service.journal.read(lambda c: c.execute(select(tables.decisions.c.confidence)).scalars().all())
    return [sum(min(int(one * BINS), BINS - 1) == place for one in sure) * 10 for place in range(BINS)]


def test_the_same_petitions_are_no_drift(desk: TestClient, service: Service) -> None:
    codes = ask(desk, 400)
    learned(service, {code: 10 * codes.count(code) for code in set(codes)}, confidences(service))
    assert weeks.observe(service) == "ok"
    week = desk.get("/v1/drift").json()["weeks"][0]
    assert (week["decisions"], week["passed"]) == (400, False)
    assert week["category"] < 0.01
    assert week["week"] == weeks.bounds(service.settings.now(), 0)[0]


def test_other_petitions_are_told_once(desk: TestClient, service: Service) -> None:
    codes = ask(desk, 400)
    others = [code for code in service.office.decider.model.taxonomy.codes("category") if code not in codes]
    learned(service, {others[0]: 2000, codes[0]: 20}, [200] * BINS)
    told = Outbox([Target(name="desk", url="https://desk.example/", secret="s" * 32, types=(DRIFTED,))], "/jiesu")
    service = replace(service, outbox=told)
    for _ in range(2):
        assert weeks.observe(service) == weeks.bounds(service.settings.now(), 0)[0]
    count = select(func.count()).select_from(tables.events)
    assert service.journal.read(lambda connection: connection.scalar(count)) == 1
    page = desk.get("/metrics").text
    assert 'jiesu_drift{what="category_psi"}' in page


def test_a_few_petitions_say_nothing(desk: TestClient, service: Service) -> None:
    codes = ask(desk, 40)
    learned(service, {"other": 2000, codes[0]: 20}, [200] * BINS)
    assert weeks.observe(service) == "ok"


def test_a_model_without_a_profile_has_no_drift(desk: TestClient, service: Service) -> None:
    ask(desk, 4)
    decider = service.office.decider
    decider.model = replace(decider.model, card={})
    assert weeks.observe(service) == "ok"
    assert desk.get("/v1/drift").json()["weeks"] == []


def test_last_week_is_another_week(desk: TestClient, service: Service) -> None:
    codes = ask(desk, 8)
    learned(service, dict.fromkeys(codes, 1), [1] * BINS)
    back = 7 * 86_400_000
    moved = update(tables.decisions).values(at=tables.decisions.c.at - back)
    service.journal.write_now(lambda unit: unit.connection.execute(moved).rowcount)
    weeks.observe(service)
    found = desk.get("/v1/drift").json()["weeks"]
    assert [week["week"] for week in found] == [weeks.bounds(service.settings.now() - timedelta(weeks=1), 0)[0]]
    rows = service.journal.read(lambda connection: connection.execute(select(tables.weeks.c.content)).scalars().all())
    assert b"\xe6" not in b"".join(rows)  # figures alone: no word of any petition
    assert orjson.loads(rows[0])["decisions"] == 8
