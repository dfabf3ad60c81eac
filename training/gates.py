"""The gates before promotion: a challenger's answers on the frozen test set against the champion's, row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corpora
from nlp.decider import Decider, Options
from nlp.errors import InputError
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import EMERGENCY, TASK_NAMES, TASKS
from training.calibration import calibration_error
from training.dataset import Dataset

REDLINES = Path(corpora.__file__).parent / "redlines" / "kept.jsonl"
CHUNK = 512  # rows answered at a time
PORTION = 250  # resamples at a time, so that memory stays flat
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # any fixed time
Codes = NDArray[np.str_]
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """How much worse a challenger may be, in shares of 1, and how that is measured."""

    macro_f1: float = 0.01  # by the lower bound of the interval of the difference
    class_f1: float = 0.05
    class_rows: int = 30  # a class with fewer rows says too little by itself
    calibration: float = 0.02
    slower: float = 0.25
    resamples: int = 2000
    timed: int = 200  # rows that are timed
    turns: int = 5  # the best of so many counts: what else runs on the machine only ever adds time
    seed: int = 20261123


LIMITS = Limits()


@dataclass(frozen=True)
class Sheet:
    """What one model answered. answers: (n,) codes; confidence: (n,) of each; red: (m,) red lines seen."""

    model: str
    known: frozenset[str]
    answers: Codes
    confidence: NDArray[np.float64]
    red: NDArray[np.bool_]


@dataclass(frozen=True)
class Gate:
    """One comparison: the figures of champion and challenger, what was allowed, whether it holds."""

    name: str
    before: str
    after: str
    limit: str
    passed: bool

    @property
    def told(self) -> str:
        """One line for people."""
        return f"{self.name}：{self.before} → {self.after}（{self.limit}）"


@dataclass(frozen=True)
class Comparison:
    """All gates of a challenger. notes: what a reader of the figures must know; figures: the numbers behind them."""

    champion: str
    challenger: str
    data: str
    rows: int
    task: str
    gates: tuple[Gate, ...]
    notes: tuple[str, ...]
    figures: dict[str, float]

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that the challenger does not pass."""
        return tuple(gate for gate in self.gates if not gate.passed)

    def as_dict(self) -> dict[str, Any]:
        """What the history keeps and `--json` prints."""
        return asdict(self) | {"passed": not self.failed}


def compare(champion: Model, challenger: Model, dataset: Dataset, limits: Limits = LIMITS) -> Comparison:
    """Put both models through the gates on labelled rows.

    Raises `InputError` when no row is labelled, or none with a label that the challenger knows.
    """
    task = next((task for task in TASKS if any(dataset.labels.get(task, ()))), "")
    if not task:
        raise InputError(place=dataset.name, reason="没有一行带标签，无法比较模型")
    dataset = dataset.part(row for row, code in enumerate(dataset.labels[task]) if code)
    labels = np.array(dataset.labels[task], np.str_)
    if not set(labels.tolist()) & set(challenger.taxonomy.codes(task)):
        reason = "新模型不认识测试集的任何一个标签：分类换了，请用 jiesu test-set freeze --again 重新冻结"
        raise InputError(place=dataset.name, reason=reason)
    deciders = _deciders(champion, challenger)
    before, after = (sheet(decider, dataset, task) for decider in deciders)
    seconds = timed(deciders, dataset.petitions[: limits.timed], limits.turns)
    gates = (
        macro_gate(labels, before.answers, after.answers, limits),
        *class_gates(labels, before.answers, after.answers, limits),
        redline_gate(before.red, after.red),
        calibration_gate(labels, before, after, limits),
        time_gate(seconds, limits),
    )
    notes = tuple(_strangers(labels, before, "在用模型")) + tuple(_strangers(labels, after, "新模型"))
    figures = _figures("champion", labels, before) | _figures("challenger", labels, after)
    names = before.model, after.model
    return Comparison(*names, dataset.name, len(dataset), TASK_NAMES[task], gates, notes, figures)


def _deciders(champion: Model, challenger: Model) -> list[Decider]:
    """A decider of each; the rules are read once where both have the same taxonomy."""
    first = Decider(champion)
    same = champion.taxonomy.hash == challenger.taxonomy.hash
    return [first, Decider(challenger, rules=first.router.rules if same else None)]


