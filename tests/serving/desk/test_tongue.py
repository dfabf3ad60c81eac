"""Every sentence that a page says is there in English too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serving.desk.assets import ASSETS
from serving.desk.pages import NAVIGATION, TEMPLATES
from serving.desk.tongue import ENGLISH, words

SAID = {
    ".html": re.compile(r"""\b_\(\s*(["'])(.+?)\1\s*\)"""),
    ".js": re.compile(r"""\bsay\(\s*(["'])(.+?)\1"""),
}
FILES = sorted([*TEMPLATES.rglob("*.html"), *ASSETS.glob("*.js")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_sentence_has_its_english(path: Path) -> None:
    said = {sentence for _, sentence in SAID[path.suffix].findall(path.read_text(encoding="utf-8"))}
    assert said <= words(ENGLISH).keys(), sorted(said - words(ENGLISH).keys())


def test_the_names_of_the_pages_have_theirs() -> None:
    assert {name for _, name, _ in NAVIGATION} <= words(ENGLISH).keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_chinese_stands_in_a_page_unsaid(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}|<!--.*?-->|^\s*//.*$|/\*.*?\*/", "", text, flags=re.DOTALL | re.MULTILINE)
    left = SAID[path.suffix].sub("", text)
    found = set(re.findall(r"[\u4e00-\u9fff]+", left)) - {"中文"}
    assert not found, sorted(found)
