"""Drafts: a file is written beside its place and takes it only when all is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nlp.errors import InputError


@contextmanager
def drafted(out: Path) -> Iterator[BinaryIO]:
    """A file to write; raises `InputError` where it cannot be written."""
    draft = out.with_name(f".{out.name}.draft")
    try:
        with draft.open("wb") as kept:
            yield kept
        draft.replace(out)
    except OSError as error:
        raise InputError(place=str(out), reason=f"写不了（{error.strerror}）") from error
    finally:
        draft.unlink(missing_ok=True)
