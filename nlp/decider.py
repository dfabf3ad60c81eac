"""Decide: the whole way from petitions to decisions, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from ulid_transform import ulid_at_time

from nlp.answers import Answers
from nlp.decision import Answer, CategoryAnswer, Choice, Decision
from nlp.dispatch import Asked, Codes, Dispatched, Dispatcher
from nlp.division import Divider
from nlp.evidence import Explainer
from nlp.features import Features, weighted
from nlp.former import weighed
from nlp.heads import Matrix
from nlp.joint import Table
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import READ_AT_MOST, Reader, Reading
from nlp.redline import RedLines
from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.segment import Segmenter, open_segmenter
from nlp.taxonomy import EMERGENCY, TASKS
from nlp.thresholds import margins

RUNNERS_UP = {"category": 4, "tier": 1, "clock": 1, "type": 1}
PORTION = 400_000  # code points; a batch of 1,024 letters has a quarter of a million
NOTHING = "没有可读的内容，请人工处理"


@dataclass(frozen=True)
class Options:
    """How a batch is to be decided."""

    now: datetime
    profile: str = "plain"
    evidence: bool = True
    high: bool = False  # ask the encoder where the linear model is not sure


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
    """One model with its rules, ready to decide; safe to share between threads.

    dispatcher: the rules in force; another may be put in its place at any time, a batch uses one throughout.
    reader, redlines: how it reads, for whoever reads beside it.
    """

    def __init__(self, model: Model, segmenter: Segmenter | None = None, rules: Rulebase | None = None) -> None:
        self.model = model
        segmenter = segmenter or open_segmenter(model.features.segmenter)
        self._segmenter = segmenter
        self.reader = Reader()
        self.put_in_force(rules or Rulebase.read(model.taxonomy))
        self._features = Features(model.features, segmenter)
        self._table = Table(model.taxonomy)
        self.redlines = RedLines()
        self._divider = Divider(model, self._features, self._table)
        self._explainer = Explainer(model.heads, model.features.title_weight)
        self._labels = {task: model.taxonomy.labels(task) for task in TASKS}
        self._codes = {task: model.taxonomy.codes(task) for task in TASKS}
        self._columns = {task: {code: column for column, code in enumerate(self._codes[task])} for task in TASKS}
        self._lent = {
            task: (str(by["model"]), frozenset(by["labels"])) for task, by in model.card.get("answered_by", {}).items()
        }
        self._emergency = model.taxonomy.codes("clock").index(EMERGENCY)

    @property
    def router(self) -> Router:
        """The router of the rules in force."""
        return self.dispatcher.router

    def put_in_force(self, rules: Rulebase) -> None:
        """Decide by other rules from the next batch on."""
        self.dispatcher = Dispatcher(rules, self._segmenter, self.reader)

    def decide(self, petitions: Sequence[Petition], options: Options, told: Matrix | None = None) -> list[Decision]:
        """One decision for each petition, in order; `options.now` has a zone.

        told: (petitions, categories) likelihoods that former labels give, if there are any.
        """
        dispatcher = self.dispatcher
        dispatcher.router.check(options.profile)
        decisions: list[Decision] = []
        for part in portions(petitions):
            reading = self.reader.read(part)
            mine = None if told is None else told[len(decisions) : len(decisions) + len(part)]
            answers = self.answers(reading, evidence=options.evidence, high=options.high, told=mine)
            sent = dispatcher.dispatch(part, reading, self._asked(answers), options.profile, options.now)
            decisions += self._decisions(part, reading, answers, sent, options)
        return decisions

    def asked(self, reading: Reading) -> list[Asked]:
        """What is to be dispatched of a batch, with the next likely categories, for other rules than those in force."""
        answers = self.answers(reading)
        order = np.argsort(-answers.marginals["category"], axis=1)[:, : RUNNERS_UP["category"]]
        likely = [tuple(self._codes["category"][column] for column in row) for row in order.tolist()]
        return [
            replace(asked, others=tuple(code for code in codes if code != asked.codes[0]))
            for asked, codes in zip(self._asked(answers), likely, strict=True)
        ]

    def answers(
        self, reading: Reading, *, evidence: bool = False, high: bool = False, told: Matrix | None = None
    ) -> Answers:
        """What the model and the red lines say of a batch; `high` asks its encoder, if there is one.

        told: (petitions, categories) likelihoods that former labels give.
        """
        texts, count = reading.texts, len(reading.texts) // 2
        tokens = self._features.tokens(texts)
        columns = self.model.vocabulary.table.columns(tokens.key)
        counts = self._features.counts(tokens, columns, count, len(self.model.vocabulary))
        matrix = weighted(counts, self.model.idf)
        heads, asked = self.model.heads.probabilities(matrix), np.zeros(count, np.bool_)
        if high and self.model.encoder:
            heads, asked = self.model.encoder.mixed(heads, texts)
        if told is not None:
            weighed(heads, told, self.model.heads)
        redlines = self.redlines.find(texts)
        raised = list(redlines)
        parts = self._divider.divide(texts, tokens, columns, heads, redlines)
        heads["clock"][raised] = 0
        heads["clock"][raised, self._emergency] = 1
        joint = self._table.decode(heads)
        best = joint.best | {"type": heads["type"].argmax(axis=1)}
        words = self._explainer.explain(reading.sources, texts, tokens, columns, matrix, best) if evidence else []
        return Answers(
            best, joint.marginals | {"type": heads["type"]}, joint.confidence, margins(joint.marginals["category"]),
            counts.lengths > 0, redlines, reading.shortened, parts, words, asked,
        )  # fmt: skip

    def _asked(self, answers: Answers) -> list[Asked]:
        """What is to be dispatched, in codes."""
        spelled = ([self._codes[task][column] for column in answers.best[task].tolist()] for task in TASKS)
        asked: list[Asked] = []
        for row, (category, tier, clock, kind) in enumerate(zip(*spelled, strict=True)):
            parts = [(self._spelled(part.columns), part.start, part.end) for part in answers.parts.get(row, ())]
            others = [part for part in parts[1:] if part[0][0] != category]
            codes = (category, tier, clock, kind)
            asked.append(Asked(codes, answers.redlines.get(row), [parts[0], *others] if others else ()))
        return asked

    def _spelled(self, columns: Mapping[str, int]) -> Codes:
        category, tier, clock, kind = (self._codes[task][columns[task]] for task in TASKS)
        return category, tier, clock, kind

    def _decisions(
        self, petitions: Sequence[Petition], reading: Reading, answers: Answers, sent: Sequence[Dispatched],
        options: Options,
    ) -> list[Decision]:  # fmt: skip
        best = {task: answers.best[task].copy() for task in TASKS}
        for task in ("tier", "clock"):  # rules have the last word there
            best[task][:] = [self._columns[task][getattr(one.plan.facts, task)] for one in sent]
        choices = [self._choices(task, best[task], answers.marginals[task]) for task in TASKS]
        decided_at, seconds = options.now.isoformat(timespec="seconds"), options.now.timestamp()
        paths = self.model.taxonomy.paths
        decisions: list[Decision] = []
        for row, (petition, one, category, *others) in enumerate(zip(petitions, sent, *choices, strict=True)):
            first = category[0]
            tier, clock, kind = (Answer(c[0].code, c[0].name, c[0].confidence, c[1:]) for c in others)
            reasons = [*self._reasons(row, answers), *one.plan.reasons]
            decision = Decision(
                id=petition.id,
                decision_id=ulid_at_time(seconds),
                decided_at=decided_at,
                category=CategoryAnswer(first.code, first.name, paths[first.code], first.confidence, category[1:]),
                tier=tier,
                clock=clock,
                type=kind,
                matters=one.matters,
                places=one.places,
                needs_human=bool(reasons),
                reasons=reasons,
                evidence=answers.evidence[row] if answers.evidence else [],
                route=one.matters[0].route,
                masked_title=reading.masked(2 * row),
                masked_text=reading.masked(2 * row + 1),
                model=self.model.name,
                received_at=petition.received_at.isoformat(timespec="seconds") if petition.received_at else "",
            )
            if self._lent:
                codes = {"category": first.code, "tier": tier.code, "clock": clock.code, "type": kind.code}
                decision.answered_by = {
                    task: model for task, (model, labels) in self._lent.items() if codes[task] in labels
                }
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
        least = limits.least(answers.asked[row])
        if answers.confidence[row] < least:
            reasons.append(f"把握不足：类别正确的概率 {answers.confidence[row]:.3f}，低于 {least:.3f}")
        if answers.margin[row] < limits.margin:
            reasons.append(f"前两个类别过于接近，只差 {answers.margin[row]:.2f}")
        if row in answers.doubtful:
            seemed = self._labels["category"][answers.doubtful[row]].name
            reasons.append(f"含 {len(answers.parts[row])} 件事，主次请核对：全文更像“{seemed}”")
        if row in answers.shortened:
            reasons.append(f"文本过长，只读了前 {READ_AT_MOST} 字")
        return reasons
