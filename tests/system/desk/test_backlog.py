"""The backlog desk as its people use it: a file and a table, tried, changed and taken back; and all that goes wrong."""

from __future__ import annotations

import io
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.system.browser import PHONE
from tests.system.desk.conftest import Visit
from tests.system.desk.test_signin import key_of
from tests.system.office import Office

pytestmark = pytest.mark.system
HEAD = ("工单编号", "诉求内容", "一级分类", "受理时间", "备注")
TEXTS = (
    "小区门口的路灯不亮，晚上看不见路",
    "楼上卫生间漏水到我家，物业不管",
    "工地半夜还在打桩，孩子睡不着",
    "垃圾桶满了没有人倒，臭得开不了窗",
)
OLD = ("市政", "住房", "环保", "城管")
LIST = (
    '[[table]]\nname = "热线积压"\nurl = "sqlite:///{path}"\ntable = "petition"\nmap = {{category_name = "一级分类"}}\n'
)
LONG = 240_000  # milliseconds that a batch may take on a busy machine


def tickets(rows: int) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet("工单")
        sheet.write_row(0, 0, HEAD)
        for row in range(rows):
            told = (f"G{row}", TEXTS[row % 4], OLD[row % 4], f"2026-11-{row % 20 + 1:02} 09:00:00", "")
            sheet.write_row(row + 1, 0, told)
    return out.getvalue()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hotline") / "hotline.db"
    with sqlite3.connect(path) as made:
        made.execute("create table petition (id integer primary key, 内容 text, 一级分类 text, 受理时间 text)")
        rows = [(row, TEXTS[row % 4], OLD[row % 4], "2026-11-20 09:00:00") for row in range(200)]
        made.executemany("insert into petition values (?, ?, ?, ?)", rows)
    return path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("backlog") / "home"
    home.mkdir()
    tables = home.parent / "tables.toml"
    tables.write_text(LIST.format(path=database), encoding="utf-8")
    with Office(home, insecure=False, JIESU_WORKERS="1", JIESU_TABLES=str(tables)) as opened:
        yield opened


@pytest.fixture(scope="module")
def key(office: Office) -> str:
    return key_of(office, "batch", "数据科")


@pytest.fixture
def page(visit: Visit, key: str) -> Page:
    visitor = visit()
    assert visitor.context.request.post("/login", data={"key": key}).ok
    visitor.page.on("dialog", lambda dialog: dialog.accept())
    visitor.page.goto("/backlog")
    return visitor.page


def upload(page: Page, name: str, content: bytes) -> None:
    page.get_by_label("把文件拖到这里").set_input_files({"name": name, "mimeType": "", "buffer": content})
    page.get_by_role("button", name="上传并试运行").click()


def opened(page: Page) -> None:
    page.wait_for_url(re.compile(r"/backlog/[0-9A-Z]{26}$"))


def test_a_workbook_from_the_trial_to_the_result_and_back(visit: Visit, key: str) -> None:
    visitor = visit()
    page = visitor.page
    assert visitor.context.request.post("/login", data={"key": key}).ok
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/backlog")
    visitor.accessible()
    visitor.shot("backlog")
    upload(page, "积压 工单.xlsx", tickets(300))
    opened(page)
    report = page.frame_locator("iframe.report")
    expect(report.get_by_role("heading", name="变更报告")).to_be_visible(timeout=LONG)
    expect(report.get_by_text("共读 300 行")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("看变更报告")
    visitor.accessible()
    visitor.shot("backlog-report")
    with page.expect_download() as review:
        page.get_by_role("link", name="抽查样本").click()
    assert review.value.suggested_filename == "积压 工单.复核.xlsx"
    page.get_by_role("button", name="正式办").click()
    expect(page.get_by_role("link", name="下载结果")).to_be_visible(timeout=LONG)
    with page.expect_download() as result:
        page.get_by_role("link", name="下载结果").click()
    rows = CalamineWorkbook.from_path(result.value.path()).get_sheet_by_name("工单").to_python()
    assert len(rows) == 301
    assert tuple(rows[0][:5]) == HEAD
    assert [row[0] for row in rows[1:]] == [f"G{row}" for row in range(300)]
    place = rows[0].index("接诉_类别编码")
    assert rows[2][place] == "leak"
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("已撤回：结果和报告都删去了")).to_be_visible()
    assert page.get_by_role("link", name="下载结果").count() == 0
    page.get_by_role("link", name="看它的试运行").click()
    expect(page.get_by_role("button", name="正式办")).to_be_visible()  # it could be done once more


def test_other_columns_are_chosen_after_the_trial(page: Page) -> None:
    upload(
        page,
        "两列.csv",
        "号,甲,乙\n".encode() + "".join(f"{n},{TEXTS[n % 4]},{OLD[n % 4]}\n" for n in range(40)).encode(),
    )
    opened(page)
    expect(page.locator("iframe.report")).to_be_visible(timeout=LONG)
    page.get_by_text("哪一列是什么").click()
    expect(page.get_by_text("猜的，请看对不对")).to_be_visible()
    first = page.url
    page.get_by_label("类别", exact=True).fill("乙")
    page.get_by_role("button", name="按这样再试一次").click()
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("iframe.report")).to_be_visible(timeout=LONG)
    page.get_by_text("哪一列是什么").click()
    expect(page.get_by_label("类别", exact=True)).to_have_value("乙")


