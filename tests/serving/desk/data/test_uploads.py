"""Files come in, wrong ones are told in words, and what is known of them can be changed and removed."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from serving.desk.data.folder import Folder
from serving.service import Service
from serving.store import tables
from tests.serving.desk.data.conftest import Send, csv, xlsx


def test_a_file_comes_in_and_only_its_owner_may_read_it(desk: TestClient, send: Send, folder: Folder) -> None:
    reply = send(xlsx(), "十月工单.xlsx")
    assert reply.status_code == 200, reply.text
    page = desk.get(reply.json()["to"])
    assert "十月工单.xlsx" in page.text
    assert "[手机号]" in page.text
    assert "13812345678" not in page.text
    assert "王小明" not in page.text
    held = sorted((folder.root / "uploads").iterdir())
    assert [path.suffix for path in held] == [".json", ".xlsx"]
    assert {path.stat().st_mode & 0o777 for path in held} == {0o600}
    assert "13812345678" not in held[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"\x89PNG\r\n\x1a\n", "图.xlsx", "图.xlsx：不是可读的 XLSX"),
        (b"", "空.csv", "空.csv：是空的"),
        (csv(rows=()), "头.csv", "头.csv：只有表头"),
        (csv(), "工单.pdf", "不认识的文件类型"),
        (csv(), "", "没有给文件名"),
    ],
)
def test_a_wrong_file_is_told_and_not_kept(send: Send, folder: Folder, content: bytes, name: str, told: str) -> None:
    reply = send(content, name)
    assert reply.status_code == 422
    assert told in reply.json()["detail"]
    assert str(folder.root) not in reply.text
    assert not list((folder.root / "uploads").iterdir())


def test_columns_are_named_by_hand(desk: TestClient, send: Send) -> None:
    to = send(csv(("甲", "乙"), [(f"{row}", f"{row % 2}") for row in range(9)])).json()["to"]
    assert "找不到正文列" in desk.get(to).text
    assert desk.post(f"{to}/columns", json={"columns": {"text": ["甲"], "category": ["乙"]}}).status_code == 200
    page = desk.get(to).text
    assert "找不到正文列" not in page
    assert "人指定的" in page
    assert desk.post(f"{to}/columns", json={"columns": {"colour": ["甲"]}}).status_code == 422
    assert "没有列" in desk.get(to).text or desk.post(f"{to}/columns", json={"columns": {"text": ["丙"]}}).is_success


def test_an_upload_is_removed_with_all_that_is_known_of_it(
    desk: TestClient, send: Send, folder: Folder, service: Service
) -> None:
    to = send(csv()).json()["to"]
    assert desk.delete(to).json() == {"to": "/data"}
    assert not list((folder.root / "uploads").iterdir())
    assert desk.get(to).status_code == 404
    done = service.journal.read(lambda store: store.execute(select(tables.audit.c.action)).scalars().all())
    assert [action for action in done if action.startswith("upload.")] == ["upload.create", "upload.remove"]


def test_a_name_is_kept_masked(desk: TestClient, send: Send, folder: Folder, service: Service) -> None:
    reply = send(csv(), "王小明 13812345678.csv")
    assert reply.status_code == 200, reply.text
    assert "[手机号].csv" in desk.get(reply.json()["to"]).text
    assert "13812345678" not in (folder.root / "uploads" / f"{reply.json()['id']}.json").read_text(encoding="utf-8")
    details = service.journal.read(lambda store: store.execute(select(tables.audit_details.c.content)).scalars().all())
    assert "13812345678" not in str(details)


@pytest.mark.parametrize(
    "content", [b"", b'{"id": 1', b"[]", b"null", b'{"id": "x"}', b'{"look": {"odd": 1}}', b"\xff"]
)
def test_one_that_cannot_be_read_does_not_hide_the_others(
    desk: TestClient, send: Send, folder: Folder, content: bytes
) -> None:
    good, bad = (send(csv(), name).json()["id"] for name in ("好.csv", "坏.csv"))
    (folder.root / "uploads" / f"{bad}.json").write_bytes(content)
    page = desk.get("/data")
    assert (page.status_code, good in page.text, bad in page.text) == (200, True, False)
    assert desk.get(f"/data/uploads/{bad}").status_code == 404


@pytest.mark.parametrize("id_", ["%2e%2e", "x", "a%00b", "%00", "01J" + 23 * "0", "%2e%2e%2fstore"])
def test_what_is_not_there(desk: TestClient, id_: str) -> None:
    assert desk.get(f"/data/uploads/{id_}").status_code == 404
    assert desk.get(f"/data/errands/{id_}").status_code == 404
