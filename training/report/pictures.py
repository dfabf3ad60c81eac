"""The pictures of a report: SVG that stands inside the page, its text in the reader's own fonts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from matplotlib import RcParams, rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from corpora.markup import safe
from corpora.picture import COLOUR, LINE, chinese_font
from nlp.drift import BINS, Drift
from training.curve import Curve, value_at
from training.report.figures import Bin
from training.resampling import interval

COLOURS = (COLOUR, LINE, "#5b8c5a", "#8a6fb0")
GREY = "#9aa5b1"
AHEAD = 1.6  # how far beyond the rows there are the curve is drawn
LONGEST = 12  # characters of a name
FEW = 10  # answers: the share of right ones among fewer says nothing
MOVED = 15  # categories whose change is drawn
NEEDLESS = re.compile(r' (?:xmlns(?::xlink)?|version|id)="(?:http[^"]*|1\.1|[A-Za-z0-9.]+_\d+)"')
"""What an SVG inside a page does without: its namespaces, and the names that matplotlib gives every part."""


def drawn(figure: Figure, title: str) -> str:
    """The figure as an SVG element; `title` tells those who cannot see it what it shows."""
    out = StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader of the page has the font
        figure.savefig(out, format="svg", metadata={"Date": None})
    svg = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue().partition("<svg")[2], flags=re.DOTALL)
    return f'<figure><svg role="img" aria-label="{safe(title)}"{NEEDLESS.sub("", svg).rstrip()}</figure>'


def style(salt: str) -> RcParams:
    """How every picture is drawn; `salt` keeps the names within one picture apart from those of the others."""
    return RcParams(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": salt,
            "font.family": [chinese_font() or "sans-serif"],
            "font.size": 10,
            "text.parse_math": False,  # a label may hold a dollar sign
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )


def confusion_picture(names: Sequence[str], table: NDArray[np.int64], task: str) -> str:
    """Rows: the given labels; columns: the answers; each row's shares as shades, right ones blue, wrong ones red."""
    size = len(names)
    with rc_context(style(f"confusion {task}")):
        side = min(12.5, 3.2 + 0.31 * size)
        figure = Figure(figsize=(side, side), layout="constrained")
        panel: Any = figure.subplots()
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        right = np.eye(size, dtype=bool)
        for colours, hidden in (("Blues", ~right), ("Reds", right)):
            panel.pcolormesh(np.ma.array(shares, mask=hidden | (table == 0)), cmap=colours, vmin=0, vmax=1)
        for given, answered in np.argwhere(table).tolist():
            colour = "white" if shares[given, answered] > 0.6 else "black"
            panel.text(answered + 0.5, given + 0.5, str(table[given, answered]), ha="center", va="center",
                       fontsize=7 if size > 12 else 10, color=colour)  # fmt: skip
        _label_matrix(panel, names)
        return drawn(figure, f"{task}的混淆矩阵")


def _label_matrix(panel: Any, names: Sequence[str]) -> None:
    places = np.arange(len(names)) + 0.5
    short = [_short(name) for name in names]
    panel.set_xticks(places, short, rotation=90 if len(names) * max(map(len, short)) > 28 else 0)
    panel.set_yticks(places, short)
    panel.set_xlim(0, len(names))
    panel.set_ylim(len(names), 0)
    panel.set_aspect("equal")
    panel.set_xlabel("模型的回答")
    panel.set_ylabel("数据里的标签")
    panel.tick_params(length=0)
    panel.spines[["left", "bottom"]].set_visible(False)


