"""The data desk, as somebody uses it: from a workbook to another model that decides, and back; labels by keyboard."""

from __future__ import annotations

import io
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from playwright.sync_api import Page, expect

from corpora.petitions import default_taxonomy, read_rows
from serving.desk.data import notes
from serving.desk.data.folder import Folder
from tests.system.browser import PHONE
from tests.system.desk.conftest import Visit
from tests.system.office import TEXTS, Office

pytestmark = pytest.mark.system
CLASSES, EACH = 5, 32
LONG = 900_000  # milliseconds that a retraining may take on a busy machine
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = ("诉求标题", "诉求内容", "诉求分类")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home: Path = tmp_path_factory.mktemp("data") / "home"
    home.mkdir()
    with Office(home, JIESU_WORKERS="1", JIESU_BATCH_WORKERS="0") as opened:
        yield opened


def tickets() -> list[tuple[str, str, str]]:
    """Own petitions of the most frequent upper categories; one label in four is wrong."""
    paths, rows = default_taxonomy().paths, read_rows()[::7]
    upper = [paths[row.category][0] for row in rows]
    common = [name for name, _ in Counter(upper).most_common(CLASSES)]
    taken: Counter[str] = Counter()
    found = []
    for row, name in zip(rows, upper, strict=True):
        if name in common and taken[name] < EACH:
            taken[name] += 1
            wrong = common[(common.index(name) + 1) % CLASSES]
            found.append((row.title, row.text, wrong if taken[name] % 4 == 0 else name))
    return found


def workbook(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate((head, *rows)):
            for column, value in enumerate(row):
                sheet.write_string(line, column, value)
    return out.getvalue()


def upload(page: Page, name: str, content: bytes) -> None:
    page.goto("/data")
    page.set_input_files("#file", {"name": name, "mimeType": XLSX, "buffer": content})


def ended(page: Page, state: str = "完成") -> None:
    """Watch an errand until it has ended so."""
    expect(page.locator("#errand .state").first).to_have_text(re.compile("完成|没有做成|已取消"), timeout=LONG)
    expect(page.locator("#errand .state").first).to_have_text(state)


def current(office: Office) -> str:
    """The model that decides."""
    told: dict[str, Any] = httpx.get(f"{office.url}/v1/models/current", timeout=30).json()
    return str(told["name"] if "name" in told else told["model"])


def until(office: Office, model: str) -> None:
    begun = time.monotonic()
    while current(office) != model:
        assert time.monotonic() - begun < 120
        time.sleep(0.2)


def test_wrong_files_are_told_in_words(visit: Visit) -> None:
    page = visit().page
    for name, content, told in (
        ("照片.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(100), "照片.xlsx：不是可读的 XLSX"),
        ("空的.csv", b"", "空的.csv：是空的"),
        ("只有表头.csv", "诉求内容,诉求分类\n".encode(), "只有表头，没有数据行"),
        ("合同.pdf", b"%PDF-1.4", "不认识的文件类型"),
    ):
        upload(page, name, content)
        expect(page.locator("#upload .error")).to_contain_text(told)
    upload(page, "没有正文.csv", "甲,乙\n1,2\n3,4\n5,6\n".encode())
    page.wait_for_url("**/data/uploads/*")
    expect(page.get_by_role("alert").first).to_contain_text("找不到正文列")
    expect(page.get_by_role("button", name="开始训练")).to_be_disabled()
    page.get_by_label("正文").select_option("甲")
    page.get_by_label("类别").select_option("乙")
    page.get_by_role("button", name="按这样重新看").click()
    expect(page.get_by_text("人指定的").first).to_be_visible()
    expect(page.get_by_role("button", name="开始训练")).to_be_enabled()


def test_from_a_workbook_to_another_model_and_back(visit: Visit, office: Office) -> None:
    visitor = visit()
    page, before = visitor.page, current(office)
    page.on("dialog", lambda dialog: dialog.accept())
    upload(page, "十月工单.xlsx", workbook(tickets()))
    page.wait_for_url("**/data/uploads/*")
    expect(page.get_by_label("正文")).to_have_value("诉求内容")
    visitor.accessible()

    page.get_by_role("button", name="抽出并冻结").click()
    page.wait_for_url("**/data/errands/*")
    ended(page)
    page.goto("/data")
    page.get_by_role("link", name="十月工单.xlsx", exact=True).click()
    page.get_by_label("快：").check()
    page.get_by_role("button", name="开始训练").click()
    page.wait_for_url("**/data/errands/*")
    expect(page.locator("#errand progress")).to_be_visible(timeout=60_000)
    page.goto("/data")
    visitor.accessible()
    visitor.shot("data")
    page.get_by_role("link", name="重新训练 · 十月工单.xlsx").click()
    ended(page)
    report = page.frame_locator("iframe.report")
    expect(report.get_by_role("heading", name="模型报告")).to_be_visible()
    visitor.shot("data-report")
    with page.expect_download() as saved:
        page.get_by_role("link", name="report.json").click()
    assert saved.value.suggested_filename == "report.json"
    made = page.locator("#made-title .tag").inner_text()
    trained = page.url

    promoted(visitor, office, made)

    page.goto("/data/models")
    visitor.accessible()
    page.get_by_label("退回的原因").fill("类别太粗")
    page.get_by_role("button", name="退回上一个模型").click()
    page.wait_for_url("**/data/errands/*")
    ended(page)
    until(office, before)
    page.goto("/data/models")
    expect(page.get_by_text("先试用一周")).to_be_visible()
    expect(page.get_by_text("类别太粗")).to_be_visible()

    doubt(office, trained.rpartition("/")[2])
    page.goto(trained)
    page.get_by_role("link", name="改定可疑的标签").click()
    settled(page, visitor)


def promoted(visitor: Any, office: Office, made: str) -> None:
    """Put a model in use by force, and see the service change over."""
    page, trained = visitor.page, visitor.page.url
    page.get_by_text("强制换上", exact=True).click()
    page.get_by_label("强制换上的原因").fill("先试用一周")
    page.get_by_role("button", name="没有通过也换上").click()
    page.wait_for_url(lambda url: url != trained)
    ended(page)
    expect(page.get_by_role("heading", name="与在用的模型比较")).to_be_visible()
    visitor.accessible()
    until(office, made)
    decided = httpx.post(
        f"{office.url}/v1/decisions", json={"petitions": [{"id": "1", "text": "路灯不亮"}]}, timeout=60
    ).json()["decisions"][0]
    assert decided["model"] == made


def doubt(office: Office, errand: str) -> None:
    """Three doubted labels more: whether a tenth of so few rows holds any is chance."""
    one, other = sorted({row[2] for row in tickets()})[:2]
    told = {"given": one, "suggested": other, "confidence": 0.1, "instead": 0.8, "title": "路灯不亮", "text": TEXTS[0]}
    for line in (2, 3, 4):
        notes.add(Folder(office.home / "desk").suspects(errand), {"task": "category", "line": line, **told})


def settled(page: Page, visitor: Any) -> None:
    """Keep one doubted label, change another by its key, and a third by the search."""
    expect(page.locator("#settle-title")).to_contain_text("的类别")
    visitor.accessible()
    visitor.shot("data-suspects")
    page.keyboard.press("1")
    expect(page.locator("#count")).to_contain_text("做了 1 件")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#keep")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    expect(page.locator("#count")).to_contain_text("第 2 件")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#change")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="用这份数据再训练").click()
    expect(page.get_by_text("人改定的标签会用上：1 个")).to_be_visible()


def test_what_to_label_next_by_keyboard(visit: Visit, office: Office) -> None:
    visitor = visit()
    page = visitor.page
    upload(page, "没标的.xlsx", workbook([row[:2] for row in tickets()[:30]], HEAD[:2]))
    page.wait_for_url("**/data/uploads/*")
    page.get_by_label("多少件").fill("5")
    page.get_by_role("button", name="挑出来").click()
    page.wait_for_url("**/data/errands/*")
    ended(page)
    page.get_by_role("link", name="开始标").click()
    expect(page.locator("#guesses button")).to_have_count(5)
    visitor.accessible()
    visitor.shot("data-label")
    page.keyboard.press("2")
    expect(page.locator("#count")).to_contain_text("第 2 件，共 5 件，做了 1 件")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="找别的类别")).to_be_focused()
    page.keyboard.type("漏水")
    expect(page.get_by_role("option").first).to_contain_text("漏水")
    visitor.accessible()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_contain_text("做了 2 件")
    page.keyboard.press("s")
    expect(page.locator("#count")).to_contain_text("第 4 件，共 5 件，做了 3 件")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#said")).to_contain_text("已标为 漏水")
    page.reload()
    expect(page.locator("#count")).to_contain_text("第 4 件，共 5 件，做了 3 件")
    with page.expect_download() as saved:
        page.get_by_role("link", name="导出标好的").click()
    assert len(Path(saved.value.path()).read_bytes().splitlines()) == 2


