"""The Chinese envelope: an appeal's fields, filled by the decision; the caller's name is never kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from nlp.decider import Decider
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.adapters import guzhen
from serving.adapters.guzhen import PATH, Appeal
from serving.journal.decided import opened as plain
from serving.store import tables
from tests.serving.adapters.desks import DEEP, INJECTIONS, LEAK, MIB, SECRET, Desk, opened
from tests.serving.adapters.pages import form, shown

APPEAL = {
    "callerName": "欧阳建华", "contactPhone": "13800138000", "appealType": "投诉", "appealSubject": "楼上漏水",
    "incidentAddress": "青杉苑三期五栋", "urgencyLevel": "紧急", "expectedDeadline": "2026-11-25 12:00:00",
    "assignedDept": "住建局", "remark": LEAK,
}  # fmt: skip
DATA = {
    "decisionId", "appealCode", "appealType", "appealSubject", "urgencyLevel", "expectedDeadline", "assignedDept",
    "remark", "needsHuman", "confidence",
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("guzhen"), guzhen.routes) as open_desk:
        yield open_desk


def sent(desk: Desk, appeal: Any, **headers: str) -> Response:
    content = appeal if isinstance(appeal, bytes) else json.dumps(appeal).encode()
    return desk.client.post(PATH, content=content, headers=headers)


def decided(desk: Desk, **appeal: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is answered, and the decision on record."""
    reply = sent(desk, appeal)
    assert reply.status_code == 200, reply.text
    assert {name: reply.json()[name] for name in ("success", "message")} == {"success": True, "message": "成功"}
    data: dict[str, Any] = reply.json()["data"]
    row = next(row for row in desk.rows(tables.decisions) if row.id == data["decisionId"])
    return data, plain(row.content)


def refused(reply: Response, status: int) -> str:
    assert reply.status_code == status, reply.text
    answer = reply.json()
    assert set(answer) == {"success", "message", "data"}
    assert (answer["success"], answer["data"]) == (False, None)
    return str(answer["message"])


def test_the_decision_fills_the_fields_of_an_appeal(desk: Desk) -> None:
    data, decision = decided(desk, **APPEAL)
    assert set(data) == DATA
    assert (data["appealCode"], data["appealType"]) == (decision["category"]["code"], decision["category"]["name"])
    assert data["assignedDept"] == decision["route"]["unit"]
    assert data["urgencyLevel"] == decision["clock"]["name"]
    assert data["remark"] == "；".join(decision["reasons"])
    due = datetime.strptime(data["expectedDeadline"], "%Y-%m-%d %H:%M:%S")
    assert due == datetime.fromisoformat(decision["route"]["due"]).replace(tzinfo=None)


def test_what_the_sender_thinks_changes_nothing(desk: Desk) -> None:
    plainly = {name: APPEAL[name] for name in ("appealSubject", "remark", "incidentAddress")}
    (one, _), (two, _) = decided(desk, **APPEAL), decided(desk, **plainly)
    assert {**one, "decisionId": "", "expectedDeadline": ""} == {**two, "decisionId": "", "expectedDeadline": ""}


@pytest.mark.parametrize("fields", [{"remark": LEAK}, {"appealSubject": LEAK}, {"appealSubject": LEAK, "remark": None}])
def test_one_of_subject_and_remark_is_enough(desk: Desk, fields: dict[str, Any]) -> None:
    _, decision = decided(desk, **fields)
    assert (decision["masked_text"], decision["masked_title"]) == (LEAK, "")


@pytest.mark.parametrize(
    "fields",
    [{}, {"callerName": "欧阳建华"}, {"remark": ""}, {"appealSubject": " ", "remark": "\u3000\n"}, {"remark": None}],
)
def test_neither_subject_nor_remark_is_refused(desk: Desk, fields: dict[str, Any]) -> None:
    assert "appealSubject 和 remark" in refused(sent(desk, fields), 422)


