"""Data sets in the Hugging Face form: a folder of `save_to_disk`, or a name on the Hub, as a table of strings."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import datasets

from corpora.rows.open import KNOWN
from corpora.tables import Numbered, Table, table_of
from nlp.errors import InputError

NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


def read_hub(source: str) -> Table:
    """`folder` or `org/name`, either with `:split`; raises one `InputError` whatever stood in the way."""
    whole = Path(source).is_dir()
    name, split = (source, "") if whole else (source.partition(":")[0], source.partition(":")[2])
    found = _saved(Path(name)) if Path(name).is_dir() else _loaded(name)
    return table_of(source, _rows(_split(name, found, split)))


def _saved(folder: Path) -> datasets.Dataset | datasets.DatasetDict:
    try:
        return datasets.load_from_disk(str(folder))
    except FileNotFoundError as error:
        reason = f"是文件夹，但不是 datasets 的 save_to_disk 写的；请给出一个文件（{'、'.join(KNOWN)}）"
        raise InputError(place=folder, reason=reason) from error


def _loaded(name: str) -> datasets.Dataset | datasets.DatasetDict:
    """From the Hub, or from its cache under HF_HUB_OFFLINE=1."""
    if not NAME.fullmatch(name):
        raise InputError(place=name, reason="没有这个文件，也不是 Hugging Face 数据集的名字")
    if not _reachable():
        reason = (
            "没有这个文件；按 Hugging Face 数据集的名字去找，又连不上网。请检查文件路径；"
            "数据集下载过的，设 HF_HUB_OFFLINE=1 再试，或先用 save_to_disk 存成文件夹带过来"
        )
        raise InputError(place=name, reason=reason)
    try:
        return datasets.load_dataset(name)
    except Exception as error:  # the loader raises what each of its many parts raises
        told = str(error).strip().partition("\n")[0]
        reason = f"没有这个文件，Hugging Face 上也读不到这个名字的数据集（{type(error).__name__}：{told}）"
        raise InputError(place=name, reason=reason) from error


def _reachable() -> bool:
    """Whether a try makes sense: without a network the loader tries for half a minute."""
    if datasets.config.HF_HUB_OFFLINE or getproxies():
        return True
    try:
        socket.getaddrinfo(urlsplit(datasets.config.HF_ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


def _split(name: str, found: datasets.Dataset | datasets.DatasetDict, split: str) -> datasets.Dataset:
    """The split that was asked for, else the training rows, else the only one."""
    if isinstance(found, datasets.Dataset):
        if split:
            raise InputError(place=f"{name}:{split}", reason=f"这个数据集不分份，请只写 {name}")
        return found
    wanted = split or ("train" if "train" in found or len(found) != 1 else next(iter(found)))
    if wanted not in found:
        raise InputError(place=name, reason=f"没有 {wanted} 这一份；有：{'、'.join(found)}，写成 {name}:份名")
    return found[wanted]


def _rows(data: datasets.Dataset) -> Numbered:
    """Each row with its number; labels that are numbers on disk have their names again."""
    kinds = {name: kind for name, kind in data.features.items() if isinstance(kind, datasets.ClassLabel)}
    for number, row in enumerate(data, 1):
        yield number, row | {name: _name(kind, row[name]) for name, kind in kinds.items()}


def _name(kind: Any, value: int | None) -> str:
    return "" if value is None or value < 0 else str(kind.int2str(value))
