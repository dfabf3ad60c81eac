"""The picture of the corpus: how tiers, clocks, types, registers, categories and lengths are spread."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any, cast

from matplotlib import RcParams, font_manager, rc_context
from matplotlib.figure import Figure, SubFigure

from corpora.gates import Corpus
from corpora.petitions import FIELD_NAMES
from nlp.errors import InputError
from nlp.taxonomy import TASKS

FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei",
         "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "AR PL UMing CN")  # fmt: skip
DRAWN = ("tier", "clock", "type", "register")
REGISTERS = {"letter": "来信", "note": "坐席记录", "asr": "语音转写", "mini": "小程序短句", "forum": "论坛帖",
             "dialect": "方言", "traditional": "繁体", "typo": "错别字"}  # fmt: skip
LONGEST, STEP = 600, 20  # characters
COLOUR, LINE = "#2f6f9f", "#b5482f"


def chinese_font() -> str | None:
    """A font of this machine that has Chinese characters, or none."""
    if not (known := _known()):
        font_manager.fontManager.ttflist = font_manager.FontManager().ttflist  # installed since matplotlib last looked
        known = _known()
    return known[0] if known else None


def _known() -> list[str]:
    names = {font.name for font in font_manager.fontManager.ttflist}
    return [font for font in FONTS if font in names]


def draw(corpus: Corpus, path: Path) -> None:
    """Draw the spread into an SVG (its text is text: the reader's own fonts show it) or a PNG.

    Raises `InputError` for a PNG on a machine without a Chinese font, and for any other kind of file.
    """
    kind, font = path.suffix.lower().removeprefix("."), chinese_font()
    if kind not in {"svg", "png"}:
        raise InputError(place=str(path), reason="图只能写成 .svg 或 .png")
    if kind == "png" and not font:
        raise InputError(place=str(path), reason="这台机器没有中文字体；请安装 fonts-noto-cjk，或改写成 .svg")
    settings = RcParams(
        {"svg.fonttype": "none", "svg.hashsalt": "jiesu", "font.family": [font or "sans-serif"], "font.size": 9}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader of an SVG has the font
        _figure(corpus).savefig(path, metadata={"Date": None} if kind == "svg" else {"Software": "jiesu"}, dpi=130)


def _figure(corpus: Corpus) -> Figure:
    figure = Figure(figsize=(13, 11), layout="constrained")
    figure.suptitle(f"接诉语料：{len(corpus.written)} 条自写诉求", fontsize=13)
    left, right = cast("list[SubFigure]", figure.subfigures(1, 2, width_ratios=(3, 2)))
    _categories(left.subplots(), corpus)
    panels = right.subplots(5, 1, height_ratios=(5, 4, 7, 8, 6))
    for panel, field in zip(panels[:4], DRAWN, strict=True):
        _shares(panel, corpus, field)
    _lengths(panels[4], corpus)
    return figure


def _bars(panel: Any, names: list[str], values: list[float], told: list[str]) -> None:
    places = range(len(names))
    panel.barh(places, values, color=COLOUR)
    panel.set_yticks(places, names)
    panel.invert_yaxis()
    panel.set_xlim(0, max(values) * 1.15)
    panel.set_xticks([])
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    for place, value, text in zip(places, values, told, strict=True):
        panel.text(value, place, f" {text}", va="center", fontsize=8)


def _categories(panel: Any, corpus: Corpus) -> None:
    counts = Counter(row.category for row in corpus.written)
    names = {label.code: label.name for label in corpus.taxonomy.labels("category")}
    ordered = sorted(names, key=lambda code: -counts[code])
    panel.set_title("类别（条）", loc="left")
    _bars(
        panel,
        [names[code] for code in ordered],
        [counts[code] for code in ordered],
        [str(counts[code]) for code in ordered],
    )
    panel.set_ylim(len(ordered) - 0.4, -0.6)


def _shares(panel: Any, corpus: Corpus, field: str) -> None:
    names = {label.code: label.name for label in corpus.taxonomy.labels(field)} if field in TASKS else REGISTERS
    shares = corpus.shares(field)
    panel.set_title(FIELD_NAMES[field], loc="left")
    values = [shares.get(code, 0.0) for code in names]
    _bars(panel, list(names.values()), values, [f"{value:.1%}" for value in values])


def _lengths(panel: Any, corpus: Corpus) -> None:
    letters = [min(len(row.text), LONGEST) for row in corpus.written if row.register == "letter"]
    others = [min(len(row.text), LONGEST) for row in corpus.written if row.register != "letter"]
    panel.set_title(f"正文长度（字，{LONGEST} 以上并入末格）", loc="left")
    panel.hist(
        [letters, others],
        bins=range(0, LONGEST + STEP, STEP),
        stacked=True,
        color=[COLOUR, LINE],
        label=["来信", "其余"],
    )
    panel.legend(frameon=False)
    panel.spines[["top", "right"]].set_visible(False)
