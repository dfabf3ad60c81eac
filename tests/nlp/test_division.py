"""Division: each matter is answered by its own sentences, the petition by its main one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest

from corpora.petitions import Row
from nlp.answers import Part
from nlp.division import Divider
from nlp.features import Features, weighted
from nlp.heads import Probabilities
from nlp.joint import JOINED, Table
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.redline import RedLine
from nlp.segment import open_segmenter
from nlp.taxonomy import TASKS
from nlp.text import Texts


@dataclass(frozen=True)
class Divided:
    """A batch before and after."""

    texts: Texts
    before: Probabilities
    after: Probabilities
    parts: dict[int, list[Part]]


def divided(model: Model, asked: list[Petition], redlines: Mapping[int, RedLine] = MappingProxyType({})) -> Divided:
    features = Features(model.features, open_segmenter())
    texts = Reader().read(asked).texts
    tokens = features.tokens(texts)
    columns = model.vocabulary.table.columns(tokens.key)
    counts = features.counts(tokens, columns, len(asked), len(model.vocabulary))
    heads = model.heads.probabilities(weighted(counts, model.idf))
    before = {task: rows.copy() for task, rows in heads.items()}
    parts = Divider(model, features, Table(model.taxonomy)).divide(texts, tokens, columns, heads, redlines)
    return Divided(texts, before, heads, parts)


@pytest.fixture(scope="module")
def asked(petitions: list[Row]) -> list[Petition]:
    """Pairs of petitions of two categories, and single ones between them."""
    several: list[Petition] = []
    for row, other in zip(petitions, petitions[9:], strict=False):
        if row.category != other.category:
            several += [Petition(row.id, f"{row.text.rstrip('。')}。另外，{other.text}"), Petition(row.id, "漏水")]
    return several


@pytest.fixture(scope="module")
def batch(model: Model, asked: list[Petition]) -> Divided:
    return divided(model, asked)


def test_the_main_matter_gives_the_answer_of_the_petition(batch: Divided) -> None:
    assert len(batch.parts) > 50
    for row, parts in batch.parts.items():
        assert parts[0].columns["category"] == batch.after["category"][row].argmax()


def test_only_what_another_main_matter_changed_is_changed(batch: Divided) -> None:
    led = {row for row, parts in batch.parts.items() if parts[0].instead is not None}
    assert led
    assert len(led) < len(batch.parts)
    for row in range(len(batch.texts) // 2):
        same = all((batch.before[task][row] == batch.after[task][row]).all() for task in TASKS)
        assert same == (row not in led)


def test_what_the_petition_looked_like_is_told_where_it_is_another_category(batch: Divided) -> None:
    for row, parts in batch.parts.items():
        whole = int(batch.before["category"][row].argmax())
        assert parts[0].instead in (None, whole)
        assert (parts[0].instead is None) == (parts[0].columns["category"] == whole)
        assert all(part.instead is None for part in parts[1:])


def test_every_matter_has_its_own_category_and_stretch_of_the_text(batch: Divided) -> None:
    for row, parts in batch.parts.items():
        assert len(parts) > 1
        assert len({part.columns["category"] for part in parts}) == len(parts)
        first, last = batch.texts.bounds[2 * row + 1], batch.texts.bounds[2 * row + 2] - 1
        spans = sorted((part.start, part.end) for part in parts)
        assert spans[0][0] >= first
        assert spans[-1][1] <= last
        assert all(start < end for start, end in spans)


def test_tier_and_clock_of_a_matter_may_go_with_its_category(batch: Divided, model: Model) -> None:
    allowed = Table(model.taxonomy).allowed
    for parts in batch.parts.values():
        assert all(allowed[tuple(part.columns[task] for task in JOINED)] for part in parts)
        assert all(set(part.columns) == set(TASKS) for part in parts)


def test_probabilities_stay_probabilities(batch: Divided) -> None:
    for rows in batch.after.values():
        assert np.isfinite(rows).all()
        assert rows.min() >= 0
        assert rows.max() <= 1
    assert batch.after["category"].sum(axis=1) == pytest.approx(np.ones(len(batch.texts) // 2))


def test_a_petition_is_divided_alike_alone_and_in_a_batch(model: Model, asked: list[Petition], batch: Divided) -> None:
    for row in range(0, len(asked), 12):
        alone = divided(model, [asked[row]])
        first = int(batch.texts.bounds[2 * row])
        here = [
            Part(part.columns, part.start - first, part.end - first, part.instead) for part in batch.parts.get(row, [])
        ]
        assert alone.parts.get(0, []) == here
        assert all((alone.after[task][0] == batch.after[task][row]).all() for task in TASKS)


def test_without_several_matters_nothing_is_divided(model: Model) -> None:
    asked = [Petition("1", ""), Petition("2", "漏水"), Petition("3", "", "楼道漏水。停电。")]
    result = divided(model, asked)
    assert result.parts == {}
    assert all((result.before[task] == result.after[task]).all() for task in TASKS)


def test_the_matter_that_shows_a_red_line_leads(model: Model, asked: list[Petition], batch: Divided) -> None:
    """Each second matter is said to show one, by its own first words."""
    whole = batch.texts.whole
    words = {row: whole[parts[1].start + 2 : parts[1].start + 9] for row, parts in batch.parts.items()}
    shown = {
        row: RedLine("fire", "起火", (word,))
        for row, word in words.items()
        if batch.parts[row][0].instead is None and whole.count(word) == 1
    }
    assert len(shown) > 10
    again = divided(model, asked, shown)
    led = [row for row in shown if again.parts[row][0].columns["category"] == batch.parts[row][1].columns["category"]]
    assert len(led) > len(shown) / 2
    for row in led:
        assert again.after["category"][row].argmax() == again.parts[row][0].columns["category"]
