"""Options of the command line and what they come to, the same for every command of serving."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from pydantic import ValidationError

from nlp.errors import InputError
from serving.schema import YEARS, path_of
from serving.settings import Settings

ModelOption = Annotated[Path | None, typer.Option(help="模型文件夹；不给则用默认模型")]
ProfileOption = Annotated[str | None, typer.Option(help="治理体系；不给则用设置")]


def read_settings(**given: Any) -> Settings:
    """The settings, those given on the command line first; a wrong one is named."""
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(place=f"设置 JIESU_{path_of(first['loc']).upper()}", reason=first["msg"]) from error


def moment(settings: Settings, now: str | None) -> datetime:
    """The time that the command line gave, or the present."""
    if now is None:
        return settings.now()
    try:
        time = datetime.fromisoformat(now)
    except ValueError as error:
        raise InputError(place="--now", reason=f"{now!r} 不是 ISO 8601 时间") from error
    if time.year not in YEARS:
        raise InputError(place="--now", reason=f"年份须在 {YEARS[0]}–{YEARS[-1]} 之间")
    return time if time.tzinfo else time.replace(tzinfo=settings.zone)


def opened(file: str) -> BinaryIO:
    """A file, or standard input for `-`; raises `InputError`."""
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise InputError(place=file, reason=f"打不开（{error.strerror}）") from error
