"""The doors of batches from end to end: send, see, fetch, cancel; what is wrong is told, at once or as the state."""

from __future__ import annotations

import io
import json
import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from corpora import workbook
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.batches import queue
from serving.batches.tidy import DAY
from serving.service import Service
from serving.settings import Settings
from serving.store import tables
from tests.serving.batches.conftest import TEXTS, Send, rows_of, table

Finish = Callable[[str], dict[str, Any]]
ODD = ("=1+1", "+86", "-3", "@sum", '他说"好"', "第一行\n第二行", "a,b", "  ", "'x", "\t制表")


def book(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as made:
        sheet = made.add_worksheet("工单")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def folders(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.home / "batches").iterdir())


def count(service: Service, table: Any = tables.batches) -> int:
    return service.journal.read(lambda store: store.scalar(select(func.count()).select_from(table))) or 0


def actions(service: Service) -> list[str]:
    return service.journal.read(lambda store: list(store.scalars(select(tables.audit.c.action).order_by("seq"))))


def test_a_backlog_from_end_to_end(desk: TestClient, send: Send, finish: Finish, service: Service) -> None:
    sent = send(table(250, notes=ODD), now="2026-11-23T09:00:00+08:00").json()
    assert sent["state"] == "waiting"
    assert sent["parts"] == []
    told = finish(sent["id"])
    assert told["state"] == "done", told
    assert told["chunks"] == {"total": 3, "done": 3}
    assert told["rows"]["read"] == 250 == sum(told["rows"][name] for name in ("decided", "human", "rejected"))
    assert told["rate"] > 0
    reply = desk.get(f"/v1/batches/{sent['id']}/result")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert "filename*=utf-8''%E5%B7%A5%E5%8D%95" in reply.headers["content-disposition"]
    rows = rows_of(reply.content)
    assert [row["工单编号"] for row in rows] == [f"G{row}" for row in range(250)]
    assert [row["备注"] for row in rows[:10]] == list(ODD)
    assert {row["接诉_决定时间"] for row in rows} == {"2026-11-23T09:00:00+08:00"}
    assert all(row["接诉_类别编码"] for row in rows)
    assert actions(service)[-3:] == ["batch.create", "batch.done", "batch.result"]


def test_parts_and_ranges(desk: TestClient, send: Send, finish: Finish) -> None:
    broken = table(5) + "G9,坏的行,,,,多出来的\n".encode()
    batch = send(broken).json()["id"]
    told = finish(batch)
    assert told["rows"]["rejected"] == 1
    assert {"result", "rejects", "manifest"} <= set(told["parts"])
    rejects = desk.get(f"/v1/batches/{batch}/result?part=rejects")
    assert "坏的行" in rejects.text
    manifest = desk.get(f"/v1/batches/{batch}/result?part=manifest").json()
    assert manifest["counts"]["read"] == 6
    assert manifest["input"]["name"] == "工单.csv"
    part = desk.get(f"/v1/batches/{batch}/result", headers={"range": "bytes=3-12"})
    assert part.status_code == 206
    assert part.content == desk.get(f"/v1/batches/{batch}/result").content[3:13]
    assert desk.get(f"/v1/batches/{batch}/result?part=nothing").status_code == 422


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "parquet"])
def test_every_format_comes_out_of_a_workbook(desk: TestClient, send: Send, finish: Finish, kind: str) -> None:
    content = book([["工单编号", "诉求内容", "数"], *[[f"G{row}", TEXTS[row % 4], row] for row in range(20)]])
    batch = send(content, "../../积压 工单.xlsx", format=kind).json()
    assert batch["name"] == "积压 工单.xlsx"
    told = finish(batch["id"])
    assert told["state"] == "done", told
    reply = desk.get(f"/v1/batches/{batch['id']}/result")
    assert reply.status_code == 200
    magic = {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "jsonl": b"{", "parquet": b"PAR1"}[kind]
    assert reply.content.startswith(magic)