def test_the_caller_is_never_kept(desk: Desk) -> None:
    remark = f"欧阳建华来电，{LEAK}欧阳建华的电话是13800138000"
    data, decision = decided(desk, **APPEAL | {"remark": remark, "incidentAddress": "欧阳建华家，青杉苑三期五栋"})
    assert decision["masked_text"] == f"[姓名]来电，{LEAK}[姓名]的电话是[手机号]"
    every = [row for table in (tables.decisions, tables.audit, tables.audit_details) for row in desk.rows(table)]
    kept = "".join(map(str, every)) + json.dumps(decision, ensure_ascii=False) + json.dumps(data, ensure_ascii=False)
    assert "欧阳建华" not in kept
    assert "13800138000" not in kept
    assert next(row.subject for row in desk.rows(tables.decisions) if row.id == data["decisionId"])


@pytest.mark.parametrize("name", ["水", "小区业主", "市民", "居民", "", "周", "王" * 9, None])
def test_what_is_no_name_takes_nothing_out_of_the_text(name: str | None) -> None:
    text = "周边小区业主和市民反映路灯不亮，水也停了" + "王" * 9
    assert Appeal.model_validate({"callerName": name, "remark": text}).petition.text == text


@pytest.mark.parametrize("field", sorted(APPEAL))
@pytest.mark.parametrize("value", [1, True, ["a"], {"a": 1}, 1.5])
def test_a_wrong_type_is_refused_by_its_field(desk: Desk, field: str, value: Any) -> None:
    said = refused(sent(desk, APPEAL | {field: value}), 422)
    assert field in said
    assert "须是文字" in said


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"a"', b"1", DEEP, b'{"a":' * 50_000, b"\xff\xfe", b'{"remark": "\\ud800"}', b"NaN",
     b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"remark=a"],
)  # fmt: skip
def test_what_is_no_appeal_is_refused(desk: Desk, body: bytes) -> None:
    assert refused(sent(desk, body), 422)


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    assert "上限" in refused(sent(desk, APPEAL | {"remark": "a" * 5 * MIB}), 413)


@pytest.mark.parametrize("text", ["\0", "x" * 2 * MIB, "🚰\r\n", "&lt;", *INJECTIONS])
def test_odd_texts_come_back_as_text(desk: Desk, text: str) -> None:
    data, decision = decided(desk, remark=text, appealSubject=text[:100], incidentAddress=text[:100])
    if text in INJECTIONS and "<" not in text:
        assert data["appealSubject"] == decision["masked_title"] == text


def test_ten_thousand_more_fields_are_not_read(desk: Desk) -> None:
    decided(desk, **{"remark": LEAK} | {f"x{number}": number for number in range(10_000)})


def test_a_key_of_the_right_scope_is_needed(decider: Decider, tmp_path: Path) -> None:
    with opened(decider, tmp_path, guzhen.routes, insecure=False) as desk:
        keys = Keys(desk.service.journal, SECRET)
        good, wrong = keys.create(Scope.operator), keys.create(Scope.data)
        slow = keys.create(Scope.operator, rate="1/hour")
        assert sent(desk, APPEAL, **{"x-api-key": good}).json()["success"]
        assert refused(sent(desk, APPEAL), 401) == refused(sent(desk, APPEAL, **{"x-api-key": "a.b"}), 401)
        assert "data" not in refused(sent(desk, APPEAL, **{"x-api-key": wrong}), 403)
        assert sent(desk, APPEAL, **{"x-api-key": slow}).status_code == 200
        reply = sent(desk, APPEAL, **{"x-api-key": slow})
        assert refused(reply, 429)
        assert int(reply.headers["retry-after"]) > 0
        assert desk.count(tables.decisions) == 2


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    examples = shown("guzhen.md")
    for example, status in zip(examples, (200, 422), strict=True):
        reply = example.asked(desk.client)
        assert reply.status_code == status
        assert form(reply.json()) == form(example.answer)
