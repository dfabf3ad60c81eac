"""The worker: what runs in each Python process of a cluster, once the code is there."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from corpora.rows.row import Row
from nlp.errors import JiesuError
from serving.backlog.spark.boot import Unfit
from serving.backlog.spark.cells import decoded
from serving.memory import settle

if TYPE_CHECKING:
    import pandas

Work = Callable[[int, Sequence[Row]], bytes]
Opener = Callable[[Mapping[str, Any], Path, Path | None], Work]


# The one place of jiesu where a module holds a model: Spark calls a function for each partition in processes that it
# starts, forks and keeps itself, so that there is nobody to hand the model down. A process works for one run at a time.
@lru_cache(maxsize=1)
def opened(root: Path, opener: str, told: str) -> Work:
    """What decides, opened once in each process; `root` has the archive's digest in its name."""
    module, _, function = opener.partition(":")
    rules = root / "rules"
    work: Work = getattr(import_module(module), function)(
        orjson.loads(told), root / "model", rules if rules.is_dir() else None
    )
    settle()
    return work


def answered(root: Path, told: str, batches: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
    """Frames of chunk (number) and rows (bytes) → frames of chunk and answer (bytes), one chunk at a time."""
    with discreet():
        held = orjson.loads(told)
        work = opened(root, held["opener"], held["told"])
        for batch in batches:
            for chunk, rows in zip(batch["chunk"], batch["rows"], strict=True):
                yield type(batch)({"chunk": [chunk], "answer": [work(int(chunk), decoded(rows))]})


@contextmanager
def discreet() -> Iterator[None]:
    """A fault goes on to Spark's logs and the driver without anybody's text: its kind and its place, or our message."""
    try:
        yield
    except (Unfit, GeneratorExit):
        raise
    except JiesuError as error:
        raise Unfit(str(error)) from None
    except ImportError as error:
        raise Unfit(f"集群的 Python 缺少 {error.name}，见 docs/cluster.md") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise Unfit(f"内部错误 {type(error).__name__}，在 {Path(place.filename).name}:{place.lineno}") from None
