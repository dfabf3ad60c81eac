"""The taxonomy: a tree of categories of any depth, and the codes of tier, clock and type."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nlp.errors import RefusedData
from nlp.files import read_toml

TASKS = ("category", "tier", "clock", "type")
TASK_NAMES = {"category": "类别", "tier": "层级", "clock": "时限", "type": "诉求类型"}
EMERGENCY = "emergency"


@dataclass(frozen=True)
class Label:
    """One code of a task, with the name that officials read."""

    code: str
    name: str
    parent: str = ""
    hours: float = 0.0
    holds: str = ""
    excludes: str = ""


@dataclass(frozen=True)
class Taxonomy:
    """All codes that a decision may hold; every table of a model is in this order."""

    name: str
    nodes: tuple[Label, ...]
    tiers: tuple[Label, ...]
    clocks: tuple[Label, ...]
    types: tuple[Label, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str | Path = "taxonomy") -> Taxonomy:
        """Build and check a taxonomy; raises `RefusedData` naming `source` and the fault."""
        try:
            groups = {key: tuple(Label(**row) for row in data[key]) for key in ("nodes", "tiers", "clocks", "types")}
            taxonomy = cls(str(data["name"]), **groups)
        except (KeyError, TypeError) as error:
            raise RefusedData(file=source, reason=f"缺少或多出字段 {error}") from error
        fault = taxonomy.fault()
        if fault:
            raise RefusedData(file=source, reason=fault)
        return taxonomy

    @classmethod
    def read(cls, path: Path) -> Taxonomy:
        """Read a taxonomy from its TOML file."""
        return cls.from_dict(read_toml(path), path)

    def fault(self) -> str:
        """The first thing that is wrong with the taxonomy, or an empty string."""
        return next(
            filter(None, (*map(_fault_of_group, self.groups.values()), *map(self._fault_of_node, self.nodes))), ""
        )

    def _fault_of_node(self, node: Label) -> str:
        if node.parent and all(node.parent != other.code for other in self.nodes):
            return f"{node.code} 的上级 {node.parent} 不存在"
        return f"{node.code} 的上级成环" if self._is_circular(node) else ""

    def _is_circular(self, node: Label) -> bool:
        seen: set[str] = set()
        parents = {other.code: other.parent for other in self.nodes}
        code = node.code
        while code and code not in seen:
            seen.add(code)
            code = parents.get(code, "")
        return bool(code)

    @property
    def groups(self) -> dict[str, tuple[Label, ...]]:
        """All labels, by the names of the groups in the file."""
        return {"nodes": self.nodes, "tiers": self.tiers, "clocks": self.clocks, "types": self.types}

    @cached_property
    def categories(self) -> tuple[Label, ...]:
        """The nodes without children, in file order: what a petition can be."""
        inner = {node.parent for node in self.nodes}
        return tuple(node for node in self.nodes if node.code not in inner)

    @cached_property
    def paths(self) -> dict[str, list[str]]:
        """Category code → names from the root of the tree down to the category."""
        by_code = {node.code: node for node in self.nodes}

        def path(node: Label) -> list[str]:
            return [*(path(by_code[node.parent]) if node.parent else []), node.name]

        return {node.code: path(node) for node in self.categories}

    def labels(self, task: str) -> tuple[Label, ...]:
        """The labels of one task of `TASKS`, in the order of the model's columns."""
        return {"category": self.categories, "tier": self.tiers, "clock": self.clocks, "type": self.types}[task]

    def codes(self, task: str) -> list[str]:
        """The codes of one task, in the order of the model's columns."""
        return [label.code for label in self.labels(task)]

    def as_dict(self) -> dict[str, Any]:
        """The same content as plain data, as `from_dict` takes it."""
        return {
            "name": self.name,
            **{
                key: [{k: v for k, v in vars(label).items() if v} for label in group]
                for key, group in self.groups.items()
            },
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content: what a model was trained for."""
        text = json.dumps(self.as_dict(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _fault_of_group(group: tuple[Label, ...]) -> str:
    codes = [label.code for label in group]
    if not codes:
        return "有一组标签是空的"
    twice = next((code for code in codes if codes.count(code) > 1), "")
    return f"编码重复：{twice}" if twice else ""
