"""Rows of a JSONL file: one object a line, the columns being all keys in the order in which they first come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from corpora.rows.encoding import SURROGATE, mended, named, spoken, texts, told
from corpora.rows.file import File
from corpora.rows.row import Row
from nlp.errors import InputError

COLUMNS = 100_000  # keys that all rows together may have
LONG = re.compile(r"[0-9]{19}")  # orjson makes a float of what is longer than 64 bits


class LinesSource:
    """A JSONL file, read once for its columns; a key that a row lacks is None.

    Raises `InputError` when it cannot be read at all, or no line of it holds an object.
    """

    def __init__(self, path: Path, *, encoding: str = "") -> None:
        self.name = str(path)
        self._file = File(path)
        self.encoding = named(encoding) or told(self._file)
        self._size = 0
        self.columns: tuple[str, ...] = tuple(self._keys())

    def rows(self) -> Iterator[Row]:
        """Every line but blank ones."""
        for number, line, held in self._read():
            if isinstance(held, str):
                yield Row(number, (mended(line),), held)
            else:
                yield Row(number, tuple(map(held.get, self.columns)))

    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._file.digest()

    def size(self) -> int:
        """How many rows there are."""
        return self._size

    def share(self) -> float:
        """How much of the file the latest pass has read, from 0 to 1."""
        return self._file.share()

    def _keys(self) -> dict[str, None]:
        keys: dict[str, None] = {}
        wrong = ""
        for number, _, held in self._read():
            self._size += 1
            if isinstance(held, str):
                wrong = wrong or f"第 {number} 行{held}"
                continue
            keys.update(dict.fromkeys(held))
            if len(keys) > COLUMNS:
                raise InputError(place=f"{self.name} 第 {number} 行", reason=f"各行的键合起来超过 {COLUMNS} 个")
        if not keys:
            raise InputError(place=self.name, reason=wrong or "文件是空的，没有数据行")
        return keys

    def _read(self) -> Iterator[tuple[int, str, dict[str, Any] | str]]:
        """Number, text, and the object of each line, or what is wrong with it."""
        number = 0
        for text, odd in texts(self._file, self.encoding):
            exact = bool(LONG.search(text))
            for line in text.removesuffix("\n").split("\n"):
                number += 1
                if line and not line.isspace():
                    yield number, line, self._held(line, odd=odd, exact=exact)

    def _held(self, line: str, *, odd: bool, exact: bool) -> dict[str, Any] | str:
        if odd and SURROGATE.search(line):
            return f"不是 {spoken(self.encoding)} 编码"
        try:
            held = json.loads(line) if exact else orjson.loads(line)
        except orjson.JSONDecodeError:
            return _lenient(line)
        except (ValueError, RecursionError) as error:
            return f"不是 JSON（{error}）"
        return held if isinstance(held, dict) else "不是 JSON 对象"


def _lenient(line: str) -> dict[str, Any] | str:
    """What Python takes and orjson does not: half a character, NaN."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"不是 JSON（{error}）"
    return held if isinstance(held, dict) else "不是 JSON 对象"
