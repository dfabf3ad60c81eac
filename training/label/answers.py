"""Answers: what people answered in a label tool, read back from its file (`training.label.formats` says which)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.tables import decoded, open_table
from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, TASKS, Taxonomy
from training.label.names import Names

KEYS = {
    "id": ("petition_id", "编号", "工单编号", "id"),
    "title": ("title", "标题"),
    "text": ("text", "内容", "正文"),
    "operator": ("operator", "annotator", "标注人", "username", "user"),
}
ANSWERS = {task: (task, name) for task, name in TASK_NAMES.items()} | {
    "category": ("category", "类别", "分类", "标签", "label", "labels", "cats", "choice", "choices")
}


@dataclass(frozen=True)
class Labelled:
    """One person's answer to one petition: task → code, where it stands and which kind of file it came in."""

    id: str
    text: str
    title: str
    labels: Mapping[str, str]
    operator: str
    source: str
    place: str


@dataclass(frozen=True)
class Answered:
    """The answers of a file, and how many of its rows had none."""

    rows: Sequence[Labelled]
    skipped: int


def read_labels(path: Path, taxonomy: Taxonomy) -> Answered:
    """The answers in a file of `FORMATS`, or a CSV with the columns of the XLSX; raises `InputError` with the row."""
    names = Names(taxonomy)
    rows = [_labelled(record, place, source, names) for record, place, source in _records(path)]
    answered = [row for row in rows if row.labels]
    return Answered(answered, len(rows) - len(answered))


Record = tuple[Mapping[str, Any], str, str]
"""The flat fields of a row, its place for errors, and the kind of its file."""


def _records(path: Path) -> Iterable[Record]:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".jsonl"):
        table = open_table(path)
        return [(row, f"{path} 第 {line} 行", "xlsx") for line, row in zip(table.lines, table.rows, strict=True)]
    try:
        text = decoded(path)
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error
    return _tasks(path, text) if suffix == ".json" else _lines(path, text)


def _lines(path: Path, text: str) -> Iterable[Record]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"{path} 第 {number} 行"
            row = _object(_parsed(line, place), place)
            yield row, place, "doccano" if {"label", "labels", "cats"} & row.keys() else "jsonl"


def _tasks(path: Path, text: str) -> Iterable[Record]:
    tasks = _parsed(text, path)
    if not isinstance(tasks, list):
        raise InputError(place=path, reason="应是 Label Studio 导出的列表（JSON 或 JSON-MIN）")
    for number, task in enumerate(tasks, 1):
        place = f"{path} 第 {number} 条"
        row = _object(task, place)
        if "data" in row:
            yield from ((record, place, "label-studio") for record in _annotations(row, place))
        else:
            yield row, place, "label-studio"


def _annotations(task: Mapping[str, Any], place: str) -> Iterable[Mapping[str, Any]]:
    """One flat record for each finished annotation of a task, or one without an answer."""
    data = _object(task["data"], place)
    annotations = [_object(each, place) for each in _list(task.get("annotations"), place)]
    finished = [each for each in annotations if not each.get("was_cancelled")]
    if not finished:
        yield data
    for annotation in finished:
        who = annotation.get("completed_by", "")
        record = {"id": task.get("id", ""), **data, "operator": _operator(who)}
        for result in _list(annotation.get("result"), place):
            each = _object(result, place)
            value = _object(each.get("value") or {}, place)
            told = value.get("choices") or ["/".join(map(str, way)) for way in value.get("taxonomy") or []]
            if told:
                record[str(each.get("from_name") or "category")] = told
        yield _with_category(record, data)


def _with_category(record: dict[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """A project may call its one question anything: what no task is called is the category."""
    known = {key for keys in (*ANSWERS.values(), *KEYS.values()) for key in keys}
    others = [key for key in record if key not in known and key not in data]
    if others and not any(record.get(key) for key in ANSWERS["category"]):
        record["category"] = record[others[0]]
    return record


def _operator(who: Any) -> str:
    if isinstance(who, Mapping):
        who = who.get("email") or who.get("username") or who.get("id") or ""
    return str(who)


def _labelled(record: Mapping[str, Any], place: str, source: str, names: Names) -> Labelled:
    id_, title, text, operator = (_field(record, KEYS[key]) for key in ("id", "title", "text", "operator"))
    if source == "doccano" and title:
        text = text.removeprefix(f"{title}\n")
    return Labelled(id_, text, title, _labels(record, place, source, names), operator, source, place)


def _field(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    value = next((record[key] for key in keys if record.get(key) not in (None, "")), "")
    return _operator(value) if isinstance(value, Mapping) else str(value)


def _labels(record: Mapping[str, Any], place: str, source: str, names: Names) -> dict[str, str]:
    """The code of each task that was answered; raises `InputError` for an unknown label, or two where one is asked."""
    labels: dict[str, str] = {}
    for asked, keys in ANSWERS.items():
        for written in next((told for key in keys if (told := _written(record.get(key)))), []):
            task = _task(asked, written, names) if source == "doccano" else asked
            code = names.code(task, written, f"{place}，{TASK_NAMES[task]}")
            if labels.setdefault(task, code) != code:
                both = "、".join(names.told(task, each) for each in (labels[task], code))
                raise InputError(place=place, reason=f"{TASK_NAMES[task]}有两个答案（{both}），请只留一个")
    return labels


def _written(value: Any) -> list[str]:
    """The labels in a cell: a name, a list of names, Label Studio's choices, or doccano's scores by name."""
    if isinstance(value, Mapping):
        value = value["choices"] if "choices" in value else [name for name, score in value.items() if score]
    values = value if isinstance(value, list) else [value]
    return [str(each).strip() for each in values if each is not None and str(each).strip()]


def _task(asked: str, written: str, names: Names) -> str:
    """In doccano there is one list for all labels: a name that is no category may be a tier, a clock or a type."""
    if names.knows(asked, written):
        return asked
    return next((task for task in TASKS if names.knows(task, written)), asked)


def _parsed(text: str, place: object) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(place=place, reason=f"不是 JSON（{error}）") from error


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(place=place, reason="不是 JSON 对象")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise InputError(place=place, reason="annotations、result 应是列表")
    return value or []
