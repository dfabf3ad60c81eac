"""The report of a retraining: shown within a page, where it loads nothing and runs its own script alone."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from fastapi.responses import FileResponse, Response

import corpora
from serving.errors import Missing

SCRIPT = Path(corpora.__file__).with_name("page.js")  # it sorts tables
PAGE, RECORD, BOOK = "report.html", "report.json", "suspects.xlsx"
TYPES = {
    PAGE: "text/html; charset=utf-8",
    RECORD: "application/json",
    BOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# The report is one file: its styles and pictures stand in it. Sandboxed it is of no origin, so that even a script that
# were let in could read nothing of this service.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)


class NoFile(Missing):
    """这次训练没有这份文件"""


@cache
def policy() -> str:
    """What a browser is told of a report: of all scripts only that of `corpora.markup` runs."""
    digest = hashlib.sha256(SCRIPT.read_bytes()).digest()
    return POLICY.format(digest=base64.b64encode(digest).decode())


def files(folder: Path) -> list[str]:
    """Those that are there."""
    return [name for name in TYPES if (folder / name).is_file()]


def handed(folder: Path, name: str, *, saved: bool) -> Response:
    """A file; saved: whether the browser is to keep it rather than show it. Raises `NoFile`."""
    if name not in files(folder):
        raise NoFile
    headers = {"content-security-policy": policy()}
    return FileResponse(folder / name, media_type=TYPES[name], filename=name if saved else None, headers=headers)
