"""The frozen test set: rows drawn once, that no model of this office is ever trained on.

It stands in `JIESU_HOME/test-set/`: `rows.jsonl` holds the petitions as they are (mode 0600, the office's own disk),
`manifest.json` their hash, when and how they were drawn, and how many there are of each class.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASKS
from training.dataset import Dataset
from training.split import Split, split

FOLDER = "test-set"
ROWS = "rows.jsonl"
MANIFEST = "manifest.json"
SEED = 20261123
FEWEST = 20  # rows below which a comparison says nothing
SHORT = 10  # code points; a shorter text does not identify a petition without its title
CHUNK = 2000
LEAST_REASON = 4  # characters


@dataclass(frozen=True)
class Draw:
    """How a test set is drawn: `share` of the rows, `at_most` so many, and why anew."""

    share: float = 0.2
    at_most: int = 2000
    again: bool = False
    reason: str = ""

    def check(self) -> None:
        """Raise `InputError` for numbers that make no test set, and for a new draw without a reason."""
        if not 0 < self.share < 1:
            raise InputError(place="--share", reason=f"须在 0 与 1 之间，而不是 {self.share:g}")
        if self.at_most < FEWEST:
            raise InputError(place="--at-most", reason=f"至少 {FEWEST} 行")
        if self.again and len(self.reason.strip()) < LEAST_REASON:
            raise InputError(place="--again", reason=f"重新冻结须用 --reason 说明原因（至少 {LEAST_REASON} 个字）")


DRAW = Draw()


def folder_of(home: Path) -> Path:
    """Where the frozen test set stands."""
    return home / FOLDER


def freeze(dataset: Dataset, home: Path, draw: Draw = DRAW) -> dict[str, Any]:
    """Draw a test set and write it, whole or not at all; returns its manifest.

    Raises `InputError` where one stands already and no new one is asked for, or where too few rows are labelled.
    """
    draw.check()
    before = _earlier(home)
    if before and not draw.again:
        place, told = folder_of(home), before[-1]
        reason = f"{told.get('date', '')} 已冻结 {told.get('rows', '?')} 行；重新冻结请加 --again --reason 原因"
        raise InputError(place=place, reason=reason)
    dataset = dataset.part(row for row in range(len(dataset)) if any(codes[row] for codes in dataset.labels.values()))
    seed = SEED + len(before)
    parts = _drawn(dataset, draw, seed)
    held = dataset.part(parts.held)
    content = b"".join(orjson.dumps(line) + b"\n" for line in _lines(held))
    manifest = {
        "format": 1,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "data": dataset.name,
        "data_hash": dataset.hash,
        "of": len(dataset),
        "rows": len(held),
        "drawn": parts.told,
        "by": parts.by,
        "seed": seed,
        "classes": _classes(held),
        "before": before,
        "hash": hashlib.sha256(content).hexdigest(),
    } | asdict(draw)
    _write(folder_of(home), content, manifest)
    return manifest


def _drawn(dataset: Dataset, draw: Draw, seed: int) -> Split:
    """The latest groups where times are known, else some of every label; enough of them to compare models by."""
    if len(dataset) < FEWEST:
        raise InputError(place=dataset.name, reason=f"只有 {len(dataset)} 行带标签，至少要 {FEWEST} 行")
    parts = split(dataset, min(draw.share, draw.at_most / len(dataset)), seed)
    if len(parts.held) < FEWEST:
        told = f"{len(dataset)} 行带标签的数据只抽得出 {len(parts.held)} 行，至少要 {FEWEST} 行"
        raise InputError(place=dataset.name, reason=f"{told}；请增加数据或 --share")
    return parts


def _lines(dataset: Dataset) -> list[dict[str, Any]]:
    tasks = [task for task in TASKS if task in dataset.labels]
    return [
        {"id": petition.id, "title": petition.title, "text": petition.text, "key": key}
        | {task: dataset.labels[task][row] for task in tasks}
        for row, (petition, key) in enumerate(zip(dataset.petitions, keys(dataset.petitions), strict=True))
    ]


def _classes(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Task → label → rows, the most frequent first."""
    return {
        task: dict(Counter(code for code in dataset.labels[task] if code).most_common())
        for task in TASKS
        if task in dataset.labels
    }


