"""Markup: pages that open offline, in which nothing from outside is markup; what all reports share."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent


def document(title: str, body: str) -> str:
    """A whole page around markup; nothing in it is loaded from elsewhere."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{safe(title)}</title><style>{style}</style></head><body>{body}<script>{script}</script></body></html>\n"
    )


def safe(value: object) -> str:
    """A value as text of a page; signs that cannot be seen become spaces, but for the ends of lines."""
    return html.escape("".join(sign if sign.isprintable() or sign == "\n" else " " for sign in str(value)))


def told(*sentences: str) -> str:
    """A paragraph of plain sentences."""
    return f"<p>{safe(''.join(sentences))}</p>"


def lead(*sentences: str) -> str:
    """The paragraph with which a section begins: what it means and what to do."""
    return f'<p class="lead">{safe("".join(sentences))}</p>'


def absent(sentence: str) -> str:
    """What stands where there is nothing to show, and why."""
    return f'<p class="absent">{safe(sentence)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, sortable: bool = False, words: int = 1) -> str:
    """A table whose first `words` columns are words, the others numbers; a sortable one by a click on its head."""
    kinds = ["word" if place < words else "number" for place in range(len(head))]
    cells = "".join(
        "<tr>"
        + "".join(f'<td class="{kind}">{safe(cell)}</td>' for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    heads = "".join(f'<th class="{kind}">{_head(name, sortable)}</th>' for kind, name in zip(kinds, head, strict=True))
    kept = ' class="sortable"' if sortable else ""
    return f'<div class="wide"><table{kept}><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div>'


def _head(name: str, sortable: bool) -> str:
    return f'<button type="button">{safe(name)}</button>' if sortable else safe(name)


def folded(title: str, content: str) -> str:
    """Content that is shown at a click."""
    return f"<details><summary>{safe(title)}</summary>{content}</details>"


def section(name: str, title: str, *content: str) -> str:
    """A section with its address in the page."""
    return f'<section id="{name}"><h2>{safe(title)}</h2>{"".join(content)}</section>'


def percent(share: float) -> str:
    """A share as officials read it."""
    return f"{100 * share:.1f}%"


def span(interval: tuple[float, float]) -> str:
    """An interval of shares."""
    return f"{percent(interval[0])}–{percent(interval[1])}"