def test_formulas_are_escaped_where_that_is_asked_for(desk: TestClient, send: Send, finish: Finish) -> None:
    batch = send(table(4, notes=ODD[:4]), escape_formulas="true").json()["id"]
    assert finish(batch)["state"] == "done"
    rows = rows_of(desk.get(f"/v1/batches/{batch}/result").content)
    assert [row["备注"] for row in rows] == ["'=1+1", "'+86", "'-3", "'@sum"]


def test_a_dry_run_gives_a_report_and_no_result(desk: TestClient, send: Send, finish: Finish) -> None:
    batch = send(table(40), dry_run="true").json()["id"]
    told = finish(batch)
    assert told["state"] == "done", told
    assert "manifest" in told["parts"]
    assert "result" not in told["parts"]
    reply = desk.get(f"/v1/batches/{batch}/result")
    assert reply.status_code == 404
    assert "manifest" in reply.json()["detail"]


def test_the_file_itself_with_its_options_in_the_address(desk: TestClient, finish: Finish) -> None:
    lines = b"".join(json.dumps({"内容": text}, ensure_ascii=False).encode() + b"\n" for text in TEXTS)
    query = {"filename": "a.jsonl", "columns": '{"text": "内容"}', "profile": "wenjiang"}
    reply = desk.post("/v1/batches", content=lines, params=query, headers={"idempotency-key": "plain-1"})
    assert reply.status_code == 200, reply.text
    told = finish(reply.json()["id"])
    assert (told["state"], told["format"], told["rows"]["read"]) == ("done", "jsonl", 4)


def test_before_it_is_done_there_is_nothing_to_fetch(desk: TestClient, send: Send, worker: Any) -> None:
    batch = send(table(3)).json()["id"]
    assert desk.get(f"/v1/batches/{batch}/result").status_code == 409
    worker.work()
    told = desk.get(f"/v1/batches/{batch}").json()
    assert (told["state"], told["chunks"]) == ("running", {"total": 1, "done": 0})
    assert desk.get(f"/v1/batches/{batch}/result").status_code == 409


@pytest.mark.parametrize(
    ("content", "name", "fields", "words"),
    [
        (b"x", "a.exe", {}, "不认识"), (b"x", "passwd", {}, "不认识"), (b"x", "..", {}, "不认识"),
        (b"", "a.csv", {}, "空"),
        (b"a", "a.csv", {"profile": "nowhere"}, "nowhere"), (b"a", "a.csv", {"accuracy": "best"}, "accuracy"),
        (b"a", "a.csv", {"colour": "red"}, "colour"), (b"a", "a.csv", {"columns": "[]"}, "columns"),
        (b"a", "a.csv", {"columns": "{"}, "columns"), (b"a", "a.csv", {"now": "yesterday"}, "now"),
        (b"a", "a.csv", {"format": "docx"}, "format"), (b"a", "a.csv", {"dry_run": "perhaps"}, "dry_run"),
    ],
)  # fmt: skip
def test_what_can_be_seen_at_once_is_refused_at_once(
    settings: Settings, service: Service, send: Send, content: bytes, name: str, fields: dict[str, str], words: str
) -> None:
    reply = send(content, name, **fields)
    assert reply.status_code == 422
    assert words in reply.text
    assert folders(settings) == []
    assert count(service) == 0


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (book([["诉求内容"], ["路灯不亮"]])[:-200], "a.xlsx"), (b"PK\x03\x04junk", "a.xlsx"),
        (b"\x00" * 100, "a.parquet"), (b"a,b\n1,2\n", "a.csv"), ("诉求内容\n".encode(), "a.csv"), (b"[1]\n", "a.jsonl"),
        (table(3), "a.xlsx"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_fails_with_a_reason(send: Send, finish: Finish, content: bytes, name: str) -> None:
    told = finish(send(content, name).json()["id"])
    assert told["state"] == "failed"
    assert told["reason"]
    assert "upload" not in told["reason"]
    assert "/" not in told["reason"].replace("XLSX/", "")


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.csv", "..\\..\\evil.csv", "/etc/cron.d/x.csv", "a\x00b.csv", "c" * 400 + ".csv"]
)
def test_a_name_never_becomes_a_path(settings: Settings, desk: TestClient, name: str) -> None:
    headers = {"idempotency-key": "path-1"}
    reply = desk.post("/v1/batches", content=table(1), params={"filename": name}, headers=headers)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert not set("/\\\0") & set(told["name"])
    assert len(told["name"]) <= 200
    assert folders(settings) == [told["id"]]
    assert {path.name for path in (settings.home / "batches" / told["id"]).iterdir()} == {"upload.csv", "chunks"}


