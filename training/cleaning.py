"""Cleaning: what nothing can be learned from goes, what is there twice becomes one, near duplicates become groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASK_NAMES
from training.dataset import Dataset, shown
from training.findings import Finding
from training.neighbours import Pairs, near_pairs

HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
MASKS = re.compile(r"\[(?:姓名|电话|账号|邮箱|\w{1,3}号)\]")  # what stands for personal data, as nlp.mask names it
FEWEST = 0.2  # of the letters that are Han: a Chinese complaint about Wi-Fi or an app stays well above
SHOWN = 20  # lines, and conflicts, that are named
CHUNK = 4096  # petitions that are read at a time, so that memory stays flat

EMPTY, UNLABELLED, FOREIGN = "empty", "unlabelled", "foreign"
FAULTS = {
    EMPTY: ("dropped", "正文是空的，或只有套话、数字，删去"),
    UNLABELLED: ("dropped", "没有任何标签，删去"),
    FOREIGN: ("not_chinese", f"汉字不到文字的 {FEWEST:.0%}，不像中文，不用来训练"),
}

SAME = "与前面的行文字相同，合成一条"
CONFLICT = "文字相同而标签不同，取多数人给的，票数相同则不取"
TIED = "文字相同而标签不同、票数又相同，没有标签可取，删去"
NEAR = "与别的行近似重复，编成组，训练和测试不会分开"


@dataclass(frozen=True)
class Conflict:
    """One text to which different people gave different labels.

    lines: where it stands. labels: each label that was given, as an error may quote it, with how often.
    kept: the label of the majority, empty where there is none.
    """

    task: str
    lines: Sequence[int]
    labels: Mapping[str, int]
    kept: str

    @property
    def told(self) -> str:
        """In one line, for the owners of the data."""
        lines, more = "、".join(map(str, self.lines[:SHOWN])), "等" if len(self.lines) > SHOWN else ""
        votes = "、".join(f"{label} {count} 次" for label, count in self.labels.items())
        kept = f"按多数取 {self.kept}" if self.kept else "票数相同，不取"
        return f"第 {lines} 行{more}，{TASK_NAMES[self.task]}：{votes}；{kept}"


@dataclass(frozen=True)
class Cleaned:
    """What is left, and what was found; no text is in the findings.

    conflicts: the first `SHOWN` by line. kept: the rows of the data set as it was given that are left, in order.
    """

    dataset: Dataset
    findings: Sequence[Finding]
    conflicts: Sequence[Conflict]
    kept: Sequence[int]


def clean(dataset: Dataset) -> Cleaned:
    """Drop, merge and group the rows; what is left may be nothing, which `fitting.fit` refuses."""
    texts = normalised(dataset.petitions)
    faults = [_fault(dataset, row, text) for row, text in enumerate(texts)]
    same = _same(texts, faults)
    labels, conflicts = _settled(dataset, same)
    held = [any(given) for given in zip(*labels.values(), strict=True)]
    tied = [rows[0] for rows, any_label in zip(same, held, strict=False) if not any_label]
    alive = [rows for rows, any_label in zip(same, held, strict=False) if any_label]
    first = [rows[0] for rows in alive]
    near = near_pairs([texts[row] for row in first])
    settled = {task: [value for value, ok in zip(values, held, strict=True) if ok] for task, values in labels.items()}
    settled = {task: values for task, values in settled.items() if any(values)}
    left = replace(dataset.part(first), labels=settled, groups=_groups(dataset, alive, near))
    found = [
        *(_finding(dataset, kind, told, _where(faults, fault)) for fault, (kind, told) in FAULTS.items()),
        _finding(dataset, "duplicate", SAME, sorted(row for rows in same for row in rows[1:])),
        Finding("conflict", CONFLICT, len(conflicts), _lines(conflicts)),
        _finding(dataset, "dropped", TIED, tied),
        _finding(dataset, "duplicate", NEAR, [first[row] for row in np.unique(near)]),
    ]
    return Cleaned(left, [finding for finding in found if finding.count], conflicts[:SHOWN], first)


def normalised(petitions: Sequence[Petition]) -> list[str]:
    """Title and text as a model reads them, personal data masked; set phrases of the hotline are left out."""
    reader = Reader()
    texts: list[str] = []
    for at in range(0, len(petitions), CHUNK):
        fields = reader.read(petitions[at : at + CHUNK]).texts.strings
        texts += ["\n".join(filter(None, pair)) for pair in zip(fields[::2], fields[1::2], strict=True)]
    return texts


def is_chinese(text: str) -> bool:
    """Whether at least `FEWEST` of the letters are Han; a text without letters (numbers, marks) passes."""
    letters = sum(map(str.isalpha, text))
    return len(HAN.findall(text)) >= FEWEST * letters


def _fault(dataset: Dataset, row: int, text: str) -> str:
    """Why a row is left out, empty if it is not."""
    if not any(map(str.isalpha, MASKS.sub("", text))):
        return EMPTY
    if not any(values[row] for values in dataset.labels.values()):
        return UNLABELLED
    return "" if is_chinese(text) else FOREIGN


def _same(texts: Sequence[str], faults: Sequence[str]) -> list[list[int]]:
    """The sound rows, those of one text together, in the order of their first."""
    same: dict[str, list[int]] = {}
    for row, (text, fault) in enumerate(zip(texts, faults, strict=True)):
        if not fault:
            same.setdefault(text, []).append(row)
    return list(same.values())


def _settled(dataset: Dataset, same: Sequence[Sequence[int]]) -> tuple[dict[str, list[str]], list[Conflict]]:
    """One label a text and task, and the texts with several, by line; no label is no vote."""
    labels: dict[str, list[str]] = {}
    conflicts: list[Conflict] = []
    for task, given in dataset.labels.items():
        labels[task] = []
        for rows in same:
            votes = Counter(given[row] for row in rows if given[row])
            labels[task].append(majority(votes))
            if len(votes) > 1:
                conflicts.append(_conflict(dataset, task, rows, votes))
    return labels, sorted(conflicts, key=lambda conflict: conflict.lines[0])


def majority(votes: Counter[str]) -> str:
    """The label with the most votes, empty if there is none or several have as many."""
    (best, most), (_, next_most) = (*votes.most_common(2), ("", 0), ("", 0))[:2]
    return best if most > next_most else ""


def _conflict(dataset: Dataset, task: str, rows: Sequence[int], votes: Counter[str]) -> Conflict:
    kept = majority(votes)
    quoted = {shown(label): count for label, count in votes.most_common()}
    return Conflict(task, [_line(dataset, row) for row in rows], quoted, shown(kept) if kept else "")


def _groups(dataset: Dataset, same: Sequence[Sequence[int]], near: Pairs) -> list[str]:
    """(texts) the number of the group of each: near duplicates, and whatever shares a group of the data, joined."""
    if not dataset.groups and not len(near):
        return []
    texts, members = len(same), [(text, row) for text, rows in enumerate(same) for row in rows]
    # The groups of the data are nodes of the graph too, beyond those of the texts.
    own = dataset.group_numbers + texts
    edges = [*near.tolist(), *((text, own[row]) for text, row in members if dataset.groups)]
    size = texts + len(dataset)
    one, other = np.array(edges, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(size, size))
    return list(map(str, connected_components(graph, directed=False)[1][:texts].tolist()))


def _finding(dataset: Dataset, kind: str, told: str, rows: Sequence[int]) -> Finding:
    return Finding(kind, told, len(rows), [_line(dataset, row) for row in rows[:SHOWN]])


def _where(faults: Sequence[str], fault: str) -> list[int]:
    return [row for row, each in enumerate(faults) if each == fault]


def _lines(conflicts: Sequence[Conflict]) -> list[int]:
    return sorted({line for conflict in conflicts for line in conflict.lines})[:SHOWN]


def _line(dataset: Dataset, row: int) -> int:
    return dataset.lines[row] if dataset.lines else row + 1