def sheet(decider: Decider, dataset: Dataset, task: str) -> Sheet:
    """Answers of the whole decider, rules included: to `task` on the dataset, and on the project's red lines."""
    codes = np.array([*decider.model.taxonomy.codes(task), ""], np.str_)
    best: list[NDArray[np.intp]] = []
    sure: list[NDArray[np.float64]] = []
    for first in range(0, len(dataset), CHUNK):
        part = decider.answers(Reader().read(dataset.petitions[first : first + CHUNK]))
        rows = np.arange(len(part.readable))
        answered = part.best.get(task, np.full(len(rows), -1))  # a model without the task answers nothing
        best.append(answered)
        sure.append(part.marginals[task][rows, answered] if task in part.marginals else np.zeros(len(rows)))
    known = frozenset(codes[:-1].tolist())
    return Sheet(decider.model.name, known, codes[np.concatenate(best)], np.concatenate(sure), _alarms(decider))


def _alarms(decider: Decider) -> NDArray[np.bool_]:
    """(m,) which of the project's red lines are answered as emergencies, by rule or by model."""
    part = decider.answers(Reader().read(red_petitions()))
    alarms = np.zeros(len(part.readable), np.bool_)
    alarms[list(part.redlines)] = True
    if "clock" in part.best and EMERGENCY in decider.model.taxonomy.codes("clock"):
        alarms |= part.best["clock"] == decider.model.taxonomy.codes("clock").index(EMERGENCY)
    return alarms


