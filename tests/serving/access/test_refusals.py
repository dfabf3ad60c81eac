"""Refusals: a flood of them does not fill the audit, nor the memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from serving.access import refusals as module
from serving.access.refusals import Refusals
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.store import tables
from serving.store.engine import StoreDown


class Scene:
    """Refusals with a clock that is set by hand."""

    def __init__(self, journal: Journal) -> None:
        self.now = 100.0
        self.journal = journal
        self.metrics = Metrics("test")
        self.refusals = Refusals(journal, self.metrics, clock=lambda: self.now)

    def refuse(self, reason: str, *addresses: str) -> None:
        async def all_of_them() -> None:
            for address in addresses:
                await self.refusals.note(reason, address, "", "operator")

        asyncio.run(all_of_them())

    @property
    def noted(self) -> int:
        query = select(func.count()).select_from(tables.audit)
        return self.journal.read(lambda connection: connection.scalar(query) or 0)


@pytest.fixture
def scene(journal: Journal) -> Scene:
    return Scene(journal)


def test_one_a_second_of_an_address_and_a_reason(scene: Scene) -> None:
    scene.refuse("key", *["10.0.0.1"] * 50)
    assert scene.noted == 1
    scene.refuse("scope", "10.0.0.1")
    scene.refuse("key", "10.0.0.2")
    assert scene.noted == 3
    scene.now += 0.99
    scene.refuse("key", "10.0.0.1")
    assert scene.noted == 3
    scene.now += 0.01
    scene.refuse("key", "10.0.0.1")
    assert scene.noted == 4
    assert 'jiesu_refused_total{reason="key"} 53.0' in scene.metrics.page().decode()


def test_ten_a_second_from_however_many_addresses(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 15)
    addresses = [f"2001:db8::{number:x}" for number in range(500)]
    scene.refuse("key", *addresses)
    assert scene.noted == 10
    for second in range(1, 4):
        scene.now += 1
        scene.refuse("key", *addresses[100 * second :])
    assert scene.noted == 40
    assert len(scene.refusals._last) == 15


def test_a_refusal_stands_though_it_cannot_be_noted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Any) -> None:
        raise StoreDown(reason="gone")

    monkeypatch.setattr(scene.journal, "write", away)
    scene.refuse("key", "10.0.0.1")
    assert scene.noted == 0
