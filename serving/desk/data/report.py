"""The report of a retraining: shown within a page, where it may run nothing and load nothing, and handed out."""

from __future__ import annotations

from pathlib import Path

from fastapi.responses import FileResponse, Response

from serving.errors import Missing

PAGE, RECORD, BOOK = "report.html", "report.json", "suspects.xlsx"
TYPES = {
    PAGE: "text/html; charset=utf-8",
    RECORD: "application/json",
    BOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# The report is one file: its styles and pictures stand in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


class NoFile(Missing):
    """这次训练没有这份文件"""


def files(folder: Path) -> list[str]:
    """Those that are there."""
    return [name for name in TYPES if (folder / name).is_file()]


def handed(folder: Path, name: str, *, saved: bool) -> Response:
    """A file; saved: whether the browser is to keep it rather than show it. Raises `NoFile`."""
    if name not in files(folder):
        raise NoFile
    headers = {"content-security-policy": POLICY}
    return FileResponse(folder / name, media_type=TYPES[name], filename=name if saved else None, headers=headers)
