"""Cold start: a first model for categories that have names, meanings and a few examples, and no labelled rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from corpora.petitions import read_rows
from corpora.tables import open_table
from nlp.errors import InputError
from nlp.features import Features, weighted
from nlp.files import read_toml
from nlp.heads import Matrix
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import Label, Taxonomy
from training.dataset import Dataset
from training.fitting import UNSURE, Recipe, fit
from training.prior import prior_of

NEAREST = 40  # petitions of the project's corpus that stand in for the rows which a category does not have
MOST = 8  # examples of a category
COLUMNS = {
    "name": ("name", "名称", "类别", "类别名称", "分类"),
    "code": ("code", "编码", "代码"),
    "meaning": ("meaning", "含义", "说明", "holds", "解释"),
}
EXAMPLE = ("example", "示例", "例")  # how the headings of examples begin
COLD = "只凭类别的名称、含义和示例：从项目语料里找相近的诉求代替有标签的工单，没有量过"


@dataclass(frozen=True)
class Entry:
    """One category: code, name (levels joined by “/”), what it means, and examples of it."""

    code: str
    name: str
    meaning: str
    examples: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """The category in words."""
        return f"{self.name.replace('/', '、')}。{self.meaning}"


def from_taxonomy(path: Path, default: Model, base: Taxonomy) -> Model:
    """A model that answers at once, and asks a human every time; raises `InputError` for a bad table."""
    entries = read_entries(path)
    taxonomy = _taxonomy(path, entries, base)
    rows = _rows(entries, default)
    petitions = [Petition(str(number), text, title) for number, (_, title, text) in enumerate(rows)]
    dataset = Dataset(petitions, {"category": [code for code, _, _ in rows]}, path.name, "")
    model = fit(dataset, taxonomy, Recipe(prior=prior_of(default)), lambda _what, _steps: None).model
    limits = replace(model.thresholds, confidence=UNSURE)  # nothing was measured, so nothing is promised
    return replace(model, thresholds=limits, scores={"measured_on": COLD, "rows": 0, "tasks": {}})


def read_entries(path: Path) -> list[Entry]:
    """The categories of a TOML taxonomy, or of a table with name, meaning and examples in columns."""
    entries = _from_toml(path) if path.suffix.lower() == ".toml" else _from_table(path)
    if len(entries) < 2:
        raise InputError(place=path, reason="至少要两个类别")
    codes = [entry.code for entry in entries]
    twice = next((code for code in codes if codes.count(code) > 1), "")
    if twice:
        raise InputError(place=path, reason=f"类别 {twice} 出现了两次")
    return entries


def _from_toml(path: Path) -> list[Entry]:
    data = read_toml(path)
    examples = {str(node.get("code")): node.pop("examples", ()) for node in data.get("nodes", ())}
    taxonomy = Taxonomy.from_dict({"name": path.stem, "tiers": [_ANY], "clocks": [_ANY], "types": [_ANY]} | data, path)
    return [
        Entry(one.code, one.name, one.holds, tuple(map(str, examples[one.code]))[:MOST]) for one in taxonomy.categories
    ]


def _from_table(path: Path) -> list[Entry]:
    table = open_table(path)
    heads = [head for head in table.rows.column_names if head]
    found = {role: next((head for head in heads if head in known), "") for role, known in COLUMNS.items()}
    if not found["name"]:
        raise InputError(
            place=path, reason=f"找不到类别名称的列（试过 {'、'.join(COLUMNS['name'])}）；有：{'、'.join(heads)}"
        )
    examples = [head for head in heads if head.lower().startswith(EXAMPLE)]
    entries = []
    for line, row in zip(table.lines, table.rows, strict=True):
        name = row[found["name"]].strip()
        if not name:
            raise InputError(place=f"{path} 第 {line} 行", reason="没有类别名称")
        told = tuple(row[head].strip() for head in examples if row[head].strip())[:MOST]
        meaning = row[found["meaning"]].strip() if found["meaning"] else ""
        code = row[found["code"]].strip() if found["code"] else ""
        entries.append(Entry(code or name, name, meaning, told))
    return entries


def _taxonomy(path: Path, entries: Sequence[Entry], base: Taxonomy) -> Taxonomy:
    """The base itself where its categories are meant, else a taxonomy of the entries."""
    if {entry.code for entry in entries} == set(base.codes("category")):
        return base
    nodes = tuple(Label(entry.code, entry.name, holds=entry.meaning) for entry in entries)
    taxonomy = Taxonomy(path.stem, nodes, base.tiers, base.clocks, base.types)
    if fault := taxonomy.fault():
        raise InputError(place=path, reason=fault)
    return taxonomy


def _rows(entries: Sequence[Entry], default: Model) -> list[tuple[str, str, str]]:
    """(code, title, text): the definitions and examples, and for each category the petitions most like them."""
    known = [(entry.code, "", text) for entry in entries for text in (entry.definition, *entry.examples)]
    pool = read_rows()
    fields = [field for _, title, text in known for field in (title, text)]
    fields += [field for row in pool for field in (row.title, row.text)]
    words, seen = _views(fields, default)
    first = len(known)
    codes = [entry.code for entry in entries]
    likeness = np.zeros((len(pool), len(codes)))
    for place, code in enumerate(codes):
        mine = [row for row, (other, _, _) in enumerate(known) if other == code]
        likeness[:, place] = (words[first:] @ words[mine].T).toarray().max(axis=1)
        likeness[:, place] += (seen[first:] @ seen[mine].T).max(axis=1)
    own = likeness.argmax(axis=1)
    picked = list(known)
    for place, code in enumerate(codes):
        lead = np.where(own == place, likeness[:, place], -1)
        nearest = [row for row in np.argsort(-lead, kind="stable")[:NEAREST] if lead[row] > 0]
        picked += [(code, pool[row].title, pool[row].text) for row in nearest]
        picked += [one for one in known if one[0] == code] * max(0, 4 - len(nearest))  # a fold needs a row of each
    return picked


def _views(fields: list[str], model: Model) -> tuple[csr_matrix, Matrix]:
    """Two ways to see titles and texts: their words, and what the model makes of them; rows of length one.

    The product of two rows is the cosine of their words, or the Bhattacharyya coefficient of their categories.
    """
    features = Features(model.features, open_segmenter(model.features.segmenter))
    texts = Reader().fields(fields).texts
    tokens = features.tokens(texts)
    columns = model.vocabulary.table.columns(tokens.key)
    counts = features.counts(tokens, columns, len(fields) // 2, len(model.vocabulary))
    matrix = weighted(counts, model.idf)
    return matrix, np.sqrt(model.heads.probabilities(matrix)["category"])


_ANY: Mapping[str, str] = {"code": "any", "name": "any"}
