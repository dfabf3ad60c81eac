"""The page: one HTML file that opens offline, for people who own the data and need no machine learning."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.markup import document, percent, safe, span
from nlp.taxonomy import TASK_NAMES
from training.report.material import Material
from training.report.sections import SECTIONS, weakest

TITLES = {"scores": "成绩", "confusions": "混淆", "labels": "各标签", "certainty": "把握", "growth": "再标多少",
          "drift": "数据变化", "findings": "数据问题", "suspects": "可能标错", "cascade": "编码器"}  # fmt: skip


def page(given: Material) -> str:
    """The whole page; nothing in it is loaded from elsewhere."""
    report = given.report
    about = (
        f"数据 {report.data}，{report.rows} 条；模型 {report.model or '（未命名）'}；{given.day:%Y 年 %m 月 %d 日}。"
    )
    points = "".join(f"<li>{safe(point)}</li>" for point in _points(given))
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in TITLES.items())
    body = "".join(write(given) for write in SECTIONS)
    return document(
        "模型报告",
        f'<h1>模型报告</h1><p class="about">{safe(about)}</p><ul class="first">{points}</ul><nav>{links}</nav>{body}',
    )


def _points(given: Material) -> Iterator[str]:
    """The few things to know when there is no time for the rest."""
    if not given.first:
        yield "这份数据没有带标签的行，没有成绩可看。"
        return
    score = given.report.tasks[given.first]
    yield f"{TASK_NAMES[given.first]}：每百条答对 {percent(score.accuracy)}（区间 {span(score.interval)}）。"
    yield f"不需人工即可答复 {percent(given.report.coverage)}{given.error_alone}。"
    if low := weakest(score):
        yield f"最弱的标签：{'、'.join(given.names[given.first][column] for column in low)}。"
    if curve := given.extras.curve:
        yield from (
            []
            if curve.law is None
            else [f"再标 1,000 条，宏平均 F1 大约到 {curve.reached(curve.total + 1000)[0]:.3f}。"]
        )
    if given.extras.drift and given.extras.drift.much:
        yield "数据与在用模型学过的很不一样，见“数据变化”。"
    if lists := given.extras.suspects:
        many = max(map(len, lists.values()))
        yield f"{many} 行已按标错的可能排好，最可疑的在 suspects.xlsx 里，见“可能标错”。"