@pytest.mark.parametrize(
    ("name", "content", "told", "at_once"),
    [
        ("照片.png", b"\x89PNG\r\n\x1a\n", "不认识的文件类型", True),
        ("空.csv", b"", "是空的", True),
        ("照片.xlsx", b"\x89PNG\r\n\x1a\n" + b"0" * 2000, "没办成：", False),
        ("无正文.csv", "甲,乙\n1,2\n3,4\n".encode(), "找不到正文列", False),
        ("只有表头.csv", "诉求内容\n".encode(), "没有数据行", False),
    ],
)
def test_a_wrong_file_is_told_plainly(page: Page, name: str, content: bytes, told: str, at_once: bool) -> None:
    upload(page, name, content)
    if not at_once:
        opened(page)
    expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible(timeout=LONG)
    if at_once:
        assert page.url.endswith("/backlog")


def test_a_batch_is_cancelled(page: Page, office: Office) -> None:
    upload(page, "取消.xlsx", tickets(30_000))
    opened(page)
    page.get_by_role("button", name="取消").click()
    expect(page.locator(".state-cancelled").first).to_be_visible()
    folder = office.home / "batches" / page.url.rpartition("/")[2]
    assert not folder.exists()


def test_a_restart_in_the_middle_loses_nothing(page: Page, office: Office) -> None:
    upload(page, "重启.xlsx", tickets(2_500))
    opened(page)
    expect(page.get_by_text(re.compile("判到第 [1-9]"))).to_be_visible(timeout=LONG)
    os.kill(office.pid, signal.SIGKILL)
    expect(page.get_by_text("连不上服务，正在重连")).to_be_visible()
    office.stop()
    office.start()
    expect(page.locator("iframe.report")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("2,500").first).to_be_visible()


def test_a_session_that_ended_before_the_upload_is_begun_anew(page: Page, key: str) -> None:
    page.context.clear_cookies()
    upload(page, "过期.xlsx", tickets(20))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("密钥").fill(key)
    dialog.get_by_role("button", name="登录").click()
    opened(page)


def test_an_upload_while_the_network_is_gone_goes_on_when_it_is_back(page: Page) -> None:
    page.context.set_offline(True)
    upload(page, "断线.xlsx", tickets(20))
    expect(page.locator("#notice")).to_contain_text("连不上服务")
    page.context.set_offline(False)
    opened(page)


def test_a_table_is_tried_changed_and_taken_back(visit: Visit, key: str, database: Path) -> None:
    visitor = visit()
    page = visitor.page
    assert visitor.context.request.post("/login", data={"key": key}).ok
    page.on("dialog", lambda dialog: dialog.accept())
    before = rows_of(database)
    page.goto("/backlog")
    page.get_by_role("button", name="试运行 热线积压").click()
    page.wait_for_url(re.compile("/backlog/changes/"))
    report = page.frame_locator("iframe.report")
    expect(report.get_by_text("共读 200 行")).to_be_visible(timeout=LONG)
    assert rows_of(database) == before
    assert "sqlite:" not in page.content() + page.frames[-1].content()
    page.get_by_role("button", name="改表").click()
    expect(page.get_by_text("表已经改好")).to_be_visible(timeout=LONG)
    changed = rows_of(database)
    assert changed[1][2] != "住房"
    with sqlite3.connect(database) as other:
        other.execute("update petition set 一级分类 = '有人改过' where id = 3")
    visitor.accessible()
    visitor.shot("backlog-table")
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("已撤回：改过的行还原了")).to_be_visible(timeout=LONG)
    after = rows_of(database)
    assert [row[:4] for row in after if row[0] != 3] == [row for row in before if row[0] != 3]
    assert after[3][2] == "有人改过"


def rows_of(database: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(database) as opened_:
        return list(opened_.execute("select * from petition order by id"))


def test_it_fits_a_phone_and_speaks_english(visit: Visit, key: str) -> None:
    visitor = visit(viewport=PHONE)
    page = visitor.page
    assert visitor.context.request.post("/login", data={"key": key}).ok
    page.goto("/backlog?lang=en")
    expect(page.get_by_role("heading", name="Backlog", exact=True)).to_be_visible()
    visitor.accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/backlog?lang=zh")
    page.locator("#batches a").first.click()
    opened(page)
    visitor.accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_that_are_not_for_backlogs_are_told_so(visit: Visit, office: Office) -> None:
    visitor = visit()
    assert visitor.context.request.post("/login", data={"key": key_of(office, "operator")}).ok
    reply = visitor.page.goto("/backlog")
    assert reply is not None
    assert reply.status == 403
    assert "不能做这件事" in visitor.page.get_by_role("main").inner_text()


def test_a_sign_in_in_another_window_does_not_stop_an_upload(page: Page, key: str) -> None:
    assert page.context.request.post("/login", data={"key": key}).ok
    upload(page, "工单.xlsx", tickets(3))
    opened(page)
