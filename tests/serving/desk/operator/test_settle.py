"""Settling: the decision and the verdict are written together, once, masked, and not over somebody else's."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from nlp.decider import Decider
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.service import Service
from serving.settings import Settings
from serving.store import tables
from tests.serving.desk.operator.conftest import LEAK, NAME, PERSONAL, PHONE, Settle


def rows(service: Service, table: Any) -> list[dict[str, Any]]:
    return service.journal.read(lambda store: [dict(row) for row in store.execute(select(table)).mappings()])


def test_accepted_as_it_was_shown(service: Service, settle: Settle) -> None:
    told = settle(LEAK).json()
    assert told["verdict"] == "accepted"
    decision, said = rows(service, tables.decisions), rows(service, tables.feedback)
    assert [row["id"] for row in decision] == [told["decision"]["decision_id"]] == [said[0]["decision"]]
    assert said[0]["verdict"] == "accepted"
    assert said[0]["operator"] == "本机"
    actions = [row["action"] for row in rows(service, tables.audit)]
    assert actions[-2:] == ["decide", "feedback"]


def test_what_the_page_showed_counts_where_the_decision_came_out_otherwise(service: Service, settle: Settle) -> None:
    told = settle(LEAK, seen={"category": "noise"}).json()
    assert told["verdict"] == "corrected"
    assert rows(service, tables.feedback)[0]["category"] == "noise"


def test_a_correction_to_what_was_decided_is_an_acceptance(settle: Settle) -> None:
    decided = settle(LEAK, "A-1").json()["decision"]["category"]["code"]
    assert settle(LEAK, "A-2", "corrected", right={"category": decided}).json()["verdict"] == "accepted"
    assert settle(LEAK, "A-3", "corrected", right={"tier": "city"}).json()["codes"] == {"tier": "city"}
    assert settle(LEAK, "A-4", "corrected").status_code == 422


def test_a_return_names_who_is_next_and_keeps_its_reason_masked(service: Service, settle: Settle) -> None:
    told = settle(LEAK, verdict="returned", reason=f"不属本单位职责，联系{NAME}女士 {PHONE}").json()
    assert told["feedback"]["route"]["unit"]
    assert told["feedback"]["why"]
    kept = rows(service, tables.feedback)[0]
    assert PHONE not in kept["reason"]
    assert kept["unit"] == told["decision"]["route"]["unit"]
    assert settle(LEAK, "A-18", "returned").status_code == 422


def test_the_same_key_settles_once(service: Service, settle: Settle) -> None:
    key = {"idempotency-key": "k-1"}
    first, again = settle(LEAK, headers=key), settle(LEAK, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert len(rows(service, tables.decisions)) == len(rows(service, tables.feedback)) == 1
    assert settle(LEAK, "A-18", headers=key).status_code == 422


@pytest.mark.parametrize(
    "number",
    [
        "", "  ", PHONE, f"A-{PHONE}", "510115199003074138", "028-86543210", "6222 0212 3456 7890 128", "川A12345",
        "3栋2单元501室", "微信abc12345",
    ],
)  # fmt: skip
def test_a_number_that_is_none_or_somebodys_is_refused(service: Service, settle: Settle, number: str) -> None:
    reply = settle(LEAK, number)
    assert reply.status_code == 422
    assert "工单号" in reply.json()["detail"]
    assert PHONE not in reply.text
    assert not rows(service, tables.decisions)


@pytest.mark.parametrize("number", ["20261123000000018", "2026-11-23-001", "WJ-3-2-501", "12345-20261123-17"])
def test_a_number_made_of_its_date_is_none_of_anybody(settle: Settle, number: str) -> None:
    assert settle(LEAK, number).status_code == 200


def test_the_unit_that_is_typed_is_kept_masked(service: Service, settle: Settle) -> None:
    told = settle(LEAK, verdict="returned", reason="不属本单位职责", unit=f"{NAME}女士 {PHONE}")
    assert told.status_code == 200, told.text
    kept = rows(service, tables.feedback)[0]["unit"]
    assert kept
    assert PHONE not in kept
    assert NAME not in kept


def test_whoever_has_signed_in_speaks_in_no_other_name(keyed: TestClient) -> None:
    app: Any = keyed.app
    service: Service = app.state.service
    with keyed:
        mine = Keys(service.journal, service.secret).create(Scope.operator, "张敏")
        csrf = keyed.post("/login", json={"key": mine}).json()["csrf"]
        body, headers = {"petition": {"id": "A-17", "text": LEAK}, "verdict": "accepted"}, {"x-csrf-token": csrf}
        decision = keyed.post("/desk/settle", json=body, headers=headers).json()["decision"]["decision_id"]
        said = {"decision_id": decision, "verdict": "corrected", "category": "noise", "operator": "李强"}
        assert keyed.post("/v1/feedback", json=said, headers=headers).status_code == 200
        assert [row["operator"] for row in rows(service, tables.feedback)] == ["张敏", "张敏"]


def test_nothing_unmasked_is_kept(desk: TestClient, service: Service, settle: Settle) -> None:
    petition = {"phone": PHONE, "location": f"航天路12号3栋501，找{NAME}先生", "channel": "phone"}
    done = settle(PERSONAL, reason=f"{NAME}女士 {PHONE}", petition=petition, headers={"idempotency-key": "k"})
    assert done.status_code == 200, done.text
    assert desk.post("/desk/reveal", json={"id": PHONE, "fields": ["text"]}).status_code == 204
    for table in tables.metadata.sorted_tables:
        for row in rows(service, table):
            for value in row.values():
                text = opened(value)
                assert PHONE not in text, table.name
                assert NAME not in text, table.name


def opened(value: object) -> str:
    """A value of the store as text, inflated where it is deflated."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return zlib.decompress(value).decode()
    except zlib.error:
        return value.decode(errors="replace")


