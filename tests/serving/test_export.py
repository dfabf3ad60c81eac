"""Export: what operators said comes back as rows to learn from, by the reader that training has."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from nlp.taxonomy import Taxonomy
from serving.export import exported
from serving.service import Service
from training.corrections import read_corrections


def test_training_reads_what_serving_wrote(
    desk: TestClient, service: Service, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    texts = ("楼上卫生间漏水，电话13912345678", "小区门口的路灯不亮", "工地半夜还在打桩")
    petitions = [{"id": f"A-{row}", "text": text} for row, text in enumerate(texts)]
    decided = desk.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    for decision, said in zip(
        decided,
        ({"verdict": "corrected", "category": "leak"}, {"verdict": "accepted", "operator": "甲01"}),
        strict=False,
    ):
        assert desk.post("/v1/feedback", json={"decision_id": decision["decision_id"], **said}).status_code == 200
    out = tmp_path / "corrections.jsonl"
    lines = service.journal.read(lambda connection: list(exported(connection, service.settings, 0)))
    out.write_bytes(b"".join(lines))
    assert "13912345678" not in out.read_text(encoding="utf-8")
    found = read_corrections(out, taxonomy)
    labels = zip(found.dataset.petitions, found.dataset.labels["category"], strict=True)
    assert {petition.id: label for petition, label in labels} == {"A-0": "leak", "A-1": decided[1]["category"]["code"]}


def test_only_what_is_new(desk: TestClient, service: Service) -> None:
    decision = desk.post("/v1/decisions", json={"petitions": [{"id": "1", "text": "路灯不亮"}]}).json()["decisions"][0]
    desk.post("/v1/feedback", json={"decision_id": decision["decision_id"], "verdict": "accepted"})
    later = 1000 * 4_000_000_000
    assert not service.journal.read(lambda connection: list(exported(connection, service.settings, later)))
