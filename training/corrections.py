"""Corrections: what the staff said of decisions (反馈) as rows to train on.

The export is JSONL (UTF-8), one decision a line, with its petition and all feedback on it:

    {"decision": {…a Decision of the contract…},
     "petition": {"id": "A-17", "title": "…", "text": "…", "received_at": "2026-11-23T09:00:00+08:00"},
     "feedback": [{"verdict": "corrected", "category": "leak", "operator": "甲01", "at": "2026-11-23T10:05:00+08:00"}]}

Of the decision `decision_id`, the `code` of the four tasks, `route.unit` and `received_at` are read; of the feedback
the fields of `/v1/feedback` and `at`, when it was given (ISO 8601; without a zone it is China's time). Unknown fields
are passed over, null is the same as absent. Several lines may hold decisions on one petition: its `id` brings them
together.

What the verdicts teach:
- accepted: all four labels of the decision.
- corrected: the labels that were named, nothing about the others.
- returned (退单): never a label. It says that the unit was wrong, so by its reason it takes back what was accepted of
  the category or the tier before it; who accepts the same label again afterwards has weighed the return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ValidationError

from corpora.tables import decoded
from nlp.checked import REASONS
from nlp.errors import InputError
from nlp.files import RULES
from nlp.petition import Petition
from nlp.route.returns import Answer, ReturnRules
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.label.claims import ACCEPTED, CORRECTED, Claim, Disagreement, Settled, settle
from training.label.names import Names

CHINA = timezone(timedelta(hours=8))
QUESTIONED: Mapping[Answer, tuple[str, ...]] = {
    "other_lead": ("category",),  # 职责不符: another office, hence another matter
    "higher_tier": ("tier",),  # 权限不足
    "review": ("category", "tier"),  # disputed without saying what is wrong: neither is sure
    "other_place": (),  # 不属辖区: the place was wrong
    "complete": (),  # 信息不全
    "merge": (),  # 重复
}
"""What a return asks for (nlp.route.returns) → the tasks whose labels it puts in doubt."""


@dataclass(frozen=True)
class Negative:
    """A return: the unit that gave the ticket back, why, and the labels (task → code) that this puts in doubt."""

    id: str
    place: str
    unit: str
    kind: str
    reason: str
    operator: str
    doubted: Mapping[str, str]


@dataclass(frozen=True)
class Corrections:
    """What can be learned from feedback.

    dataset: one row a petition that has a label left. sources, operators: of each row, `accepted` or `corrected` (one
    label at least was), and who said so. disagreements: labels left out because people differ. negatives: the returns.
    lines: decisions that were read.
    """

    dataset: Dataset
    sources: Sequence[str]
    operators: Sequence[str]
    disagreements: Sequence[Disagreement]
    negatives: Sequence[Negative]
    lines: int


def _absent(value: object) -> object:
    return "" if value is None else value


Word = Annotated[str, BeforeValidator(_absent)]


class _Coded(BaseModel):
    code: str


class _Route(BaseModel):
    unit: Word = ""


class _Decision(BaseModel):
    decision_id: str
    category: _Coded
    tier: _Coded
    clock: _Coded
    type: _Coded
    route: _Route = _Route()
    received_at: Word = ""


class _Petition(BaseModel):
    id: Word = ""
    title: Word = ""
    text: str
    received_at: Word = ""


class _Feedback(BaseModel):
    verdict: Literal["accepted", "corrected", "returned"]
    at: datetime
    category: Word = ""
    tier: Word = ""
    clock: Word = ""
    type: Word = ""
    reason: Word = ""
    operator: Word = ""

    @property
    def moment(self) -> datetime:
        """When it was given, with its zone."""
        return self.at if self.at.tzinfo else self.at.replace(tzinfo=CHINA)


class _Line(BaseModel):
    decision: _Decision
    petition: _Petition
    feedback: list[_Feedback]


@dataclass(frozen=True)
class _Event:
    """One feedback with the line and the decision that it belongs to."""

    line: int
    decision: _Decision
    feedback: _Feedback


@dataclass(frozen=True)
class _Case:
    """A petition with all feedback on it, oldest first."""

    id: str
    line: int
    petition: _Petition
    events: Sequence[_Event]
    received: datetime | None


def read_corrections(path: Path, taxonomy: Taxonomy) -> Corrections:
    """Read an export of decisions with their feedback; raises `InputError` with the file and the line."""
    lines = list(_lines(path))
    judge = _Judge(path, Names(taxonomy), ReturnRules.read(RULES / "returns.toml"))
    rows: list[tuple[_Case, Settled]] = []
    disagreements: list[Disagreement] = []
    negatives: list[Negative] = []
    for case in _cases(lines):
        settled, returns = judge.weigh(case)
        negatives += returns
        disagreements += settled.disagreements(case.id, judge.place(case.line))
        if settled.claims:
            rows.append((case, settled))
    return Corrections(
        _dataset(path, rows),
        [settled.source for _, settled in rows],
        [settled.operator for _, settled in rows],
        disagreements,
        negatives,
        len(lines),
    )


def _dataset(path: Path, rows: Sequence[tuple[_Case, Settled]]) -> Dataset:
    present = [task for task in TASKS if any(task in settled.claims for _, settled in rows)]
    return Dataset(
        petitions=[Petition(case.id, case.petition.text, case.petition.title) for case, _ in rows],
        labels={task: [settled.labels.get(task, "") for _, settled in rows] for task in present},
        name=path.name,
        hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        times=[case.received for case, _ in rows],
        lines=[case.line for case, _ in rows],
    )


def _lines(path: Path) -> Iterable[tuple[int, _Line]]:
    try:
        text = decoded(path)
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, _Line.model_validate_json(line)
        except ValidationError as error:
            raise InputError(place=f"{path} 第 {number} 行", reason=_told(error)) from error


def _told(error: ValidationError) -> str:
    """The first fault, in Chinese where it is a usual one, without what anybody wrote."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "不是 JSON"
    field = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
    known = REASONS | {"model_type": "须是对象", "list_type": "须是列表"}
    is_time = first["type"].startswith("datetime")
    reason = "须是时间，如 2026-01-31T09:00:00+08:00" if is_time else known.get(first["type"], first["msg"])
    return f"{field}：{reason}" if field else reason


