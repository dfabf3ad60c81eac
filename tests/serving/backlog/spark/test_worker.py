from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pandas
import pytest

from corpora.rows.row import Row
from nlp.errors import RefusedModel
from serving.backlog.spark.boot import Unfit
from serving.backlog.spark.cells import encoded
from serving.backlog.spark.worker import answered, discreet, opened

HERE = f"{__name__}:"
calls: list[Path | None] = []


def open_counter(told: Mapping[str, Any], model: Path, rules: Path | None) -> Callable[[int, Sequence[Row]], bytes]:
    calls.extend([model, rules])
    return lambda number, rows: f"{told['word']} {number} {len(rows)}".encode()


def told(word: str) -> str:
    held = orjson.dumps({"word": word}).decode()
    return orjson.dumps({"opener": f"{open_counter.__module__}:open_counter", "told": held}).decode()


@pytest.fixture
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, open_counter.__module__, sys.modules.get(__name__) or _module())
    opened.cache_clear()
    calls.clear()


def _module() -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(open_counter=open_counter)


def frame(*sizes: int) -> pandas.DataFrame:
    rows = [encoded([Row(row, ("甲",)) for row in range(size)]) for size in sizes]
    return pandas.DataFrame({"chunk": range(len(sizes)), "rows": rows})


@pytest.mark.usefixtures("_importable")
def test_every_chunk_is_answered_and_the_model_opened_once(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for _ in range(2):
        found = pandas.concat(answered(tmp_path, told("甲"), iter([frame(3, 0), frame(2)])))
        assert found["chunk"].tolist() == [0, 1, 0]
        assert found["answer"].tolist() == ["甲 0 3".encode(), "甲 1 0".encode(), "甲 0 2".encode()]
    assert calls == [tmp_path / "model", tmp_path / "rules"]


@pytest.mark.usefixtures("_importable")
def test_another_run_opens_its_own(tmp_path: Path) -> None:
    for word in ("甲", "乙"):
        [found] = answered(tmp_path, told(word), iter([frame(1)]))
        assert found["answer"].tolist() == [f"{word} 0 1".encode()]
    assert calls == [tmp_path / "model", None] * 2


def test_a_fault_of_ours_keeps_its_words() -> None:
    with pytest.raises(Unfit, match="模型 m 不能使用：坏了"), discreet():
        raise RefusedModel(folder="m", reason="坏了")


def test_any_other_fault_tells_nothing_of_a_petition() -> None:
    with pytest.raises(Unfit, match=r"内部错误 KeyError，在 test_worker\.py") as caught, discreet():
        raise KeyError("青杉苑三期的张三")
    assert "张三" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_missing_package_is_named() -> None:
    with pytest.raises(Unfit, match="缺少 rjieba"), discreet():
        raise ModuleNotFoundError("No module named 'rjieba'", name="rjieba")
