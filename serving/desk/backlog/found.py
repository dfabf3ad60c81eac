"""Found: which columns of a file were taken for what, as the plan of its batch holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from corpora.columns import ROLES, USUAL
from serving.batches.folder import Folder
from serving.desk.backlog.tables import OPTIONS


@dataclass(frozen=True)
class Role:
    """What a column may be good for. columns: those that were taken; guessed: by what they hold, not by their name."""

    code: str
    name: str
    columns: Sequence[str] = ()
    guessed: bool = False

    @property
    def shown(self) -> str:
        """The columns as a field of a form has them."""
        return "、".join(self.columns)


@dataclass(frozen=True)
class Found:
    """heads: all columns; empty where the file was not read so far."""

    heads: Sequence[str] = ()
    roles: Sequence[Role] = field(default_factory=tuple)


def found(folder: Folder, asked: Mapping[str, Sequence[str]]) -> Found:
    """What was found in a batch's file; asked: the columns that somebody named."""
    try:
        plan = orjson.loads(folder.plan.read_bytes())["plan"]
    except FileNotFoundError:
        return Found((), tuple(Role(code, ROLES[code], asked.get(code, ())) for code in ROLES if code in OPTIONS))
    roles = [_role(code, plan["roles"].get(code, ()), asked) for code in ROLES if code in OPTIONS]
    return Found(plan["columns"], tuple(roles))


def _role(code: str, columns: Sequence[str], asked: Mapping[str, Sequence[str]]) -> Role:
    """Only the column of texts is ever guessed, see `corpora.columns.choose`."""
    usual = {name.casefold() for name in USUAL[code]}
    guessed = code == "text" and code not in asked and any(name.strip().casefold() not in usual for name in columns)
    return Role(code, ROLES[code], columns, guessed)