def red_petitions(path: Path = REDLINES) -> list[Petition]:
    """The petitions of the red lines' kept set that are emergencies; the default model has learned the open ones."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Petition(str(number), row["text"]) for number, row in enumerate(rows, 1) if row["red"]]


def f1_of(labels: Codes, answers: Codes) -> dict[str, float]:
    """Label → F1, for the labels that stand in the test set: the same ones for every model."""
    held = np.unique(labels)
    right, given, answered = (counts[0] for counts in _tallies(labels, answers, np.ones((1, len(labels)))))
    return dict(zip(held.tolist(), (2 * right / (given + answered)).tolist(), strict=True))


def _tallies(labels: Codes, answers: Codes, weights: Counts) -> tuple[Counts, Counts, Counts]:
    """(resamples, classes) rows answered rightly, given, and answered, each row as often as it was drawn."""
    held = np.unique(labels)
    given = (labels[:, None] == held).astype(np.float64)
    answered = (answers[:, None] == held).astype(np.float64)
    return weights @ (given * answered), weights @ given, weights @ answered


def difference(labels: Codes, before: Codes, after: Codes, limits: Limits) -> tuple[float, float]:
    """The 95 % interval of the difference in macro-F1: paired bootstrap over rows (Efron & Tibshirani 1993, ch. 13).

    A class that a resample does not hold counts for neither model there.
    """
    chance = np.random.default_rng(limits.seed)
    share = np.full(len(labels), 1 / len(labels))
    parts: list[Counts] = []
    for first in range(0, limits.resamples, PORTION):
        size = min(PORTION, limits.resamples - first)
        weights = chance.multinomial(len(labels), share, size=size).astype(np.float64)
        parts.append(_macro(labels, after, weights) - _macro(labels, before, weights))
    low, high = np.quantile(np.concatenate(parts), (0.025, 0.975))
    return float(low), float(high)


def _macro(labels: Codes, answers: Codes, weights: Counts) -> Counts:
    """(resamples,) mean F1 of the classes that a resample holds."""
    right, given, answered = _tallies(labels, answers, weights)
    held = given > 0
    f1 = np.divide(2 * right, given + answered, out=np.zeros_like(right), where=held)
    mean: Counts = f1.sum(axis=1) / held.sum(axis=1)
    return mean


def macro_gate(labels: Codes, before: Codes, after: Codes, limits: Limits) -> Gate:
    """The macro-F1 may not be worse, as far as so many rows can tell."""
    old, new = (float(np.mean(list(f1_of(labels, answers).values()))) for answers in (before, after))
    low, high = difference(labels, before, after, limits)
    interval = f"差的 95% 区间 {100 * low:+.1f}～{100 * high:+.1f} 个百分点，下限不得低于 -{100 * limits.macro_f1:g}"
    return Gate("宏平均 F1", f"{old:.3f}", f"{new:.3f}", interval, low >= -limits.macro_f1)


def class_gates(labels: Codes, before: Codes, after: Codes, limits: Limits) -> Iterator[Gate]:
    """One gate for every class that loses too much, or one for them all."""
    old, new = f1_of(labels, before), f1_of(labels, after)
    rows = dict(zip(*(column.tolist() for column in np.unique(labels, return_counts=True)), strict=True))
    judged = [code for code in old if rows[code] >= limits.class_rows]
    limit = f"每类不得降 {100 * limits.class_f1:g} 个百分点以上"
    worst = sorted((new[code] - old[code], code) for code in judged)
    lost = [code for change, code in worst if change < -limits.class_f1]
    for code in lost:
        yield Gate(f"F1（{code}，{rows[code]} 行）", f"{old[code]:.3f}", f"{new[code]:.3f}", limit, passed=False)
    if not lost:
        name, code = f"各类 F1（{len(judged)} 类不少于 {limits.class_rows} 行）", worst[0][1] if worst else ""
        figures = (f"{old[code]:.3f}", f"{new[code]:.3f}") if code else ("—", "—")
        yield Gate(f"{name}，变化最差：{code or '无'}", *figures, limit, passed=True)


def redline_gate(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Gate:
    """Of the red lines no fewer may be found than before."""
    old, new = int(before.sum()), int(after.sum())
    first, second = (f"{found.mean():.4f}（{int(found.sum())}/{len(found)}）" for found in (before, after))
    return Gate("红线召回", first, second, "不得下降", new >= old)


def calibration_gate(labels: Codes, before: Sheet, after: Sheet, limits: Limits) -> Gate:
    """Confidences may not be much less true."""
    old, new = (calibration_error(sheet.confidence, sheet.answers == labels) for sheet in (before, after))
    limit = f"不得上升 {100 * limits.calibration:g} 个百分点以上"
    return Gate("置信误差 ECE", f"{old:.3f}", f"{new:.3f}", limit, new - old <= limits.calibration)


def time_gate(seconds: Sequence[float], limits: Limits) -> Gate:
    """A petition may not take much longer."""
    old, new = seconds
    first, second = (f"{1000 * value:.2f} 毫秒" for value in seconds)
    limit = f"不得慢 {100 * limits.slower:g}% 以上"
    return Gate("每件用时", first, second, limit, new <= old * (1 + limits.slower))


def timed(deciders: Sequence[Decider], petitions: Sequence[Petition], turns: int) -> list[float]:
    """Processor seconds a petition of each decider, asked in turn about the same rows: the best of several."""
    options = Options(NOON)
    best = [np.inf] * len(deciders)
    for _ in range(turns + 1):  # the first turn warms the caches, and is never the best
        for number, decider in enumerate(deciders):
            begun = time.process_time()
            decider.decide(petitions, options)
            best[number] = min(best[number], time.process_time() - begun)
    return [seconds / len(petitions) for seconds in best]


def _strangers(labels: Codes, sheet: Sheet, name: str) -> Iterator[str]:
    """Which labels of the test set a model does not know: it is wrong on all of their rows."""
    unknown = [code for code in np.unique(labels).tolist() if code not in sheet.known]
    if unknown:
        rows = int(np.isin(labels, unknown).sum())
        yield f"{name}的分类体系没有 {len(unknown)} 个标签（{'、'.join(unknown[:10])}），其 {rows} 行一律算它答错"


def _figures(side: str, labels: Codes, sheet: Sheet) -> dict[str, float]:
    right = sheet.answers == labels
    return {
        f"{side}_accuracy": round(float(right.mean()), 4),
        f"{side}_macro_f1": round(float(np.mean(list(f1_of(labels, sheet.answers).values()))), 4),
        f"{side}_calibration_error": round(calibration_error(sheet.confidence, right), 4),
        f"{side}_redline_recall": round(float(sheet.red.mean()), 4),
    }
