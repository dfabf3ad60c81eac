"""Parts: the files that can be fetched of a batch that is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from serving.batches.batch import DONE, Batch
from serving.batches.folder import Folder
from serving.batches.options import Format

CSV, HTML, JSON = "text/csv; charset=utf-8", "text/html; charset=utf-8", "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES: Mapping[Format, str] = {
    Format.csv: CSV,
    Format.xlsx: XLSX,
    Format.jsonl: "application/jsonl",
    Format.parquet: "application/vnd.apache.parquet",
}

# As serving/backlog calls these files; repeated here, for it loads libraries that whoever only answers can do without.
REJECTED, MANIFEST = ".rejects.csv", ".manifest.json"  # after the name of the result
PAGE, RECORD, BOOK = "change.html", "change.json", "review.xlsx"


class Part(StrEnum):
    """Result: the rows with their answers. Rejects: those that nobody could read. The others tell of the run."""

    result = "result"
    rejects = "rejects"
    manifest = "manifest"
    report = "report"
    figures = "figures"
    review = "review"


@dataclass(frozen=True)
class Held:
    """A file that can be fetched. name: under which whoever fetches it keeps it."""

    path: Path
    type: str
    name: str


def held(batch: Batch, folder: Folder) -> dict[Part, Held]:
    """The files of a batch that are there; none before it is done."""
    if batch.state != DONE or batch.removed is not None:
        return {}
    stem, format = PurePosixPath(batch.name).stem, batch.asked.format  # noqa: A001
    result, report = folder.result(format.suffix), folder.report
    beside = report if batch.asked.options.dry_run else None
    rejects = beside / "rejects.csv" if beside else result.with_name(result.name + REJECTED)
    manifest = beside / "manifest.json" if beside else result.with_name(result.name + MANIFEST)
    every = {
        Part.result: Held(result, TYPES[format], f"{stem}.结果{format.suffix}"),
        Part.rejects: Held(rejects, CSV, f"{stem}.读不了的行.csv"),
        Part.manifest: Held(manifest, JSON, f"{stem}.清单.json"),
        Part.report: Held(report / PAGE, HTML, f"{stem}.变更报告.html"),
        Part.figures: Held(report / RECORD, JSON, f"{stem}.变更报告.json"),
        Part.review: Held(report / BOOK, XLSX, f"{stem}.复核.xlsx"),
    }
    return {part: one for part, one in every.items() if one.path.is_file()}
