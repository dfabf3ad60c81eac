"""A worker is opened with the model and the format that its plan names, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import JiesuError, RefusedModel
from nlp.model import read_manifest
from serving.backlog.plan import Plan
from serving.backlog.workers import Bench, open_worker
from tests.serving.backlog.desk import plan


@pytest.fixture
def bench(model_folder: Path) -> Bench:
    manifest = read_manifest(model_folder)
    one = plan(model=manifest["name"], model_digest=manifest["seal"])
    return Bench({"plan": one.as_dict(), "dry": False}, model_folder)


def test_a_model_that_was_changed_since_the_beginning_is_refused(bench: Bench) -> None:
    other = Plan.from_dict(bench.told["plan"] | {"model_digest": "7" * 64})
    with pytest.raises(RefusedModel, match="不同"):
        open_worker({"plan": other.as_dict()}, bench.model, None)


def test_a_plan_for_an_unknown_format_is_told(bench: Bench) -> None:
    other = Plan.from_dict(bench.told["plan"] | {"writing": {"format": "docx"}})
    with pytest.raises(JiesuError, match="不认识的格式"):
        open_worker({"plan": other.as_dict()}, bench.model, None)