def test_a_restart_in_the_middle_loses_nothing_and_a_cancel_ends_it(visit: Visit, office: Office) -> None:
    page = visit().page
    upload(page, "要取消的.xlsx", workbook(tickets()))
    page.wait_for_url("**/data/uploads/*")
    page.get_by_role("button", name="开始训练").click()
    page.wait_for_url("**/data/errands/*")
    expect(page.locator("#errand .state").first).to_have_text("进行中", timeout=60_000)
    office.stop()
    expect(page.locator("#notice")).to_contain_text("正在重连")
    office.start()
    expect(page.locator("#notice")).to_be_hidden(timeout=60_000)
    expect(page.locator("#errand .state").first).to_have_text("进行中", timeout=60_000)
    page.get_by_role("button", name="取消").click()
    ended(page, "已取消")


def test_on_a_phone(visit: Visit) -> None:
    visitor = visit(viewport=PHONE)
    for path in ("/data", "/data/models", "/data/label", "/data/opinions"):
        visitor.page.goto(path)
        visitor.accessible()
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_service_that_is_gone_is_told_and_nothing_is_lost(visit: Visit, office: Office) -> None:
    page = visit().page
    upload(page, "工单.xlsx", workbook(tickets()))
    page.wait_for_url("**/data/uploads/*")
    page.get_by_label("多少件").fill("7")
    office.stop()
    page.get_by_role("button", name="挑出来").click()
    expect(page.locator("#notice")).to_contain_text("正在重连")
    office.start()
    page.wait_for_url("**/data/errands/*", timeout=60_000)
    ended(page)