def test_showing_what_was_typed_is_noted_without_it(desk: TestClient, service: Service) -> None:
    reply = desk.post("/desk/reveal", json={"id": "A-17", "fields": ["text", "phone"]})
    assert reply.status_code == 204
    noted = rows(service, tables.audit)[-1]
    assert (noted["action"], noted["object"], noted["actor"]) == ("reveal", "A-17", "insecure")
    details = {row["id"]: row["content"] for row in rows(service, tables.audit_details)}
    assert b"text,phone" in details[noted["id"]]
    assert desk.post("/desk/reveal", json={"id": "A-17", "fields": ["text", LEAK]}).status_code == 422
    assert desk.post("/desk/reveal", json={"id": "A-17", "fields": []}).status_code == 422


@pytest.fixture
def keyed(store_url: str, tmp_path: Path, decider: Decider) -> TestClient:
    settings = Settings(home=tmp_path / "home", store=SecretStr(store_url), rules_every=0)
    return TestClient(create_app(settings, decider))


def test_two_operators_on_one_ticket(keyed: TestClient) -> None:
    app: Any = keyed.app
    service: Service = app.state.service
    with keyed:
        shown = {name: Keys(service.journal, service.secret).create(Scope.operator, name) for name in ("张敏", "李强")}
        data = Keys(service.journal, service.secret).create(Scope.data, "数据")
        body = {"petition": {"id": "A-17", "text": LEAK}, "verdict": "accepted"}

        def sent(name: str, **more: Any) -> httpx.Response:
            return keyed.post("/desk/settle", json=body | more, headers={"x-api-key": shown[name]})

        assert sent("张敏").status_code == 200
        refused = sent("李强")
        assert refused.status_code == 409
        assert "张敏" in refused.json()["detail"]
        assert refused.json()["errors"][0]["path"] == "id"
        assert len(rows(service, tables.decisions)) == 1
        seen = keyed.post("/desk/suggest", json=body["petition"], headers={"x-api-key": shown["李强"]}).json()
        assert seen["settled"]["by"] == "张敏"
        assert not seen["settled"]["mine"]
        assert sent("李强", anyway=True).status_code == 200
        assert sent("张敏").status_code == 409
        assert sent("李强").status_code == 200
        assert keyed.post("/desk/settle", json=body, headers={"x-api-key": data}).status_code == 403
        assert keyed.post("/desk/suggest", json=body["petition"]).status_code == 401


def test_of_two_who_settle_at_the_same_moment_one_is_told(keyed: TestClient) -> None:
    app: Any = keyed.app
    service: Service = app.state.service
    with keyed:
        keys = [Keys(service.journal, service.secret).create(Scope.operator, f"席{seat}") for seat in range(6)]
        body = {"petition": {"id": "A-17", "text": LEAK}, "verdict": "accepted"}

        async def all_at_once() -> list[int]:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
                sent = (client.post("/desk/settle", json=body, headers={"x-api-key": key}) for key in keys)
                return [reply.status_code for reply in await asyncio.gather(*sent)]

        assert sorted(asyncio.run(all_at_once())) == [200, 409, 409, 409, 409, 409]
        assert len(rows(service, tables.decisions)) == len(rows(service, tables.feedback)) == 1
