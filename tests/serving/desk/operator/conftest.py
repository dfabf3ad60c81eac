"""What the tests of the operator's desk share: petitions, and ways to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，请派人来看看。"
PHONE = "13987654321"
NAME = "欧阳建华"
PERSONAL = f"我叫{NAME}，电话{PHONE}，{LEAK}"
Ask = Callable[..., httpx.Response]
Settle = Callable[..., httpx.Response]


@pytest.fixture
def suggest(desk: TestClient) -> Callable[..., dict[str, Any]]:
    """What is suggested for a text, with further fields."""

    def asked(text: str, **more: Any) -> dict[str, Any]:
        reply = desk.post("/desk/suggest", json={"text": text, **more})
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    return asked


@pytest.fixture
def settle(desk: TestClient) -> Settle:
    """Settle a ticket; headers: further ones."""

    def sent(text: str, number: str = "A-17", verdict: str = "accepted", headers: Any = None, **more: Any) -> Any:
        petition = {"id": number, "text": text, **more.pop("petition", {})}
        return desk.post("/desk/settle", json={"petition": petition, "verdict": verdict, **more}, headers=headers)

    return sent
