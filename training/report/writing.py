"""Write a report into a folder: the record, the page, and the workbook where there are suspects."""

from __future__ import annotations

import json
from pathlib import Path

from nlp.taxonomy import Taxonomy
from training.dataset import Dataset
from training.evaluation import Report
from training.report.extras import Extras
from training.report.material import Material
from training.report.page import page
from training.report.record import record
from training.report.workbook import write_workbook

JSON, HTML, XLSX = "report.json", "report.html", "suspects.xlsx"


def write_report(
    report: Report, dataset: Dataset, taxonomy: Taxonomy, folder: Path, extras: Extras | None = None
) -> None:
    """Write `report.json`, `report.html` and, with suspects, `suspects.xlsx`; an older report gives way.

    dataset: what was judged, row by row. extras: what only a fit knows.
    """
    given = Material(report, dataset, taxonomy, extras or Extras())
    text, html = json.dumps(record(given), ensure_ascii=False, indent=1, allow_nan=False), page(given)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_text(text + "\n", encoding="utf-8")
    (folder / HTML).write_text(html, encoding="utf-8")
    if any(given.marked.values()):
        write_workbook(given, folder / XLSX)
    else:
        (folder / XLSX).unlink(missing_ok=True)
