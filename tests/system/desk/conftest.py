"""What the tests of the pages share: an office that serves, a browser, and visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.system.browser import Visitor, chromium
from tests.system.office import Office

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office without keys, for what is not about signing in."""
    home = tmp_path_factory.mktemp("desk") / "home"
    home.mkdir()
    with Office(home, JIESU_WORKERS="1") as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, office: Office) -> Iterator[Visit]:
    """Visitors of the office; when the test is over, none of them may have asked another host or met an error."""
    visitors: list[Visitor] = []

    def come(url: str = "", **more: object) -> Visitor:
        visitors.append(Visitor(browser, url or office.url, **more))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        visitor.check()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path