def _short(name: str) -> str:
    """A name that leaves room for the picture."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def certainty_picture(
    tasks: Mapping[str, Sequence[Bin]], points: NDArray[np.float64], now: tuple[float, float] | None, name: str
) -> str:
    """Left: how often answers of each confidence are right. Right: the error by how many are answered alone.

    points: (n, 3) of `figures.coverage`, of the task called `name`. now: share answered alone and its error, as in
    force.
    """
    with rc_context(style("certainty")):
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _calibration(left, tasks)
        right.plot(points[:, 1], points[:, 2], color=COLOUR, label=f"{name}：从最有把握的答起")
        if now:
            right.plot(*([value] for value in now), "o", color=LINE, markersize=9, label="现行阈值")
        right.set_title("答得越多，错得越多", loc="left")
        right.set_xlabel("不经人工、直接答复的比例")
        right.set_ylabel("其中答错的比例")
        right.set_xlim(0, 1.02)
        right.set_ylim(0, max(0.05, float(points[:, 2].max(initial=0)), now[1] if now else 0) * 1.1)
        _percents(right)
        right.legend(frameon=False, loc="upper left")
        return drawn(figure, "校准曲线，以及答复比例与错误率")


def _calibration(panel: Any, tasks: Mapping[str, Sequence[Bin]]) -> None:
    panel.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1)
    for colour, (task, every) in zip(COLOURS, tasks.items(), strict=False):
        found = [one for one in every if one.rows >= FEW] or every
        sure, right = [one.confidence for one in found], [one.right for one in found]
        rows = np.array([one.rows for one in found])
        panel.plot(sure, right, color=colour, label=task)
        panel.scatter(sure, right, s=8 + 90 * rows / max(1, rows.max(initial=0)), color=colour)
    panel.set_title("把握与答对的比例", loc="left")
    panel.set_xlabel("模型说的把握")
    panel.set_ylabel("实际答对的比例")
    panel.set_xlim(0, 1.02)
    panel.set_ylim(0, 1.04)
    _percents(panel)
    panel.legend(frameon=False, loc="upper left")


def _percents(panel: Any) -> None:
    panel.xaxis.set_major_formatter(PercentFormatter(1))
    panel.yaxis.set_major_formatter(PercentFormatter(1))


def cost_picture(points: Sequence[Sequence[float]], now: tuple[float, float]) -> str:
    """The accuracy by the share of petitions that the encoder is asked about.

    points: threshold, share asked, accuracy. now: share and accuracy in force.
    """
    with rc_context(style("cost")):
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        panel: Any = figure.subplots()
        panel.plot([point[1] for point in points], [point[2] for point in points], color=COLOUR)
        panel.plot(*([value] for value in now), "o", color=LINE, markersize=9, label="现行阈值")
        panel.set_title("问编码器的比例与类别准确率", loc="left")
        panel.set_xlabel("问编码器的比例（花费）")
        panel.set_ylabel("类别准确率")
        _percents(panel)
        panel.legend(frameon=False, loc="lower right")
        return drawn(figure, "问编码器的比例与类别准确率")


def curve_picture(curve: Curve) -> str:
    """The points with their intervals, the law through them, and where it would go."""
    with rc_context(style("curve")):
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        panel: Any = figure.subplots()
        low, high = np.array(curve.intervals).T
        off = np.maximum([curve.scores - low, high - curve.scores], 0)
        panel.errorbar(curve.rows, curve.scores, off, fmt="o", color=COLOUR, capsize=3, label="实测（竖线：95% 区间）")
        if curve.law is not None:
            ahead = np.linspace(min(curve.rows), max(AHEAD * curve.total, curve.total + 1000), 60)
            band = np.array([interval(value_at(curve.laws, rows)) for rows in ahead.tolist()]).T
            panel.fill_between(ahead, band[0], band[1], color=LINE, alpha=0.15, linewidth=0)
            panel.plot(ahead, value_at(curve.law, ahead), color=LINE, label="推算")
            panel.axvline(curve.total, color=GREY, linestyle="--", linewidth=1, label=f"现有 {curve.total} 条")
        panel.set_xlabel("训练用的条数")
        panel.set_ylabel("宏平均 F1")
        panel.set_xlim(left=0)
        panel.legend(frameon=False, loc="lower right")
        return drawn(figure, "学习曲线")


def drift_picture(drift: Drift, names: Mapping[str, str]) -> str:
    """Left: the categories whose share changed most. Right: how sure the live model was of both."""
    moved = drift.moved[:MOVED]
    with rc_context(style("drift")):
        figure = Figure(figsize=(11, 1.6 + 0.34 * max(8, len(moved))), layout="constrained")
        left, right = figure.subplots(1, 2)
        places = np.arange(len(moved))
        left.barh(places - 0.2, [one.before for one in moved], 0.38, color=GREY, label="在用模型的数据")
        left.barh(places + 0.2, [one.after for one in moved], 0.38, color=COLOUR, label="这份数据")
        left.set_yticks(places, [_short(names.get(one.code, one.code)) for one in moved])
        left.invert_yaxis()
        left.set_title("变化最大的类别（所占比例）", loc="left")
        left.xaxis.set_major_formatter(PercentFormatter(1))
        left.legend(frameon=False, loc="lower right")
        middles = (np.arange(BINS) + 0.5) / BINS
        for shift, colour, one in ((-0.02, GREY, drift.before), (0.02, COLOUR, drift.after)):
            right.bar(middles + shift, np.array(one.confidence) / max(1, sum(one.confidence)), 0.038, color=colour)
        right.set_title("在用模型对类别的把握", loc="left")
        right.set_xlabel("把握")
        right.xaxis.set_major_formatter(PercentFormatter(1))
        right.yaxis.set_major_formatter(PercentFormatter(1))
        return drawn(figure, "与在用模型数据的差别")
