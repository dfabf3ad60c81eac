"""What the tests of the data desk share: tables as they come, and errands in whatever state."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import xlsxwriter
from fastapi.testclient import TestClient

from serving.access.scope import Scope
from serving.access.who import Who
from serving.desk.data.folder import Folder
from serving.errands import queue
from serving.errands.errand import DONE, Errand
from serving.service import Service

HEAD = ("诉求标题", "诉求内容", "诉求分类", "联系人")
ROWS = (
    ("路灯不亮", "小区门口的路灯不亮，晚上看不见路，请打13812345678", "市政", "王小明"),
    ("漏水", "楼上卫生间漏水到我家，物业不管", "住房", "李华"),
    ("噪声", "工地半夜还在打桩，孩子睡不着", "环境", "赵强"),
    ("垃圾", "垃圾桶满了没有人倒，臭得开不了窗", "环境", "孙丽"),
)
ROWS = ROWS * 3
WHO = Who("k1", "张敏", Scope.data)
AT = 1_790_000_000_000
Send = Callable[..., httpx.Response]
Put = Callable[..., Errand]


def csv(head: Sequence[str] = HEAD, rows: Iterable[Sequence[str]] = ROWS) -> bytes:
    return "\n".join(",".join(row) for row in (head, *rows)).encode()


def xlsx(head: Sequence[str] = HEAD, rows: Iterable[Sequence[str]] = ROWS) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate((head, *rows)):
            for column, value in enumerate(row):
                sheet.write_string(line, column, value)
    return out.getvalue()


@pytest.fixture
def send(desk: TestClient) -> Send:
    """Somebody who sends files."""

    def sent(content: bytes, name: str = "工单.csv") -> httpx.Response:
        headers = {"content-type": "application/octet-stream"}
        return desk.post(f"/data/uploads?filename={quote(name)}", content=content, headers=headers)

    return sent


@pytest.fixture
def folder(service: Service) -> Folder:
    found = Folder.of(service.settings)
    found.make()
    return found


@pytest.fixture
def put(service: Service) -> Put:
    """An errand as it stands in the store."""

    def puts(kind: str, name: str = "工单.csv", state: str = DONE, asked: Any = None, **more: Any) -> Errand:
        errand = replace(Errand.new(WHO, AT, kind, name, asked or {}), state=state, **more)
        service.journal.write_now(lambda unit: queue.put(unit, errand))
        return errand

    return puts
