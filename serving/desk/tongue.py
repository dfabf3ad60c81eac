"""The tongue of a page: Chinese as it is written in the templates, or English from a list."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request

WORDS = Path(__file__).with_name("words")
CHINESE, ENGLISH = "zh-CN", "en"
COOKIE = "jiesu_lang"
ASKED = "lang"  # in a page's address


def tongue_of(request: Request) -> str:
    """The language of a page: the one asked for in its address, or before; else Chinese."""
    asked = request.query_params.get(ASKED) or request.cookies.get(COOKIE)
    return ENGLISH if asked == ENGLISH else CHINESE


def other(request: Request) -> str:
    """The query of the same page in the other language; all else that was asked for stays."""
    asked = "zh" if tongue_of(request) == ENGLISH else ENGLISH
    return f"?{request.url.include_query_params(**{ASKED: asked}).query}"


@cache
def words(tongue: str) -> Mapping[str, str]:
    """Chinese → a language; empty for Chinese itself."""
    if tongue == CHINESE:
        return {}
    files = sorted((WORDS / tongue).glob("*.toml"))
    return {chinese: said for path in files for chinese, said in tomllib.loads(path.read_text("utf-8")).items()}


def speaker(tongue: str) -> Callable[[str], str]:
    """Says a sentence in a language; one that the list lacks stays Chinese."""
    known = words(tongue)
    return lambda sentence: known.get(sentence, sentence)
