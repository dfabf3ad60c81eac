"""The sink of a plan, by its format."""

from __future__ import annotations

import pytest

from nlp.errors import InputError
from serving.backlog.sinks.csv import CsvSink
from serving.backlog.sinks.open import format_of, open_sink
from tests.serving.backlog.desk import plan


def test_every_file_format_has_a_sink_and_a_suffix() -> None:
    for name in ("csv", "xlsx", "jsonl", "parquet"):
        assert format_of(f".{name.upper()}") == name
        assert open_sink(plan(writing={"format": name})).head() is not None
    assert isinstance(open_sink(plan()), CsvSink)


@pytest.mark.parametrize("suffix", ["", ".xls", ".docx", ".table"])
def test_other_suffixes_are_told(suffix: str) -> None:
    with pytest.raises(InputError, match="可用"):
        format_of(suffix)
    with pytest.raises(InputError, match="可用"):
        open_sink(plan(writing={}))
