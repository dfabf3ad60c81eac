"""What the overview counts by: in every new decision, and as far as it can be found in those that were there before."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from alembic import command
from fastapi.testclient import TestClient
from sqlalchemy import MetaData, Row, select

from serving.journal.decided import NAMED, red_line_of
from serving.service import Service
from serving.store import tables
from serving.store.engine import open_engine, reading, writing
from serving.store.schema import config_of, migrate

REASON = "红线规则 gas（燃气泄漏）：“煤气…味”，时限升为紧急"


def old(number: int, **more: Any) -> dict[str, Any]:
    """A row as version 0001 wrote it."""
    reasons = more.pop("reasons", [])
    return {
        "id": f"{number:026}", "petition": "A", "at": 1, "category": "leak", "tier": "community", "clock": "general",
        "type": "help", "confidence": 0.9, "needs_human": False, "profile": "plain", "unit": "社区", "model": "m",
        "channel": "网站", "key": "k", "content": zlib.compress(orjson.dumps({"reasons": reasons})),
    } | more  # fmt: skip


def test_a_store_of_before_is_brought_up_to_date(store_url: str) -> None:
    engine = open_engine(store_url)
    with writing(engine) as connection:
        command.upgrade(config_of(connection), "0001")
        before = MetaData()
        before.reflect(connection, only=["decisions"])
        rows = [
            old(1, clock="emergency", reasons=["把握不足", REASON]),
            old(2, clock="emergency"),
            old(3, channel="长" * 5000, unit="名" * 5000),
        ]
        connection.execute(before.tables["decisions"].insert(), rows)
    migrate(engine)
    column = tables.decisions.c
    with reading(engine) as connection:
        found = connection.execute(select(column.red_line, column.area, column.channel).order_by(column.id)).all()
    engine.dispose()
    assert [row.red_line for row in found] == ["燃气泄漏", None, None]
    assert {row.area for row in found} == {None}
    assert found[2].channel == "长" * NAMED


def decided(desk: TestClient, service: Service, **petition: str) -> Row[Any]:
    body = {"petitions": [{"id": "1", **petition}]}
    name = desk.post("/v1/decisions", json=body).json()["decisions"][0]["decision_id"]
    wanted = select(tables.decisions).where(tables.decisions.c.id == name)
    return service.journal.read(lambda connection: connection.execute(wanted).one())


def test_a_red_line_stands_in_its_column(desk: TestClient, service: Service) -> None:
    row = decided(desk, service, text="厨房燃气泄漏，一屋子煤气味，头晕。")
    assert (row.clock, row.red_line) == ("emergency", "燃气泄漏")
    assert decided(desk, service, text="小区门口的路灯不亮。").red_line is None
    assert (red_line_of([]), red_line_of(["把握不足"]), red_line_of([REASON])) == (None, None, "燃气泄漏")


def test_a_channel_of_any_length_is_taken(desk: TestClient, service: Service) -> None:
    assert decided(desk, service, text="路灯不亮", channel="".join(map(chr, range(0x4E00, 0x4E00 + 9000)))).channel
