"""Progress goes from process to process, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.progress import VARIABLE, Counter, Progress, heard, tell


@given(st.text(), st.floats(0, 1e9), st.floats(0, 1e9))
def test_what_is_told_is_heard(step: str, done: float, total: float) -> None:
    progress = Progress(step.encode(errors="replace").decode(), done, total)
    assert heard(progress.line) == progress
    assert progress.part is None or 0 <= progress.part <= 1


@given(st.text())
def test_other_lines_are_none(line: str) -> None:
    assert heard(line) is None
    assert heard("#progress " + line) is None


def test_nothing_is_told_where_nobody_reads(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    tell("训练", 1, 2)
    Counter("训练")("第一折", 3)
    assert capfd.readouterr() == ("", "")


def test_a_fit_counts_its_steps(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "lines")
    step = Counter("训练")
    step("第一折", 200)
    for _ in range(200):
        step("第一折", -1)
    told = [heard(line) for line in capfd.readouterr().err.splitlines()]
    assert told[:2] == [Progress("训练"), Progress("第一折", 0, 200)]
    assert told[-1] == Progress("第一折", 200, 200)
    assert len(told) < 50, "not every step is told"
