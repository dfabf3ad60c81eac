"""The backlog desk: what is found in a file, tables as they are listed, changes and what may follow."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from nlp.decider import Decider
from nlp.errors import RefusedData
from serving.access.who import INSECURE
from serving.app import create_app
from serving.batches.bench import Bench
from serving.batches.folder import Folder
from serving.batches.lease import Pace
from serving.batches.worker import Tools, Worker
from serving.desk.backlog.changes import LISTED, Change, Changes, NotNow
from serving.desk.backlog.errands import APPLY, PREVIEW, UNDO
from serving.desk.backlog.found import found
from serving.desk.backlog.report import framed
from serving.desk.backlog.tables import Tables
from serving.desk.tongue import ENGLISH, words
from serving.errands import queue
from serving.errands.errand import CANCELLED, DONE, FAILED, RUNNING, Errand
from serving.settings import Settings
from tests.serving.batches.conftest import TEXTS, table

TABLE = '[[table]]\nname = "积压工单"\nurl = "{url}"\ntable = "petition"\n'


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    database = tmp_path / "hotline.db"
    with sqlite3.connect(database) as made:
        made.execute("create table petition (id integer primary key, 内容 text)")
    path = tmp_path / "tables.toml"
    path.write_text(TABLE.format(url=f"sqlite:///{database}"), encoding="utf-8")
    return path


@pytest.fixture
def settings(store_url: str, tmp_path: Path, listed: Path, model_folder: Path) -> Settings:
    return Settings(
        insecure=True, home=tmp_path / "home", store=SecretStr(store_url), rules_every=0, tables=listed,
        model=model_folder,
    )  # fmt: skip


@pytest.fixture
def desk(settings: Settings, decider: Decider) -> Iterator[TestClient]:
    app = create_app(settings, decider)
    client = TestClient(app)  # its lifespan is not begun: no runner takes the errands of these tests
    yield client
    app.state.service.journal.close()


@pytest.fixture
def service(desk: TestClient) -> Any:
    app: Any = desk.app
    return app.state.service


@pytest.fixture
def changes(service: Any) -> Changes:
    return Changes(service)


def work(service: Any) -> None:
    worker = Worker(
        Tools(service.settings, service.journal, service.outbox, Bench(service.settings, 100), Pace()), Event()
    )
    while worker.work():
        pass


class Event:
    """Never set: this worker ends when nothing waits."""

    def is_set(self) -> bool:
        return False

    def wait(self, _: float) -> bool:
        return False


def sent(desk: TestClient, content: bytes, name: str = "工单.csv", **fields: str) -> str:
    headers = {"idempotency-key": "desk-1"}
    reply = desk.post(
        "/v1/batches", files={"file": (name, content)}, data={"dry_run": "true", **fields}, headers=headers
    )
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def test_the_first_page_offers_what_there_is(desk: TestClient) -> None:
    page = desk.get("/backlog").text
    assert "积压工单" in page
    assert "sqlite:" not in page
    assert "还没有。" in page
    assert "wenjiang" in page


def test_a_file_from_the_trial_to_the_report_and_the_columns_found(desk: TestClient, service: Any) -> None:
    batch = sent(desk, table(30))
    page = desk.get(f"/backlog/{batch}").text
    assert f'data-live="/backlog/{batch}"' in page
    assert "等着办" in page
    work(service)
    page = desk.get(f"/backlog/{batch}").text
    assert "data-live" not in page
    assert 'aria-current="step"' in page
    assert 'value="诉求内容"' in page
    assert "猜的" not in page
    assert "文件里的列：工单编号、诉求内容" in page
    report = desk.get(f"/backlog/{batch}/report")
    policy = report.headers["content-security-policy"]
    assert policy.endswith("sandbox allow-scripts")  # and nothing else is
    assert "'sha256-" in policy
    assert "script-src 'unsafe-inline'" not in policy
    again = desk.post(f"/v1/batches/{batch}/again", json={"dry_run": False}, headers={"idempotency-key": "a"}).json()
    work(service)
    assert f'href="/backlog/{again["id"]}"' in desk.get(f"/backlog/{batch}").text
    assert "下载结果" in desk.get(f"/backlog/{again['id']}").text
    desk.delete(f"/v1/batches/{again['id']}")
    page = desk.get(f"/backlog/{again['id']}").text
    assert "已撤回" in page
    assert "下载结果" not in page
    assert desk.get(f"/backlog/{again['id']}/report").status_code == 404


def test_a_guessed_column_is_told(desk: TestClient, service: Any) -> None:
    content = "号,市民讲的\n" + "".join(f"{row},{TEXTS[row % len(TEXTS)]}\n" for row in range(30))
    batch = sent(desk, content.encode())
    work(service)
    roles = {role.code: role for role in found(Folder(service.settings.home / "batches", batch), {}).roles}
    assert roles["text"].columns == ["市民讲的"]
    assert roles["text"].guessed
    assert "猜的，请看对不对" in desk.get(f"/backlog/{batch}").text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("图.xlsx", b"\x89PNG\r\n\x1a\n" + b"0" * 100, "没办成"), ("数.csv", "甲,乙\n1,2\n".encode(), "找不到正文列")],
)
def test_a_wrong_file_is_told_on_its_page(desk: TestClient, service: Any, name: str, content: bytes, told: str) -> None:
    batch = sent(desk, content, name)
    work(service)
    page = desk.get(f"/backlog/{batch}").text
    assert told in page
    assert "按这样再试一次" in page
    assert str(service.settings.home) not in page


@pytest.mark.parametrize(("removed", "over"), [("", False), ("2026-11-21", False), ("2026-11-27", True)])
def test_files_whose_time_is_over_are_told_from_those_taken_back(removed: str, over: bool) -> None:
    from serving.desk.backlog.drawing import expired

    time = f"{removed}T10:00:00+08:00" if removed else ""
    assert expired({"ended_at": "2026-11-20T09:00:00+08:00", "removed_at": time}, 7) == over


def test_a_list_of_tables_that_is_wrong_stops_the_start(settings: Settings, listed: Path, decider: Decider) -> None:
    listed.write_text(TABLE.format(url="nowhere"), encoding="utf-8")
    with pytest.raises(RefusedData, match="不是数据库的网址"):
        create_app(settings, decider)


def test_what_is_nobodys_batch_is_a_page_that_says_so(desk: TestClient) -> None:
    for address in (
        "/backlog/x",
        "/backlog/01M84FDBN8JRDB6ZTZ0NQ0AX8M",
        "/backlog/changes/x",
        "/backlog/changes/x/report",
    ):
        reply = desk.get(address)
        assert reply.status_code == 404, address
        assert "没有这" in reply.text


def put(service: Any, kind: str, state: str, change: str = "", **more: Any) -> Errand:
    asked = {"now": "2026-11-23T09:00:00+08:00"} | ({"change": change} if change else {})
    errand = Errand.new(INSECURE, 1, kind, "积压工单", asked)
    errand = Errand(**{**vars(errand), "state": state, **more})
    service.journal.write_now(lambda unit: queue.put(unit, errand))
    return errand


def step(changes: Changes, change: str, kind: str) -> Errand:
    async def go() -> Errand:
        return await changes.step(await changes.find(change), kind, INSECURE)

    return asyncio.run(go())


def of(changes: Changes, change: str) -> Change:
    return asyncio.run(changes.find(change))


def test_a_table_is_tried_changed_and_taken_back_in_this_order(changes: Changes, service: Any) -> None:
    tried = put(service, PREVIEW, DONE)
    assert of(changes, tried.id).may == APPLY
    with pytest.raises(NotNow):
        step(changes, tried.id, UNDO)
    made = step(changes, tried.id, APPLY)
    assert made.asked == {"now": tried.asked["now"], "change": tried.id}
    with pytest.raises(NotNow, match="前一步"):
        step(changes, tried.id, APPLY)
    service.journal.write_now(lambda unit: queue.cancel(unit, made.id, 2))
    assert of(changes, tried.id).may == APPLY  # what was broken off is gone on with
    put(service, APPLY, DONE, tried.id)
    assert of(changes, tried.id).may == UNDO
    put(service, UNDO, DONE, tried.id)
    assert of(changes, tried.id).may == ""
    assert not of(changes, tried.id).standing


def test_of_two_changes_the_later_one_is_taken_back_first(changes: Changes, service: Any) -> None:
    first, second = put(service, PREVIEW, DONE), put(service, PREVIEW, DONE)
    put(service, APPLY, DONE, first.id)
    put(service, APPLY, DONE, second.id)
    with pytest.raises(NotNow, match="先撤回后一次"):
        step(changes, first.id, UNDO)
    step(changes, second.id, UNDO)
    with pytest.raises(NotNow, match="等它办完"):
        asyncio.run(changes.preview(changes.tables.named("积压工单"), INSECURE))


def test_of_two_who_ask_at_once_one_is_told_to_wait(changes: Changes) -> None:
    async def both(*asked: Any) -> list[Any]:
        return await asyncio.gather(*asked, return_exceptions=True)

    async def go() -> list[Any]:
        table = changes.tables.named("积压工单")
        return await both(*(changes.preview(table, INSECURE) for _ in range(2)))

    assert sorted(type(one).__name__ for one in asyncio.run(go())) == ["Errand", "NotNow"]


def test_a_step_is_decided_by_how_things_stand_when_it_is_put(changes: Changes, service: Any) -> None:
    seen = of(changes, put(service, PREVIEW, DONE).id)
    asyncio.run(changes.step(seen, APPLY, INSECURE))
    with pytest.raises(NotNow, match="前一步"):
        asyncio.run(changes.step(seen, APPLY, INSECURE))


def test_an_old_change_is_known_however_much_was_tried_since(changes: Changes, service: Any) -> None:
    first, second = put(service, PREVIEW, DONE), put(service, PREVIEW, DONE)
    put(service, APPLY, DONE, first.id)
    put(service, APPLY, DONE, second.id)
    for _ in range(LISTED):
        put(service, PREVIEW, FAILED)
    with pytest.raises(NotNow, match="先撤回后一次"):
        step(changes, first.id, UNDO)
    assert step(changes, second.id, UNDO).asked["change"] == second.id


@pytest.mark.parametrize("state", [RUNNING, FAILED, CANCELLED])
def test_the_page_of_a_change_shows_how_it_stands(desk: TestClient, service: Any, state: str) -> None:
    said = ("jiesu：积压工单：没有这张表",)
    tried = put(service, PREVIEW, state, step="判定", part=0.5, said=said)
    page = desk.get(f"/backlog/changes/{tried.id}").text
    assert ("data-live" in page) == (state == RUNNING)
    if state == FAILED:
        assert "积压工单：没有这张表" in page
    if state == RUNNING:
        assert 'value="0.5000"' in page


def test_the_doors_of_changes(desk: TestClient) -> None:
    assert desk.post("/backlog/changes", json={"table": "别的"}).status_code == 404
    assert desk.post("/backlog/changes", json={}).status_code == 422
    tried = desk.post("/backlog/changes", json={"table": "积压工单"}).json()["id"]
    assert desk.post("/backlog/changes", json={"table": "积压工单"}).status_code == 409
    assert desk.post(f"/backlog/changes/{tried}", json={"step": "apply"}).status_code == 409
    assert desk.post(f"/backlog/changes/{tried}", json={"step": "sing"}).status_code == 422
    assert desk.post(f"/backlog/changes/{tried}", json={"step": "cancel"}).status_code == 200
    assert "取消了" in desk.get(f"/backlog/changes/{tried}").text
    assert desk.get(f"/backlog/changes/{tried}/report").status_code == 404


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", ""),
        ('columns = {text = ["内容"]}\nmap = {category_name = "一级分类"}\n', ""),
        ('map = {colour = "x"}\n', "没有“colour”这个答案"),
        ('columns = {colour = ["x"]}\n', "没有“colour”这个用处"),
        ('kind = "x"\n', "没有这个字段"),
        (TABLE.format(url="sqlite:///b.db"), "有两张表都叫"),
    ],
)
def test_the_list_of_tables_is_checked(tmp_path: Path, more: str, told: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TABLE.format(url="sqlite:///a.db") + more, encoding="utf-8")
    if not told:
        assert Tables.read(path).named("积压工单").words[0] == "--table=petition"
        return
    with pytest.raises(RefusedData, match=told):
        Tables.read(path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://jiesu:geheim@db/calls",
        "petition.db",
        "postgresql://jiesu@db/calls?password=geheim",
        "postgresql://jiesu@db/calls?sslmode=require&SSLPassword=geheim",
        "mysql+pymysql://jiesu@db/calls?pass%77d=geheim",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TABLE.format(url=url), encoding="utf-8")
    with pytest.raises(RefusedData, match="url") as refused:
        Tables.read(path)
    assert "geheim" not in str(refused.value)


def test_a_report_tells_nobody_where_the_database_is(tmp_path: Path) -> None:
    path = tmp_path / "change.html"
    path.write_text("<p>sqlite:////srv/a&amp;b.db</p><script>1</script>", encoding="utf-8")
    shown = asyncio.run(framed(path, {"sqlite:////srv/a&b.db": "<表>"}))
    assert bytes(shown.body) == "<p>&lt;表&gt;</p><script>1</script>".encode()
    digest = base64.b64encode(hashlib.sha256(b"1").digest()).decode()
    assert digest not in shown.headers["content-security-policy"]  # no script but the one that sorts tables


def test_states_and_steps_have_their_english() -> None:
    from serving.desk.backlog import drawing

    said = {*drawing.STATES.values(), *drawing.FILE_STEPS, *drawing.TABLE_STEPS, *drawing.KINDS.values()}
    said |= {drawing.left(5)[0], drawing.left(500)[0], *(role.name for role in found(Folder(Path("x"), "y"), {}).roles)}
    assert said <= words(ENGLISH).keys(), said - words(ENGLISH).keys()
