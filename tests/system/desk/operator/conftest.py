"""What the tests of the operator's desk share: what callers say, and what the store then holds."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import Table, select

from serving.store.engine import open_engine, reading
from tests.system.office import Office

LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，请派人来看看"
GAS = "我家煤气泄漏，味道很浓，有人晕倒"
PHONE = "13987654321"


SPIN = 0.5  # seconds of work by which the machine is measured


def slowness() -> float:
    """How many times longer than alone work takes here now: what others do on the same cores is no fault of ours."""
    begun, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < SPIN:
        pass
    return (time.perf_counter() - begun) / SPIN


def rows(office: Office, table: Table) -> list[dict[str, Any]]:
    engine = open_engine(office.store)
    try:
        with reading(engine) as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]
    finally:
        engine.dispose()


def opened(page: Page, address: str = "/desk") -> Page:
    """The desk, ready for keys."""
    page.goto(address)
    expect(page.locator("#new")).to_be_enabled()
    return page


def typed(page: Page, text: str) -> None:
    """Type it; back when its suggestion is shown."""
    page.locator("#text").focus()
    page.keyboard.insert_text(text)
    suggested(page)


def suggested(page: Page) -> None:
    expect(page.locator("#accept")).to_be_enabled()
    expect(page.locator("#state")).to_be_empty()


def settled(page: Page, count: int = 1) -> None:
    expect(page.locator("#done tbody tr")).to_have_count(count)
    expect(page.locator("#text")).to_have_value("")
