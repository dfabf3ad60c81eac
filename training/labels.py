"""Labels: what the labels of a data set mean, the codes of a known taxonomy or a tree of categories of their own."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from corpora.guesses import LONGEST
from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, Label, Taxonomy
from training.dataset import Dataset, shown

UNDIVIDED = "（未细分）"  # the leaf of rows that are labelled with an inner node
SHOWN = 12  # known names that an error lists


def taxonomy_of(dataset: Dataset, base: Taxonomy) -> tuple[Dataset, Taxonomy]:
    """The data set with codes for labels, and the taxonomy that holds them all.

    Where at least half of the labelled rows bear codes or names of `base`, its labels are meant; other categories
    make a tree of their own, beside the tiers, clocks and types of `base`, which routing needs.
    Raises `InputError` naming row and column of a label that is not known, or too long for one.
    """
    labels = {task: list(map(str.strip, values)) for task, values in dataset.labels.items()}
    for task, values in labels.items():
        _refuse_long(dataset, task, values)
    taxonomy = base
    for task, values in labels.items():
        known = names(base, task)
        if task == "category" and 2 * sum(value in known for value in values) < sum(map(bool, values)):
            labels[task], nodes = tree(values)
            taxonomy = Taxonomy(Path(dataset.name).stem, nodes, base.tiers, base.clocks, base.types)
        else:
            labels[task] = _coded(dataset, task, values, known)
    return replace(dataset, labels=labels), taxonomy


def coded(dataset: Dataset, taxonomy: Taxonomy) -> Dataset:
    """The data set with codes of `taxonomy` for labels; raises `InputError` naming any other label's row."""
    labels = {}
    for task, values in dataset.labels.items():
        stripped = list(map(str.strip, values))
        _refuse_long(dataset, task, stripped)
        labels[task] = _coded(dataset, task, stripped, names(taxonomy, task))
    return replace(dataset, labels=labels)


def names(taxonomy: Taxonomy, task: str) -> dict[str, str]:
    """Code, name (where only one label bears it) or path of names, joined by “/” → code."""
    labels = taxonomy.labels(task)
    count = Counter(label.name for label in labels)
    known = {label.name: label.code for label in labels if count[label.name] == 1}
    if task == "category":
        known |= {"/".join(path): code for code, path in taxonomy.paths.items()}
    return known | {label.code: label.code for label in labels}


def tree(values: Sequence[str]) -> tuple[list[str], tuple[Label, ...]]:
    """The code of every label, and the nodes of the tree that the labels span, parents before children.

    The code of a node is its path, joined by “/”.
    """
    routes = {value: _levels(value) for value in dict.fromkeys(values) if value}
    inner = {levels[:depth] for levels in routes.values() for depth in range(1, len(levels))}
    leaves = {value: _leaf(levels, inner) for value, levels in routes.items()}
    nodes = dict.fromkeys(levels[:depth] for levels in leaves.values() for depth in range(1, len(levels) + 1))
    codes = {value: "/".join(levels) for value, levels in leaves.items()} | {"": ""}
    labels = tuple(Label("/".join(node), node[-1], "/".join(node[:-1])) for node in nodes)
    return [codes[value] for value in values], labels


def _levels(label: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in label.split("/") if part.strip()) or (label,)


def _leaf(levels: tuple[str, ...], inner: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The path itself, or, where others lie below it, a leaf of its own."""
    while levels in inner:
        levels = (*levels, UNDIVIDED)
    return levels


def _coded(dataset: Dataset, task: str, values: Sequence[str], known: dict[str, str]) -> list[str]:
    known = known | {"": ""}
    for row, value in enumerate(values):
        if value not in known:
            raise InputError(place=_place(dataset, task, row), reason=_unknown(task, value, known))
    return [known[value] for value in values]


def _unknown(task: str, value: str, known: dict[str, str]) -> str:
    """What to do about a label that the taxonomy does not hold."""
    near = difflib.get_close_matches(value, [name for name in known if name], 1, 0.5)
    told = f"最接近的是“{near[0]}”" if near else f"可用：{'、'.join([name for name in known if name][:SHOWN])} 等"
    way = "请改正，或用 --taxonomy 给出自己的分类体系" if task == "category" else "请改正（派单要用这些编码）"
    return f"标签 {shown(value)} 不在分类体系里（{TASK_NAMES[task]}），{told}；{way}"


def _refuse_long(dataset: Dataset, task: str, values: Sequence[str]) -> None:
    for row, value in enumerate(values):
        longest = max(map(len, _levels(value)))
        if longest > LONGEST:
            reason = f"标签有 {longest} 个字，超过 {LONGEST}，像是正文；请用 --{task} 指定标签列"
            raise InputError(place=_place(dataset, task, row), reason=reason)


def _place(dataset: Dataset, task: str, row: int) -> str:
    return f"{dataset.place(row)}，列 {dataset.heading(task)}"