def _write(folder: Path, content: bytes, manifest: dict[str, Any]) -> None:
    """Write into a draft that only its owner can read, then put it in the place of what stood there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # mode 0700
    old = draft.with_name(draft.name + "-old")
    try:
        for name, body in ((ROWS, content), (MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))):
            (draft / name).touch(mode=0o600)
            (draft / name).write_bytes(body)
        if folder.exists():
            os.replace(folder, old)
        os.replace(draft, folder)
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(draft, ignore_errors=True)


def _earlier(home: Path) -> list[dict[str, Any]]:
    """What was frozen here before, the latest last, without the lists of classes."""
    folder = folder_of(home)
    if not folder.exists():
        return []
    told = _manifest(folder)
    kept = {key: told.get(key) for key in ("date", "data", "data_hash", "rows", "hash", "reason")}
    return [*told.get("before", []), kept]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        reason = f"测试集的清单读不懂（{type(error).__name__}）；请恢复它，或把这个文件夹移走后重新冻结"
        raise InputError(place=folder / MANIFEST, reason=reason) from error


def read(home: Path) -> Dataset:
    """The frozen test set; raises `InputError` where there is none, or where it was changed since."""
    folder = folder_of(home)
    if not folder.exists():
        reason = "还没有冻结的测试集。先用带标签的数据做一个：jiesu test-set freeze 数据文件"
        raise InputError(place=folder, reason=reason)
    manifest, lines = _manifest(folder), _read_lines(folder)
    labels = {task: [str(line.get(task, "")) for line in lines] for task in TASKS if any(task in e for e in lines)}
    petitions = [Petition(line["id"], line["text"], line["title"]) for line in lines]
    return Dataset(petitions, labels, f"冻结的测试集（{manifest['data']}）", manifest["hash"])


def _read_lines(folder: Path) -> list[dict[str, str]]:
    try:
        content = (folder / ROWS).read_bytes()
    except OSError as error:
        raise InputError(place=folder / ROWS, reason=f"打不开（{error.strerror}）") from error
    if hashlib.sha256(content).hexdigest() != _manifest(folder).get("hash"):
        raise InputError(place=folder / ROWS, reason="冻结之后被改动过（与清单的 SHA-256 不符），不能再用来比较模型")
    return [orjson.loads(line) for line in content.splitlines()]


def keys(petitions: Sequence[Petition]) -> list[str]:
    """SHA-256 of each petition's text as the model reads it; of title and text together where the text is short."""
    found: list[str] = []
    reader = Reader()
    for first in range(0, len(petitions), CHUNK):
        fields = reader.read(petitions[first : first + CHUNK]).texts.strings
        for title, text in zip(fields[::2], fields[1::2], strict=True):
            words = text if len(text) >= SHORT else f"{title}\n{text}"
            found.append(hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest())
    return found


def without(dataset: Dataset, home: Path) -> tuple[Dataset, list[int]]:
    """The dataset without the rows of the frozen test set, and which rows were left out, counted from 0.

    Left out is what reads the same, and all of its group: its near duplicates, where the groups tell them.
    Without a test set nothing is left out.
    """
    if not folder_of(home).exists():
        return dataset, []
    frozen = {line["key"] for line in _read_lines(folder_of(home))}
    same = np.array([key in frozen for key in keys(dataset.petitions)], np.bool_)
    groups = dataset.group_numbers
    out = np.isin(groups, groups[same])
    if not out.any():
        return dataset, []
    return dataset.part(np.flatnonzero(~out).tolist()), np.flatnonzero(out).tolist()
