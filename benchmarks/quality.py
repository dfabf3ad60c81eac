"""The quality of the default model on real letters: `python -m benchmarks.quality LETTERS [--write]`.

Prints, as Markdown, what was reached against the goals, the learning curve, what the domain dictionary is worth,
and the confusions that remain; `--write` puts it into docs/quality.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from corpora.petitions import default_taxonomy, read_rows
from nlp.model import Model
from nlp.segment import FastSegmenter
from nlp.taxonomy import TASKS, Taxonomy
from training.calibration import wilson
from training.commands import default_model
from training.dataset import Dataset
from training.evaluation import Report, evaluate
from training.fitting import OWN, fit
from training.scores import TaskScore
from training.sources import from_corpus, open_dataset

PAGE = Path(__file__).parent.parent / "docs" / "quality.md"
BEGIN, END = "<!-- measured: make quality -->", "<!-- end -->"
SIZES = (500, 1000, 2000, 4000, 8000)
CORE = ("leak", "illegal_construction", "street_vending")
SEED = 20261122
WORST = 14


def reached(report: Report, taxonomy: Taxonomy) -> Iterator[str]:
    """What was reached against the goals of the linear default."""
    tasks = report.tasks
    codes = {task: list(taxonomy.codes(task)) for task in TASKS}
    yield "| 来信上 | 目标 | 量得 |\n|---|---|---|"
    yield _line("类别，首选", 0.72, tasks["category"].accuracy, tasks["category"].interval)
    among = tasks["category"].among(3)
    yield _line("类别，前三之内", 0.90, among, wilson(round(among * report.rows), report.rows))
    for code in CORE:
        yield _line(f"`{code}` F1", 0.82, tasks["category"].f1[codes["category"].index(code)])
    yield _line("层级", 0.76, tasks["tier"].accuracy, tasks["tier"].interval)
    yield _line("层级，二次加权 kappa", 0.55, tasks["tier"].kappa)
    yield _line("时限，宏平均 F1", 0.55, tasks["clock"].macro_f1)
    yield _line("诉求类型", 0.72, tasks["type"].accuracy, tasks["type"].interval)
    yield _line("不需人工", 0.35, report.coverage, wilson(int(report.alone.sum()), report.rows))
    yield f"| 其中类别错误 | ≤ 0.05 | {report.error_alone('category'):.3f} |"
    yield f"| 类别的 ECE | ≤ 0.05 | {tasks['category'].calibration_error:.3f} |"


def _line(name: str, goal: float, value: float, interval: tuple[float, float] | None = None) -> str:
    spread = f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
    return f"| {name} | ≥ {goal:.2f} | {value:.3f}{spread} |"


def tasks_table(letters: Report, own: Model) -> Iterator[str]:
    """Every task on the letters and, out of fold, on the corpus itself."""
    yield "| 任务 | 来信：准确率 | 宏平均 F1 | ECE | 语料，交叉验证：准确率 | 宏平均 F1 | ECE |"
    yield "|---|---|---|---|---|---|---|"
    for task, score in letters.tasks.items():
        low, high = score.interval
        held = own.scores["tasks"][task]
        yield (
            f"| {task} | {score.accuracy:.3f} [{low:.3f}, {high:.3f}] | {score.macro_f1:.3f} | "
            f"{score.calibration_error:.3f} | {held['accuracy']:.3f} | {held['macro_f1']:.3f} | "
            f"{held['calibration_error']:.3f} |"
        )
    yield f"\n语料上不需人工 {own.scores['answered_alone']:.3f}，其中类别错误 {own.scores['error_of_those']:.3f}。"


def curve(corpus: Dataset, letters: Dataset, taxonomy: Taxonomy) -> Iterator[str]:
    """How the scores grow with the rows of the corpus, drawn at random."""
    order = np.random.default_rng(SEED).permutation(len(corpus))
    yield "| 语料条数 | 类别 | 前三之内 | 层级 | 时限宏 F1 | 诉求类型 |\n|---|---|---|---|---|---|"
    for size in (*(size for size in SIZES if size < len(corpus)), len(corpus)):
        report = evaluate(fit(corpus.part(order[:size]), taxonomy, OWN, _quietly).model, letters)
        tasks = report.tasks
        yield (
            f"| {size} | {tasks['category'].accuracy:.3f} | {tasks['category'].among(3):.3f} | "
            f"{tasks['tier'].accuracy:.3f} | {tasks['clock'].macro_f1:.3f} | {tasks['type'].accuracy:.3f} |"
        )


def registers(corpus: Dataset, taxonomy: Taxonomy) -> Iterator[str]:
    """A quarter of the corpus, answered by a model of the other three, register by register."""
    order = np.random.default_rng(SEED).permutation(len(corpus))
    rest, quarter = order[len(order) // 4 :], order[: len(order) // 4]
    model = fit(corpus.part(rest), taxonomy, OWN, _quietly).model
    kinds = np.array([row.register for row in read_rows()])[quarter]
    yield "| 语体（语料留出的四分之一） | 条 | 类别 | 前三之内 | 层级 | 时限宏 F1 | 诉求类型 |"
    yield "|---|---|---|---|---|---|---|"
    for kind, count in Counter(kinds.tolist()).most_common():
        tasks = evaluate(model, corpus.part(quarter[kinds == kind])).tasks
        yield (
            f"| {kind} | {count} | {tasks['category'].accuracy:.3f} | {tasks['category'].among(3):.3f} | "
            f"{tasks['tier'].accuracy:.3f} | {tasks['clock'].macro_f1:.3f} | {tasks['type'].accuracy:.3f} |"
        )


def dictionary(corpus: Dataset, model: Model, taxonomy: Taxonomy) -> Iterator[str]:
    """The score on held-out rows of the corpus with the domain dictionary and without it."""
    without = fit(corpus, taxonomy, OWN, _quietly, FastSegmenter([])).model
    yield "| 语料，交叉验证 | 有领域词典 | 没有 |\n|---|---|---|"
    for task in TASKS:
        scores = [each.scores["tasks"][task] for each in (model, without)]
        yield f"| {task} | {scores[0]['accuracy']:.4f} | {scores[1]['accuracy']:.4f} |"


def confusions(score: TaskScore, taxonomy: Taxonomy) -> Iterator[str]:
    """The pairs of categories that are taken for one another most often, and the weakest categories."""
    codes = taxonomy.codes("category")
    wrong = ~score.right
    pairs = Counter(frozenset(pair) for pair in zip(score.labels[wrong], score.best[wrong], strict=True))
    yield "| 互相混淆 | 次 |\n|---|---|"
    for pair, count in sorted(pairs.items(), key=lambda item: (-item[1], sorted(item[0])))[:WORST]:
        yield f"| {' ↔ '.join(codes[column] for column in sorted(pair))} | {count} |"
    rows = Counter(score.labels.tolist())
    weak = sorted((value, column) for column, value in score.f1.items() if rows[column] >= 10)[:WORST]
    yield (
        "\nF1 最低的类别（来信至少 10 封）："
        + "、".join(f"`{codes[c]}` {v:.2f}（{rows[c]} 封）" for v, c in weak)
        + "。"
    )


def _quietly(_what: str, _steps: int) -> None:
    """No progress bar."""


def page(path: Path) -> str:
    """All parts, as Markdown."""
    taxonomy, corpus, letters = default_taxonomy(), from_corpus(), open_dataset(str(path), {})
    model = default_model(Path("var"))
    report = evaluate(model, letters)
    parts = {
        "达到与目标": reached(report, taxonomy),
        "各任务": tasks_table(report, model),
        "学习曲线": curve(corpus, letters, taxonomy),
        "各语体": registers(corpus, taxonomy),
        "领域词典": dictionary(corpus, model, taxonomy),
        "错在哪里": confusions(report.tasks["category"], taxonomy),
    }
    head = (
        f"模型 `{model.name}`，只用语料训练（{len(corpus)} 条）；来信 {len(letters)} 封，训练与任何设定都没有用过它们。"
    )
    return "\n\n".join([head, *(f"### {title}\n\n" + "\n".join(lines) for title, lines in parts.items())])


def main(words: list[str]) -> None:
    """Print the page, or write it into docs/quality.md."""
    files = [word for word in words if not word.startswith("--")]
    if len(files) != 1:
        sys.exit("python -m benchmarks.quality LETTERS [--write]")
    text = page(Path(files[0]))
    if "--write" in words:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
