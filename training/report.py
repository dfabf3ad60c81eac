"""The report of an evaluation: JSON for programs, one HTML page for people."""

from __future__ import annotations

import html
import json
from collections import Counter
from pathlib import Path

from nlp.taxonomy import TASK_NAMES, Taxonomy
from training.evaluation import Report
from training.scores import TaskScore

STYLE = (
    "body{font:15px/1.6 sans-serif;max-width:60em;margin:2em auto}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.3em .7em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
)
WORST = 15


def write_report(report: Report, taxonomy: Taxonomy, folder: Path) -> None:
    """Write `report.json` and `report.html` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_dict(), ensure_ascii=False, indent=1)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.html").write_text(_page(report, taxonomy), encoding="utf-8")


def _page(report: Report, taxonomy: Taxonomy) -> str:
    head = f"模型 {html.escape(report.model)}，数据 {html.escape(report.data)}，共 {report.rows} 条。"
    error = _percent(report.error_alone("category"))
    parts = [
        f"<h1>评估报告</h1><p>{head}</p>",
        _table(["任务", "条数", "准确率", "95% 区间", "宏平均 F1", "校准误差 ECE"], _tasks(report)),
        f"<p>不需人工即可答复的占 {_percent(report.coverage)}，其中类别错误 {error}。</p>",
    ]
    for task, score in report.tasks.items():
        codes = taxonomy.codes(task)
        parts.append(f"<h2>{TASK_NAMES[task]}：各标签</h2>" + _table(["标签", "条数", "F1"], _labels(score, codes)))
        parts.append("<h3>最多的混淆</h3>" + _table(["应为", "答为", "次数"], _confusions(score, codes)))
    page = f'<meta charset="utf-8"><title>评估报告</title><style>{STYLE}</style>{"".join(parts)}'
    return f'<!doctype html><html lang="zh">{page}</html>'


def _tasks(report: Report) -> list[list[object]]:
    return [
        [
            TASK_NAMES[task],
            len(score.labels),
            _percent(score.accuracy),
            _range(score.interval),
            _percent(score.macro_f1),
            f"{score.calibration_error:.3f}",
        ]
        for task, score in report.tasks.items()
    ]


def _labels(score: TaskScore, codes: list[str]) -> list[list[object]]:
    return [[codes[column], int((score.labels == column).sum()), f"{f1:.3f}"] for column, f1 in score.f1.items()]


def _confusions(score: TaskScore, codes: list[str]) -> list[list[object]]:
    wrong = ~score.right
    pairs = Counter(zip(score.labels[wrong].tolist(), score.best[wrong].tolist(), strict=True))
    return [[codes[given], codes[answered], count] for (given, answered), count in pairs.most_common(WORST)]


def _table(head: list[str], rows: list[list[object]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + f"</tr>{cells}</table>"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _range(interval: tuple[float, float]) -> str:
    return f"{_percent(interval[0])}–{_percent(interval[1])}"
