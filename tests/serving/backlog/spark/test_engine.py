from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.rows.row import Row
from serving.backlog.spark import engine
from serving.backlog.spark.cells import decoded
from serving.backlog.spark.engine import waves

SIZES = st.lists(st.integers(0, 5), max_size=30)


@given(SIZES, st.integers(1, 7))
def test_waves_hold_every_chunk_once_in_order(sizes: list[int], most: int) -> None:
    chunks = [(number, [Row(row, ("甲",)) for row in range(size)]) for number, size in enumerate(sizes, 5)]
    made = list(waves(chunks, most))
    assert [(number, decoded(rows)) for wave in made for number, rows in wave] == chunks
    assert all(1 <= len(wave) <= most for wave in made)
    assert [len(wave) for wave in made[:-1]] == [most] * (len(made) - 1)


def test_waves_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BYTES", 1_000)
    chunks = [(number, [Row(1, ("a" * size,))]) for number, size in enumerate([400, 400, 400, 5_000, 10, 10])]
    assert [[number for number, _ in wave] for wave in waves(chunks, 100)] == [[0, 1], [2], [3], [4, 5]]
