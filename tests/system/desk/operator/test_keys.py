"""Keys: everything can be done with them, and a correction takes three at most."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from serving.store import tables
from tests.system.desk.conftest import Visit
from tests.system.desk.operator.conftest import LEAK, opened, rows, settled, suggested, typed
from tests.system.office import Office

pytestmark = pytest.mark.system
SEARCH = """async ([query, likely]) => {
  const main = document.querySelector('script[src*="operator.js"]').src;
  const { searched } = await import(main.replace("operator.js", "operator-search.js"));
  const taxonomy = await (await fetch("/desk/taxonomy")).json();
  return searched(query, taxonomy, likely).map((one) => one.name);
}"""


def said(office: Office) -> dict[str, Any]:
    return max(rows(office, tables.feedback), key=lambda row: (row["at"], row["id"]))


def pressed(page: Page, *keys: str) -> int:
    for key in keys:
        page.keyboard.press(key)
    return len(keys)


def test_a_runner_up_in_two_keystrokes(visit: Visit, office: Office) -> None:
    page = opened(visit().page)
    typed(page, LEAK)
    second = page.locator("#choices button").nth(1).get_attribute("data-code")
    assert pressed(page, "Alt+2", "Enter") <= 3
    settled(page)
    assert (said(office)["verdict"], said(office)["category"]) == ("corrected", second)


def test_by_pinyin_in_three_keystrokes(visit: Visit, office: Office) -> None:
    visitor = visit()
    page = opened(visitor.page)
    typed(page, LEAK)
    assert pressed(page, "Alt+c", "z", "Control+Enter") <= 3
    settled(page)
    first = page.evaluate(SEARCH, ["z", []])[0]
    assert said(office)["verdict"] == "corrected"
    expect(page.locator("#said")).to_contain_text("改为")
    assert first
    typed(page, LEAK)
    page.keyboard.press("Alt+c")
    page.keyboard.type("zaoyin")
    expect(page.locator("#found li").first).to_contain_text("噪音扰民")
    visitor.accessible()
    visitor.shot("desk-search")
    page.keyboard.press("Enter")
    expect(page.locator("#accept")).to_contain_text("更正为“噪音扰民”")
    suggested(page)
    expect(page.locator("#route")).not_to_contain_text("leak-")
    page.keyboard.press("Enter")
    settled(page, 2)
    assert said(office)["category"] == "noise"


@pytest.mark.parametrize(
    ("query", "first"),
    [("loushui", "漏水渗水"), ("lsss", "漏水渗水"), ("louss", "漏水渗水"), ("渗水", "漏水渗水"), ("leak", "漏水渗水"),
     ("zhongjie", None), ("jiedao", "街道·乡镇"), ("qiuzhu", "求助"), ("yuanlin", "园林绿化"), ("yllh", "园林绿化"),
     ("lvhua", "园林绿化"), ("luhua", "园林绿化")],
)  # fmt: skip
def test_what_letters_find(visit: Visit, query: str, first: str | None) -> None:
    page = opened(visit().page)
    found = page.evaluate(SEARCH, [query, []])
    assert not found if first is None else found[0] == first


def test_digits_are_digits_where_somebody_writes(visit: Visit) -> None:
    page = opened(visit().page)
    typed(page, LEAK)
    page.keyboard.type("12")
    expect(page.locator("#text")).to_have_value(LEAK + "12")
    suggested(page)
    page.locator("#reading").focus()
    page.keyboard.press("3")
    expect(page.locator("#choices button").nth(2)).to_have_attribute("aria-pressed", "true")
    suggested(page)
    page.locator("#text").focus()
    page.keyboard.press("Control+1")
    expect(page.locator("#choices button").first).to_have_attribute("aria-pressed", "true")
    page.locator("#reading").focus()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#text").focus()
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#text")).to_have_value(LEAK + "12\n")


def test_enter_of_an_input_method_is_its_own(visit: Visit) -> None:
    page = opened(visit().page)
    typed(page, LEAK)
    page.locator("#text").evaluate(
        """field => {
          for (const more of [{ isComposing: true }, { keyCode: 229 }])
            field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, ...more }));
        }"""
    )
    page.wait_for_timeout(400)
    expect(page.locator("#text")).to_have_value(LEAK)
    expect(page.locator("#done")).to_be_hidden()


def test_what_changed_before_enter_is_shown_first(visit: Visit) -> None:
    page = opened(visit().page)
    typed(page, LEAK)
    page.locator("#text").fill("工地半夜还在打桩，吵得睡不着")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("再按 Enter")
    expect(page.locator("#choices li").first).not_to_contain_text("漏水渗水")
    page.keyboard.press("Enter")
    settled(page)


def test_a_ticket_is_returned_and_the_next_unit_is_named(visit: Visit, office: Office) -> None:
    visitor = visit()
    page = opened(visitor.page)
    typed(page, LEAK)
    page.keyboard.press("Alt+t")
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#returning")).to_be_visible()  # not without a reason
    visitor.accessible()
    page.keyboard.type("不属本单位职责")
    page.keyboard.press("Control+Enter")
    settled(page)
    expect(page.locator("#said")).to_contain_text("下一步派给")
    assert said(office)["verdict"] == "returned"
    assert said(office)["reason"] == "不属本单位职责"


def test_tier_and_clock_are_corrected_too_and_once_more_from_the_list(visit: Visit, office: Office) -> None:
    page = opened(visit().page)
    typed(page, LEAK)
    page.get_by_label("层级").select_option("city")
    expect(page.locator("#accept")).to_contain_text("更正为“市")
    suggested(page)
    page.keyboard.press("Control+Enter")
    settled(page)
    assert (said(office)["tier"], said(office)["category"]) == ("city", None)
    page.get_by_role("button", name="再改").click()
    page.keyboard.type("zaoyin")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("已再改")
    assert (said(office)["verdict"], said(office)["category"]) == ("corrected", "noise")


def test_a_whole_call_without_a_mouse(visit: Visit) -> None:
    visitor = visit()
    page = opened(visitor.page)
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#phone")).to_be_focused()
    page.keyboard.type("13800138000")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("航天路12号")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    typed(page, LEAK)
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type(LEAK)
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("Alt+n")
    expect(page.locator("#text")).to_have_value("")
    visitor.accessible()
