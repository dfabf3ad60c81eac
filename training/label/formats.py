"""The files of label tools: tasks written for Label Studio, doccano and spreadsheets, and their answers read back.

Label Studio: JSON, one task with `data` and a prediction each; read from its exports JSON and JSON-MIN.
doccano: JSONL with an empty `label`, the title as the first line of the text. XLSX: one row each, with a list of
categories to choose from. JSONL: one row each, `category` left empty. Both tools number tasks by themselves and
write that number over a field `id`; hence `petition_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson
import xlsxwriter

from nlp.errors import InputError
from nlp.reader import SURROGATES
from nlp.text import REPLACEMENT
from training.label.names import Names
from training.label.next import Pick

COLUMNS = ("编号", "标题", "内容", "建议类别", "把握", "类别")
WIDTHS = (14, 24, 80, 18, 8, 22)  # of the columns, in characters
CELL = 32_000  # characters; Excel takes 32,767, the model reads 20,000


def write_tasks(path: Path, form: str, picks: Sequence[Pick], names: Names, model: str) -> None:
    """Write petitions to be labelled in one of `FORMATS`, whole or not at all; model: who suggests the categories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        FORMATS[form](draft, [_row(pick, names) for pick in picks], names, model)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _row(pick: Pick, names: Names) -> dict[str, Any]:
    petition = pick.petition
    fields = {"petition_id": petition.id, "title": petition.title, "text": petition.text}
    return {name: SURROGATES.sub(REPLACEMENT, value) for name, value in fields.items()} | {
        "suggested": names.told("category", pick.code),
        "confidence": pick.confidence,
        "margin": pick.margin,
    }


def _write_studio(path: Path, rows: Sequence[dict[str, Any]], _names: Names, model: str) -> None:
    tasks = [
        {
            "data": {"id": row["petition_id"], **{key: row[key] for key in ("petition_id", "title", "text")}},
            "predictions": [
                {"model_version": model, "score": row["confidence"], "result": [_choice(row["suggested"])]}
            ],
        }
        for row in rows
    ]
    path.write_bytes(orjson.dumps(tasks, option=orjson.OPT_INDENT_2))


def _choice(name: str) -> dict[str, Any]:
    return {"from_name": "category", "to_name": "text", "type": "choices", "value": {"choices": [name]}}


def studio_config(names: Names) -> str:
    """The labelling interface of a Label Studio project that takes these tasks (its Labeling Config)."""
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in names.all("category"))
    return (
        '<View>\n  <Header value="$title"/>\n  <Text name="text" value="$text"/>\n'
        '  <Choices name="category" toName="text" choice="single" showInline="true">\n'
        f"{choices}\n  </Choices>\n</View>\n"
    )


def _write_doccano(path: Path, rows: Sequence[dict[str, Any]], _names: Names, _model: str) -> None:
    """The suggestion stands beside the label: in its place it would count as an answer that nobody gave."""
    _write_lines(
        path, [row | {"text": f"{row['title']}\n{row['text']}" if row["title"] else row["text"], "label": []}
               for row in rows]
    )  # fmt: skip


def _write_jsonl(path: Path, rows: Sequence[dict[str, Any]], _names: Names, _model: str) -> None:
    _write_lines(path, [{"id": row["petition_id"], **row, "category": ""} for row in rows])


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))


def _write_xlsx(path: Path, rows: Sequence[dict[str, Any]], names: Names, _model: str) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet, choices = book.add_worksheet("待标注"), book.add_worksheet("类别")
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for column, (name, width) in enumerate(zip(COLUMNS, WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, name, bold)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(rows, 1):
            # always strings: a text that begins with = would run as a formula on somebody's desk
            for column, key in enumerate(("petition_id", "title", "text", "suggested")):
                sheet.write_string(line, column, row[key][:CELL], wrapped)
            sheet.write_number(line, 4, row["confidence"])
        listed = names.all("category")
        for line, name in enumerate(listed):
            choices.write_string(line, 0, name)
        rule = {
            "validate": "list", "source": f"=类别!$A$1:$A${len(listed)}",
            "error_title": "没有这个类别", "error_message": "请从列表里选一个类别",
        }  # fmt: skip
        sheet.data_validation(1, 5, max(1, len(rows)), 5, rule)


FORMATS: dict[str, Callable[[Path, Sequence[dict[str, Any]], Names, str], None]] = {
    "label-studio": _write_studio,
    "doccano": _write_doccano,
    "xlsx": _write_xlsx,
    "jsonl": _write_jsonl,
}
SUFFIXES = {".json": "label-studio", ".xlsx": "xlsx", ".jsonl": "jsonl"}


def format_of(path: Path, named: str = "") -> str:
    """The format named, or that of the suffix; raises `InputError` where there is none."""
    form = named or SUFFIXES.get(path.suffix.lower(), "")
    if form not in FORMATS:
        known = "、".join(FORMATS)
        raise InputError(place=path, reason=f"不认识的格式 {named or path.suffix}，请用 --format 指定：{known}")
    return form
