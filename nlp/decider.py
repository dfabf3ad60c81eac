"""Decide: the whole way from petitions to decisions, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from ulid_transform import ulid_at_time

from nlp.decision import Answer, CategoryAnswer, Choice, Decision, Evidence, Matter
from nlp.evidence import Explainer
from nlp.features import Features, weighted
from nlp.heads import Matrix, Probabilities
from nlp.joint import Table
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import READ_AT_MOST, Reader, Reading
from nlp.redline import RedLine, RedLines
from nlp.route import Router
from nlp.segment import Segmenter, open_segmenter
from nlp.taxonomy import EMERGENCY, TASKS
from nlp.thresholds import Thresholds, margins

RUNNERS_UP = {"category": 4, "tier": 1, "clock": 1, "type": 1}
PORTION = 400_000  # code points; a batch of 1,024 letters has a quarter of a million
NOTHING = "没有可读的内容，请人工处理"


@dataclass(frozen=True)
class Options:
    """How a batch is to be decided."""

    now: datetime
    profile: str = "plain"
    evidence: bool = True


@dataclass(frozen=True)
class Answers:
    """What model and rules say of a batch, before it is put into words.

    best: task → (n,) columns; marginals: task → (n, labels); readable: (n,) any feature known.
    confidence: (n,) of the decided category; margin: (n,) lead of the first category.
    shortened: the petitions that were not read to their end.
    """

    best: dict[str, NDArray[np.intp]]
    marginals: Probabilities
    confidence: NDArray[np.float64]
    margin: NDArray[np.float64]
    readable: NDArray[np.bool_]
    redlines: dict[int, RedLine]
    shortened: frozenset[int]
    evidence: list[list[Evidence]]

    def alone(self, limits: Thresholds) -> NDArray[np.bool_]:
        """(n,) which petitions are answered without a human."""
        sure = (self.confidence >= limits.confidence) & (self.margin >= limits.margin)
        alone: NDArray[np.bool_] = self.readable & sure
        alone[[*self.redlines, *self.shortened]] = False
        return alone


def portions(petitions: Sequence[Petition]) -> Iterator[Sequence[Petition]]:
    """The petitions in parts of at most `PORTION` code points (or one petition), so that memory stays flat."""
    start = size = 0
    for number, petition in enumerate(petitions):
        length = len(petition.title) + len(petition.text)
        if number > start and size + length > PORTION:
            yield petitions[start:number]
            start, size = number, 0
        size += length
    if start < len(petitions):
        yield petitions[start:]


class Decider:
    """One model with its rules, ready to decide; safe to share between threads."""

    def __init__(self, model: Model, segmenter: Segmenter | None = None) -> None:
        self.model = model
        self.router = Router(model.taxonomy)
        self._reader = Reader()
        self._features = Features(model.features, segmenter or open_segmenter(model.features.segmenter))
        self._table = Table(model.taxonomy)
        self._redlines = RedLines()
        self._explainer = Explainer(model.heads, model.features.title_weight)
        self._labels = {task: model.taxonomy.labels(task) for task in TASKS}
        self._emergency = model.taxonomy.codes("clock").index(EMERGENCY)

    def decide(self, petitions: Sequence[Petition], options: Options) -> list[Decision]:
        """One decision for each petition, in order; `options.now` has a zone."""
        self.router.check(options.profile)
        decisions: list[Decision] = []
        for part in portions(petitions):
            reading = self._reader.read(part)
            answers = self.answers(reading, evidence=options.evidence)
            decisions += self._decisions(part, reading, answers, options)
        return decisions

    def answers(self, reading: Reading, *, evidence: bool = False) -> Answers:
        """What the model and the red lines say of a batch."""
        texts, count = reading.texts, len(reading.texts) // 2
        tokens = self._features.tokens(texts)
        columns = self.model.vocabulary.table.columns(tokens.key)
        counts = self._features.counts(tokens, columns, count, len(self.model.vocabulary))
        matrix = weighted(counts, self.model.idf)
        heads = self.model.heads.probabilities(matrix)
        redlines = self._redlines.find(texts)
        raised = list(redlines)
        heads["clock"][raised] = 0
        heads["clock"][raised, self._emergency] = 1
        joint = self._table.decode(heads)
        best = joint.best | {"type": heads["type"].argmax(axis=1)}
        words = self._explainer.explain(reading.sources, texts, tokens, columns, matrix, best) if evidence else []
        return Answers(
            best, joint.marginals | {"type": heads["type"]}, joint.confidence, margins(joint.marginals["category"]),
            counts.lengths > 0, redlines, reading.shortened, words,
        )  # fmt: skip

    def _decisions(
        self, petitions: Sequence[Petition], reading: Reading, answers: Answers, options: Options
    ) -> list[Decision]:
        choices = [self._choices(task, answers.best[task], answers.marginals[task]) for task in TASKS]
        decided_at, seconds = options.now.isoformat(timespec="seconds"), options.now.timestamp()
        paths = self.model.taxonomy.paths
        decisions: list[Decision] = []
        for row, (petition, category, *others) in enumerate(zip(petitions, *choices, strict=True)):
            first = category[0]
            tier, clock, kind = (Answer(c[0].code, c[0].name, c[0].confidence, c[1:]) for c in others)
            codes = (first.code, tier.code, clock.code, kind.code)
            reasons = self._reasons(row, answers)
            decision = Decision(
                id=petition.id,
                decision_id=ulid_at_time(seconds),
                decided_at=decided_at,
                category=CategoryAnswer(first.code, first.name, paths[first.code], first.confidence, category[1:]),
                tier=tier,
                clock=clock,
                type=kind,
                matters=[Matter(first.code, 0, len(petition.text))],
                places=[],
                needs_human=bool(reasons),
                reasons=reasons,
                evidence=answers.evidence[row] if answers.evidence else [],
                route=self.router.route(options.profile, codes, petition.received_at or options.now),
                masked_title=reading.masked(2 * row),
                masked_text=reading.masked(2 * row + 1),
                model=self.model.name,
            )
            decisions.append(decision)
        return decisions

    def _choices(self, task: str, best: NDArray[np.intp], marginals: Matrix) -> list[list[Choice]]:
        """For each petition the decided code, then the runners-up, most probable first."""
        labels = self._labels[task]
        count = min(RUNNERS_UP[task] + 1, len(labels))
        rows = np.arange(len(best))[:, None]
        ranked = marginals.copy()
        ranked[rows, best[:, None]] = 2  # the joint answer comes first, whatever its marginal
        order = np.argsort(-ranked, axis=1)[:, :count]
        confidence = marginals[rows, order].round(4)
        codes, names = [label.code for label in labels], [label.name for label in labels]
        return [
            [Choice(codes[column], names[column], value) for column, value in zip(columns, values, strict=True)]
            for columns, values in zip(order.tolist(), confidence.tolist(), strict=True)
        ]

    def _reasons(self, row: int, answers: Answers) -> list[str]:
        """Why a human is needed, in short lines; none where none is needed."""
        limits = self.model.thresholds
        redline = answers.redlines.get(row)
        reasons = [redline.reason] if redline else []
        if not answers.readable[row]:
            return [*reasons, NOTHING]
        if answers.confidence[row] < limits.confidence:
            reasons.append(f"把握不足：类别正确的概率 {answers.confidence[row]:.3f}，低于 {limits.confidence:.3f}")
        if answers.margin[row] < limits.margin:
            reasons.append(f"前两个类别过于接近，只差 {answers.margin[row]:.2f}")
        if row in answers.shortened:
            reasons.append(f"文本过长，只读了前 {READ_AT_MOST} 字")
        return reasons