def _cases(lines: Sequence[tuple[int, _Line]]) -> Iterable[_Case]:
    """The petitions in the order of their first lines."""
    held: dict[str, list[tuple[int, _Line]]] = {}
    for number, line in lines:
        held.setdefault(line.petition.id or f"decision:{line.decision.decision_id}", []).append((number, line))
    for found in held.values():
        number, first = found[0]
        events = [_Event(at, line.decision, each) for at, line in found for each in line.feedback]
        yield _Case(
            first.petition.id or first.decision.decision_id,
            number,
            first.petition,
            sorted(events, key=lambda event: event.feedback.moment),
            _moment(first.petition.received_at or first.decision.received_at),
        )


def _moment(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


class _Judge:
    """Weighs the feedback on one petition after another."""

    def __init__(self, path: Path, names: Names, returns: ReturnRules) -> None:
        self._path = path
        self._names = names
        self._returns = returns

    def place(self, line: int) -> str:
        """Where a line stands, as errors and lists name it."""
        return f"{self._path.name} 第 {line} 行"

    def weigh(self, case: _Case) -> tuple[Settled, list[Negative]]:
        """What the feedback on a petition adds up to, and the returns among it."""
        claims: list[Claim] = []
        negatives: list[Negative] = []
        for event in case.events:
            if event.feedback.verdict == "returned":
                negative = self._negative(case, event)
                negatives.append(negative)
                claims = [claim for claim in claims if not _is_doubted(claim, negative)]
            else:
                claims += self._claims(event)
        return settle(claims), negatives

    def _claims(self, event: _Event) -> list[Claim]:
        """The labels that somebody accepted, or named."""
        accepted = event.feedback.verdict == "accepted"
        written = self._decided(event) if accepted else {task: getattr(event.feedback, task) for task in TASKS}
        source = ACCEPTED if accepted else CORRECTED
        return [
            Claim(task, self._code(task, code, event.line), source, event.feedback.operator)
            for task, code in written.items()
            if code
        ]

    def _decided(self, event: _Event) -> dict[str, str]:
        return {task: getattr(event.decision, task).code for task in TASKS}

    def _code(self, task: str, code: str, line: int) -> str:
        return self._names.code(task, code, f"{self._path} 第 {line} 行，{task}")

    def _negative(self, case: _Case, event: _Event) -> Negative:
        feedback, decided = event.feedback, self._decided(event)
        reason = self._returns.reason(feedback.reason)
        doubted = {task: decided[task] for task in QUESTIONED[reason.answer]}
        unit = event.decision.route.unit
        return Negative(case.id, self.place(event.line), unit, reason.name, feedback.reason, feedback.operator, doubted)


def _is_doubted(claim: Claim, negative: Negative) -> bool:
    return claim.source == ACCEPTED and negative.doubted.get(claim.task) == claim.code
