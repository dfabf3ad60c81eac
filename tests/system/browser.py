"""A browser under test: Debian's Chromium, driven as a user would; it must ask no other host, and break nowhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

DESK = {"width": 1366, "height": 768}  # the screen of a hotline desk
PHONE = {"width": 390, "height": 844}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
QUIET = ("Failed to load resource",)  # what Chromium says of every 4xx and 5xx, which tests cause on purpose


def chromium() -> str:
    found = shutil.which("chromium")
    assert found, "没有 chromium；请先运行 tests/system/install.sh"
    return found


class Visitor:
    """Somebody at a browser of their own.

    allowed: the hosts that may be asked. asked: the hosts of all requests. broken: errors that the console told.
    """

    def __init__(self, browser: Browser, url: str, **more: Any) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(
            base_url=url, locale="zh-CN", viewport=more.pop("viewport", DESK), **more
        )
        self.allowed = {urlsplit(url).netloc}  # another host is asked only where the test says so
        self.asked: set[str] = set()
        self.broken: list[str] = []
        self.context.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        self.page = self.open()

    def open(self) -> Page:
        """One more page of the same visitor."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.set_default_timeout(20_000)
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(QUIET):
            self.broken.append(text)

    def check(self) -> None:
        """No other host was asked, and nothing broke."""
        hosts = {host for host in self.asked if host}  # data: and blob: have none
        assert hosts <= self.allowed, f"asked {hosts}"
        assert not self.broken, self.broken

    def accessible(self) -> None:
        """The page breaks no rule of WCAG 2.2 AA that axe can see."""
        results = Axe().run(self.page, options=RULES)
        assert not results.violations_count, results.generate_report()

    def shot(self, name: str) -> None:
        """Keep a picture of the page: an artefact, and in docs/desk when those are renewed."""
        folder = Path(os.environ.get("JIESU_SHOTS", "var/shots"))
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")
