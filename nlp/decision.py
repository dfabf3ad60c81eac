"""A decision: what a petition is, who settles it, by when, and why."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Choice:
    """One code of a task with its calibrated probability."""

    code: str
    name: str
    confidence: float


@dataclass(slots=True)
class Answer(Choice):
    """The code decided for a task, and the next best ones."""

    alternatives: list[Choice]


@dataclass(slots=True)
class CategoryAnswer:
    """The category decided, with the names from the root of the taxonomy down to it."""

    code: str
    name: str
    path: list[str]
    confidence: float
    alternatives: list[Choice]


@dataclass(slots=True)
class Place:
    """A place that a field names: `field[start:end] == text`, the unit that covers it (empty where none is
    known), and how what is meant stands to it, like 对面 (empty where it is the place itself).
    """

    text: str
    start: int
    end: int
    unit: str
    relation: str
    field: str


@dataclass(slots=True)
class Evidence:
    """A word that carried a task: `field[start:end] == text`; weights add up to the log-odds."""

    task: str
    field: str
    start: int
    end: int
    text: str
    weight: float


@dataclass(slots=True)
class Climb:
    """A step up: to whom a matter is handed, and when."""

    to: str
    when: str


@dataclass(slots=True)
class Route:
    """Who receives the petition, who is to settle it, how, by when, and which rule said so."""

    profile: str
    start: str
    unit: str
    chain: list[str]
    support: list[str]
    notify: list[str]
    mode: str
    way: str
    steps: list[str]
    due: str
    rule: str
    legal: str
    sideways: list[str]
    escalation: list[Climb]


@dataclass(slots=True)
class Matter:
    """One problem that the text holds, `start:end` in code points of the text as sent, and where it goes."""

    category: str
    start: int
    end: int
    tier: str
    clock: str
    route: Route


@dataclass(slots=True)
class Decision:
    """The whole answer to one petition; not frozen, because frozen ones take longer to make."""

    id: str
    decision_id: str
    decided_at: str
    category: CategoryAnswer
    tier: Answer
    clock: Answer
    type: Answer
    matters: list[Matter]
    places: list[Place]
    needs_human: bool
    reasons: list[str]
    evidence: list[Evidence]
    route: Route
    masked_title: str
    masked_text: str
    model: str = field(default="")
    received_at: str = field(default="")
    """When it was received, ISO 8601, where the petition said so; its clock runs from there."""
    answered_by: dict[str, str] = field(default_factory=dict)
    """Task → the model that answered it, where that is not `model` itself: it had learned no such label."""
