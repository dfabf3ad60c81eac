"""The panel within a desktop of another site: heeded where that site is allowed, refused and deaf where it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.system.browser import PHONE, RULES, Visitor
from tests.system.desk.conftest import Visit
from tests.system.desk.test_signin import key_of
from tests.system.office import Office, free_port

pytestmark = pytest.mark.system
# A desktop as strict as ours: no inline script or style anywhere, the panel's host for scripts and frames alone.
HOST = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>坐席系统</title>
<meta http-equiv="content-security-policy"
content="default-src 'self'; script-src 'self' {jiesu}; frame-src {jiesu}; img-src data:">
<link rel="icon" href="data:,"><script src="{jiesu}/panel/jiesu-panel.js"></script><script src="host.js" defer></script>
<main><h1>坐席系统</h1><jiesu-panel src="{jiesu}" label="接诉建议"></jiesu-panel></main></html>"""
SCRIPT = """window.heard = [];
for (const name of ["ready", "decision", "feedback", "error"])
  document.querySelector("jiesu-panel").addEventListener(`jiesu-${name}`, (event) => heard.push([name, event.detail]));
"""
LEAK = {"id": "H-1", "text": "我家卫生间一直漏水，物业不管，电话13900000001", "location": "梧桐里"}
Site = Callable[[str], str]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("panel") / "home"
    home.mkdir()
    origins = f'["http://localhost:{port}"]'
    with Office(home, insecure=False, JIESU_WORKERS="1", JIESU_PANEL_ORIGINS=origins) as opened:
        yield opened


@pytest.fixture(scope="module")
def key(office: Office) -> str:
    return key_of(office, "operator", "坐席系统")


