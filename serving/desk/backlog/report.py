"""The report within a page: in a sandbox of its own, with nothing allowed but what it brings along."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from corpora.markup import safe
from serving.errors import Missing

SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; img-src data:; sandbox allow-scripts; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class NoReport(Missing):
    """没有变更报告：还没有做完，或者文件已经删去"""


async def framed(path: Path, names: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A report as a page shows it in a frame; raises `NoReport`. names: what stands for what is not to be shown."""
    try:
        content = await run_in_threadpool(path.read_bytes)
    except OSError as error:
        raise NoReport from error
    for hidden, shown in names.items():
        content = content.replace(safe(hidden).encode(), safe(shown).encode())
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in SCRIPT.findall(content))
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    headers = {"content-security-policy": POLICY.format(scripts=scripts)}
    return Response(content, headers=headers, media_type="text/html; charset=utf-8")
