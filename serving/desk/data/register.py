"""The register of models as the pages show it: the one in use, the others, and how it went."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.default import default_folder, is_current
from nlp.errors import RefusedModel
from nlp.model import read_manifest
from nlp.registry import DEFAULT, Standing, history, standing, versions
from nlp.taxonomy import TASK_NAMES, TASKS
from serving.service import Service

TEST_SET = Path("test-set", "manifest.json")
EVENTS = {"promoted": "换上", "refused": "没有通过", "rolled_back": "退回"}
SHOWN = 12  # events


@dataclass(frozen=True)
class Version:
    """A model of the register. name: under which it stands there. scores: task → its scores; state: in words."""

    name: str
    model: str
    state: str
    rows: int
    data: str
    scores: Mapping[str, Mapping[str, Any]]

    @property
    def tasks(self) -> list[tuple[str, str]]:
        """The tasks that were scored, with their names."""
        return [(task, TASK_NAMES[task]) for task in TASKS if task in self.scores]

    def score(self, task: str, name: str) -> float | None:
        """A score; none where it was not measured."""
        found = (self.scores.get(task) or {}).get(name)
        return None if found is None else float(found)


def version(name: str, manifest: Mapping[str, Any], state: str) -> Version:
    """What a manifest tells."""
    card, scores = manifest.get("card") or {}, manifest.get("scores") or {}
    told = int(card.get("rows") or 0), str(card.get("data") or "")
    return Version(name, str(manifest.get("name", name)), state, *told, scores.get("tasks") or {})


def live(service: Service) -> Version:
    """The model by which this process decides."""
    model = service.office.decider.model
    return version(model.name, {"name": model.name, "card": model.card, "scores": model.scores}, "在用")


def fitted(folder: Path) -> Version | None:
    """The model that a retraining made; none where there is none that can be read."""
    for path in sorted(folder.glob("*")):
        try:
            manifest = read_manifest(path)
        except RefusedModel:
            continue
        return version(str(manifest["name"]), manifest, "候选")
    return None


@dataclass(frozen=True)
class Register:
    """All models, what happened, and the frozen test set."""

    versions: Sequence[Version]
    events: Sequence[Mapping[str, Any]]
    since: str
    before: str
    test_set: Mapping[str, Any] | None

    @classmethod
    def read(cls, home: Path) -> Register:
        """As it stands now."""
        try:
            now, told = standing(home) or Standing(), history(home)
        except RefusedModel:
            now, told = Standing(), history(home)
        shipped = default_folder(home)
        found = ({DEFAULT: read_manifest(shipped)} if is_current(shipped) else {}) | versions(home)
        used = {event.get("model") for event in told if event.get("event") != "refused"} | set(now.previous)
        states = {name: "在用" if name == now.name else "曾用" if name in used else "候选" for name in found}
        listed = [version(name, manifest, states[name]) for name, manifest in found.items()]
        before = now.previous[-1] if now.previous else ""
        return cls(listed[::-1], told[::-1][:SHOWN], now.since, before, _test_set(home))

    def event(self, model: str) -> Mapping[str, Any] | None:
        """What happened last to a model."""
        return next((event for event in self.events if event.get("model") == model), None)


def _test_set(home: Path) -> Mapping[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((home / TEST_SET).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
