"""Write a change report into a folder: the page, the record and the workbook."""

from __future__ import annotations

import io
from pathlib import Path

import orjson

from nlp.errors import InputError
from nlp.former import Former
from nlp.taxonomy import Taxonomy
from serving.backlog.plan import Plan
from serving.backlog.report.material import Material
from serving.backlog.report.page import page
from serving.backlog.report.record import record
from serving.backlog.report.workbook import write_workbook
from serving.backlog.tally import Tally
from serving.draft import drafted

HTML, JSON, XLSX = "change.html", "change.json", "review.xlsx"


def write_report(folder: Path, tally: Tally, plan: Plan, taxonomy: Taxonomy, former: Former | None = None) -> None:
    """Write `change.html`, `change.json` and `review.xlsx`, the same bytes for the same run.

    taxonomy: the active one. former: what old labels were weighed by. An older report gives way. Raises `InputError`
    where nothing can be written.
    """
    given = Material(tally, plan, taxonomy, former)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(place=folder, reason=f"写不了（{error.strerror}）") from error
    told = orjson.dumps(record(given), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    book = io.BytesIO()
    write_workbook(given, book)
    for name, content in ((HTML, page(given).encode()), (JSON, told), (XLSX, book.getvalue())):
        with drafted(folder / name) as out:
            out.write(content)
