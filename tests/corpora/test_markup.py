"""Pages take nothing from outside as markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corpora.markup import document, safe, table


@given(st.text())
def test_nothing_from_outside_is_markup(text: str) -> None:
    shown = safe(text)
    assert not {"<", ">", '"', "'", "\x00", "\u202e"} & set(shown)


def test_a_page_loads_nothing() -> None:
    page = document("<题>", table(("<a>",), [("<b>",)]))
    assert "&lt;题&gt;" in page
    assert "&lt;b&gt;" in page
    assert page.startswith("<!doctype html>")
    assert not {"src=", "href=", "url(", "@import"} & {
        word for word in ("src=", "href=", "url(", "@import") if word in page
    }
