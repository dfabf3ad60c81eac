"""The sink that a plan names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from nlp.errors import InputError
from serving.backlog.plan import Plan
from serving.backlog.sink import Sink

FORMATS: Mapping[str, str] = {
    "csv": "serving.backlog.sinks.csv:CsvSink",
    "xlsx": "serving.backlog.sinks.xlsx:XlsxSink",
    "jsonl": "serving.backlog.sinks.jsonl:JsonlSink",
    "parquet": "serving.backlog.sinks.parquet:ParquetSink",
    "table": "serving.backlog.database.lines:TableLines",
    "in-place": "serving.backlog.database.lines:PlaceLines",
}
"""Format → where its sink stands; loaded only when it is asked for, since some bring large libraries."""
FILES = ("csv", "xlsx", "jsonl", "parquet")
"""Those of files."""


def open_sink(plan: Plan) -> Sink:
    """The sink of a plan's format; raises `InputError` for one that is not known."""
    told = FORMATS.get(plan.writing.get("format", ""))
    if told is None:
        raise InputError(place="输出", reason=f"不认识的格式，可用：{'、'.join(FORMATS)}")
    module, name = told.split(":")
    sink: Callable[[Plan], Sink] = getattr(import_module(module), name)
    return sink(plan)


def format_of(suffix: str) -> str:
    """The format of a file's suffix (`.csv`); raises `InputError` for one that is not written."""
    name = suffix.lower().removeprefix(".")
    if name not in FILES:
        raise InputError(
            place=f"输出的后缀 {suffix or '（没有）'}", reason=f"不写这种文件，可用：.{'、.'.join(FORMATS)}"
        )
    return name