@pytest.fixture(scope="module")
def host(office: Office, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A site of its own: `localhost` is another origin than `127.0.0.1`, and only the first one is allowed."""
    folder: Path = tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text(HOST.format(jiesu=office.url), encoding="utf-8")
    (folder / "host.js").write_text(SCRIPT, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield port
        server.shutdown()


@pytest.fixture
def desktop(browser: Browser, host: int) -> Iterator[Page]:
    visitor = Visitor(browser, f"http://localhost:{host}")
    visitor.page.goto("/")
    yield visitor.page
    visitor.context.close()
    assert not visitor.broken, visitor.broken


def panel_of(page: Page) -> FrameLocator:
    return page.frame_locator("jiesu-panel iframe")


def heard(page: Page, name: str) -> list[dict[str, object]]:
    page.wait_for_function("name => heard.some(([one]) => one === name)", arg=name)
    found: list[dict[str, object]] = page.evaluate(
        "name => heard.filter(([one]) => one === name).map(([, d]) => d)", name
    )
    return found


def test_an_allowed_desktop_asks_and_settles(desktop: Page, key: str, office: Office) -> None:
    heard(desktop, "ready")
    panel = panel_of(desktop)
    element = "document.querySelector('jiesu-panel')"
    desktop.evaluate(f"petition => {element}.decide(petition)", LEAK)
    expect(panel.get_by_role("alert")).to_contain_text("还没有给密钥")
    assert heard(desktop, "error")[0]["status"] == 401
    desktop.evaluate(f"key => {{ {element}.key = key }}", key)
    expect(panel.locator("#category")).to_have_text("漏水渗水")
    decision = heard(desktop, "decision")[-1]["decision"]
    assert isinstance(decision, dict)
    assert decision["category"]["code"] == "leak"
    expect(panel.locator("#text mark").first).to_be_visible()
    expect(panel.locator("#text")).not_to_contain_text("13900000001")
    panel.get_by_role("button", name="采纳").click()
    expect(panel.get_by_role("status").filter(has_text="已采纳").last).to_be_visible()
    assert heard(desktop, "feedback")[-1]["verdict"] == "accepted"
    assert desktop.evaluate(f"{element}.key") is None
    assert len(office.kept()["feedback"]) == 1


def test_runners_up_corrections_and_returns_by_keys(desktop: Page, key: str) -> None:
    heard(desktop, "ready")
    panel = panel_of(desktop)
    element = "document.querySelector('jiesu-panel')"
    desktop.evaluate(f"key => {{ {element}.key = key }}", key)
    for number, pressed in (("K-1", "Alt+1"), ("K-2", "Alt+c"), ("K-3", "Alt+t")):
        desktop.evaluate(f"petition => {element}.decide(petition)", {**LEAK, "id": number})
        expect(panel.get_by_role("button", name="采纳")).to_be_visible()
        panel.locator("#accept").focus()
        desktop.keyboard.press(pressed)
        if pressed == "Alt+c":
            panel.get_by_label("层级").select_option("city")
            panel.get_by_role("button", name="按这样改正").click()
        if pressed == "Alt+t":
            desktop.keyboard.type("不属本单位职责")
            desktop.keyboard.press("Enter")
        expect(panel.locator("#done")).to_contain_text({"Alt+t": "已记下退单"}.get(pressed, "已改正"))
    said = heard(desktop, "feedback")
    assert [one["verdict"] for one in said] == ["corrected", "corrected", "returned"]
    assert said[1]["codes"] == {"tier": "city"}


def test_the_desktop_settles_by_a_message(desktop: Page, key: str) -> None:
    heard(desktop, "ready")
    element = "document.querySelector('jiesu-panel')"
    desktop.evaluate(
        f"([key, petition]) => {{ {element}.key = key; {element}.decide(petition) }}", [key, {**LEAK, "id": "M-1"}]
    )
    heard(desktop, "decision")
    desktop.evaluate(f"{element}.settle('corrected', {{ category: 'property_management' }})")
    assert heard(desktop, "feedback")[-1]["codes"] == {"category": "property_management"}


def test_a_wrong_key_is_told_and_a_service_that_is_gone_comes_back(desktop: Page, key: str, office: Office) -> None:
    heard(desktop, "ready")
    panel = panel_of(desktop)
    element = "document.querySelector('jiesu-panel')"
    desktop.evaluate(f"([key, petition]) => {{ {element}.key = key; {element}.decide(petition) }}", ["aaaa.b", LEAK])
    expect(panel.get_by_role("alert")).to_contain_text("密钥不对")
    desktop.context.set_offline(True)
    desktop.evaluate(f"key => {{ {element}.key = key }}", key)
    expect(panel.get_by_role("alert")).to_contain_text("正在重连")
    desktop.context.set_offline(False)
    expect(panel.locator("#category")).to_have_text("漏水渗水")
    expect(panel.locator("#error")).to_be_hidden()


def test_a_desktop_that_nobody_allowed_gets_no_panel(browser: Browser, host: int, key: str) -> None:
    visitor = Visitor(browser, f"http://127.0.0.1:{host}")
    page = visitor.page
    page.clock.install()
    page.goto("/")
    page.wait_for_load_state("load")
    page.clock.run_for(11_000)
    assert "不在它允许的来源里" in str(heard(page, "error")[0]["message"])
    assert page.frame_locator("jiesu-panel iframe").locator("#answer").count() == 0
    visitor.context.close()


def test_messages_of_another_origin_are_not_heeded(browser: Browser, office: Office, key: str) -> None:
    """Even one that got a window of the panel: it was opened, not framed, so its parent is itself."""
    visitor = Visitor(browser, office.url)
    visitor.page.goto("/login")
    stranger = visitor.open()
    stranger.goto("about:blank")
    with stranger.expect_popup() as opened:
        stranger.evaluate("url => { window.panel = window.open(url) }", f"{office.url}/panel")
    panel = opened.value
    panel.wait_for_load_state()
    for message in ({"type": "jiesu:key", "key": key}, {"type": "jiesu:petition", "petition": LEAK}):
        stranger.evaluate("message => panel.postMessage(message, '*')", message)
    panel.wait_for_timeout(800)
    assert panel.locator("#answer").is_hidden()
    assert panel.locator("#error").is_hidden()
    visitor.context.close()


def test_the_demonstration_is_for_everybody(office: Office, visit: Visit) -> None:
    operator = key_of(office, "operator", "演示")
    for more in ({}, {"viewport": PHONE}):
        visitor = visit(reduced_motion="reduce", **more)
        page = visitor.page
        assert visitor.context.request.post("/login", data={"key": operator}).ok
        page.goto("/panel/demo")
        page.get_by_role("button", name="何女士").click()
        panel = panel_of(page)
        expect(panel.locator("#category")).to_have_text("燃气供暖")
        expect(panel.locator("#human")).to_be_visible()
        expect(page.get_by_label("类别（由面板填）")).to_have_value("燃气供暖")
        visitor.accessible()
        within = page.frame(url="**/panel?*") or page.frame(url="**/panel")
        assert within is not None
        results = Axe().run(within, options=RULES)  # type: ignore[arg-type]
        assert not results.violations_count, results.generate_report()
        if not more:
            visitor.shot("panel-demo")
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wide, "the page is wider than the screen"
