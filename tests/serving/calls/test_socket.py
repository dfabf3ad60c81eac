from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from nlp.decider import Decider
from serving.access.keys import LIFE, Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.calls import socket
from serving.service import Service
from serving.settings import Settings

URL = "/v1/calls/c1/stream"
PAGE = "https://hotline.example"


@pytest.fixture
def guarded(tmp_path: Path, decider: Decider) -> Iterator[TestClient]:
    """A service that wants keys."""
    settings = Settings(
        home=tmp_path / "home", store=SecretStr(f"sqlite:///{tmp_path / 'keys.db'}"), rules_every=0, cors_origins=[PAGE]
    )
    with TestClient(create_app(settings, decider)) as client:
        yield client


def said(text: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"turns": [{"speaker": "市民", "text": text, "number": number}], **more}


def closing(connection: WebSocketTestSession) -> int:
    """The code with which the service closes."""
    with pytest.raises(WebSocketDisconnect) as closed:
        connection.receive_json()
    return closed.value.code


def test_one_answer_to_each_message_until_the_end(desk: TestClient) -> None:
    with desk.websocket_connect(URL) as call:
        call.send_json(said("我家楼上"))
        assert call.receive_json()["transcript"] == "我家楼上"
        call.send_bytes(json.dumps(said("漏水", 2)).encode())
        assert call.receive_json()["transcript"] == "我家楼上 漏水"
        call.send_json({"end": True})
        last = call.receive_json()
        assert last["ended"]
        assert closing(call) == 1000
    assert desk.post("/v1/calls/c1/text", json={"end": True}).json() == last


def test_a_connection_may_be_taken_up_again(desk: TestClient) -> None:
    with desk.websocket_connect(URL) as call:
        call.send_json(said("我家楼上"))
        call.receive_json()
    with desk.websocket_connect(URL) as call:
        call.send_json(said("漏水", 2))
        assert call.receive_json()["transcript"] == "我家楼上 漏水"


def test_a_wrong_message_is_answered_and_the_call_goes_on(desk: TestClient) -> None:
    with desk.websocket_connect(URL) as call:
        for message in ("", "[]", "漏水", '{"turns": 3}', '{"key": "x"}', "[" * 10_000, '{"turns": [{}]}'):
            call.send_text(message)
            problem = call.receive_json()
            assert (problem["status"], bool(problem["errors"])) == (422, True)
        call.send_json(said("漏水"))
        assert call.receive_json()["transcript"] == "漏水"


def test_a_large_message_closes(desk: TestClient) -> None:
    with desk.websocket_connect(URL) as call:
        call.send_json(said("漏" * 30_000))
        assert closing(call) == 1009


def test_silence_closes(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "IDLE", 0.05)
    with desk.websocket_connect(URL) as call:
        assert closing(call) == 4408


def test_foreign_pages_are_refused(desk: TestClient) -> None:
    for origin in ("https://evil.example", "null", "http://testserver.evil.example", "testserver", ""):
        with pytest.raises(WebSocketDenialResponse) as denied, desk.websocket_connect(URL, headers={"origin": origin}):
            pass
        assert denied.value.status_code == 403


def test_own_pages_and_named_ones_may_connect(desk: TestClient, guarded: TestClient) -> None:
    with desk.websocket_connect(URL, headers={"origin": "http://testserver"}):
        pass
    with guarded.websocket_connect(URL, headers={"origin": PAGE}):
        pass


def key_of(client: TestClient, scope: Scope) -> str:
    app: Any = client.app
    service: Service = app.state.service
    return Keys(service.journal, service.secret).create(scope, "测试")


def test_a_key_by_header(guarded: TestClient) -> None:
    with guarded.websocket_connect(URL, headers={"x-api-key": key_of(guarded, Scope.operator)}) as call:
        call.send_json(said("漏水"))
        assert call.receive_json()["transcript"] == "漏水"


def test_a_wrong_key_by_header(guarded: TestClient) -> None:
    for shown, status in ((key_of(guarded, Scope.data), 403), ("a.b", 401)):
        headers = {"authorization": f"Bearer {shown}"}
        with pytest.raises(WebSocketDenialResponse) as denied, guarded.websocket_connect(URL, headers=headers):
            pass
        assert denied.value.status_code == status


def test_a_key_by_the_first_message(guarded: TestClient) -> None:
    with guarded.websocket_connect(URL) as call:
        call.send_json({"key": key_of(guarded, Scope.operator)})
        call.send_json(said("漏水"))
        assert call.receive_json()["transcript"] == "漏水"


def test_without_a_key_nothing_is_taken(guarded: TestClient) -> None:
    for first in ({"key": "a.b"}, said("漏水"), {"key": 3}, {}):
        with guarded.websocket_connect(URL) as call:
            call.send_json(first)
            assert closing(call) == 1008


def test_nobody_waits_long_for_a_key(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "GREETING", 0.05)
    with guarded.websocket_connect(URL) as call:
        assert closing(call) == 4408


def test_a_revoked_key_ends_the_call(guarded: TestClient) -> None:
    shown = key_of(guarded, Scope.operator)
    app: Any = guarded.app
    with guarded.websocket_connect(URL, headers={"x-api-key": shown}) as call:
        Keys(app.state.service.journal, app.state.service.secret).revoke(shown.partition(".")[0])
        time.sleep(LIFE + 0.1)
        call.send_json(said("漏水"))
        assert closing(call) == 1008