def test_a_bomb_fails_with_a_reason(send: Send, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(book([["诉求内容"], ["路灯不亮"]]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", bytes(3_000_000))
    monkeypatch.setattr(workbook, "UNPACKED", 2_000_000)
    told = finish(send(content.getvalue(), "a.xlsx").json()["id"])
    assert told["state"] == "failed"
    assert "a.xlsx" in told["reason"]


def test_only_the_owner_may_read_the_files(settings: Settings, send: Send) -> None:
    folder = settings.home / "batches" / send(table(1)).json()["id"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert (folder / "upload.csv").stat().st_mode & 0o777 == 0o600


def test_the_key_is_required_and_answers_alike(
    desk: TestClient, send: Send, settings: Settings, service: Service
) -> None:
    assert desk.post("/v1/batches", files={"file": ("a.csv", table(1))}).status_code == 400
    first, again = send(table(2), key="twice"), send(table(2), key="twice")
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert send(table(3), key="twice").status_code == 422
    assert send(table(2), key="twice", dry_run="true").status_code == 422
    assert count(service) == 1
    assert folders(settings) == [first.json()["id"]]


def test_the_size_has_a_limit_of_its_own(desk: TestClient, settings: Settings, service: Service) -> None:
    headers = {"idempotency-key": "large-1"}

    def pieces() -> Any:
        for _ in range(80):
            yield b"x" * 65_536

    for content in (b"x" * (settings.max_upload + 1), pieces()):
        reply = desk.post("/v1/batches", content=content, params={"filename": "a.csv"}, headers=headers)
        assert reply.status_code == 413
        assert str(settings.max_upload) in reply.json()["detail"]
    assert folders(settings) == []
    assert count(service) == 0


def test_more_than_the_general_limit_is_taken(tmp_path: Path, settings: Settings, decider: Any) -> None:
    wide = settings.model_copy(update={"max_body": 1024, "max_upload": 32 * 1024 * 1024})
    with TestClient(create_app(wide, decider)) as client:
        headers, content = {"idempotency-key": "wide-1"}, table(20_000)
        assert client.post("/v1/batches", files={"file": ("a.csv", content)}, headers=headers).status_code == 200
        assert client.post("/v1/decisions", content=b" " * 2000).status_code == 413


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"]
)
def test_a_form_that_is_none_is_told(desk: TestClient, settings: Settings, header: str) -> None:
    for content in (b"", b"--x\r\n", b"--x\r\ncontent-disposition: form-data\r\n\r\n1\r\n--x--", b"\xff" * 1000):
        reply = desk.post("/v1/batches", content=content, headers={"content-type": header, "idempotency-key": "form-1"})
        assert reply.status_code in {400, 422}
        assert reply.json()["detail"]
    assert folders(settings) == []


def test_two_files_and_twice_the_same_field_are_refused(desk: TestClient) -> None:
    headers = {"idempotency-key": "two-1"}
    two = [("file", ("a.csv", table(1))), ("other", ("b.csv", table(1)))]
    assert "一个文件" in desk.post("/v1/batches", files=two, headers=headers).json()["detail"]
    twice = [("file", ("a.csv", table(1))), ("profile", (None, "plain")), ("profile", (None, "plain"))]
    assert "两次" in desk.post("/v1/batches", files=twice, headers=headers).json()["detail"]
    long = [("file", ("a.csv", table(1))), ("profile", (None, "x" * 70_000))]
    assert desk.post("/v1/batches", files=long, headers=headers).status_code == 422


def test_a_full_disk_is_told(desk: TestClient, settings: Settings, service: Service) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 1024 * 1024, before[1]))
    try:
        headers = {"idempotency-key": "full-1"}
        reply = desk.post("/v1/batches", content=b"x" * 3_000_000, params={"filename": "a.csv"}, headers=headers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert reply.status_code == 507
    assert "磁盘满" in reply.json()["detail"]
    assert folders(settings) == []
    assert count(service) == 0


def test_what_would_not_fit_is_refused_unread(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.batches.upload.TIMES", 1 << 50)
    headers = {"idempotency-key": "full-2"}
    reply = desk.post("/v1/batches", content=b"x" * 1000, params={"filename": "a.csv"}, headers=headers)
    assert reply.status_code == 507


def test_cancel_removes_the_files_and_can_be_repeated(
    desk: TestClient, send: Send, settings: Settings, service: Service, worker: Any
) -> None:
    batch = send(table(250)).json()["id"]
    worker.work()
    worker.work()
    for _ in range(2):
        assert desk.delete(f"/v1/batches/{batch}").json()["state"] == "cancelled"
    assert folders(settings) == []
    assert count(service, tables.batch_jobs) == 0
    assert worker.work() is False
    assert desk.get(f"/v1/batches/{batch}/result").status_code == 404


def test_a_batch_that_is_done_loses_its_files_alone(
    desk: TestClient, send: Send, settings: Settings, finish: Finish
) -> None:
    batch = send(table(3)).json()["id"]
    finish(batch)
    assert desk.delete(f"/v1/batches/{batch}").json()["state"] == "done"
    assert folders(settings) == []
    assert desk.get(f"/v1/batches/{batch}/result").status_code == 404


@pytest.mark.parametrize("batch", ["x", "%00", "01J00000000000000000000000", "..%2f..%2fetc", "'%20or%201=1"])
def test_what_is_not_there_is_not_there(desk: TestClient, batch: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/result")):
        assert desk.request(method, f"/v1/batches/{batch}{path}").status_code == 404


def test_a_key_sees_only_its_own(settings: Settings, decider: Any) -> None:
    with TestClient(create_app(settings.model_copy(update={"insecure": False}), decider)) as client:
        app: Any = client.app
        service: Service = app.state.service
        keys = Keys(service.journal, service.secret)
        mine, other, operator = (
            {"x-api-key": keys.create(scope, name)}
            for name, scope in (("a", Scope.batch), ("b", Scope.admin), ("c", Scope.operator))
        )
        sent = client.post("/v1/batches", files={"file": ("a.csv", table(1))}, headers=mine | {"idempotency-key": "k"})
        batch = sent.json()["id"]
        assert [one["id"] for one in client.get("/v1/batches", headers=mine).json()["batches"]] == [batch]
        assert client.get("/v1/batches", headers=other).json() == {"batches": []}
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/result")):
            assert client.request(method, f"/v1/batches/{batch}{path}", headers=other).status_code == 404
            assert client.request(method, f"/v1/batches/{batch}{path}", headers=operator).status_code == 403
            assert client.request(method, f"/v1/batches/{batch}{path}").status_code == 401
        assert client.get(f"/v1/batches/{batch}", headers=mine).json()["state"] == "waiting"


def test_no_text_is_in_the_store(send: Send, finish: Finish, service: Service) -> None:
    finish(send(table(8)).json()["id"])
    url = service.journal.engine.url
    if url.get_backend_name() == "sqlite":
        kept = b"".join(path.read_bytes() for path in Path(str(url.database)).parent.glob("store.db*"))
        assert not any(text.encode() in kept for text in TEXTS)


def test_the_upload_is_on_disk_before_it_is_told(
    send: Send, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or real(handle))
    assert send(table(2)).status_code == 200
    assert synced


def test_what_was_tried_is_done_without_sending_it_again(desk: TestClient, send: Send, finish: Finish) -> None:
    tried = send(table(40), dry_run="true", now="2026-11-23T09:00:00+08:00").json()["id"]
    assert finish(tried)["state"] == "done"
    headers = {"idempotency-key": "again-1"}
    sent = desk.post(f"/v1/batches/{tried}/again", json={"dry_run": False, "format": "jsonl"}, headers=headers)
    assert sent.status_code == 200, sent.text
    batch = sent.json()
    assert (batch["origin"], batch["dry_run"], batch["format"]) == (tried, False, "jsonl")
    assert (
        desk.post(f"/v1/batches/{tried}/again", json={"dry_run": False, "format": "jsonl"}, headers=headers).json()
        == batch
    )
    assert desk.delete(f"/v1/batches/{tried}").json()["removed_at"]  # its own share of the file stays
    assert finish(batch["id"])["state"] == "done"
    lines = desk.get(f"/v1/batches/{batch['id']}/result").content.splitlines()
    assert len(lines) == 40
    assert json.loads(lines[0])["jiesu_decided_at"] == "2026-11-23T09:00:00+08:00"


def test_a_file_is_not_kept_for_longer_by_using_it_again(desk: TestClient, send: Send, service: Service) -> None:
    first = send(table(3)).json()["id"]

    def again(batch: str) -> httpx.Response:
        return desk.post(f"/v1/batches/{batch}/again", content=b"{}", headers={"idempotency-key": f"again-{batch}"})

    second = again(first).json()["id"]
    third = again(second).json()["id"]
    sent, last = (service.journal.read(lambda store, one=one: queue.find(store, one)) for one in (first, third))
    assert sent
    assert last
    assert last.uploaded == sent.at
    old = last.asked.model_copy(update={"uploaded": sent.at - 7 * DAY}).model_dump_json().encode()
    values = update(tables.batches).where(tables.batches.c.id == third).values(asked=old)
    service.journal.write_now(lambda unit: unit.connection.execute(values))
    refused = again(third)
    assert refused.status_code == 404
    assert "7 天" in refused.json()["detail"]


def test_other_columns_are_tried_with_the_same_file(desk: TestClient, send: Send, finish: Finish) -> None:
    first = send(table(5, head=("号", "甲", "乙", "丙", "丁"))).json()["id"]
    told = finish(first)
    columns = {"text": "甲", "category": ["乙"]}
    headers = {"idempotency-key": "again-2"}
    second = desk.post(f"/v1/batches/{first}/again", json={"columns": columns, "dry_run": True}, headers=headers).json()
    assert finish(second["id"])["state"] == "done", told


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (b"[]", 422), (b'{"dry_run": "x"}', 422), (b'{"more": 1}', 422), (b'{"profile": "nowhere"}', 422)],
)
def test_what_cannot_be_meant_by_again_is_told(desk: TestClient, send: Send, body: bytes, status: int) -> None:
    first = send(table(3)).json()["id"]
    reply = desk.post(f"/v1/batches/{first}/again", content=body, headers={"idempotency-key": "again-3"})
    assert reply.status_code == status, reply.text


def test_a_file_that_is_gone_must_be_sent_anew(desk: TestClient, send: Send, settings: Settings) -> None:
    first = send(table(3)).json()["id"]
    desk.delete(f"/v1/batches/{first}")
    reply = desk.post(f"/v1/batches/{first}/again", content=b"{}", headers={"idempotency-key": "again-4"})
    assert reply.status_code == 404
    assert "请重新上传" in reply.json()["detail"]
    assert folders(settings) == []
    assert desk.post(f"/v1/batches/{first}/again", content=b"{}").status_code == 400
