"""Options: how a batch is to be decided and what is to come back; checked when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any
from unicodedata import category

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nlp.errors import InputError
from serving.schema import Accuracy, Time

LONGEST = 200  # characters of a name
ENDS = 40  # of them kept from the end, where the suffix stands


class Format(StrEnum):
    """What the result is written as."""

    csv = "csv"
    xlsx = "xlsx"
    jsonl = "jsonl"
    parquet = "parquet"

    @property
    def suffix(self) -> str:
        """Of its files."""
        return f".{self.value}"


# What is read, and what it becomes where nothing else is asked for.
SUFFIXES: Mapping[str, Format] = {
    ".csv": Format.csv, ".tsv": Format.csv, ".txt": Format.csv, ".xlsx": Format.xlsx, ".jsonl": Format.jsonl,
    ".parquet": Format.parquet,
}  # fmt: skip
Columns = dict[str, list[Annotated[str, Field(max_length=LONGEST)]]]


def _columns(given: Any) -> Any:
    """JSON in a field of a form; one column may stand for itself."""
    held = orjson.loads(given) if isinstance(given, str) else given
    if not isinstance(held, dict):
        raise ValueError('须为 JSON 对象，如 {"text": "诉求内容"}')
    return {role: [columns] if isinstance(columns, str) else columns for role, columns in held.items()}


class Options(BaseModel):
    """All that may be asked of a batch; every one has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(None, description="结果的格式；不给则与上传的相同")
    profile: str = Field("", max_length=LONGEST, description="治理体系；不给则用服务的设置")
    accuracy: Accuracy = Field(Accuracy.fast, description="fast 线性模型；high 加编码器")
    columns: Annotated[Columns, BeforeValidator(_columns)] = Field(
        {},
        description='哪一列是什么（JSON），如 {"text": "诉求内容", "category": ["一级分类", "二级分类"]}；其余自动认',
    )
    sheet: str = Field("", max_length=LONGEST, description="工作簿里读哪一张表；不给则读所有表头相同的")
    encoding: str = Field("", max_length=40, description="上传文件的编码；不给则自动认")
    delimiter: str = Field("", max_length=1, description="CSV 的分隔符；不给则自动认")
    escape_formulas: bool = Field(False, description="CSV 里以 = + - @ 开头的单元格前加一撇，供在表格软件里打开")
    dry_run: bool = Field(False, description="只出变更报告，不出结果文件")
    now: Time | None = Field(None, description="当作哪个时刻来决定（ISO 8601）；不给则为上传的时刻")


class Again(BaseModel):
    """What is to be different when the file of an earlier batch is decided once more; the rest stays as it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(None, description="结果的格式")
    profile: str = Field("", max_length=LONGEST, description="治理体系")
    accuracy: Accuracy = Field(Accuracy.fast, description="fast 线性模型；high 加编码器")
    columns: Annotated[Columns, BeforeValidator(_columns)] = Field({}, description="哪一列是什么；没说的自动认")
    sheet: str = Field("", max_length=LONGEST, description="工作簿里读哪一张表")
    encoding: str = Field("", max_length=40, description="上传文件的编码")
    delimiter: str = Field("", max_length=1, description="CSV 的分隔符")
    escape_formulas: bool = Field(False, description="CSV 里以 = + - @ 开头的单元格前加一撇")
    dry_run: bool = Field(False, description="只出变更报告，不出结果文件")

    def over(self, options: Options) -> Options:
        """Those options, with what was given here instead."""
        return options.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class Asked(BaseModel):
    """What the store keeps of the options, settled as far as they can be before the file is read.

    suffix: of the upload, one of `SUFFIXES`. digest: SHA-256 of the upload. origin: the batch whose file it is, where
    nothing was sent anew; uploaded: when that file was sent, in milliseconds.
    """

    model_config = ConfigDict(frozen=True)

    options: Options
    suffix: str
    digest: str
    size: int
    profile: str
    now: datetime
    origin: str = ""
    uploaded: int | None = None

    @property
    def format(self) -> Format:
        """What the result is written as."""
        return self.options.format or SUFFIXES[self.suffix]


def named(given: str) -> str:
    """The name of a file as a client gave it, without folders and signs that cannot be seen; never used as a path."""
    last = given.replace("\\", "/").rpartition("/")[2]
    seen = "".join(sign for sign in last if category(sign)[0] != "C").strip()
    return seen if len(seen) <= LONGEST else seen[: LONGEST - ENDS] + seen[-ENDS:]


def suffix_of(name: str) -> str:
    """The suffix of a name; raises `InputError` for one that nobody reads."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SUFFIXES:
        return suffix
    if not name:
        raise InputError(place="filename", reason="没有给文件名：表单里的文件要带名字，或用 ?filename=")
    raise InputError(place=name, reason=f"不认识的文件类型，可用：{'、'.join(SUFFIXES)}")
