"""Boot: what a cluster's Python worker runs first; it travels by value and imports nothing but the standard library.

Code, model and rules arrive as one archive. It is opened once on every machine, in Spark's own folder for files (which
belongs to the application and goes with it), by whichever process comes first; only then can anything of jiesu be
imported.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

BEGIN, END = "[[jiesu:", ":jiesu]]"  # around what the driver may show of a fault


class Unfit(RuntimeError):
    """A machine that cannot do the work; what stands between the marks is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{BEGIN}{reason}{END}")


@dataclass(frozen=True)
class Errand:
    """What a worker is to do: open the archive of this name and digest, import the module, call its function.

    code: the digest that jiesu's code must have. shipped: whether the archive brings it. told: JSON.
    """

    archive: str
    digest: str
    code: str
    shipped: bool
    function: str
    told: str


def errand_run(errand: Errand) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What Spark maps over the batches of a partition."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        root = unpacked(Path(import_module("pyspark").SparkFiles.get(errand.archive)), errand.digest)
        provide(root, errand.code, shipped=errand.shipped)
        module, _, function = errand.function.partition(":")
        try:
            mapped = getattr(import_module(module), function)
        except ImportError as error:
            raise Unfit(f"集群的 Python 缺少 {error.name}，见 docs/cluster.md") from None
        yield from mapped(root, errand.told, batches)

    return run


def unpacked(path: Path, digest: str) -> Path:
    """The folder with what the archive held, its SHA-256 checked before anything is taken from it."""
    folder = path.with_name(f".{path.stem}")
    if folder.is_dir():
        return folder
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unfit(f"模型没有送到：读不到 {path.name}（{error.strerror}）") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Unfit(f"送到的 {path.name} 与发出的不同（SHA-256 不符）")
    draft = tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(draft)
    try:
        os.rename(draft, folder)
    except OSError:  # another process of this machine was first: its folder counts
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def provide(root: Path, code: str, *, shipped: bool) -> None:
    """Make jiesu importable, as it came or as it is installed here; refuse any other one.

    A process may have worked for an earlier run: what it has imported by then stays, and must be the same.
    """
    if shipped and "nlp" not in sys.modules:
        sys.path.insert(0, str(root / "code"))  # checked with the archive
        return
    try:
        found = import_module("serving.backlog.spark.parcel").code_digest()
    except ImportError as error:
        raise Unfit(f"集群的 Python 里没有装接诉，或缺它要的包（{error.name}）") from None
    if found != code:
        raise Unfit("集群上的接诉与这里的不是同一份，答复可能不同；请装同一份，或另起一个 Spark 会话、把代码一起送去")


def in_portions(batches: Iterator[Any]) -> Iterator[Any]:
    """Arrow batches → one row for each, which holds it as a stream: how a table comes to the driver."""
    arrow = import_module("pyarrow")
    for batch in batches:
        out = arrow.BufferOutputStream()
        with arrow.ipc.new_stream(out, batch.schema) as stream:
            stream.write_batch(batch)
        yield arrow.record_batch([arrow.array([out.getvalue().to_pybytes()], arrow.binary())], names=["rows"])
