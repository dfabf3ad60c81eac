"""The report within a page: in a sandbox of its own, with nothing allowed but what it brings along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from corpora.markup import safe
from serving.desk.data.report import policy
from serving.errors import Missing


class NoReport(Missing):
    """没有变更报告：还没有做完，或者文件已经删去"""


async def framed(path: Path, names: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A report as a page shows it in a frame; raises `NoReport`. names: what stands for what is not to be shown.

    Of all scripts only the one that sorts its tables runs, whatever else were to stand in it.
    """
    try:
        content = await run_in_threadpool(path.read_bytes)
    except OSError as error:
        raise NoReport from error
    for hidden, shown in names.items():
        content = content.replace(safe(hidden).encode(), safe(shown).encode())
    headers = {"content-security-policy": policy()}
    return Response(content, headers=headers, media_type="text/html; charset=utf-8")
