from __future__ import annotations

import sys

import pytest

from nlp.errors import InputError
from serving.backlog.spark.boot import Unfit
from serving.backlog.spark.session import Cluster, check_heard, failure, opened_spark


@pytest.mark.parametrize("module", ["pyspark", "pandas"])
def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"没有装 .*jiesu\[spark\]"), opened_spark(Cluster("local[1]")):
        pass


@pytest.mark.parametrize(
    ("told", "meaning"),
    [
        (f"SparkException: …\nTraceback …\nUnfit: {Unfit('m.zip 与发出的不同')}\n  at org.", "m.zip 与发出的不同"),
        ("SparkException: Python worker exited unexpectedly (crashed)", "一个 Python 工作进程意外退出"),
        ("Caused by: java.io.IOException: No space left on device", "磁盘满了"),
        ("ModuleNotFoundError: No module named 'pyarrow'", "缺少 pyarrow"),
        ("[SOME_CONDITION] first line\nsecond line", "RuntimeError：[SOME_CONDITION] first line"),
    ],
)  # fmt: skip
def test_what_spark_says_is_put_in_words(told: str, meaning: str) -> None:
    found = failure(RuntimeError(told))
    assert found.startswith(meaning) or meaning in found
    assert "\n" not in found


@pytest.mark.parametrize("master", ["sc://127.0.0.1:1", "sc://127.0.0.1:none"])
def test_a_server_that_does_not_answer_is_told_at_once(master: str) -> None:
    with pytest.raises(InputError, match=r"连不上 Spark Connect 服务 127\.0\.0\.1"):
        check_heard(master)
